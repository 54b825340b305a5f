//===- DecomposeToTasks.cpp - A step on tensors as a graph of tasks
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tensors become buffers here. A tensor value owns a buffer of its own unless
// it is a view of another, or overwrites another in place; `getRoot` names the
// value that owns. Nothing is copied: where only a copy could help, it is an
// operator of its own (a returned argument) or an error (a state).
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/SymbolicShapes.h"
#include "lib/Analysis/TileCost.h"
#include "lib/Transforms/Passes.h"
#include "lib/Transforms/TaskBodies.h"
#include "lib/Transforms/TileOverrides.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

namespace etc {
#define GEN_PASS_DEF_DECOMPOSETOTASKSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

//===----------------------------------------------------------------------===//
// Which tensor values share a buffer
//===----------------------------------------------------------------------===//

/// The source of a view, or null.
static Value getViewSource(Value value) {
  if (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>())
    return expand.getSrc();
  if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>())
    return collapse.getSrc();
  return {};
}

/// The tensor that a result overwrites in place, or null if it is new.
static Value getOverwritten(Value value) {
  auto dps = value.getDefiningOp<DestinationStyleOpInterface>();
  if (!dps)
    return {};
  Value init = dps.getTiedOpOperand(cast<OpResult>(value))->get();
  bool isNew = init.getDefiningOp<tensor::EmptyOp>() ||
               init.getDefiningOp<linalg::FillOp>();
  return isNew ? Value() : init;
}

static Value getRoot(Value value) {
  while (true) {
    Value next = getViewSource(value);
    if (!next)
      next = getOverwritten(value);
    if (!next)
      return value;
    value = next;
  }
}

/// Nobody may read the value `init` once `op` has overwritten it.
static LogicalResult verifyInPlace(Operation *op, OpOperand &init) {
  Value version = init.get();
  while (Value source = getViewSource(version))
    version = source;
  SmallVector<Value> aliases = {version};
  for (unsigned i = 0; i < aliases.size(); ++i)
    for (OpOperand &use : aliases[i].getUses()) {
      Operation *user = use.getOwner();
      if (user->getNumResults() == 1 && getViewSource(user->getResult(0)))
        aliases.push_back(user->getResult(0));
      else if (&use != &init && !user->isBeforeInBlock(op)) {
        InFlightDiagnostic diag = op->emitOpError(
            "overwrites a tensor that is read later: that would need a copy");
        diag.attachNote(user->getLoc()) << "read here";
        return diag;
      }
    }
  return success();
}

/// Every operation is an operator, a view, or says what extents are.
static LogicalResult verifyOperator(Operation *op) {
  if (isa<TaskRegionOpInterface, tensor::ExpandShapeOp, tensor::CollapseShapeOp,
          func::ReturnOp>(op))
    return success();
  if (isa<tensor::EmptyOp, linalg::FillOp>(op)) {
    for (OpOperand &use : op->getUses()) {
      auto dps = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
      if (!isa<tensor::DimOp>(use.getOwner()) && (!dps || !dps.isDpsInit(&use)))
        return op->emitOpError(
            "is only supported as the destination of an operator");
    }
    return success();
  }
  bool isOnTensors =
      llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>);
  if (isOnTensors && matchPattern(op, m_Constant()))
    return op->emitOpError("constant tensors are not supported: pass it as an "
                           "argument with task.role \"weight\"");
  if (isOnTensors || !isMemoryEffectFree(op))
    return op->emitOpError("has no TaskRegionOpInterface, so it cannot be cut "
                           "into tasks");
  return success();
}

//===----------------------------------------------------------------------===//
// Decomposer
//===----------------------------------------------------------------------===//

namespace {
class Decomposer {
public:
  Decomposer(func::FuncOp step, const TileOptions &options,
             const TileOverrides &overrides, bool printTiles)
      : step(step), options(options), overrides(overrides),
        printTiles(printTiles), builder(step) {}

