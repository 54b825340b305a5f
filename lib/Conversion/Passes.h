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

/// From the persistent level with the roles loader and consumer to a gpu.binary
/// that holds PTX, task.program kept. `chip` and `features` are LLVM's names; a
/// block can have `sharedBytes` of shared memory; `prefetch` is that of
/// lower-tiles-to-gpu.
void buildGpuPipeline(mlir::OpPassManager &pm, llvm::StringRef chip,
                      llvm::StringRef features, int64_t sharedBytes,
                      bool prefetch);

} // namespace etc

#endif // ETC_LIB_CONVERSION_PASSES_H
