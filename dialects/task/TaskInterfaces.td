//===- TaskInterfaces.td - Interfaces of the task dialect -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKINTERFACES_TD
#define ETC_DIALECTS_TASK_TASKINTERFACES_TD

include "mlir/IR/OpBase.td"

def TaskRegionOpInterface : OpInterface<"TaskRegionOpInterface"> {
  let cppNamespace = "::etc::task";
  let description = [{
    How an operator is cut into tasks, and which part of each operand a task
    touches: all that `decompose-to-tasks` and `infer-events` need to know of an
    operator. The code of a tile is the operator itself, applied to the views of
    its operands, so it needs no interface of its own: operators are in
    destination-passing style and mean the same on tensors and on memrefs.

    The operator's *task domain* is the space of the dimensions that may be cut.
    No two points of it write the same element.
  }];
  let methods = [
    InterfaceMethod<
      "The extents of the task domain; `ShapedType::kDynamic` where symbolic.",
      "llvm::SmallVector<int64_t>", "getTaskDomain">,
    InterfaceMethod<[{
        For each dimension of the operand, the domain dimension that indexes it
        and how many of its elements belong to one point of that dimension, or how many
        points share an element.
      }],
      "llvm::SmallVector<::etc::task::DimAccess>", "getOperandAccess",
      (ins "unsigned":$operandNumber)>,
    InterfaceMethod<[{
        The domain dimension whose first point, of the task's tile, the operand is:
        an index that is 0 for the whole operator, and what a task is told where the
        regions alone do not say which part it is.
      }],
      "std::optional<unsigned>", "getOriginDim", (ins "unsigned":$operandNumber),
      /*methodBody=*/"", /*defaultImplementation=*/"return std::nullopt;">
  ];
}

#endif // ETC_DIALECTS_TASK_TASKINTERFACES_TD
