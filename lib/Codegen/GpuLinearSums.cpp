//===- GpuLinearSums.cpp - The sums of a streamed linear, and its output
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the warps have of a row tile meets in shared memory; bias, norm,
// residual, gate and the best of a row are folded in as it is stored.
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuLinear.h"
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

void StreamedLinear::storePartialSums(Value set, int64_t tile,
                                      ValueRange accumulators) {
  Value column = b.mul(laneColumn(), b.i32(2));
  auto store = [&] {
    for (int64_t group = 0; group < groups; ++group)
      for (int64_t i = 0; i < 4; ++i) {
        Value sum = accumulators[4 * group * turns + i];
        for (int64_t turn = 1; turn < turns; ++turn)
          sum = addf(sum, accumulators[4 * (group * turns + turn) + i]);
        Value token =
            b.add(column, b.i32(tile * sums.tokens + 8 * group + i % 2));
        token = b.add(token, b.mul(warp, b.i32(SharedLayout::kMaxTokens)));
        Value element = b.add(b.mul(token, b.i32(SharedLayout::kTileRows)),
                              b.add(laneGroup(), b.i32(8 * (i / 2))));
        b.store(sum, b.advance(set, b.mul(element, b.i32(4))));
      }
  };
  // A product has eight columns, of tokens or not.
  if (sums.tokens >= 8)
    return store();
  b.when(b.compare(arith::CmpIPredicate::ult, column, b.i32(sums.tokens)),
         store);
}

/// Where the warp's part of a token's squares is, of those at `base`.
Value StreamedLinear::squaresAt(Value base, Value token) {
  Value at = b.add(b.mul(warp, b.i32(SharedLayout::kMaxTokens)), token);
  return b.advance(base, b.mul(at, b.i32(4)));
}

/// The squares that the lanes of each group have, as the warp's part at `base`.
void StreamedLinear::storeSquaresOfGroups(Value base, ValueRange squares) {
  for (auto [group, part] : llvm::enumerate(squares)) {
    Value total = part;
    for (int64_t mask : {1, 2})
      total = addf(total, b.shuffle(total, mask));
    Value token = b.add(laneGroup(), b.i32(8 * int64_t(group)));
    b.when(b.compare(arith::CmpIPredicate::eq, laneColumn(), b.i32(0)),
           [&] { b.store(total, squaresAt(base, token)); });
  }
}

/// The warp's part of each token's squares, beside its sums.
void StreamedLinear::storeSquares(Value sums, ValueRange squares) {
  Value beside = b.advance(sums, b.i32(SharedLayout::kSumBytes));
  if (!isKept)
    return storeSquaresOfGroups(beside, squares);
  b.when(b.compare(arith::CmpIPredicate::ult, lane, b.toI32(tokens)), [&] {
    Value mine = b.load(b.getF32Type(),
                        squaresAt(b.shared(SharedLayout::kSquares), lane));
    b.store(mine, squaresAt(beside, lane));
  });
}

Value StreamedLinear::sumOfWarps(Value address, int64_t stride) {
  Value total = b.load(b.getF32Type(), address);
  for (int64_t i = 1; i < kConsumerWarps; ++i)
    total = addf(total,
                 b.load(b.getF32Type(), b.advance(address, b.i32(i * stride))));
  return total;
}

Value StreamedLinear::normFactor(Value sums, Value token) {
  Value at = b.advance(
      sums, b.add(b.i32(SharedLayout::kSumBytes), b.mul(token, b.i32(4))));
  Value squares = sumOfWarps(at, 4 * SharedLayout::kMaxTokens);
  Value mean = mulf(squares, b.f32(1.0 / columns()));
  return b.make<math::RsqrtOp>(
      addf(mean, b.f32(op.getEpsAttr().getValueAsDouble())));
}

StreamedLinear::Output StreamedLinear::outputOfThread(Value firstRow,
                                                      int64_t count) {
  constexpr int64_t kRows = SharedLayout::kTileRows;
  Value thread = b.toI32(b.thread()), bound = b.toI32(tokens);
  auto isBelow = [&](Value x, Value y) {
    return b.compare(arith::CmpIPredicate::ult, x, y);
  };
  Output output;
  output.row = b.make<arith::RemUIOp>(thread, b.i32(kRows));
  output.token = b.make<arith::DivUIOp>(thread, b.i32(kRows));
  Value firstOfWarp = b.mul(warp, b.i32(kWarpSize / kRows));
  output.firstRow = firstRow;
  if (count == 1) {
    output.isMine = isBelow(output.token, bound);
    output.isWarps = isBelow(firstOfWarp, bound);
    return output;
  }
  Value ofTile = b.i32(sums.tokens), last = b.i32(count * sums.tokens);
  Value isTile = isBelow(firstOfWarp, last);
  Value tile = b.make<arith::DivUIOp>(firstOfWarp, ofTile);
  output.token = b.make<arith::RemUIOp>(output.token, ofTile);
  firstOfWarp = b.make<arith::RemUIOp>(firstOfWarp, ofTile);
  output.firstRow =
      b.add(firstRow, b.mul(b.toIndex(tile), b.index(tileOutputs())));
  output.isMine = b.make<arith::AndIOp>(isTile, isBelow(output.token, bound));
  output.isWarps = b.make<arith::AndIOp>(isTile, isBelow(firstOfWarp, bound));
  return output;
}

