//===- GpuLinear.cpp - task.linear on one block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Streamed through tensor cores, or plain: a warp per element.
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuLinear.h"
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

Value etc::codegen::silu(GpuBuilder &b, Value x) {
  Value negated = b.make<arith::NegFOp>(x);
  Value divisor =
      b.make<arith::AddFOp>(b.make<math::ExpOp>(negated).getResult(), b.f32(1));
  return b.make<arith::MulFOp>(x, b.reciprocal(divisor));
}

StreamedLinear::SumLayout::SumLayout(const RingSteps &steps, int64_t most) {
  int64_t atOnce = llvm::bit_floor<uint64_t>(SharedLayout::kMaxTokens / most);
  tiles = std::min(steps.together, std::max<int64_t>(atOnce, 1));
  tokens = llvm::bit_floor<uint64_t>(SharedLayout::kMaxTokens / tiles);
}

/// The output of `count` of the row tiles that crossed together, from
/// `firstTile` on.
void StreamedLinear::storeRowTiles(Value firstRow, int64_t firstTile,
                                   int64_t count, Value residual,
                                   ValueRange state) {
  pinThread();
  Value set = b.nextSums();
  for (int64_t tile = 0; tile < count; ++tile)
    storePartialSums(
        set, tile,
        state.slice((firstTile + tile) * sumsOfTile(), sumsOfTile()));
  if (needsSquares())
    storeSquares(set, state.slice(squaresBegin(), groups));
  b.consumerBarrier();
  storeOutput(set, firstRow, count, residual);
}

/// All of K: the state of `chunk` behind it.
SmallVector<Value> StreamedLinear::product(Source from, Value count) {
  source = from;
  locateTokens();
  Values state(squaresBegin() + groups, b.f32(0));
  state.push_back(count);
  state = b.loop(b.index(0), b.index(steps.full), b.index(1), state,
                 [&](Value step, ValueRange carried) {
                   Value first =
                       b.add(b.mul(b.toI32(step), b.i32(steps.stepBlocks)),
                             b.mul(warp, b.i32(steps.chunkBlocks)));
                   return chunk(first, steps.chunkBlocks, carried);
                 });
  if (!steps.rest)
    return state;
  Value rest = b.i32(steps.rest);
  Value mine = RingSteps::getBegin(b, warp, rest);
  Value first = b.add(mine, b.i32(steps.full * steps.stepBlocks));
  if (steps.rest % kConsumerWarps == 0)
    return chunk(first, steps.rest / kConsumerWarps, state);
  Value end = RingSteps::getBegin(b, b.add(warp, b.i32(1)), rest);
  return shortChunk(first, b.make<arith::SubIOp>(end, mine), state);
}

