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
    : Progress(problem, schedule), workers(schedule.workers.size()),
      weights(schedule.workers.size(), 0) {
  size_t steps = std::max(1.0, std::round(problem.loader.fetchNs / kStepNs));
  for (size_t number = 0; number < workers.size(); ++number) {
    workers[number].way.assign(steps, 0);
    for (const Run &run : schedule.workers[number]) {
      const Launch &launch = problem.launches[run.launch];
      workers[number].total += run.count * launch.streamBytes;
      workers[number].pieces.push_back(
          {workers[number].total, launch.paceBytesPerNs});
    }
  }
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

double Timeline::getMostBytes(Worker &worker) {
  while (worker.piece + 1 < worker.pieces.size() &&
         worker.pieces[worker.piece].end <= worker.fetched)
    ++worker.piece;
  double pace = worker.pieces[worker.piece].paceBytesPerNs;
  return pace > 0 ? pace * kStepNs : worker.total;
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
      double bytes = std::min(rate * kStepNs, getMostBytes(worker));
      worker.fetched = std::min({worker.fetched + bytes, worker.total,
                                 worker.taken + loader.ringBytes});
    }
    worker.arrived = worker.way[place];
    worker.way[place] = worker.fetched;
  }
}

bool Timeline::start(int64_t number) {
  if (getBlocker(number) != Launch::kNone)
    return false;
  Worker &worker = workers[number];
  const Launch &launch = getLaunch(number);
  worker.isStarted = true;
  worker.left = launch.streamBytes;
  worker.startNs =
      std::max(worker.freeNs + problem.dispatchNs, getReadyNs(number));
  bool isFirst = cursors[number].index == 0;
  worker.takeNs = worker.startNs + (isFirst ? launch.runNs : 0);
  return true;
}

bool Timeline::take(int64_t number, double &atNs) {
  Worker &worker = workers[number];
  atNs = worker.takeNs;
  if (worker.left <= 0)
    return true;
  double from = std::max(worker.takeNs, now - kStepNs);
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

/// As far as the worker gets by now. What takes no bytes may end later than
/// that: nothing else would change it.
void Timeline::advance(int64_t number) {
  Worker &worker = workers[number];
  double atNs;
  while (!isDone(number) && (worker.isStarted || start(number)) &&
         take(number, atNs)) {
    worker.freeNs = atNs + getLaunch(number).taskNs;
    worker.isStarted = false;
    finish(number, worker.startNs, worker.freeNs);
  }
}

void Timeline::run() {
  size_t done = 0;
  while (done < workers.size()) {
    fetch();
    now += kStepNs;
    done = 0;
    for (size_t i = 0; i < workers.size(); ++i) {
      advance(i);
      done += isDone(i);
    }
  }
}
