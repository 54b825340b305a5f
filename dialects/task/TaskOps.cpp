//===- TaskOps.cpp - Graph, function and schedule operations
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "dialects/event/EventOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

//===----------------------------------------------------------------------===//
// Custom assembly of a launch
//===----------------------------------------------------------------------===//

static ParseResult parseInlineMap(OpAsmParser &parser, AffineMapAttr &attr) {
  AffineMap map;
  if (parser.parseAffineMap(map))
    return failure();
  attr = AffineMapAttr::get(map);
  return success();
}
static void printInlineMap(OpAsmPrinter &printer, Operation *,
                           AffineMapAttr attr) {
  printer << attr.getValue();
}

// Elements `parseOne` until the closing parenthesis, which stays unread.
static ParseResult parseList(OpAsmParser &parser,
                             function_ref<ParseResult(bool &)> parseOne) {
  bool present = false;
  if (parseOne(present))
    return failure();
  while (present && succeeded(parser.parseOptionalComma())) {
    if (parseOne(present))
      return failure();
    if (!present)
      return parser.emitError(parser.getCurrentLocation(), "expected operand");
  }
  return success();
}

static ParseResult
parseAccessList(OpAsmParser &parser,
                SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
                SmallVectorImpl<Type> &types, ArrayAttr &regions) {
  SmallVector<Attribute> attrs;
  auto parseOne = [&](bool &present) -> ParseResult {
    OpAsmParser::UnresolvedOperand operand;
    OptionalParseResult parsed = parser.parseOptionalOperand(operand);
    present = parsed.has_value();
    if (!present)
      return success();
    RegionAttr region;
    if (*parsed || parser.parseKeyword("at") ||
        parser.parseCustomAttributeWithFallback(region) ||
        parser.parseColonType(types.emplace_back()))
      return failure();
    operands.push_back(operand);
    attrs.push_back(region);
    return success();
  };
  if (parseList(parser, parseOne))
    return failure();
  regions = parser.getBuilder().getArrayAttr(attrs);
  return success();
}
static void printAccessList(OpAsmPrinter &printer, Operation *,
                            OperandRange operands, TypeRange types,
                            ArrayAttr regions) {
  llvm::interleaveComma(llvm::zip(operands, types, regions), printer,
                        [&](auto it) {
                          auto [operand, type, region] = it;
                          printer << operand << " at ";
                          printer.printStrippedAttrOrType(cast<RegionAttr>(region));
                          printer << " : "
                                  << type;
                        });
}

// `value at map (guards n | *)? : type`
static ParseResult
parseEdges(OpAsmParser &parser,
           SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
           SmallVectorImpl<Type> &types, ArrayAttr &maps,
           SmallVectorImpl<int64_t> *guards) {
  SmallVector<Attribute> attrs;
  auto parseOne = [&](bool &present) -> ParseResult {
    OpAsmParser::UnresolvedOperand operand;
    OptionalParseResult parsed = parser.parseOptionalOperand(operand);
    present = parsed.has_value();
    if (!present)
      return success();
    AffineMap map;
    if (*parsed || parser.parseKeyword("at") || parser.parseAffineMap(map))
      return failure();
    if (guards) {
      if (parser.parseKeyword("guards"))
        return failure();
      guards->push_back(-1);
      if (failed(parser.parseOptionalStar()) &&
          parser.parseInteger(guards->back()))
        return failure();
    }
    if (parser.parseColonType(types.emplace_back()))
      return failure();
    operands.push_back(operand);
    attrs.push_back(AffineMapAttr::get(map));
    return success();
  };
  if (parseList(parser, parseOne))
    return failure();
  maps = parser.getBuilder().getArrayAttr(attrs);
  return success();
}

