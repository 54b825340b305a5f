//===- Execution.h - Run a schedule on paper
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_EXECUTION_H
#define ETC_LIB_SCHEDULING_EXECUTION_H

#include "lib/Scheduling/Progress.h"
#include "lib/Scheduling/WorkerClock.h"

namespace etc::scheduling {

/// Runs every worker as far as its waits allow, once: the time is linear in the
/// number of tasks and edges.
class Execution : public Progress {
public:
  Execution(const Problem &problem, const Schedule &schedule);

  void run();

  /// Who waits for whom, if some worker did not reach its end.
  Violation explainDeadlock() const;

  double getEndNs() const;

private:
  void advance(int64_t worker);
  /// The worker that would notify the entry, and with which task.
  bool findNotifier(int32_t entry, int64_t &worker, unsigned &launch,
                    int64_t &task) const;

  std::vector<WorkerClock> clocks;
  std::vector<std::vector<int64_t>> sleepers; // workers blocked on each entry
  std::vector<int64_t> awake;
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_EXECUTION_H
