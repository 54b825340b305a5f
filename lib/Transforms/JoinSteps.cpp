//===- JoinSteps.cpp - One join of the workers for what steps carry
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What waits for the step before may wait longer: until all workers have ended
// it. Then a worker notifies once in a step, not once a task, and waits once.
// No task of the same step waits for a carried event, so nothing can depend on
// what is put off.
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventOps.h"
#include "lib/Analysis/LaunchOrder.h"
#include "lib/Transforms/Passes.h"

namespace etc {
#define GEN_PASS_DEF_JOINSTEPSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
struct JoinSteps : etc::impl::JoinStepsPassBase<JoinSteps> {
  void runOnOperation() override {
    for (auto graph : getOperation().getOps<task::GraphOp>())
      if (failed(join(graph)))
        return signalPassFailure();
  }

private:
  LogicalResult join(task::GraphOp graph);
  FailureOr<int64_t> countWorkers(task::GraphOp graph);
};
} // namespace

/// Of all schedules of the graph: any two steps of a launch may follow each
/// other, and each worker notifies in each step.
FailureOr<int64_t> JoinSteps::countWorkers(task::GraphOp graph) {
  task::ScheduleOp first;
  for (auto schedule : getOperation().getOps<task::ScheduleOp>()) {
    if (schedule.getGraph() != graph.getSymName())
      continue;
    if (!first)
      first = schedule;
    if (schedule.getNumWorkers() != first.getNumWorkers())
      return schedule.emitError("join-steps: has ")
             << schedule.getNumWorkers() << " workers, another schedule of the "
             << "graph " << first.getNumWorkers()
             << ": steps of one launch need the same workers";
  }
  if (!first)
    return graph.emitError("join-steps: the graph has no task.schedule; run "
                           "schedule-static first");
  return first.getNumWorkers();
}

LogicalResult JoinSteps::join(task::GraphOp graph) {
  SmallVector<event::CreateOp> carried;
  for (auto create : graph.getBody().getOps<event::CreateOp>())
    if (create.getReuse() == event::Reuse::carried)
      carried.push_back(create);
  if (carried.empty())
    return success();
  FailureOr<int64_t> workers = countWorkers(graph);
  if (failed(workers))
    return failure();
  for (task::LaunchOp launch : graph.getLaunches()) {
    for (unsigned i = launch.getWaits().size(); i-- > 0;)
      if (analysis::isCarriedEdge(launch.getWaits()[i]))
        launch.removeWait(i);
    for (unsigned i = launch.getNotifies().size(); i-- > 0;)
      if (analysis::isCarriedEdge(launch.getNotifies()[i]))
        launch.removeNotify(i);
  }
  OpBuilder builder(carried.front());
  task::JoinStepsOp::create(builder, carried.front().getLoc(),
                            carried.front().getName(), *workers);
  for (event::CreateOp create : carried)
    create.erase();
  return success();
}
