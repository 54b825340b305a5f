//===- StepPorts.h - Names, roles and extents of the arguments of a step
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_TORCHTOTASK_STEPPORTS_H
#define ETC_LIB_CONVERSION_TORCHTOTASK_STEPPORTS_H

#include "dialects/torch/TorchDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace etc {

/// Is this the type of activations of the step: [1, tokens, ...]?
bool hasBatchDimension(torch::VTensorType type);

/// Replaces what the importer says of the arguments and results (`etc.*`) by
/// what the task dialect says of them (`task.*`). The types are still torch's.
mlir::LogicalResult convertStepPorts(mlir::func::FuncOp step);

} // namespace etc

#endif // ETC_LIB_CONVERSION_TORCHTOTASK_STEPPORTS_H
