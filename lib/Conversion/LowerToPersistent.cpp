//===- LowerToPersistent.cpp - From scheduled graphs to the loop of a worker
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/LaunchOrder.h"
#include "lib/Conversion/Passes.h"
#include "lib/Conversion/PersistentBodies.h"
#include "lib/Conversion/PersistentTables.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/StringSet.h"

namespace etc {
#define GEN_PASS_DEF_LOWERTOPERSISTENTPASS
#include "lib/Conversion/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

//===----------------------------------------------------------------------===//
// The worker
//===----------------------------------------------------------------------===//

namespace {
/// An entry of an event tensor.
struct Entry {
  Value tensor;
  SmallVector<Value> indices;
};

/// Writes the function of one role of a graph.
class WorkerWriter {
public:
  WorkerWriter(OpBuilder &builder, GraphOp graph,
               const PersistentTables &tables, WorkerRole role, bool trace,
               bool marks)
      : b(builder), loc(graph.getLoc()), graph(graph), tables(tables),
        role(role), trace(trace && role != WorkerRole::loader),
        marks((trace || marks) && role != WorkerRole::loader) {}

  void write();

private:
  void writeSteps();
  /// Whether a loader streams what steps of the same launch write.
  bool followsSteps() {
    return tables.getJoinRow() >= 0 &&
           llvm::any_of(tables.getKinds(), [](LaunchOp kind) {
             return streamsParts(kind.getBodyFunc());
           });
  }
  Value writeStep();
  Value writeJoin(Value ok, Value another);
  Value writeKinds(Value launch, Value kind, Value first, Value stride,
                   Value count);
  Value writeTasks(LaunchOp kind, Value launch, Value first, Value stride,
                   Value count);
  Value writeTask(LaunchOp kind, Value launch, Value task);
  Value writeReadyTask(LaunchOp kind, Value launch, Value task,
                       ValueRange coordinates);
  SmallVector<Value> writeCoordinates(AffineMap grid, Value task);
  Value writeInside(AffineMap grid, ValueRange coordinates);
  Value writeView(Value operand, RegionAttr region, Value launch,
                  int64_t position, ValueRange coordinates);
  Value writeWaits(LaunchOp kind, Value launch, ValueRange views,
                   ValueRange coordinates);
  SmallVector<Entry> locateNotifies(LaunchOp kind, Value launch,
                                    ValueRange coordinates);
  void addEntries(SmallVectorImpl<Value> &arguments, LaunchOp kind,
                  Value launch, ValueRange coordinates);
  Value writeBody(LaunchOp kind, Value launch, Value task,
                  ArrayRef<Entry> notifies, ValueRange arguments);
  Value writeEvent(Value tensor, Value launch, int64_t position);
  void writeMark(Value launch, Value task, bool finished = false);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value boolean(bool value) {
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
  }
  Value less(Value a, Value b_) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, a, b_);
  }
  Value add(Value a, Value b_) { return arith::AddIOp::create(b, loc, a, b_); }
  /// Numbers of runs and tasks live as long as a body, and a GPU needs two
  /// registers for an index.
  Value toI32(Value index) {
    return arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
  }
  Value fromI32(Value number) {
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), number);
  }
  Value i32(int32_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  /// Each result of `map` at `dims`, the symbols being those of this step or
  /// the bounds of its bucket.
  SmallVector<OpFoldResult> evaluate(AffineMap map, ValueRange dims,
                                     ValueRange symbols);
  SmallVector<Value> evaluateToValues(AffineMap map, ValueRange dims,
                                      ValueRange symbols) {
    return getValueOrCreateConstantIndexOp(b, loc,
                                           evaluate(map, dims, symbols));
  }
  /// The extents of the dynamic dimensions of `shape`, whose map is `map`.
  SmallVector<Value> evaluateDynamic(AffineMap map, ArrayRef<int64_t> shape);

  OpBuilder &b;
  Location loc;
  GraphOp graph;
  const PersistentTables &tables;
  WorkerRole role;
  bool trace, marks;
  Value worker;
  Value isFirst; // whether the run has had no task yet
  SmallVector<Value> actual, bucket;
};
} // namespace

SmallVector<OpFoldResult> WorkerWriter::evaluate(AffineMap map, ValueRange dims,
                                                 ValueRange symbols) {
  SmallVector<OpFoldResult> operands(dims.begin(), dims.end());
  llvm::append_range(operands, symbols.take_front(map.getNumSymbols()));
  return affine::makeComposedFoldedMultiResultAffineApply(b, loc, map,
                                                          operands);
}

