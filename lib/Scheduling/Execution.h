//===- Execution.h - Run a schedule on paper
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_EXECUTION_H
#define ETC_LIB_SCHEDULING_EXECUTION_H

#include "lib/Scheduling/WorkerClock.h"

namespace etc::scheduling {

/// Runs every worker as far as its waits allow, once: the time is linear in the
/// number of tasks and edges.
class Execution {
public:
  Execution(const Problem &problem, const Schedule &schedule);

  void run();

  /// Who waits for whom, if some worker did not reach its end.
  Violation explainDeadlock() const;

  double getEndNs() const;

  /// When each launch begins and ends.
  const std::vector<Problem::Span> &getSpans() const { return spans; }

private:
  /// Where a worker stands: in task `index` of run `run`.
  struct Cursor {
    size_t run = 0;
    int64_t index = 0;
  };

  bool isDone(int64_t worker) const;
  unsigned getLaunch(int64_t worker) const;
  int64_t getTask(int64_t worker) const;
  /// The first entry that the worker's task still waits for, or kNone.
  int32_t getBlocker(int64_t worker) const;
  void advance(int64_t worker);
  /// Tells those that wait for what the worker's task notifies.
  void notify(const Launch &launch, int64_t task, double endNs);
  /// The worker that would notify the entry, and with which task.
  bool findNotifier(int32_t entry, int64_t &worker, unsigned &launch,
                    int64_t &task) const;

  const Problem &problem;
  const Schedule &schedule;
  std::vector<Cursor> cursors;
  std::vector<WorkerClock> clocks;
  std::vector<Problem::Span> spans;
  std::vector<int64_t> seen;                  // notifies of each entry so far
  std::vector<double> readyNs;                // of the last of them
  std::vector<std::vector<int64_t>> sleepers; // workers blocked on each entry
  std::vector<int64_t> awake;
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_EXECUTION_H