static ParseResult
parseWaitList(OpAsmParser &parser,
              SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
              SmallVectorImpl<Type> &types, ArrayAttr &maps,
              DenseI64ArrayAttr &guards) {
  SmallVector<int64_t> positions;
  if (parseEdges(parser, operands, types, maps, &positions))
    return failure();
  guards = parser.getBuilder().getDenseI64ArrayAttr(positions);
  return success();
}
static void printWaitList(OpAsmPrinter &printer, Operation *,
                          OperandRange operands, TypeRange types,
                          ArrayAttr maps, DenseI64ArrayAttr guards) {
  llvm::interleaveComma(
      llvm::zip(operands, types, maps, guards.asArrayRef()), printer,
      [&](auto it) {
        auto [operand, type, map, guard] = it;
        printer << operand << " at " << cast<AffineMapAttr>(map).getValue()
                << " guards ";
        if (guard < 0)
          printer << "*";
        else
          printer << guard;
        printer << " : " << type;
      });
}

static ParseResult
parseNotifyList(OpAsmParser &parser,
                SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands,
                SmallVectorImpl<Type> &types, ArrayAttr &maps) {
  return parseEdges(parser, operands, types, maps, /*guards=*/nullptr);
}
static void printNotifyList(OpAsmPrinter &printer, Operation *,
                            OperandRange operands, TypeRange types,
                            ArrayAttr maps) {
  llvm::interleaveComma(
      llvm::zip(operands, types, maps), printer, [&](auto it) {
        auto [operand, type, map] = it;
        printer << operand << " at " << cast<AffineMapAttr>(map).getValue()
                << " : " << type;
      });
}

#define GET_OP_CLASSES
#include "dialects/task/TaskOps.cpp.inc"

//===----------------------------------------------------------------------===//
// GraphOp
//===----------------------------------------------------------------------===//

void GraphOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                    ArrayAttr symbols) {
  state.addAttribute(mlir::SymbolTable::getSymbolAttrName(),
                     builder.getStringAttr(name));
  state.addAttribute(getSymbolsAttrName(state.name), symbols);
  state.addRegion()->emplaceBlock();
}

SmallVector<LaunchOp, 0> GraphOp::getLaunches() {
  return llvm::to_vector<0>(getBody().getOps<LaunchOp>());
}

