//===- PrintScheduleStats.cpp - Print how large graphs and schedules are
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/DependentPairs.h"
#include "lib/Analysis/ScheduleProblem.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace etc {
#define GEN_PASS_DEF_PRINTSCHEDULESTATSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
struct GraphStats {
  std::string graph;
  SmallVector<int64_t> symbols;
  int64_t launches, tasks, eventTensors, eventEntries, naiveEvents;
  int64_t memoryBytes = 0, cachedBytes = 0;
  std::optional<int64_t> enumerated; // naiveEvents, by enumeration
};
struct ScheduleStats {
  std::string policy;
  int64_t runs;
  SmallVector<int64_t> tasksPerWorker;
  double makespanNs;
};

struct PrintScheduleStats
    : etc::impl::PrintScheduleStatsPassBase<PrintScheduleStats> {
  using PrintScheduleStatsPassBase::PrintScheduleStatsPassBase;
  void runOnOperation() override;

private:
  LogicalResult addGraph(task::GraphOp graph);
  FailureOr<GraphStats> getStats(const ConcreteGraph &graph);
  FailureOr<ScheduleStats> getStats(const ConcreteGraph &graph,
                                    task::ScheduleOp schedule);
  void print(raw_ostream &os, const GraphStats &graph,
             const ScheduleStats *schedule);

  Target machine;
  llvm::json::Array all;
  std::string text;
};
} // namespace

FailureOr<GraphStats> PrintScheduleStats::getStats(const ConcreteGraph &graph) {
  GraphStats stats;
  task::GraphOp op = graph.getGraph();
  stats.graph = op.getSymName().str();
  llvm::append_range(stats.symbols, graph.getSymbolValues());
  stats.launches = graph.getLaunches().size();
  stats.tasks = graph.getNumTasks();
  stats.eventTensors = graph.getEvents().size();
  stats.eventEntries = 0;
  for (const ConcreteGraph::Event &event : graph.getEvents())
    stats.eventEntries += event.numEntries;
  stats.naiveEvents = countDependentPairs(graph);
  for (auto [l, launch] : llvm::enumerate(graph.getLaunches())) {
    Traffic traffic = estimateTraffic(graph, l);
    stats.memoryBytes += launch.numTasks * traffic.getMemory();
    stats.cachedBytes += launch.numTasks * traffic.cached;
  }
  if (check)
    stats.enumerated = enumerateDependentPairs(graph);
  return stats;
}

FailureOr<ScheduleStats>
PrintScheduleStats::getStats(const ConcreteGraph &graph, task::ScheduleOp op) {
  scheduling::Schedule schedule = getSchedule(op);
  scheduling::Problem problem =
      makeProblem(graph, graph, machine, op.getNumWorkers());
  scheduling::Violation violation = problem.verify(schedule);
  if (violation)
    return emitError(op.getLoc(), "no statistics of a wrong schedule: ")
           << *violation;
  ScheduleStats stats;
  stats.policy = op.getPolicy().str();
  stats.runs = schedule.getNumRuns();
  for (int64_t worker = 0; worker < op.getNumWorkers(); ++worker)
    stats.tasksPerWorker.push_back(schedule.getNumTasks(worker));
  stats.makespanNs = problem.getMakespanNs(schedule);
  return stats;
}

static llvm::json::Object toJson(const GraphStats &graph,
                                 const ScheduleStats *schedule) {
  llvm::json::Object object{{"graph", graph.graph},
                            {"symbols", llvm::json::Array(graph.symbols)},
                            {"launches", graph.launches},
                            {"tasks", graph.tasks},
                            {"event_tensors", graph.eventTensors},
                            {"event_entries", graph.eventEntries},
                            {"naive_events", graph.naiveEvents},
                            {"memory_bytes", graph.memoryBytes},
                            {"cached_bytes", graph.cachedBytes}};
  if (graph.enumerated)
    object["naive_events_enumerated"] = *graph.enumerated;
  if (!schedule)
    return object;
  object["policy"] = schedule->policy;
  object["runs"] = schedule->runs;
  object["workers"] = int64_t(schedule->tasksPerWorker.size());
  object["tasks_per_worker"] = llvm::json::Array(schedule->tasksPerWorker);
  object["makespan_ns"] = schedule->makespanNs;
  return object;
}

void PrintScheduleStats::print(raw_ostream &os, const GraphStats &graph,
                               const ScheduleStats *schedule) {
  os << "@" << graph.graph << " at [";
  llvm::interleaveComma(graph.symbols, os);
  os << "]: " << graph.launches << " launches, " << graph.tasks << " tasks, "
     << graph.eventTensors << " event tensors of " << graph.eventEntries
     << " entries (one event per dependent pair: " << graph.naiveEvents;
  if (graph.enumerated)
    os << ", enumerated: " << *graph.enumerated;
  os << "), about " << graph.memoryBytes << " bytes from memory and "
     << graph.cachedBytes << " from cache\n";
  if (!schedule)
    return;
  auto [least, most] = std::minmax_element(schedule->tasksPerWorker.begin(),
                                           schedule->tasksPerWorker.end());
  os << "  " << schedule->policy << ": " << schedule->tasksPerWorker.size()
     << " workers, " << schedule->runs << " runs, " << *least << " to " << *most
     << " tasks a worker, about "
     << llvm::format("%.1f", schedule->makespanNs * 1e-3) << " us on '"
     << machine.name << "'\n";
}

LogicalResult PrintScheduleStats::addGraph(task::GraphOp op) {
  llvm::raw_string_ostream os(text);
  auto add = [&](ArrayRef<int64_t> symbols,
                 task::ScheduleOp schedule) -> LogicalResult {
    FailureOr<ConcreteGraph> graph = ConcreteGraph::build(op, symbols);
    if (failed(graph))
      return failure();
    FailureOr<GraphStats> stats = getStats(*graph);
    FailureOr<ScheduleStats> scheduled = ScheduleStats();
    if (schedule)
      scheduled = getStats(*graph, schedule);
    if (failed(stats) || failed(scheduled))
      return failure();
    const ScheduleStats *ofSchedule = schedule ? &*scheduled : nullptr;
    print(os, *stats, ofSchedule);
    all.push_back(toJson(*stats, ofSchedule));
    return success();
  };
  bool isScheduled = false;
  for (auto schedule : getOperation().getOps<task::ScheduleOp>()) {
    if (schedule.getGraph() != op.getSymName())
      continue;
    isScheduled = true;
    if (failed(add(schedule.getBucket(), schedule)))
      return failure();
  }
  if (isScheduled)
    return success();
  return add(getSymbolMaxima(op), {});
}

void PrintScheduleStats::runOnOperation() {
  Location loc = getOperation().getLoc();
  markAllAnalysesPreserved();
  if (!target.empty()) {
    FailureOr<Target> loaded = Target::load(target, loc);
    if (failed(loaded))
      return signalPassFailure();
    machine = *loaded;
  }
  for (auto graph : getOperation().getOps<task::GraphOp>())
    if (failed(addGraph(graph)))
      return signalPassFailure();
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(output, &message);
  if (!file) {
    emitError(loc) << "print-schedule-stats: " << message;
    return signalPassFailure();
  }
  if (json)
    file->os() << llvm::json::Value(std::move(all)) << "\n";
  else
    file->os() << text;
  file->keep();
}
