//===- Algorithms.h - From a problem to a schedule
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_ALGORITHMS_H
#define ETC_LIB_SCHEDULING_ALGORITHMS_H

#include "lib/Scheduling/Problem.h"

namespace etc::scheduling {

/// Deals the tasks to the workers like cards, on from one launch to the next:
/// neighbouring tasks run at the same time on neighbouring workers, and no
/// worker is always the one that has one task more. A task with an affinity
/// goes to its worker.
Schedule scheduleRoundRobin(const Problem &problem);

/// List scheduling by the costs: the worker that is free first takes, of the
/// tasks of the launch that are ready then, the one with the longest path to
/// the end; if none is ready, the one that is ready first.
Schedule scheduleList(const Problem &problem);

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_ALGORITHMS_H