SmallVector<Value> WorkerWriter::evaluateDynamic(AffineMap map,
                                                 ArrayRef<int64_t> shape) {
  SmallVector<AffineExpr> exprs;
  for (auto [expr, extent] : llvm::zip(map.getResults(), shape))
    if (ShapedType::isDynamic(extent))
      exprs.push_back(expr);
  return evaluateToValues(
      AffineMap::get(0, map.getNumSymbols(), exprs, b.getContext()), {},
      actual);
}

void WorkerWriter::write() {
  OpBuilder::InsertionGuard guard(b);
  auto type = b.getFunctionType(WorkerType::get(b.getContext()), {});
  auto func = func::FuncOp::create(
      b, loc, (graph.getSymName() + "_" + stringifyRole(role)).str(), type);
  b.setInsertionPointToStart(func.addEntryBlock());
  worker = func.getArgument(0);
  if (tables.getJoinRow() < 0)
    writeStep();
  else
    writeSteps();
  func::ReturnOp::create(b, loc);
}

/// The steps of a launch, the workers joined between two. A loader goes on: the
/// weights that it streams wait for nothing.
void WorkerWriter::writeSteps() {
  auto isLeft = [&](OpBuilder &, Location, ValueRange args) {
    scf::ConditionOp::create(b, loc, args[1], args[0]);
  };
  auto runOne = [&](OpBuilder &, Location, ValueRange args) {
    worker = args[0];
    Value ok = writeStep();
    Value another = less(index(1), StepsLeftOp::create(b, loc, worker));
    if (role != WorkerRole::loader)
      ok = writeJoin(ok, another);
    Value next = NextStepOp::create(b, loc, worker);
    Value more = arith::AndIOp::create(b, loc, ok, another);
    if (role != WorkerRole::loader)
      scf::IfOp::create(b, loc, more, [&](OpBuilder &, Location) {
        EnterStepOp::create(b, loc, next, IntegerAttr(), IntegerAttr(),
                            followsSteps());
        scf::YieldOp::create(b, loc);
      });
    else if (followsSteps())
      LoaderStepOp::create(b, loc, next);
    scf::YieldOp::create(b, loc, ValueRange{next, more});
  };
  scf::WhileOp::create(b, loc, TypeRange(worker.getType()),
                       ValueRange{worker, boolean(true)}, isLeft, runOne);
}

/// Ends a step that went well, and waits for all workers if there is another;
/// false if a wait failed.
Value WorkerWriter::writeJoin(Value ok, Value another) {
  auto type =
      event::EventTensorType::get(b.getContext(), {}, event::Carrier::counter);
  Value event = JoinOp::create(b, loc, type, worker, tables.getJoinRow());
  auto wait = [&](OpBuilder &, Location) {
    Value workers = arith::ConstantOp::create(
        b, loc, b.getI32IntegerAttr(tables.getJoinedWorkers()));
    Value reached =
        event::WaitOp::create(b, loc, event, ValueRange(), workers, {});
    scf::YieldOp::create(b, loc, reached);
  };
  auto leave = [&](bool result) {
    return [this, result](OpBuilder &, Location) {
      scf::YieldOp::create(b, loc, boolean(result));
    };
  };
  auto end = [&](OpBuilder &, Location) {
    event::NotifyOp::create(b, loc, event, ValueRange());
    Value reached =
        scf::IfOp::create(b, loc, another, wait, leave(true)).getResult(0);
    scf::YieldOp::create(b, loc, reached);
  };
  return scf::IfOp::create(b, loc, ok, end, leave(false)).getResult(0);
}

