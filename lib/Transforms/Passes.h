//===- Passes.h - Passes on the task graph
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_TRANSFORMS_PASSES_H
#define ETC_LIB_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace etc {

#define GEN_PASS_DECL
#include "lib/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Passes.h.inc"

} // namespace etc

#endif // ETC_LIB_TRANSFORMS_PASSES_H
