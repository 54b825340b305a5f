//===- LinearizeTasks.cpp - Number tasks by the events they wait for
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/BufferAccess.h"
#include "lib/Analysis/EventGraph.h"
#include "lib/Transforms/Passes.h"
#include <map>
#include <numeric>
#include <set>

namespace etc {
#define GEN_PASS_DEF_LINEARIZETASKSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

namespace {
/// New position -> old dimension.
using Permutation = SmallVector<unsigned>;

struct LinearizeTasks : etc::impl::LinearizeTasksPassBase<LinearizeTasks> {
  using LinearizeTasksPassBase::LinearizeTasksPassBase;
  void runOnOperation() override;

private:
  LogicalResult linearize(GraphOp graph);
  FuncOp getPermutedBody(LaunchOp launch, const Permutation &permutation);
  void permute(LaunchOp launch, const Permutation &permutation);
  LogicalResult reportScattered(GraphOp graph);

  std::map<std::pair<Operation *, Permutation>, FuncOp> permuted;
};
} // namespace

//===----------------------------------------------------------------------===//
// The order of the launches
//===----------------------------------------------------------------------===//

/// The launches that wait for each launch, and for how many each waits.
static SmallVector<SmallVector<unsigned>>
getSuccessors(MutableArrayRef<LaunchOp> launches,
              SmallVectorImpl<unsigned> &waiting) {
  llvm::DenseMap<Value, SmallVector<unsigned>> notifiers;
  for (auto [i, launch] : llvm::enumerate(launches))
    for (Value event : llvm::SmallSetVector<Value, 4>(
             launch.getNotifies().begin(), launch.getNotifies().end()))
      notifiers[event].push_back(i);
  SmallVector<SmallVector<unsigned>> successors(launches.size());
  waiting.assign(launches.size(), 0);
  for (auto [i, launch] : llvm::enumerate(launches))
    for (Value event : launch.getWaits())
      for (unsigned notifier : notifiers.lookup(event)) {
        successors[notifier].push_back(i);
        ++waiting[i];
      }
  // Who reads tagged memory waits for the words of its one writer (T16).
  llvm::DenseMap<Value, unsigned> writers;
  for (auto [i, launch] : llvm::enumerate(launches))
    for (Value buffer : LaunchOp(launch).getWrites())
      if (isTagged(buffer.getType()))
        writers[analysis::getBaseBuffer(buffer)] = i;
  for (auto [i, launch] : llvm::enumerate(launches))
    for (Value buffer : LaunchOp(launch).getReads()) {
      auto writer = writers.find(analysis::getBaseBuffer(buffer));
      if (writer == writers.end())
        continue;
      successors[writer->second].push_back(i);
      ++waiting[i];
    }
  return successors;
}

/// `byLevel`: by the longest path from a launch that waits for nothing; then,
/// or else, as the program has them.
static LogicalResult orderLaunches(GraphOp graph, bool byLevel) {
  auto launches = graph.getLaunches();
  SmallVector<unsigned> waiting, level(launches.size(), 0);
  auto successors = getSuccessors(launches, waiting);
  std::set<std::pair<unsigned, unsigned>> free; // level, position
  auto release = [&](unsigned i) { free.insert({byLevel ? level[i] : 0, i}); };
  for (auto [i, count] : llvm::enumerate(waiting))
    if (count == 0)
      release(i);
  SmallVector<unsigned> order;
  while (!free.empty()) {
    unsigned next = free.begin()->second;
    free.erase(free.begin());
    order.push_back(next);
    for (unsigned successor : successors[next]) {
      level[successor] = std::max(level[successor], level[next] + 1);
      if (--waiting[successor] == 0)
        release(successor);
    }
  }
  for (auto [i, count] : llvm::enumerate(waiting))
    if (count != 0)
      return launches[i].emitOpError(
          "is on a cycle of launches that wait for each other's events");
  if (llvm::is_sorted(order))
    return success();
  // Behind everything: buffers may be declared between launches.
  for (unsigned i : order)
    launches[i]->moveBefore(&graph.getBody().front(),
                            graph.getBody().front().end());
  return success();
}

//===----------------------------------------------------------------------===//
// The order of the dimensions
//===----------------------------------------------------------------------===//

/// The most used dimensions first, and of those the ones used as they are.
static Permutation choosePermutation(LaunchOp launch) {
  unsigned rank = launch.getGridRank();
  SmallVector<int> asItIs(rank, 0), coarsened(rank, 0);
  for (unsigned i = 0; i < launch.getWaits().size(); ++i) {
    AffineMap map = launch.getWaitMap(i);
    for (unsigned dim = 0; dim < rank; ++dim)
      if (llvm::is_contained(map.getResults(),
                             getAffineDimExpr(dim, map.getContext())))
        ++asItIs[dim];
      else if (map.isFunctionOfDim(dim))
        ++coarsened[dim];
  }
  Permutation permutation(rank);
  std::iota(permutation.begin(), permutation.end(), 0);
  auto keyOf = [&](unsigned dim) {
    return std::make_tuple(-asItIs[dim] - coarsened[dim], -asItIs[dim], dim);
  };
  llvm::sort(permutation,
             [&](unsigned a, unsigned b) { return keyOf(a) < keyOf(b); });
  return permutation;
}

/// `map`, whose dimensions are the old ones, as a map of the new ones.
static AffineMap permuteDims(AffineMap map, const Permutation &permutation) {
  SmallVector<AffineExpr> old(permutation.size());
  for (auto [position, dim] : llvm::enumerate(permutation))
    old[dim] = getAffineDimExpr(position, map.getContext());
  return map.replaceDimsAndSymbols(old, {}, permutation.size(),
                                   map.getNumSymbols());
}

static ArrayAttr permuteMaps(ArrayAttr maps, const Permutation &permutation) {
  SmallVector<Attribute> attrs;
  for (AffineMap map : maps.getAsValueRange<AffineMapAttr>())
    attrs.push_back(AffineMapAttr::get(permuteDims(map, permutation)));
  return ArrayAttr::get(maps.getContext(), attrs);
}

static ArrayAttr permuteRegions(ArrayAttr regions,
                                const Permutation &permutation) {
  SmallVector<Attribute> attrs;
  for (auto region : regions.getAsRange<RegionAttr>())
    attrs.push_back(RegionAttr::get(
        regions.getContext(), permuteDims(region.getOffsets(), permutation),
        region.getSizes(), region.getIsDisjoint()));
  return ArrayAttr::get(regions.getContext(), attrs);
}

// All coordinates are of one type, so the function's type stays.
FuncOp LinearizeTasks::getPermutedBody(LaunchOp launch,
                                       const Permutation &permutation) {
  FuncOp body = launch.getBodyFunc();
  auto coordinates =
      body.getBody().getArguments().take_front(permutation.size());
  if (llvm::all_of(coordinates, [](Value v) { return v.use_empty(); }))
    return body;
  FuncOp &copy = permuted[{body, permutation}];
  if (copy)
    return copy;
  copy = cast<FuncOp>(body->clone());
  copy.setSymName((body.getSymName() + "_permuted").str());
  SymbolTable(getOperation()).insert(copy, std::next(Block::iterator(body)));
  // Through stand-ins, as a permutation replaces values by each other.
  Block &entry = copy.getBody().front();
  SmallVector<Value> old;
  for (unsigned dim = 0; dim < permutation.size(); ++dim) {
    old.push_back(entry.addArgument(entry.getArgument(dim).getType(),
                                    entry.getArgument(dim).getLoc()));
    entry.getArgument(dim).replaceAllUsesWith(old.back());
  }
  for (auto [position, dim] : llvm::enumerate(permutation))
    old[dim].replaceAllUsesWith(entry.getArgument(position));
  entry.eraseArguments(entry.getNumArguments() - permutation.size(),
                       permutation.size());
  return copy;
}

void LinearizeTasks::permute(LaunchOp launch, const Permutation &permutation) {
  FuncOp body = getPermutedBody(launch, permutation);
  SmallVector<AffineExpr> extents;
  for (unsigned dim : permutation)
    extents.push_back(launch.getGrid().getResult(dim));
  launch.setGrid(AffineMap::get(0, launch.getGrid().getNumSymbols(), extents,
                                &getContext()));
  launch.setReadRegionsAttr(
      permuteRegions(launch.getReadRegions(), permutation));
  launch.setWriteRegionsAttr(
      permuteRegions(launch.getWriteRegions(), permutation));
  launch.setWaitMapsAttr(permuteMaps(launch.getWaitMaps(), permutation));
  launch.setNotifyMapsAttr(permuteMaps(launch.getNotifyMaps(), permutation));
  if (launch.getAffinity())
    launch.setAffinity(permuteDims(*launch.getAffinity(), permutation));
  launch.setBody(body.getSymName());
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Whether equal values of `entries` are neighbours.
static bool isContiguous(ArrayRef<int64_t> entries) {
  llvm::DenseSet<int64_t> closed;
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i] == entries[i - 1])
      continue;
    closed.insert(entries[i - 1]);
    if (closed.contains(entries[i]))
      return false;
  }
  return true;
}

