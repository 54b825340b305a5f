//===- Progress.h - How far the workers of a schedule are
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_PROGRESS_H
#define ETC_LIB_SCHEDULING_PROGRESS_H

#include "lib/Scheduling/Problem.h"

namespace etc::scheduling {

/// What an execution of a schedule knows whatever its times are: in which task
/// each worker stands, and what was notified.
class Progress {
public:
  Progress(const Problem &problem, const Schedule &schedule);

  /// When each launch begins and ends.
  const std::vector<Problem::Span> &getSpans() const { return spans; }

protected:
  /// Where a worker stands: in task `index` of run `run`.
  struct Cursor {
    size_t run = 0;
    int64_t index = 0;
  };

  bool isDone(int64_t worker) const;
  const Run &getRun(int64_t worker) const;
  const Launch &getLaunch(int64_t worker) const;
  int64_t getTask(int64_t worker) const;
  /// The first entry that the worker's task still waits for, or kNone.
  int32_t getBlocker(int64_t worker) const;
  /// When all is there that its task waits for, a hop after its notify.
  double getReadyNs(int64_t worker) const;
  /// The worker's task ran from `startNs` to `endNs` and notifies; the worker
  /// goes on to the next. Returns the entries that have all notifies now.
  std::vector<int32_t> finish(int64_t worker, double startNs, double endNs);

  const Problem &problem;
  const Schedule &schedule;
  std::vector<Cursor> cursors;
  std::vector<Problem::Span> spans;
  std::vector<int64_t> seen;   // notifies of each entry so far
  std::vector<double> readyNs; // of the last of them
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_PROGRESS_H
