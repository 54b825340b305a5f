//===- EventToCpu.cpp - Events between threads of one process
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Conversion/WorkerToLLVM.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace etc;

static WorkerNumber getWorkerNumber(OpBuilder &builder, Location loc,
                                    Value context) {
  auto load = [&](Field field) {
    return castToIndex(builder, loc, loadField(builder, loc, context, field));
  };
  return {load(Field::worker), load(Field::workers)};
}

/// Calls a function of the runtime (lib/Target/CpuRuntime.h).
static LLVM::CallOp callRuntime(ConversionPatternRewriter &rewriter,
                                Operation *op, StringRef name, Type result,
                                ValueRange arguments) {
  Operation *table = SymbolTable::getNearestSymbolTable(op);
  auto func = LLVM::lookupOrCreateFn(
      rewriter, table, name, llvm::to_vector(arguments.getTypes()), result);
  assert(succeeded(func) && "the runtime's names are its own");
  return LLVM::CallOp::create(rewriter, op->getLoc(), *func, arguments);
}

/// The slow path of a wait: true once the 32-bit word at `address` has come to
/// `target`, false when the step is being ended.
static Value callWait(ConversionPatternRewriter &rewriter, Operation *op,
                      const EventDescriptor &event, Value address, Value target,
                      Value entry) {
  Value number = castToI32(rewriter, op->getLoc(), entry);
  return callRuntime(rewriter, op, "etc_wait", rewriter.getI1Type(),
                     {event.context, address, target, event.row, number})
      .getResult();
}

static Value loadAtomic(OpBuilder &builder, Location loc, unsigned bits,
                        Value address, LLVM::AtomicOrdering ordering) {
  return LLVM::LoadOp::create(builder, loc, builder.getIntegerType(bits),
                              address, /*alignment=*/bits / 8,
                              /*isVolatile=*/false, /*isNonTemporal=*/false,
                              /*isInvariant=*/false,
                              /*isInvariantGroup=*/false, ordering);
}

static void clear(OpBuilder &builder, Location loc, ClearedWords cleared) {
  Value four = arith::ConstantIndexOp::create(builder, loc, 4);
  Value bytes = arith::MulIOp::create(builder, loc, cleared.words, four);
  bytes = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), bytes);
  Value zero =
      LLVM::ConstantOp::create(builder, loc, builder.getI8IntegerAttr(0));
  LLVM::MemsetOp::create(builder, loc, cleared.begin, zero, bytes,
                         /*isVolatile=*/false);
}

/// What the worker has of words that all of them share out.
static ClearedWords getShare(OpBuilder &builder, Location loc, ClearedWords all,
                             WorkerNumber number) {
  auto getBound = [&](Value worker) -> Value {
    Value words = arith::MulIOp::create(builder, loc, worker, all.words);
    return arith::DivUIOp::create(builder, loc, words, number.workers);
  };
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value begin = getBound(number.worker);
  Value end = getBound(arith::AddIOp::create(builder, loc, number.worker, one));
  return {getWordAddress(builder, loc, all.begin, begin),
          arith::SubIOp::create(builder, loc, end, begin)};
}

namespace {
struct LowerNotify : OpConversionPattern<event::NotifyOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::NotifyOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (op.getDevice())
      return rewriter.notifyMatchFailure(op, "a CPU has no other devices");
    Location loc = op.getLoc();
    auto event = EventDescriptor::unpack(
        rewriter, loc, op.getTensor().getType(), adaptor.getTensor());
    Value entry = event.getEntry(rewriter, loc, adaptor.getIndices());
    Value by = arith::ConstantOp::create(rewriter, loc, op.getByAttr());
    LLVM::AtomicRMWOp::create(rewriter, loc, LLVM::AtomicBinOp::add,
                              event.getAddress(rewriter, loc, entry), by,
                              LLVM::AtomicOrdering::release);
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerWait : OpConversionPattern<event::WaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::WaitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto event = EventDescriptor::unpack(
        rewriter, loc, op.getTensor().getType(), adaptor.getTensor());
    Value entry = event.getEntry(rewriter, loc, adaptor.getIndices());
    Value address = event.getAddress(rewriter, loc, entry);
    Value target = event.getTarget(rewriter, loc, adaptor.getCount());
    Value seen =
        loadAtomic(rewriter, loc, 32, address, LLVM::AtomicOrdering::acquire);
    // Signed, so that it holds across the wrap of both.
    Value ahead = arith::SubIOp::create(rewriter, loc, seen, target);
    Value zero =
        arith::ConstantOp::create(rewriter, loc, rewriter.getI32IntegerAttr(0));
    Value reached = arith::CmpIOp::create(
        rewriter, loc, arith::CmpIPredicate::sge, ahead, zero);
    auto ifOp = scf::IfOp::create(rewriter, loc, rewriter.getI1Type(), reached,
                                  /*withElseRegion=*/true);
    rewriter.setInsertionPointToStart(ifOp.thenBlock());
    scf::YieldOp::create(rewriter, loc, reached);
    rewriter.setInsertionPointToStart(ifOp.elseBlock());
    Value ok = callWait(rewriter, op, event, address, target, entry);
    scf::YieldOp::create(rewriter, loc, ok);
    rewriter.replaceOp(op, ifOp);
    return success();
  }
};

