//===- InferEvents.cpp - Derive the event tensors of a graph
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For each launch, in program order, and each of its accesses: which earlier
// launches touch the same elements in a way that conflicts, and which tasks of
// them? Both regions are tiles along the same dimensions of the buffer, so the
// answer is an event tensor over those dimensions, and never a list of pairs.
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventOps.h"
#include "lib/Analysis/BufferAccess.h"
#include "lib/Analysis/LaunchOrder.h"
#include "lib/Transforms/Passes.h"

namespace etc {
#define GEN_PASS_DEF_INFEREVENTSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::analysis;

namespace {
/// The event tensor of one producer and one consumer, as maps.
struct Edge {
  SmallVector<AffineExpr> shape;  // extents, of the graph's symbols
  AffineExpr count;               // notifications of one entry
  SmallVector<AffineExpr> notify; // entry, of the producer's coordinates
  SmallVector<AffineExpr> wait;   // entry, of the consumer's coordinates
};

/// One launch of the program so far.
struct Step {
  task::LaunchOp launch;
  SmallVector<BufferAccess> accesses;
};

struct InferEvents : etc::impl::InferEventsPassBase<InferEvents> {
  using InferEventsPassBase::InferEventsPassBase;
  void runOnOperation() override;

private:
  void addBarriers(ArrayRef<task::LaunchOp> launches);
  void orderAccess(Step &consumer, const BufferAccess &access);
  Edge deriveEdge(const Step &producer, const BufferAccess &produced,
                  const Step &consumer, const BufferAccess &consumed);
  void addEdge(unsigned from, const BufferAccess &produced, Step &consumer,
               const BufferAccess &consumed);
  AffineExpr simplify(AffineExpr expr) {
    return simplifyAffineExpr(expr, 0, getOperation().getNumSymbols());
  }