LogicalResult GraphOp::verify() {
  llvm::StringSet<> symbols;
  for (auto symbol : getSymbols().getAsRange<SymbolAttr>())
    if (!symbols.insert(symbol.getName()).second)
      return emitOpError("symbol '") << symbol.getName() << "' occurs twice";
  llvm::StringSet<> names;
  for (Operation &op : getBody().getOps()) {
    StringRef name;
    if (auto argument = dyn_cast<ArgumentOp>(op))
      name = argument.getName();
    else if (auto scratch = dyn_cast<ScratchOp>(op))
      name = scratch.getName();
    else
      continue;
    if (!names.insert(name).second)
      return op.emitOpError("T2: a buffer named '") << name << "' exists";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// ArgumentOp, ScratchOp
//===----------------------------------------------------------------------===//

static LogicalResult verifyBuffer(Operation *op, AffineMap shape,
                                  Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  auto graph = op->getParentOfType<GraphOp>();
  if (!type.getLayout().isIdentity())
    return op->emitOpError("T1: a buffer has the identity layout, got ")
           << type;
  if (shape.getNumDims() != 0 || shape.getNumResults() != type.getRank() ||
      shape.getNumSymbols() > graph.getNumSymbols())
    return op->emitOpError("T1: expects a shape map of at most ")
           << graph.getNumSymbols() << " symbols with " << type.getRank()
           << " results";
  for (auto [expr, extent] : llvm::zip(shape.getResults(), type.getShape())) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (ShapedType::isDynamic(extent)
            ? bool(constant)
            : !constant || constant.getValue() != extent)
      return op->emitOpError("T1: the shape map does not match ") << type;
  }
  return success();
}

LogicalResult ArgumentOp::verify() {
  if (getRole() == Role::scratch)
    return emitOpError("T2: an argument is not scratch; use task.scratch");
  if (getLayout() != Layout::row_major && getRole() != Role::weight)
    return emitOpError("T2: only a weight has a layout of its own");
  if (getStack() && getRole() != Role::weight)
    return emitOpError("T2: only a weight is a stack");
  if (isTagged(getBuffer().getType()))
    return emitOpError("T16: only scratch buffers are tagged");
  return verifyBuffer(*this, getShape(), getBuffer());
}

LogicalResult ScratchOp::verify() {
  if (getOffset() && (*getOffset() < 0 || *getOffset() % 256 != 0))
    return emitOpError("T3: expects an offset that is a multiple of 256, got ")
           << *getOffset();
  auto type = cast<MemRefType>(getBuffer().getType());
  if (isTagged(type) && !fillsWords(type))
    return emitOpError("T16: a tagged buffer has elements of 16 or 32 bits and, "
                       "of 16, an even number in a row; got ")
           << type;
  return verifyBuffer(*this, getShape(), getBuffer());
}

//===----------------------------------------------------------------------===//
// LaunchOp
//===----------------------------------------------------------------------===//

void LaunchOp::build(OpBuilder &builder, OperationState &state, StringRef body,
                     AffineMap grid, ValueRange reads,
                     ArrayRef<RegionAttr> readRegions, ValueRange writes,
                     ArrayRef<RegionAttr> writeRegions) {
  auto asArray = [&](ArrayRef<RegionAttr> regions) {
    return builder.getArrayAttr(
        SmallVector<Attribute>(regions.begin(), regions.end()));
  };
  ArrayAttr none = builder.getArrayAttr({});
  build(builder, state, FlatSymbolRefAttr::get(builder.getContext(), body),
        AffineMapAttr::get(grid), reads, writes, /*waits=*/ValueRange(),
        /*notifies=*/ValueRange(), asArray(readRegions), asArray(writeRegions),
        /*wait_maps=*/none, builder.getDenseI64ArrayAttr({}),
        /*notify_maps=*/none, /*affinity=*/AffineMapAttr());
}

FuncOp LaunchOp::getBodyFunc() {
  return SymbolTable::lookupNearestSymbolFrom<FuncOp>(
      (*this)->getParentOp()->getParentOp(), getBodyAttr());
}

static ArrayAttr appendMap(ArrayAttr array, AffineMap map) {
  SmallVector<Attribute> attrs(array.begin(), array.end());
  attrs.push_back(AffineMapAttr::get(map));
  return ArrayAttr::get(map.getContext(), attrs);
}
static ArrayAttr eraseAt(ArrayAttr array, unsigned i) {
  SmallVector<Attribute> attrs(array.begin(), array.end());
  attrs.erase(attrs.begin() + i);
  return ArrayAttr::get(array.getContext(), attrs);
}

void LaunchOp::addWait(Value event, AffineMap map, int64_t guard) {
  getWaitsMutable().append(event);
  setWaitMapsAttr(appendMap(getWaitMaps(), map));
  SmallVector<int64_t> guards(getGuards());
  guards.push_back(guard);
  setGuards(guards);
}

void LaunchOp::addNotify(Value event, AffineMap map) {
  getNotifiesMutable().append(event);
  setNotifyMapsAttr(appendMap(getNotifyMaps(), map));
}

void LaunchOp::removeWait(unsigned i) {
  getWaitsMutable().erase(i);
  setWaitMapsAttr(eraseAt(getWaitMaps(), i));
  SmallVector<int64_t> guards(getGuards());
  guards.erase(guards.begin() + i);
  setGuards(guards);
}

void LaunchOp::removeNotify(unsigned i) {
  getNotifiesMutable().erase(i);
  setNotifyMapsAttr(eraseAt(getNotifyMaps(), i));
}

void LaunchOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : getReadsMutable())
    effects.emplace_back(MemoryEffects::Read::get(), &operand);
  for (OpOperand &operand : getWritesMutable()) {
    effects.emplace_back(MemoryEffects::Read::get(), &operand);
    effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
  // Events order launches: a launch is never dead and never moves.
  effects.emplace_back(MemoryEffects::Write::get());
}

