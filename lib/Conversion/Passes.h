//===- Passes.h - From a scheduled graph to machine code
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_PASSES_H
#define ETC_LIB_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace etc {

#define GEN_PASS_DECL
#include "lib/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Conversion/Passes.h.inc"

/// From loops at the persistent level to the llvm dialect, task.program kept.
void buildCpuPipeline(mlir::OpPassManager &pm);

/// What the code of a kernel depends on.
struct GpuPipeline {
  llvm::StringRef chip, features; // LLVM's names
  int64_t sharedBytes;            // of one block
  int64_t tokens;                 // see plan-shared-memory
  bool prefetch;                  // see lower-tiles-to-gpu
};

/// From the persistent level with the roles loader and consumer to a gpu.binary
/// that holds PTX, task.program kept.
void buildGpuPipeline(mlir::OpPassManager &pm, const GpuPipeline &options);

} // namespace etc

#endif // ETC_LIB_CONVERSION_PASSES_H
