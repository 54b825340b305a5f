//===- EventToNVVM.cpp - Events between blocks of one kernel
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All consumer threads of a block execute an event operation together; one of
// them touches the counter. A barrier of the consumers joins their writes
// before a release and hands an acquire on: causality order is transitive over
// bar.sync.
//
// LLVM 22 drops the ordering of `atomicrmw` on NVPTX, so the release is a PTX
// instruction of its own; loads, stores and cmpxchg keep theirs.
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "etc_runtime/abi.h"
#include "lib/Codegen/GpuBuilder.h"
#include "lib/Codegen/GpuWords.h"
#include "lib/Conversion/WorkerToLLVM.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

static constexpr unsigned kGlobal = 1;
// Syncscopes.
static constexpr StringLiteral kDevice = "device";
static constexpr StringLiteral kBlock = "block";
static constexpr StringLiteral kWaitFunc = "etc_wait";
static constexpr StringLiteral kReceiveFunc = "etc_receive";
/// Polls between two looks at the clock and at the other workers.
static constexpr int64_t kPollsPerCheck = 64;

static Value loadAtomic(GpuBuilder &b, Type type, Value pointer,
                        LLVM::AtomicOrdering ordering,
                        StringRef scope = kDevice) {
  return b.make<LLVM::LoadOp>(type, pointer, type.getIntOrFloatBitWidth() / 8,
                              false, false, false, false, ordering, scope);
}
static void storeAtomic(GpuBuilder &b, Value value, Value pointer,
                        LLVM::AtomicOrdering ordering,
                        StringRef scope = kDevice) {
  b.make<LLVM::StoreOp>(value, pointer,
                        value.getType().getIntOrFloatBitWidth() / 8, false,
                        false, false, ordering, scope);
}
static Value toNumber(GpuBuilder &b, Value pointer) {
  return b.make<LLVM::PtrToIntOp>(b.getI64Type(), pointer);
}
static Value boolean(GpuBuilder &b, bool value) {
  return b.make<arith::ConstantOp>(b.getBoolAttr(value));
}
static Value logicalNot(GpuBuilder &b, Value value) {
  return b.make<arith::XOrIOp>(value, boolean(b, true));
}
/// `(int)(seen - wanted) >= 0`: counters may wrap.
static Value isReached(GpuBuilder &b, Value seen, Value wanted) {
  Value distance = b.make<arith::SubIOp>(seen, wanted);
  return b.compare(arith::CmpIPredicate::sge, distance, b.i32(0));
}
static Value toGlobal(GpuBuilder &b, Value pointer) {
  auto type = LLVM::LLVMPointerType::get(b.getContext(), kGlobal);
  return b.make<LLVM::AddrSpaceCastOp>(type, pointer);
}
static Value field(GpuBuilder &b, Value context, Field field) {
  return loadField(b, b.getLoc(), context, field);
}
static Value globalField(GpuBuilder &b, Value context, Field name) {
  return toGlobal(b, field(b, context, name));
}
static WorkerNumber getWorkerNumber(OpBuilder &builder, Location loc, Value) {
  Type i32 = builder.getI32Type();
  return {
      castToIndex(builder, loc, NVVM::BlockIdXOp::create(builder, loc, i32)),
      castToIndex(builder, loc, NVVM::GridDimXOp::create(builder, loc, i32))};
}

//===----------------------------------------------------------------------===//
// Slow paths, once per kernel
//===----------------------------------------------------------------------===//

namespace {
/// What one poll saw: the word to report, and the whole value.
struct Poll {
  Value word, value;
};
} // namespace