/// The buffer that `value` is, or that it is a view of.
static Value getViewedBuffer(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  return value;
}

static LogicalResult verifyEdges(LaunchOp launch, StringRef what,
                                 OperandRange events, ArrayAttr maps) {
  if (events.size() != maps.size())
    return launch.emitOpError("T5: expects one map per event in ") << what;
  for (auto [event, attr] : llvm::zip(events, maps)) {
    AffineMap map = cast<AffineMapAttr>(attr).getValue();
    auto type = cast<event::EventTensorType>(event.getType());
    if (map.getNumDims() != launch.getGridRank() ||
        map.getNumResults() != type.getRank())
      return launch.emitOpError("T5: the map ")
             << AffineMapAttr::get(map) << " in " << what << " does not lead from a grid of "
             << launch.getGridRank() << " dimensions to " << type;
  }
  return success();
}

/// An edge that is the body's own: it carries the value.
static bool isDataEdge(Value event) {
  return cast<event::EventTensorType>(event.getType()).getCarrier() ==
         event::Carrier::data;
}

LogicalResult LaunchOp::verify() {
  auto verifyRegions = [&](OperandRange operands,
                           ArrayAttr regions) -> LogicalResult {
    if (operands.size() != regions.size())
      return emitOpError("T5: expects one region per operand");
    for (auto [operand, attr] : llvm::zip(operands, regions)) {
      auto region = cast<RegionAttr>(attr);
      int64_t rank = cast<MemRefType>(operand.getType()).getRank();
      if (static_cast<int64_t>(region.getSizes().size()) != rank ||
          region.getOffsets().getNumDims() != getGridRank())
        return emitOpError("T5: the region ")
               << region << " does not lead from a grid of " << getGridRank()
               << " dimensions to a buffer of rank " << rank;
    }
    return success();
  };
  for (auto region : getReadRegions().getAsRange<RegionAttr>())
    if (region.getIsDisjoint())
      return emitOpError("T18: a region that is only read is not disjoint");
  unsigned numSymbols = (*this)->getParentOfType<GraphOp>().getNumSymbols();
  if (getGrid().getNumDims() != 0 || getGrid().getNumSymbols() > numSymbols)
    return emitOpError("T5: the grid is a map of the graph's ")
           << numSymbols << " symbols";
  if (failed(verifyRegions(getReads(), getReadRegions())) ||
      failed(verifyRegions(getWrites(), getWriteRegions())) ||
      failed(verifyEdges(*this, "waits", getWaits(), getWaitMaps())) ||
      failed(verifyEdges(*this, "notifies", getNotifies(), getNotifyMaps())))
    return failure();
  int64_t operands = getReads().size() + getWrites().size();
  if (getGuards().size() != getWaits().size())
    return emitOpError("T6: expects one guard per wait");
  for (auto [guard, event] : llvm::zip(getGuards(), getWaits()))
    if (guard >= 0 && isDataEdge(event))
      return emitOpError("T6: a wait on a data event tensor guards *: it orders "
                         "nothing but its value");
  for (int64_t guard : getGuards())
    if (guard < -1 || guard >= operands)
      return emitOpError("T6: guard ")
             << guard << " is not the position of one of " << operands
             << " operands";
  for (Value written : getWrites())
    if (auto argument = getViewedBuffer(written).getDefiningOp<ArgumentOp>())
      if (argument.getRole() == Role::weight ||
          argument.getRole() == Role::input)
        return emitOpError("T7: writes '")
               << argument.getName() << "', which is read only";
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto func = symbols.lookupNearestSymbolFrom<FuncOp>(
      (*this)->getParentOp()->getParentOp(), getBodyAttr());
  if (!func)
    return emitOpError("T4: no task.func named ") << getBodyAttr();
  SmallVector<Type> expected(getGridRank(), IndexType::get(getContext()));
  auto addViews = [&](OperandRange operands, ArrayAttr regions) {
    for (auto [operand, attr] : llvm::zip(operands, regions))
      expected.push_back(cast<RegionAttr>(attr).getViewType(
          cast<MemRefType>(operand.getType())));
  };
  addViews(getReads(), getReadRegions());
  addViews(getWrites(), getWriteRegions());
  auto entry =
      event::EventTensorType::get(getContext(), {}, event::Carrier::data);
  for (OperandRange edges : {getWaits(), getNotifies()})
    expected.append(llvm::count_if(edges, isDataEdge), entry);
  if (func.getArgumentTypes() != ArrayRef<Type>(expected)) {
    InFlightDiagnostic diag =
        emitOpError("T4: the body's parameters are not the grid coordinates, "
                    "the views of the regions and the entries of data edges");
    diag.attachNote(func.getLoc())
        << "expected " << FunctionType::get(getContext(), expected, {})
        << ", got " << func.getFunctionType();
    return diag;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// FuncOp
//===----------------------------------------------------------------------===//

void FuncOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                   FunctionType type) {
  state.addAttribute(SymbolTable::getSymbolAttrName(),
                     builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  Block &entry = state.addRegion()->emplaceBlock();
  for (Type input : type.getInputs())
    entry.addArgument(input, state.location);
}

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &state) {
  auto buildType = [](Builder &builder, ArrayRef<Type> inputs,
                      ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag, std::string &) {
    return builder.getFunctionType(inputs, results);
  };
  return function_interface_impl::parseFunctionOp(
      parser, state, /*allowVariadic=*/false,
      getFunctionTypeAttrName(state.name), buildType,
      getArgAttrsAttrName(state.name), getResAttrsAttrName(state.name));
}

void FuncOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

ReadyOp FuncOp::getReady() {
  if (getBody().empty())
    return {};
  auto ready = getBody().front().getOps<ReadyOp>();
  return ready.empty() ? ReadyOp() : *ready.begin();
}

LogicalResult FuncOp::verify() {
  if (getFunctionType().getNumResults() != 0)
    return emitOpError("T8: the body of a task has no results");
  unsigned count = 0;
  getBody().walk([&](ReadyOp) { ++count; });
  ReadyOp ready = getReady();
  if (count > 1 || (count == 1 && !ready))
    return emitOpError("T8: at most one task.ready, in the entry block");
  WalkResult nested = getBody().walk([&](event::ReceiveOp receive) -> WalkResult {
    if (receive->getBlock() != &getBody().front())
      return receive.emitOpError("T8: stands outside of the entry block");
    return success();
  });
  if (nested.wasInterrupted())
    return failure();
  for (BlockArgument parameter :
       isExternal() ? ArrayRef<BlockArgument>() : getArguments())
    if (isa<event::EventTensorType>(parameter.getType()))
      for (Operation *user : parameter.getUsers())
        if (!isa<event::PublishOp, event::ReceiveOp>(user))
          return user->emitOpError("T8: uses the entry of a data edge; a body "
                                   "receives from it or publishes to it");
  for (auto part : getBody().getOps<StreamPartOp>())
    if (!ready || !part->isBeforeInBlock(ready))
      return part.emitOpError("T8: stands before task.ready");
  if (!ready)
    return success();
  for (Operation &op : getBody().front()) {
    if (&op == ready)
      break;
    if (!isa<StreamOp, StreamPartOp, PrefetchPartOp>(op) &&
        !isMemoryEffectFree(&op))
      return op.emitOpError("T8: may not run before task.ready");
  }
  return success();
}

//===----------------------------------------------------------------------===//
// StreamOp
//===----------------------------------------------------------------------===//

static LogicalResult verifyPace(Operation *op, std::optional<int64_t> pace) {
  if (pace && *pace <= 0)
    return op->emitOpError("T9: a pace is a positive number of ns for a MiB");
  return success();
}

LogicalResult StreamOp::verify() {
  if (getStream().getType().getTile() != getSource().getType())
    return emitOpError("T9: streams ")
           << getSource().getType() << " as " << getStream().getType();
  if (!getStream().hasOneUse() && !getStream().use_empty())
    return emitOpError("T9: a stream has one consumer");
  return verifyPace(*this, getPace());
}

//===----------------------------------------------------------------------===//
// StreamPartOp
//===----------------------------------------------------------------------===//

bool etc::task::hasContiguousRows(MemRefType cache) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(cache.getStridesAndOffset(strides, offset)) &&
         strides[4] == 1 && strides[3] == cache.getDimSize(4);
}

