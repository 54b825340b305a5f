//===- ScheduleProblem.cpp - A task graph as a scheduling problem
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/ScheduleProblem.h"
#include "lib/Analysis/BufferAccess.h"

using namespace mlir;
using namespace etc;

/// The task of `step` that is task `task` of `bucket`, or -1 if it is skipped.
static int64_t translate(const ConcreteGraph &bucket, const ConcreteGraph &step,
                         unsigned launch, int64_t task) {
  ArrayRef<int64_t> grid = step.getLaunches()[launch].grid;
  SmallVector<int64_t> point = bucket.getCoordinates(launch, task);
  for (auto [coordinate, extent] : llvm::zip_equal(point, grid))
    if (coordinate >= extent)
      return -1;
  return linearize(point, grid);
}

/// Of each launch, the entries that stand for the tagged buffers that it reads
/// and writes (T16): a reader waits for the words of its buffer's writers.
struct DataEdges {
  llvm::SmallVector<int32_t> waits, notifies;
};

static std::vector<DataEdges> addDataEdges(const ConcreteGraph &step,
                                           scheduling::Problem &problem) {
  std::vector<DataEdges> edges(step.getLaunches().size());
  llvm::DenseMap<Value, int32_t> entryOf;
  auto forEach = [&](bool isWritten, auto visit) {
    for (auto [l, launch] : llvm::enumerate(step.getLaunches()))
      for (const ConcreteGraph::Operand &operand : launch.operands)
        if (operand.isWritten == isWritten &&
            task::isTagged(operand.buffer.getType()))
          visit(l, analysis::getBaseBuffer(operand.buffer));
  };
  forEach(true, [&](size_t l, Value buffer) {
    entryOf[buffer] = problem.entries.size();
    edges[l].notifies.push_back(problem.entries.size());
    problem.entries.push_back({unsigned(problem.events.size()), 0,
                               step.getLaunches()[l].numTasks});
    auto scratch = buffer.getDefiningOp<task::ScratchOp>();
    problem.events.push_back(scratch.getName().str());
  });
  forEach(false, [&](size_t l, Value buffer) {
    auto entry = entryOf.find(buffer);
    if (entry != entryOf.end() &&
        !llvm::is_contained(edges[l].waits, entry->second))
      edges[l].waits.push_back(entry->second);
  });
  return edges;
}

scheduling::Problem etc::makeProblem(const ConcreteGraph &bucket,
                                     const ConcreteGraph &step,
                                     const Target &target, int64_t numWorkers) {
  using scheduling::Launch;
  scheduling::Problem problem;
  problem.numWorkers = numWorkers;
  problem.hopNs = target.hopNs;
  std::vector<int32_t> firstEntry;
  for (auto [number, event] : llvm::enumerate(step.getEvents())) {
    problem.events.push_back(event::CreateOp(event.op).getName().str());
    firstEntry.push_back(problem.entries.size());
    for (int64_t entry = 0; entry < event.numEntries; ++entry)
      problem.entries.push_back({unsigned(number), entry, event.count});
  }
  std::vector<DataEdges> dataEdges = addDataEdges(step, problem);
  for (auto [l, source] : llvm::enumerate(bucket.getLaunches())) {
    Launch launch;
    const DataEdges &data = dataEdges[l];
    launch.name = task::LaunchOp(source.op).getBody().str();
    launch.numTasks = source.numTasks;
    TaskCost cost = estimateCost(bucket, l, target, numWorkers);
    launch.earlyNs = cost.earlyNs;
    launch.lateNs = cost.lateNs;
    launch.waits.resize(source.waits.size() + data.waits.size());
    launch.notifies.resize(source.notifies.size() + data.notifies.size());
    for (int64_t task = 0; task < source.numTasks; ++task) {
      int64_t actual = translate(bucket, step, l, task);
      for (auto [i, edge] : llvm::enumerate(source.waits))
        launch.waits[i].push_back(actual < 0 ? Launch::kNone
                                             : firstEntry[edge.event] +
                                                   step.entryOf(l, i, actual));
      for (auto [i, edge] : llvm::enumerate(source.notifies))
        launch.notifies[i].push_back(
            actual < 0
                ? Launch::kNone
                : firstEntry[edge.event] + step.notifiedEntryOf(l, i, actual));
      auto addData = [&](auto &all, size_t first, ArrayRef<int32_t> entries) {
        for (auto [i, entry] : llvm::enumerate(entries))
          all[first + i].push_back(actual < 0 ? Launch::kNone : entry);
      };
      addData(launch.waits, source.waits.size(), data.waits);
      addData(launch.notifies, source.notifies.size(), data.notifies);
      if (numWorkers > 0 && bucket.hasAffinity(l))
        launch.affinity.push_back(bucket.affinityOf(l, task, numWorkers));
    }
    problem.launches.push_back(std::move(launch));
  }
  return problem;
}

scheduling::Schedule etc::getSchedule(task::ScheduleOp op) {
  scheduling::Schedule schedule(op.getNumWorkers());
  ArrayRef<int32_t> offsets = op.getOffsets(), words = op.getRuns();
  for (int64_t worker = 0; worker < op.getNumWorkers(); ++worker)
    for (int32_t run = offsets[worker]; run < offsets[worker + 1]; ++run)
      schedule.workers[worker].push_back({words[4 * run], words[4 * run + 1],
                                          words[4 * run + 2],
                                          words[4 * run + 3]});
  return schedule;
}

task::ScheduleOp etc::createSchedule(OpBuilder &builder,
                                     const ConcreteGraph &graph,
                                     StringRef policy,
                                     const scheduling::Schedule &schedule) {
  SmallVector<int32_t> offsets = {0}, words;
  for (const std::vector<scheduling::Run> &runs : schedule.workers) {
    for (const scheduling::Run &run : runs)
      words.append({run.launch, run.first, run.stride, run.count});
    offsets.push_back(words.size() / 4);
  }
  task::GraphOp op = graph.getGraph();
  return task::ScheduleOp::create(builder, op.getLoc(), op.getSymName(),
                                  graph.getSymbolValues(), policy, offsets,
                                  words);
}
