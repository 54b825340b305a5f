//===- EventGraph.cpp - A task graph at given symbol values
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/EventGraph.h"
#include "lib/Analysis/LaunchOrder.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;

//===----------------------------------------------------------------------===//
// Maps, grids and boxes
//===----------------------------------------------------------------------===//

// AffineMap::constantFold makes an attribute per value, which counts here: a
// graph has some hundred thousand edges.
static int64_t evaluate(AffineExpr expr, ArrayRef<int64_t> dims,
                        ArrayRef<int64_t> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t lhs = evaluate(binary.getLHS(), dims, symbols);
  int64_t rhs = evaluate(binary.getRHS(), dims, symbols);
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    return lhs + rhs;
  case AffineExprKind::Mul:
    return lhs * rhs;
  case AffineExprKind::FloorDiv:
    return llvm::divideFloorSigned(lhs, rhs);
  case AffineExprKind::CeilDiv:
    return llvm::divideCeilSigned(lhs, rhs);
  case AffineExprKind::Mod:
    return llvm::mod(lhs, rhs);
  default:
    llvm_unreachable("not a binary expression");
  }
}

int64_t etc::countTasks(task::LaunchOp launch, int64_t symbolValue) {
  AffineMap grid = launch.getGrid();
  SmallVector<int64_t> symbols(grid.getNumSymbols(), symbolValue);
  int64_t tasks = 1;
  for (int64_t extent : evaluateMap(grid, {}, symbols))
    tasks *= extent;
  return tasks;
}

SmallVector<int64_t> etc::evaluateMap(AffineMap map, ArrayRef<int64_t> dims,
                                      ArrayRef<int64_t> symbols) {
  SmallVector<int64_t> values;
  for (AffineExpr expr : map.getResults())
    values.push_back(evaluate(expr, dims, symbols));
  return values;
}

bool etc::isEvaluable(AffineMap map, unsigned numSymbols) {
  bool evaluable = map.getNumSymbols() <= numSymbols;
  map.walkExprs([&](AffineExpr expr) {
    AffineExprKind kind = expr.getKind();
    if (kind != AffineExprKind::FloorDiv && kind != AffineExprKind::CeilDiv &&
        kind != AffineExprKind::Mod)
      return;
    auto divisor =
        dyn_cast<AffineConstantExpr>(cast<AffineBinaryOpExpr>(expr).getRHS());
    evaluable &= divisor && divisor.getValue() > 0;
  });
  return evaluable;
}

int64_t etc::linearize(ArrayRef<int64_t> point, ArrayRef<int64_t> extents) {
  int64_t number = 0;
  for (auto [coordinate, extent] : llvm::zip_equal(point, extents))
    number = number * extent + coordinate;
  return number;
}

SmallVector<int64_t> etc::delinearize(int64_t number,
                                      ArrayRef<int64_t> extents) {
  SmallVector<int64_t> point(extents.size());
  for (size_t dim = extents.size(); dim-- > 0; number /= extents[dim])
    point[dim] = number % extents[dim];
  return point;
}

int64_t Box::getVolume() const {
  int64_t volume = 1;
  for (auto [first, last] : llvm::zip_equal(begin, end))
    volume *= std::max<int64_t>(last - first, 0);
  return volume;
}

