//===- TaskBodies.h - Bodies of tasks, one function per distinct body
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_TRANSFORMS_TASKBODIES_H
#define ETC_LIB_TRANSFORMS_TASKBODIES_H

#include "dialects/task/TaskOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace etc {

/// The name of an operator without its dialect; an elementwise linalg.generic
/// of one operation is named after that: `add`, `mul`.
std::string getOperatorName(mlir::Operation *op);

/// One operand of an operator, as its task sees it.
struct TaskOperand {
  mlir::Value buffer;
  task::RegionAttr region;
  mlir::MemRefType getViewType() const {
    return region.getViewType(mlir::cast<mlir::MemRefType>(buffer.getType()));
  }
  bool operator==(const TaskOperand &other) const {
    return buffer == other.buffer && region == other.region;
  }
};

/// What a launch of an operator reads and writes, and which of these is which
/// operand of the operator.
struct TaskAccesses {
  unsigned gridRank = 0;
  mlir::SmallVector<TaskOperand> reads, writes;
  /// For each operand of the operator, its position in reads then writes, or
  /// -1 for a scalar.
  mlir::SmallVector<int64_t> positions;
  /// Operands that say where the task's tile begins (`getOriginDim`), and the
  /// expression of the coordinates that says it.
  mlir::SmallVector<std::pair<unsigned, mlir::AffineExpr>> origins;
  /// The linalg.fill that sets a destination before the operator runs, or null.
  mlir::SmallVector<mlir::Operation *> fills;
};

/// Makes the task.func of an operator: the operator itself, on memref views.
/// Bodies that are equal are one function.
class TaskBodies {
public:
  TaskBodies(mlir::ModuleOp module, mlir::Operation *before);

  /// The body of `op`; an error if it needs a value that is no constant.
  mlir::FailureOr<task::FuncOp> getBody(mlir::Operation *op,
                                        const TaskAccesses &accesses);

private:
  task::FuncOp build(mlir::Operation *op, const TaskAccesses &accesses);
  mlir::LogicalResult fill(mlir::Operation *op, const TaskAccesses &accesses,
                           task::FuncOp func);

  mlir::OpBuilder builder;
  llvm::StringSet<> names;
  llvm::StringMap<mlir::SmallVector<task::FuncOp>> byKind;
};

} // namespace etc

#endif // ETC_LIB_TRANSFORMS_TASKBODIES_H
