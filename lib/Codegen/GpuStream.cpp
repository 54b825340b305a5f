//===- GpuStream.cpp - The ring between the loader and the consumer warps
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuStream.h"
#include "lib/Analysis/TileCost.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

/// createpolicy's encoding of evict-first: nothing of a weight is read twice.
static constexpr int64_t kEvictFirst = 0x12F0000000000000;
/// Looks at a stage before the bounded wait for it.
static constexpr int64_t kTriesBeforeWait = 64;
/// Looks at a barrier before a copy that has been started counts as lost.
static constexpr int64_t kDrainLooks = 1 << 20;

static_assert(SharedLayout::kMostTogether == kMostTilesTogether &&
                  SharedLayout::kMaxTokens == kTokensThatMeet,
              "decompose-to-tasks cuts for what this can do");

/// The most of `tiles` row tiles that can cross together, all alike: a warp may
/// wait for a chunk of each before it gives the first stage back.
static int64_t countTogether(int64_t tiles, int64_t stages) {
  int64_t together = std::min(SharedLayout::kMostTogether, stages);
  while (tiles % together)
    --together;
  return together;
}

RingSteps::RingSteps(const Ring &ring, MemRefType tile)
    : together(countTogether(tile.getDimSize(0) / SharedLayout::kTileRows,
                             ring.stages)),
      chunkBlocks(ring.getBlocksPerChunk()),
      stepBlocks(chunkBlocks * kConsumerWarps),
      blocks(tile.getDimSize(1) / Ring::kBlockColumns),
      full(blocks / stepBlocks), rest(blocks % stepBlocks) {}

Value RingSteps::getBegin(GpuBuilder &b, Value warp, Value stepBlocks) {
  return b.make<arith::DivUIOp>(b.mul(stepBlocks, warp), b.i32(kConsumerWarps));
}

Ring::Stage Ring::getStage(GpuBuilder &b, Value warp, Value count) const {
  Value stage = b.make<arith::RemUIOp>(count, b.i32(stages));
  Value round = b.make<arith::DivUIOp>(count, b.i32(stages));
  Value barrier = b.add(b.mul(warp, b.i32(SharedLayout::kMaxStages)), stage);
  Value full =
      b.advance(b.shared(SharedLayout::kBarriers), b.mul(barrier, b.i32(8)));
  int64_t toEmpty = 8 * kConsumerWarps * SharedLayout::kMaxStages;
  Value slot = b.add(b.mul(warp, b.i32(stages)), stage);
  return {full, b.advance(full, b.i32(toEmpty)),
          b.advance(b.shared(base), b.mul(slot, b.i32(stageBytes))),
          b.make<arith::AndIOp>(round, b.i32(1))};
}

static Value tryWait(GpuBuilder &b, Value barrier, Value parity) {
  return b.make<NVVM::MBarrierTryWaitOp>(b.getI1Type(), barrier, parity,
                                         Value());
}

void Ring::waitFull(GpuBuilder &b, const Stage &stage) {
  // The slow path knows the bound of a wait, but takes longer than most last.
  Type i32 = b.getI32Type(), flag = b.getI1Type();
  auto loop = b.make<scf::WhileOp>(TypeRange{i32, flag}, ValueRange(b.i32(0)));
  {
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, i32, b.getLoc());
    Value tries = b.add(before->getArgument(0), b.i32(1));
    Value isLate = b.make<arith::XOrIOp>(tryWait(b, stage.full, stage.parity),
                                         b.boolean(true));
    Value again = b.make<arith::AndIOp>(
        isLate,
        b.compare(arith::CmpIPredicate::slt, tries, b.i32(kTriesBeforeWait)));
    b.make<scf::ConditionOp>(again, ValueRange{tries, isLate});
    Block *after = b.createBlock(&loop.getAfter(), {}, TypeRange{i32, flag},
                                 {b.getLoc(), b.getLoc()});
    b.make<scf::YieldOp>(ValueRange(after->getArgument(0)));
  }
  b.when(loop.getResult(1), [&] {
    b.make<func::CallOp>(kWaitChunkFunc, TypeRange(),
                         ValueRange{stage.full, stage.parity});
  });
  b.warpBarrier(); // mma wants the whole warp together.
}

void Ring::leave(GpuBuilder &b, const Stage &stage) {
  b.warpBarrier();
  b.when(b.compare(arith::CmpIPredicate::eq, b.laneI32(), b.i32(0)), [&] {
    b.make<NVVM::MBarrierArriveOp>(b.getI64Type(), stage.empty, Value());
  });
}