  SmallVector<Step> program;
  LaunchOrder order;
  Operation *firstLaunch = nullptr;
};
} // namespace

/// The event dimension shared by tiles of `produced` and `consumed` along one
/// dimension of the buffer, or false if the event has to span the dimension.
static bool addEventDim(Edge &edge, AffineExpr producerTiles,
                        AffineExpr consumerTiles,
                        const BufferAccess::Dim &produced,
                        const BufferAccess::Dim &consumed, unsigned symbols) {
  if (produced.offset != 0 || consumed.offset != 0 ||
      produced.size > produced.period || consumed.size > consumed.period)
    return false;
  int64_t period = std::max(produced.period, consumed.period);
  if (period % produced.period != 0 || period % consumed.period != 0)
    return false;
  int64_t ratio = period / produced.period;
  auto simplify = [&](AffineExpr expr) {
    return simplifyAffineExpr(expr, 0, symbols);
  };
  AffineExpr extent = simplify(producerTiles.ceilDiv(ratio));
  if (extent != simplify(consumerTiles.ceilDiv(period / consumed.period)))
    return false;
  // All entries need the same count: no last tile with fewer producers.
  if (ratio != 1) {
    auto tiles = dyn_cast<AffineConstantExpr>(producerTiles);
    if (!tiles || tiles.getValue() % ratio != 0)
      return false;
  }
  MLIRContext *context = producerTiles.getContext();
  edge.shape.push_back(extent);
  edge.notify.push_back(
      getAffineDimExpr(produced.index, context).floorDiv(ratio));
  edge.wait.push_back(getAffineDimExpr(consumed.index, context)
                          .floorDiv(period / consumed.period));
  edge.count = edge.count * ratio;
  return true;
}

Edge InferEvents::deriveEdge(const Step &producer, const BufferAccess &produced,
                             const Step &consumer,
                             const BufferAccess &consumed) {
  Edge edge;
  edge.count = getAffineConstantExpr(1, &getContext());
  AffineMap producerGrid = task::LaunchOp(producer.launch).getGrid();
  AffineMap consumerGrid = task::LaunchOp(consumer.launch).getGrid();
  llvm::SmallBitVector producerUsed(producerGrid.getNumResults());
  llvm::SmallBitVector consumerUsed(consumerGrid.getNumResults());
  for (auto [p, c] : llvm::zip(produced.dims, consumed.dims)) {
    if (!p.isIndexed() || !c.isIndexed() || producerUsed.test(p.index) ||
        consumerUsed.test(c.index))
      continue;
    if (addEventDim(edge, simplify(producerGrid.getResult(p.index)),
                    simplify(consumerGrid.getResult(c.index)), p, c,
                    getOperation().getNumSymbols())) {
      producerUsed.set(p.index);
      consumerUsed.set(c.index);
    }
  }
  // Every task of the producer notifies; those that differ only in a dimension
  // the event does not have meet in the same entry.
  for (unsigned dim = 0; dim < producerGrid.getNumResults(); ++dim)
    if (!producerUsed.test(dim))
      edge.count = edge.count * producerGrid.getResult(dim);
  edge.count = simplify(edge.count);
  return edge;
}

static StringRef nameOf(Value buffer) {
  if (auto argument = buffer.getDefiningOp<task::ArgumentOp>())
    return argument.getName();
  return buffer.getDefiningOp<task::ScratchOp>().getName();
}

void InferEvents::addEdge(unsigned from, const BufferAccess &produced,
                          Step &consumer, const BufferAccess &consumed) {
  Step &producer = program[from];
  Edge edge = deriveEdge(producer, produced, consumer, consumed);
  unsigned symbols = getOperation().getNumSymbols();
  MLIRContext *context = &getContext();

  bool isStatic = isa<AffineConstantExpr>(edge.count);
  SmallVector<int64_t> extents;
  for (AffineExpr extent : edge.shape) {
    auto constant = dyn_cast<AffineConstantExpr>(extent);
    isStatic &= bool(constant);
    extents.push_back(constant ? constant.getValue() : ShapedType::kDynamic);
  }
  StringRef kind = !produced.isWrite ? "war" : consumed.isWrite ? "waw" : "raw";
  OpBuilder builder(firstLaunch);
  auto event = event::CreateOp::create(
      builder, consumer.launch.getLoc(),
      event::EventTensorType::get(context, extents, event::Carrier::counter),
      (nameOf(consumed.buffer) + "." + kind).str(),
      AffineMap::get(0, symbols, edge.shape, context),
      AffineMap::get(0, symbols, edge.count),
      isStatic ? event::Reuse::monotonic : event::Reuse::banked);

  auto waitMap =
      AffineMap::get(consumer.launch.getGridRank(), 0, edge.wait, context);
  producer.launch.addNotify(
      event, AffineMap::get(producer.launch.getGridRank(), 0, edge.notify,
                            context));
  consumer.launch.addWait(event, waitMap, consumed.operand);
  order.addEdge(from, isFullEdge(event),
                isOntoEdge(event, consumer.launch, waitMap));
}

/// Walks back from the last launch to the one whose access hides all earlier
/// ones: a write of the whole buffer.
void InferEvents::orderAccess(Step &consumer, const BufferAccess &access) {
  unsigned self = program.size(); // not in the program yet
  bool readersCover = false;
  for (unsigned from = self; from-- > 0;) {
    Step &producer = program[from];
    bool hidden = false;
    for (const BufferAccess &earlier : producer.accesses) {
      if (!mayOverlap(earlier, access))
        continue;
      bool covers = coversBuffer(earlier, producer.launch.getGrid());
      hidden |= earlier.isWrite && covers;
      if (!earlier.isWrite && !access.isWrite)
        continue;
      // Readers of tagged memory wait for the words themselves.
      if (task::isTagged(access.buffer.getType()) && earlier.isWrite &&
          !access.isWrite)
        continue;
      // A write after a write needs no edge of its own if readers of all that
      // was written stand between: they are ordered on both sides.
      bool implied = earlier.isWrite && access.isWrite && readersCover;
      if (!implied && !order.isBefore(from, self))
        addEdge(from, earlier, consumer, access);
      readersCover |= !earlier.isWrite && covers;
    }
    if (hidden)
      break;
  }
}

/// One event for each launch but the last: whoever comes after all of a launch
/// comes after all that it came after.
void InferEvents::addBarriers(ArrayRef<task::LaunchOp> launches) {
  MLIRContext *context = &getContext();
  unsigned symbols = getOperation().getNumSymbols();
  OpBuilder builder(firstLaunch);
  for (auto [earlier, later] :
       llvm::zip(launches.drop_back(), launches.drop_front())) {
    task::LaunchOp from = earlier, to = later;
    AffineExpr tasks = getAffineConstantExpr(1, context);
    for (AffineExpr extent : from.getGrid().getResults())
      tasks = tasks * extent;
    tasks = simplify(tasks);
    auto event = event::CreateOp::create(
        builder, from.getLoc(),
        event::EventTensorType::get(context, {}, event::Carrier::counter),
        "barrier", AffineMap::get(0, symbols, context),
        AffineMap::get(0, symbols, tasks),
        isa<AffineConstantExpr>(tasks) ? event::Reuse::monotonic
                                       : event::Reuse::banked);
    from.addNotify(event, AffineMap::get(from.getGridRank(), 0, context));
    to.addWait(event, AffineMap::get(to.getGridRank(), 0, context),
               /*guard=*/-1);
  }
}

void InferEvents::runOnOperation() {
  program.clear();
  order = LaunchOrder();
  SmallVector<task::LaunchOp, 0> launches = getOperation().getLaunches();
  for (task::LaunchOp launch : launches)
    if (!launch.getWaits().empty() || !launch.getNotifies().empty()) {
      launch.emitError("infer-events: the launch has events already; derive "
                       "them for the whole graph or write them all by hand");
      return signalPassFailure();
    }
  if (launches.empty())
    return;
  firstLaunch = launches.front();
  if (barriers)
    return addBarriers(launches);
  for (task::LaunchOp launch : launches) {
    Step step{launch, getBufferAccesses(launch)};
    order.addLaunch(launch);
    // Reads first: what they order often implies what writes would ask for.
    for (const BufferAccess &access : step.accesses)
      orderAccess(step, access);
    program.push_back(std::move(step));
  }
}
