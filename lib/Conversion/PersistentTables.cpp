//===- PersistentTables.cpp - What a worker reads instead of the graph
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Conversion/PersistentTables.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// The extents that `shape` gives where every symbol is at its maximum: storage
/// is sized by them.
static SmallVector<int64_t> getLargestExtents(GraphOp graph, AffineMap shape) {
  Builder builder(graph.getContext());
  SmallVector<Attribute> maxima, folded;
  for (unsigned i = 0; i < shape.getNumSymbols(); ++i)
    maxima.push_back(builder.getIndexAttr(graph.getSymbol(i).getMax()));
  (void)shape.constantFold(maxima, folded);
  return llvm::map_to_vector(folded, [](Attribute extent) {
    return cast<IntegerAttr>(extent).getInt();
  });
}

static int64_t getNumElements(ArrayRef<int64_t> extents) {
  return llvm::product_of(extents);
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

/// The shape of a view from that of its source: a collapsed dimension is the
/// product of its group, an expanded one is static or what is left of it.
static FailureOr<AffineMap> getCollapsedShape(memref::CollapseShapeOp op,
                                              AffineMap source) {
  SmallVector<AffineExpr> shape;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    AffineExpr product = getAffineConstantExpr(1, op.getContext());
    for (int64_t dim : group)
      product = product * source.getResult(dim);
    shape.push_back(product);
  }
  return AffineMap::get(0, source.getNumSymbols(), shape, op.getContext());
}

static FailureOr<AffineMap> getExpandedShape(memref::ExpandShapeOp op,
                                             AffineMap source) {
  ArrayRef<int64_t> extents = op.getResultType().getShape();
  SmallVector<AffineExpr> shape(extents.size());
  for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
    int64_t known = 1, numDynamic = 0;
    for (int64_t result : group) {
      if (ShapedType::isDynamic(extents[result]))
        ++numDynamic;
      else
        known *= extents[result];
    }
    if (numDynamic > 1)
      return op.emitOpError("expands one dimension to more than one symbolic "
                            "extent; reshape in two steps");
    for (int64_t result : group)
      shape[result] =
          ShapedType::isDynamic(extents[result])
              ? source.getResult(dim).floorDiv(known)
              : getAffineConstantExpr(extents[result], op.getContext());
  }
  return AffineMap::get(0, source.getNumSymbols(), shape, op.getContext());
}

