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
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

static Value silu(GpuBuilder &b, Value x) {
  Value negated = b.make<arith::NegFOp>(x);
  Value divisor = b.make<arith::AddFOp>(
      b.make<math::ExpOp>(negated).getResult(), b.f32(1));
  return b.make<arith::MulFOp>(x, b.reciprocal(divisor));
}

namespace {
/// The consumers' part of a streamed linear, for up to 8 * `groups` tokens.
///
/// The input comes either out of shared memory, where the first task of a run has
/// put it (`isStaged`), or a chunk at a time from where it lies.
class StreamedLinear {
public:
  StreamedLinear(GpuBuilder &b, task::LinearOp op, const Ring &ring,
                 int64_t groups, bool isStaged)
      : b(b), op(op), ring(ring), groups(groups), isStaged(isStaged),
        tile(cast<task::StreamType>(op.getWeight().getType()).getTile()),
        steps(ring, tile.getDimSize(1)),
        element(cast<MemRefType>(op.getInput().getType()).getElementType()) {}

  void emit();

private:
  /// Accumulators that take turns, so that an mma need not wait for the last
  /// one.
  static constexpr int64_t kTurns = 2;
  /// Looks at a stage before the bounded wait for it.
  static constexpr int64_t kTriesBeforeWait = 64;
  /// Columns that a lane has of a block.
  static constexpr int64_t kLaneColumns = 4;
  using Values = SmallVector<Value>;

  void stageInput();
  void stageToken(Value token);
  Value blockOfWarp(Value number);
  void locateTokens();
  Values oneTile(Value number, Value count);
  /// Consumes one chunk of `blocks` blocks, the first being block `first` of
  /// the row tile. The state: accumulators [group][turn][4], squares [group],
  /// then the chunk's number.
  Values chunk(Value first, int64_t blocks, ValueRange state);
  /// The same where `blocks` is a value (i32).
  Values shortChunk(Value first, Value blocks, ValueRange state);
  /// The B operands of blocks, [block][group][register].
  Values loadActivations(Value first, int64_t blocks, MutableArrayRef<Value> squares);
  Values loadStaged(Value first, int64_t blocks);
  Value normed(Value word, ValueRange norm, Value &squares);
  void multiply(Value data, Value block, ArrayRef<Value> activations,
                int64_t turn, MutableArrayRef<Value> state);
  void waitFull(const Ring::Stage &stage);
  void leave(const Ring::Stage &stage);
  void storePartialSums(Value sums, ValueRange accumulators);
  void storeSquares(Value sums, ValueRange squares);
  Value residualAddress(Value firstRow);
  Value prefetchResidual(Value firstRow);
  Value finishResidual(Value word, Value firstRow, Value isMine);
  void storeOutput(Value sums, Value firstRow, Value residual);
  void storeBest(Value total, Value row, Value token, Value firstRow);
  Value sumOfWarps(Value address, int64_t stride);
  Value normFactor(Value sums, Value token);

  Value laneGroup() { return b.make<arith::DivUIOp>(lane, b.i32(4)); }
  Value laneColumn() { return b.make<arith::RemUIOp>(lane, b.i32(4)); }
  Value addf(Value x, Value y) { return b.make<arith::AddFOp>(x, y); }
  Value mulf(Value x, Value y) { return b.make<arith::MulFOp>(x, y); }
  bool needsSquares() { return bool(op.getNorm()); }
  int64_t columns() { return tile.getDimSize(1); }
  int64_t tileOutputs() {
    return SharedLayout::kTileRows / op.getRowsPerOutput();
  }

  GpuBuilder &b;
  task::LinearOp op;
  const Ring &ring;
  int64_t groups;
  bool isStaged;
  MemRefType tile;
  RingSteps steps;
  Type element;
  Value tokens, warp, lane;
  Values tokenRows; // per group: the address of what this lane reads of block 0
};
} // namespace

//===----------------------------------------------------------------------===//
// The input
//===----------------------------------------------------------------------===//