/// What this thread adds in the end, on its way while the weights are
/// multiplied: the word of its pair of rows, not looked at yet.
Value StreamedLinear::prefetchResidual(Value firstRow, int64_t count) {
  bool isTagged = task::isTagged(op.getResidual().getType());
  Type type = isTagged ? b.getI64Type() : b.getI32Type();
  Output output = outputOfThread(firstRow, count);
  auto branch = b.make<scf::IfOp>(TypeRange(type), output.isMine, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value address = residualAddress(output);
  Value word = isTagged ? loadTagged(b, address) : b.load(type, address, 4);
  b.make<scf::YieldOp>(word);
  b.setInsertionPointToStart(branch.elseBlock());
  b.make<scf::YieldOp>(ValueRange(
      b.make<arith::ConstantOp>(b.getIntegerAttr(type, 0)).getResult()));
  return branch.getResult(0);
}

Value StreamedLinear::residualAddress(const Output &output) {
  Value column = b.add(b.toIndex(output.row), output.firstRow);
  return wordAddress(b, op.getResidual(), {b.toIndex(output.token), column});
}

/// The word that was under way, or what comes instead if it was too early.
Value StreamedLinear::finishResidual(Value word, const Output &output) {
  if (!task::isTagged(op.getResidual().getType()))
    return word;
  Value isLate = b.make<arith::AndIOp>(
      output.isMine,
      b.compare(arith::CmpIPredicate::ne, epochOf(b, word), getEpoch(b)));
  auto branch = b.make<scf::IfOp>(TypeRange(b.getI32Type()), isLate, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  WordReader reader(b);
  reader.add(op.getResidual(), residualAddress(output));
  b.make<scf::YieldOp>(reader.read());
  b.setInsertionPointToStart(branch.elseBlock());
  b.make<scf::YieldOp>(
      ValueRange(b.make<arith::TruncIOp>(b.getI32Type(), word).getResult()));
  return branch.getResult(0);
}

/// A thread per row and token; a gated tile has half as many outputs as rows.
void StreamedLinear::storeOutput(Value set, Value firstRow, int64_t count,
                                 Value residual) {
  constexpr int64_t kRows = SharedLayout::kTileRows;
  int64_t stride = 4 * kRows * SharedLayout::kMaxTokens;
  Output output = outputOfThread(firstRow, count);
  Value row = output.row, token = output.token;
  // Whole warps, for lanes exchange their rows.
  b.when(output.isWarps, [&] {
    Value mine = b.advance(set, b.mul(b.toI32(b.thread()), b.i32(4)));
    Value total = sumOfWarps(mine, stride);
    if (op.getNorm())
      total = mulf(total, normFactor(set, token));
    Value column = b.add(b.toIndex(row), output.firstRow);
    Value isMine = output.isMine;
    if (op.getGated()) {
      Value up = b.shuffle(total, kRows / 2);
      total = mulf(silu(b, total), up);
    }
    if (op.getBias())
      total = addf(total, b.loadReal(op.getBias(), column));
    if (residual) {
      Values halves = unpackWord(b, finishResidual(residual, output),
                                 elementOf(op.getResidual()));
      Value isOdd = b.make<arith::TruncIOp>(b.getI1Type(), row);
      total = addf(
          total, b.make<arith::SelectOp>(isOdd, halves.back(), halves.front()));
    }
    if (op.getBest())
      storeBest(total, output);
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
    // The first of those that share a word writes it.
    int64_t width = getWordElements(op.getOutput());
    Value isFirst =
        b.compare(arith::CmpIPredicate::eq,
                  b.make<arith::AndIOp>(row, b.i32(width - 1)), b.i32(0));
    Values both = {total, partner};
    b.when(b.make<arith::AndIOp>(isMine, isFirst), [&] {
      writeWord(b,
                packWord(b, ArrayRef(both).take_front(width),
                         elementOf(op.getOutput())),
                op.getOutput(), {b.toIndex(token), column});
    });
  });
}

/// The largest of a token's rows of the tile, rounded as the output is.
void StreamedLinear::storeBest(Value total, const Output &output) {
  Value rounded = b.extend(b.round(total, element));
  Values best = {rounded, output.row};
  for (int64_t mask = SharedLayout::kTileRows / 2; mask; mask /= 2)
    best =
        betterOf(b, best, {b.shuffle(best[0], mask), b.shuffle(best[1], mask)});
  Value isMine = b.make<arith::AndIOp>(
      output.isMine, b.compare(arith::CmpIPredicate::eq, output.row, b.i32(0)));
  b.when(isMine, [&] {
    // The bits of an element of 16 above its row.
    Value bits =
        b.make<arith::BitcastOp>(b.getI16Type(), b.round(best[0], element));
    bits = b.make<arith::ShLIOp>(b.make<arith::ExtUIOp>(b.getI32Type(), bits),
                                 b.i32(16));
    Value tile = b.make<arith::DivUIOp>(output.firstRow,
                                        b.index(SharedLayout::kTileRows));
    writeWord(b, b.make<arith::OrIOp>(bits, best[1]), op.getBest(),
              {b.toIndex(output.token), tile});
  });
}
