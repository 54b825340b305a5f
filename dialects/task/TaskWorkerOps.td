//===- TaskWorkerOps.td - The loop of one worker -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKWORKEROPS_TD
#define ETC_DIALECTS_TASK_TASKWORKEROPS_TD

// Included by TaskOps.td. What lower-to-persistent writes and
// convert-task-to-llvm reads.

def Task_SymbolValueOp : Task_Op<"symbol_value", [Pure]> {
  let summary = "The extent of a symbol in this step, or its bound in this bucket";
  let arguments = (ins Task_WorkerType:$worker, I64Attr:$symbol, UnitAttr:$bucket);
  let results = (outs Index:$value);
  let assemblyFormat = "$worker `[` $symbol `]` (`bucket` $bucket^)? attr-dict";
}

def Task_RunsOp : Task_Op<"runs", [Pure]> {
  let summary = "The range of this worker's runs";
  let arguments = (ins Task_WorkerType:$worker);
  let results = (outs Index:$begin, Index:$end);
  let assemblyFormat = "$worker attr-dict";
}

def Task_RunOp : Task_Op<"run", [Pure]> {
  let summary = "Decode one run";
  let description = [{
    `launch` is a row of the launch table, `kind` the case of the worker's dispatch
    that runs its tasks.
  }];
  let arguments = (ins Task_WorkerType:$worker, Index:$number);
  let results = (outs Index:$launch, Index:$kind, Index:$first, Index:$stride, Index:$count);
  let assemblyFormat = "$worker `[` $number `]` attr-dict";
}

def Task_OperandOp : Task_Op<"operand", [Pure]> {
  let summary = "The buffer that a launch binds to one of its operands";
  let arguments = (ins Task_WorkerType:$worker, Index:$launch, I64Attr:$position,
                       Variadic<Index>:$dynamic_sizes);
  let results = (outs AnyMemRef:$buffer);
  let assemblyFormat = [{
    $worker `launch` $launch `[` $position `]` `(` $dynamic_sizes `)` attr-dict `:` type($buffer)
  }];
}

def Task_EventOp : Task_Op<"event", [Pure]> {
  let summary = "The event tensor that a launch binds to one of its edges";
  let arguments = (ins Task_WorkerType:$worker, Index:$launch, I64Attr:$position,
                       Variadic<Index>:$dynamic_sizes);
  let results = (outs Event_TensorType:$tensor);
  let assemblyFormat = [{
    $worker `launch` $launch `[` $position `]` `(` $dynamic_sizes `)` attr-dict `:` qualified(type($tensor))
  }];
}

def Task_MarkOp : Task_Op<"mark", [MemoryEffects<[MemWrite]>]> {
  let summary = "Note the time in the trace, and what this worker is doing for the watchdog";
  let arguments = (ins Task_WorkerType:$worker, Index:$launch, Index:$task, UnitAttr:$finished);
  let assemblyFormat = "$worker `launch` $launch `task` $task (`finished` $finished^)? attr-dict";
}

#endif // ETC_DIALECTS_TASK_TASKWORKEROPS_TD