  LogicalResult run();

private:
  LogicalResult verifyForm();
  LogicalResult copyReturnedArguments();
  LogicalResult makeArguments();
  LogicalResult makeOutputs();
  LogicalResult convert(Operation *op);
  LogicalResult convertView(Operation *op);
  LogicalResult convertOperator(TaskRegionOpInterface op);
  LogicalResult makeDestination(Operation *op, OpOperand &init);
  FailureOr<Tile> getTile(TaskRegionOpInterface op);
  AffineMap getGrid(TaskRegionOpInterface op, const Tile &tile);
  RegionAttr getRegion(TaskRegionOpInterface op, OpOperand &operand,
                       const Tile &tile);
  AffineExpr getOrigin(unsigned dim, const Tile &tile);
  Value view(Value buffer, RankedTensorType type, Value shapeOf,
             ArrayRef<ReassociationIndices> groups);
  std::string uniqueName(Operation *op);
  Value symbolValue(unsigned symbol);

  func::FuncOp step;
  TileOptions options;
  const TileOverrides &overrides;
  bool printTiles;
  OpBuilder builder;
  GraphOp graph;
  SymbolicShapes shapes;
  std::optional<TaskBodies> bodies;
  llvm::StringSet<> bufferNames;
  DenseMap<Value, Value> buffers;
  SmallVector<Value> symbolValues;
};
} // namespace

LogicalResult Decomposer::run() {
  if (failed(verifyForm()) || failed(copyReturnedArguments()))
    return failure();
  FailureOr<SymbolicShapes> computed = SymbolicShapes::compute(step);
  if (failed(computed))
    return failure();
  shapes = *computed;

  graph = GraphOp::create(builder, step.getLoc(), step.getSymName(),
                          step->getAttrOfType<ArrayAttr>("task.symbols"));
  bodies.emplace(step->getParentOfType<ModuleOp>(), graph);
  builder.setInsertionPointToEnd(&graph.getBody().front());
  symbolValues.resize(shapes.getNumSymbols());
  if (failed(makeArguments()) || failed(makeOutputs()))
    return failure();
  for (Operation &op : step.getBody().front())
    if (failed(convert(&op)))
      return failure();
  step.erase();
  return success();
}

LogicalResult Decomposer::verifyForm() {
  if (!step.getBody().hasOneBlock())
    return step.emitOpError("a step is one block of operators");
  for (unsigned i = 0; i < step.getNumArguments(); ++i)
    for (StringRef name : {"task.name", "task.role"})
      if (!step.getArgAttrOfType<StringAttr>(i, name))
        return step.emitOpError("argument ") << i << " needs a " << name;
  for (unsigned i = 0; i < step.getNumResults(); ++i)
    if (!step.getResultAttrOfType<StringAttr>(i, "task.name"))
      return step.emitOpError("result ") << i << " needs a task.name";
  for (Operation &op : step.getBody().front())
    if (failed(verifyOperator(&op)))
      return failure();
  return success();
}

/// A result that has no buffer of its own (an argument, or a tensor that is
/// returned twice) is made by an operator that copies.
LogicalResult Decomposer::copyReturnedArguments() {
  Operation *terminator = step.getBody().front().getTerminator();
  OpBuilder copies(terminator);
  DenseSet<Value> owned;
  for (OpOperand &operand : terminator->getOpOperands()) {
    unsigned number = operand.getOperandNumber();
    Value value = operand.get(), root = getRoot(value);
    if (auto state =
            step.getResultAttrOfType<StringAttr>(number, "task.state")) {
      auto argument = dyn_cast<BlockArgument>(root);
      if (argument && argument.getType() == value.getType() &&
          step.getArgAttr(argument.getArgNumber(), "task.name") == state)
        continue;
      return step.emitOpError("result ")
             << number << " is not the state " << state
             << " updated in place: that would need a copy";
    }
    if (isa<OpResult>(root) && owned.insert(root).second)
      continue;
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return step.emitOpError("result ") << number << " is no tensor";
    Location loc = terminator->getLoc();
    Value empty = tensor::EmptyOp::create(
        copies, loc, tensor::getMixedSizes(copies, loc, value),
        type.getElementType());
    SmallVector<AffineMap> maps(2,
                                copies.getMultiDimIdentityMap(type.getRank()));
    SmallVector<utils::IteratorType> iterators(type.getRank(),
                                               utils::IteratorType::parallel);
    auto copy = linalg::GenericOp::create(
        copies, loc, type, value, empty, maps, iterators,
        [](OpBuilder &inner, Location loc, ValueRange values) {
          linalg::YieldOp::create(inner, loc, values.front());
        });
    operand.set(copy.getResult(0));
  }
  return success();
}

