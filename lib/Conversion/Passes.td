//===- Passes.td - Between the levels of the compiler ------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_PASSES_TD
#define ETC_LIB_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTorchToTaskPass : Pass<"convert-torch-to-task", "::mlir::ModuleOp"> {
  let summary = "Turn an imported step of torch operators into operators on tensors";
  let description = [{
    Requires: functions with `etc.symbols` as the importer writes them
    (`docs/import.md`).

    Guarantees: nothing of torch is left. Every operator is one operation in
    destination-passing style, elementwise ones a `linalg.generic` that computes in
    f32 and rounds once; `aten.view` is a `tensor.expand_shape` or
    `collapse_shape`; the extents of destinations are `tensor.dim` of an operand.
    The unit batch dimension of the step is dropped: `[1, ?, 64]` becomes
    `tensor<?x64>`. That is [1, ?] and everything of rank 3 or 4 that starts with 1;
    the importer has no other such tensor. `si64` becomes `i64`.

    Arguments carry `task.name`, `task.role`, `task.shape` and `task.tied`; results
    carry `task.name` and, when the step updates an argument in place, `task.state`.
    `task.symbols` of the function lists the symbols in the order in which the
    arguments name them first (T, then R).

    Every operand and scalar is used or checked: an operator or a value that has no
    counterpart is an error at the operation, never ignored. The one exception is
    `padding_idx` of an embedding, which means something to training only.

    Deliberately does not: fuse, cut into tiles, or choose buffers.

    ```mlir
    %y = "torch.aten.linear"(%x, %w, %none) : (!torch.vtensor<[1,?,64],f32>, ...)
    // becomes
    %t = tensor.dim %x, %c0 : tensor<?x64xf32>
    %e = tensor.empty(%t) : tensor<?x32xf32>
    %y = task.linear ins(%x, %w : ...) outs(%e : ...) -> tensor<?x32xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect", "::etc::task::TaskDialect"];
}

def LowerToPersistentPass : Pass<"lower-to-persistent", "::mlir::ModuleOp"> {
  let summary = "Turn scheduled task graphs into the loop of one worker and its tables";
  let description = [{
    Requires: every `task.graph` has at least one `task.schedule`, its scratch has
    offsets (`plan-global-memory`) and its edges are right (`verify-events`,
    `verify-schedule`).

    Guarantees: for each graph @NAME a function per role and a `task.program @NAME`;
    no graph, launch or `task.func` remains. Launches with the same body, grid,
    regions, event maps, and shapes of buffers and events are one *kind*, so the
    text of a worker does not grow with the number of layers. A wait that fails
    ends its worker.

    The roles are
    - `worker`: a whole task, `task.ready` dropped and streams replaced by what they
      stream (a CPU thread);
    - `loader`: what stands before `task.ready`, without waits and notifies (the
      warp that fills the ring on a GPU); its bodies are @BODY.loader;
    - `consumer`: everything; a `task.stream` takes from the ring what the loader of
      the same run has put there.

    `task.mark` tells the watchdog what a worker is doing; with `trace` it can record
    the task as well.

    Deliberately does not: choose between banks or buckets (the runtime and
    `convert-task-to-llvm` do), lower the bodies, or order the clearing of banks
    within one kernel launch (one launch is one step).

    ```mlir
    task.launch @final grid(()[n] -> (n)) ... waits(%E at (i) -> (i) guards 0 : ...)
    // becomes, in the case of its kind,
    %e = task.event %w launch %launch[3 of 4] (%n) : !event.tensor<?>
    %ok = event.wait %e[%i] count(%c) : !event.tensor<?>
    scf.if %ok { func.call @final(%i, ...) }
    ```
  }];
  let options = [
    ListOption<"roles", "roles", "std::string",
      "which functions to make: worker | loader | consumer (default: worker)">,
    Option<"trace", "trace", "bool", "true", "let the kernel record its tasks">,
    Option<"marks", "marks", "bool", "true",
      "note the task a worker is at, for the watchdog to name it, as a kernel that records its tasks "
      "always does (false: to see what that costs)">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::etc::event::EventDialect"];
}

def LowerTilesToLoopsPass : Pass<"lower-tiles-to-loops"> {
  let summary = "Tile operations on memrefs as loops for the host";
  let description = [{
    Requires: the tile operations of `TaskTileOps.td` are on memrefs with contiguous
    rows; the elements that are computed with are f32, bf16 or f16.

    Guarantees: no tile operation, `task.stream` or `task.ready` remains. Each is
    scf loops with the rounding that its description gives: elements are f32 while
    they are computed with, sums are in f32 in any order, and what is rounded is
    rounded by `arith.truncf`. Contiguous work is `vector<16xf32>`, its rest
    scalar. A stream is the view itself.

    Deliberately does not: lower `linalg.generic` (`convert-linalg-to-loops`), or
    expand the conversions of bf16, which not every host has as an instruction
    (`arith-expand{include-bf16=true}`).

    ```mlir
    task.embedding ins(%ids, %table : ...) outs(%out : memref<1x64xf32>)
    // becomes
    scf.for %t = ... { %id = memref.load %ids[%t] ; scf.for %k = ... { copy one element } }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def VerifyPersistentPass : Pass<"verify-persistent", "::mlir::ModuleOp"> {
  let summary = "Check the phase that lower-to-persistent ends";
  let description = [{
    No graph, launch or task.func remains; in every worker function, an access to a
    launch row has the width of the program's rows, and in every row of its kind the
    word is a buffer slot or an event row that exists; every wait's result is used.
    Never mutates.
  }];
}

def ConvertTaskToLLVMPass : Pass<"convert-task-to-llvm"> {
  let summary = "Lower worker and event operations to loads and atomics of a CPU thread";
  let description = [{
    A `!task.worker` becomes a pointer to `EtcContext` (runtime/include/etc_runtime/abi.h),
    an `!event.tensor` a struct of its counters' address in this step's bank, the context
    and what turns a count into a target. A notify becomes an atomic add with release
    order, a wait an acquire load and, if that was too early, a call of the runtime's
    `etc_wait`, which spins, yields and gives up after the context's bound; `task.mark`
    calls `etc_mark`.

    Other operations and types stay: upstream's conversions of memref, scf, arith and func
    follow, and the casts between them cancel out in `reconcile-unrealized-casts`.

    Requires: no task.graph (`lower-to-persistent`). Keeps: task.program, which only the
    runtime reads.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect"];
}

def ConvertTaskToNVVMPass : Pass<"convert-task-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Lower worker and event operations to loads and atomics of one block";
  let description = [{
    The same types and tables as `convert-task-to-llvm`; a worker is a block. A wait:
    one consumer thread polls with ld.acquire and a bound on the clock, and a reducing
    barrier of the consumer warps tells the others. A notify: a barrier of the consumer
    warps, then one red.release. Data with its epoch: one relaxed 64-bit store or load.

    Requires: a `gpu.module` of the persistent level without tile operations
    (`lower-tiles-to-gpu`).
    Guarantees: no event operation is left, and every wait ends: when its bound is
    exceeded it fills `EtcStatus` and all workers leave.
    Deliberately does not lower loops, arithmetic and memrefs: upstream's conversions
    follow.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // ETC_LIB_CONVERSION_PASSES_TD