void StreamPartOp::drop() {
  for (Operation *user : llvm::make_early_inc_range(getStream().getUsers()))
    cast<SplitAttentionOp>(user).getStreamMutable().clear();
  erase();
}

LogicalResult StreamPartOp::verify() {
  if (failed(verifyPace(*this, getPace())))
    return failure();
  if (getStream().getType().getTile() != getCache().getType())
    return emitOpError("T9: streams ")
           << getCache().getType() << " as " << getStream().getType();
  auto table = dyn_cast<MemRefType>(getBlockTable().getType()),
       cache = dyn_cast<MemRefType>(getCache().getType());
  if (!table || !cache || table.getRank() != 2 || cache.getRank() != 5 ||
      table.getDimSize(0) != 1 || cache.getDimSize(1) != 1)
    return emitOpError("T9: streams of one sequence and one head");
  if (!hasContiguousRows(cache))
    return emitOpError("T9: streams rows that follow each other");
  if (getStream().use_empty())
    return success();
  auto split = dyn_cast<SplitAttentionOp>(*getStream().user_begin());
  auto partial = split ? dyn_cast<MemRefType>(split.getPartial().getType())
                       : MemRefType();
  if (!getStream().hasOneUse() || !split || !split.attendsTo(getOperands()) ||
      split.getParts() != getParts() || !partial || partial.getRank() != 4 ||
      partial.getDimSize(2) != 1)
    return emitOpError("T9: one task.split_attention of the same part takes "
                       "what it streams");
  return success();
}

