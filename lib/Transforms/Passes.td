//===- Passes.td - Passes on the task graph ----------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_TRANSFORMS_PASSES_TD
#define ETC_LIB_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DecomposeToTasksPass : Pass<"decompose-to-tasks", "::mlir::ModuleOp"> {
  let summary = "A step on tensors as a graph of tasks on buffers";
  let description = [{
    Requires: the tensor level of `docs/Architecture.md`: a `func.func` with
    `task.symbols` whose operators have `TaskRegionOpInterface`.

    Guarantees: the function becomes a `task.graph` of the same name. Every
    operator is one `task.launch`; its body is the operator itself on the views
    of its regions, and bodies that are equal are one `task.func`. A domain
    dimension of extent n that is cut into tiles of s becomes a grid dimension of
    extent ceildiv(n, s); one that is not cut has no grid dimension. The tile is
    the cheapest of `lib/Analysis/TileCost.h`, or what `tile` gives. A tensor is
    a `task.scratch`, or the `output` argument if it is returned; a state is
    updated in its own buffer; a destination that `linalg.fill` sets is filled
    by the body.

    Deliberately does not: copy. A state that would need a copy is an error; an
    argument that is returned as it is gets an operator that copies it. It makes
    no events (`infer-events`) and reuses no buffer (`plan-global-memory`).
  }];
  let dependentDialects = ["::etc::task::TaskDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let options = [
    Option<"workers", "workers", "int64_t", /*default=*/"8",
           "Workers that the tasks are to fill">,
    Option<"linearRows", "linear-rows", "int64_t", /*default=*/"0",
           "Rows of a weight per task of task.linear (0: choose)">,
    Option<"tokens", "tokens", "int64_t", /*default=*/"1",
           "Of the steps that linears are cut for where their rows are given">,
    Option<"keptBytes", "kept-bytes", "int64_t", /*default=*/"0",
           "Where the input of a linear has more bytes, its tasks may have twice the rows, so "
           "that fewer read it (0: never)">,
    Option<"streamedBytes", "streamed-bytes", "int64_t", /*default=*/"0",
           "What a worker has under way of weights: where a run of up to four linear tasks streams no "
           "more, they may be one (0: never)">,
    ListOption<"tile", "tile", "std::string",
               "Tiles per kind of operator, such as linear:16,generic:0x64: one size per "
               "dimension of the task domain, the last ones last; 0: not cut">,
    Option<"printTiles", "print-tiles", "bool", /*default=*/"false",
           "Remark on the grid, the tile and the bytes of every launch">
  ];
}

def InferEventsPass : Pass<"infer-events", "::etc::task::GraphOp"> {
  let summary = "Derive the event tensors that order the tasks of a graph";
  let description = [{
    Requires a graph without events, whose launches are in program order.

    For each pair of launches whose tasks touch the same elements of a buffer, one
    of them writing, it adds an event tensor over the dimensions along which both
    are tiled, with the maps and the count that follow from the two tilings:
    read after write, write after read and write after write. Nothing is
    enumerated: shapes and counts are expressions of the graph's symbols. An edge
    that the order of whole launches implies is left out.

    Guarantees that every two conflicting tasks are ordered as in the sequential
    program (`verify-events` checks it independently). Between steps the order is
    that of kernel launches. Does not fuse events: see `fuse-events`.

    `barriers` asks for one event per launch instead: all of its tasks notify it, and
    all of the next launch wait for it. That is the order of one kernel per operator,
    with the same tasks on the same workers: what the events of tasks are measured
    against.

    (* example filepath=test/lit/Transforms/infer-events.mlir *)
  }];
  let options = [
    Option<"barriers", "barriers", "bool", "false",
           "Every launch waits for all tasks of the one before it">];
  let dependentDialects = ["::etc::event::EventDialect"];
}

def ScheduleStaticPass : Pass<"schedule-static", "::mlir::ModuleOp"> {
  let summary = "Decide which worker runs which tasks of each graph, in order";
  let description = [{
    Puts one `task.schedule` per bucket behind each `task.graph`, smallest first;
    schedules that the graph had are replaced.

    A bucket is an upper bound for each symbol, written `4x2` for two symbols. A
    single bound holds for every symbol and is clipped to the symbol's range.
    Without `buckets`: the powers of two up to the largest maximum of a symbol,
    and that maximum.

    Policies: `round-robin` deals the tasks to the workers; `list` places them by
    the costs of `target`. Both honour affinities.

    Requires: each event entry is notified as often as it counts by launches
    before those that wait for it.

    Guarantees: what `verify-schedule` checks.

    Deliberately does not: change the order of the launches; that is for
    `linearize-tasks`. `docs/Scheduling.md` says why.

    (* example filepath=test/lit/Transforms/schedule-static.mlir *)
  }];
  let options = [
    Option<"workers", "workers", "int64_t", "0",
           "Number of workers; 0: as many as the target has">,
    Option<"policy", "policy", "std::string", "\"round-robin\"",
           "round-robin or list">,
    ListOption<"buckets", "buckets", "std::string", "Bounds of the symbols">,
    Option<"target", "target", "std::string", "\"\"",
           "Path of a target description (python/etc_mlir/targets)">];
}

