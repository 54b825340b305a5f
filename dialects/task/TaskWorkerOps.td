//===- TaskWorkerOps.td - The loop of one worker -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKWORKEROPS_TD
#define ETC_DIALECTS_TASK_TASKWORKEROPS_TD

// Included by TaskOps.td. What lower-to-persistent writes and
// convert-task-to-llvm reads. A row of the launch table has `width` words.
// `launches_at` and `buffers_at`: where in the shared memory of a block
// `task.copy_tables` puts a copy of the table; without, it is read where the
// context says.

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
  let arguments = (ins Task_WorkerType:$worker, Index:$number, I64Attr:$width,
                       OptionalAttr<I64Attr>:$launches_at);
  let results = (outs Index:$launch, Index:$kind, Index:$first, Index:$stride, Index:$count);
  let assemblyFormat = "$worker `[` $number `]` `width` $width attr-dict";
}

def Task_OperandOp : Task_Op<"operand", [Pure]> {
  let summary = "The buffer that a launch binds to one of its operands";
  let description = [{
    `position` is the word of the launch's row that holds the buffer's slot. The
    buffer is contiguous, so a view that only reshapes it has its address.

    Constraints:
    - T14: 0 < position < width; one dynamic size per `?` of the type.

    ```mlir
    %b = task.operand %w launch %launch[1 of 4] (%n) : memref<?x4xf32>
    ```
  }];
  let arguments = (ins Task_WorkerType:$worker, Index:$launch, I64Attr:$position,
                       I64Attr:$width, Variadic<Index>:$dynamic_sizes,
                       OptionalAttr<I64Attr>:$launches_at, OptionalAttr<I64Attr>:$buffers_at);
  let results = (outs AnyMemRef:$buffer);
  let assemblyFormat = [{
    $worker `launch` $launch `[` $position `of` $width `]` `(` $dynamic_sizes `)` attr-dict
    `:` type($buffer)
  }];
  let hasVerifier = 1;
}

def Task_EventOp : Task_Op<"event", [Pure]> {
  let summary = "The event tensor that a launch binds to one of its edges";
  let description = [{
    `position` is the word of the launch's row that holds the tensor's row in the
    event table.

    Constraints: T14 as for `task.operand`.
  }];
  let arguments = (ins Task_WorkerType:$worker, Index:$launch, I64Attr:$position,
                       I64Attr:$width, Variadic<Index>:$dynamic_sizes,
                       OptionalAttr<I64Attr>:$launches_at);
  let results = (outs Event_TensorType:$tensor);
  let assemblyFormat = [{
    $worker `launch` $launch `[` $position `of` $width `]` `(` $dynamic_sizes `)` attr-dict
    `:` qualified(type($tensor))
  }];
  let hasVerifier = 1;
}

def Task_StepsLeftOp : Task_Op<"steps_left", [Pure]> {
  let summary = "How many steps this launch of the kernel still runs, this one included";
  let arguments = (ins Task_WorkerType:$worker);
  let results = (outs Index:$count);
  let assemblyFormat = "$worker attr-dict";
}

def Task_NextStepOp : Task_Op<"next_step", [Pure]> {
  let summary = "The worker, in the next step of this launch";
  let description = [{
    Each step has symbols, tables and buffers of its own.
  }];
  let arguments = (ins Task_WorkerType:$worker);
  let results = (outs Task_WorkerType:$next);
  let assemblyFormat = "$worker attr-dict";
}

def Task_EnterStepOp : Task_Op<"enter_step", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Tell the threads of a worker which step they run next";
  let description = [{
    For what the slow paths of waits read, and the copy of the buffers' addresses
    (`task.copy_tables`): once per step but the first of a launch, when no thread of the
    worker is in the step before any more. A loader may still read addresses, or be ahead:
    the weights that it streams have the same in all steps of a launch, and before it
    looks for others it waits for this (`task.await_step`). `behind_loader`: this in turn waits
    until the loader has left the steps before (`task.loader_step`).
  }];
  let arguments = (ins Task_WorkerType:$worker, OptionalAttr<I64Attr>:$buffers,
                       OptionalAttr<I64Attr>:$buffers_at, UnitAttr:$behind_loader);
  let assemblyFormat = "$worker (`behind_loader` $behind_loader^)? attr-dict";
}

