//===- Selection.cpp - Operations that pick rows or elements as loops
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Conversion/TilesToLoops/LoopBuilder.h"
#include "lib/Conversion/TilesToLoops/Patterns.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// output[i, :] = table[rows[i], :].
static void copyRows(LoopBuilder &b, Value table, Value rows, Value output) {
  b.loop(b.extent(output, 0), [&](Value i) {
    Value row = b.loadIndex(rows, i);
    b.loop(b.extent(output, 1), [&](Value k) {
      Value element = memref::LoadOp::create(b, table, ValueRange{row, k});
      memref::StoreOp::create(b, element, output, ValueRange{i, k});
    });
  });
}

namespace {
struct EmbeddingToLoops : OpRewritePattern<EmbeddingOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(EmbeddingOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    copyRows(b, op.getTable(), op.getIds(), op.getOutput());
    rewriter.eraseOp(op);
    return success();
  }
};

struct GatherRowsToLoops : OpRewritePattern<GatherRowsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GatherRowsOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    copyRows(b, op.getInput(), op.getRows(), op.getOutput());
    rewriter.eraseOp(op);
    return success();
  }
};

/// Finds the largest value, a strip at a time, then the first place that holds
/// it. A NaN counts as the largest, as it does in the framework.
struct ArgmaxToLoops : OpRewritePattern<ArgmaxOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ArgmaxOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    b.loop(b.extent(op.getInput(), 0), [&](Value row) {
      Value largest = emitMaximum(b, op.getInput(), row);
      Value place = emitFind(b, op.getInput(), row, largest);
      memref::StoreOp::create(
          b, arith::IndexCastOp::create(b, b.getI64Type(), place),
          op.getOutput(), row);
    });
    rewriter.eraseOp(op);
    return success();
  }

  static Value emitMaximum(LoopBuilder &b, Value input, Value row) {
    constexpr int64_t kLanes = LoopBuilder::kLanes;
    Value width = b.extent(input, 1), whole = b.roundDown(width, kLanes);
    auto larger = [&](int64_t lanes) {
      return [&b, input, row, lanes](Value k, ValueRange best) {
        Value x = b.load(input, {row, k}, lanes);
        return LoopBuilder::Values{
            arith::MaximumFOp::create(b, x, best.front())};
      };
    };
    Value lowest = b.real(-std::numeric_limits<double>::infinity());
    Value strip = b.loop(b.index(0), whole, kLanes, b.splat(lowest, kLanes),
                         larger(kLanes))
                      .front();
    Value best =
        vector::ReductionOp::create(b, vector::CombiningKind::MAXIMUMF, strip);
    return b.loop(whole, width, 1, best, larger(1)).front();
  }

  /// The first k with input[row, k] = largest, or NaN where it is NaN.
  static Value emitFind(LoopBuilder &b, Value input, Value row, Value largest) {
    Value width = b.extent(input, 1);
    auto before = [&](OpBuilder &builder, Location loc, ValueRange args) {
      LoopBuilder inner(loc, builder);
      Value x = inner.load(input, {row, args.front()});
      Value isLess =
          arith::CmpFOp::create(inner, arith::CmpFPredicate::OLT, x, largest);
      Value isInside = arith::CmpIOp::create(inner, arith::CmpIPredicate::ult,
                                             inner.add(args.front(), 1), width);
      // An ordered number beside a NaN that is the largest.
      Value isOther = arith::AndIOp::create(
          inner, arith::CmpFOp::create(inner, arith::CmpFPredicate::ORD, x, x),
          arith::CmpFOp::create(inner, arith::CmpFPredicate::UNO, largest,
                                largest));
      Value goesOn = arith::AndIOp::create(
          inner, isInside, arith::OrIOp::create(inner, isLess, isOther));
      scf::ConditionOp::create(inner, goesOn, args);
    };
    auto after = [&](OpBuilder &builder, Location loc, ValueRange args) {
      LoopBuilder inner(loc, builder);
      scf::YieldOp::create(inner, inner.add(args.front(), 1));
    };
    return scf::WhileOp::create(b, b.getIndexType(), b.index(0), before, after)
        .getResult(0);
  }
};
} // namespace

void etc::populateSelectionToLoops(RewritePatternSet &patterns) {
  patterns.add<EmbeddingToLoops, GatherRowsToLoops, ArgmaxToLoops>(
      patterns.getContext());
}
