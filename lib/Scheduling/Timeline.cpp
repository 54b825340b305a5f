//===- Timeline.cpp - A schedule whose workers share the memory
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Timeline.h"
#include <algorithm>
#include <cmath>

using namespace etc::scheduling;

static constexpr double kLeastBytes = 0.5;

Timeline::Timeline(const Problem &problem, const Schedule &schedule)
    : problem(problem), schedule(schedule), workers(schedule.workers.size()),
      weights(schedule.workers.size(), 0),
      spans(problem.launches.size(), {0, 0}), seen(problem.entries.size(), 0),
      readyNs(problem.entries.size(), 0) {
  size_t steps = std::max(1.0, std::round(problem.loader.fetchNs / kStepNs));
  for (size_t number = 0; number < workers.size(); ++number) {
    workers[number].way.assign(steps, 0);
    for (const Run &run : schedule.workers[number])
      workers[number].total +=
          run.count * problem.launches[run.launch].streamBytes;
  }
}

bool Timeline::isDone(const Worker &worker) const {
  return worker.run == schedule.workers[&worker - workers.data()].size();
}
const Run &Timeline::getRun(int64_t worker) const {
  return schedule.workers[worker][workers[worker].run];
}

const Launch &Timeline::getLaunch(int64_t worker) const {
  return problem.launches[getRun(worker).launch];
}
int64_t Timeline::getTask(int64_t worker) const {
  return getRun(worker).getTask(workers[worker].index);
}

/// A worker is served faster in some launches than in others, by no rule that
/// is known: a number between 1 - spread and 1 + spread, mixed from both.
double Timeline::getWeight(int64_t worker) const {
  uint64_t bits = (uint64_t(getRun(worker).launch) << 32 | worker) + 1;
  bits *= 0x9E3779B97F4A7C15;
  bits ^= bits >> 29;
  bits *= 0xBF58476D1CE4E5B9;
  bits ^= bits >> 32;
  double unit = double(bits & 0xFFFFFF) / 0xFFFFFF;
  return 1 + problem.loader.spread * (2 * unit - 1);
}

void Timeline::fetch() {
  const Loader &loader = problem.loader;
  double all = 0;
  for (size_t i = 0; i < workers.size(); ++i) {
    const Worker &worker = workers[i];
    bool hasRoom = worker.fetched < worker.total &&
                   worker.fetched < worker.taken + loader.ringBytes;
    weights[i] = hasRoom ? getWeight(i) : 0;
    all += weights[i];
  }
  place = (place + 1) % workers.front().way.size();
  for (size_t i = 0; i < workers.size(); ++i) {
    Worker &worker = workers[i];
    if (weights[i] > 0) {
      double rate = std::min(loader.alone, loader.together * weights[i] / all);
      worker.fetched = std::min({worker.fetched + rate * kStepNs, worker.total,
                                 worker.taken + loader.ringBytes});
    }
    worker.arrived = worker.way[place];
    worker.way[place] = worker.fetched;
  }
}

bool Timeline::start(int64_t number) {
  Worker &worker = workers[number];
  const Launch &launch = getLaunch(number);
  int64_t task = getTask(number);
  double ready = worker.freeNs + problem.dispatchNs;
  for (const std::vector<int32_t> &edge : launch.waits) {
    if (edge[task] == Launch::kNone)
      continue;
    const Entry &entry = problem.entries[edge[task]];
    if (seen[edge[task]] < entry.count)
      return false;
    ready = std::max(ready, readyNs[edge[task]] + entry.hopNs);
  }
  worker.isStarted = true;
  worker.left = launch.streamBytes;
  worker.startNs = ready + (worker.index == 0 ? launch.runNs : 0);
  Problem::Span &span = spans[getRun(number).launch];
  span.startNs = span.endNs > 0 ? std::min(span.startNs, ready) : ready;
  return true;
}

bool Timeline::take(int64_t number, double &atNs) {
  Worker &worker = workers[number];
  atNs = worker.startNs;
  if (worker.left <= 0)
    return true;
  double from = std::max(worker.startNs, now - kStepNs);
  double most = std::max(now - from, 0.0) * problem.loader.drainBytesPerNs;
  double bytes = std::min({worker.left, worker.arrived - worker.taken, most});
  worker.taken += bytes;
  worker.left -= bytes;
  // What has just come came at the end of this step.
  bool isLast = worker.taken >= worker.arrived;
  atNs = isLast ? now : from + bytes / problem.loader.drainBytesPerNs;
  if (worker.left >= kLeastBytes)
    return false;
  worker.taken += worker.left; // Of rounding, so that no sum of it waits.
  worker.left = 0;
  return true;
}

void Timeline::finish(int64_t number, double endNs) {
  Worker &worker = workers[number];
  const Run &run = getRun(number);
  const Launch &launch = getLaunch(number);
  int64_t task = getTask(number);
  for (const std::vector<int32_t> &edge : launch.notifies)
    if (edge[task] != Launch::kNone) {
      readyNs[edge[task]] = std::max(readyNs[edge[task]], endNs);
      ++seen[edge[task]];
    }
  spans[run.launch].endNs = std::max(spans[run.launch].endNs, endNs);
  worker.freeNs = endNs;
  worker.isStarted = false;
  if (++worker.index == run.count) {
    worker.index = 0;
    ++worker.run;
  }
}

/// As far as the worker gets by now. What takes no bytes may end later than
/// that: nothing else would change it.
void Timeline::advance(int64_t number) {
  Worker &worker = workers[number];
  double atNs;
  while (!isDone(worker) && (worker.isStarted || start(number)) &&
         take(number, atNs))
    finish(number, atNs + getLaunch(number).taskNs);
}

void Timeline::run() {
  size_t done = 0;
  while (done < workers.size()) {
    fetch();
    now += kStepNs;
    done = 0;
    for (size_t i = 0; i < workers.size(); ++i) {
      advance(i);
      done += isDone(workers[i]);
    }
  }
}