LogicalResult LinearizeTasks::reportScattered(GraphOp graph) {
  FailureOr<ConcreteGraph> concrete =
      ConcreteGraph::build(graph, getSymbolMaxima(graph));
  if (failed(concrete))
    return failure();
  for (auto [l, launch] : llvm::enumerate(concrete->getLaunches()))
    for (unsigned wait = 0; wait < launch.waits.size(); ++wait) {
      SmallVector<int64_t> entries;
      for (int64_t task = 0; task < launch.numTasks; ++task)
        entries.push_back(concrete->entryOf(l, wait, task));
      if (isContiguous(entries))
        continue;
      LaunchOp op = launch.op;
      InFlightDiagnostic diag =
          strict ? emitError(op.getLoc()) : emitRemark(op.getLoc());
      diag << "the tasks of @" << op.getBody()
           << " that wait for one entry are scattered in wait " << wait << ", "
           << AffineMapAttr::get(op.getWaitMap(wait));
      if (strict)
        return diag;
    }
  return success();
}

LogicalResult LinearizeTasks::linearize(GraphOp graph) {
  for (auto schedule : getOperation().getOps<ScheduleOp>())
    if (schedule.getGraph() == graph.getSymName())
      return emitError(schedule.getLoc(),
                       "linearize-tasks changes the numbers that a schedule "
                       "uses; run it before schedule-static");
  if (failed(orderLaunches(graph, byLevel)))
    return failure();
  for (LaunchOp launch : graph.getLaunches()) {
    Permutation permutation = choosePermutation(launch);
    if (!llvm::is_sorted(permutation))
      permute(launch, permutation);
  }
  return strict || remarks ? reportScattered(graph) : success();
}

void LinearizeTasks::runOnOperation() {
  for (auto graph : getOperation().getOps<GraphOp>())
    if (failed(linearize(graph)))
      return signalPassFailure();
}
