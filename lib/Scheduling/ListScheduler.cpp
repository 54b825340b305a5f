//===- ListScheduler.cpp - List scheduling by a cost model
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of the launches is given, so a launch is scheduled as a whole
// before the next. What is left to decide is which worker takes which of its
// tasks, and when.
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Algorithms.h"
#include "lib/Scheduling/WorkerClock.h"
#include <algorithm>
#include <queue>

using namespace etc::scheduling;

namespace {

/// What a task takes if its stream has arrived and it is not the first of a
/// run.
static double getLeastNs(const Problem &problem, const Launch &launch) {
  return problem.dispatchNs + launch.taskNs +
         launch.streamBytes / problem.loader.drainBytesPerNs;
}

/// The longest path from the start of each task to the end of the step.
std::vector<std::vector<double>> getTails(const Problem &problem) {
  std::vector<double> entryTail(problem.entries.size(), 0);
  std::vector<std::vector<double>> tails(problem.launches.size());
  for (size_t l = problem.launches.size(); l-- > 0;) {
    const Launch &launch = problem.launches[l];
    double least = getLeastNs(problem, launch);
    tails[l].assign(launch.numTasks, least);
    for (int64_t task = 0; task < launch.numTasks; ++task) {
      for (const std::vector<int32_t> &edge : launch.notifies)
        if (edge[task] != Launch::kNone && entryTail[edge[task]] > 0)
          tails[l][task] = std::max(tails[l][task],
                                    least + problem.entries[edge[task]].hopNs +
                                        entryTail[edge[task]]);
    }
    for (const std::vector<int32_t> &edge : launch.waits)
      for (int64_t task = 0; task < launch.numTasks; ++task)
        if (edge[task] != Launch::kNone)
          entryTail[edge[task]] =
              std::max(entryTail[edge[task]], tails[l][task]);
  }
  return tails;
}

class ListScheduler {
public:
  explicit ListScheduler(const Problem &problem)
      : problem(problem), tails(getTails(problem)),
        clocks(problem.numWorkers, WorkerClock(problem)),
        last(problem.numWorkers, -1), entryReady(problem.entries.size(), 0),
        schedule(problem.numWorkers) {}

  Schedule run() {
    for (unsigned l = 0; l < problem.launches.size(); ++l) {
      collectReady(l);
      if (problem.launches[l].affinity.empty())
        placeFree(l);
      else
        placeByAffinity(l);
    }
    return std::move(schedule);
  }

private:
  /// When the waits of each task are over, and the tasks in that order.
  void collectReady(unsigned l) {
    const Launch &launch = problem.launches[l];
    ready.assign(launch.numTasks, 0);
    for (const std::vector<int32_t> &edge : launch.waits)
      for (int64_t task = 0; task < launch.numTasks; ++task)
        if (edge[task] != Launch::kNone)
          ready[task] =
              std::max(ready[task], entryReady[edge[task]] +
                                        problem.entries[edge[task]].hopNs);
    order.resize(launch.numTasks);
    for (int64_t task = 0; task < launch.numTasks; ++task)
      order[task] = task;
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return ready[a] != ready[b] ? ready[a] < ready[b] : a < b;
    });
  }

  void place(unsigned l, int64_t task, int64_t worker) {
    const Launch &launch = problem.launches[l];
    bool isFirst = last[worker] != static_cast<int64_t>(l);
    last[worker] = l;
    double end = clocks[worker].run(launch, isFirst, ready[task]);
    schedule.append(worker, l, task);
    for (const std::vector<int32_t> &edge : launch.notifies)
      if (edge[task] != Launch::kNone)
        entryReady[edge[task]] = std::max(entryReady[edge[task]], end);
  }

  void placeByAffinity(unsigned l) {
    for (int64_t task : order)
      place(l, task, problem.launches[l].affinity[task]);
  }

  void placeFree(unsigned l) {
    using Slot = std::pair<double, int64_t>; // when free, worker
    std::priority_queue<Slot, std::vector<Slot>, std::greater<Slot>> workers;
    for (int64_t worker = 0; worker < problem.numWorkers; ++worker)
      workers.push({clocks[worker].getFreeNs(), worker});
    // Of the ready tasks: the longest tail, then the lowest number.
    auto later = [&](int64_t a, int64_t b) {
      return tails[l][a] != tails[l][b] ? tails[l][a] < tails[l][b] : a > b;
    };
    std::priority_queue<int64_t, std::vector<int64_t>, decltype(later)> pool(
        later);
    for (size_t next = 0; next < order.size() || !pool.empty();) {
      auto [time, worker] = workers.top();
      workers.pop();
      double horizon = time;
      if (pool.empty())
        horizon = std::max(horizon, ready[order[next]]);
      for (; next < order.size() && ready[order[next]] <= horizon; ++next)
        pool.push(order[next]);
      int64_t task = pool.top();
      pool.pop();
      place(l, task, worker);
      workers.push({clocks[worker].getFreeNs(), worker});
    }
  }

  const Problem &problem;
  std::vector<std::vector<double>> tails;
  std::vector<WorkerClock> clocks;
  std::vector<int64_t> last; // launch of each worker
  std::vector<double> entryReady, ready;
  std::vector<int64_t> order;
  Schedule schedule;
};

} // namespace

Schedule etc::scheduling::scheduleList(const Problem &problem) {
  return ListScheduler(problem).run();
}
