//===- TaskGraphOps.td - The task graph and its schedule -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKGRAPHOPS_TD
#define ETC_DIALECTS_TASK_TASKGRAPHOPS_TD

// Included by TaskOps.td.

def Task_GraphOp : Task_Op<"graph", [IsolatedFromAbove, SymbolTable, Symbol, NoTerminator,
                                     SingleBlock, NoRegionArguments]> {
  let summary = "A program as a graph of task launches";
  let description = [{
    Holds, in this order of meaning: the buffers (`task.argument`,
    `task.scratch` and their `memref.expand_shape`/`collapse_shape` views), the
    event tensors and the launches. The order of the launches is the order of the
    sequential program: `infer-events` derives from it and from the regions which
    tasks must wait for which. `symbols` names the symbolic extents; s0, s1, ...
    in the maps of the graph are these, in order.

    One execution of the graph is a *step*.

    ```mlir
    task.graph @split_sum symbols [#task.symbol<"n", 1 to 4096>] {
      %A = task.argument "A" input shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
      %B = task.scratch "B" shape affine_map<()[n] -> (n, 4)> : memref<?x4xf32>
      ...
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypedArrayAttrBase<Task_SymbolAttr, "symbols">:$symbols);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `symbols` $symbols attr-dict-with-keyword $body";
  let builders = [OpBuilder<(ins "llvm::StringRef":$name, "mlir::ArrayAttr":$symbols)>];
  let skipDefaultBuilders = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    unsigned getNumSymbols() { return getSymbols().size(); }
    SymbolAttr getSymbol(unsigned i) { return llvm::cast<SymbolAttr>(getSymbols()[i]); }
    llvm::SmallVector<LaunchOp, 0> getLaunches();
  }];
}

class Task_BufferOp<string mnemonic> : Task_Op<mnemonic, [HasParent<"GraphOp">, Pure]> {
  let results = (outs AnyMemRef:$buffer);
  let hasVerifier = 1;
}

def Task_ArgumentOp : Task_BufferOp<"argument"> {
  let summary = "A buffer that the caller provides";
  let description = [{
    `name` is how the caller binds it: the `state_dict` key of a weight.

    Constraints:
    - T1: `shape` maps the symbols of the graph to one extent per dimension, and
      agrees with the static dimensions of the type; the type has the identity
      layout.
    - T2: names are unique in the graph; the role is not `scratch`; only a
      weight has a layout other than `row_major`.
  }];
  let arguments = (ins StrAttr:$name, Task_Role:$role, AffineMapAttr:$shape,
    DefaultValuedAttr<Task_Layout, "::etc::task::Layout::row_major">:$layout,
    OptionalAttr<Task_StackAttr>:$stack);
  let assemblyFormat = [{
    $name $role `shape` $shape (`layout` `(` $layout^ `)`)? (`stack` $stack^)? attr-dict
    `:` type($buffer)
  }];
}

def Task_ScratchOp : Task_BufferOp<"scratch"> {
  let summary = "A buffer that lives within one step";
  let description = [{
    `offset` is its byte offset in the scratch memory of the program, once
    `plan-global-memory` has decided it. Two scratch buffers may overlap only
    where events order every use of the one before every use of the other.

    Constraints: T1, T2 as for `task.argument`;
    - T3: an offset is a multiple of 256 bytes.
  }];
  let arguments = (ins StrAttr:$name, AffineMapAttr:$shape, OptionalAttr<I64Attr>:$offset);
  let assemblyFormat = "$name `shape` $shape (`at` $offset^)? attr-dict `:` type($buffer)";
}

def Task_JoinStepsOp : Task_Op<"join_steps", [HasParent<"GraphOp">]> {
  let summary = "Several steps in one launch of the kernel, the workers joined between";
  let description = [{
    Each of `workers` workers notifies the event `name` when it has ended a step of the
    graph, with release order, and waits for all of them, with acquire order, before it
    begins the next. So everything of a step comes before everything of the next, but
    what may run before events (`task.ready`). `join-steps` puts it in the place of
    carried events.

    ```mlir
    task.join_steps "step" workers 132
    ```
  }];
  let arguments = (ins StrAttr:$name, ConfinedAttr<I64Attr, [IntPositive]>:$workers);
  let assemblyFormat = "$name `workers` $workers attr-dict";
}

def Task_LaunchOp : Task_Op<"launch", [HasParent<"GraphOp">, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "A grid of tasks";
  let description = [{
    One task per point of `grid`, whose map gives the extents from the symbols.
    A task runs the body with its coordinates and, for each read and then each
    written operand, the view of the operand's region. Tasks of one launch do not
    depend on each other.

    An operand in `writes` may also be read by the body (the KV cache).

    `waits`: the task waits for the entry that the map gives for its coordinates.
    `guards` names the operand (its position in reads then writes) that the wait
    protects, or `*` for all. `notifies`: when it has finished, the task notifies
    the entry that the map gives. Every task of the launch notifies exactly once.

    An edge on a `data` tensor is the body's own: it gets the entry that the map gives
    as a parameter, and receives from it or publishes to it. Such an edge orders the
    tasks, but nothing in memory beside the value.

    `affinity` maps coordinates to the worker that must run the task (modulo the
    number of workers).

    Constraints:
    - T4: the body is a `task.func` whose parameters are one index per grid
      dimension, then the view type of each region (`RegionAttr::getViewType`), then
      `!event.tensor<data>` for each wait and each notify on a `data` tensor.
    - T5: the grid is a map of the graph's symbols; one region per operand, of the
      operand's rank and in the grid's coordinates; one event map per wait and notify, from the grid to the rank of
      the event tensor.
    - T6: a guard is an operand's position; a wait on a `data` tensor guards `*`.
    - T7: weights and inputs, and views of them, are not written.
    - T18: only a written region is `disjoint`.

    ```mlir
    task.launch @final grid(()[s0] -> (s0 ceildiv 32))
      reads(%B at <(d0) -> (d0 * 32, 0) sizes [32, *]> : memref<?x4xf32>)
      writes(%C at <(d0) -> (d0 * 32) sizes [32]> : memref<?xf32>)
      waits(%E at (d0) -> (d0) guards 0 : !event.tensor<?>)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$body, AffineMapAttr:$grid,
    Variadic<AnyMemRef>:$reads, Variadic<AnyMemRef>:$writes,
    Variadic<Event_TensorType>:$waits, Variadic<Event_TensorType>:$notifies,
    TypedArrayAttrBase<Task_RegionAttr, "read regions">:$read_regions,
    TypedArrayAttrBase<Task_RegionAttr, "written regions">:$write_regions,
    AffineMapArrayAttr:$wait_maps, DenseI64ArrayAttr:$guards, AffineMapArrayAttr:$notify_maps,
    OptionalAttr<AffineMapAttr>:$affinity);
  let assemblyFormat = [{
    $body `grid` `(` custom<InlineMap>($grid) `)`
    `reads` `(` custom<AccessList>($reads, type($reads), $read_regions) `)`
    `writes` `(` custom<AccessList>($writes, type($writes), $write_regions) `)`
    `waits` `(` custom<WaitList>($waits, type($waits), $wait_maps, $guards) `)`
    `notifies` `(` custom<NotifyList>($notifies, type($notifies), $notify_maps) `)`
    (`affinity` `(` $affinity^ `)`)? attr-dict
  }];
  let builders = [
    // A launch without events: what decompose-to-tasks makes.
    OpBuilder<(ins "llvm::StringRef":$body, "mlir::AffineMap":$grid,
      "mlir::ValueRange":$reads, "llvm::ArrayRef<RegionAttr>":$readRegions,
      "mlir::ValueRange":$writes, "llvm::ArrayRef<RegionAttr>":$writeRegions)>
  ];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    unsigned getGridRank() { return getGrid().getNumResults(); }
    FuncOp getBodyFunc();
    RegionAttr getReadRegion(unsigned i) { return llvm::cast<RegionAttr>(getReadRegions()[i]); }
    RegionAttr getWriteRegion(unsigned i) { return llvm::cast<RegionAttr>(getWriteRegions()[i]); }
    mlir::AffineMap getWaitMap(unsigned i) {
      return llvm::cast<mlir::AffineMapAttr>(getWaitMaps()[i]).getValue();
    }
    mlir::AffineMap getNotifyMap(unsigned i) {
      return llvm::cast<mlir::AffineMapAttr>(getNotifyMaps()[i]).getValue();
    }
    /// Adds an in-edge; `guard` is an operand's position or -1 for all.
    void addWait(mlir::Value event, mlir::AffineMap map, int64_t guard);
    /// Adds an out-edge.
    void addNotify(mlir::Value event, mlir::AffineMap map);
    void removeWait(unsigned i);
    void removeNotify(unsigned i);
  }];
}