//===----------------------------------------------------------------------===//
// ScheduleOp
//===----------------------------------------------------------------------===//

LogicalResult ScheduleOp::verify() {
  ArrayRef<int32_t> offsets = getOffsets(), runs = getRuns();
  if (runs.size() % 4 != 0)
    return emitOpError("T10: a run has four words, got ")
           << runs.size() << " words";
  if (offsets.size() < 2 || offsets.front() != 0 ||
      offsets.back() != static_cast<int32_t>(runs.size() / 4) ||
      !llvm::is_sorted(offsets))
    return emitOpError("T10: offsets must ascend from 0 to the number of runs");
  for (size_t i = 0; i < runs.size(); i += 4)
    if (runs[i] < 0 || runs[i + 1] < 0 || runs[i + 2] <= 0 || runs[i + 3] <= 0)
      return emitOpError("T10: run ") << i / 4 << " is not {launch, first, "
                                      << "stride > 0, count > 0}";
  return success();
}

LogicalResult ScheduleOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if ((*this)->getParentOfType<ProgramOp>())
    return success(); // The graph is gone once its program exists.
  auto graph =
      symbols.lookupNearestSymbolFrom<GraphOp>(*this, getGraphAttr());
  if (!graph)
    return emitOpError("no task.graph named ") << getGraphAttr();
  if (getBucket().size() != graph.getNumSymbols())
    return emitOpError("T10: the bucket has ")
           << getBucket().size() << " bounds for " << graph.getNumSymbols()
           << " symbols";
  return success();
}
