//===- ScheduleStatic.cpp - Decide which worker runs which tasks
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/ScheduleProblem.h"
#include "lib/Scheduling/Algorithms.h"
#include "lib/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace etc {
#define GEN_PASS_DEF_SCHEDULESTATICPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {

using Bucket = SmallVector<int64_t>;

struct Policy {
  StringRef name;
  scheduling::Schedule (*schedule)(const scheduling::Problem &);
};
constexpr Policy kPolicies[] = {{"round-robin", scheduling::scheduleRoundRobin},
                                {"list", scheduling::scheduleList}};

struct ScheduleStatic : etc::impl::ScheduleStaticPassBase<ScheduleStatic> {
  using ScheduleStaticPassBase::ScheduleStaticPassBase;

  void runOnOperation() override {
    if (failed(readOptions()))
      return signalPassFailure();
    for (auto graph : llvm::to_vector(getOperation().getOps<task::GraphOp>()))
      if (failed(scheduleGraph(graph)))
        return signalPassFailure();
  }

private:
  LogicalResult readOptions();
  LogicalResult scheduleGraph(task::GraphOp graph);
  LogicalResult scheduleBucket(OpBuilder &builder, task::GraphOp graph,
                               ArrayRef<int64_t> bucket);
  FailureOr<Bucket> parseBucket(task::GraphOp graph, StringRef text);
  FailureOr<SmallVector<Bucket>> getBuckets(task::GraphOp graph);

  const Policy *chosen = nullptr;
  Target machine;
  int64_t numWorkers = 0;
};

} // namespace

LogicalResult ScheduleStatic::readOptions() {
  Location loc = getOperation().getLoc();
  chosen = llvm::find_if(kPolicies, [&](const Policy &candidate) {
    return candidate.name == policy;
  });
  if (chosen == std::end(kPolicies)) {
    InFlightDiagnostic diag = emitError(loc)
                              << "schedule-static: no policy '" << policy
                              << "'; the policies are ";
    llvm::interleaveComma(kPolicies, diag, [&](const Policy &candidate) {
      diag << candidate.name;
    });
    return diag;
  }
  if (!target.empty()) {
    FailureOr<Target> loaded = Target::load(target, loc);
    if (failed(loaded))
      return failure();
    machine = *loaded;
  }
  numWorkers = workers == 0 && !target.empty() ? machine.workers : workers;
  if (numWorkers <= 0)
    return emitError(loc) << "schedule-static: needs at least one worker, got "
                          << numWorkers << "; give 'workers' or 'target'";
  return success();
}

LogicalResult ScheduleStatic::scheduleGraph(task::GraphOp graph) {
  FailureOr<SmallVector<Bucket>> all = getBuckets(graph);
  if (failed(all))
    return failure();
  for (auto old :
       llvm::make_early_inc_range(getOperation().getOps<task::ScheduleOp>()))
    if (old.getGraph() == graph.getSymName())
      old.erase();
  OpBuilder builder(&getContext());
  builder.setInsertionPointAfter(graph);
  for (const Bucket &bucket : *all)
    if (failed(scheduleBucket(builder, graph, bucket)))
      return failure();
  return success();
}

LogicalResult ScheduleStatic::scheduleBucket(OpBuilder &builder,
                                             task::GraphOp graph,
                                             ArrayRef<int64_t> bucket) {
  FailureOr<ConcreteGraph> concrete = ConcreteGraph::build(graph, bucket);
  if (failed(concrete))
    return failure();
  scheduling::Problem problem =
      makeProblem(*concrete, *concrete, machine, numWorkers);
  if (scheduling::Violation violation = problem.check())
    return emitError(graph.getLoc(), "@")
           << graph.getSymName()
           << " cannot be scheduled in the order of its launches, at symbols ["
           << bucket << "]: " << *violation;
  createSchedule(builder, *concrete, chosen->name, chosen->schedule(problem));
  return success();
}

// `4x2`: a bound per symbol; `4`: the same for each, clipped to its range.
FailureOr<Bucket> ScheduleStatic::parseBucket(task::GraphOp graph,
                                              StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, 'x');
  bool isShared = parts.size() == 1 && graph.getNumSymbols() != 1;
  if (!isShared && parts.size() != graph.getNumSymbols())
    return emitError(graph.getLoc(), "bucket '")
           << text << "' has " << parts.size() << " bounds for "
           << graph.getNumSymbols() << " symbols";
  Bucket bucket;
  bool isReached = false;
  for (unsigned i = 0; i < graph.getNumSymbols(); ++i) {
    task::SymbolAttr symbol = graph.getSymbol(i);
    int64_t bound;
    if (parts[isShared ? 0 : i].getAsInteger(10, bound))
      return emitError(graph.getLoc(), "bucket '")
             << text << "' is not a number";
    isReached |= bound <= symbol.getMax();
    if (bound < 1 ||
        (!isShared && (bound < symbol.getMin() || bound > symbol.getMax())))
      return emitError(graph.getLoc(), "bucket '")
             << text << "' is outside of the range of symbol '"
             << symbol.getName() << "', " << symbol.getMin() << " to "
             << symbol.getMax();
    bucket.push_back(std::clamp(bound, symbol.getMin(), symbol.getMax()));
  }
  if (!isReached)
    return emitError(graph.getLoc(), "bucket '")
           << text << "' is above the range of every symbol";
  return bucket;
}

FailureOr<SmallVector<Bucket>> ScheduleStatic::getBuckets(task::GraphOp graph) {
  SmallVector<Bucket> all;
  for (const std::string &text : buckets) {
    FailureOr<Bucket> bucket = parseBucket(graph, text);
    if (failed(bucket))
      return failure();
    all.push_back(*bucket);
  }
  if (buckets.empty()) {
    int64_t largest = 1;
    for (auto symbol : graph.getSymbols().getAsRange<task::SymbolAttr>())
      largest = std::max(largest, symbol.getMax());
    SmallVector<int64_t> bounds;
    for (int64_t bound = 1; bound < largest; bound *= 2)
      bounds.push_back(bound);
    bounds.push_back(largest);
    for (int64_t bound : bounds) {
      Bucket &bucket = all.emplace_back();
      for (auto symbol : graph.getSymbols().getAsRange<task::SymbolAttr>())
        bucket.push_back(std::clamp(bound, symbol.getMin(), symbol.getMax()));
    }
  }
  llvm::sort(all);
  all.erase(llvm::unique(all), all.end());
  return all;
}
