//===- Timeline.h - A schedule whose workers share the memory
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `Execution` gives every worker the same part of the bandwidth at all times,
// which a scheduler can evaluate task by task. Here a worker whose ring is full
// leaves its part to the others, and some are served faster than others: that
// is what decides where one stage ends and the next begins.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_TIMELINE_H
#define ETC_LIB_SCHEDULING_TIMELINE_H

#include "lib/Scheduling/Problem.h"

namespace etc::scheduling {

/// Time goes in steps of `kStepNs`: in each, all workers whose rings have room
/// share the bandwidth, then each gets as far as what has arrived lets it.
class Timeline {
public:
  /// `schedule` has passed `Problem::verifyProgress`.
  Timeline(const Problem &problem, const Schedule &schedule);

  void run();

  /// When each launch begins and ends.
  const std::vector<Problem::Span> &getSpans() const { return spans; }

  static constexpr double kStepNs = 20;

private:
  struct Worker {
    size_t run = 0;
    int64_t index = 0;       // of the task in its run
    double freeNs = 0;       // when the last task ended
    double startNs = 0;      // of this task, once its waits are over
    bool isStarted = false;  // whether they are
    double left = 0;         // bytes of this task that it still takes
    double total = 0;        // bytes of all tasks of its list
    double fetched = 0;      // bytes that the memory has served
    double arrived = 0;      // the same, `fetchNs` ago
    double taken = 0;        // bytes that it has taken from the ring
    std::vector<double> way; // `fetched` of the steps between
  };

  bool isDone(const Worker &worker) const;
  const Run &getRun(int64_t worker) const;
  double getWeight(int64_t worker) const;
  const Launch &getLaunch(int64_t worker) const;
  int64_t getTask(int64_t worker) const;
  void fetch();
  void advance(int64_t worker);
  /// Whether the waits of its task are over.
  bool start(int64_t worker);
  /// Whether it has all bytes of its task, and when it had them.
  bool take(int64_t worker, double &atNs);
  void finish(int64_t worker, double endNs);

  const Problem &problem;
  const Schedule &schedule;
  std::vector<Worker> workers;
  std::vector<double> weights; // of each worker in this step, 0 if it is full
  std::vector<Problem::Span> spans;
  std::vector<int64_t> seen;   // notifies of each entry so far
  std::vector<double> readyNs; // of the last of them
  double now = 0;
  size_t place = 0; // of this step in `way`
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_TIMELINE_H
