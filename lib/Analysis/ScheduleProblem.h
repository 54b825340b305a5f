//===- ScheduleProblem.h - A task graph as a scheduling problem
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_SCHEDULEPROBLEM_H
#define ETC_LIB_ANALYSIS_SCHEDULEPROBLEM_H

#include "lib/Analysis/CostModel.h"
#include "lib/Scheduling/Problem.h"

namespace etc {

/// The problem of a step at `step`'s symbol values under a schedule made for
/// those of `bucket`, whose grids number the tasks: a task outside of the
/// step's own grid waits for nothing and notifies nothing.
scheduling::Problem makeProblem(const ConcreteGraph &bucket,
                                const ConcreteGraph &step, const Target &target,
                                int64_t numWorkers);

/// A schedule from the words of the operation, and back.
scheduling::Schedule getSchedule(task::ScheduleOp op);
task::ScheduleOp createSchedule(mlir::OpBuilder &builder,
                                const ConcreteGraph &graph,
                                llvm::StringRef policy,
                                const scheduling::Schedule &schedule);

} // namespace etc

#endif // ETC_LIB_ANALYSIS_SCHEDULEPROBLEM_H
