//===- GpuTokens.cpp - What a step does once for its tokens, on one block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuTiles.h"
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

/// Calls body(row, first column of a word) for all words of a [rows, columns]
/// buffer, a thread each.
static void forEachWord(GpuBuilder &b, Value memref,
                        function_ref<void(Value, Value)> body) {
  int64_t width = getWordElements(memref);
  Value words =
      b.make<arith::DivUIOp>(b.make<memref::DimOp>(memref, 1), b.index(width));
  Value rows = b.make<memref::DimOp>(memref, 0);
  b.loop(b.thread(), b.mul(rows, words), b.index(kConsumers), [&](Value i) {
    body(b.make<arith::DivUIOp>(i, words),
         b.mul(b.make<arith::RemUIOp>(i, words), b.index(width)));
  });
}

static Value readWord(GpuBuilder &b, Value memref, ValueRange indices) {
  WordReader reader(b);
  reader.add(memref, wordAddress(b, memref, indices));
  return reader.read().front();
}

/// The address of columns `column`, `column` + 1 of a matrix of `columns`
/// columns in fragment order (`pack_fragments`).
static Value fragmentAddress(GpuBuilder &b, Value table, Value row,
                             Value column, int64_t columns) {
  auto part = [&](Value value, int64_t divisor, int64_t modulus) -> Value {
    if (divisor > 1)
      value = b.make<arith::DivUIOp>(value, b.index(divisor));
    return modulus ? Value(b.make<arith::RemUIOp>(value, b.index(modulus)))
                   : value;
  };
  auto at = [&](Value sum, Value index, int64_t bytes) {
    return b.add(sum, b.mul(index, b.index(bytes)));
  };
  Value block = b.add(b.mul(part(row, 16, 0), b.index(columns / 16)),
                      part(column, 16, 0));
  Value bytes = b.mul(block, b.index(Ring::kBlockBytes));
  bytes = at(bytes, part(row, 1, 8), 4 * 16); // the lane's group
  bytes = at(bytes, part(column, 4, 4), 16);  // the lane in it
  bytes = at(bytes, part(column, 2, 2), 8);   // first or second register pair
  bytes = at(bytes, part(row, 8, 2), 4);      // row g or g + 8
  return b.advance(b.global(table), bytes);
}

/// Of a word of the table, the element of this column as the output has it.
static Value widenedHalf(GpuBuilder &b, Value word, Value column,
                         task::EmbeddingOp op) {
  SmallVector<Value> halves = unpackWord(b, word, elementOf(op.getTable()));
  Value isOdd = b.make<arith::TruncIOp>(b.getI1Type(), b.toI32(column));
  Value mine = b.make<arith::SelectOp>(isOdd, halves[1], halves[0]);
  return packWord(b, mine, elementOf(op.getOutput()));
}

LogicalResult etc::codegen::lowerEmbedding(GpuBuilder &b,
                                           task::EmbeddingOp op) {
  int64_t columns = cast<MemRefType>(op.getTable().getType()).getDimSize(1);
  forEachWord(b, op.getOutput(), [&](Value token, Value column) {
    Value id = b.make<memref::LoadOp>(op.getIds(), token);
    Value row = b.make<arith::IndexCastOp>(b.getIndexType(), id);
    Value word =
        op.getPacked()
            ? b.load(b.getI32Type(),
                     fragmentAddress(b, op.getTable(), row, column, columns), 4)
            : readWord(b, op.getTable(), {row, column});
    if (elementOf(op.getOutput()) != elementOf(op.getTable()))
      word = widenedHalf(b, word, column, op);
    writeWord(b, word, op.getOutput(), {token, column});
  });
  return success();
}

LogicalResult etc::codegen::lowerGatherRows(GpuBuilder &b,
                                            task::GatherRowsOp op) {
  forEachWord(b, op.getOutput(), [&](Value row, Value column) {
    Value from = b.make<arith::IndexCastOp>(
        b.getIndexType(), b.make<memref::LoadOp>(op.getRows(), row));
    writeWord(b, readWord(b, op.getInput(), {from, column}), op.getOutput(),
              {row, column});
  });
  return success();
}

