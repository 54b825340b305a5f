//===- RoundRobin.cpp - Deal the tasks to the workers
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Algorithms.h"

using namespace etc::scheduling;

Schedule etc::scheduling::scheduleRoundRobin(const Problem &problem) {
  Schedule schedule(problem.numWorkers);
  int64_t next = 0;
  for (size_t l = 0; l < problem.launches.size(); ++l) {
    const Launch &launch = problem.launches[l];
    for (int64_t task = 0; task < launch.numTasks; ++task) {
      if (!launch.affinity.empty()) {
        schedule.append(launch.affinity[task], l, task);
        continue;
      }
      schedule.append(next, l, task);
      next = (next + 1) % problem.numWorkers;
    }
  }
  return schedule;
}