/// The first to fail says what it saw; everyone else finds the state set.
static void buildReport(GpuBuilder &b, Value context, Value row, Value entry,
                        Value seen, Value wanted) {
  using LLVM::AtomicOrdering;
  Value status = globalField(b, context, Field::status);
  Value swap = b.make<LLVM::AtomicCmpXchgOp>(
      status, b.i32(0), b.i32(1), AtomicOrdering::acq_rel,
      AtomicOrdering::monotonic, kDevice);
  Value isFirst = b.make<LLVM::ExtractValueOp>(swap, ArrayRef<int64_t>{1});
  b.when(isFirst, [&] {
    auto put = [&](Value value, size_t field) {
      b.store(value, b.advance(status, b.i32(field)));
    };
    Type i32 = b.getI32Type();
    put(b.make<NVVM::BlockIdXOp>(i32), offsetof(EtcStatus, worker));
    put(b.load(i32, b.shared(SharedLayout::kCurrentLaunch)),
        offsetof(EtcStatus, launch));
    put(b.load(i32, b.shared(SharedLayout::kCurrentTask)),
        offsetof(EtcStatus, task));
    put(row, offsetof(EtcStatus, event));
    put(entry, offsetof(EtcStatus, entry));
    put(seen, offsetof(EtcStatus, seen));
    put(wanted, offsetof(EtcStatus, wanted));
    storeAtomic(b, b.i32(2), status, AtomicOrdering::release);
  });
  b.store(b.i32(1), b.shared(SharedLayout::kLeave));
}

/// Polls until `wanted` is reached, the bound is exceeded or another worker has
/// failed. Returns the last value and whether it failed.
static std::pair<Value, Value> buildPolling(GpuBuilder &b, Value context,
                                            Value row, Value entry,
                                            Value wanted, Type valueType,
                                            function_ref<Poll()> poll) {
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  Value timeout = field(b, context, Field::timeoutNs);
  Value status = globalField(b, context, Field::status);
  Value start = b.make<NVVM::GlobalTimerOp>(i64);

  auto outer = b.make<scf::WhileOp>(TypeRange{i32, valueType, b.getI1Type()},
                                    ValueRange());
  b.createBlock(&outer.getBefore());
  auto inner = b.make<scf::WhileOp>(TypeRange{i32, i32, valueType},
                                    ValueRange(b.i32(0)));
  Block *pollBlock =
      b.createBlock(&inner.getBefore(), {}, TypeRange(i32), b.getLoc());
  Poll seen = poll();
  Value polls = b.add(pollBlock->getArgument(0), b.i32(1));
  Value again = b.make<arith::AndIOp>(
      logicalNot(b, isReached(b, seen.word, wanted)),
      b.compare(arith::CmpIPredicate::slt, polls, b.i32(kPollsPerCheck)));
  b.make<scf::ConditionOp>(again, ValueRange{polls, seen.word, seen.value});
  Block *next =
      b.createBlock(&inner.getAfter(), {}, TypeRange{i32, i32, valueType},
                    {b.getLoc(), b.getLoc(), b.getLoc()});
  b.make<scf::YieldOp>(ValueRange(next->getArgument(0)));

  b.setInsertionPointAfter(inner);
  Value word = inner.getResult(1);
  Value reached = isReached(b, word, wanted);
  Value state = loadAtomic(b, i32, status, LLVM::AtomicOrdering::monotonic);
  Value gone = b.compare(arith::CmpIPredicate::ne, state, b.i32(0));
  Value passed = b.make<arith::SubIOp>(b.make<NVVM::GlobalTimerOp>(i64), start);
  Value late = b.compare(arith::CmpIPredicate::sgt, passed, timeout);
  Value failed = b.make<arith::AndIOp>(logicalNot(b, reached),
                                       b.make<arith::OrIOp>(gone, late));
  Value goOn = logicalNot(b, b.make<arith::OrIOp>(reached, failed));
  b.make<scf::ConditionOp>(goOn, ValueRange{word, inner.getResult(2), failed});
  b.createBlock(&outer.getAfter(), {}, TypeRange{i32, valueType, b.getI1Type()},
                {b.getLoc(), b.getLoc(), b.getLoc()});
  b.make<scf::YieldOp>();

  b.setInsertionPointAfter(outer);
  b.when(outer.getResult(2), [&] {
    buildReport(b, context, row, entry, outer.getResult(0), wanted);
  });
  return {outer.getResult(1), outer.getResult(2)};
}

