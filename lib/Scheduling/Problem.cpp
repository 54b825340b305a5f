//===- Problem.cpp - Checks of problems and of schedules
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Problem.h"
#include "lib/Scheduling/Execution.h"
#include "lib/Scheduling/Timeline.h"
#include <algorithm>

using namespace etc::scheduling;

static std::string str(int64_t value) { return std::to_string(value); }

int64_t Problem::getNumTasks() const {
  int64_t count = 0;
  for (const Launch &launch : launches)
    count += launch.numTasks;
  return count;
}

std::string Problem::describe(unsigned launch, int64_t task) const {
  return "task " + str(task) + " of launch " + str(launch) + " (@" +
         launches[launch].name + ")";
}

std::string Problem::describe(const Entry &entry) const {
  return "entry " + str(entry.number) + " of event '" + events[entry.event] +
         "'";
}

//===----------------------------------------------------------------------===//
// Before
//===----------------------------------------------------------------------===//

static Violation checkRanges(const Problem &problem, unsigned l) {
  const Launch &launch = problem.launches[l];
  for (const auto *edges : {&launch.waits, &launch.notifies})
    for (const std::vector<int32_t> &edge : *edges)
      for (int64_t task = 0; task < launch.numTasks; ++task)
        if (edge[task] < Launch::kNone ||
            edge[task] >= static_cast<int64_t>(problem.entries.size()))
          return problem.describe(l, task) + " names entry " + str(edge[task]) +
                 " of " + str(problem.entries.size());
  for (size_t task = 0; task < launch.affinity.size(); ++task)
    if (launch.affinity[task] < 0 ||
        launch.affinity[task] >= problem.numWorkers)
      return problem.describe(l, task) + " has an affinity to worker " +
             str(launch.affinity[task]) + " of " + str(problem.numWorkers);
  return std::nullopt;
}

Violation Problem::check() const {
  if (numWorkers <= 0)
    return "a schedule needs at least one worker, got " + str(numWorkers);
  std::vector<int64_t> arrivals(entries.size(), 0);
  for (size_t l = 0; l < launches.size(); ++l) {
    if (Violation violation = checkRanges(*this, l))
      return violation;
    for (const std::vector<int32_t> &edge : launches[l].waits)
      for (int64_t task = 0; task < launches[l].numTasks; ++task) {
        if (edge[task] == Launch::kNone)
          continue;
        const Entry &entry = entries[edge[task]];
        if (arrivals[edge[task]] < entry.count)
          return describe(l, task) + " waits for " + describe(entry) +
                 ", which the launches before it notify " +
                 str(arrivals[edge[task]]) + " of " + str(entry.count) +
                 " times";
      }
    for (const std::vector<int32_t> &edge : launches[l].notifies)
      for (int32_t entry : edge)
        if (entry != Launch::kNone)
          ++arrivals[entry];
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// After
//===----------------------------------------------------------------------===//

namespace {
/// Notes on which worker each task was seen.
class TasksSeen {
public:
  explicit TasksSeen(const Problem &problem) : problem(problem) {
    for (const Launch &launch : problem.launches)
      worker.emplace_back(launch.numTasks, -1);
  }

  Violation add(int64_t w, const Run &run) {
    std::string where = "worker " + str(w) + ": run {" + str(run.launch) +
                        ", " + str(run.first) + ", " + str(run.stride) + ", " +
                        str(run.count) + "} ";
    if (run.launch < 0 ||
        run.launch >= static_cast<int64_t>(problem.launches.size()))
      return where + "names launch " + str(run.launch) + " of " +
             str(problem.launches.size());
    const Launch &launch = problem.launches[run.launch];
    for (int64_t i = 0; i < run.count; ++i) {
      int64_t task = run.getTask(i);
      if (task < 0 || task >= launch.numTasks)
        return where + "has task " + str(task) + ", but launch " +
               str(run.launch) + " (@" + launch.name + ") has " +
               str(launch.numTasks) + " tasks";
      int32_t &seen = worker[run.launch][task];
      if (seen >= 0)
        return where + "repeats " + problem.describe(run.launch, task) +
               ", which worker " + str(seen) + " runs already";
      seen = w;
      if (!launch.affinity.empty() && launch.affinity[task] != w)
        return where + "has " + problem.describe(run.launch, task) +
               ", whose affinity is to worker " + str(launch.affinity[task]);
    }
    return std::nullopt;
  }

  Violation complete() const {
    for (size_t l = 0; l < worker.size(); ++l)
      for (size_t task = 0; task < worker[l].size(); ++task)
        if (worker[l][task] < 0)
          return problem.describe(l, task) + " is on no worker";
    return std::nullopt;
  }

private:
  const Problem &problem;
  std::vector<std::vector<int32_t>> worker;
};
} // namespace

Violation Problem::verify(const Schedule &schedule) const {
  TasksSeen seen(*this);
  if (static_cast<int64_t>(schedule.workers.size()) != numWorkers)
    return "the schedule is for " + str(schedule.workers.size()) +
           " workers, the problem for " + str(numWorkers);
  for (size_t w = 0; w < schedule.workers.size(); ++w) {
    int32_t previous = 0;
    for (const Run &run : schedule.workers[w]) {
      if (Violation violation = seen.add(w, run))
        return violation;
      if (run.launch < previous)
        return "worker " + str(w) + ": launch " + str(run.launch) + " (@" +
               launches[run.launch].name + ") stands behind launch " +
               str(previous) + " (@" + launches[previous].name +
               "); the launches of a worker ascend";
      previous = run.launch;
    }
  }
  return seen.complete();
}

Violation Problem::verifyProgress(const Schedule &schedule) const {
  Execution execution(*this, schedule);
  execution.run();
  return execution.explainDeadlock();
}

std::vector<Problem::Span> Problem::predict(const Schedule &schedule) const {
  if (loader.together > 0 && loader.ringBytes > 0) {
    Timeline timeline(*this, schedule);
    timeline.run();
    return timeline.getSpans();
  }
  Execution execution(*this, schedule);
  execution.run();
  return execution.getSpans();
}

double Problem::getMakespanNs(const Schedule &schedule) const {
  Execution execution(*this, schedule);
  execution.run();
  return execution.getEndNs();
}
