//===- GpuStream.h - How a loader issues copies into the ring
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_GPUSTREAM_H
#define ETC_LIB_CODEGEN_GPUSTREAM_H

#include "lib/Codegen/GpuTiles.h"

namespace etc::codegen {

/// Runs `issue` in the loader's lane for each consumer warp. The state that it
/// is given and returns: the warp's chunks so far (i32), and whether the loader
/// goes on.
void issueForEachWarp(GpuBuilder &b,
                      llvm::function_ref<llvm::SmallVector<mlir::Value>(
                          mlir::Value warp, mlir::ValueRange state)>
                          issue);

/// The next chunk of `warp`: `copy` starts it when its stage is empty. Returns
/// the state behind it.
llvm::SmallVector<mlir::Value>
issueChunk(GpuBuilder &b, const Ring &ring, mlir::Value warp,
           mlir::ValueRange state,
           llvm::function_ref<void(const Ring::Stage &)> copy);

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
