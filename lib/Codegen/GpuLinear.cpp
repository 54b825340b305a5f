//===- GpuLinear.cpp - task.linear on one block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A streamed weight is the A operand of mma.m16n8k16, in fragment order; tokens
// are the columns of B. K is split over the consumer warps; their sums of a
// 16-row tile meet in shared memory behind one barrier.
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuTiles.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

namespace {
/// The consumers' part of a streamed linear, for up to 8 * `groups` tokens.
class StreamedLinear {
public:
  StreamedLinear(GpuBuilder &b, task::LinearOp op, const Ring &ring,
                 int64_t groups)
      : b(b), op(op), ring(ring), groups(groups),
        tile(cast<task::StreamType>(op.getWeight().getType()).getTile()),
        steps(ring, tile.getDimSize(1)) {}

  void emit();

private:
  /// Accumulators that take turns, so that an mma need not wait for the last
  /// one.
  static constexpr int64_t kTurns = 2;
  using Values = SmallVector<Value>;

  void locateTokens();
  /// Consumes one chunk of `blocks` blocks, the first being block `first` of
  /// the row tile. The state: accumulators [group][turn][4], then the chunk's
  /// number.
  Values chunk(Value first, int64_t blocks, ValueRange state);
  /// The same where `blocks` is a value (i32).
  Values shortChunk(Value first, Value blocks, ValueRange state);
  Values loadActivations(Value block);
  void multiply(Value data, Value block, ArrayRef<Value> activations,
                int64_t turn, MutableArrayRef<Value> state);
  void waitFull(const Ring::Stage &stage);
  void leave(const Ring::Stage &stage);
  void storePartialSums(Value sums, ValueRange accumulators);
  void storeOutput(Value sums, Value firstRow);

  GpuBuilder &b;
  task::LinearOp op;
  const Ring &ring;
  int64_t groups;
  MemRefType tile;
  RingSteps steps;
  Value tokens, warp, lane;
  Values tokenRows; // per group: the address of what this lane reads of block 0
};
} // namespace

/// Tokens beyond the last are the last again: columns of B do not mix, and
/// nobody reads their sums.
void StreamedLinear::locateTokens() {
  auto metadata = b.make<memref::ExtractStridedMetadataOp>(op.getInput());
  Value base = b.global(op.getInput());
  Value last = b.make<arith::SubIOp>(tokens, b.index(1));
  Value number = b.make<arith::DivUIOp>(b.lane(), b.index(4));
  Value column = b.make<arith::RemUIOp>(b.lane(), b.index(4));
  for (int64_t group = 0; group < groups; ++group) {
    Value token =
        b.make<arith::MinSIOp>(b.add(number, b.index(8 * group)), last);
    Value element = b.add(b.mul(token, metadata.getStrides()[0]),
                          b.mul(column, b.index(4)));
    tokenRows.push_back(b.advance(base, b.mul(element, b.index(2))));
  }
}

/// Per group the two registers of a B operand, for block `block` (i32): eight
/// bytes that lie side by side, as the columns of A are ordered for
/// (`pack_fragments`).
SmallVector<Value> StreamedLinear::loadActivations(Value block) {
  Values loaded;
  Value bytes = b.mul(b.toIndex(block), b.index(2 * Ring::kBlockColumns));
  for (Value row : tokenRows) {
    Value pairs =
        b.load(VectorType::get(2, b.getI32Type()), b.advance(row, bytes), 8);
    for (int64_t i = 0; i < 2; ++i)
      loaded.push_back(b.make<LLVM::ExtractElementOp>(pairs, b.i32(i)));
  }
  return loaded;
}

