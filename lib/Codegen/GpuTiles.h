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

/// Elementwise operators and reductions.
mlir::LogicalResult lowerStructured(GpuBuilder &b, mlir::linalg::LinalgOp op);

} // namespace etc::codegen

#endif // ETC_LIB_CODEGEN_GPUTILES_H