LogicalResult PersistentTables::addBuffers(GraphOp graph) {
  auto addSlot = [&](Value buffer, StringRef name, Role role, Layout layout,
                     AffineMap shape, int64_t offset, StackAttr stack = {}) {
    views[buffer] = {static_cast<int32_t>(buffers.size()), shape};
    buffers.push_back(BufferAttr::get(graph.getContext(), name, role, layout,
                                      cast<MemRefType>(buffer.getType()), shape,
                                      offset, stack));
  };
  auto addView = [&](Value view, Value source,
                     FailureOr<AffineMap> shape) -> LogicalResult {
    if (succeeded(shape))
      views[view] = {views[source].slot, *shape};
    return shape;
  };
  for (Operation &op : graph.getBody().getOps()) {
    if (auto argument = dyn_cast<ArgumentOp>(op)) {
      addSlot(argument.getBuffer(), argument.getName(), argument.getRole(),
              argument.getLayout(), argument.getShape(), /*offset=*/0,
              argument.getStackAttr());
    } else if (auto scratch = dyn_cast<ScratchOp>(op)) {
      if (!scratch.getOffset())
        return scratch.emitOpError("has no offset; run plan-global-memory "
                                   "before lower-to-persistent");
      addSlot(scratch.getBuffer(), scratch.getName(), Role::scratch,
              Layout::row_major, scratch.getShape(), *scratch.getOffset());
      auto type = cast<MemRefType>(scratch.getBuffer().getType());
      int64_t bytes =
          getElementBytes(type) *
          getNumElements(getLargestExtents(graph, scratch.getShape()));
      scratchBytes =
          std::max<int64_t>(scratchBytes, *scratch.getOffset() + bytes);
    } else if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
      if (failed(addView(
              collapse.getResult(), collapse.getSrc(),
              getCollapsedShape(collapse, views[collapse.getSrc()].shape))))
        return failure();
    } else if (auto expand = dyn_cast<memref::ExpandShapeOp>(op)) {
      if (failed(
              addView(expand.getResult(), expand.getSrc(),
                      getExpandedShape(expand, views[expand.getSrc()].shape))))
        return failure();
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

/// The first banks of all banked tensors, then their second banks, then the
/// monotonic tensors, then the data tensors, two words an entry: clearing the
/// other bank is one fill.
LogicalResult PersistentTables::addEvents(GraphOp graph) {
  SmallVector<event::CreateOp> creates(
      graph.getBody().getOps<event::CreateOp>());
  auto isData = [](event::CreateOp create) {
    return create.getTensor().getType().getCarrier() == event::Carrier::data;
  };
  auto getEntries = [&](event::CreateOp create) {
    return getNumElements(getLargestExtents(graph, create.getShape()));
  };
  for (event::CreateOp create : creates)
    if (!isData(create) && create.getReuse() == event::Reuse::banked)
      bankWords += getEntries(create);

  int64_t nextBanked = 0;
  counterWords = 2 * bankWords;
  auto addWords = [&](StringAttr name, int64_t &next, int64_t stride,
                      int64_t perEpoch, int64_t entries,
                      int64_t wordsPerEntry) {
    eventNames.push_back(name);
    for (int64_t word : {next, stride, perEpoch, entries})
      events.push_back(static_cast<int32_t>(word));
    next += wordsPerEntry * entries;
  };
  auto addRow = [&](event::CreateOp create, int64_t &next, int64_t stride,
                    int64_t perEpoch, int64_t wordsPerEntry) {
    eventRows[create.getTensor()] = eventNames.size();
    addWords(create.getNameAttr(), next, stride, perEpoch, getEntries(create),
             wordsPerEntry);
  };
  for (event::CreateOp create : creates) {
    if (isData(create))
      continue;
    if (create.getReuse() == event::Reuse::banked) {
      addRow(create, nextBanked, bankWords, 0, 1);
      continue;
    }
    auto count = cast<AffineConstantExpr>(create.getCount().getResult(0));
    addRow(create, counterWords, 0, count.getValue(), 1);
  }
  for (auto join : graph.getBody().getOps<JoinStepsOp>()) {
    joinRow = eventNames.size();
    joinedWorkers = join.getWorkers();
    addWords(join.getNameAttr(), counterWords, 0, joinedWorkers, 1, 1);
  }
  counterWords = llvm::alignTo(counterWords, 2);
  for (event::CreateOp create : creates)
    if (isData(create))
      addRow(create, counterWords, 0, 0, 2);
  return success();
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

/// Launches with equal keys run the same code on different slots and rows.
Attribute PersistentTables::getKindKey(LaunchOp launch) const {
  SmallVector<Attribute> key = {
      launch.getBodyAttr(),        launch.getGridAttr(),
      launch.getReadRegionsAttr(), launch.getWriteRegionsAttr(),
      launch.getWaitMapsAttr(),    launch.getGuardsAttr(),
      launch.getNotifyMapsAttr()};
  for (OperandRange operands : {launch.getReads(), launch.getWrites()})
    for (Value operand : operands) {
      key.push_back(TypeAttr::get(operand.getType()));
      key.push_back(AffineMapAttr::get(getView(operand).shape));
    }
  for (OperandRange edges : {launch.getWaits(), launch.getNotifies()})
    for (Value edge : edges) {
      auto create = edge.getDefiningOp<event::CreateOp>();
      key.push_back(TypeAttr::get(edge.getType()));
      key.push_back(create.getShapeAttr());
      key.push_back(create.getCountAttr());
    }
  return ArrayAttr::get(launch.getContext(), key);
}

void PersistentTables::addLaunches(GraphOp graph) {
  SmallVector<LaunchOp, 0> all = graph.getLaunches();
  for (LaunchOp launch : all)
    launchWidth = std::max<int64_t>(launchWidth, 1 + launch.getNumOperands());
  DenseMap<Attribute, int32_t> kindOf;
  for (LaunchOp launch : all) {
    auto [kind, isNew] = kindOf.try_emplace(getKindKey(launch), kinds.size());
    if (isNew)
      kinds.push_back(launch);
    launchNames.push_back(
        StringAttr::get(launch.getContext(), launch.getBody()));
    size_t end = launches.size() + launchWidth;
    launches.push_back(kind->second);
    for (OperandRange operands : {launch.getReads(), launch.getWrites()})
      for (Value operand : operands)
        launches.push_back(getView(operand).slot);
    for (OperandRange edges : {launch.getWaits(), launch.getNotifies()})
      for (Value edge : edges)
        launches.push_back(eventRows.lookup(edge));
    launches.resize(end, -1);
  }
}

FailureOr<PersistentTables> PersistentTables::get(GraphOp graph) {
  PersistentTables tables;
  if (failed(tables.addBuffers(graph)) || failed(tables.addEvents(graph)))
    return failure();
  tables.addLaunches(graph);
  return tables;
}

ProgramOp PersistentTables::createProgram(OpBuilder &builder, GraphOp graph,
                                          ArrayRef<ScheduleOp> schedules,
                                          bool traced) const {
  std::string worker = (graph.getSymName() + "_worker").str();
  auto program = ProgramOp::create(
      builder, graph.getLoc(), graph.getSymName(), worker, graph.getSymbols(),
      builder.getArrayAttr(buffers), builder.getArrayAttr(launchNames),
      launchWidth, launches, builder.getArrayAttr(eventNames), events,
      counterWords, scratchBytes, /*many_steps=*/joinRow >= 0, traced);
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&program.getSchedules());
  for (ScheduleOp schedule : schedules)
    builder.clone(*schedule);
  return program;
}