def Task_AwaitStepOp : Task_Op<"await_step", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Wait until the threads of the worker have entered this step";
  let description = [{
    A loader runs ahead of the join between two steps of a launch. Behind this it sees
    what all workers wrote in the steps before, also with asynchronous copies, and the
    addresses of this step's buffers; both stay as they are until it tells that it has
    left the step (`task.loader_step`, `task.enter_step behind_loader`). False: a wait
    of the worker has failed, and nobody enters the step any more. The consumers bound
    the wait, as they do that for an empty stage of the ring.
  }];
  let arguments = (ins Task_WorkerType:$worker);
  let results = (outs I1:$entered);
  let assemblyFormat = "$worker attr-dict";
}

def Task_LoaderStepOp : Task_Op<"loader_step", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Tell the threads of a worker which step its loader is in";
  let description = [{
    By all threads of a warp: none of them reads anything of a step before any more.
    `task.enter_step behind_loader` waits for it, with a bound: a loader that is behind has
    no chunks to copy, for all that it copied in the step before have been taken.
  }];
  let arguments = (ins Task_WorkerType:$worker);
  let assemblyFormat = "$worker attr-dict";
}

def Task_CopyTablesOp : Task_Op<"copy_tables", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Bring the tables of launches and buffers into the block's shared memory";
  let description = [{
    From a run to the address of a weight are three loads, each of which waits for the
    one before. Under the traffic of the weights a trip to memory takes microseconds, for which
    a loader would issue no copies. `words` of the launch table go to `launches_at`, the
    addresses of `buffers` buffers to `buffers_at`; without places nothing is copied.
    `plan-shared-memory` chooses them.
  }];
  let arguments = (ins Task_WorkerType:$worker, I64Attr:$words, I64Attr:$buffers,
                       OptionalAttr<I64Attr>:$launches_at, OptionalAttr<I64Attr>:$buffers_at);
  let assemblyFormat = "$worker `launches` $words `buffers` $buffers attr-dict";
}

def Task_JoinOp : Task_Op<"join", [Pure]> {
  let summary = "The event that joins the workers between two steps of a launch";
  let description = [{
    Row `row` of the event table: every worker notifies it once in a step. It is
    monotonic.
  }];
  let arguments = (ins Task_WorkerType:$worker, I64Attr:$row);
  let results = (outs Event_TensorType:$tensor);
  let assemblyFormat = "$worker `row` $row attr-dict `:` qualified(type($tensor))";
}

def Task_ClearBanksOp : Task_Op<"clear_banks", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Clear this worker's share of the bank that the next step will use";
  let description = [{
    The banks of all banked event tensors lie side by side, `words` words each, bank 0
    at the start of the counter memory. The workers share the bank that this step does
    not use, so that each word of it is cleared once in every step. Between steps stands
    the launch boundary, or `task.join_steps` (see `event.clear`).
  }];
  let arguments = (ins Task_WorkerType:$worker, I64Attr:$words);
  let assemblyFormat = "$worker `words` $words attr-dict";
}

def Task_MarkOp : Task_Op<"mark", [MemoryEffects<[MemWrite]>]> {
  let summary = "Note for the watchdog what this worker begins, and the time in a trace";
  let description = [{
    At its begin a task is noted for the watchdog; `traced`, its record in the trace begins.
    `finished` ends the record.
  }];
  let arguments = (ins Task_WorkerType:$worker, Index:$launch, Index:$task, UnitAttr:$traced,
                       UnitAttr:$finished);
  let assemblyFormat = [{
    $worker `launch` $launch `task` $task (`traced` $traced^)? (`finished` $finished^)? attr-dict
  }];
}

def Task_SharedMemoryOp : Task_Op<"shared_memory"> {
  let summary = "How the block of a program's kernel uses its shared memory";
  let description = [{
    What `plan-shared-memory` decided, beside the program, for the code of the tiles
    and for the launch: the ring has `stages` stages of `stage_bytes` for each consumer
    warp; `scratch_bytes` are for the sums that warps of a linear share. `activation_bytes`
    are for inputs that are kept (`task.first_task`), chosen for steps of `tokens`; other
    tiles share theirs in the same place, for no input outlives its run. `bytes` is all of
    it.

    ```mlir
    task.shared_memory @step threads 288 stages 3 of 8192 scratch 17920 activations 8192 for 1 total 224256
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$program, I64Attr:$threads, I64Attr:$stages,
                       I64Attr:$stage_bytes, I64Attr:$scratch_bytes, I64Attr:$activation_bytes,
                       I64Attr:$tokens, I64Attr:$bytes);
  let assemblyFormat = [{
    $program `threads` $threads `stages` $stages `of` $stage_bytes `scratch` $scratch_bytes
    `activations` $activation_bytes `for` $tokens `total` $bytes attr-dict
  }];
}

#endif // ETC_DIALECTS_TASK_TASKWORKEROPS_TD
