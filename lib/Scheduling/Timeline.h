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

#include "lib/Scheduling/Progress.h"

namespace etc::scheduling {

/// Time goes in steps of `kStepNs`: in each, all workers whose rings have room
/// share the bandwidth, then each gets as far as what has arrived lets it.
class Timeline : public Progress {
public:
  /// `schedule` has passed `Problem::verifyProgress`.
  Timeline(const Problem &problem, const Schedule &schedule);

  void run();

  static constexpr double kStepNs = 20;

private:
  struct Worker {
    double freeNs = 0;       // when the last task ended
    double startNs = 0;      // of this task, once its waits are over
    bool isStarted = false;  // whether they are
    double takeNs = 0;       // from when on it takes bytes
    double left = 0;         // bytes of this task that it still takes
    double total = 0;        // bytes of all tasks of its list
    double fetched = 0;      // bytes that the memory has served
    double arrived = 0;      // the same, `fetchNs` ago
    double taken = 0;        // bytes that it has taken from the ring
    std::vector<double> way; // `fetched` of the steps between
    /// Of its list: where the bytes of a run end, and how fast they may come.
    struct Piece {
      double end, paceBytesPerNs;
    };
    std::vector<Piece> pieces;
    size_t piece = 0; // that it fetches
  };

  double getWeight(int64_t worker) const;
  /// What the worker may fetch in a step.
  static double getMostBytes(Worker &worker);
  void fetch();
  void advance(int64_t worker);
  /// Whether the waits of its task are over.
  bool start(int64_t worker);
  /// Whether it has all bytes of its task, and when it had them.
  bool take(int64_t worker, double &atNs);

  std::vector<Worker> workers;
  std::vector<double> weights; // of each worker in this step, 0 if it is full
  double now = 0;
  size_t place = 0; // of this step in `way`
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_TIMELINE_H
