//===- WorkerClock.cpp - How far a worker is with its tasks
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/WorkerClock.h"
#include <algorithm>

using namespace etc::scheduling;

double WorkerClock::run(const Launch &launch, bool isFirst, double readyNs) {
  double start = std::max(getFreeNs(), readyNs);
  if (isFirst)
    start += launch.runNs;
  return freeNs = stream.drain(start, launch.streamBytes) + launch.taskNs;
}