static func::FuncOp createSlowPath(GpuBuilder &b, StringRef name,
                                   TypeRange inputs, TypeRange results) {
  auto func = b.make<func::FuncOp>(name, b.getFunctionType(inputs, results));
  makeInternal(func);
  // Each copy would lie between instructions that are needed in time.
  func->setAttr("passthrough", b.getStrArrayAttr({"convergent", "noinline"}));
  b.setInsertionPointToStart(func.addEntryBlock());
  return func;
}

/// etc_wait(context, counter, wanted, row, entry) -> failed
static void createWait(GpuBuilder &b) {
  Type i32 = b.getI32Type();
  auto context = LLVM::LLVMPointerType::get(b.getContext());
  auto global = LLVM::LLVMPointerType::get(b.getContext(), kGlobal);
  func::FuncOp func = createSlowPath(
      b, kWaitFunc, {context, global, i32, i32, i32}, b.getI1Type());
  auto poll = [&]() -> Poll {
    Value seen =
        loadAtomic(b, i32, func.getArgument(1), LLVM::AtomicOrdering::acquire);
    return {seen, seen};
  };
  auto [value, failed] =
      buildPolling(b, func.getArgument(0), func.getArgument(3),
                   func.getArgument(4), func.getArgument(2), i32, poll);
  b.make<func::ReturnOp>(failed);
}

/// etc_receive(context, slot, epoch, row, entry) -> {value, failed}
static void createReceive(GpuBuilder &b) {
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  auto context = LLVM::LLVMPointerType::get(b.getContext());
  auto global = LLVM::LLVMPointerType::get(b.getContext(), kGlobal);
  func::FuncOp func = createSlowPath(
      b, kReceiveFunc, {context, global, i32, i32, i32}, {i64, b.getI1Type()});
  auto poll = [&]() -> Poll {
    Value both = loadAtomic(b, i64, func.getArgument(1),
                            LLVM::AtomicOrdering::monotonic);
    return {epochOf(b, both), both};
  };
  auto [value, failed] =
      buildPolling(b, func.getArgument(0), func.getArgument(3),
                   func.getArgument(4), func.getArgument(2), i64, poll);
  b.make<func::ReturnOp>(ValueRange{value, failed});
}

/// etc_wait_chunk(barrier, parity): a chunk that its loader has not brought
/// yet. If it never comes, the report names no event. The block then goes on
/// with what the stage holds, for the step is void: every wait that is not over
/// at once fails from now on.
static void createWaitChunk(GpuBuilder &b) {
  Type i32 = b.getI32Type();
  auto shared = LLVM::LLVMPointerType::get(b.getContext(), 3);
  func::FuncOp func = createSlowPath(b, kWaitChunkFunc, {shared, i32}, {});
  Value context = b.load(LLVM::LLVMPointerType::get(b.getContext()),
                         b.shared(SharedLayout::kContext));
  auto poll = [&]() -> Poll {
    Value done = b.make<NVVM::MBarrierTryWaitOp>(
        b.getI1Type(), func.getArgument(0), func.getArgument(1), Value());
    Value word = b.make<arith::ExtUIOp>(i32, done);
    return {word, word};
  };
  buildPolling(b, context, b.i32(-1), b.warpI32(), b.i32(1), i32, poll);
  b.make<func::ReturnOp>();
}

/// etc_wait_word(word) -> failed: a tagged word whose writer is late. The
/// report names no event but a place: the word's address over 8, its lower 31
/// bits.
static void createWaitWord(GpuBuilder &b) {
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  auto global = LLVM::LLVMPointerType::get(b.getContext(), kGlobal);
  func::FuncOp func = createSlowPath(b, kWaitWordFunc, {global}, b.getI1Type());
  Value context = b.load(LLVM::LLVMPointerType::get(b.getContext()),
                         b.shared(SharedLayout::kContext));
  Value word = func.getArgument(0);
  Value epoch = getEpoch(b);
  auto constant = [&](int64_t value) -> Value {
    return b.make<arith::ConstantOp>(b.getI64IntegerAttr(value));
  };
  Value place =
      b.make<arith::ShRUIOp>(b.make<LLVM::PtrToIntOp>(i64, word), constant(3));
  place = b.make<arith::TruncIOp>(
      i32, b.make<arith::AndIOp>(place, constant(0x7fffffff)));
  auto poll = [&]() -> Poll {
    Value both = loadAtomic(b, i64, word, LLVM::AtomicOrdering::monotonic);
    Value seen = epochOf(b, both);
    return {seen, seen};
  };
  auto [seen, failed] =
      buildPolling(b, context, b.i32(-2), place, epoch, i32, poll);
  b.make<func::ReturnOp>(failed);
}