/// The bit by which consumer warp `warp` lets its next stream begin.
static Value releaseBit(GpuBuilder &b, Value warp) {
  return b.make<arith::ShLIOp>(b.i32(1), warp);
}

/// Other warps' bits are in the same word.
static void changeReleases(GpuBuilder &b, LLVM::AtomicBinOp op, Value bits) {
  b.make<LLVM::AtomicRMWOp>(op, b.shared(SharedLayout::kReleases), bits,
                            LLVM::AtomicOrdering::monotonic, "block");
}

void etc::codegen::releaseStream(GpuBuilder &b) {
  b.warpBarrier(); // Every lane has what it read.
  b.when(b.compare(arith::CmpIPredicate::eq, b.laneI32(), b.i32(0)), [&] {
    changeReleases(b, LLVM::AtomicBinOp::_or, releaseBit(b, b.warpI32()));
  });
}

/// Waits for `releaseStream` and takes it back. The warp releases again only
/// behind the chunks that are copied now, so one bit is enough. Nothing else is
/// ordered: nobody writes weights.
static void waitReleased(GpuBuilder &b, Value warp) {
  Value bit = releaseBit(b, warp);
  b.lookUntil([&]() -> Value {
    Value seen =
        b.make<LLVM::LoadOp>(b.getI32Type(), b.shared(SharedLayout::kReleases),
                             /*alignment=*/4, /*isVolatile=*/true);
    return b.compare(arith::CmpIPredicate::ne, b.make<arith::AndIOp>(seen, bit),
                     b.i32(0));
  });
  changeReleases(b, LLVM::AtomicBinOp::_and,
                 b.make<arith::XOrIOp>(bit, b.i32(-1)));
}

/// Whether the stage is empty. Only a look: lanes that have a stage to fill do
/// not wait for others.
static Value isEmpty(GpuBuilder &b, const Ring::Stage &stage) {
  Value before = b.make<arith::XOrIOp>(stage.parity, b.i32(1));
  return b.make<NVVM::MBarrierTestWaitOp>(b.getI1Type(), stage.empty, before);
}

void etc::codegen::copyChunk(GpuBuilder &b, const Ring::Stage &stage,
                             ArrayRef<Piece> pieces, Value policy) {
  // The consumers' loads of what lay there precede their arrival, but a copy
  // does not queue behind loads as stores do: without a fence it could overtake
  // them (E10).
  b.make<NVVM::FenceProxyOp>(
      NVVM::ProxyKind::async_shared,
      NVVM::SharedSpaceAttr::get(b.getContext(),
                                 NVVM::SharedSpace::shared_cta));
  Value total = pieces.front().bytes;
  for (const Piece &piece : pieces.drop_front())
    total = b.add(total, piece.bytes);
  b.make<NVVM::MBarrierArriveExpectTxOp>(b.getI64Type(), stage.full, total,
                                         NVVM::MemScopeKind::CTA, false,
                                         Value());
  // A narrow weight has nothing for some warps.
  b.when(b.compare(arith::CmpIPredicate::ne, total, b.i32(0)), [&] {
    for (const Piece &piece : pieces)
      b.make<NVVM::CpAsyncBulkGlobalToSharedClusterOp>(
          b.advance(stage.data, b.i32(piece.offset)), piece.source, stage.full,
          piece.bytes, Value(), policy);
  });
}

//===----------------------------------------------------------------------===//
// Slots of time
//===----------------------------------------------------------------------===//

/// A step that would have longer ones has next to nothing to stream.
static constexpr int64_t kMostSlotNs = 16000;

namespace {
/// Slots of time, of the same length and without end, in each of which a warp
/// may begin one chunk. What the ring has room for would else be asked for at
/// once, and whatever is due then waits behind it.
class Slots {
public:
  Slots(GpuBuilder &b, std::optional<Pace> pace, Value warp)
      : b(b), warp(warp), ns(pace ? pace->getSlotNs() : 0),
        // Those of the warps begin one after the other.
        begin(b.mul(warp, b.i32(ns / kConsumerWarps))) {}