LogicalResult Decomposer::makeArguments() {
  for (BlockArgument argument : step.getArguments()) {
    unsigned number = argument.getArgNumber();
    auto name = step.getArgAttrOfType<StringAttr>(number, "task.name");
    auto role = step.getArgAttrOfType<StringAttr>(number, "task.role");
    if (!bufferNames.insert(name.getValue()).second)
      return step.emitOpError("two buffers are named ") << name;
    auto type = cast<RankedTensorType>(argument.getType());
    buffers[argument] = ArgumentOp::create(
        builder, argument.getLoc(),
        MemRefType::get(type.getShape(), type.getElementType()), name,
        *symbolizeRole(role.getValue()), shapes.getMap(argument),
        Layout::row_major,
        step.getArgAttrOfType<StackAttr>(number, "task.stack"));
  }
  return success();
}

/// Every returned tensor is written where the caller wants it.
LogicalResult Decomposer::makeOutputs() {
  Operation *terminator = step.getBody().front().getTerminator();
  for (auto [number, returned] : llvm::enumerate(terminator->getOperands())) {
    if (step.getResultAttr(number, "task.state"))
      continue;
    auto name = step.getResultAttrOfType<StringAttr>(number, "task.name");
    if (!bufferNames.insert(name.getValue()).second)
      return step.emitOpError("two buffers are named ") << name;
    auto type = cast<RankedTensorType>(returned.getType());
    buffers[returned] = ArgumentOp::create(
        builder, returned.getLoc(),
        MemRefType::get(type.getShape(), type.getElementType()), name,
        Role::output, shapes.getMap(returned), Layout::row_major, StackAttr());
    // Back to the value that owns the buffer, through the inverse views.
    for (Value value = returned; value != getRoot(value);) {
      Value source = getViewSource(value), buffer = buffers[value];
      if (source) {
        auto sourceType = cast<RankedTensorType>(source.getType());
        auto groups = value.getDefiningOp<tensor::ExpandShapeOp>()
                          ? value.getDefiningOp<tensor::ExpandShapeOp>()
                                .getReassociationIndices()
                          : value.getDefiningOp<tensor::CollapseShapeOp>()
                                .getReassociationIndices();
        buffer = view(buffer, sourceType, source, groups);
        if (!buffer)
          return failure();
      } else {
        source = getOverwritten(value);
      }
      buffers[source] = buffer;
      value = source;
    }
  }
  return success();
}

