//===- TaskOps.h - Task operations
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKOPS_H
#define ETC_DIALECTS_TASK_TASKOPS_H

#include "dialects/task/TaskDialect.h"
#include "dialects/task/TaskInterfaces.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace etc::task {
class FuncOp;
class LaunchOp;
class ReadyOp;
} // namespace etc::task

#define GET_OP_CLASSES
#include "dialects/task/TaskOps.h.inc"

namespace etc::task {
/// Whether the rows of a page of a cache [pages, G, 2, P, D] follow each other.
bool hasContiguousRows(mlir::MemRefType cache);
} // namespace etc::task

#endif // ETC_DIALECTS_TASK_TASKOPS_H
