//===- PredictSchedule.cpp - When each launch begins and ends
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/ScheduleProblem.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"
#include <cmath>

namespace etc {
#define GEN_PASS_DEF_PREDICTSCHEDULEPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
struct PredictSchedule : etc::impl::PredictSchedulePassBase<PredictSchedule> {
  using PredictSchedulePassBase::PredictSchedulePassBase;

  void runOnOperation() override;
};
} // namespace

static llvm::json::Array toJson(const scheduling::Problem &problem,
                                ArrayRef<scheduling::Problem::Span> spans) {
  llvm::json::Array launches;
  for (auto [launch, span] : llvm::zip_equal(problem.launches, spans))
    launches.push_back(
        llvm::json::Object{{"name", launch.name},
                           {"tasks", launch.numTasks},
                           {"stream_bytes", launch.streamBytes},
                           {"start_ns", std::llround(span.startNs)},
                           {"end_ns", std::llround(span.endNs)}});
  return launches;
}

static FailureOr<llvm::json::Object>
predict(task::GraphOp graph, task::ScheduleOp op, const Target &machine) {
  FailureOr<ConcreteGraph> concrete =
      ConcreteGraph::build(graph, op.getBucket());
  if (failed(concrete))
    return failure();
  scheduling::Schedule schedule = getSchedule(op);
  scheduling::Problem problem =
      makeProblem(*concrete, *concrete, machine, op.getNumWorkers());
  scheduling::Violation violation = problem.verify(schedule);
  if (!violation)
    violation = problem.verifyProgress(schedule);
  if (violation)
    return emitError(op.getLoc(), "no prediction of a wrong schedule: ")
           << *violation;
  std::vector<scheduling::Problem::Span> spans = problem.predict(schedule);
  double end = 0;
  for (const scheduling::Problem::Span &span : spans)
    end = std::max(end, span.endNs);
  return llvm::json::Object{
      {"graph", graph.getSymName()},
      {"symbols", llvm::json::Array(op.getBucket())},
      {"policy", op.getPolicy()},
      {"makespan_ns", std::llround(end)},
      {"launches", toJson(problem, spans)}};
}

void PredictSchedule::runOnOperation() {
  Location loc = getOperation().getLoc();
  markAllAnalysesPreserved();
  Target machine;
  if (!target.empty()) {
    FailureOr<Target> loaded = Target::load(target, loc);
    if (failed(loaded))
      return signalPassFailure();
    machine = *loaded;
  }
  llvm::json::Array all;
  for (auto graph : getOperation().getOps<task::GraphOp>())
    for (auto schedule : getOperation().getOps<task::ScheduleOp>()) {
      if (schedule.getGraph() != graph.getSymName())
        continue;
      FailureOr<llvm::json::Object> one = predict(graph, schedule, machine);
      if (failed(one))
        return signalPassFailure();
      all.push_back(std::move(*one));
    }
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(output, &message);
  if (!file) {
    emitError(loc) << "predict-schedule: " << message;
    return signalPassFailure();
  }
  file->os() << llvm::json::Value(std::move(all)) << "\n";
  file->keep();
}