/// Two values times the norm's weight; adds their squares.
Value StreamedLinear::normed(Value word, ValueRange norm, Value &squares) {
  Values values = unpackWord(b, word, element);
  for (auto [value, factor] : llvm::zip(values, norm)) {
    squares = addf(squares, mulf(value, value));
    value = mulf(value, factor);
  }
  return packWord(b, values, element);
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

/// One token's part of K, normed: a quadruple of columns for each lane at a time,
/// all of them under way before the first is looked at.
void StreamedLinear::stageToken(Value token) {
  constexpr int64_t kUnrolled = 8;
  Value blocks = b.i32(steps.full * steps.chunkBlocks);
  int64_t most = steps.full * steps.chunkBlocks;
  if (steps.rest) {
    Value rest = b.i32(steps.rest);
    Value begin = RingSteps::getBegin(b, warp, rest);
    Value end = RingSteps::getBegin(b, b.add(warp, b.i32(1)), rest);
    blocks = b.add(blocks, b.make<arith::SubIOp>(end, begin));
    most += llvm::divideCeil(steps.rest, kConsumerWarps);
  }
  Value quads = b.mul(blocks, b.i32(4));
  Value last = b.make<arith::SubIOp>(quads, b.i32(1));
  last = b.make<arith::MaxSIOp>(last, b.i32(0));
  int64_t rounds = llvm::divideCeil(most * 4, kWarpSize);
  Value squares = b.f32(0);
  for (int64_t round = 0; round < rounds; round += kUnrolled) {
    int64_t count = std::min(kUnrolled, rounds - round);
    WordReader reader(b);
    Values numbers, columnsOf, norms;
    for (int64_t i = 0; i < count; ++i) {
      Value number = b.add(lane, b.i32((round + i) * kWarpSize));
      Value clamped = b.make<arith::MinSIOp>(number, last);
      Value block = blockOfWarp(b.make<arith::DivUIOp>(clamped, b.i32(4)));
      Value column = b.toIndex(
          b.add(b.mul(block, b.i32(Ring::kBlockColumns)),
                b.mul(b.make<arith::RemUIOp>(clamped, b.i32(4)),
                      b.i32(kLaneColumns))));
      numbers.push_back(number);
      columnsOf.push_back(column);
      reader.add(op.getInput(),
                 wordAddress(b, op.getInput(), {b.toIndex(token), column}), 2);
    }
    // With the input, so that nothing is held while it is late.
    if (op.getNorm())
      for (Value column : columnsOf)
        reader.add(op.getNorm(), wordAddress(b, op.getNorm(), column), 2);
    Values words = reader.read();
    for (Value word : ArrayRef(words).drop_front(2 * count))
      llvm::append_range(norms, unpackWord(b, word, element));
    for (int64_t i = 0; i < count; ++i) {
      Value isMine = b.compare(arith::CmpIPredicate::slt, numbers[i], quads);
      Values pair = {words[2 * i], words[2 * i + 1]};
      if (op.getNorm()) {
        Value more = b.f32(0);
        for (int64_t half = 0; half < 2; ++half)
          pair[half] = normed(pair[half],
                              ArrayRef(norms).slice(4 * i + 2 * half, 2), more);
        squares = addf(squares, b.make<arith::SelectOp>(isMine, more, b.f32(0)));
      }
      Value quad = b.make<arith::DivUIOp>(b.toI32(columnsOf[i]),
                                          b.i32(kLaneColumns));
      Value block = b.make<arith::DivUIOp>(quad, b.i32(4));
      Value at = b.add(b.mul(b.add(b.mul(block, b.toI32(tokens)), token),
                             b.i32(4)),
                       b.make<arith::RemUIOp>(quad, b.i32(4)));
      Value both = b.make<LLVM::PoisonOp>(VectorType::get(2, b.getI32Type()));
      for (int64_t half = 0; half < 2; ++half)
        both = b.make<LLVM::InsertElementOp>(both, pair[half], b.i32(half));
      b.when(isMine, [&] {
        b.store(both, b.advance(b.shared(ring.activations),
                                b.mul(at, b.i32(8))), 8);
      });
    }
  }
  if (!needsSquares())
    return;
  Value total = b.reduceLanes(
      squares, [&](Value x, Value y) -> Value { return addf(x, y); });
  b.when(b.compare(arith::CmpIPredicate::eq, lane, b.i32(0)), [&] {
    Value at = b.add(b.mul(warp, b.i32(SharedLayout::kMaxTokens)), token);
    b.store(total, b.advance(b.shared(SharedLayout::kSquares),
                             b.mul(at, b.i32(4))));
  });
}

/// Each warp stages what it multiplies itself, so nobody else waits for it.
void StreamedLinear::stageInput() {
  b.warpBarrier(); // The last task's reads.
  b.loop(b.index(0), tokens, b.index(1),
         [&](Value token) { stageToken(b.toI32(token)); });
  b.warpBarrier();
}

/// Tokens beyond the last are the last again: columns of B do not mix, and
/// nobody reads their sums.
void StreamedLinear::locateTokens() {
  Value last = b.make<arith::SubIOp>(b.toI32(tokens), b.i32(1));
  for (int64_t group = 0; group < groups; ++group) {
    Value token = b.make<arith::MinSIOp>(
        b.add(laneGroup(), b.i32(8 * group)), last);
    if (isStaged) {
      Value quad = b.add(b.mul(token, b.i32(4)), laneColumn());
      tokenRows.push_back(b.advance(b.shared(ring.activations),
                                    b.mul(quad, b.i32(8))));
    } else {
      Value column = b.toIndex(b.mul(laneColumn(), b.i32(kLaneColumns)));
      tokenRows.push_back(
          wordAddress(b, op.getInput(), {b.toIndex(token), column}));
    }
  }
}

SmallVector<Value> StreamedLinear::loadStaged(Value first, int64_t blocks) {
  Values loaded;
  Value blockBytes = b.mul(b.toI32(tokens), b.i32(32));
  Value offset = b.mul(first, blockBytes);
  for (int64_t block = 0; block < blocks; ++block) {
    for (Value row : tokenRows) {
      Value pair = b.load(VectorType::get(2, b.getI32Type()),
                          b.advance(row, offset), 8);
      for (int64_t i = 0; i < 2; ++i)
        loaded.push_back(b.make<LLVM::ExtractElementOp>(pair, b.i32(i)));
    }
    offset = b.add(offset, blockBytes);
  }
  return loaded;
}

SmallVector<Value>
StreamedLinear::loadActivations(Value first, int64_t blocks,
                                MutableArrayRef<Value> squares) {
  if (isStaged)
    return loadStaged(first, blocks);
  auto type = cast<MemRefType>(op.getInput().getType());
  int64_t blockBytes = Ring::kBlockColumns * task::getElementBytes(type);
  WordReader reader(b);
  for (int64_t block = 0; block < blocks; ++block) {
    Value number = b.toIndex(b.add(first, b.i32(block)));
    for (Value row : tokenRows)
      reader.add(op.getInput(),
                 b.advance(row, b.mul(number, b.index(blockBytes))), 2);
  }
  if (op.getNorm())
    for (int64_t block = 0; block < blocks; ++block) {
      Value column = b.mul(b.toIndex(b.add(first, b.i32(block))),
                           b.index(Ring::kBlockColumns));
      column = b.add(column,
                     b.toIndex(b.mul(laneColumn(), b.i32(kLaneColumns))));
      reader.add(op.getNorm(), wordAddress(b, op.getNorm(), column), 2);
    }
  Values words = reader.read();
  if (!op.getNorm())
    return words;
  Values norms;
  for (Value word : ArrayRef(words).drop_front(2 * groups * blocks))
    llvm::append_range(norms, unpackWord(b, word, element));
  words.resize(2 * groups * blocks);
  for (auto [i, word] : llvm::enumerate(words)) {
    int64_t block = i / (2 * groups), group = i / 2 % groups;
    word = normed(word, ArrayRef(norms).slice(4 * block + 2 * (i % 2), 2),
                  squares[group]);
  }
  return words;
}

//===----------------------------------------------------------------------===//
// The product
//===----------------------------------------------------------------------===//

void StreamedLinear::multiply(Value data, Value block,
                              ArrayRef<Value> activations, int64_t turn,
                              MutableArrayRef<Value> state) {
  Type i32 = b.getI32Type();
  Value offset =
      b.add(b.mul(block, b.i32(Ring::kBlockBytes)), b.mul(lane, b.i32(16)));
  Value fragment = b.load(VectorType::get(4, i32), b.advance(data, offset), 16);
  Values a;
  for (int64_t i = 0; i < 4; ++i)
    a.push_back(b.make<LLVM::ExtractElementOp>(fragment, b.i32(i)));
  for (int64_t group = 0; group < groups; ++group) {
    auto sums = state.slice(4 * (group * kTurns + turn), 4);
    Values next = b.mma(a, activations.slice(2 * group, 2), sums);
    llvm::copy(next, sums.begin());
  }
}

void StreamedLinear::waitFull(const Ring::Stage &stage) {
  auto tryWait = [&]() -> Value {
    return b.make<NVVM::MBarrierTryWaitOp>(b.getI1Type(), stage.full,
                                           stage.parity, Value());
  };
  // The slow path knows the bound of a wait, but takes longer than most last.
  Type i32 = b.getI32Type(), flag = b.getI1Type();
  auto loop = b.make<scf::WhileOp>(TypeRange{i32, flag}, ValueRange(b.i32(0)));
  {
    OpBuilder::InsertionGuard guard(b);
    Block *before = b.createBlock(&loop.getBefore(), {}, i32, b.getLoc());
    Value tries = b.add(before->getArgument(0), b.i32(1));
    Value isLate = b.make<arith::XOrIOp>(tryWait(), b.boolean(true));
    Value again = b.make<arith::AndIOp>(
        isLate, b.compare(arith::CmpIPredicate::slt, tries,
                          b.i32(kTriesBeforeWait)));
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
  MutableArrayRef<Value> squares =
      MutableArrayRef(next).slice(4 * groups * kTurns, groups);
  // All loads of activations are under way before the first is looked at; in two
  // halves where registers would not do for all.
  int64_t most = isStaged ? blocks : std::min<int64_t>(blocks, 8 / groups);
  for (int64_t begin = 0; begin < blocks; begin += most) {
    int64_t count = std::min(most, blocks - begin);
    Values activations =
        loadActivations(b.add(first, b.i32(begin)), count, squares);
    if (begin == 0)
      waitFull(stage);
    else
      b.warpBarrier(); // Lanes may have waited for different words.
    for (int64_t i = 0; i < count; ++i)
      multiply(stage.data, b.i32(begin + i),
               ArrayRef(activations).slice(2 * groups * i, 2 * groups),
               i % kTurns, next);
  }
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
               Values activations = loadActivations(
                   b.add(first, block), 1,
                   MutableArrayRef(sums).slice(4 * groups * kTurns, groups));
               if (!isStaged)
                 b.warpBarrier(); // Lanes may have waited for different words.
               multiply(stage.data, block, activations, 0, sums);
               return sums;
             });
  leave(stage);
  next.back() = b.add(next.back(), b.i32(1));
  return next;
}

