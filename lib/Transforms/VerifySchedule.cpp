//===- VerifySchedule.cpp - Check that a schedule is complete and ends
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/ScheduleProblem.h"
#include "lib/Transforms/Passes.h"

namespace etc {
#define GEN_PASS_DEF_VERIFYSCHEDULEPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
struct VerifySchedule : etc::impl::VerifySchedulePassBase<VerifySchedule> {
  using VerifySchedulePassBase::VerifySchedulePassBase;

  void runOnOperation() override {
    if (!target.empty()) {
      FailureOr<Target> loaded = Target::load(target, getOperation().getLoc());
      if (failed(loaded))
        return signalPassFailure();
      machine = *loaded;
    }
    for (auto schedule : getOperation().getOps<task::ScheduleOp>())
      if (failed(verify(schedule)))
        signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  LogicalResult verify(task::ScheduleOp op);
  LogicalResult verifyProgress(task::ScheduleOp op, const ConcreteGraph &bucket,
                               ArrayRef<int64_t> symbols,
                               const scheduling::Schedule &schedule);

  Target machine;
};
} // namespace

// Without the note that prints the operation: it can be a megabyte.
static InFlightDiagnostic error(task::ScheduleOp op) {
  return emitError(op.getLoc(), "schedule of @") << op.getGraph() << ": ";
}

LogicalResult VerifySchedule::verify(task::ScheduleOp op) {
  auto graph = SymbolTable::lookupNearestSymbolFrom<task::GraphOp>(
      op, op.getGraphAttr());
  SmallVector<int64_t> least;
  for (unsigned i = 0; i < graph.getNumSymbols(); ++i) {
    task::SymbolAttr symbol = graph.getSymbol(i);
    least.push_back(symbol.getMin());
    if (op.getBucket()[i] < symbol.getMin() ||
        op.getBucket()[i] > symbol.getMax())
      return error(op) << "the bound " << op.getBucket()[i]
                       << " is outside of the range of symbol '"
                       << symbol.getName() << "', " << symbol.getMin() << " to "
                       << symbol.getMax();
  }
  if (op.getNumWorkers() > machine.workers)
    return error(op) << "has " << op.getNumWorkers() << " workers, but target '"
                     << machine.name << "' keeps " << machine.workers
                     << " resident: a worker that "
                     << "waits would keep another from starting";
  FailureOr<ConcreteGraph> bucket = ConcreteGraph::build(graph, op.getBucket());
  if (failed(bucket))
    return failure();
  scheduling::Schedule schedule = getSchedule(op);
  scheduling::Problem problem =
      makeProblem(*bucket, *bucket, machine, op.getNumWorkers());
  if (scheduling::Violation violation = problem.verify(schedule))
    return error(op) << "T11: " << *violation;
  if (failed(verifyProgress(op, *bucket, op.getBucket(), schedule)) ||
      failed(verifyProgress(op, *bucket, least, schedule)))
    return failure();
  if (remarks)
    emitRemark(op.getLoc())
        << "checked " << bucket->getNumTasks() << " tasks on "
        << op.getNumWorkers() << " workers, at symbols [" << op.getBucket()
        << "] and [" << least << "]";
  return success();
}

LogicalResult
VerifySchedule::verifyProgress(task::ScheduleOp op, const ConcreteGraph &bucket,
                               ArrayRef<int64_t> symbols,
                               const scheduling::Schedule &schedule) {
  FailureOr<ConcreteGraph> step =
      ConcreteGraph::build(bucket.getGraph(), symbols);
  if (failed(step))
    return failure();
  scheduling::Problem problem =
      makeProblem(bucket, *step, machine, op.getNumWorkers());
  if (scheduling::Violation violation = problem.verifyProgress(schedule))
    return error(op) << "deadlock at symbols [" << symbols
                     << "]: " << *violation;
  return success();
}