/// One step; false if a wait failed.
Value WorkerWriter::writeStep() {
  actual.clear();
  bucket.clear();
  for (unsigned i = 0; i < graph.getNumSymbols(); ++i) {
    actual.push_back(SymbolValueOp::create(b, loc, worker, i, false));
    bucket.push_back(SymbolValueOp::create(b, loc, worker, i, true));
  }
  if (tables.getBankWords() && role != WorkerRole::loader)
    ClearBanksOp::create(b, loc, worker, tables.getBankWords());
  auto range = RunsOp::create(b, loc, worker);
  Value begin = toI32(range.getBegin()), end = toI32(range.getEnd());
  auto isLeft = [&](OpBuilder &, Location, ValueRange args) {
    Value more = arith::AndIOp::create(b, loc, less(args[0], end), args[1]);
    scf::ConditionOp::create(b, loc, more, args);
  };
  auto runOne = [&](OpBuilder &, Location, ValueRange args) {
    auto run = RunOp::create(b, loc, worker, fromI32(args[0]),
                             tables.getLaunchWidth(), IntegerAttr());
    Value ok = writeKinds(run.getLaunch(), run.getKind(), toI32(run.getFirst()),
                          toI32(run.getStride()), toI32(run.getCount()));
    scf::YieldOp::create(b, loc, ValueRange{add(args[0], i32(1)), ok});
  };
  auto loop =
      scf::WhileOp::create(b, loc, {b.getI32Type(), b.getI1Type()},
                           ValueRange{begin, boolean(true)}, isLeft, runOne);
  return loop.getResult(1);
}

/// Runs the tasks of one run; false if a wait failed.
Value WorkerWriter::writeKinds(Value launch, Value kind, Value first,
                               Value stride, Value count) {
  ArrayRef<LaunchOp> kinds = tables.getKinds();
  SmallVector<int64_t> cases;
  for (auto [number, launchOp] : llvm::enumerate(kinds))
    if (hasPart(LaunchOp(launchOp).getBodyFunc(), role))
      cases.push_back(number);
  auto dispatch = scf::IndexSwitchOp::create(b, loc, b.getI1Type(), kind, cases,
                                             cases.size());
  OpBuilder::InsertionGuard guard(b);
  for (auto [number, region] : llvm::zip(cases, dispatch.getCaseRegions())) {
    b.createBlock(&region);
    loc = LaunchOp(kinds[number]).getLoc();
    if (role == WorkerRole::loader && followsSteps() &&
        streamsParts(LaunchOp(kinds[number]).getBodyFunc())) {
      Value entered = AwaitStepOp::create(b, loc, worker);
      scf::IfOp::create(b, loc, entered, [&](OpBuilder &, Location) {
        writeTasks(kinds[number], launch, first, stride, count);
        scf::YieldOp::create(b, loc);
      });
      scf::YieldOp::create(b, loc, boolean(true));
      continue;
    }
    Value ok = writeTasks(kinds[number], launch, first, stride, count);
    scf::YieldOp::create(b, loc, ok);
  }
  // A loader has nothing to do for the kinds that it does not list.
  b.createBlock(&dispatch.getDefaultRegion());
  loc = graph.getLoc();
  scf::YieldOp::create(b, loc, boolean(role == WorkerRole::loader));
  return dispatch.getResult(0);
}

/// `first`, `stride` and `count` are i32.
Value WorkerWriter::writeTasks(LaunchOp kind, Value launch, Value first,
                               Value stride, Value count) {
  Value end = add(first, arith::MulIOp::create(b, loc, stride, count));
  if (role == WorkerRole::loader) {
    // Waits for nothing, so it cannot fail.
    auto loop = scf::ForOp::create(b, loc, first, end, stride);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    writeTask(kind, launch, fromI32(loop.getInductionVar()));
    b.setInsertionPointAfter(loop);
    return boolean(true);
  }
  auto isLeft = [&](OpBuilder &, Location, ValueRange args) {
    Value more = arith::AndIOp::create(b, loc, less(args[0], end), args[1]);
    scf::ConditionOp::create(b, loc, more, args);
  };
  // The run's first task is the first that is not skipped.
  auto runOne = [&](OpBuilder &, Location, ValueRange args) {
    isFirst = args[2];
    Value ok = writeTask(kind, launch, fromI32(args[0]));
    scf::YieldOp::create(b, loc, ValueRange{add(args[0], stride), ok, isFirst});
  };
  Value go = boolean(true);
  auto loop = scf::WhileOp::create(
      b, loc, {b.getI32Type(), b.getI1Type(), b.getI1Type()},
      ValueRange{first, go, go}, isLeft, runOne);
  return loop.getResult(1);
}

