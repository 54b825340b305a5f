//===- TorchDialect.h - Torch dialect and types
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TORCH_TORCHDIALECT_H
#define ETC_DIALECTS_TORCH_TORCHDIALECT_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"

#include "dialects/torch/TorchDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/torch/TorchTypes.h.inc"

#endif // ETC_DIALECTS_TORCH_TORCHDIALECT_H
