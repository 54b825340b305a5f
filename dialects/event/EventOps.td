//===- EventOps.td - Operations of the event dialect -------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_EVENT_EVENTOPS_TD
#define ETC_DIALECTS_EVENT_EVENTOPS_TD

include "dialects/event/EventTypes.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Event_Op<string mnemonic, list<Trait> traits = []>
    : Op<Event_Dialect, mnemonic, traits>;

def Event_CreateOp : Event_Op<"create", [Pure]> {
  let summary = "Declare an event tensor of a task graph";
  let description = [{
    Declares the events, their shape and their count. `shape` and `count` are
    maps of the graph's symbols, in the order the graph lists them. The events
    live for as long as the graph: `reuse` says how they serve the next step.

    Who must signal: for each entry, the tasks of the launches that notify this
    tensor, `count` of them in every step (E6, checked by `verify-events`).
    Who may wait: any task of the same graph.

    Constraints:
    - E1: `shape` has one result per dimension of the type and no dimensions;
      a static dimension's result is that constant.
    - E2: `count` has one result, and it is positive if it is a constant.
    - E3: `monotonic` needs a constant count and a static shape: a step that
      notifies less would leave the next target out of reach.
    - E4: a `data` tensor has count 1: its one producer stores the value.
    - E13: a `carried` tensor counts and has no dimensions.

    ```mlir
    // Four partial sums for each of n row blocks.
    %E = event.create "partial" shape affine_map<()[n] -> (n)>
           count affine_map<()[n] -> (4)> reuse(banked) : !event.tensor<?>
    ```
  }];
  let arguments = (ins StrAttr:$name, AffineMapAttr:$shape, AffineMapAttr:$count,
                       Event_Reuse:$reuse);
  let results = (outs Event_TensorType:$tensor);
  let assemblyFormat = [{
    $name `shape` $shape `count` $count `reuse` `(` $reuse `)` attr-dict `:` qualified(type($tensor))
  }];
  let hasVerifier = 1;
}

def Event_NotifyOp : Event_Op<"notify", [AttrSizedOperandSegments, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Count one event up, with release order";
  let description = [{
    Adds `by` to the event at `indices`. A release at `scope`: every write that
    the task made before it (by any of its threads: the lowering joins them
    first) is visible to whoever acquires the event afterwards.

    `device` is the coordinate of the device that holds the event; the scope is
    then `sys`. Without it the event is on the device of the task.

    Constraints:
    - E5: as many indices as the tensor has dimensions; `by` is positive; a
      `data` tensor is published to, not notified; a device needs scope `sys`.

    ```mlir
    event.notify %E[%i] : !event.tensor<?>
    event.notify %E[%i] device(%peer) scope(sys) by 2 : !event.tensor<?>
    ```
  }];
  let arguments = (ins Event_TensorType:$tensor, Variadic<Index>:$indices,
                       Optional<Index>:$device,
                       DefaultValuedAttr<Event_Scope, "::etc::event::Scope::gpu">:$scope,
                       DefaultValuedAttr<I32Attr, "1">:$by);
  let assemblyFormat = [{
    $tensor `[` $indices `]` (`device` `(` $device^ `)`)? (`scope` `(` $scope^ `)`)?
    (`by` $by^)? attr-dict `:` qualified(type($tensor))
  }];
  let builders = [OpBuilder<(ins "mlir::Value":$tensor, "mlir::ValueRange":$indices)>];
  let hasVerifier = 1;
}

def Event_WaitOp : Event_Op<"wait", [AttrSizedOperandSegments, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Wait until an event has reached its count, with acquire order";
  let description = [{
    Returns when the event at `indices` was notified `count` times in this step.
    An acquire at `scope` for all threads of the task. `guards` names the
    operands that must not be read before: the lowering may sink the wait down
    to the first warp that reads one of them.

    Every wait is bounded. The result is true when the count was reached. It is
    false when the kernel is being ended, because this or another wait exceeded
    its bound: the task must then return without a notify.

    Constraints:
    - E5: as many indices as the tensor has dimensions; a `data` tensor is
      received from, not waited on.

    ```mlir
    %ok = event.wait %E[%i] count(%four) guards(%x : memref<?x4xf32>) : !event.tensor<?>
    ```
  }];
  let arguments = (ins Event_TensorType:$tensor, Variadic<Index>:$indices, I32:$count,
                       Variadic<AnyType>:$guarded,
                       DefaultValuedAttr<Event_Scope, "::etc::event::Scope::gpu">:$scope);
  let results = (outs I1:$reached);
  let assemblyFormat = [{
    $tensor `[` $indices `]` `count` `(` $count `)`
    (`guards` `(` $guarded^ `:` type($guarded) `)`)? (`scope` `(` $scope^ `)`)?
    attr-dict `:` qualified(type($tensor))
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Event_PublishOp : Event_Op<"publish", [MemoryEffects<[MemWrite]>]> {
  let summary = "Store a value together with the epoch that makes it valid";
  let description = [{
    One relaxed 64-bit store of {value, epoch}. It orders nothing but itself:
    what a reader may use after `event.receive` is the value alone.

    Constraints:
    - E5: as many indices as the tensor has dimensions; the tensor's carrier is
      `data`.

    ```mlir
    event.publish %x, %E[%i] : !event.tensor<8, data>
    ```
  }];
  let arguments = (ins I32:$value, Event_TensorType:$tensor, Variadic<Index>:$indices);
  let assemblyFormat = "$value `,` $tensor `[` $indices `]` attr-dict `:` qualified(type($tensor))";
  let hasVerifier = 1;
}

def Event_ReceiveOp : Event_Op<"receive", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Wait for a value that was published in this step";
  let description = [{
    Polls the entry until its epoch is this step's, then returns the value and
    true; or false when the kernel is being ended (see `event.wait`).

    Constraints:
    - E5: as many indices as the tensor has dimensions; the tensor's carrier is
      `data`.

    ```mlir
    %x, %ok = event.receive %E[%i] : !event.tensor<8, data>
    ```
  }];
  let arguments = (ins Event_TensorType:$tensor, Variadic<Index>:$indices);
  let results = (outs I32:$value, I1:$reached);
  let assemblyFormat = "$tensor `[` $indices `]` attr-dict `:` qualified(type($tensor))";
  let hasVerifier = 1;
}

def Event_ClearOp : Event_Op<"clear", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Clear the bank that the next step will use";
  let description = [{
    Sets every entry of the bank that this step does *not* use to zero. The
    step before was its last user and the step after is its next: with a kernel
    launch between steps both orders hold; with steps inside one launch,
    `verify-events` asks for the edges that make them hold.

    Who may clear: one task of the graph in every step.

    Constraints:
    - E7: the operand comes from a `banked` tensor.

    ```mlir
    event.clear %E : !event.tensor<?>
    ```
  }];
  let arguments = (ins Event_TensorType:$tensor);
  let assemblyFormat = "$tensor attr-dict `:` qualified(type($tensor))";
  let hasVerifier = 1;
}

#endif // ETC_DIALECTS_EVENT_EVENTOPS_TD
