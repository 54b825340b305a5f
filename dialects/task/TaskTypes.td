//===- TaskTypes.td - Types of the task dialect -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKTYPES_TD
#define ETC_DIALECTS_TASK_TASKTYPES_TD

include "dialects/task/TaskAttrs.td"

def Task_WorkerType : TypeDef<Task_Dialect, "Worker"> {
  let mnemonic = "worker";
  let summary = "what one worker knows: the program's tables and this launch's arguments";
  let description = [{
    Lowers to a pointer to `EtcContext` of `runtime/include/etc_runtime/abi.h`.
  }];
}

def Task_StreamType : TypeDef<Task_Dialect, "Stream"> {
  let mnemonic = "stream";
  let summary = "a tile on its way from memory to the worker";
  let description = [{
    The tile that `task.stream` started to load. Its consumer takes the chunks
    in the order in which they were loaded; on a CPU it is the view itself.
  }];
  let parameters = (ins "mlir::MemRefType":$tile);
  let assemblyFormat = "`<` $tile `>`";
}

#endif // ETC_DIALECTS_TASK_TASKTYPES_TD