LogicalResult Decomposer::convert(Operation *op) {
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    return convertView(op);
  if (auto tileOp = dyn_cast<TaskRegionOpInterface>(op))
    return convertOperator(tileOp);
  return success();
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

LogicalResult Decomposer::convertView(Operation *op) {
  Value result = op->getResult(0), source = getViewSource(result);
  if (buffers.contains(result))
    return success(); // An output, seen from the other side.
  auto groups =
      isa<tensor::ExpandShapeOp>(op)
          ? cast<tensor::ExpandShapeOp>(op).getReassociationIndices()
          : cast<tensor::CollapseShapeOp>(op).getReassociationIndices();
  Value buffer = view(buffers[source], cast<RankedTensorType>(result.getType()),
                      result, groups);
  buffers[result] = buffer;
  return success(bool(buffer));
}

/// `buffer` with the shape of the tensor `shapeOf`, by one expand or collapse;
/// null after an error.
Value Decomposer::view(Value buffer, RankedTensorType type, Value shapeOf,
                       ArrayRef<ReassociationIndices> groups) {
  Location loc = shapeOf.getLoc();
  auto source = cast<MemRefType>(buffer.getType());
  auto target = MemRefType::get(type.getShape(), type.getElementType());
  if (source.getRank() > target.getRank())
    return memref::CollapseShapeOp::create(builder, loc, target, buffer,
                                           groups);
  SmallVector<OpFoldResult> extents;
  for (auto [expr, extent] :
       llvm::zip(shapes.get(shapeOf), target.getShape())) {
    if (!ShapedType::isDynamic(extent)) {
      extents.push_back(builder.getIndexAttr(extent));
      continue;
    }
    SmallVector<Value> values(shapes.getNumSymbols());
    for (unsigned i = 0; i < values.size(); ++i) {
      if (!expr.isFunctionOfSymbol(i))
        continue;
      values[i] = symbolValue(i);
      if (!values[i]) {
        emitError(loc, "no argument has the extent '")
            << graph.getSymbol(i).getName() << "', which this view needs";
        return {};
      }
    }
    extents.push_back(affine::expandAffineExpr(builder, loc, expr, {}, values));
  }
  return memref::ExpandShapeOp::create(builder, loc, target, buffer, groups,
                                       extents);
}

/// The symbol as the extent of the first argument that it is an extent of, or
/// null.
Value Decomposer::symbolValue(unsigned symbol) {
  Value &value = symbolValues[symbol];
  if (value)
    return value;
  AffineExpr expr = getAffineSymbolExpr(symbol, step.getContext());
  for (BlockArgument argument : step.getArguments())
    for (auto [dim, extent] : llvm::enumerate(shapes.get(argument)))
      if (extent == expr && !value)
        value = memref::DimOp::create(builder, argument.getLoc(),
                                      buffers[argument], dim);
  return value;
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

std::string Decomposer::uniqueName(Operation *op) {
  std::string name, kind = getOperatorName(op);
  for (unsigned i = 0; name.empty() || bufferNames.contains(name); ++i)
    name = llvm::formatv("{0}.{1}", kind, i);
  bufferNames.insert(name);
  return name;
}

/// Gives the result that is tied to `init` its buffer.
LogicalResult Decomposer::makeDestination(Operation *op, OpOperand &init) {
  Value result = cast<DestinationStyleOpInterface>(op).getTiedOpResult(&init);
  Value overwritten = getOverwritten(result);
  if (!overwritten) {
    if (buffers.contains(result))
      return success(); // An output.
    auto type = cast<RankedTensorType>(result.getType());
    buffers[result] = ScratchOp::create(
        builder, op->getLoc(),
        MemRefType::get(type.getShape(), type.getElementType()), uniqueName(op),
        shapes.getMap(result), /*offset=*/IntegerAttr());
    return success();
  }
  if (auto argument = dyn_cast<BlockArgument>(getRoot(result)))
    if (step.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "task.role")
            .getValue() != "state")
      return op->emitOpError("overwrites argument ")
             << argument.getArgNumber() << ", which is no state: that would "
             << "need a copy";
  // Not in one line: an insertion moves what a reference would point to.
  Value buffer = buffers[overwritten];
  buffers[result] = buffer;
  return verifyInPlace(op, init);
}

FailureOr<Tile> Decomposer::getTile(TaskRegionOpInterface op) {
  FailureOr<std::optional<Tile>> given = overrides.lookup(op);
  if (failed(given))
    return failure();
  Tile tile = *given ? **given : chooseTile(op, shapes, options);
  for (auto [extent, size] : llvm::zip(op.getTaskDomain(), tile))
    if (!ShapedType::isDynamic(extent) && size >= extent)
      size = 0; // One task wide: no dimension of the grid.
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<ShapedType>(operand.get().getType()))
      continue;
    for (DimAccess access : op.getOperandAccess(operand.getOperandNumber()))
      if (!access.isWhole() && tile[access.dim] % access.points)
        return op->emitOpError("tile ")
               << formatTile(tile) << " cuts what " << access.points
               << " of dimension " << access.dim << " share";
  }
  return tile;
}

