//===- TaskOps.td - Operations of the task dialect -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKOPS_TD
#define ETC_DIALECTS_TASK_TASKOPS_TD

include "dialects/event/EventTypes.td"
include "dialects/task/TaskTypes.td"
include "dialects/task/TaskInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Task_Op<string mnemonic, list<Trait> traits = []>
    : Op<Task_Dialect, mnemonic, traits>;

include "dialects/task/TaskGraphOps.td"
include "dialects/task/TaskTileOps.td"
include "dialects/task/TaskWorkerOps.td"

#endif // ETC_DIALECTS_TASK_TASKOPS_TD
