//===- TaskInterfaces.h - Interfaces of the task dialect
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKINTERFACES_H
#define ETC_DIALECTS_TASK_TASKINTERFACES_H

#include "mlir/IR/OpDefinition.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace etc::task {

/// How one dimension of an operand follows the task domain: elements
/// `i * scale + [0, scale)` belong to points `i * points + [0, points)` of
/// domain dimension `dim`. One of the two is 1.
struct DimAccess {
  static constexpr int64_t kWhole = -1;
  int64_t dim = kWhole;
  int64_t scale = 1;
  int64_t points = 1;
  bool isWhole() const { return dim == kWhole; }
};

/// Gives `linalg.generic` the TaskRegionOpInterface: its parallel iterators are
/// the task domain, an operand dimension that is not one of them is whole.
void registerLinalgTaskInterfaces(mlir::DialectRegistry &registry);

} // namespace etc::task

#include "dialects/task/TaskInterfaces.h.inc"

#endif // ETC_DIALECTS_TASK_TASKINTERFACES_H