/// One task, if it lies in this step's grid; false if a wait failed.
Value WorkerWriter::writeTask(LaunchOp kind, Value launch, Value task) {
  AffineMap grid = kind.getGrid();
  SmallVector<Value> coordinates = writeCoordinates(grid, task);
  Value inside = writeInside(grid, coordinates);
  if (!inside) {
    Value ok = writeReadyTask(kind, launch, task, coordinates);
    isFirst = boolean(false);
    return ok;
  }
  auto ifOp = scf::IfOp::create(
      b, loc, inside,
      [&](OpBuilder &, Location) {
        Value ok = writeReadyTask(kind, launch, task, coordinates);
        scf::YieldOp::create(b, loc, ok);
      },
      [&](OpBuilder &, Location) {
        scf::YieldOp::create(b, loc, boolean(true));
      });
  if (isFirst) {
    Value skipped = arith::XOrIOp::create(b, loc, inside, boolean(true));
    isFirst = arith::AndIOp::create(b, loc, isFirst, skipped);
  }
  return ifOp.getResult(0);
}

/// The coordinates of a task in the bucket's grid, last dimension fastest.
SmallVector<Value> WorkerWriter::writeCoordinates(AffineMap grid, Value task) {
  SmallVector<Value> extents = evaluateToValues(grid, {}, bucket);
  SmallVector<Value> coordinates(extents.size());
  Value rest = task;
  for (int64_t dim = extents.size() - 1; dim > 0; --dim) {
    coordinates[dim] = arith::RemUIOp::create(b, loc, rest, extents[dim]);
    rest = arith::DivUIOp::create(b, loc, rest, extents[dim]);
  }
  if (!coordinates.empty())
    coordinates[0] = rest;
  return coordinates;
}

/// Whether the task lies in this step's grid; null if it always does.
Value WorkerWriter::writeInside(AffineMap grid, ValueRange coordinates) {
  Value inside;
  for (auto [dim, expr] : llvm::enumerate(grid.getResults())) {
    if (isa<AffineConstantExpr>(expr))
      continue;
    Value extent = evaluateToValues(grid.getSubMap(dim), {}, actual).front();
    Value fits = less(coordinates[dim], extent);
    inside = inside ? arith::AndIOp::create(b, loc, inside, fits) : fits;
  }
  return inside;
}

/// Waits, runs the body, notifies; false if a wait failed.
Value WorkerWriter::writeReadyTask(LaunchOp kind, Value launch, Value task,
                                   ValueRange coordinates) {
  SmallVector<Value> arguments(coordinates);
  int64_t position = 1;
  auto addViews = [&](OperandRange operands, ArrayAttr regions) {
    for (auto [operand, region] : llvm::zip(operands, regions))
      arguments.push_back(writeView(operand, cast<RegionAttr>(region), launch,
                                    position++, coordinates));
  };
  addViews(kind.getReads(), kind.getReadRegions());
  addViews(kind.getWrites(), kind.getWriteRegions());
  ValueRange views = ValueRange(arguments).drop_front(coordinates.size());
  // Before the waits, so that nothing but the release follows the last store.
  SmallVector<Entry> notifies = locateNotifies(kind, launch, coordinates);
  writeMark(launch, task);
  Value reached;
  if (role != WorkerRole::loader)
    reached = writeWaits(kind, launch, views, coordinates);
  addEntries(arguments, kind, launch, coordinates);
  if (!reached) {
    Value received = writeBody(kind, launch, task, notifies, arguments);
    return received ? received : boolean(true);
  }
  if (!hasReceives(kind.getBodyFunc())) {
    scf::IfOp::create(b, loc, reached, [&](OpBuilder &, Location) {
      writeBody(kind, launch, task, notifies, arguments);
      scf::YieldOp::create(b, loc);
    });
    return reached;
  }
  auto run = [&](OpBuilder &, Location) {
    scf::YieldOp::create(b, loc,
                         writeBody(kind, launch, task, notifies, arguments));
  };
  auto leave = [&](OpBuilder &, Location) {
    scf::YieldOp::create(b, loc, boolean(false));
  };
  return scf::IfOp::create(b, loc, reached, run, leave).getResult(0);
}