//===----------------------------------------------------------------------===//
// The sums
//===----------------------------------------------------------------------===//

void StreamedLinear::storePartialSums(Value sums, ValueRange accumulators) {
  Value column = b.mul(laneColumn(), b.i32(2));
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t i = 0; i < 4; ++i) {
      Value sum = accumulators[4 * group * kTurns + i];
      for (int64_t turn = 1; turn < kTurns; ++turn)
        sum = addf(sum, accumulators[4 * (group * kTurns + turn) + i]);
      Value token = b.add(column, b.i32(8 * group + i % 2));
      token = b.add(token, b.mul(warp, b.i32(SharedLayout::kMaxTokens)));
      Value element = b.add(b.mul(token, b.i32(SharedLayout::kTileRows)),
                            b.add(laneGroup(), b.i32(8 * (i / 2))));
      b.store(sum, b.advance(sums, b.mul(element, b.i32(4))));
    }
}

/// The warp's part of each token's squares, beside its sums.
void StreamedLinear::storeSquares(Value sums, ValueRange squares) {
  auto slot = [&](Value base, Value token) {
    Value at = b.add(b.mul(warp, b.i32(SharedLayout::kMaxTokens)), token);
    return b.advance(base, b.mul(at, b.i32(4)));
  };
  Value beside = b.advance(sums, b.i32(SharedLayout::kSumBytes));
  if (isStaged) {
    b.when(b.compare(arith::CmpIPredicate::ult, lane, b.toI32(tokens)), [&] {
      Value mine = b.load(b.getF32Type(),
                          slot(b.shared(SharedLayout::kSquares), lane));
      b.store(mine, slot(beside, lane));
    });
    return;
  }
  for (auto [group, part] : llvm::enumerate(squares)) {
    Value total = part;
    for (int64_t mask : {1, 2})
      total = addf(total, b.shuffle(total, mask));
    Value token = b.add(laneGroup(), b.i32(8 * int64_t(group)));
    b.when(b.compare(arith::CmpIPredicate::eq, laneColumn(), b.i32(0)),
           [&] { b.store(total, slot(beside, token)); });
  }
}

