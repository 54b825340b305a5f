//===- Progress.cpp - How far the workers of a schedule are
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Progress.h"
#include <algorithm>

using namespace etc::scheduling;

Progress::Progress(const Problem &problem, const Schedule &schedule)
    : problem(problem), schedule(schedule), cursors(schedule.workers.size()),
      spans(problem.launches.size(), {0, 0}), seen(problem.entries.size(), 0),
      readyNs(problem.entries.size(), 0) {}

bool Progress::isDone(int64_t worker) const {
  return cursors[worker].run == schedule.workers[worker].size();
}
const Run &Progress::getRun(int64_t worker) const {
  return schedule.workers[worker][cursors[worker].run];
}
const Launch &Progress::getLaunch(int64_t worker) const {
  return problem.launches[getRun(worker).launch];
}
int64_t Progress::getTask(int64_t worker) const {
  return getRun(worker).getTask(cursors[worker].index);
}

int32_t Progress::getBlocker(int64_t worker) const {
  int64_t task = getTask(worker);
  for (const std::vector<int32_t> &edge : getLaunch(worker).waits)
    if (edge[task] != Launch::kNone &&
        seen[edge[task]] < problem.entries[edge[task]].count)
      return edge[task];
  return Launch::kNone;
}

double Progress::getReadyNs(int64_t worker) const {
  int64_t task = getTask(worker);
  double ready = 0;
  for (const std::vector<int32_t> &edge : getLaunch(worker).waits)
    if (edge[task] != Launch::kNone)
      ready = std::max(ready,
                       readyNs[edge[task]] + problem.entries[edge[task]].hopNs);
  return ready;
}

std::vector<int32_t> Progress::finish(int64_t worker, double startNs,
                                      double endNs) {
  const Run &run = getRun(worker);
  int64_t task = getTask(worker);
  Problem::Span &span = spans[run.launch];
  span.startNs = span.endNs > 0 ? std::min(span.startNs, startNs) : startNs;
  span.endNs = std::max(span.endNs, endNs);
  std::vector<int32_t> complete;
  for (const std::vector<int32_t> &edge : getLaunch(worker).notifies) {
    int32_t entry = edge[task];
    if (entry == Launch::kNone)
      continue;
    readyNs[entry] = std::max(readyNs[entry], endNs);
    if (++seen[entry] == problem.entries[entry].count)
      complete.push_back(entry);
  }
  Cursor &cursor = cursors[worker];
  if (++cursor.index == run.count)
    cursor = {cursor.run + 1, 0};
  return complete;
}