  /// The slot that the last chunk of the warp began in, over all streams: each
  /// has slots of its own, so what is kept is the time.
  Value load() { return ns ? slotOf(b.load(b.getI32Type(), at())) : b.i32(0); }
  void store(Value slot) {
    if (ns)
      b.store(b.add(b.mul(slot, b.i32(ns)), begin), at());
  }
  Value now() {
    return ns ? slotOf(b.make<NVVM::GlobalTimerLoOp>(b.getI32Type()))
              : b.i32(0);
  }
  /// Whether a chunk may begin. The time comes round after 4 s: then one may
  /// begin too early.
  Value isOpen(Value slot, Value last) {
    return ns ? b.compare(arith::CmpIPredicate::ne, slot, last)
              : b.boolean(true);
  }

private:
  Value slotOf(Value time) {
    return b.make<arith::DivUIOp>(b.make<arith::SubIOp>(time, begin),
                                  b.i32(ns));
  }
  Value at() { return b.warpWord(SharedLayout::kLoaderTimes, warp); }

  GpuBuilder &b;
  Value warp;
  int64_t ns; // of a slot; 0: no slots
  Value begin;
};
} // namespace

int64_t Pace::getSlotNs() const {
  return std::clamp<int64_t>(llvm::divideNearest(nsOfMiB * bytes, 1 << 20), 1,
                             kMostSlotNs);
}

/// Whether a lane of the loader serves a consumer warp.
static Value isServing(GpuBuilder &b) {
  return b.compare(arith::CmpIPredicate::ult, b.laneI32(),
                   b.i32(kConsumerWarps));
}

Value etc::codegen::getServedWarp(GpuBuilder &b) {
  return b.make<arith::SelectOp>(isServing(b), b.laneI32(), b.i32(0));
}

void etc::codegen::issueChunks(
    GpuBuilder &b, const Ring &ring, std::optional<Pace> pace, Value chunks,
    function_ref<void(Value, const Ring::Stage &)> copy) {
  Type i32 = b.getI32Type();
  Value serves = isServing(b), warp = getServedWarp(b);
  // A loader that waits for each of its tasks has no time to lose.
  Slots slots(b, ring.prefetches ? pace : std::nullopt, warp);
  Value counter = b.warpWord(SharedLayout::kLoaderCounts, warp);
  // Only the lane that stores a word loads it: nothing orders others.
  auto loaded =
      b.make<scf::IfOp>(TypeRange{i32, i32}, serves, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loaded.thenBlock());
    b.make<scf::YieldOp>(ValueRange{b.load(i32, counter), slots.load()});
    b.setInsertionPointToStart(loaded.elseBlock());
    b.make<scf::YieldOp>(ValueRange{b.i32(0), b.i32(0)});
  }
  Value first = loaded.getResult(0);
  Value end = b.add(first, b.make<arith::SelectOp>(serves, chunks, b.i32(0)));
  auto isLeft = [&](Value count) {
    return b.compare(arith::CmpIPredicate::ne, count, end);
  };
  auto both = [&](Value x, Value y) -> Value {
    return b.make<arith::AndIOp>(x, y);
  };
  // A loop that each lane left by itself would part them for good: those that
  // have nothing to wait for would run through the lists of a step, in the way
  // of those that copy.
  auto loop = b.make<scf::WhileOp>(TypeRange{i32, i32},
                                   ValueRange{first, loaded.getResult(1)});
  {
    OpBuilder::InsertionGuard guard(b);
    Block *look = b.createBlock(&loop.getBefore(), {}, TypeRange{i32, i32},
                                {b.getLoc(), b.getLoc()});
    Value count = look->getArgument(0), last = look->getArgument(1);
    Ring::Stage stage = ring.getStage(b, warp, count);
    Value slot = slots.now();
    Value begins =
        both(both(isLeft(count), isEmpty(b, stage)), slots.isOpen(slot, last));
    b.when(begins, [&] { copy(b.make<arith::SubIOp>(count, first), stage); });
    Value next = b.add(count, b.make<arith::ExtUIOp>(i32, begins));
    last = b.make<arith::SelectOp>(begins, slot, last);
    Value goesOn = both(isLeft(next),
                        b.make<arith::XOrIOp>(b.mustLeave(), b.boolean(true)));
    Value again = b.make<NVVM::VoteSyncOp>(b.getI1Type(), b.i32(-1), goesOn,
                                           NVVM::VoteSyncKind::any);
    b.make<scf::ConditionOp>(again, ValueRange{next, last});
    Block *after = b.createBlock(&loop.getAfter(), {}, TypeRange{i32, i32},
                                 {b.getLoc(), b.getLoc()});
    b.make<scf::YieldOp>(after->getArguments());
  }
  b.when(serves, [&] {
    b.store(loop.getResult(0), counter);
    slots.store(loop.getResult(1));
  });
}

