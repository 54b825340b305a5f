//===- GpuLinearInput.cpp - The input of a streamed linear
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kept in shared memory for a run of tasks, or a chunk at a time from where it
// lies; normed on the way where the norm is folded in.
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuLinear.h"
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

/// The words of four columns times the norm's weight, as two words of what is
/// multiplied; adds their squares.
SmallVector<Value> StreamedLinear::normed(ArrayRef<Value> quad, ValueRange norm,
                                          Value &squares) {
  Type type = elementOf(op.getInput());
  Values values;
  for (Value word : quad)
    llvm::append_range(values, unpackWord(b, word, type));
  for (auto [value, factor] : llvm::zip(values, norm)) {
    squares = addf(squares, mulf(value, value));
    value = mulf(value, factor);
  }
  ArrayRef<Value> all(values);
  return {packWord(b, all.take_front(2), element),
          packWord(b, all.drop_front(2), element)};
}

/// The `number`-th block of those that this warp multiplies, of the row tile.
Value StreamedLinear::blockOfWarp(Value number) {
  Value step = b.make<arith::DivUIOp>(number, b.i32(steps.chunkBlocks));
  Value inStep = b.make<arith::RemUIOp>(number, b.i32(steps.chunkBlocks));
  Value first = b.add(b.mul(step, b.i32(steps.stepBlocks)),
                      b.mul(warp, b.i32(steps.chunkBlocks)));
  Value block = b.add(first, inStep);
  if (!steps.rest)
    return block;
  int64_t full = steps.full * steps.chunkBlocks;
  Value rest = b.add(RingSteps::getBegin(b, warp, b.i32(steps.rest)),
                     b.i32(steps.full * steps.stepBlocks - full));
  Value isFull = b.compare(arith::CmpIPredicate::ult, number, b.i32(full));
  return b.make<arith::SelectOp>(isFull, block, b.add(rest, number));
}

/// How many quads of columns this warp multiplies.
Value StreamedLinear::countQuads() {
  Value blocks = b.i32(steps.full * steps.chunkBlocks);
  if (steps.rest) {
    Value rest = b.i32(steps.rest);
    Value begin = RingSteps::getBegin(b, warp, rest);
    Value end = RingSteps::getBegin(b, b.add(warp, b.i32(1)), rest);
    blocks = b.add(blocks, b.make<arith::SubIOp>(end, begin));
  }
  return b.mul(blocks, b.i32(4));
}

/// The first column of quad `number` of those that this warp multiplies.
Value StreamedLinear::columnOfQuad(Value number) {
  Value block = blockOfWarp(b.make<arith::DivUIOp>(number, b.i32(4)));
  return b.toIndex(b.add(
      b.mul(block, b.i32(Ring::kBlockColumns)),
      b.mul(b.make<arith::RemUIOp>(number, b.i32(4)), b.i32(kLaneColumns))));
}

/// The two words of a quad as one value.
Value StreamedLinear::joined(ArrayRef<Value> pair) {
  Value both = b.make<LLVM::PoisonOp>(VectorType::get(2, b.getI32Type()));
  for (int64_t half = 0; half < 2; ++half)
    both = b.make<LLVM::InsertElementOp>(both, pair[half], b.i32(half));
  return both;
}

/// Puts two words of a token where `loadKept` finds them.
void StreamedLinear::storeQuad(Value token, Value column, ArrayRef<Value> pair,
                               Value isMine) {
  Value quad = b.make<arith::DivUIOp>(b.toI32(column), b.i32(kLaneColumns));
  Value block = b.make<arith::DivUIOp>(quad, b.i32(4));
  Value at = b.add(b.mul(b.add(b.mul(block, b.toI32(tokens)), token), b.i32(4)),
                   b.make<arith::RemUIOp>(quad, b.i32(4)));
  Value both = joined(pair);
  b.when(isMine, [&] {
    b.store(both, b.advance(b.shared(ring.activations), b.mul(at, b.i32(8))),
            8);
  });
}

