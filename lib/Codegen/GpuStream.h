//===- GpuStream.h - How a loader issues copies into the ring
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_GPUSTREAM_H
#define ETC_LIB_CODEGEN_GPUSTREAM_H

#include "lib/Codegen/GpuTiles.h"

namespace etc::codegen {

/// How fast a worker may ask for what streams.
struct Pace {
  int64_t nsOfMiB;
  int64_t bytes; // that a chunk of each warp has, all warps together
  /// The time between two chunks of a warp.
  int64_t getSlotNs() const;
};

/// The loader's next `chunks` (i32) chunks of each consumer warp, which lane
/// `warp` of the loader serves: `copy` starts chunk `number` (i32) of them when
/// its stage is empty. The lanes go together. With a `pace`, one chunk of a
/// warp at most begins in each slot of time.
void issueChunks(
    GpuBuilder &b, const Ring &ring, std::optional<Pace> pace,
    mlir::Value chunks,
    llvm::function_ref<void(mlir::Value number, const Ring::Stage &)> copy);

/// The warp that a lane of the loader serves, or 0 (i32).
mlir::Value getServedWarp(GpuBuilder &b);

/// What is copied to byte `offset` of a stage.
struct Piece {
  mlir::Value source, bytes; // bytes: i32
  int64_t offset = 0;
};

/// Starts the copies of a chunk into a stage that is empty.
void copyChunk(GpuBuilder &b, const Ring::Stage &stage,
               llvm::ArrayRef<Piece> pieces,
               mlir::Value policy = mlir::Value());

} // namespace etc::codegen

#endif // ETC_LIB_CODEGEN_GPUSTREAM_H
