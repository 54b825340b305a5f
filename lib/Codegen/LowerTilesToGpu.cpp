//===- LowerTilesToGpu.cpp - Tile operations as loops over threads
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuTiles.h"
#include "lib/Codegen/GpuWords.h"
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

static LogicalResult lowerTile(GpuBuilder &b, Operation *op, const Ring &ring) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](linalg::LinalgOp op) { return lowerStructured(b, op); })
      .Case([&](etc::task::LinearOp op) { return lowerLinear(b, op, ring); })
      .Case([&](etc::task::RMSNormOp op) { return lowerRMSNorm(b, op); })
      .Case([&](etc::task::EmbeddingOp op) { return lowerEmbedding(b, op); })
      .Case([&](etc::task::GatherRowsOp op) { return lowerGatherRows(b, op); })
      .Case([&](etc::task::RopeTableOp op) { return lowerRopeTable(b, op); })
      .Case([&](etc::task::ArgmaxOp op) { return lowerArgmax(b, op); })
      .Case([&](etc::task::SplitAttentionOp op) {
        return lowerSplitAttention(b, op, ring);
      })
      .Case(
          [&](etc::task::MergeSplitsOp op) { return lowerMergeSplits(b, op); })
      .Default([](Operation *op) {
        return op->emitOpError("has no code for a GPU tile yet");
      });
}

static Ring getRing(etc::task::SharedMemoryOp plan, bool prefetches) {
  int64_t activations = plan.getActivationBytes();
  int64_t base = llvm::alignTo(SharedLayout::kScratch + plan.getScratchBytes(),
                               SharedLayout::kRingAlignment);
  return {static_cast<int64_t>(plan.getStages()),
          static_cast<int64_t>(plan.getStageBytes()),
          base + activations,
          base,
          activations,
          static_cast<int64_t>(plan.getTokens()),
          prefetches};
}

/// The function that a chunk's slow path calls; convert-task-to-nvvm writes it.
static void declareWaitChunk(gpu::GPUModuleOp device) {
  GpuBuilder b(device.getLoc(), device.getContext());
  b.setInsertionPointToEnd(device.getBody());
  Type barrier = LLVM::LLVMPointerType::get(b.getContext(), 3);
  auto func = b.make<func::FuncOp>(
      kWaitChunkFunc, b.getFunctionType({barrier, b.getI32Type()}, {}));
  func.setPrivate();
}

/// The same for a tagged word, where some memory is tagged.
static void declareWaitWord(gpu::GPUModuleOp device) {
  bool hasTags = device
                     .walk([](func::FuncOp function) {
                       return llvm::any_of(function.getArgumentTypes(),
                                           etc::task::isTagged)
                                  ? WalkResult::interrupt()
                                  : WalkResult::advance();
                     })
                     .wasInterrupted();
  if (!hasTags)
    return;
  GpuBuilder b(device.getLoc(), device.getContext());
  b.setInsertionPointToEnd(device.getBody());
  Type word = LLVM::LLVMPointerType::get(b.getContext(), 1);
  auto func = b.make<func::FuncOp>(kWaitWordFunc,
                                   b.getFunctionType({word}, {b.getI1Type()}));
  func.setPrivate();
}

namespace {
struct LowerTilesToGpu : etc::impl::LowerTilesToGpuPassBase<LowerTilesToGpu> {
  using LowerTilesToGpuPassBase::LowerTilesToGpuPassBase;

  void runOnOperation() override {
    for (auto plan : getOperation().getOps<etc::task::SharedMemoryOp>()) {
      auto program =
          getOperation().lookupSymbol<etc::task::ProgramOp>(plan.getProgram());
      auto device = getOperation().lookupSymbol<gpu::GPUModuleOp>(
          (plan.getProgram() + "_device").str());
      if (!program || !device) {
        plan.emitOpError("expects a program and its gpu.module beside it");
        return signalPassFailure();
      }
      declareWaitWord(device);
      if (!prefetch)
        hintAtParts(device); // The loader does not run ahead.
      lowerPrefetches(device);
      Ring ring = getRing(plan, prefetch);
      if (failed(lowerStreams(program, device, ring)) ||
          failed(lowerTiles(device, ring)) || failed(lowerMath(device)))
        return signalPassFailure();
      eraseTags(device);
    }
  }

  void lowerPrefetches(gpu::GPUModuleOp device) {
    device.walk([](etc::task::PrefetchPartOp op) {
      GpuBuilder b(op.getLoc(), op);
      lowerPrefetchPart(b, op);
      op.erase();
    });
  }

  /// The loader's streams: those that nobody in their function consumes.
  LogicalResult lowerStreams(etc::task::ProgramOp program,
                             gpu::GPUModuleOp device, const Ring &ring) {
    SmallVector<etc::task::StreamOp> streams;
    SmallVector<etc::task::StreamPartOp> parts;
    device.walk([&](Operation *op) {
      if (!op->use_empty())
        return;
      if (auto stream = dyn_cast<etc::task::StreamOp>(op))
        streams.push_back(stream);
      else if (auto part = dyn_cast<etc::task::StreamPartOp>(op))
        parts.push_back(part);
    });
    if (streams.empty() && parts.empty())
      return success();
    auto buffers = program.getBuffers().getAsRange<etc::task::BufferAttr>();
    auto isPacked = [](etc::task::BufferAttr buffer) {
      return buffer.getLayout() == etc::task::Layout::mma_fragments;
    };
    if (!streams.empty() && llvm::none_of(buffers, isPacked))
      return program.emitOpError(
          "streams weights that are not in fragment order; "
          "run pack-weights before lower-to-persistent");
    for (etc::task::StreamOp stream : streams) {
      GpuBuilder b(stream.getLoc(), stream);
      lowerStream(b, stream, ring);
      stream.erase();
    }
    for (etc::task::StreamPartOp part : parts) {
      GpuBuilder b(part.getLoc(), part);
      lowerStreamPart(b, part, ring);
      part.erase();
    }
    auto loader = device.lookupSymbol<func::FuncOp>(
        (program.getSymName() + "_loader").str());
    GpuBuilder b(loader.getLoc(), loader.getBody().back().getTerminator());
    drainStreams(b, ring);
    declareWaitChunk(device);
    return success();
  }

  LogicalResult lowerTiles(gpu::GPUModuleOp device, const Ring &ring) {
    SmallVector<Operation *> tiles;
    device.walk([&](Operation *op) {
      if (isTileOp(op))
        tiles.push_back(op);
    });
    llvm::SmallPtrSet<Block *, 8> seen;
    for (Operation *op : tiles) {
      GpuBuilder b(op->getLoc(), op);
      // An operator may read what other threads wrote in the one before it.
      if (!seen.insert(op->getBlock()).second)
        b.consumerBarrier();
      b.pinThread();
      if (failed(lowerTile(b, op, ring)))
        return failure();
      op->erase();
    }
    device.walk([](Operation *op) {
      if (isa<etc::task::StreamOp, etc::task::StreamPartOp>(op))
        op->erase();
    });
    return success();
  }
};
} // namespace
