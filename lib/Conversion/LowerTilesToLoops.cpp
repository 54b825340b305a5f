//===- LowerTilesToLoops.cpp - Tile operations as loops on the host
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Conversion/Passes.h"
#include "lib/Conversion/TilesToLoops/Patterns.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace etc {
#define GEN_PASS_DEF_LOWERTILESTOLOOPSPASS
#include "lib/Conversion/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// Whether this is an operator of TaskTileOps.td, on tensors or on memrefs.
static bool isTileOp(Operation *op) {
  return isa<TaskRegionOpInterface>(op) && isa<TaskDialect>(op->getDialect());
}

/// The operand whose elements the loops compute with, or null if they only
/// move them.
static Value getComputed(Operation *op) {
  if (auto table = dyn_cast<RopeTableOp>(op))
    return table.getCos();
  bool onlyMoves = isa<EmbeddingOp, GatherRowsOp, KVAppendOp>(op);
  return onlyMoves ? Value() : op->getOperand(0);
}

/// The head dimension and the grouping of heads are known when a tile is
/// compiled.
static LogicalResult verifyHeads(Operation *op) {
  auto verify = [&](Value value, int64_t dim) -> LogicalResult {
    auto type = cast<MemRefType>(value.getType());
    if (!type.isDynamicDim(dim) && type.getDimSize(dim) > 0)
      return success();
    return op->emitOpError("needs a static number of heads and a static head "
                           "dimension, got ")
           << type;
  };
  if (auto rope = dyn_cast<RopeOp>(op))
    return verify(rope.getInput(), 2);
  if (auto table = dyn_cast<RopeTableOp>(op))
    return verify(table.getInvFreq(), 0);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return success(succeeded(verify(attention.getQuery(), 1)) &&
                   succeeded(verify(attention.getCache(), 1)) &&
                   succeeded(verify(attention.getQuery(), 2)));
  return success();
}

static LogicalResult verifyTile(Operation *op) {
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (!type)
      return op->emitOpError("is lowered to loops on memrefs only, got ")
             << operand.getType() << "; run decompose-to-tasks first";
    // Rows are read as vectors.
    if (type.getRank() != 0 && !type.isLastDimUnitStride())
      return op->emitOpError("needs contiguous rows, got ") << type;
  }
  if (Value computed = getComputed(op)) {
    Type element = cast<MemRefType>(computed.getType()).getElementType();
    if (!element.isF32() && !element.isBF16() && !element.isF16())
      return op->emitOpError("has no loops for elements of type ")
             << element << "; expects f32, bf16 or f16";
  }
  return verifyHeads(op);
}

namespace {
struct LowerTilesToLoops
    : etc::impl::LowerTilesToLoopsPassBase<LowerTilesToLoops> {
  void runOnOperation() override {
    dropStreams();
    WalkResult verified = getOperation()->walk([](Operation *op) {
      return isTileOp(op) && failed(verifyTile(op)) ? WalkResult::interrupt()
                                                    : WalkResult::advance();
    });
    if (verified.wasInterrupted())
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    populateAttentionToLoops(patterns);
    populateLinearToLoops(patterns);
    populateRowsToLoops(patterns);
    populateSelectionToLoops(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }

  /// On the host a stream is the view itself, and nothing runs early.
  void dropStreams() {
    getOperation()->walk([](Operation *op) {
      if (auto stream = dyn_cast<StreamOp>(op)) {
        stream.getStream().replaceAllUsesWith(stream.getSource());
        stream.erase();
      } else if (auto part = dyn_cast<StreamPartOp>(op)) {
        part.drop();
      } else if (isa<ReadyOp, PrefetchPartOp>(op)) {
        op->erase();
      }
    });
  }
};
} // namespace
