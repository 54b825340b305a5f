//===- CostModel.h - How long a task takes
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An estimate from the bytes that a task moves: what a decode step is made of.
// Arithmetic is not counted (see the limits in docs/Scheduling.md).
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_COSTMODEL_H
#define ETC_LIB_ANALYSIS_COSTMODEL_H

#include "lib/Analysis/EventGraph.h"
#include "lib/Analysis/Target.h"

namespace etc {

/// Bytes that one task moves. `early` and `late` come from memory: the task
/// streams `early` before `task.ready`, so they need not wait for its events.
/// `cached` was written in this step, or is written now, and lies in the cache
/// that the workers share; `kept` of it only the first task of a run loads.
struct Traffic {
  int64_t early = 0, late = 0, cached = 0, kept = 0;
  int64_t getMemory() const { return early + late; }
};

/// The traffic of the first task of a launch, which is a whole tile. Where the
/// data decides what is read (a row of a table, the pages of a sequence), the
/// size of the region would be far off: then it is what the operator needs.
Traffic estimateTraffic(const ConcreteGraph &graph, unsigned launch);

/// What a task streams, what else it takes, and what the first task of a run
/// takes besides. How fast its stream may be asked for; 0: as fast as can be.
struct TaskCost {
  double streamBytes = 0, taskNs = 0, runNs = 0, paceBytesPerNs = 0;
};

/// The cost of each task of a launch, when its tasks run on as many workers as
/// there are and share the bandwidth of the memory.
TaskCost estimateCost(const ConcreteGraph &graph, unsigned launch,
                      const Target &target, int64_t numWorkers);

} // namespace etc

#endif // ETC_LIB_ANALYSIS_COSTMODEL_H
