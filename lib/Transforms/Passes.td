//===- Passes.td - Passes on the task graph ----------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_TRANSFORMS_PASSES_TD
#define ETC_LIB_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def InferEventsPass : Pass<"infer-events", "::etc::task::GraphOp"> {
  let summary = "Derive the event tensors that order the tasks of a graph";
  let dependentDialects = ["::etc::event::EventDialect"];
}

#endif // ETC_LIB_TRANSFORMS_PASSES_TD