def Task_FuncOp : Task_Op<"func", [IsolatedFromAbove, Symbol, FunctionOpInterface,
                                   AutomaticAllocationScope]> {
  let summary = "The body of a task: the code of one tile";
  let description = [{
    Parameters: the task's grid coordinates, then the views of what it reads, then
    of what it writes, then the entries of its `data` edges. No results: a task works
    in destination-passing style.

    `task.ready` splits the body: what stands before it may run before the task's
    events, what stands after it may not. Without one, nothing may.

    Constraints:
    - T8: no results; at most one `task.ready`, in the entry block; before it only
      `task.stream`, index arithmetic and views; every `event.receive` is in the entry
      block, and entries of `data` edges are received from or published to only.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<StrAttr>:$sym_visibility,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region AnyRegion:$body);
  let builders = [OpBuilder<(ins "llvm::StringRef":$name, "mlir::FunctionType":$type)>];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    llvm::ArrayRef<mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    llvm::ArrayRef<mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    mlir::Region *getCallableRegion() { return &getBody(); }
    /// The split between early and late code, or null.
    ReadyOp getReady();
  }];
}

def Task_ReturnOp : Task_Op<"return", [Pure, HasParent<"FuncOp">, ReturnLike, Terminator]> {
  let summary = "The end of a task's body";
  let assemblyFormat = "attr-dict";
}

