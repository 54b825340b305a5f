//===- LowerTilesToGpu.cpp - Tile operations as loops over threads
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuTiles.h"
#include "lib/Codegen/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

namespace etc {
#define GEN_PASS_DEF_LOWERTILESTOGPUPASS
#include "lib/Codegen/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc::codegen;

static bool isTileOp(Operation *op) {
  return isa<linalg::LinalgOp>(op) ||
         (isa<etc::task::TaskDialect>(op->getDialect()) &&
          isa<DestinationStyleOpInterface>(op));
}

static LogicalResult lowerTile(GpuBuilder &b, Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](linalg::LinalgOp op) { return lowerStructured(b, op); })
      .Default([](Operation *op) {
        return op->emitOpError("has no code for a GPU tile yet");
      });
}

namespace {
struct LowerTilesToGpu
    : etc::impl::LowerTilesToGpuPassBase<LowerTilesToGpu> {
  void runOnOperation() override {
    SmallVector<Operation *> tiles;
    getOperation().walk([&](Operation *op) {
      if (isTileOp(op))
        tiles.push_back(op);
    });
    llvm::SmallPtrSet<Block *, 8> seen;
    for (Operation *op : tiles) {
      GpuBuilder b(op->getLoc(), op);
      // An operator may read what other threads wrote in the one before it.
      if (!seen.insert(op->getBlock()).second)
        b.consumerBarrier();
      if (failed(lowerTile(b, op)))
        return signalPassFailure();
      op->erase();
    }
  }
};
} // namespace
