//===- GpuTiles.h - Code of each tile operation on one block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each function writes the code at the builder's position and leaves the
// operation to be erased by its caller.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_GPUTILES_H
#define ETC_LIB_CODEGEN_GPUTILES_H

#include "dialects/task/TaskOps.h"
#include "lib/Codegen/GpuBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace etc::codegen {

/// The ring of shared-memory stages, and how a weight crosses it.
///
/// Each consumer warp has stages of its own, each with a full and an empty
/// barrier, so that it sees every phase of them: a parity tells apart only
/// neighbouring ones. The loader and the consumers count the chunks of a warp
/// alike, over all tasks of a launch.
struct Ring {
  int64_t stages, stageBytes;
  int64_t base; // offset in shared memory
  /// Where inputs of linears are kept, and how many bytes of them.
  int64_t activations, activationBytes;
  int64_t tokens; // of the steps that this is planned for
  /// Whether the loader runs ahead of the tasks that take what it copies.
  bool prefetches;

  /// The bytes of 16 x 16 elements of 16 bits: one A operand.
  static constexpr int64_t kBlockBytes = 512;
  static constexpr int64_t kBlockColumns = 16;

  /// Of chunk `count` of `warp` (both i32).
  struct Stage {
    mlir::Value full, empty, data, parity;
  };
  Stage getStage(GpuBuilder &b, mlir::Value warp, mlir::Value count) const;

  /// The consumers' wait for a chunk, and how a warp gives its stage back.
  static void waitFull(GpuBuilder &b, const Stage &stage);
  static void leave(GpuBuilder &b, const Stage &stage);

  int64_t getBlocksPerChunk() const { return stageBytes / kBlockBytes; }
  int64_t getBytes() const { return stages * kConsumerWarps * stageBytes; }
};

/// A row tile crosses the ring in steps of one chunk per consumer warp. The
/// chunks of a step lie side by side in memory; the warps share the blocks of
/// the last step evenly. Up to four row tiles cross it together, the same step of
/// one after the other, so that all are multiplied with a chunk of the input
/// that is read once.
struct RingSteps {
  RingSteps(const Ring &ring, mlir::MemRefType tile);
  int64_t together;    // row tiles that cross the ring together
  int64_t chunkBlocks; // of a full step
  int64_t stepBlocks;
  int64_t blocks; // of the tile
  int64_t full;   // steps that fill their stages
  int64_t rest;   // blocks of the step after them; 0: there is none

  int64_t count() const { return full + (rest != 0); }
  /// Block of a step of `stepBlocks` where the part of `warp` begins (i32).
  static mlir::Value getBegin(GpuBuilder &b, mlir::Value warp,
                              mlir::Value stepBlocks);
};

/// A part of a sequence crosses the ring in units of eight positions, which the
/// warps take in turn: keys and values in one chunk, or in one each where a
/// stage has no room for both.
struct PartUnits {
  PartUnits(const Ring &ring, mlir::MemRefType cache);
  /// Of the keys of a unit, or of its values: contiguous rows.
  static int64_t getHalfBytes(mlir::MemRefType cache);
  int64_t halfBytes, rowBytes;
  int64_t chunks; // of a unit
  /// Where the values begin in their stage.
  int64_t valuesAt() const { return chunks == 1 ? halfBytes : 0; }
};

/// The loader's part: copies the tile into the ring.
void lowerStream(GpuBuilder &b, task::StreamOp op, const Ring &ring);
/// The loader's part: copies into the ring what earlier steps left of the part.
void lowerStreamPart(GpuBuilder &b, task::StreamPartOp op, const Ring &ring);
/// The consumers' part where the loader does not run ahead: they have the input
/// of the linear that takes the next stream.
void releaseStream(GpuBuilder &b);
/// At the end of the loader: waits for the copies under way, which would else
/// write to a block that has left.
void drainStreams(GpuBuilder &b, const Ring &ring);

/// On the tensor cores if the weight is a stream, which `pack-weights` has
/// checked.
mlir::LogicalResult lowerLinear(GpuBuilder &b, task::LinearOp op,
                                const Ring &ring);
mlir::LogicalResult lowerRMSNorm(GpuBuilder &b, task::RMSNormOp op);
mlir::LogicalResult lowerEmbedding(GpuBuilder &b, task::EmbeddingOp op);
mlir::LogicalResult lowerGatherRows(GpuBuilder &b, task::GatherRowsOp op);
mlir::LogicalResult lowerRopeTable(GpuBuilder &b, task::RopeTableOp op);
/// The better of two candidates (f32 value, i32 index): the larger value, the
/// lower index of equal ones.
llvm::SmallVector<mlir::Value> betterOf(GpuBuilder &b, mlir::ValueRange x,
                                        mlir::ValueRange y);
mlir::LogicalResult lowerArgmax(GpuBuilder &b, task::ArgmaxOp op);
mlir::LogicalResult
lowerSplitAttention(GpuBuilder &b, task::SplitAttentionOp op, const Ring &ring);
/// The loader's part: has the part brought to the L2 cache.
void lowerPrefetchPart(GpuBuilder &b, task::PrefetchPartOp op);
/// Has all parts that are streamed read from the cache, and hinted at.
void hintAtParts(mlir::Operation *device);
mlir::LogicalResult lowerMergeSplits(GpuBuilder &b, task::MergeSplitsOp op);
/// math operations as instructions of the GPU: there is no library to call.
mlir::LogicalResult lowerMath(mlir::Operation *root);

/// Elementwise operators and reductions.
mlir::LogicalResult lowerStructured(GpuBuilder &b, mlir::linalg::LinalgOp op);

} // namespace etc::codegen

#endif // ETC_LIB_CODEGEN_GPUTILES_H