def Task_ReadyOp : Task_Op<"ready", [HasParent<"FuncOp">, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Here the task's events have been reached";
  let description = [{
    What stands before it must not touch anything that a task of the launch's graph
    writes in this step; of a cache, rows that older steps left. That is what lets a
    worker load the weights of its next task while it still waits (`prefetch-weights`
    moves code up here).
  }];
  let assemblyFormat = "attr-dict";
}

def Task_FirstTaskOp : Task_Op<"first_task", [HasParent<"FuncOp">, MemoryEffects<[MemRead]>]> {
  let summary = "Whether this is the first task of the worker's run";
  let description = [{
    What is the same for all tasks of a launch is done once, by the first task of each
    run. A run is consecutive on its worker, so nothing else comes between.
  }];
  let results = (outs I1:$first);
  let assemblyFormat = "attr-dict";
}

def Task_StreamOp : Task_Op<"stream", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Start to load a tile that no task writes";
  let description = [{
    On a GPU, the loader warp copies the tile into the ring of shared-memory stages
    in chunks (the write that keeps it alive without a use); on a CPU this is the
    view itself. Consumed once, by the tile operation that takes the stream in place
    of a memref. `pace`: the nanoseconds in which a worker asks for a MiB at most, however
    much room its ring has (`pace-streams`); without, as much as there is room for.

    Constraints:
    - T9: the result streams the operand's type; it has one use; `pace` is positive.

    ```mlir
    %s = task.stream %tile pace 51000 : memref<16x1024xbf16> -> !task.stream<memref<16x1024xbf16>>
    ```
  }];
  let arguments = (ins AnyMemRef:$source, OptionalAttr<I64Attr>:$pace);
  let results = (outs Task_StreamType:$stream);
  let assemblyFormat = [{
    $source (`pace` $pace^)? attr-dict `:` type($source) `->` qualified(type($stream))
  }];
  let hasVerifier = 1;
}

/// What is done early for the part of a sequence that a `task.split_attention` with the
/// same operands attends to.
class Task_PartOp<string mnemonic>
    : Task_Op<mnemonic, [MemoryEffects<[MemRead, MemWrite]>]> {
  dag part = (ins AnyMemRef:$seq, AnyMemRef:$pos, AnyMemRef:$block_table,
                  AnyMemRef:$cache, Index:$sequence, Index:$head, Index:$part,
                  I64Attr:$parts);
  let arguments = part;
}

def Task_PrefetchPartOp : Task_PartOp<"prefetch_part"> {
  let summary = "Have the keys and values of a part brought nearer";
  let description = [{
    A hint: what earlier steps left in the cache for the part that a
    `task.split_attention` with the same operands will read. On a GPU, the loader warp
    has it brought to the L2 cache; elsewhere it is nothing. It gives no values, so rows
    that the step itself writes may be among them. Where it stands before `task.ready`,
    seq, pos and block_table are inputs of the step, which no task writes.
  }];
  let assemblyFormat = [{
    $seq `,` $pos `,` $block_table `,` $cache `at` `(` $sequence `,` $head `,` $part `)`
    `of` $parts attr-dict `:` type($seq) `,` type($pos) `,` type($block_table) `,`
    type($cache)
  }];
}

