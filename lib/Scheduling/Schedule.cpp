//===- Schedule.cpp - Lists of runs, one per worker
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Schedule.h"

using namespace etc::scheduling;

void Schedule::append(int64_t worker, unsigned launch, int64_t task) {
  std::vector<Run> &runs = workers[worker];
  if (!runs.empty() && runs.back().launch == static_cast<int32_t>(launch)) {
    Run &last = runs.back();
    if (last.count == 1 && task > last.first) {
      last.stride = task - last.first;
      last.count = 2;
      return;
    }
    if (last.count > 1 && task == last.getTask(last.count)) {
      ++last.count;
      return;
    }
  }
  runs.push_back({static_cast<int32_t>(launch), static_cast<int32_t>(task),
                  /*stride=*/1, /*count=*/1});
}

int64_t Schedule::getNumRuns() const {
  int64_t count = 0;
  for (const std::vector<Run> &runs : workers)
    count += runs.size();
  return count;
}

int64_t Schedule::getNumTasks(int64_t worker) const {
  int64_t count = 0;
  for (const Run &run : workers[worker])
    count += run.count;
  return count;
}
