//===- Execution.cpp - Run a schedule on paper
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Execution.h"
#include <algorithm>

using namespace etc::scheduling;

Execution::Execution(const Problem &problem, const Schedule &schedule)
    : Progress(problem, schedule),
      clocks(schedule.workers.size(), WorkerClock(problem)),
      sleepers(problem.entries.size()) {}

void Execution::run() {
  for (size_t worker = cursors.size(); worker-- > 0;)
    awake.push_back(worker);
  while (!awake.empty()) {
    int64_t worker = awake.back();
    awake.pop_back();
    while (!isDone(worker)) {
      int32_t blocker = getBlocker(worker);
      if (blocker != Launch::kNone) {
        sleepers[blocker].push_back(worker);
        break;
      }
      advance(worker);
    }
  }
}

void Execution::advance(int64_t worker) {
  double ready = getReadyNs(worker);
  double start = std::max(clocks[worker].getFreeNs(), ready);
  double end =
      clocks[worker].run(getLaunch(worker), cursors[worker].index == 0, ready);
  for (int32_t entry : finish(worker, start, end)) {
    awake.insert(awake.end(), sleepers[entry].begin(), sleepers[entry].end());
    sleepers[entry].clear();
  }
}

double Execution::getEndNs() const {
  double end = 0;
  for (const WorkerClock &clock : clocks)
    end = std::max(end, clock.getEndNs());
  return end;
}

bool Execution::findNotifier(int32_t entry, int64_t &worker, unsigned &launch,
                             int64_t &task) const {
  for (worker = 0; worker < static_cast<int64_t>(cursors.size()); ++worker) {
    const std::vector<Run> &runs = schedule.workers[worker];
    for (size_t r = cursors[worker].run; r < runs.size(); ++r) {
      int64_t begin = r == cursors[worker].run ? cursors[worker].index : 0;
      launch = runs[r].launch;
      for (const auto &edge : problem.launches[launch].notifies)
        for (int64_t i = begin; i < runs[r].count; ++i) {
          task = runs[r].getTask(i);
          if (edge[task] == entry)
            return true;
        }
    }
  }
  return false;
}

Violation Execution::explainDeadlock() const {
  int64_t worker = 0, numWorkers = cursors.size();
  while (worker < numWorkers && isDone(worker))
    ++worker;
  if (worker == numWorkers)
    return std::nullopt;
  std::string text;
  std::vector<bool> visited(numWorkers, false);
  while (!visited[worker]) {
    visited[worker] = true;
    int32_t blocker = getBlocker(worker);
    const Entry &entry = problem.entries[blocker];
    text += "worker " + std::to_string(worker) + " waits in " +
            problem.describe(getRun(worker).launch, getTask(worker)) + " for " +
            problem.describe(entry) + ", notified " +
            std::to_string(seen[blocker]) + " of " +
            std::to_string(entry.count) + " times; ";
    unsigned launch;
    int64_t task;
    if (!findNotifier(blocker, worker, launch, task))
      return text + "no task that is left notifies it";
    text += problem.describe(launch, task) + " would, on worker " +
            std::to_string(worker) + " behind its wait; ";
  }
  return text + "so worker " + std::to_string(worker) + " waits for itself";
}