/// The product of the first row tiles of a run, which keeps the input, or that
/// of later ones, which find it.
SmallVector<Value> StreamedLinear::firstOrNext(Value number, Value count) {
  Value isFirst = b.make<arith::AndIOp>(
      op.getFirst(), b.compare(arith::CmpIPredicate::eq, number, b.index(0)));
  SmallVector<Type> types(squaresBegin() + groups, b.getF32Type());
  types.push_back(b.getI32Type());
  auto branch = b.make<scf::IfOp>(types, isFirst, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Values state = product(Source::memoryKept, count);
  if (needsSquares()) {
    storeSquaresOfGroups(b.shared(SharedLayout::kSquares),
                         ValueRange(state).slice(squaresBegin(), groups));
    b.warpBarrier();
  }
  b.make<scf::YieldOp>(state);
  b.setInsertionPointToStart(branch.elseBlock());
  b.make<scf::YieldOp>(product(Source::shared, count));
  return branch.getResults();
}

/// The row tiles that cross the ring together.
SmallVector<Value> StreamedLinear::rowTiles(Value number, Value count) {
  Value first = b.mul(number, b.index(steps.together * tileOutputs()));
  auto rowOf = [&](int64_t tile) {
    return b.add(first, b.index(tile * tileOutputs()));
  };
  auto countFrom = [&](int64_t tile) {
    return std::min(sums.tiles, steps.together - tile);
  };
  Values residuals;
  for (int64_t tile = 0; tile < steps.together; tile += sums.tiles)
    residuals.push_back(op.getResidual()
                            ? prefetchResidual(rowOf(tile), countFrom(tile))
                            : Value());
  Values state = isOnTheWay
                     ? firstOrNext(number, count)
                     : product(isKept ? Source::shared : Source::memory, count);
  for (int64_t tile = 0; tile < steps.together; tile += sums.tiles)
    storeRowTiles(rowOf(tile), tile, countFrom(tile),
                  residuals[tile / sums.tiles], state);
  return {state.back()};
}

/// Here and behind the products, so that nothing that follows from it is held
/// in registers meanwhile.
void StreamedLinear::pinThread() {
  b.pinThread();
  warp = b.warpI32();
  lane = b.laneI32();
}

void StreamedLinear::emit() {
  pinThread();
  tokens = b.make<memref::DimOp>(op.getOutput(), 0);
  tokens = b.toIndex(b.pin(b.toI32(tokens)));
  if (isKept && !isOnTheWay)
    b.when(op.getFirst(), [&] { stageInput(); });
  if (!ring.prefetches)
    releaseStream(b);
  auto counter = [&] { return b.warpWord(SharedLayout::kWarpCounts, warp); };
  Value begin = b.load(b.getI32Type(), counter());
  int64_t turns =
      tile.getDimSize(0) / (steps.together * SharedLayout::kTileRows);
  Value end = b.loop(b.index(0), b.index(turns), b.index(1), begin,
                     [&](Value number, ValueRange count) {
                       pinThread();
                       return rowTiles(number, count.front());
                     })
                  .front();
  pinThread();
  b.when(b.compare(arith::CmpIPredicate::eq, lane, b.i32(0)),
         [&] { b.store(end, counter()); });
  b.warpBarrier();
}

/// Emits code for the steps that the kernel is planned for, of at most eight
/// tokens, and for longer ones: with the input in shared memory where it fits.
static void lowerStreamed(GpuBuilder &b, task::LinearOp op, const Ring &ring) {
  int64_t bound = cast<MemRefType>(op.getOutput().getType()).getDimSize(0);
  auto input = cast<MemRefType>(op.getInput().getType());
  int64_t fit =
      op.getFirst() ? ring.activationBytes / (2 * input.getDimSize(1)) : 0;
  auto emit = [&](int64_t most) {
    StreamedLinear(b, op, ring, most, most <= fit).emit();
  };
  if (!ShapedType::isDynamic(bound))
    return emit(bound);
  // Where only some of eight would fit, but all of a step: no more than those.
  int64_t few = fit > 0 && fit >= ring.tokens ? std::min<int64_t>(fit, 8) : 8;
  // The same for the sums of the row tiles that cross together.
  auto tile = cast<task::StreamType>(op.getWeight().getType()).getTile();
  int64_t meet = SharedLayout::kMaxTokens /
                 llvm::PowerOf2Ceil(RingSteps(ring, tile).together);
  if (meet >= ring.tokens)
    few = std::min(few, meet);
  Value tokens = b.make<memref::DimOp>(op.getOutput(), 0);
  Value isFew = b.compare(arith::CmpIPredicate::ule, tokens, b.index(few));
  auto branch = b.make<scf::IfOp>(isFew, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  emit(few);
  b.setInsertionPointToStart(branch.elseBlock());
  emit(SharedLayout::kMaxTokens);
}

/// What an element of the output has of row `row` of the weight, and the
/// squares of its token: in every lane of the warp.
static SmallVector<Value> sumOverColumns(GpuBuilder &b, task::LinearOp op,
                                         Value token, Value row) {
  auto add = [&](Value x, Value y) -> Value {
    return b.make<arith::AddFOp>(x, y);
  };
  auto mul = [&](Value x, Value y) -> Value {
    return b.make<arith::MulFOp>(x, y);
  };
  Type element = elementOf(op.getWeight());
  Value columns = b.make<memref::DimOp>(op.getInput(), 1);
  SmallVector<Value> sums = b.loop(
      b.lane(), columns, b.index(kWarpSize), {b.f32(0), b.f32(0)},
      [&](Value k, ValueRange sum) -> SmallVector<Value> {
        Value x = b.loadReal(op.getInput(), {token, k});
        Value squares = add(sum[1], mul(x, x));
        if (op.getNorm())
          x = b.extend(b.round(mul(x, b.loadReal(op.getNorm(), k)), element));
        Value w = b.loadReal(op.getWeight(), {row, k});
        return {add(sum[0], mul(x, w)), squares};
      });
  return {b.reduceLanes(sums[0], add), b.reduceLanes(sums[1], add)};
}

/// A warp per element of the output; its lanes stride through K.
static void lowerPlain(GpuBuilder &b, task::LinearOp op) {
  Value tokens = b.make<memref::DimOp>(op.getOutput(), 0);
  Value rows = b.make<memref::DimOp>(op.getOutput(), 1);
  Value columns = b.make<memref::DimOp>(op.getInput(), 1);
  b.loop(b.warp(), b.mul(tokens, rows), b.index(kConsumerWarps), [&](Value i) {
    SmallVector<Value> point = delinearize(b, i, {rows, tokens});
    Value n = point[0], t = point[1];
    auto ofRow = [&](Value row) -> Value {
      SmallVector<Value> sums = sumOverColumns(b, op, t, row);
      if (!op.getNorm())
        return sums[0];
      Value count = b.make<arith::UIToFPOp>(b.getF32Type(), b.toI32(columns));
      Value mean = b.make<arith::DivFOp>(sums[1], count);
      Value eps = b.f32(op.getEpsAttr().getValueAsDouble());
      return b.make<arith::MulFOp>(
          sums[0],
          b.make<math::RsqrtOp>(b.make<arith::AddFOp>(mean, eps).getResult()));
    };
    Value result;
    if (op.getGated()) {
      // Eight gates, eight ups, and so on.
      Value half = b.index(SharedLayout::kTileRows / 2);
      Value gateRow = b.add(n, b.mul(b.make<arith::DivUIOp>(n, half), half));
      Value gate = ofRow(gateRow), up = ofRow(b.add(gateRow, half));
      result = b.make<arith::MulFOp>(silu(b, gate), up);
    } else {
      result = ofRow(n);
    }
    b.when(b.compare(arith::CmpIPredicate::eq, b.laneI32(), b.i32(0)), [&] {
      Value total = result;
      if (op.getBias())
        total = b.make<arith::AddFOp>(total, b.loadReal(op.getBias(), n));
      if (op.getResidual())
        total =
            b.make<arith::AddFOp>(total, b.loadReal(op.getResidual(), {t, n}));
      b.storeReal(total, op.getOutput(), {t, n});
    });
  });
}

LogicalResult etc::codegen::lowerLinear(GpuBuilder &b, task::LinearOp op,
                                        const Ring &ring) {
  if (isa<task::StreamType>(op.getWeight().getType()))
    lowerStreamed(b, op, ring);
  else if (op.getBest())
    return op.emitOpError(
        "finds the best of outputs only where its weight streams");
  else
    lowerPlain(b, op);
  return success();
}
