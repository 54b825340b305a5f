//===- Passes.h - Passes that write the code of tiles
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_PASSES_H
#define ETC_LIB_CODEGEN_PASSES_H

#include "mlir/Pass/Pass.h"

namespace etc {

#define GEN_PASS_DECL
#include "lib/Codegen/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Codegen/Passes.h.inc"

/// The bytes of an input that a block of `bytes` of shared memory can keep beside
/// a ring.
int64_t getMostKeptBytes(int64_t bytes);

} // namespace etc

#endif // ETC_LIB_CODEGEN_PASSES_H