/// The 64-bit scalar of a data tensor: the epoch above the value.
struct LowerPublish : OpConversionPattern<event::PublishOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::PublishOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto event = EventDescriptor::unpack(
        rewriter, loc, op.getTensor().getType(), adaptor.getTensor());
    Value entry = event.getEntry(rewriter, loc, adaptor.getIndices());
    Value epoch = loadField(rewriter, loc, event.context, Field::epoch);
    Type i64 = rewriter.getI64Type();
    Value low = arith::ExtUIOp::create(rewriter, loc, i64, adaptor.getValue());
    Value high = arith::ExtUIOp::create(rewriter, loc, i64, epoch);
    Value shift = arith::ConstantOp::create(rewriter, loc,
                                            rewriter.getI64IntegerAttr(32));
    high = arith::ShLIOp::create(rewriter, loc, high, shift);
    Value both = arith::OrIOp::create(rewriter, loc, high, low);
    LLVM::StoreOp::create(rewriter, loc, both,
                          event.getAddress(rewriter, loc, entry),
                          /*alignment=*/8, /*isVolatile=*/false,
                          /*isNonTemporal=*/false, /*isInvariantGroup=*/false,
                          LLVM::AtomicOrdering::monotonic);
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerReceive : OpConversionPattern<event::ReceiveOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::ReceiveOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto event = EventDescriptor::unpack(
        rewriter, loc, op.getTensor().getType(), adaptor.getTensor());
    Value entry = event.getEntry(rewriter, loc, adaptor.getIndices());
    Value address = event.getAddress(rewriter, loc, entry);
    Value epoch = loadField(rewriter, loc, event.context, Field::epoch);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value tag = getWordAddress(rewriter, loc, address, one);
    // The epoch of a monotonic tensor is its target, so a tag is waited for
    // like a counter; the value is what the scalar holds afterwards.
    Value ok = callWait(rewriter, op, event, tag, epoch, entry);
    Value both =
        loadAtomic(rewriter, loc, 64, address, LLVM::AtomicOrdering::monotonic);
    Value value =
        arith::TruncIOp::create(rewriter, loc, rewriter.getI32Type(), both);
    rewriter.replaceOp(op, {value, ok});
    return success();
  }
};

struct LowerClear : OpConversionPattern<event::ClearOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::ClearOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto event = EventDescriptor::unpack(
        rewriter, op.getLoc(), op.getTensor().getType(), adaptor.getTensor());
    clear(rewriter, op.getLoc(), getClearedBank(rewriter, op.getLoc(), event));
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerClearBanks : OpConversionPattern<task::ClearBanksOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::ClearBanksOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value context = adaptor.getWorker();
    WorkerNumber number = getWorkerNumber(rewriter, loc, context);
    ClearedWords all = getClearedBanks(rewriter, loc, context, op.getWords());
    clear(rewriter, loc, getShare(rewriter, loc, all, number));
    rewriter.eraseOp(op);
    return success();
  }
};

/// A thread needs nothing but its context.
struct LowerEnterStep : OpConversionPattern<task::EnterStepOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::EnterStepOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerMark : OpConversionPattern<task::MarkOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::MarkOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value finished = arith::ConstantOp::create(
        rewriter, loc, rewriter.getI32IntegerAttr(op.getFinished()));
    callRuntime(
        rewriter, op, "etc_mark", LLVM::LLVMVoidType::get(op.getContext()),
        {adaptor.getWorker(), castToI32(rewriter, loc, adaptor.getLaunch()),
         castToI32(rewriter, loc, adaptor.getTask()), finished});
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void etc::populateEventToCpuPatterns(const TypeConverter &converter,
                                     RewritePatternSet &patterns) {
  populateWorkerToLLVMPatterns(converter, getWorkerNumber, patterns);
  patterns.add<LowerNotify, LowerWait, LowerPublish, LowerReceive, LowerClear,
               LowerClearBanks, LowerEnterStep, LowerMark>(
      converter, patterns.getContext());
}