void StreamedLinear::multiply(Value data, Value block,
                              ArrayRef<Value> activations, int64_t turn,
                              MutableArrayRef<Value> state) {
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  Value offset =
      b.add(b.mul(block, b.i32(Ring::kBlockBytes)), b.mul(lane, b.i32(16)));
  Value fragment = b.load(VectorType::get(4, i32), b.advance(data, offset), 16);
  Values a;
  for (int64_t i = 0; i < 4; ++i)
    a.push_back(b.make<LLVM::ExtractElementOp>(fragment, b.i32(i)));
  auto type =
      LLVM::LLVMStructType::getLiteral(b.getContext(), {f32, f32, f32, f32});
  for (int64_t group = 0; group < groups; ++group) {
    auto sums = state.slice(4 * (group * kTurns + turn), 4);
    Value next = b.make<NVVM::MmaOp>(
        type, a, activations.slice(2 * group, 2), sums,
        ArrayRef<int64_t>{16, 8, 16}, std::nullopt, std::nullopt,
        std::array{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16},
        std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    for (int64_t i = 0; i < 4; ++i)
      sums[i] = b.make<LLVM::ExtractValueOp>(next, ArrayRef<int64_t>{i});
  }
}

void StreamedLinear::waitFull(const Ring::Stage &stage) {
  Value done = b.make<NVVM::MBarrierTryWaitOp>(b.getI1Type(), stage.full,
                                               stage.parity, Value());
  b.when(b.make<arith::XOrIOp>(done, b.boolean(true)), [&] {
    b.make<func::CallOp>(kWaitChunkFunc, TypeRange(),
                         ValueRange{stage.full, stage.parity});
  });
  b.warpBarrier(); // mma wants the whole warp together.
}

void StreamedLinear::leave(const Ring::Stage &stage) {
  b.warpBarrier();
  b.when(b.compare(arith::CmpIPredicate::eq, lane, b.i32(0)), [&] {
    b.make<NVVM::MBarrierArriveOp>(b.getI64Type(), stage.empty, Value());
  });
}

SmallVector<Value> StreamedLinear::chunk(Value first, int64_t blocks,
                                         ValueRange state) {
  Values next(state);
  Ring::Stage stage = ring.getStage(b, warp, next.back());
  // All loads of activations are under way before the first is looked at.
  SmallVector<Values> activations;
  for (int64_t block = 0; block < blocks; ++block)
    activations.push_back(loadActivations(b.add(first, b.i32(block))));
  waitFull(stage);
  for (int64_t block = 0; block < blocks; ++block)
    multiply(stage.data, b.i32(block), activations[block], block % kTurns,
             next);
  leave(stage);
  next.back() = b.add(next.back(), b.i32(1));
  return next;
}

SmallVector<Value> StreamedLinear::shortChunk(Value first, Value blocks,
                                              ValueRange state) {
  Ring::Stage stage = ring.getStage(b, warp, state.back());
  waitFull(stage);
  Values next =
      b.loop(b.index(0), b.toIndex(blocks), b.index(1), state,
             [&](Value i, ValueRange carried) -> Values {
               Values sums(carried);
               Value block = b.toI32(i);
               multiply(stage.data, block, loadActivations(b.add(first, block)),
                        0, sums);
               return sums;
             });
  leave(stage);
  next.back() = b.add(next.back(), b.i32(1));
  return next;
}

void StreamedLinear::storePartialSums(Value sums, ValueRange accumulators) {
  Value column = b.mul(b.make<arith::RemUIOp>(lane, b.i32(4)), b.i32(2));
  Value row = b.make<arith::DivUIOp>(lane, b.i32(4));
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t i = 0; i < 4; ++i) {
      Value sum = accumulators[4 * group * kTurns + i];
      for (int64_t turn = 1; turn < kTurns; ++turn)
        sum = b.make<arith::AddFOp>(
            sum, accumulators[4 * (group * kTurns + turn) + i]);
      Value token = b.add(column, b.i32(8 * group + i % 2));
      token = b.add(token, b.mul(warp, b.i32(SharedLayout::kMaxTokens)));
      Value element = b.add(b.mul(token, b.i32(SharedLayout::kTileRows)),
                            b.add(row, b.i32(8 * (i / 2))));
      b.store(sum, b.advance(sums, b.mul(element, b.i32(4))));
    }
}

/// One thread per row and token.
void StreamedLinear::storeOutput(Value sums, Value firstRow) {
  Value token =
      b.make<arith::DivUIOp>(b.thread(), b.index(SharedLayout::kTileRows));
  b.when(b.compare(arith::CmpIPredicate::ult, token, tokens), [&] {
    Value mine = b.advance(sums, b.mul(b.toI32(b.thread()), b.i32(4)));
    int64_t stride = 4 * SharedLayout::kTileRows * SharedLayout::kMaxTokens;
    Value total = b.load(b.getF32Type(), mine);
    for (int64_t i = 1; i < kConsumerWarps; ++i) {
      Value other = b.load(b.getF32Type(), b.advance(mine, b.i32(i * stride)));
      total = b.make<arith::AddFOp>(total, other);
    }
    Value row =
        b.make<arith::RemUIOp>(b.thread(), b.index(SharedLayout::kTileRows));
    row = b.add(row, firstRow);
    if (op.getBias())
      total = b.make<arith::AddFOp>(total, b.loadReal(op.getBias(), row));
    b.storeReal(total, op.getOutput(), {token, row});
  });
}

