//===- PaceStreams.cpp - Weights that are asked for at a steady pace
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Analysis/BufferAccess.h"
#include "lib/Analysis/EventGraph.h"
#include "lib/Analysis/Target.h"
#include "lib/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace etc {
#define GEN_PASS_DEF_PACESTREAMSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

namespace {
/// A launch in the order of a step.
struct Place {
  LaunchOp launch;
  double beginNs = 0;      // of the hops that lead to it, one after the other
  int64_t streamBytes = 0; // of all its tasks
};

struct PaceStreams : etc::impl::PaceStreamsPassBase<PaceStreams> {
  using PaceStreamsPassBase::PaceStreamsPassBase;
  void runOnOperation() override;
};
} // namespace

/// Of all tasks that attend to parts of a sequence: as many positions as its
/// block table has room for, so that no context is too long for the pace.
static int64_t getPartBytes(StreamPartOp part) {
  auto cache = cast<MemRefType>(part.getCache().getType()),
       table = cast<MemRefType>(part.getBlockTable().getType());
  if (ShapedType::isDynamic(table.getDimSize(1)) ||
      ShapedType::isDynamic(cache.getDimSize(3)) ||
      ShapedType::isDynamic(cache.getDimSize(4)))
    return 0;
  int64_t positions = table.getDimSize(1) * cache.getDimSize(3);
  return 2 * positions * cache.getDimSize(4) * getElementBytes(cache) /
         part.getParts();
}

/// What the tasks of a launch stream.
static int64_t getStreamBytes(LaunchOp launch) {
  Block &body = launch.getBodyFunc().getBody().front();
  int64_t ofTask = 0;
  for (auto stream : body.getOps<StreamOp>()) {
    auto tile = cast<MemRefType>(stream.getSource().getType());
    if (tile.hasStaticShape())
      ofTask += tile.getNumElements() * getElementBytes(tile);
  }
  for (auto part : body.getOps<StreamPartOp>())
    ofTask += getPartBytes(part);
  // Of tokens, no task has a stream of its own.
  return ofTask * std::max<int64_t>(countTasks(launch, /*symbolValue=*/1), 1);
}

/// The launches of a graph, each behind those that write what it reads.
static SmallVector<Place> place(GraphOp graph, const Target &machine) {
  SmallVector<Place> places;
  llvm::DenseMap<Value, double> writtenNs; // when a buffer's last writers begin
  for (LaunchOp launch : graph.getLaunches()) {
    Place place{launch, 0, getStreamBytes(launch)};
    auto accesses = analysis::getBufferAccesses(launch);
    for (const analysis::BufferAccess &access : accesses) {
      auto written = writtenNs.find(analysis::getBaseBuffer(access.buffer));
      if (access.isWrite || written == writtenNs.end())
        continue;
      bool isTagged = task::isTagged(written->first.getType());
      place.beginNs = std::max(
          place.beginNs, written->second + (isTagged ? machine.dataHopNs
                                                     : machine.counterHopNs));
    }
    for (const analysis::BufferAccess &access : accesses)
      if (access.isWrite) {
        double &ns = writtenNs[analysis::getBaseBuffer(access.buffer)];
        ns = std::max(ns, place.beginNs);
      }
    places.push_back(place);
  }
  return places;
}

void PaceStreams::runOnOperation() {
  if (!enabled)
    return markAllAnalysesPreserved();
  Location loc = getOperation().getLoc();
  if (workers < 1 || share <= 0) {
    emitError(loc, "pace-streams: workers and share are positive");
    return signalPassFailure();
  }
  FailureOr<Target> machine =
      target.empty() ? Target() : Target::load(target, loc);
  if (failed(machine))
    return signalPassFailure();
  llvm::MapVector<FuncOp, int64_t> paces; // the least of all graphs
  for (GraphOp graph : getOperation().getOps<GraphOp>()) {
    SmallVector<Place> places = place(graph, *machine);
    llvm::erase_if(places, [](const Place &at) { return !at.streamBytes; });
    if (places.empty())
      continue;
    // Behind the last to stream nothing waits for what its copies delay.
    double lastNs = llvm::max_element(places, [](auto &a, auto &b) {
                      return a.beginNs < b.beginNs;
                    })->beginNs;
    llvm::MapVector<FuncOp, bool> bodies; // whether one streams before the last
    double bytes = 0, hopsNs = 0;
    for (Place &at : places) {
      bodies[at.launch.getBodyFunc()] |= at.beginNs < lastNs;
      if (at.beginNs == lastNs)
        continue;
      bytes += at.streamBytes;
      hopsNs = std::max(hopsNs, at.beginNs);
    }
    if (!bytes)
      continue;
    double stepNs = bytes / machine->bandwidthBytesPerNs + hopsNs;
    int64_t pace = std::max<int64_t>(
        std::llround(share * stepNs * workers / bytes * (1 << 20)), 1);
    graph.emitRemark() << "a worker streams a MiB in " << pace
                       << " ns at most: " << int64_t(bytes) << " bytes in "
                       << std::llround(stepNs) << " ns, of which "
                       << std::llround(hopsNs) << " are hops, by "
                       << int64_t(workers) << " workers";
    for (auto &[body, isPaced] : bodies)
      if (isPaced) {
        auto [of, isNew] = paces.try_emplace(body, pace);
        of->second = std::min(of->second, pace);
      }
  }
  for (auto &[body, pace] : paces)
    for (Operation &op : FuncOp(body).getBody().front())
      llvm::TypeSwitch<Operation *>(&op).Case<StreamOp, StreamPartOp>(
          [pace = pace](auto stream) { stream.setPace(pace); });
}