void etc::createNVVMSlowPaths(Operation *gpuModule) {
  bool waits = false, receives = false;
  gpuModule->walk([&](Operation *op) {
    waits |= isa<event::WaitOp>(op);
    receives |= isa<event::ReceiveOp>(op);
  });
  Block &body = gpuModule->getRegion(0).front();
  GpuBuilder b(gpuModule->getLoc(), gpuModule->getContext());
  if (waits) {
    b.setInsertionPointToEnd(&body);
    createWait(b);
  }
  if (receives) {
    b.setInsertionPointToEnd(&body);
    createReceive(b);
  }
  if (Operation *declared =
          SymbolTable::lookupSymbolIn(gpuModule, kWaitChunkFunc)) {
    declared->erase();
    b.setInsertionPointToEnd(&body);
    createWaitChunk(b);
  }
  if (Operation *declared =
          SymbolTable::lookupSymbolIn(gpuModule, kWaitWordFunc)) {
    declared->erase();
    b.setInsertionPointToEnd(&body);
    createWaitWord(b);
  }
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {
struct LowerWait : OpConversionPattern<event::WaitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::WaitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    auto event = EventDescriptor::unpack(
        b, op.getLoc(), op.getTensor().getType(), adaptor.getTensor());
    Value entry = event.getEntry(b, op.getLoc(), adaptor.getIndices());
    Value counter = toGlobal(b, event.getAddress(b, op.getLoc(), entry));
    // Else the loop over steps computes the targets of all waits at once.
    event.multiplier = b.pin(event.multiplier);
    Value wanted = event.getTarget(b, op.getLoc(), adaptor.getCount());
    Type flag = b.getI1Type();
    auto first = b.make<scf::IfOp>(TypeRange(flag), b.isThread(0), true);
    b.setInsertionPointToStart(first.thenBlock());
    Value seen =
        loadAtomic(b, b.getI32Type(), counter, LLVM::AtomicOrdering::acquire);
    auto fast =
        b.make<scf::IfOp>(TypeRange(flag), isReached(b, seen, wanted), true);
    b.make<scf::YieldOp>(fast.getResults());
    b.setInsertionPointToStart(fast.thenBlock());
    b.make<scf::YieldOp>(boolean(b, false));
    b.setInsertionPointToStart(fast.elseBlock());
    Value number = b.toI32(entry);
    auto slow = b.make<func::CallOp>(
        kWaitFunc, TypeRange(flag),
        ValueRange{event.context, counter, wanted, event.row, number});
    b.make<scf::YieldOp>(slow.getResults());
    b.setInsertionPointToStart(first.elseBlock());
    b.make<scf::YieldOp>(boolean(b, false));
    b.setInsertionPointAfter(first);
    Value failed = b.consumerAny(first.getResult(0));
    rewriter.replaceOp(op, logicalNot(b, failed));
    return success();
  }
};

