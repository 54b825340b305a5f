//===- TaskDialect.td - The task dialect -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKDIALECT_TD
#define ETC_DIALECTS_TASK_TASKDIALECT_TD

include "mlir/IR/OpBase.td"

def Task_Dialect : Dialect {
  let name = "task";
  let cppNamespace = "::etc::task";
  let summary = "Programs as graphs of tile tasks, from operators to the worker loop";
  let description = [{
    A *task* computes one tile of an operator on one worker (an SM, or a CPU
    thread). The dialect has four groups of operations, one per level of the
    compiler:

    - *tile operations* (`task.linear`, `task.attention`, ...): whole operators on
      tensors, and the same operators on the views of one tile;
    - the *task graph* (`task.graph`, `task.launch`, `task.func`): grids of tasks,
      what they read and write, and the events that order them;
    - the *schedule* (`task.schedule`): which worker runs which tasks in what order;
    - the *worker* (`task.runs`, `task.operand`, ...): the loop of one worker over
      its runs, and `task.program`, the tables that the loop reads.

    A step on tensors is a `func.func` whose interface these attributes describe:
    - S1: on the function, `task.symbols`: the `#task.symbol`s, of different names;
    - S2: on an argument, `task.name`: how the caller binds it, unique among the
      arguments; `task.role`: "input", "weight" or "state"; `task.shape`: its
      extents, a map of the symbols that agrees with its type; `task.tied`:
      further names of the same weight;
    - S3: on a result, `task.name`; and `task.state`, where it is a state updated in
      place: the name of that argument.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::etc::event::EventDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

#endif // ETC_DIALECTS_TASK_TASKDIALECT_TD