def VerifySchedulePass : Pass<"verify-schedule", "::mlir::ModuleOp"> {
  let summary = "Check that every schedule runs every task and comes to an end";
  let description = [{
    Requires: nothing. Changes nothing.

    Guarantees, for each `task.schedule`: T11; affinities; the number of workers against what
    the target can keep resident; and progress, by running the schedule on paper
    at the bucket's bounds and at the least value of each symbol, where the tasks
    outside of the smaller grids are skipped. A deadlock is told as a chain of
    waits. `remarks` reports the bound of what was checked.

    Deliberately does not: run the schedule between those two points. What rules
    out a deadlock there is in `docs/Scheduling.md`.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"\"",
           "Path of a target description: bounds the resident workers">,
    Option<"remarks", "remarks", "bool", "false", "Report what was checked">];
}

def PrefetchWeightsPass : Pass<"prefetch-weights", "::mlir::ModuleOp"> {
  let summary = "Let the weights of a task be loaded before its events";
  let description = [{
    In the bodies of launches: a `task.linear` whose weight is a weight of the
    graph consumes a `task.stream` of it, which stands before `task.ready` with
    the views and the index arithmetic that it needs; all else stays behind.
    What is loaded early is read only for the life of the kernel, so no event can
    be missed. A body that some launches bind to a weight and others do not is
    cloned for the former. For a `task.split_attention` whose positions and pages are
    inputs of the step a `task.prefetch_part` stands there too.

    Requires: nothing; a body that has a `task.ready` keeps it.

    Guarantees: what stands before `task.ready` touches weights and inputs of the step
    alone, and hints at the cache.

    Deliberately does not: stream for a `task.linear` in a loop or a branch, as a
    stream is consumed once; stream what is not a weight.

    (* example filepath=test/lit/Transforms/prefetch-weights.mlir *)
  }];
  let options = [
    Option<"enabled", "enabled", "bool", "true", "Off: change nothing">,
    Option<"parts", "parts", "bool", "true",
           "Hint at the keys and values of attention, too">];
}

def FuseOperatorsPass : Pass<"fuse-operators", "::mlir::ModuleOp"> {
  let summary = "Fold what stands around a projection into it";
  let description = [{
    On tensors: RMS norms into the linears that read them; SiLU and the product behind a
    gate and an up projection; residuals into the linears that they are added to; norm,
    rotary, append and attention into `task.split_attention`, in as many parts as fill
    the workers, with `task.merge_splits` behind it. Rows are gathered before they are
    normed. The weights of linears that become one are a stack (`task.stack`).

    Requires: the tensor level of `docs/Architecture.md`.

    Guarantees: results that differ by roundings only, those of the values between the
    operators that became one.

    Deliberately does not: fold into a linear with a bias; stack a weight that is read
    elsewhere too. Nothing here knows a model: what has another form stays as it is.

    (* example filepath=test/lit/Transforms/fuse-operators.mlir *)
  }];
  let dependentDialects = ["::etc::task::TaskDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect"];
  let options = [Option<"workers", "workers", "int64_t", "8",
                        "Workers that the parts of an attention are to fill">];
}

def WidenResidualsPass : Pass<"widen-residuals", "::mlir::ModuleOp"> {
  let summary = "Keep what residuals are added to in f32";
  let description = [{
    On tensors: every value that a `task.linear` adds its product to, what it then is, and
    the embedding that all of it begins with, become f32. Rows that are gathered of it do
    too; who reads it norms it first, and rounds what it multiplies.

    Requires: `fuse-operators`.

    Guarantees: one stream of one element type; where something else takes part, all keeps
    its type, and a remark names the operator.

    Deliberately does not: widen anything else. A residual of f32 takes twice the memory
    of bf16, and is not what the framework computes.

    (* example filepath=test/lit/Transforms/widen-residuals.mlir *)
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def ChooseHandoffsPass : Pass<"choose-handoffs", "::mlir::ModuleOp"> {
  let summary = "Tag the scratch buffers that are handed over as data";
  let description = [{
    A scratch buffer may become `#task.tagged` (T16) if one launch writes it and the code of
    every tile that reads or writes it takes it word by word. Readers then wait for the
    words themselves; `infer-events` makes no event for it. It does where, in a step of
    `tokens` and by the numbers of `target`, its slowest reader has it no later:

        data_hop_ns + 2 reading / writers <= counter_hop_ns + writers notify_ns + reading

    `reading` is what the cache takes for a reader's bytes while all readers ask. Of words,
    twice the bytes, what all `writers` but the last have written has been read by then; a
    counter is notified by one writer after the other, and then the reading begins.

    Requires: `prefetch-weights` and `pack-weights`, for a linear takes words only where
    its weight streams; before `infer-events`. Only for GPUs.

    Guarantees: types of buffers, views and bodies agree. `remarks` prints the choice for
    each buffer, with the reason.

    Deliberately does not: tag what the host reads.

    (* example filepath=test/lit/Transforms/choose-handoffs.mlir *)
  }];
  let options = [
    Option<"enabled", "enabled", "bool", "true", "Off: change nothing">,
    Option<"tokens", "tokens", "int64_t", "1", "Of the steps that should be fast">,
    Option<"target", "target", "std::string", "\"\"", "Path of a target description">,
    Option<"remarks", "remarks", "bool", "false", "Print the choices">];
}

def PaceStreamsPass : Pass<"pace-streams", "::mlir::ModuleOp"> {
  let summary = "Have weights asked for at a steady pace";
  let description = [{
    A loader that copies whatever its ring has room for asks for much at once after each
    stage. The memory is full then, and a word, a key or the chunk that is due waits behind it;
    later in the same layer it is idle. So each stream gets a `pace`, the nanoseconds in which
    a worker asks for a MiB at most:

        share (bytes / bandwidth + hops) / (bytes / workers)

    `bytes`: of all that the graph streams; `hops`: of the longest chain of launches of which
    each reads what one before writes, by the numbers of `target`. What is asked for in `share` of
    the time that the step takes so is there in time, and yet evenly spread.

    The streams of the last launch to stream keep no pace, and count for nothing here: no
    words are waited for behind them.

    Of keys and values it counts as many positions as the block table has room for, so that no
    context is too long for the pace. A body of several graphs gets the least of their paces.

    Requires: `prefetch-weights`, `pack-weights`, before `infer-events`; after `choose-handoffs`,
    which says what a hop is. Only for GPUs. The pace is a remark.

    Deliberately does not: choose slots of time; those are the loader's (`lower-tiles-to-gpu`), by
    the chunks that it copies.

    (* example filepath=test/lit/Transforms/pace-streams.mlir *)
  }];
  let options = [
    Option<"enabled", "enabled", "bool", "true", "Off: copy what there is room for">,
    Option<"workers", "workers", "int64_t", "1", "That share the bytes">,
    Option<"share", "share", "double", "0.85", "Of the time of a step, to ask for its weights in">,
    Option<"target", "target", "std::string", "\"\"", "Path of a target description">];
}

def StageActivationsPass : Pass<"stage-activations", "::mlir::ModuleOp"> {
  let summary = "Keep the input of a linear in shared memory for all tasks of a run";
  let description = [{
    A `task.linear` of a stream whose input is the same for all tasks of its launch gets
    `first`: the first task of a worker's run copies the input, normed, into shared
    memory, each warp the part of K that it multiplies, and the others find it there.

    `run` says what each of the `workers` streams in its longest run: `lower-tiles-to-gpu`
    decides by it whether the first task multiplies what it keeps on the way.

    Requires: `prefetch-weights`.

    Guarantees: nothing else changes.

    Deliberately does not: decide how many tokens fit; that is `plan-shared-memory`'s.

    (* example filepath=test/lit/Transforms/stage-activations.mlir *)
  }];
  let options = [
    Option<"enabled", "enabled", "bool", "true", "Off: change nothing">,
    Option<"workers", "workers", "int64_t", "1", "Workers that share the tasks of a launch">
  ];
}

def FuseEventsPass : Pass<"fuse-events", "::etc::task::GraphOp"> {
  let summary = "Merge event tensors that say the same, and drop waits that others imply";
  let description = [{
    To a fixpoint, on maps:

    - predecessor-set fusion: two tensors that the same tasks notify at the same
      entries become one, waited for by the tasks of both;
    - successor-set fusion: two tensors that the same tasks wait for at the same
      entries become one, whose count is the sum of the two;
    - a wait for some tasks of a launch is dropped where the same task waits for
      all tasks of that launch.

    Keeps the order of every two conflicting tasks. Event tensors that nobody waits
    for any more are removed together with their notifies.

    (* example filepath=test/lit/Transforms/fuse-events.mlir *)
  }];
}

def NormalizeEventsPass : Pass<"normalize-events", "::etc::task::GraphOp"> {
  let summary = "Give every task at most one in-event and one out-event";
  let description = [{
    For a scheduler whose task descriptor has one field for each. A launch with
    several in-events gets one new in-event per task, notified by relay launches,
    one per original event; several out-events likewise. A relay has an empty
    body and the grid of the launch it serves. Static schedules do not need this.

    (* example filepath=test/lit/Transforms/normalize-events.mlir *)
  }];
}

def PlanGlobalMemoryPass : Pass<"plan-global-memory", "::etc::task::GraphOp"> {
  let summary = "Give every scratch buffer its offset in the scratch memory";
  let description = [{
    Requires the events of the graph. Two buffers share memory only if the events
    finish every launch that touches the one before any launch that touches the
    other begins; no events are added. Sizes are those at the symbols' maxima,
    offsets are multiples of 256 bytes, the first fit is taken in order of first
    use.

    (* example filepath=test/lit/Transforms/plan-global-memory.mlir *)
  }];
  let options = [
    Option<"reuse", "reuse", "bool", /*default=*/"true",
           "Let buffers share memory; false keeps all apart, to bisect a race.">
  ];
}

def OrderStepsPass : Pass<"order-steps", "::etc::task::GraphOp"> {
  let summary = "Order what two steps of one kernel launch both touch";
  let description = [{
    `infer-events` orders the tasks of one step. Where a kernel launch runs several,
    a task may not read what the step before has not written yet (RAW: the rows of a
    cache, the token that the step before chose), nor overwrite what it still reads or
    writes (WAR, WAW: scratch memory, by bytes). For each launch: does it touch memory
    that a launch of the next step touches, one of them writing? An output of a step
    may be the input of the next, if their element types are equal. Of the launches
    that do, those that come after all others notify one `carried` event tensor, and
    those that come before all others wait for it. Tagged memory orders its own words
    alone: readers wait for them, and writers for the readers of the step before.

    Runs after `plan-global-memory`, for it asks which buffers share bytes. A launch
    boundary orders whole steps, so a graph without the event runs one step a launch.

    Before:
    ```mlir
    task.launch @partial ... notifies(%E at ...)
    task.launch @final ... waits(%E at ...)
    ```
    After:
    ```mlir
    %S = event.create "step" shape affine_map<()[s0] -> ()>
           count affine_map<()[s0] -> (s0 ceildiv 32)> reuse(carried) : !event.tensor<>
    task.launch @partial ... waits(%S at ...) notifies(%E at ...)
    task.launch @final ... waits(%E at ...) notifies(%S at ...)
    ```
  }];
  let options = [
    Option<"enabled", "enabled", "bool", /*default=*/"true",
           "Without it, one step per launch of the kernel.">
  ];
  let dependentDialects = ["::etc::event::EventDialect"];
}

def JoinStepsPass : Pass<"join-steps", "::mlir::ModuleOp"> {
  let summary = "Join the workers once for all that steps carry";
  let description = [{
    Replaces the carried edges of all launches by one `task.join_steps`: every worker
    notifies once when it has ended a step and waits for all of them before it begins
    the next. That is more order than the edges ask for and costs less: a release and
    an acquire for each worker, not for each task. Streams of weights do not wait for
    it. Needs the schedules, which must have the same number of workers.

    Before:
    ```mlir
    %S = event.create "step" ... reuse(carried) : !event.tensor<>
    task.launch @partial ... waits(%S at ...)
    ```
    After:
    ```mlir
    task.join_steps "step" workers 8
    task.launch @partial ... waits()
    ```
  }];
}

def VerifyEventsPass : Pass<"verify-events", "::etc::task::GraphOp"> {
  let summary = "Check that the events order every two conflicting tasks";
  let description = [{
    Independent of how events were derived: enumerates the tasks and the entries
    at given values of the symbols, and checks that

    - E6: each entry that a task waits for, and each of a `monotonic` tensor of
      counters, receives exactly `count` notifications in a step;
    - E8: the events never ask a task to wait for itself, directly or not;
    - E9: of two tasks that touch the same bytes, one of them writing, the events
      order the earlier launch's before the later one's. Bytes, not names: scratch
      buffers that share memory conflict. Two tasks of one launch may share a
      `disjoint` region, which says less than the operator does (where a paged cache
      keeps a token is data).
    - E11: scratch buffers that share bytes are not in use at the same time, in
      the order of launches: else the order that events give them destroys what is
      still to be read;
    - E12: in a graph with a carried event, of two tasks in steps that follow each
      other that touch the same bytes, one of them writing, the earlier comes before
      a notification of the event, or gives it, and the later after a wait for it.

    All but E11 is a bounded check, not a proof: it holds for the symbol values it tried,
    by default the minima, the maxima and two points between, each as long as no more
    than `max-tasks` tasks then wait for others by events, and the graph has no more
    than four times as many; `report` tells which they were, and a graph that is too
    large at all of them gets a warning. A task that waits takes a bit for each task;
    conflicts are found by one sweep over the bytes, so a model whose edges are data
    (`choose-handoffs`) takes seconds as a whole. Changes nothing.
  }];
  let options = [
    ListOption<"values", "values", "int64_t",
               "Symbol values to check, every symbol clamped to its range.">,
    Option<"maxTasks", "max-tasks", "int64_t", /*default=*/"32768",
           "Skip values at which more tasks wait for others, or the graph has four times as many">,
    Option<"report", "report", "bool", /*default=*/"false",
           "A remark with what was checked.">
  ];
}

def LinearizeTasksPass : Pass<"linearize-tasks", "::mlir::ModuleOp"> {
  let summary = "Number tasks so that those that wait for one event are a range";
  let description = [{
    Puts the launches of each graph into an order in which those that notify an
    event tensor come before those that wait for it: by their depth in the graph
    of launches, then as the program has them, so that a worker finds what is
    ready (the next projection) before what waits for what it just did (the norm
    of the last one). Then permutes the dimensions of each grid so
    that the tasks of a launch that wait for the same entry are contiguous: first
    the dimensions that its wait maps use as they are, by how many waits use them,
    then those they use coarsened, then the others. Regions, event maps and the
    affinity follow; a body that uses its coordinates is cloned.

    Requires: events; no schedules yet, as those number launches and tasks.

    Guarantees: what `remarks` does not report is contiguous at the largest
    values of the symbols; with `strict`, everything, or it is an error.

    Deliberately does not: choose between two waits of a launch that use different
    dimensions; the program's order stays.

    (* example filepath=test/lit/Transforms/linearize-tasks.mlir *)
  }];
  let options = [
    Option<"byLevel", "by-level", "bool", "true",
           "Off: the program's own order where the events leave it free">,
    Option<"strict", "strict", "bool", "false",
           "A wait whose tasks stay scattered is an error">,
    Option<"remarks", "remarks", "bool", "false",
           "Report the waits whose tasks stay scattered">];
}

def PrintScheduleStatsPass : Pass<"print-schedule-stats", "::mlir::ModuleOp"> {
  let summary = "Print how large each graph and each schedule is";
  let description = [{
    For each `task.schedule`, or each `task.graph` at its symbols' maxima if it
    has none: launches, tasks, event tensors and their entries, the events that
    one per dependent pair of tasks would be, and for a schedule the runs, the
    tasks of each worker and its length by the costs of `target`.

    (* example filepath=test/lit/Transforms/print-schedule-stats.mlir *)
  }];
  let options = [
    Option<"json", "json", "bool", "false", "A JSON array instead of text">,
    Option<"output", "output", "std::string", "\"-\"",
           "Path of the output; - for the standard output">,
    Option<"target", "target", "std::string", "\"\"",
           "Path of a target description">,
    Option<"check", "check", "bool", "false",
           "Count the dependent pairs by enumeration too; slow, to test the count">];
}

def PredictSchedulePass : Pass<"predict-schedule", "::mlir::ModuleOp"> {
  let summary = "Print when each launch of a schedule begins and ends, by the cost model";
  let description = [{
    A JSON array with an object for each `task.schedule`: its graph, symbols and
    policy, the length of the step in ns, and for each launch the body, the number
    of tasks, when its first task has what it waits for, and when its last one ends.
    `benchmarks/predict.py` compares it with a timeline.

    Requires `schedule-static`.
    Guarantees: changes nothing.
    Deliberately does not: print anything of a graph without a schedule.

    (* example filepath=test/lit/Transforms/predict-schedule.mlir *)
  }];
  let options = [
    Option<"output", "output", "std::string", "\"-\"",
           "Path of the output; - for the standard output">,
    Option<"target", "target", "std::string", "\"\"",
           "Path of a target description">];
}

#endif // ETC_LIB_TRANSFORMS_PASSES_TD
