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
                                           const Target &target,
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
                               step.getLaunches()[l].numTasks,
                               target.dataHopNs});
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

static scheduling::Loader makeLoader(const Target &target, int64_t numWorkers) {
  scheduling::Loader loader;
  loader.ringBytes = target.ring.bytes;
  loader.fetchNs = target.ring.fetchNs;
  loader.resumeNs = target.ring.resumeNs;
  loader.fetchBytesPerNs =
      std::min(target.workerBytesPerNs,
               target.bandwidthBytesPerNs / std::max<int64_t>(numWorkers, 1));
  loader.drainBytesPerNs = target.ring.drainBytesPerNs;
  if (target.ring.aloneBytesPerNs > 0) {
    loader.together = target.bandwidthBytesPerNs;
    loader.alone = target.ring.aloneBytesPerNs;
    loader.spread = target.ring.spread;
  }
  return loader;
}

/// Adds the entries of the events; the first of each.
static std::vector<int32_t> addEntries(const ConcreteGraph &step,
                                       const Target &target,
                                       scheduling::Problem &problem) {
  std::vector<int32_t> first;
  for (auto [number, event] : llvm::enumerate(step.getEvents())) {
    problem.events.push_back(event::CreateOp(event.op).getName().str());
    first.push_back(problem.entries.size());
    for (int64_t entry = 0; entry < event.numEntries; ++entry)
      problem.entries.push_back(
          {unsigned(number), entry, event.count,
           target.counterHopNs + event.count * target.notifyNs});
  }
  return first;
}

/// The entries that each task of launch `l` waits for or notifies: of one edge
/// after the other, by counter and then by data.
template <typename EntryOf>
static std::vector<std::vector<int32_t>>
getEdges(const ConcreteGraph &bucket, const ConcreteGraph &step, unsigned l,
         size_t numCounters, ArrayRef<int32_t> data, EntryOf entryOf) {
  std::vector<std::vector<int32_t>> edges(numCounters + data.size());
  for (int64_t task = 0; task < bucket.getLaunches()[l].numTasks; ++task) {
    int64_t actual = translate(bucket, step, l, task);
    for (auto [i, edge] : llvm::enumerate(edges))
      edge.push_back(actual < 0        ? scheduling::Launch::kNone
                     : i < numCounters ? entryOf(i, actual)
                                       : data[i - numCounters]);
  }
  return edges;
}

static void setCost(const TaskCost &cost, scheduling::Launch &launch) {
  launch.streamBytes = cost.streamBytes;
  launch.taskNs = cost.taskNs;
  launch.runNs = cost.runNs;
  launch.paceBytesPerNs = cost.paceBytesPerNs;
}

scheduling::Problem etc::makeProblem(const ConcreteGraph &bucket,
                                     const ConcreteGraph &step,
                                     const Target &target, int64_t numWorkers) {
  scheduling::Problem problem;
  problem.numWorkers = numWorkers;
  problem.dispatchNs = target.dispatchNs;
  problem.loader = makeLoader(target, numWorkers);
  std::vector<int32_t> firstEntry = addEntries(step, target, problem);
  std::vector<DataEdges> dataEdges = addDataEdges(step, target, problem);
  for (auto [l, source] : llvm::enumerate(bucket.getLaunches())) {
    scheduling::Launch &launch = problem.launches.emplace_back();
    launch.name = task::LaunchOp(source.op).getBody().str();
    launch.numTasks = source.numTasks;
    setCost(estimateCost(bucket, l, target, numWorkers), launch);
    auto waited = [&, l = l, &source = source](size_t i, int64_t task) {
      return int32_t(firstEntry[source.waits[i].event] +
                     step.entryOf(l, i, task));
    };
    auto notified = [&, l = l, &source = source](size_t i, int64_t task) {
      return int32_t(firstEntry[source.notifies[i].event] +
                     step.notifiedEntryOf(l, i, task));
    };
    launch.waits = getEdges(bucket, step, l, source.waits.size(),
                            dataEdges[l].waits, waited);
    launch.notifies = getEdges(bucket, step, l, source.notifies.size(),
                               dataEdges[l].notifies, notified);
    if (numWorkers > 0 && bucket.hasAffinity(l))
      for (int64_t task = 0; task < source.numTasks; ++task)
        launch.affinity.push_back(bucket.affinityOf(l, task, numWorkers));
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