bool Box::overlaps(const Box &other) const {
  for (size_t dim = 0; dim < begin.size(); ++dim)
    if (std::max(begin[dim], other.begin[dim]) >=
        std::min(end[dim], other.end[dim]))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

static int64_t product(ArrayRef<int64_t> values) {
  int64_t result = 1;
  for (int64_t value : values)
    result *= value;
  return result;
}

// At most one extent of a group is dynamic: it is what the others leave.
static SmallVector<int64_t> getExpandedExtents(memref::ExpandShapeOp op,
                                               ArrayRef<int64_t> source) {
  SmallVector<int64_t> extents(op.getResultType().getShape());
  for (auto [group, total] :
       llvm::zip_equal(op.getReassociationIndices(), source)) {
    int64_t rest = total;
    for (int64_t dim : group)
      if (!ShapedType::isDynamic(extents[dim]))
        rest /= std::max<int64_t>(extents[dim], 1);
    for (int64_t dim : group)
      if (ShapedType::isDynamic(extents[dim]))
        extents[dim] = rest;
  }
  return extents;
}

FailureOr<SmallVector<int64_t>> etc::getExtents(Value buffer,
                                                ArrayRef<int64_t> symbols) {
  Operation *op = buffer.getDefiningOp();
  if (auto argument = dyn_cast_or_null<task::ArgumentOp>(op))
    return evaluateMap(argument.getShape(), {}, symbols);
  if (auto scratch = dyn_cast_or_null<task::ScratchOp>(op))
    return evaluateMap(scratch.getShape(), {}, symbols);
  if (auto expand = dyn_cast_or_null<memref::ExpandShapeOp>(op)) {
    auto source = getExtents(expand.getSrc(), symbols);
    if (failed(source))
      return failure();
    return getExpandedExtents(expand, *source);
  }
  if (auto collapse = dyn_cast_or_null<memref::CollapseShapeOp>(op)) {
    auto source = getExtents(collapse.getSrc(), symbols);
    if (failed(source))
      return failure();
    SmallVector<int64_t> extents;
    for (const ReassociationIndices &group :
         collapse.getReassociationIndices()) {
      int64_t extent = 1;
      for (int64_t dim : group)
        extent *= (*source)[dim];
      extents.push_back(extent);
    }
    return extents;
  }
  return failure();
}

FailureOr<int64_t> etc::getBufferBytes(Value buffer,
                                       ArrayRef<int64_t> symbols) {
  auto extents = getExtents(buffer, symbols);
  if (failed(extents))
    return failure();
  return product(*extents) *
         task::getElementBytes(cast<MemRefType>(buffer.getType()));
}

SmallVector<int64_t> etc::getSymbolMaxima(task::GraphOp graph) {
  SmallVector<int64_t> maxima;
  for (auto symbol : graph.getSymbols().getAsRange<task::SymbolAttr>())
    maxima.push_back(symbol.getMax());
  return maxima;
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

FailureOr<ConcreteGraph> ConcreteGraph::build(task::GraphOp graph,
                                              ArrayRef<int64_t> symbolValues) {
  assert(symbolValues.size() == graph.getNumSymbols());
  ConcreteGraph result;
  result.graph = graph;
  llvm::append_range(result.symbols, symbolValues);
  for (auto create : graph.getBody().getOps<event::CreateOp>())
    if (failed(result.addEvent(create)))
      return failure();
  for (task::LaunchOp launch : graph.getLaunches())
    if (failed(result.addLaunch(launch)))
      return failure();
  return result;
}

// Extents of a grid or of an event tensor; emits an error at `op`.
static FailureOr<SmallVector<int64_t>>
evaluateExtents(Operation *op, StringRef what, AffineMap map,
                ArrayRef<int64_t> symbols) {
  if (!isEvaluable(map, symbols.size()))
    return op->emitOpError("the ") << what << " " << AffineMapAttr::get(map)
                                   << " is not affine in the graph's symbols";
  SmallVector<int64_t> extents = evaluateMap(map, {}, symbols);
  for (int64_t extent : extents)
    if (extent < 0)
      return op->emitOpError("the ") << what << " has the extent " << extent
                                     << " at symbols [" << symbols << "]";
  return extents;
}

LogicalResult ConcreteGraph::addEvent(event::CreateOp op) {
  auto shape = evaluateExtents(op, "shape", op.getShape(), symbols);
  auto count = evaluateExtents(op, "count", op.getCount(), symbols);
  if (failed(shape) || failed(count))
    return failure();
  Event event{op, *shape, product(*shape), count->front(), {}};
  event.arrivals.resize(event.numEntries);
  eventNumbers[op] = events.size();
  events.push_back(std::move(event));
  return success();
}

LogicalResult ConcreteGraph::addLaunch(task::LaunchOp op) {
  auto grid = evaluateExtents(op, "grid", op.getGrid(), symbols);
  if (failed(grid))
    return failure();
  Launch launch{op,
                *grid,
                product(*grid),
                {},
                {},
                llvm::any_of(op.getWaits(), analysis::isCarriedEdge),
                llvm::any_of(op.getNotifies(), analysis::isCarriedEdge),
                {}};
  if (failed(addEdges(launch, "wait", op.getWaits(), op.getWaitMaps(),
                      launch.waits)) ||
      failed(addEdges(launch, "notify", op.getNotifies(), op.getNotifyMaps(),
                      launch.notifies)) ||
      failed(addOperands(launch, op.getReads(), op.getReadRegions(),
                         /*isWritten=*/false)) ||
      failed(addOperands(launch, op.getWrites(), op.getWriteRegions(),
                         /*isWritten=*/true)))
    return failure();
  if (op.getAffinity() && (!isEvaluable(*op.getAffinity(), symbols.size()) ||
                           op.getAffinity()->getNumResults() != 1 ||
                           op.getAffinity()->getNumDims() != grid->size()))
    return op.emitOpError("the affinity is not one affine expression of the "
                          "grid's coordinates");
  for (const Edge &edge : launch.notifies)
    for (int64_t task = 0; task < launch.numTasks; ++task) {
      SmallVector<int64_t> point =
          evaluateMap(edge.map, delinearize(task, launch.grid), symbols);
      ++events[edge.event].arrivals[linearize(point, events[edge.event].shape)];
    }
  for (Value tensor : op.getNotifies())
    if (analysis::isCarriedEdge(tensor)) {
      auto create = tensor.getDefiningOp<event::CreateOp>();
      events[eventNumbers.lookup(create)].arrivals.front() += launch.numTasks;
    }
  launches.push_back(std::move(launch));
  return success();
}

LogicalResult ConcreteGraph::addEdges(Launch &launch, StringRef what,
                                      OperandRange tensors, ArrayAttr maps,
                                      SmallVectorImpl<Edge> &edges) {
  for (auto [tensor, attr] : llvm::zip_equal(tensors, maps)) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    auto create = tensor.getDefiningOp<event::CreateOp>();
    if (!create || !isEvaluable(map, symbols.size()))
      return launch.op.emitOpError("the ")
             << what << " map " << attr << " is not affine";
    if (analysis::isCarriedEdge(tensor))
      continue;
    unsigned number = eventNumbers.lookup(create);
    const Event &event = events[number];
    for (int64_t task = 0; task < launch.numTasks; ++task) {
      SmallVector<int64_t> point =
          evaluateMap(map, delinearize(task, launch.grid), symbols);
      for (auto [coordinate, extent] : llvm::zip_equal(point, event.shape))
        if (coordinate < 0 || coordinate >= extent)
          return launch.op.emitOpError("task [")
                 << delinearize(task, launch.grid) << "] has a " << what
                 << " on entry [" << point << "] of event tensor '"
                 << create.getName() << "' of shape [" << event.shape
                 << "], at symbols [" << symbols << "]";
    }
    edges.push_back({number, map});
  }
  return success();
}

LogicalResult ConcreteGraph::addOperands(Launch &launch, OperandRange buffers,
                                         ArrayAttr regions, bool isWritten) {
  for (auto [buffer, attr] : llvm::zip_equal(buffers, regions)) {
    auto region = cast<task::RegionAttr>(attr);
    auto extents = getExtents(buffer, symbols);
    if (failed(extents))
      return launch.op.emitOpError("operand ")
             << launch.operands.size()
             << " is no buffer of the graph and no reshape of one";
    if (!isEvaluable(region.getOffsets(), symbols.size()))
      return launch.op.emitOpError("the region ") << region << " is not affine";
    launch.operands.push_back(
        {buffer, region, *extents, isWritten, region.getIsDisjoint()});
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

int64_t ConcreteGraph::getNumTasks() const {
  int64_t tasks = 0;
  for (const Launch &launch : launches)
    tasks += launch.numTasks;
  return tasks;
}

int64_t ConcreteGraph::entry(const Edge &edge, unsigned launch,
                             int64_t task) const {
  return linearize(evaluateMap(edge.map, getCoordinates(launch, task), symbols),
                   events[edge.event].shape);
}
int64_t ConcreteGraph::entryOf(unsigned launch, unsigned wait,
                               int64_t task) const {
  return entry(launches[launch].waits[wait], launch, task);
}
int64_t ConcreteGraph::notifiedEntryOf(unsigned launch, unsigned notify,
                                       int64_t task) const {
  return entry(launches[launch].notifies[notify], launch, task);
}

Box ConcreteGraph::boxOf(unsigned launch, unsigned operand,
                         int64_t task) const {
  const Operand &touched = launches[launch].operands[operand];
  Box box;
  SmallVector<int64_t> offsets = evaluateMap(
      touched.region.getOffsets(), getCoordinates(launch, task), symbols);
  for (auto [offset, size, extent] :
       llvm::zip_equal(offsets, touched.region.getSizes(), touched.extents)) {
    bool isWhole = size == task::RegionAttr::kWhole;
    box.begin.push_back(offset);
    box.end.push_back(isWhole ? extent : std::min(offset + size, extent));
  }
  return box;
}

int64_t ConcreteGraph::bytesOf(unsigned launch, int64_t task) const {
  int64_t bytes = 0;
  for (auto [i, operand] : llvm::enumerate(launches[launch].operands)) {
    auto type = cast<MemRefType>(operand.buffer.getType());
    bytes += boxOf(launch, i, task).getVolume() *
             llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  }
  return bytes;
}

bool ConcreteGraph::hasAffinity(unsigned launch) const {
  return task::LaunchOp(launches[launch].op).getAffinity().has_value();
}

int64_t ConcreteGraph::affinityOf(unsigned launch, int64_t task,
                                  int64_t numWorkers) const {
  AffineMap map = *task::LaunchOp(launches[launch].op).getAffinity();
  int64_t worker =
      evaluateMap(map, getCoordinates(launch, task), symbols).front();
  return llvm::mod(worker, numWorkers);
}

std::string ConcreteGraph::describe(unsigned launch, int64_t task) const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "launch " << launch << " (@"
         << task::LaunchOp(launches[launch].op).getBody() << ") task " << task
         << " (";
  llvm::interleaveComma(getCoordinates(launch, task), stream);
  stream << ")";
  return text;
}