struct LowerNotify : OpConversionPattern<event::NotifyOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::NotifyOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (op.getDevice())
      return op.emitOpError("names another device; the GPU target has one");
    GpuBuilder b(op.getLoc(), rewriter);
    auto event = EventDescriptor::unpack(
        b, op.getLoc(), op.getTensor().getType(), adaptor.getTensor());
    Value entry = event.getEntry(b, op.getLoc(), adaptor.getIndices());
    Value counter = toGlobal(b, event.getAddress(b, op.getLoc(), entry));
    b.consumerBarrier();
    StringRef ptx = op.getScope() == event::Scope::sys
                        ? "red.release.sys.global.add.u32 [{$r0}], {$r1};"
                        : "red.release.gpu.global.add.u32 [{$r0}], {$r1};";
    b.when(b.isThread(0), [&] {
      b.make<NVVM::InlinePtxOp>(TypeRange(),
                                ValueRange{counter, b.i32(op.getBy())},
                                ValueRange(), ptx, Value());
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerPublish : OpConversionPattern<event::PublishOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::PublishOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    auto event = EventDescriptor::unpack(
        b, op.getLoc(), op.getTensor().getType(), adaptor.getTensor());
    Value entry = event.getEntry(b, op.getLoc(), adaptor.getIndices());
    Value slot = toGlobal(b, event.getAddress(b, op.getLoc(), entry));
    Value low = b.make<arith::ExtUIOp>(b.getI64Type(), adaptor.getValue());
    Value high = b.make<arith::ExtUIOp>(b.getI64Type(),
                                        field(b, event.context, Field::epoch));
    Value shift = b.make<arith::ConstantOp>(b.getI64IntegerAttr(32));
    Value both = b.make<arith::OrIOp>(low, b.make<arith::ShLIOp>(high, shift));
    b.when(b.isThread(0), [&] {
      storeAtomic(b, both, slot, LLVM::AtomicOrdering::monotonic);
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// Every thread polls for itself: the value needs no second trip through shared
/// memory. The barrier only makes all of them agree on failure.
struct LowerReceive : OpConversionPattern<event::ReceiveOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::ReceiveOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    auto event = EventDescriptor::unpack(
        b, op.getLoc(), op.getTensor().getType(), adaptor.getTensor());
    Value entry = event.getEntry(b, op.getLoc(), adaptor.getIndices());
    Value slot = toGlobal(b, event.getAddress(b, op.getLoc(), entry));
    Value number = b.toI32(entry);
    Value epoch = field(b, event.context, Field::epoch);
    auto call = b.make<func::CallOp>(
        kReceiveFunc, TypeRange{b.getI64Type(), b.getI1Type()},
        ValueRange{event.context, slot, epoch, event.row, number});
    Value value = b.make<arith::TruncIOp>(b.getI32Type(), call.getResult(0));
    Value failed = b.consumerAny(call.getResult(1));
    rewriter.replaceOp(op, {value, logicalNot(b, failed)});
    return success();
  }
};

/// Zeroes every `step`-th word from `first` on.
static void clear(GpuBuilder &b, ClearedWords cleared, Value first,
                  Value step) {
  Value begin = toGlobal(b, cleared.begin);
  b.loop(first, cleared.words, step, [&](Value word) {
    b.store(b.i32(0), b.advance(begin, b.mul(word, b.index(4))));
  });
}

struct LowerClear : OpConversionPattern<event::ClearOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(event::ClearOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    auto event = EventDescriptor::unpack(
        b, op.getLoc(), op.getTensor().getType(), adaptor.getTensor());
    clear(b, getClearedBank(b, op.getLoc(), event), b.thread(),
          b.index(kConsumers));
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerClearBanks : OpConversionPattern<task::ClearBanksOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::ClearBanksOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    WorkerNumber number = getWorkerNumber(b, op.getLoc(), adaptor.getWorker());
    // A share of neighbours would be a division. Pinned, so that the loop over
    // steps holds nothing of it in registers.
    b.pinThread();
    Value block = b.mul(number.worker, b.index(kConsumers));
    clear(b,
          getClearedBanks(b, op.getLoc(), adaptor.getWorker(), op.getWords()),
          b.add(block, b.thread()), b.mul(number.workers, b.index(kConsumers)));
    rewriter.eraseOp(op);
    return success();
  }
};

/// Copies a table by its elements, each of them whole: a loader may read an
/// address while it changes.
static void copyTable(GpuBuilder &b, Value context, Field table, Type element,
                      int64_t count, int64_t at, int64_t threads) {
  Value base = globalField(b, context, table);
  int64_t size = element.getIntOrFloatBitWidth() / 8;
  b.loop(b.thread(), b.index(count), b.index(threads), [&](Value i) {
    Value bytes = b.mul(i, b.index(size));
    Value value = b.load(element, b.advance(base, bytes), size);
    b.store(value, b.advance(b.shared(at), bytes), size);
  });
}

/// The kernel's first barrier comes behind it.
struct LowerCopyTables : OpConversionPattern<task::CopyTablesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::CopyTablesOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    if (op.getLaunchesAt())
      copyTable(b, adaptor.getWorker(), Field::launches, b.getI32Type(),
                op.getWords(), *op.getLaunchesAt(), kBlockThreads);
    if (op.getBuffersAt())
      copyTable(b, adaptor.getWorker(), Field::buffers, b.getI64Type(),
                op.getBuffers(), *op.getBuffersAt(), kBlockThreads);
    rewriter.eraseOp(op);
    return success();
  }
};