/// Some quads of some tokens, one for each lane in each of `count` rounds; adds
/// their squares to `squares`, one per token, where the input is normed.
void StreamedLinear::stageQuads(ValueRange some, int64_t firstRound,
                                int64_t count, Value quads,
                                MutableArrayRef<Value> squares) {
  Value last = b.make<arith::SubIOp>(quads, b.i32(1));
  last = b.make<arith::MaxSIOp>(last, b.i32(0));
  WordReader reader(b);
  Values numbers, columnsOf;
  for (int64_t i = 0; i < count; ++i) {
    numbers.push_back(b.add(lane, b.i32((firstRound + i) * kWarpSize)));
    columnsOf.push_back(columnOfQuad(b.make<arith::MinSIOp>(numbers[i], last)));
  }
  for (Value token : some)
    for (Value column : columnsOf)
      reader.add(op.getInput(),
                 wordAddress(b, op.getInput(), {b.toIndex(token), column}),
                 quadWords);
  // With the input, so that nothing is held while it is late.
  if (op.getNorm())
    for (Value column : columnsOf)
      reader.add(op.getNorm(), wordAddress(b, op.getNorm(), column), 2);
  Values words = reader.read(), norms;
  for (Value word : ArrayRef(words).drop_front(quadWords * count * some.size()))
    llvm::append_range(norms, unpackWord(b, word, element));
  for (int64_t i = 0; i < count; ++i) {
    Value isMine = b.compare(arith::CmpIPredicate::slt, numbers[i], quads);
    for (auto [number, token] : llvm::enumerate(some)) {
      Values pair(
          ArrayRef(words).slice(quadWords * (number * count + i), quadWords));
      if (op.getNorm()) {
        Value more = b.f32(0);
        pair = normed(pair, ArrayRef(norms).slice(4 * i, 4), more);
        more = b.make<arith::SelectOp>(isMine, more, b.f32(0));
        squares[number] = addf(squares[number], more);
      }
      storeQuad(token, columnsOf[i], pair, isMine);
    }
  }
}

/// The warp's sum of a token's squares.
void StreamedLinear::keepSquares(Value token, Value squares) {
  Value total = b.reduceLanes(
      squares, [&](Value x, Value y) -> Value { return addf(x, y); });
  b.when(b.compare(arith::CmpIPredicate::eq, lane, b.i32(0)), [&] {
    b.store(total, squaresAt(b.shared(SharedLayout::kSquares), token));
  });
}

/// How often every lane takes a quad, until a warp has all of its part of a
/// token.
int64_t StreamedLinear::getRounds() {
  int64_t most = steps.full * steps.chunkBlocks +
                 llvm::divideCeil(steps.rest, kConsumerWarps);
  return llvm::divideCeil(most * 4, kWarpSize);
}

/// A lane has `getQuadsAtOnce` quads under way before it looks at the first: of
/// one token, or of several where each has few.
int64_t StreamedLinear::getTokensAtOnce() {
  return std::max<int64_t>(
      1, std::min(getQuadsAtOnce() / getRounds(), ring.tokens));
}

/// Each warp stages what it multiplies itself, so nobody else waits for it.
void StreamedLinear::stageInput() {
  Value quads = countQuads();
  int64_t rounds = getRounds(), atOnce = getTokensAtOnce();
  Value last = b.make<arith::SubIOp>(b.toI32(tokens), b.i32(1));
  b.warpBarrier(); // The last task's reads.
  b.loop(b.index(0), tokens, b.index(atOnce), [&](Value first) {
    // A token beyond the last is the last again.
    Values some;
    for (int64_t i = 0; i < atOnce; ++i)
      some.push_back(
          b.make<arith::MinSIOp>(b.add(b.toI32(first), b.i32(i)), last));
    Values squares(atOnce, b.f32(0));
    for (int64_t round = 0; round < rounds; round += getQuadsAtOnce())
      stageQuads(some, round, std::min(getQuadsAtOnce(), rounds - round), quads,
                 squares);
    if (needsSquares())
      for (auto [token, sum] : llvm::zip(some, squares))
        keepSquares(token, sum);
  });
  b.warpBarrier();
}

/// How many blocks of the input are under way before the first is looked at:
/// what there are registers for.
int64_t StreamedLinear::getBlocksAtOnce(int64_t blocks) {
  int64_t perBlock = 2 * quadWords * groups + (op.getNorm() ? 2 : 0);
  return std::min<int64_t>(
      blocks, llvm::bit_floor<uint64_t>(kHeldRegisters / perBlock));
}

/// Whether the first tile of a run multiplies what it keeps as it comes, or
/// keeps all of it first. On the way the stream goes on, which is what a run
/// waits for that streams more than the ring has. Else it is a matter of trips
/// to memory: on the way a lane reads what it multiplies, of eight tokens in
/// any case, and no more at once than it has registers for. If that takes as
/// many trips, it is better where all the tokens are there.
bool StreamedLinear::choosesOnTheWay() {
  if (!isKept || !ring.prefetches || !op.getRunBytes())
    return false;
  int64_t most = std::min(ring.tokens, 8 * groups);
  int64_t before = llvm::divideCeil(most, getTokensAtOnce()) *
                   llvm::divideCeil(getRounds(), getQuadsAtOnce());
  auto tripsOf = [&](int64_t blocks) {
    return llvm::divideCeil(blocks, getBlocksAtOnce(blocks));
  };
  int64_t onTheWay = steps.full * tripsOf(steps.chunkBlocks);
  if (int64_t last = llvm::divideCeil(steps.rest, kConsumerWarps))
    onTheWay += steps.rest % kConsumerWarps ? last : tripsOf(last);
  int64_t run = op.getRunBytes();
  bool isBetter = run > ring.getBytes() || onTheWay < before ||
                  (onTheWay == before && most == 8 * groups);
  op.emitRemark() << "for " << most << " tokens the input is kept "
                  << (isBetter ? "on the way" : "before the first product")
                  << ": " << onTheWay << " trips on the way, " << before
                  << " before; a run streams " << run << " bytes, the ring has "
                  << ring.getBytes();
  return isBetter;
}