/// Runs `body` in the lanes that each serve one consumer warp.
static void forEachWarp(GpuBuilder &b, function_ref<void(Value)> body) {
  Value lane = b.laneI32();
  b.when(b.compare(arith::CmpIPredicate::ult, lane, b.i32(kConsumerWarps)),
         [&] { body(lane); });
}

void etc::codegen::lowerStream(GpuBuilder &b, task::StreamOp op,
                               const Ring &ring) {
  auto type = cast<MemRefType>(op.getSource().getType());
  RingSteps steps(ring, type);
  int64_t tiles = type.getDimSize(0) / SharedLayout::kTileRows;
  Value source = b.global(op.getSource());
  // Nothing of a weight is read twice.
  Value policy = b.make<arith::ConstantOp>(b.getI64IntegerAttr(kEvictFirst));
  if (!ring.prefetches)
    forEachWarp(b, [&](Value warp) { waitReleased(b, warp); });
  Value warp = getServedWarp(b);
  auto copy = [&](Value chunk, const Ring::Stage &stage) {
    Value together = b.i32(steps.together);
    Value inTile = b.make<arith::RemUIOp>(chunk, together);
    Value turn = b.make<arith::DivUIOp>(chunk, together);
    Value step = b.make<arith::RemUIOp>(turn, b.i32(steps.count()));
    Value tile = b.make<arith::DivUIOp>(turn, b.i32(steps.count()));
    tile = b.add(b.mul(tile, together), inTile);
    Value isRest = b.compare(arith::CmpIPredicate::eq, step, b.i32(steps.full));
    Value shared = b.make<arith::SelectOp>(isRest, b.i32(steps.rest),
                                           b.i32(steps.stepBlocks));
    Value begin = RingSteps::getBegin(b, warp, shared);
    Value end = RingSteps::getBegin(b, b.add(warp, b.i32(1)), shared);
    Value first = b.add(b.add(b.mul(tile, b.i32(steps.blocks)),
                              b.mul(step, b.i32(steps.stepBlocks))),
                        begin);
    Value offset = b.mul(b.toIndex(first), b.index(Ring::kBlockBytes));
    Value bytes =
        b.mul(b.make<arith::SubIOp>(end, begin), b.i32(Ring::kBlockBytes));
    copyChunk(b, stage, Piece{b.advance(source, offset), bytes, 0}, policy);
  };
  int64_t chunks = tiles * steps.count();
  std::optional<Pace> pace;
  if (op.getPace())
    pace = {int64_t(*op.getPace()),
            tiles * steps.blocks * Ring::kBlockBytes / chunks};
  issueChunks(b, ring, pace, b.i32(chunks), copy);
}

void etc::codegen::drainStreams(GpuBuilder &b, const Ring &ring) {
  forEachWarp(b, [&](Value warp) {
    Value count =
        b.load(b.getI32Type(), b.warpWord(SharedLayout::kLoaderCounts, warp));
    b.loop(b.index(1), b.index(ring.stages + 1), b.index(1), [&](Value back) {
      Value chunk = b.make<arith::SubIOp>(count, b.toI32(back));
      b.when(b.compare(arith::CmpIPredicate::sge, chunk, b.i32(0)), [&] {
        Ring::Stage stage = ring.getStage(b, warp, chunk);
        OpBuilder::InsertionGuard guard(b);
        Type i32 = b.getI32Type();
        auto loop = b.make<scf::WhileOp>(TypeRange(i32), ValueRange(b.i32(0)));
        Block *look =
            b.createBlock(&loop.getBefore(), {}, TypeRange(i32), b.getLoc());
        Value looks = b.add(look->getArgument(0), b.i32(1));
        Value lost =
            b.compare(arith::CmpIPredicate::sge, looks, b.i32(kDrainLooks));
        Value stop =
            b.make<arith::OrIOp>(tryWait(b, stage.full, stage.parity), lost);
        b.make<scf::ConditionOp>(b.make<arith::XOrIOp>(stop, b.boolean(true)),
                                 looks);
        Block *again =
            b.createBlock(&loop.getAfter(), {}, TypeRange(i32), b.getLoc());
        b.make<scf::YieldOp>(again->getArgument(0));
      });
    });
  });
}