/// Calls the body and notifies. Returns whether all that the body receives has
/// come, null if it receives nothing.
Value WorkerWriter::writeBody(LaunchOp kind, Value launch, Value task,
                              ArrayRef<Entry> notifies, ValueRange arguments) {
  bool receives = role != WorkerRole::loader && hasReceives(kind.getBodyFunc());
  SmallVector<Value> all(arguments);
  if (role != WorkerRole::loader && hasFirst(kind.getBodyFunc()))
    all.push_back(isFirst);
  auto call = func::CallOp::create(
      b, loc, getBodyName(kind, tables.getKinds(), role),
      receives ? TypeRange(b.getI1Type()) : TypeRange(), all);
  auto finish = [&] {
    for (const Entry &entry : notifies)
      event::NotifyOp::create(b, loc, entry.tensor, entry.indices);
    if (trace)
      writeMark(launch, task, /*finished=*/true);
  };
  if (!receives) {
    finish();
    return Value();
  }
  scf::IfOp::create(b, loc, call.getResult(0), [&](OpBuilder &, Location) {
    finish();
    scf::YieldOp::create(b, loc);
  });
  return call.getResult(0);
}

void WorkerWriter::writeMark(Value launch, Value task, bool finished) {
  if (marks)
    MarkOp::create(b, loc, worker, launch, task, trace && !finished, finished);
}

/// The view of a task on an operand, clipped at the end of the buffer.
Value WorkerWriter::writeView(Value operand, RegionAttr region, Value launch,
                              int64_t position, ValueRange coordinates) {
  auto type = cast<MemRefType>(operand.getType());
  AffineMap shape = tables.getView(operand).shape;
  Value buffer = OperandOp::create(
      b, loc, type, worker, launch, position, tables.getLaunchWidth(),
      evaluateDynamic(shape, type.getShape()), IntegerAttr(), IntegerAttr());
  MemRefType viewType = region.getViewType(type);
  if (viewType == type)
    return buffer;
  SmallVector<OpFoldResult> offsets =
      evaluate(region.getOffsets(), coordinates, actual);
  SmallVector<OpFoldResult> sizes, strides(type.getRank(), b.getIndexAttr(1));
  MLIRContext *context = b.getContext();
  AffineExpr d0, s0;
  bindDims(context, d0);
  bindSymbols(context, s0);
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    OpFoldResult extent = evaluate(shape.getSubMap(dim), {}, actual).front();
    if (!viewType.isDynamicDim(dim)) {
      sizes.push_back(b.getIndexAttr(viewType.getDimSize(dim)));
    } else if (region.isWhole(dim)) {
      sizes.push_back(extent);
    } else {
      AffineExpr size = getAffineConstantExpr(region.getSizes()[dim], context);
      sizes.push_back(affine::makeComposedFoldedAffineMin(
          b, loc, AffineMap::get(1, 1, {size, s0 - d0}, context),
          {offsets[dim], extent}));
    }
  }
  auto inferred = cast<MemRefType>(
      memref::SubViewOp::inferResultType(type, offsets, sizes, strides));
  Value view = memref::SubViewOp::create(b, loc, inferred, buffer, offsets,
                                         sizes, strides);
  if (inferred != viewType)
    view = memref::CastOp::create(b, loc, viewType, view);
  return view;
}

Value WorkerWriter::writeEvent(Value tensor, Value launch, int64_t position) {
  auto create = tensor.getDefiningOp<event::CreateOp>();
  auto type = cast<event::EventTensorType>(tensor.getType());
  return EventOp::create(
      b, loc, type, worker, launch, position, tables.getLaunchWidth(),
      evaluateDynamic(create.getShape(), type.getShape()), IntegerAttr());
}

/// The entries of the edges on data tensors, which the body itself uses.
void WorkerWriter::addEntries(SmallVectorImpl<Value> &arguments, LaunchOp kind,
                              Value launch, ValueRange coordinates) {
  int64_t position = 1 + kind.getReads().size() + kind.getWrites().size();
  auto add = [&](OperandRange edges, ArrayAttr maps) {
    for (auto [tensor, map] :
         llvm::zip(edges, maps.getAsValueRange<AffineMapAttr>())) {
      if (analysis::isDataEdge(tensor)) {
        Value event = writeEvent(tensor, launch, position);
        arguments.push_back(event);
        arguments.append(evaluateToValues(map, coordinates, actual));
      }
      ++position;
    }
  };
  add(kind.getWaits(), kind.getWaitMaps());
  add(kind.getNotifies(), kind.getNotifyMaps());
}

