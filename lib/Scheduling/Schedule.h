//===- Schedule.h - Lists of runs, one per worker
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_SCHEDULE_H
#define ETC_LIB_SCHEDULING_SCHEDULE_H

#include <cstdint>
#include <vector>

namespace etc::scheduling {

/// The tasks first, first + stride, ... of a launch, `count` of them.
struct Run {
  int32_t launch, first, stride, count;
  int64_t getTask(int64_t i) const { return first + i * int64_t(stride); }
};

struct Schedule {
  explicit Schedule(int64_t numWorkers = 0) : workers(numWorkers) {}

  /// Puts a task at the end of a worker's list: as part of its last run where
  /// that stays a run, else as a run of its own.
  void append(int64_t worker, unsigned launch, int64_t task);

  int64_t getNumRuns() const;
  int64_t getNumTasks(int64_t worker) const;

  std::vector<std::vector<Run>> workers;
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_SCHEDULE_H