LogicalResult etc::codegen::lowerRopeTable(GpuBuilder &b,
                                           task::RopeTableOp op) {
  Type element = elementOf(op.getCos());
  int64_t width = getWordElements(op.getCos());
  Value half = b.make<memref::DimOp>(op.getInvFreq(), 0);
  Value words = b.make<arith::DivUIOp>(half, b.index(width));
  Value tokens = b.make<memref::DimOp>(op.getPos(), 0);
  Value scaling = b.f32(op.getScaling().convertToDouble());
  b.loop(b.thread(), b.mul(tokens, words), b.index(kConsumers), [&](Value i) {
    Value token = b.make<arith::DivUIOp>(i, words);
    Value column = b.mul(b.make<arith::RemUIOp>(i, words), b.index(width));
    Value position = b.make<arith::SIToFPOp>(
        b.getF32Type(), b.make<memref::LoadOp>(op.getPos(), token));
    SmallVector<Value> cosines, sines;
    for (int64_t k = 0; k < width; ++k) {
      Value frequency = b.make<memref::LoadOp>(
          op.getInvFreq(), ValueRange(b.add(column, b.index(k))));
      Value angle = b.make<arith::MulFOp>(position, frequency);
      cosines.push_back(
          b.make<arith::MulFOp>(b.make<math::CosOp>(angle), scaling));
      sines.push_back(
          b.make<arith::MulFOp>(b.make<math::SinOp>(angle), scaling));
    }
    for (Value at : {column, b.add(column, half)}) {
      writeWord(b, packWord(b, cosines, element), op.getCos(), {token, at});
      writeWord(b, packWord(b, sines, element), op.getSin(), {token, at});
    }
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Argmax
//===----------------------------------------------------------------------===//

SmallVector<Value> etc::codegen::betterOf(GpuBuilder &b, ValueRange x,
                                          ValueRange y) {
  Value larger = b.make<arith::CmpFOp>(arith::CmpFPredicate::OGT, y[0], x[0]);
  Value equal = b.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, y[0], x[0]);
  Value lower = b.compare(arith::CmpIPredicate::ult, y[1], x[1]);
  Value take =
      b.make<arith::OrIOp>(larger, b.make<arith::AndIOp>(equal, lower));
  return {b.make<arith::SelectOp>(take, y[0], x[0]),
          b.make<arith::SelectOp>(take, y[1], x[1])};
}

/// The best of all lanes, in all lanes.
static SmallVector<Value> betterOfLanes(GpuBuilder &b, ValueRange mine) {
  SmallVector<Value> best(mine);
  for (int64_t mask = kWarpSize / 2; mask; mask /= 2)
    best =
        betterOf(b, best, {b.shuffle(best[0], mask), b.shuffle(best[1], mask)});
  return best;
}

namespace {
/// The best of one row, over the block.
class Argmax {
public:
  Argmax(GpuBuilder &b, task::ArgmaxOp op)
      : b(b), op(op), element(elementOf(op.getInput())),
        none({b.f32(-3.4e38), b.i32(0x7fffffff)}) {}
  void emitRow(Value row);

private:
  using Values = SmallVector<Value>;
  Values bestOfElements(Value row);
  Values bestOfTiles(Value row);
  void store(Value row, ValueRange best);

  GpuBuilder &b;
  task::ArgmaxOp op;
  Type element;
  Values none;
};
} // namespace

/// Of this thread's elements, one after the other: rows of an odd number of
/// elements have no words of their own.
SmallVector<Value> Argmax::bestOfElements(Value row) {
  Value columns = b.make<memref::DimOp>(op.getInput(), 1);
  return b.loop(b.thread(), columns, b.index(kConsumers), none,
                [&](Value column, ValueRange state) -> Values {
                  Value value = b.loadReal(op.getInput(), {row, column});
                  return betterOf(b, state, {value, b.toI32(column)});
                });
}

/// Of this thread's tiles, several words at a time.
SmallVector<Value> Argmax::bestOfTiles(Value row) {
  constexpr int64_t kWords = 8;
  int64_t tiles = cast<MemRefType>(op.getInput().getType()).getDimSize(1);
  int64_t of = static_cast<int64_t>(*op.getOf());
  auto step = [&](Value first, ValueRange best) -> Values {
    Values state(best), columns;
    WordReader reader(b);
    for (int64_t i = 0; i < kWords; ++i) {
      Value column = b.add(first, b.index(i * kConsumers));
      // Beyond the last is the last again: it is no better than itself.
      columns.push_back(b.make<arith::MinUIOp>(column, b.index(tiles - 1)));
      reader.add(op.getInput(),
                 wordAddress(b, op.getInput(), {row, columns.back()}));
    }
    for (auto [column, word] : llvm::zip(columns, reader.read())) {
      Value bits = b.make<arith::AndIOp>(word, b.i32(-65536));
      Value inTile = b.make<arith::AndIOp>(word, b.i32(65535));
      Value index = b.add(b.mul(b.toI32(column), b.i32(of)), inTile);
      state = betterOf(b, state,
                       {b.make<arith::BitcastOp>(b.getF32Type(), bits), index});
    }
    return state;
  };
  return b.loop(b.thread(), b.index(tiles), b.index(kConsumers * kWords), none,
                step);
}

void Argmax::store(Value row, ValueRange best) {
  Value slots = b.shared(SharedLayout::kTileScratch);
  b.when(b.compare(arith::CmpIPredicate::eq, b.laneI32(), b.i32(0)), [&] {
    Value mine = b.advance(slots, b.mul(b.warpI32(), b.i32(8)));
    b.store(best[0], mine);
    b.store(best[1], b.advance(mine, b.i32(4)));
  });
  b.consumerBarrier();
  b.when(b.isThread(0), [&] {
    Values total = none;
    for (int64_t warp = 0; warp < kConsumerWarps; ++warp)
      total = betterOf(
          b, total,
          {b.load(b.getF32Type(), b.advance(slots, b.i32(8 * warp))),
           b.load(b.getI32Type(), b.advance(slots, b.i32(8 * warp + 4)))});
    b.make<memref::StoreOp>(b.make<arith::ExtUIOp>(b.getI64Type(), total[1]),
                            op.getOutput(), ValueRange(row));
  });
  b.consumerBarrier(); // The slots are free again.
}

void Argmax::emitRow(Value row) {
  store(row,
        betterOfLanes(b, op.getOf() ? bestOfTiles(row) : bestOfElements(row)));
}

LogicalResult etc::codegen::lowerArgmax(GpuBuilder &b, task::ArgmaxOp op) {
  Argmax code(b, op);
  b.loop(b.index(0), b.make<memref::DimOp>(op.getInput(), 0), b.index(1),
         [&](Value row) { code.emitRow(row); });
  return success();
}