/// One grid dimension per domain dimension that is cut.
AffineMap Decomposer::getGrid(TaskRegionOpInterface op, const Tile &tile) {
  MLIRContext *context = step.getContext();
  SmallVector<AffineExpr> extents(tile.size());
  for (auto [dim, extent] : llvm::enumerate(op.getTaskDomain()))
    if (!ShapedType::isDynamic(extent))
      extents[dim] = getAffineConstantExpr(extent, context);
  for (OpOperand &operand : op->getOpOperands())
    if (isa<ShapedType>(operand.get().getType()))
      for (auto [access, extent] :
           llvm::zip(op.getOperandAccess(operand.getOperandNumber()),
                     shapes.get(operand.get())))
        if (!access.isWhole() && !extents[access.dim])
          extents[access.dim] = extent.floorDiv(access.scale) * access.points;
  SmallVector<AffineExpr> grid;
  for (auto [extent, size] : llvm::zip(extents, tile))
    if (size)
      grid.push_back(
          simplifyAffineExpr(extent.ceilDiv(size), 0, shapes.getNumSymbols()));
  return AffineMap::get(0, shapes.getNumSymbols(), grid, context);
}

/// Whether tasks write different elements of one region: they differ in a
/// dimension of the domain that does not say where, and no two points of a
/// domain write the same element.
static bool isDisjoint(TaskRegionOpInterface op, OpOperand &operand,
                       const Tile &tile) {
  if (!cast<DestinationStyleOpInterface>(*op).isDpsInit(&operand))
    return false;
  SmallVector<DimAccess> accesses =
      op.getOperandAccess(operand.getOperandNumber());
  for (auto [dim, size] : llvm::enumerate(tile))
    if (size && llvm::none_of(accesses, [&](DimAccess access) {
          return access.dim == static_cast<int64_t>(dim);
        }))
      return true;
  return false;
}

RegionAttr Decomposer::getRegion(TaskRegionOpInterface op, OpOperand &operand,
                                 const Tile &tile) {
  MLIRContext *context = step.getContext();
  SmallVector<int64_t> gridDims;
  unsigned gridRank = 0;
  for (int64_t size : tile)
    gridDims.push_back(size ? gridRank++ : -1);
  SmallVector<AffineExpr> offsets;
  SmallVector<int64_t> sizes;
  for (DimAccess access : op.getOperandAccess(operand.getOperandNumber())) {
    bool isCut = !access.isWhole() && tile[access.dim] != 0;
    int64_t size = isCut ? tile[access.dim] * access.scale / access.points
                         : RegionAttr::kWhole;
    offsets.push_back(isCut ? getAffineDimExpr(gridDims[access.dim], context) *
                                  size
                            : getAffineConstantExpr(0, context));
    sizes.push_back(size);
  }
  return RegionAttr::get(context, AffineMap::get(gridRank, 0, offsets, context),
                         sizes, isDisjoint(op, operand, tile));
}

/// The first point of a task's tile along a dimension of the domain, of the
/// coordinates of the grid.
AffineExpr Decomposer::getOrigin(unsigned dim, const Tile &tile) {
  MLIRContext *context = step.getContext();
  if (!tile[dim])
    return getAffineConstantExpr(0, context);
  unsigned gridDim = llvm::count_if(ArrayRef(tile).take_front(dim),
                                    [](int64_t size) { return size != 0; });
  return getAffineDimExpr(gridDim, context) * tile[dim];
}