/// The slow paths of waits read the context and the epoch in shared memory; a
/// loader waits for the context, behind which it sees the step.
struct LowerEnterStep : OpConversionPattern<task::EnterStepOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::EnterStepOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    Value context = adaptor.getWorker();
    if (op.getBehindLoader()) {
      b.when(b.isThread(0), [&] { awaitLoader(b, context); });
      b.consumerBarrier();
    }
    if (op.getBuffersAt())
      copyTable(b, context, Field::buffers, b.getI64Type(), *op.getBuffers(),
                *op.getBuffersAt(), kConsumers);
    // Behind it all threads have seen the steps before, and written their part.
    b.consumerBarrier();
    b.when(b.isThread(0), [&] {
      b.store(field(b, context, Field::epoch), b.shared(SharedLayout::kEpoch));
      // What any worker has stored is for the loader's asynchronous copies too.
      b.make<NVVM::FenceProxyOp>(NVVM::ProxyKind::async,
                                 NVVM::SharedSpaceAttr());
      storeAtomic(b, toNumber(b, context), b.shared(SharedLayout::kContext),
                  LLVM::AtomicOrdering::release, kBlock);
    });
    b.consumerBarrier();
    rewriter.eraseOp(op);
    return success();
  }

  /// Contexts of a launch's steps ascend. Their lower halves tell it.
  static void awaitLoader(GpuBuilder &b, Value context) {
    Type i32 = b.getI32Type();
    auto poll = [&]() -> Poll {
      Value seen =
          loadAtomic(b, b.getI64Type(), b.shared(SharedLayout::kLoaderContext),
                     LLVM::AtomicOrdering::acquire, kBlock);
      Value word = b.make<arith::TruncIOp>(i32, seen);
      return {word, word};
    };
    Value mine = b.make<arith::TruncIOp>(i32, toNumber(b, context));
    buildPolling(b, context, b.i32(-3), b.i32(0), mine, i32, poll);
  }
};

struct LowerLoaderStep : OpConversionPattern<task::LoaderStepOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::LoaderStepOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    b.warpBarrier();
    storeAtomic(b, toNumber(b, adaptor.getWorker()),
                b.shared(SharedLayout::kLoaderContext),
                LLVM::AtomicOrdering::release, kBlock);
    rewriter.eraseOp(op);
    return success();
  }
};

struct LowerAwaitStep : OpConversionPattern<task::AwaitStepOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::AwaitStepOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    Value mine = toNumber(b, adaptor.getWorker());
    Value entered = b.lookUntil([&] {
      Value seen =
          loadAtomic(b, b.getI64Type(), b.shared(SharedLayout::kContext),
                     LLVM::AtomicOrdering::acquire, kBlock);
      return b.compare(arith::CmpIPredicate::eq, seen, mine);
    });
    rewriter.replaceOp(op, entered);
    return success();
  }
};