/// Tokens beyond the last are the last again: columns of B do not mix, and
/// nobody reads their sums.
void StreamedLinear::locateTokens() {
  tokenRows.clear();
  keptRows.clear();
  Value last = b.make<arith::SubIOp>(b.toI32(tokens), b.i32(1));
  for (int64_t group = 0; group < groups; ++group) {
    Value token =
        b.make<arith::MinSIOp>(b.add(laneGroup(), b.i32(8 * group)), last);
    if (source != Source::memory) {
      Value quad = b.add(b.mul(token, b.i32(4)), laneColumn());
      keptRows.push_back(
          b.advance(b.shared(ring.activations), b.mul(quad, b.i32(8))));
    }
    if (source != Source::shared) {
      Value column = b.toIndex(b.mul(laneColumn(), b.i32(kLaneColumns)));
      tokenRows.push_back(
          wordAddress(b, op.getInput(), {b.toIndex(token), column}));
    }
  }
}

/// Of a block of columns, behind the same of block 0.
Value StreamedLinear::keptOffset(Value block) {
  return b.mul(block, b.mul(b.toI32(tokens), b.i32(32)));
}

SmallVector<Value> StreamedLinear::loadKept(Value first, int64_t blocks) {
  Values loaded;
  for (int64_t block = 0; block < blocks; ++block) {
    Value offset = keptOffset(b.add(first, b.i32(block)));
    for (Value row : keptRows) {
      Value pair =
          b.load(VectorType::get(2, b.getI32Type()), b.advance(row, offset), 8);
      for (int64_t i = 0; i < 2; ++i)
        loaded.push_back(b.make<LLVM::ExtractElementOp>(pair, b.i32(i)));
    }
  }
  return loaded;
}

/// Puts the B operands of blocks where this lane's `loadKept` finds them.
void StreamedLinear::keep(Value first, int64_t blocks, ArrayRef<Value> words) {
  for (int64_t block = 0; block < blocks; ++block) {
    Value offset = keptOffset(b.add(first, b.i32(block)));
    for (Value row : keptRows) {
      b.store(joined(words.take_front(2)), b.advance(row, offset), 8);
      words = words.drop_front(2);
    }
  }
}

SmallVector<Value>
StreamedLinear::loadActivations(Value first, int64_t blocks,
                                MutableArrayRef<Value> squares) {
  if (source == Source::shared)
    return loadKept(first, blocks);
  Values words = loadMemory(first, blocks, squares);
  if (source == Source::memoryKept)
    keep(first, blocks, words);
  return words;
}

SmallVector<Value> StreamedLinear::loadMemory(Value first, int64_t blocks,
                                              MutableArrayRef<Value> squares) {
  auto type = cast<MemRefType>(op.getInput().getType());
  int64_t blockBytes = Ring::kBlockColumns * task::getElementBytes(type);
  WordReader reader(b);
  for (int64_t block = 0; block < blocks; ++block) {
    Value number = b.toIndex(b.add(first, b.i32(block)));
    for (Value row : tokenRows)
      reader.add(op.getInput(),
                 b.advance(row, b.mul(number, b.index(blockBytes))), quadWords);
  }
  if (op.getNorm())
    for (int64_t block = 0; block < blocks; ++block) {
      Value column = b.mul(b.toIndex(b.add(first, b.i32(block))),
                           b.index(Ring::kBlockColumns));
      column =
          b.add(column, b.toIndex(b.mul(laneColumn(), b.i32(kLaneColumns))));
      reader.add(op.getNorm(), wordAddress(b, op.getNorm(), column), 2);
    }
  Values words = reader.read();
  if (!op.getNorm())
    return words;
  Values norms, loaded;
  for (Value word : ArrayRef(words).drop_front(quadWords * groups * blocks))
    llvm::append_range(norms, unpackWord(b, word, element));
  for (int64_t i = 0; i < groups * blocks; ++i)
    llvm::append_range(loaded,
                       normed(ArrayRef(words).slice(quadWords * i, quadWords),
                              ArrayRef(norms).slice(4 * (i / groups), 4),
                              squares[i % groups]));
  return loaded;
}