Value StreamedLinear::sumOfWarps(Value address, int64_t stride) {
  Value total = b.load(b.getF32Type(), address);
  for (int64_t i = 1; i < kConsumerWarps; ++i)
    total = addf(total, b.load(b.getF32Type(),
                               b.advance(address, b.i32(i * stride))));
  return total;
}

Value StreamedLinear::normFactor(Value sums, Value token) {
  Value at = b.advance(sums, b.add(b.i32(SharedLayout::kSumBytes),
                                   b.mul(token, b.i32(4))));
  Value squares = sumOfWarps(at, 4 * SharedLayout::kMaxTokens);
  Value mean = mulf(squares, b.f32(1.0 / columns()));
  return b.make<math::RsqrtOp>(
      addf(mean, b.f32(op.getEpsAttr().getValueAsDouble())));
}

/// What this thread adds in the end, on its way while the weights are multiplied:
/// the word of its pair of rows, not looked at yet.
Value StreamedLinear::prefetchResidual(Value firstRow) {
  bool isTagged = task::isTagged(op.getResidual().getType());
  Type type = isTagged ? b.getI64Type() : b.getI32Type();
  Value token =
      b.make<arith::DivUIOp>(b.thread(), b.index(SharedLayout::kTileRows));
  Value isMine = b.compare(arith::CmpIPredicate::ult, token, tokens);
  auto branch = b.make<scf::IfOp>(TypeRange(type), isMine, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value address = residualAddress(firstRow);
  Value word = isTagged ? loadTagged(b, address) : b.load(type, address, 4);
  b.make<scf::YieldOp>(word);
  b.setInsertionPointToStart(branch.elseBlock());
  b.make<scf::YieldOp>(ValueRange(
      b.make<arith::ConstantOp>(b.getIntegerAttr(type, 0)).getResult()));
  return branch.getResult(0);
}

Value StreamedLinear::residualAddress(Value firstRow) {
  Value rows = b.index(SharedLayout::kTileRows);
  Value token = b.make<arith::DivUIOp>(b.thread(), rows);
  Value row = b.make<arith::RemUIOp>(b.thread(), rows);
  return wordAddress(b, op.getResidual(), {token, b.add(row, firstRow)});
}

/// The word that was under way, or what comes instead if it was too early.
Value StreamedLinear::finishResidual(Value word, Value firstRow, Value isMine) {
  if (!task::isTagged(op.getResidual().getType()))
    return word;
  Value isLate = b.make<arith::AndIOp>(
      isMine, b.compare(arith::CmpIPredicate::ne, epochOf(b, word),
                        getEpoch(b)));
  auto branch = b.make<scf::IfOp>(TypeRange(b.getI32Type()), isLate, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  WordReader reader(b);
  reader.add(op.getResidual(), residualAddress(firstRow));
  b.make<scf::YieldOp>(reader.read());
  b.setInsertionPointToStart(branch.elseBlock());
  b.make<scf::YieldOp>(ValueRange(
      b.make<arith::TruncIOp>(b.getI32Type(), word).getResult()));
  return branch.getResult(0);
}

/// A thread per row and token; a gated tile has half as many outputs as rows.
void StreamedLinear::storeOutput(Value sums, Value firstRow, Value residual) {
  constexpr int64_t kRows = SharedLayout::kTileRows;
  int64_t stride = 4 * kRows * SharedLayout::kMaxTokens;
  Value thread = b.toI32(b.thread());
  Value row = b.make<arith::RemUIOp>(thread, b.i32(kRows));
  Value token = b.make<arith::DivUIOp>(thread, b.i32(kRows));
  Value firstToken = b.mul(warp, b.i32(kWarpSize / kRows));
  // Whole warps, for lanes exchange their rows.
  b.when(b.compare(arith::CmpIPredicate::ult, firstToken, b.toI32(tokens)), [&] {
    Value mine = b.advance(sums, b.mul(thread, b.i32(4)));
    Value total = sumOfWarps(mine, stride);
    if (op.getNorm())
      total = mulf(total, normFactor(sums, token));
    Value column = b.add(b.toIndex(row), firstRow);
    Value isMine = b.compare(arith::CmpIPredicate::ult, token, b.toI32(tokens));
    if (op.getGated()) {
      Value up = b.shuffle(total, kRows / 2);
      total = mulf(silu(b, total), up);
    }
    if (op.getBias())
      total = addf(total, b.loadReal(op.getBias(), column));
    if (residual) {
      Values halves =
          unpackWord(b, finishResidual(residual, firstRow, isMine), element);
      Value isOdd = b.make<arith::TruncIOp>(b.getI1Type(), row);
      total = addf(total, b.make<arith::SelectOp>(isOdd, halves[1], halves[0]));
    }
    if (op.getBest())
      storeBest(total, row, token, firstRow);
    Value partner = b.shuffle(total, 1);
    if (op.getGated())
      isMine = b.make<arith::AndIOp>(
          isMine, b.compare(arith::CmpIPredicate::ult, row, b.i32(kRows / 2)));
    if (!task::isTagged(op.getOutput().getType())) {
      b.when(isMine, [&] {
        b.storeReal(total, op.getOutput(), {b.toIndex(token), column});
      });
      return;
    }
    Value isEven = b.compare(arith::CmpIPredicate::eq,
                             b.make<arith::AndIOp>(row, b.i32(1)), b.i32(0));
    b.when(b.make<arith::AndIOp>(isMine, isEven), [&] {
      writeWord(b, packWord(b, {total, partner}, element), op.getOutput(),
                {b.toIndex(token), column});
    });
  });
}

/// The largest of a token's rows of the tile, rounded as the output is.
void StreamedLinear::storeBest(Value total, Value row, Value token,
                               Value firstRow) {
  Value rounded = b.extend(b.round(total, element));
  Values best = {rounded, row};
  for (int64_t mask = SharedLayout::kTileRows / 2; mask; mask /= 2)
    best = betterOf(b, best,
                    {b.shuffle(best[0], mask), b.shuffle(best[1], mask)});
  Value isMine = b.make<arith::AndIOp>(
      b.compare(arith::CmpIPredicate::ult, token, b.toI32(tokens)),
      b.compare(arith::CmpIPredicate::eq, row, b.i32(0)));
  b.when(isMine, [&] {
    // The bits of an element of 16 above its row.
    Value bits = b.make<arith::BitcastOp>(b.getI16Type(),
                                          b.round(best[0], element));
    bits = b.make<arith::ShLIOp>(
        b.make<arith::ExtUIOp>(b.getI32Type(), bits), b.i32(16));
    Value tile =
        b.make<arith::DivUIOp>(firstRow, b.index(SharedLayout::kTileRows));
    writeWord(b, b.make<arith::OrIOp>(bits, best[1]), op.getBest(),
              {b.toIndex(token), tile});
  });
}

SmallVector<Value> StreamedLinear::oneTile(Value number, Value count) {
  Value firstRow = b.mul(number, b.index(tileOutputs()));
  Value residual;
  if (op.getResidual())
    residual = prefetchResidual(firstRow);
  Values state(4 * groups * kTurns + groups, b.f32(0));
  state.push_back(count);
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
  storePartialSums(sums, state);
  if (needsSquares())
    storeSquares(sums, ValueRange(state).slice(4 * groups * kTurns, groups));
  b.consumerBarrier();
  storeOutput(sums, firstRow, residual);
  return {state.back()};
}

void StreamedLinear::emit() {
  tokens = b.make<memref::DimOp>(op.getOutput(), 0);
  warp = b.warpI32();
  lane = b.laneI32();
  if (isStaged)
    b.when(op.getFirst(), [&] { stageInput(); });
  if (!ring.prefetches)
    releaseStream(b);
  locateTokens();
  Value counter = b.warpWord(SharedLayout::kWarpCounts, warp);
  Value begin = b.load(b.getI32Type(), counter);
  int64_t tiles = tile.getDimSize(0) / SharedLayout::kTileRows;
  Value end = b.loop(b.index(0), b.index(tiles), b.index(1), begin,
                     [&](Value number, ValueRange count) {
                       return oneTile(number, count.front());
                     })
                  .front();
  b.when(b.compare(arith::CmpIPredicate::eq, lane, b.i32(0)),
         [&] { b.store(end, counter); });
  b.warpBarrier();
}

/// A kernel whose long inputs fit for so few tokens is for single sequences.
static constexpr int64_t kFewTokens = 4;

/// Emits code for few tokens and for many: with the input in shared memory as far
/// as it fits there, and for as few groups of eight tokens as will do.
static void lowerStreamed(GpuBuilder &b, task::LinearOp op, const Ring &ring) {
  int64_t bound = cast<MemRefType>(op.getOutput().getType()).getDimSize(0);
  auto input = cast<MemRefType>(op.getInput().getType());
  int64_t fit = op.getFirst() ? ring.activationBytes /
                                    (2 * input.getDimSize(1))
                              : 0;
  fit = std::min(fit, SharedLayout::kMaxTokens);
  auto emit = [&](int64_t most) {
    StreamedLinear(b, op, ring, llvm::divideCeil(most, 8), most <= fit).emit();
  };
  if (!ShapedType::isDynamic(bound))
    return emit(bound);
  SmallVector<int64_t, 2> bounds;
  if (fit > 0 && fit < 8)
    bounds.push_back(fit);
  // Where so few fit that steps of 8 tokens are rare, they run the code for more.
  if (bounds.empty() || fit > kFewTokens)
    bounds.push_back(8);
  Value tokens = b.make<memref::DimOp>(op.getOutput(), 0);
  OpBuilder::InsertionGuard guard(b);
  for (int64_t most : bounds) {
    Value isFew = b.compare(arith::CmpIPredicate::ule, tokens, b.index(most));
    auto branch = b.make<scf::IfOp>(isFew, /*withElseRegion=*/true);
    b.setInsertionPointToStart(branch.thenBlock());
    emit(most);
    b.setInsertionPointToStart(branch.elseBlock());
  }
  emit(SharedLayout::kMaxTokens);
}

/// What an element of the output has of row `row` of the weight, and the squares
/// of its token: in every lane of the warp.
static SmallVector<Value> sumOverColumns(GpuBuilder &b, task::LinearOp op,
                                         Value token, Value row) {
  auto add = [&](Value x, Value y) -> Value {
    return b.make<arith::AddFOp>(x, y);
  };
  auto mul = [&](Value x, Value y) -> Value {
    return b.make<arith::MulFOp>(x, y);
  };
  Type element = cast<MemRefType>(op.getInput().getType()).getElementType();
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
          sums[0], b.make<math::RsqrtOp>(
                        b.make<arith::AddFOp>(mean, eps).getResult()));
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
        total = b.make<arith::AddFOp>(total,
                                      b.loadReal(op.getResidual(), {t, n}));
      b.storeReal(total, op.getOutput(), {t, n});
    });
  });
}

LogicalResult etc::codegen::lowerLinear(GpuBuilder &b, task::LinearOp op,
                                        const Ring &ring) {
  if (isa<task::StreamType>(op.getWeight().getType()))
    lowerStreamed(b, op, ring);
  else if (op.getBest())
    return op.emitOpError("finds the best of outputs only where its weight streams");
  else
    lowerPlain(b, op);
  return success();
}
