//===- Attention.cpp - The paged cache and attention as loops
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

namespace {
struct KVAppendToLoops : OpRewritePattern<KVAppendOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(KVAppendOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    Value key = op.getKey(), cache = op.getCache();
    Value pageSize = b.extent(cache, 3);
    b.loop(b.extent(key, 0), [&](Value t) {
      Value seq = b.loadIndex(op.getSeq(), t),
            pos = b.loadIndex(op.getPos(), t);
      Value number = arith::DivUIOp::create(b, pos, pageSize);
      Value slot = arith::RemUIOp::create(b, pos, pageSize);
      Value page = b.loadIndex(op.getBlockTable(), {seq, number});
      b.loop(b.extent(key, 1), [&](Value g) {
        b.loop(b.extent(key, 2), [&](Value d) {
          Value k = memref::LoadOp::create(b, key, ValueRange{t, g, d});
          Value v =
              memref::LoadOp::create(b, op.getValue(), ValueRange{t, g, d});
          memref::StoreOp::create(b, k, cache,
                                  ValueRange{page, g, b.index(0), slot, d});
          memref::StoreOp::create(b, v, cache,
                                  ValueRange{page, g, b.index(1), slot, d});
        });
      });
    });
    rewriter.eraseOp(op);
    return success();
  }
};

/// The online softmax: one pass over the positions, which keeps the largest
/// score so far and the sums relative to it.
struct AttentionToLoops : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  /// One query head of one token.
  struct Head {
    Value token, head, kvHead, seq, end;
  };

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    LoopBuilder b(op.getLoc(), rewriter);
    int64_t group = cast<MemRefType>(op.getQuery().getType()).getDimSize(1) /
                    cast<MemRefType>(op.getCache().getType()).getDimSize(1);
    b.loop(b.extent(op.getQuery(), 0), [&](Value t) {
      Value seq = b.loadIndex(op.getSeq(), t);
      Value end = b.add(b.loadIndex(op.getPos(), t), 1);
      b.loop(b.extent(op.getCache(), 1), [&](Value g) {
        Value first = arith::MulIOp::create(b, g, b.index(group));
        b.loop(b.index(group), [&](Value j) {
          emitHead(b, op, {t, b.add(first, j), g, seq, end});
        });
      });
    });
    rewriter.eraseOp(op);
    return success();
  }

  static void emitHead(LoopBuilder &b, AttentionOp op, const Head &at) {
    int64_t width = cast<MemRefType>(op.getQuery().getType()).getDimSize(2);
    Value pageSize = b.extent(op.getCache(), 3);
    // Positions are from 0, so there is a first page.
    Value lastPage = arith::DivUIOp::create(b, b.add(at.end, -1), pageSize);
    Value pages = b.add(lastPage, 1);
    Value query = b.load(op.getQuery(), {at.token, at.head, b.index(0)}, width);
    Value lowest = b.real(-std::numeric_limits<double>::infinity());
    LoopBuilder::Values state = {lowest, b.real(0), b.real(0, width)};
    state =
        b.loop(b.index(0), pages, 1, state, [&](Value number, ValueRange sums) {
          Value page = b.loadIndex(op.getBlockTable(), {at.seq, number});
          Value first = arith::MulIOp::create(b, number, pageSize);
          Value left = arith::SubIOp::create(b, at.end, first);
          Value slots = arith::MinUIOp::create(b, left, pageSize);
          return b.loop(
              b.index(0), slots, 1, sums, [&](Value slot, ValueRange inner) {
                return emitPosition(b, op, at, query, page, slot, inner);
              });
        });
    Value output = arith::DivFOp::create(b, state[2], b.splat(state[1], width));
    b.store(output, op.getOutput(), {at.token, at.head, b.index(0)});
  }

  /// {largest score, sum of weights, weighted sum of values} with one position
  /// more.
  static LoopBuilder::Values emitPosition(LoopBuilder &b, AttentionOp op,
                                          const Head &at, Value query,
                                          Value page, Value slot,
                                          ValueRange sums) {
    int64_t width = cast<MemRefType>(op.getQuery().getType()).getDimSize(2);
    auto loadRow = [&](int64_t which) {
      return b.load(op.getCache(),
                    {page, at.kvHead, b.index(which), slot, b.index(0)}, width);
    };
    Value score = arith::MulFOp::create(
        b, b.sumLanes(arith::MulFOp::create(b, query, loadRow(0))),
        b.real(op.getScale().convertToDouble()));
    Value largest = arith::MaximumFOp::create(b, sums[0], score);
    auto exponential = [&](Value x) -> Value {
      return math::ExpOp::create(b, arith::SubFOp::create(b, x, largest));
    };
    Value decay = exponential(sums[0]), weight = exponential(score);
    Value total = b.multiplyAdd(sums[1], decay, weight);
    Value weighted =
        arith::MulFOp::create(b, loadRow(1), b.splat(weight, width));
    Value values = b.multiplyAdd(sums[2], b.splat(decay, width), weighted);
    return {largest, total, values};
  }
};
} // namespace

void etc::populateAttentionToLoops(RewritePatternSet &patterns) {
  patterns.add<KVAppendToLoops, AttentionToLoops>(patterns.getContext());
}
