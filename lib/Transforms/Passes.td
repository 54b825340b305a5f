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
    ListOption<"tile", "tile", "std::string",
               "Tiles per kind of operator, such as linear:16,generic:0x64: one size per "
               "dimension of the task domain, the last ones last; 0: not cut">,
    Option<"printTiles", "print-tiles", "bool", /*default=*/"false",
           "Remark on the grid, the tile and the bytes of every launch">
  ];
}

def InferEventsPass : Pass<"infer-events", "::etc::task::GraphOp"> {
  let summary = "Derive the event tensors that order the tasks of a graph";
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
    before those that wait for it. Guarantees: what `verify-schedule` checks.
    Does not change the order of the launches: that is for `linearize-tasks`.
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
    For each `task.schedule`: T11; affinities; the number of workers against what
    the target can keep resident; and progress, by running the schedule on paper
    at the bucket's bounds and at the least value of each symbol, where the tasks
    outside of the smaller grids are skipped. A deadlock is told as a chain of
    waits. `remarks` reports the bound of what was checked.

    Between those two points nothing is checked: see docs/Scheduling.md for what
    rules out a deadlock there.
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
    cloned for the former.

    Requires: nothing; a body that has a `task.ready` keeps it. Does not move a
    `task.linear` out of a loop or a branch: a stream is consumed once.
  }];
  let options = [
    Option<"enabled", "enabled", "bool", "true", "Off: change nothing">];
}

#endif // ETC_LIB_TRANSFORMS_PASSES_TD
