//===- Linear.cpp - task.linear as loops
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Conversion/TilesToLoops/LoopBuilder.h"
#include "lib/Conversion/TilesToLoops/Patterns.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// Rows of the weight and tokens whose sums are in registers together: each
/// strip of a row is read once for kTokens tokens, each strip of a token once
/// for kRows rows, and the sums hide the latency of each other's additions.
static constexpr int64_t kRows = 4;
static constexpr int64_t kTokens = 2;

namespace {
/// output[t .. t+tokens, n .. n+rows].
void emitBlock(LoopBuilder &b, LinearOp op, Value n, int64_t rows, Value t,
               int64_t tokens) {
  Value input = op.getInput(), weight = op.getWeight(), output = op.getOutput();
  auto loadStrips = [&](Value buffer, Value first, int64_t count, Value k,
                        int64_t lanes) {
    LoopBuilder::Values strips;
    for (int64_t i = 0; i < count; ++i)
      strips.push_back(b.load(buffer, {b.add(first, i), k}, lanes));
    return strips;
  };
  LoopBuilder::Values totals = b.sums(
      b.extent(input, 1), rows * tokens,
      [&](int64_t lanes, Value k, ValueRange sums) {
        LoopBuilder::Values w = loadStrips(weight, n, rows, k, lanes);
        LoopBuilder::Values x = loadStrips(input, t, tokens, k, lanes);
        LoopBuilder::Values next;
        for (int64_t i = 0; i < rows * tokens; ++i)
          next.push_back(b.multiplyAdd(w[i / tokens], x[i % tokens], sums[i]));
        return next;
      });
  for (int64_t row = 0; row < rows; ++row) {
    Value column = b.add(n, row);
    Value bias = op.getBias() ? b.load(op.getBias(), column) : Value();
    for (int64_t token = 0; token < tokens; ++token) {
      Value total = totals[row * tokens + token];
      if (bias)
        total = arith::AddFOp::create(b, total, bias);
      b.store(total, output, {b.add(t, token), column});
    }
  }
}

struct LinearToLoops : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getNorm() || op.getResidual() || op.getGated() || op.getBest())
      return rewriter.notifyMatchFailure(op, "fused operators are for GPUs");
    LoopBuilder b(op.getLoc(), rewriter);
    Value rows = b.extent(op.getOutput(), 1);
    Value tokens = b.extent(op.getOutput(), 0);
    Value evenRows = b.roundDown(rows, kRows);
    Value evenTokens = b.roundDown(tokens, kTokens);
    auto emitRows = [&](Value n, int64_t count) {
      b.loop(b.index(0), evenTokens, kTokens,
             [&](Value t) { emitBlock(b, op, n, count, t, kTokens); });
      b.loop(evenTokens, tokens, 1,
             [&](Value t) { emitBlock(b, op, n, count, t, 1); });
    };
    b.loop(b.index(0), evenRows, kRows, [&](Value n) { emitRows(n, kRows); });
    b.loop(evenRows, rows, 1, [&](Value n) { emitRows(n, 1); });
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void etc::populateLinearToLoops(RewritePatternSet &patterns) {
  patterns.add<LinearToLoops>(patterns.getContext());
}