/// Waits for every in-edge that is not the body's own; null without any. After
/// one has failed the others return at once, so that they need no branch of
/// their own.
Value WorkerWriter::writeWaits(LaunchOp kind, Value launch, ValueRange views,
                               ValueRange coordinates) {
  Value all;
  for (auto [i, tensor] : llvm::enumerate(kind.getWaits())) {
    if (analysis::isDataEdge(tensor))
      continue;
    Value event = writeEvent(tensor, launch, 1 + views.size() + i);
    AffineMap count = tensor.getDefiningOp<event::CreateOp>().getCount();
    Value wanted = arith::IndexCastOp::create(
        b, loc, b.getI32Type(), evaluateToValues(count, {}, actual).front());
    int64_t guard = kind.getGuards()[i];
    ValueRange guarded =
        guard < 0 ? ValueRange() : ValueRange(views).slice(guard, 1);
    Value reached = event::WaitOp::create(
        b, loc, event,
        evaluateToValues(kind.getWaitMap(i), coordinates, actual), wanted,
        guarded);
    all = all ? arith::AndIOp::create(b, loc, all, reached) : reached;
  }
  return all;
}

/// The entries that the worker notifies for the body.
SmallVector<Entry> WorkerWriter::locateNotifies(LaunchOp kind, Value launch,
                                                ValueRange coordinates) {
  SmallVector<Entry> entries;
  if (role == WorkerRole::loader)
    return entries;
  int64_t first = 1 + kind.getReads().size() + kind.getWrites().size() +
                  kind.getWaits().size();
  for (auto [i, tensor] : llvm::enumerate(kind.getNotifies()))
    if (!analysis::isDataEdge(tensor))
      entries.push_back(
          {writeEvent(tensor, launch, first + i),
           evaluateToValues(kind.getNotifyMap(i), coordinates, actual)});
  return entries;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct LowerToPersistent
    : etc::impl::LowerToPersistentPassBase<LowerToPersistent> {
  using LowerToPersistentPassBase::LowerToPersistentPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    parsedRoles.clear();
    for (StringRef name : roles) {
      std::optional<WorkerRole> role = parseRole(name);
      if (!role)
        return emitError(UnknownLoc::get(context))
               << "lower-to-persistent: role '" << name
               << "' is not worker, loader or consumer";
      parsedRoles.push_back(*role);
    }
    if (parsedRoles.empty())
      parsedRoles.push_back(WorkerRole::worker);
    return success();
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    OpBuilder builder(module.getContext());
    written.clear();
    for (GraphOp graph : module.getOps<GraphOp>())
      if (failed(lowerGraph(builder, graph)))
        return signalPassFailure();
    for (Operation &op : llvm::make_early_inc_range(module.getOps()))
      if (isa<GraphOp, ScheduleOp, FuncOp>(op))
        op.erase();
  }

private:
  LogicalResult lowerGraph(OpBuilder &builder, GraphOp graph);
  SmallVector<WorkerRole> parsedRoles;
  /// The bodies written so far, which graphs may share.
  llvm::StringSet<> written;
};
} // namespace

LogicalResult LowerToPersistent::lowerGraph(OpBuilder &builder, GraphOp graph) {
  SmallVector<ScheduleOp> schedules;
  for (auto schedule : getOperation().getOps<ScheduleOp>())
    if (schedule.getGraph() == graph.getSymName())
      schedules.push_back(schedule);
  if (schedules.empty())
    return graph.emitOpError("has no task.schedule; run schedule-static "
                             "before lower-to-persistent");
  llvm::sort(schedules, [](ScheduleOp a, ScheduleOp b) {
    ArrayRef<int64_t> x = a.getBucket(), y = b.getBucket();
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  });
  for (LaunchOp launch : graph.getLaunches())
    if (llvm::any_of(launch.getOperands(), analysis::isCarriedEdge))
      return launch.emitOpError(
          "waits for another step, or is waited for by "
          "one; run join-steps before lower-to-persistent");
  FailureOr<PersistentTables> tables = PersistentTables::get(graph);
  if (failed(tables))
    return failure();

  // The task.funcs go when all graphs are lowered: their functions take their
  // names, which clash until then.
  builder.setInsertionPoint(graph);
  for (WorkerRole role : parsedRoles)
    for (LaunchOp kind : tables->getKinds()) {
      std::string name = getBodyName(kind, tables->getKinds(), role);
      if (hasPart(kind.getBodyFunc(), role) && written.insert(name).second)
        createBody(builder, kind, name, role);
    }
  for (WorkerRole role : parsedRoles)
    WorkerWriter(builder, graph, *tables, role, trace, marks).write();
  tables->createProgram(builder, graph, schedules, trace);
  return success();
}
