//===- WorkerClock.h - How far a worker is with its tasks
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_WORKERCLOCK_H
#define ETC_LIB_SCHEDULING_WORKERCLOCK_H

#include "lib/Scheduling/Problem.h"

namespace etc::scheduling {

/// The time of one worker, and of its stream, as it runs task after task.
class WorkerClock {
public:
  explicit WorkerClock(const Problem &problem)
      : dispatchNs(problem.dispatchNs), stream(problem.loader) {}

  /// When the worker could begin a task whose waits are over.
  double getFreeNs() const { return freeNs + dispatchNs; }
  /// When its last task ended.
  double getEndNs() const { return freeNs; }

  /// Runs a task whose waits are over at `readyNs`; when it ends. `isFirst`: of
  /// a run.
  double run(const Launch &launch, bool isFirst, double readyNs);

private:
  double dispatchNs;
  double freeNs = 0;
  Stream stream;
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_WORKERCLOCK_H
