//===- TaskAttrs.td - Attributes of the task dialect -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKATTRS_TD
#define ETC_DIALECTS_TASK_TASKATTRS_TD

include "dialects/task/TaskDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class Task_Attr<string name, string attrMnemonic> : AttrDef<Task_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Task_Role : I32EnumAttr<"Role", "what a buffer is to the caller of the graph", [
    I32EnumAttrCase<"input", 0>, I32EnumAttrCase<"output", 1>,
    I32EnumAttrCase<"weight", 2>, I32EnumAttrCase<"state", 3>,
    I32EnumAttrCase<"scratch", 4>]> {
  let cppNamespace = "::etc::task";
  let description = [{
    `weight`: read only for the life of the kernel, so it may be read before any
    event. `state`: read and written, kept from step to step (the KV cache).
    `scratch`: private to one step.
  }];
}

def Task_Layout : I32EnumAttr<"Layout", "how a weight lies in memory", [
    I32EnumAttrCase<"row_major", 0>, I32EnumAttrCase<"mma_fragments", 1>]> {
  let cppNamespace = "::etc::task";
  let description = [{
    `mma_fragments`: tiles of 16 rows by 16 columns in the order in which the
    lanes of a warp hold the A operand of `mma.m16n8k16`, so that a warp reads
    its operand with one 16-byte load per lane and a row tile is one contiguous
    copy. The runtime repacks once, when it loads the weights.
  }];
}

def Task_SymbolAttr : Task_Attr<"Symbol", "symbol"> {
  let summary = "a symbolic extent of a graph: its name and its range";
  let parameters = (ins StringRefParameter<>:$name, "int64_t":$min, "int64_t":$max);
  let assemblyFormat = "`<` $name `,` $min `to` $max `>`";
  let genVerifyDecl = 1;
}

def Task_RegionAttr : Task_Attr<"Region", "region"> {
  let summary = "the part of a buffer that the task at given grid coordinates touches";
  let description = [{
    One offset and one size per dimension of the buffer, in elements. Offsets are
    affine in the grid coordinates (d0, d1, ...). A size is a constant, or `*` for
    the whole dimension, whose offset is then 0. A region is clipped at the end
    of the buffer.

    `disjoint`: which elements of it a task writes is data (the rows of a sequence's
    tokens), but no two tasks of the launch write the same. Who else touches the region
    counts all of it.

    ```mlir
    // Rows i*32 .. i*32+31 and all columns.
    #task.region<(d0, d1) -> (d0 * 32, 0) sizes [32, *]>
    // Columns j*32 .. j*32+31 of some rows, others for each i.
    #task.region<(d0, d1) -> (0, d1 * 32) sizes [*, 32] disjoint>
    ```
  }];
  let parameters = (ins "mlir::AffineMap":$offsets, ArrayRefParameter<"int64_t">:$sizes,
                        DefaultValuedParameter<"bool", "false">:$isDisjoint);
  let builders = [AttrBuilder<(ins "mlir::AffineMap":$offsets, "llvm::ArrayRef<int64_t>":$sizes), [{
    return $_get($_ctxt, offsets, sizes, /*isDisjoint=*/false);
  }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The size that stands for a whole dimension.
    static constexpr int64_t kWhole = mlir::ShapedType::kDynamic;

    /// The region of everything, for a grid of `gridRank` dimensions.
    static RegionAttr getWhole(mlir::MLIRContext *context, unsigned gridRank,
                               unsigned rank);

    bool isWhole(unsigned dim) const { return getSizes()[dim] == kWhole; }

    /// The type of the view of `buffer` that a task sees: static where the
    /// region is never clipped, with the strides of the buffer.
    mlir::MemRefType getViewType(mlir::MemRefType buffer) const;
  }];
}

def Task_TaggedAttr : Task_Attr<"Tagged", "tagged"> {
  let summary = "memory whose every word carries the epoch in which it was written";
  let description = [{
    The memory space of a scratch buffer whose values are handed over as data: each
    32 bits of elements (two of 16 bits, one of 32) share a 64-bit word with the epoch
    of the step that wrote them. A reader polls the word itself: one trip, no counter,
    no fence. A word is written and read as one 64-bit scalar, because PTX orders
    nothing between the parts of a vector access.

    Constraints:
    - T16: only scratch buffers and views of them are tagged; their elements have 16 or
      32 bits, the last extent of 16-bit ones is even, and one launch writes them.

    ```mlir
    %x = task.scratch "x" shape affine_map<()[n] -> (n, 128)> : memref<?x128xbf16, #task.tagged>
    ```
  }];
}

def Task_StackAttr : Task_Attr<"Stack", "stack"> {
  let summary = "a weight that is made of several, one below the other";
  let description = [{
    `sources` are the names of matrices of equally many columns. Their rows are taken in
    turns, `rows` of each at a time; 0: all rows of the first, then all of the second.
    The runtime stacks them once, when it loads the weights.

    ```mlir
    // Eight rows of the gate, eight rows of the up projection, and so on.
    #task.stack<["mlp.gate_proj.weight", "mlp.up_proj.weight"] by 8>
    ```
  }];
  let parameters = (ins "mlir::ArrayAttr":$sources, "int64_t":$rows);
  let assemblyFormat = "`<` $sources `by` $rows `>`";
  let genVerifyDecl = 1;
}

def Task_BufferAttr : Task_Attr<"Buffer", "buffer"> {
  let summary = "a buffer of a program: what the runtime binds to a slot";
  let description = [{
    `shape` maps the program's symbols to extents. `offset` is the byte offset of
    a scratch buffer in the program's scratch memory, and 0 for the others.
  }];
  let parameters = (ins StringRefParameter<>:$name, "Role":$role, "Layout":$layout,
                        "mlir::MemRefType":$type, "mlir::AffineMap":$shape,
                        "int64_t":$offset, OptionalParameter<"StackAttr">:$stack);
  let assemblyFormat = [{
    `<` $name `,` $role `,` $layout `,` $type `,` $shape `,` `at` $offset
    (`,` `of` $stack^)? `>`
  }];
}

#endif // ETC_DIALECTS_TASK_TASKATTRS_TD