void StreamedLinear::emit() {
  tokens = b.make<memref::DimOp>(op.getOutput(), 0);
  warp = b.warpI32();
  lane = b.laneI32();
  locateTokens();
  Value counter = b.warpWord(SharedLayout::kWarpCounts, warp);
  Value begin = b.load(b.getI32Type(), counter);
  int64_t tiles = tile.getDimSize(0) / SharedLayout::kTileRows;
  auto oneTile = [&](Value number, ValueRange count) -> Values {
    Values state(4 * groups * kTurns, b.f32(0));
    state.push_back(count.front());
    state = b.loop(b.index(0), b.index(steps.full), b.index(1), state,
                   [&](Value step, ValueRange carried) {
                     Value first =
                         b.add(b.mul(b.toI32(step), b.i32(steps.stepBlocks)),
                               b.mul(warp, b.i32(steps.chunkBlocks)));
                     return chunk(first, steps.chunkBlocks, carried);
                   });
    if (steps.rest) {
      Value rest = b.i32(steps.rest);
      Value mine = RingSteps::getBegin(b, warp, rest);
      Value first = b.add(mine, b.i32(steps.full * steps.stepBlocks));
      if (steps.rest % kConsumerWarps == 0) {
        state = chunk(first, steps.rest / kConsumerWarps, state);
      } else {
        Value end = RingSteps::getBegin(b, b.add(warp, b.i32(1)), rest);
        state = shortChunk(first, b.make<arith::SubIOp>(end, mine), state);
      }
    }
    Value sums = b.nextSums();
    storePartialSums(sums, ValueRange(state).drop_back());
    b.consumerBarrier();
    storeOutput(sums, b.mul(number, b.index(SharedLayout::kTileRows)));
    return {state.back()};
  };
  Value end =
      b.loop(b.index(0), b.index(tiles), b.index(1), begin, oneTile).front();
  b.when(b.compare(arith::CmpIPredicate::eq, lane, b.i32(0)),
         [&] { b.store(end, counter); });
  b.warpBarrier();
}

/// Emits code for as few groups of eight tokens as this step needs.
static void lowerStreamed(GpuBuilder &b, task::LinearOp op, const Ring &ring) {
  int64_t bound = cast<MemRefType>(op.getOutput().getType()).getDimSize(0);
  if (!ShapedType::isDynamic(bound))
    return StreamedLinear(b, op, ring, llvm::divideCeil(bound, 8)).emit();
  Value tokens = b.make<memref::DimOp>(op.getOutput(), 0);
  Value few = b.compare(arith::CmpIPredicate::ule, tokens, b.index(8));
  auto branch = b.make<scf::IfOp>(few, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  StreamedLinear(b, op, ring, 1).emit();
  b.setInsertionPointToStart(branch.elseBlock());
  StreamedLinear(b, op, ring, SharedLayout::kMaxTokens / 8).emit();
}

/// A warp per element of the output; its lanes stride through K.
static void lowerPlain(GpuBuilder &b, task::LinearOp op) {
  Value tokens = b.make<memref::DimOp>(op.getOutput(), 0);
  Value rows = b.make<memref::DimOp>(op.getOutput(), 1);
  Value columns = b.make<memref::DimOp>(op.getInput(), 1);
  auto add = [&](Value x, Value y) -> Value {
    return b.make<arith::AddFOp>(x, y);
  };
  b.loop(b.warp(), b.mul(tokens, rows), b.index(kConsumerWarps), [&](Value i) {
    SmallVector<Value> point = delinearize(b, i, {rows, tokens});
    Value n = point[0], t = point[1];
    Value part =
        b.loop(b.lane(), columns, b.index(kWarpSize), b.f32(0),
               [&](Value k, ValueRange sum) -> SmallVector<Value> {
                 Value x = b.loadReal(op.getInput(), {t, k});
                 Value w = b.loadReal(op.getWeight(), {n, k});
                 return {add(sum.front(), b.make<arith::MulFOp>(x, w))};
               })
            .front();
    Value total = b.reduceLanes(part, add);
    b.when(b.compare(arith::CmpIPredicate::eq, b.laneI32(), b.i32(0)), [&] {
      Value result = total;
      if (op.getBias())
        result = add(result, b.loadReal(op.getBias(), n));
      b.storeReal(result, op.getOutput(), {t, n});
    });
  });
}

LogicalResult etc::codegen::lowerLinear(GpuBuilder &b, task::LinearOp op,
                                        const Ring &ring) {
  if (isa<task::StreamType>(op.getWeight().getType()))
    lowerStreamed(b, op, ring);
  else
    lowerPlain(b, op);
  return success();
}
