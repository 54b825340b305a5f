//===- Rows.cpp - Norm and rotary operations as loops
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Conversion/TilesToLoops/LoopBuilder.h"
#include "lib/Conversion/TilesToLoops/Patterns.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

static Type elementOf(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getElementType();
}

namespace {
struct RMSNormToLoops : OpRewritePattern<RMSNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RMSNormOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    emitRows(b, op, {});
    rewriter.eraseOp(op);
    return success();
  }

  /// Loops over the dimensions before the last one.
  static void emitRows(LoopBuilder &b, RMSNormOp op, LoopBuilder::Values row) {
    int64_t dim = row.size();
    if (dim + 1 == cast<MemRefType>(op.getInput().getType()).getRank())
      return emitRow(b, op, row);
    b.loop(b.extent(op.getInput(), dim), [&](Value i) {
      LoopBuilder::Values longer(row);
      longer.push_back(i);
      emitRows(b, op, longer);
    });
  }

  static void emitRow(LoopBuilder &b, RMSNormOp op, LoopBuilder::Values row) {
    Value input = op.getInput();
    Value width = b.extent(input, row.size());
    auto at = [&](Value k) {
      LoopBuilder::Values indices(row);
      indices.push_back(k);
      return indices;
    };
    Value squares =
        b.sums(width, 1, [&](int64_t lanes, Value k, ValueRange sums) {
           Value x = b.load(input, at(k), lanes);
           return LoopBuilder::Values{b.multiplyAdd(x, x, sums[0])};
         }).front();
    Value count = arith::SIToFPOp::create(
        b, b.getF32Type(),
        arith::IndexCastOp::create(b, b.getI64Type(), width));
    Value mean = arith::DivFOp::create(b, squares, count);
    Value inverse = math::RsqrtOp::create(
        b,
        arith::AddFOp::create(b, mean, b.real(op.getEps().convertToDouble())));
    b.strips(width, [&](int64_t lanes, Value k) {
      Value x = b.load(input, at(k), lanes);
      Value normal = arith::MulFOp::create(b, x, b.splat(inverse, lanes));
      Value weight = b.load(op.getWeight(), k, lanes);
      b.store(
          arith::MulFOp::create(b, weight, b.round(normal, elementOf(input))),
          op.getOutput(), at(k));
    });
  }
};

struct RopeToLoops : OpRewritePattern<RopeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RopeOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    Value input = op.getInput(), cos = op.getCos(), sin = op.getSin();
    int64_t half = cast<MemRefType>(input.getType()).getDimSize(2) / 2;
    auto product = [&](Value x, Value y) -> Value {
      return b.round(arith::MulFOp::create(b, x, y), elementOf(input));
    };
    b.loop(b.extent(input, 0), [&](Value t) {
      b.loop(b.extent(input, 1), [&](Value h) {
        b.strips(b.index(half), [&](int64_t lanes, Value i) {
          Value j = b.add(i, half);
          Value first = b.load(input, {t, h, i}, lanes);
          Value second = b.load(input, {t, h, j}, lanes);
          Value low = arith::SubFOp::create(
              b, product(first, b.load(cos, {t, i}, lanes)),
              product(second, b.load(sin, {t, i}, lanes)));
          Value high = arith::AddFOp::create(
              b, product(second, b.load(cos, {t, j}, lanes)),
              product(first, b.load(sin, {t, j}, lanes)));
          b.store(low, op.getOutput(), {t, h, i});
          b.store(high, op.getOutput(), {t, h, j});
        });
      });
    });
    rewriter.eraseOp(op);
    return success();
  }
};

struct RopeTableToLoops : OpRewritePattern<RopeTableOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RopeTableOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    int64_t half = cast<MemRefType>(op.getInvFreq().getType()).getDimSize(0);
    b.loop(b.extent(op.getCos(), 0), [&](Value t) {
      Value pos = arith::SIToFPOp::create(
          b, b.getF32Type(), memref::LoadOp::create(b, op.getPos(), t));
      b.loop(b.extent(op.getInvFreq(), 0), [&](Value i) {
        Value angle = arith::MulFOp::create(b, pos, b.load(op.getInvFreq(), i));
        Value scaling = b.real(op.getScaling().convertToDouble());
        Value cos =
            arith::MulFOp::create(b, math::CosOp::create(b, angle), scaling);
        Value sin =
            arith::MulFOp::create(b, math::SinOp::create(b, angle), scaling);
        for (Value column : {i, b.add(i, half)}) {
          b.store(cos, op.getCos(), {t, column});
          b.store(sin, op.getSin(), {t, column});
        }
      });
    });
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void etc::populateRowsToLoops(RewritePatternSet &patterns) {
  patterns.add<RMSNormToLoops, RopeToLoops, RopeTableToLoops>(
      patterns.getContext());
}