struct LowerMark : OpConversionPattern<task::MarkOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::MarkOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    GpuBuilder b(op.getLoc(), rewriter);
    Value context = adaptor.getWorker();
    Value launch = b.toI32(adaptor.getLaunch()),
          task = b.toI32(adaptor.getTask());
    b.when(b.isThread(0), [&] {
      if (!op.getFinished()) {
        b.store(launch, b.shared(SharedLayout::kCurrentLaunch));
        b.store(task, b.shared(SharedLayout::kCurrentTask));
      }
      if (!op.getTraced() && !op.getFinished())
        return;
      // Nearer than the pointer in the context, for the many that are not.
      Value isTraced = b.load(b.getI32Type(), b.shared(SharedLayout::kTracing));
      b.when(b.compare(arith::CmpIPredicate::ne, isTraced, b.i32(0)),
             [&] { record(b, context, launch, task, op.getFinished()); });
    });
    rewriter.eraseOp(op);
    return success();
  }

  /// Begins the worker's next record, or ends it.
  static void record(GpuBuilder &b, Value context, Value launch, Value task,
                     bool finished) {
    Type i32 = b.getI32Type();
    Value worker = b.pin(b.make<NVVM::BlockIdXOp>(i32));
    Value counts = globalField(b, context, Field::traceCounts);
    Value mine = b.advance(counts, b.mul(worker, b.i32(sizeof(int32_t))));
    Value count = b.load(i32, mine);
    Value capacity = field(b, context, Field::traceCapacity);
    b.when(b.compare(arith::CmpIPredicate::slt, count, capacity), [&] {
      Value number = b.add(b.mul(worker, capacity), count);
      Value bytes = b.mul(b.toIndex(number), b.index(sizeof(EtcTraceRecord)));
      Value at = b.advance(globalField(b, context, Field::trace), bytes);
      auto put = [&](Value value, size_t field) {
        b.store(value, b.advance(at, b.i32(field)));
      };
      Value now = b.make<NVVM::GlobalTimerOp>(b.getI64Type());
      put(now, finished ? offsetof(EtcTraceRecord, endNs)
                        : offsetof(EtcTraceRecord, beginNs));
      put(launch, offsetof(EtcTraceRecord, launch));
      put(task, offsetof(EtcTraceRecord, task));
      if (finished)
        b.store(b.add(count, b.i32(1)), mine);
    });
  }
};
} // namespace

void etc::populateEventToNVVMPatterns(const TypeConverter &converter,
                                      RewritePatternSet &patterns) {
  populateWorkerToLLVMPatterns(converter, getWorkerNumber, patterns);
  patterns.add<LowerWait, LowerNotify, LowerPublish, LowerReceive, LowerClear,
               LowerClearBanks, LowerCopyTables, LowerEnterStep, LowerAwaitStep,
               LowerLoaderStep, LowerMark>(converter, patterns.getContext());
}

//===----------------------------------------------------------------------===//
// Address spaces
//===----------------------------------------------------------------------===//

/// A generic pointer that LLVM can see to be global.
static Value fromAddress(GpuBuilder &b, Value address) {
  auto global = LLVM::LLVMPointerType::get(b.getContext(), kGlobal);
  return b.make<LLVM::AddrSpaceCastOp>(
      LLVM::LLVMPointerType::get(b.getContext()),
      b.make<LLVM::IntToPtrOp>(global, address));
}

void etc::useGlobalAddresses(Operation *gpuModule) {
  SmallVector<Operation *> worklist;
  gpuModule->walk([&](Operation *op) {
    if (isa<LLVM::LoadOp, LLVM::IntToPtrOp>(op))
      worklist.push_back(op);
  });
  auto isGeneric = [](Type type) {
    auto pointer = dyn_cast<LLVM::LLVMPointerType>(type);
    return pointer && pointer.getAddressSpace() == 0;
  };
  for (Operation *op : worklist) {
    GpuBuilder b(op->getLoc(), op);
    if (auto toPointer = dyn_cast<LLVM::IntToPtrOp>(op)) {
      if (!isGeneric(toPointer.getType()))
        continue;
      toPointer.replaceAllUsesWith(fromAddress(b, toPointer.getArg()));
      toPointer.erase();
    } else if (auto load = cast<LLVM::LoadOp>(op); load.getInvariant()) {
      bool isPointer = isGeneric(load.getType());
      Type type = isPointer ? b.getI64Type() : load.getType();
      // Without an alignment LLVM splits what the data layout aligns to 4.
      unsigned alignment = type.getIntOrFloatBitWidth() / 8;
      Value value = b.make<LLVM::LoadOp>(type, load.getAddr(), alignment, false,
                                         false, /*isInvariant=*/true);
      load.replaceAllUsesWith(isPointer ? fromAddress(b, value) : value);
      load.erase();
    }
  }
}