def Task_StreamPartOp : Task_PartOp<"stream_part"> {
  let summary = "Start to load the keys and values that earlier steps left of a part";
  let description = [{
    What a `task.split_attention` of the same operands takes from there instead of from the
    cache, if this step has one token of the sequence. Of several tokens it is nothing:
    they see each other through the cache. On a GPU, the loader warp copies the rows into
    the ring, between the weights of the tasks before and behind; elsewhere it is nothing.
    Where it stands before `task.ready`, seq, pos and block_table are inputs of the step,
    which no task writes; the rows are of the steps before (`task.await_step`). `pace` as
    that of `task.stream`.

    Constraints:
    - T9: `pace` is positive; it streams the cache's type for one `task.split_attention` of one sequence, head
      and part, with the same operands.
  }];
  let arguments = !con(part, (ins OptionalAttr<I64Attr>:$pace));
  let results = (outs Task_StreamType:$stream);
  let assemblyFormat = [{
    $seq `,` $pos `,` $block_table `,` $cache `at` `(` $sequence `,` $head `,` $part `)`
    `of` $parts (`pace` $pace^)? attr-dict `:` type($seq) `,` type($pos) `,` type($block_table) `,`
    type($cache) `->` qualified(type($stream))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Goes, and leaves its user to read the cache.
    void drop();
  }];
}

def Task_ScheduleOp : Task_Op<"schedule", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Which worker runs which tasks of a graph, in order";
  let description = [{
    Each worker has a list of runs. A run {launch, first, stride, count} is the tasks
    first, first + stride, ... of the launch, `count` of them, by their number in
    the grid (row major, last dimension fastest). `launch` is the position of the
    launch in the graph.

    The grid is the one at `bucket`, an upper bound for each symbol: a step whose
    symbols are smaller skips the tasks that lie outside its own grid, and they
    notify nothing. The runs of worker w are those from `offsets[w]` to
    `offsets[w + 1]`.

    Constraints:
    - T10: `offsets` ascends from 0 to the number of runs; a run has four words,
      and a positive stride and count.
    - T11: each task of each launch occurs exactly once, and the launches of a
      worker's runs ascend (`verify-schedule`).
  }];
  let arguments = (ins FlatSymbolRefAttr:$graph, DenseI64ArrayAttr:$bucket,
                       StrAttr:$policy, DenseI32ArrayAttr:$offsets, DenseI32ArrayAttr:$runs);
  let assemblyFormat = [{
    $graph `bucket` $bucket `policy` $policy `offsets` $offsets `runs` $runs attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getNumWorkers() { return getOffsets().size() - 1; }
  }];
}

def Task_ProgramOp : Task_Op<"program", [Symbol, IsolatedFromAbove, NoTerminator, SingleBlock,
                                         NoRegionArguments]> {
  let summary = "The tables that a worker function reads";
  let description = [{
    What `lower-to-persistent` leaves of the graph and its schedules: data for the
    runtime, which binds the buffers, sets the symbols and starts the workers.

    - `launches`: rows of `launch_width` words: kind, then the buffer slots of the
      launch's operands, then the rows of its event tensors, padded with -1;
    - `events`: rows of {offset, bank stride, per-epoch count, entries} in words of the
      counter memory; a monotonic tensor has bank stride 0, a banked one per-epoch
      count 0, a data tensor both. `entries` is for the largest extents;
    - `schedules`: one `task.schedule` per bucket, smallest first.

    - `many_steps`: one launch of the kernel may run several steps (`task.join_steps`);
    - `traced`: the kernel can record its tasks (`task.mark`).

    `worker` names the entry point, which on a GPU exists only once the roles are one
    kernel.

    Constraints:
    - T15: `launches` has one row per name, `events` four words per name; the schedules
      are `task.schedule`s of one bound per symbol, and their launches are rows.

    ```mlir
    task.program @split_sum worker @split_sum_worker ...
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$worker,
    TypedArrayAttrBase<Task_SymbolAttr, "symbols">:$symbols,
    TypedArrayAttrBase<Task_BufferAttr, "buffers">:$buffers,
    StrArrayAttr:$launch_names, I64Attr:$launch_width, DenseI32ArrayAttr:$launches,
    StrArrayAttr:$event_names, DenseI32ArrayAttr:$events, I64Attr:$counter_words,
    I64Attr:$scratch_bytes, UnitAttr:$many_steps, UnitAttr:$traced);
  let regions = (region SizedRegion<1>:$schedules);
  let hasVerifier = 1;
  let assemblyFormat = "$sym_name `worker` $worker attr-dict-with-keyword $schedules";
}

#endif // ETC_DIALECTS_TASK_TASKGRAPHOPS_TD
