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

#endif // ETC_LIB_TRANSFORMS_PASSES_TD