LogicalResult Decomposer::convertOperator(TaskRegionOpInterface op) {
  auto dps = cast<DestinationStyleOpInterface>(*op);
  FailureOr<Tile> tile = getTile(op);
  if (failed(tile))
    return failure();
  TaskAccesses accesses;
  AffineMap grid = getGrid(op, *tile);
  accesses.gridRank = grid.getNumResults();
  for (OpOperand *input : dps.getDpsInputOperands())
    if (isa<TensorType>(input->get().getType())) {
      TaskOperand read = {buffers[input->get()], getRegion(op, *input, *tile)};
      if (!llvm::is_contained(accesses.reads, read))
        accesses.reads.push_back(read);
    }
  for (OpOperand &init : dps.getDpsInitsMutable()) {
    if (failed(makeDestination(op, init)))
      return failure();
    accesses.writes.push_back(
        {buffers[dps.getTiedOpResult(&init)], getRegion(op, init, *tile)});
    accesses.fills.push_back(init.get().getDefiningOp<linalg::FillOp>());
  }
  unsigned written = accesses.reads.size();
  for (OpOperand &operand : op->getOpOperands()) {
    if (std::optional<unsigned> dim =
            op.getOriginDim(operand.getOperandNumber())) {
      accesses.positions.push_back(-1);
      accesses.origins.push_back(
          {operand.getOperandNumber(), getOrigin(*dim, *tile)});
    } else if (dps.isDpsInit(&operand)) {
      accesses.positions.push_back(written++);
    } else if (isa<TensorType>(operand.get().getType())) {
      TaskOperand read = {buffers[operand.get()],
                          getRegion(op, operand, *tile)};
      accesses.positions.push_back(llvm::find(accesses.reads, read) -
                                   accesses.reads.begin());
    } else {
      accesses.positions.push_back(-1);
    }
  }
  FailureOr<FuncOp> body = bodies->getBody(op, accesses);
  if (failed(body))
    return failure();

  auto bufferOf = [](const TaskOperand &operand) { return operand.buffer; };
  auto regionOf = [](const TaskOperand &operand) { return operand.region; };
  LaunchOp::create(builder, op->getLoc(), body->getSymName(), grid,
                   llvm::map_to_vector(accesses.reads, bufferOf),
                   llvm::map_to_vector(accesses.reads, regionOf),
                   llvm::map_to_vector(accesses.writes, bufferOf),
                   llvm::map_to_vector(accesses.writes, regionOf));
  if (printTiles)
    emitRemark(op->getLoc(), "@")
        << body->getSymName() << ": grid " << AffineMapAttr::get(grid)
        << ", tile " << formatTile(*tile) << ", at most "
        << getTaskBytes(op, *tile, shapes) << " bytes a task";
  return success();
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {
struct DecomposeToTasks
    : etc::impl::DecomposeToTasksPassBase<DecomposeToTasks> {
  using DecomposeToTasksPassBase::DecomposeToTasksPassBase;

  void runOnOperation() override {
    TileOptions options;
    options.workers = workers;
    options.linearRows = linearRows;
    options.tokens = tokens;
    if (keptBytes)
      options.keptBytes = keptBytes;
    options.streamedBytes = streamedBytes;
    if (workers < 1 || linearRows < 0 || tokens < 1 || keptBytes < 0 ||
        streamedBytes < 0) {
      getOperation().emitError(
          "decompose-to-tasks: workers and tokens are positive, linear-rows, "
          "kept-bytes and streamed-bytes are not negative");
      return signalPassFailure();
    }
    FailureOr<TileOverrides> overrides =
        TileOverrides::parse(getOperation().getLoc(), tile);
    if (failed(overrides))
      return signalPassFailure();
    for (auto func :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (!func->hasAttrOfType<ArrayAttr>("task.symbols"))
        continue;
      if (failed(Decomposer(func, options, *overrides, printTiles).run()))
        return signalPassFailure();
    }
  }
};
} // namespace
