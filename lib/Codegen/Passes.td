//===- Passes.td - Passes that write the code of tiles -----*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_PASSES_TD
#define ETC_LIB_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def OutlineGpuKernelPass : Pass<"outline-gpu-kernel", "::mlir::ModuleOp"> {
  let summary = "Move the worker functions of a program into a gpu.module with a kernel";
  let description = [{
    One block of the kernel is one worker: eight *consumer* warps run the consumer
    function, one *loader* warp runs the loader function. The
    dynamic shared memory is an own external global, aligned to 1024 bytes: the
    internal array of `gpu.dynamic_shared_memory` would be placed among the static
    variables.

    Requires `lower-to-persistent{roles=loader,consumer}`: a `task.program @NAME` with
    `@NAME_loader` and `@NAME_consumer` beside it.
    Guarantees a `gpu.module @NAME_device` with a kernel of the program's worker name
    that takes the `EtcContext`. The program stays outside: it is data for the runtime.
    Deliberately does not lower anything in the functions it moves.
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect"];
}

def PlanSharedMemoryPass : Pass<"plan-shared-memory", "::mlir::ModuleOp"> {
  let summary = "Divide the shared memory of a block into ring stages and scratch";
  let description = [{
    As many stages for each consumer warp as fit, at most eight; three at least. A
    program that streams nothing has no ring. Prints the plan as a remark.

    Requires `outline-gpu-kernel`.
    Guarantees a `task.shared_memory` beside each program, which fits the target.
    Inputs that are kept get room for the longest of them that leaves a ring in steps of
    `tokens`; tiles that are no linears share what they share in the same place.
    What room is left is for copies of the tables (`task.copy_tables`), if all of both fits.
    A stage has room for the keys of eight positions where keys and values cross the ring.
    Deliberately gives every program one plan for all its tasks: stages are not
    traded between tasks.
  }];
  let options = [
    Option<"bytes", "bytes", "int64_t", "232448",
           "shared memory that one block of the target can have">,
    Option<"stageBytes", "stage-bytes", "int64_t", "4096",
           "largest chunk of one bulk copy; a multiple of 512">,
    Option<"activationBytes", "activation-bytes", "int64_t", "32768",
           "so much for inputs that are kept for a run, in steps of more tokens">,
    Option<"tokens", "tokens", "int64_t", "1",
           "of the steps whose inputs are kept whole, if that leaves a ring">
  ];
}

def LowerTilesToGpuPass : Pass<"lower-tiles-to-gpu", "::mlir::ModuleOp"> {
  let summary = "Tile operations as loops over the threads of one block";
  let description = [{
    Elementwise operators: the 256 consumer threads stride through the iteration
    space. Sums in f32: a warp per element of the result, lanes stride through the
    reduced dimensions, then shuffles. Other reductions: a thread per element.

    `task.stream`: eight lanes of the loader warp each copy the chunks of one consumer
    warp into its stages with bulk copies, all lanes together. They wait for an empty stage
    and, where the stream has a `pace`, for the next slot of time: the time in which it allows
    a chunk for each warp. Of a warp, one chunk at most begins in each.
    `task.stream_part`: the same for keys and values, eight positions a chunk; in launches
    of many steps behind a `task.await_step`. A `task.linear` of a stream: one `mma.m16n8k16` per 512 bytes of weights and
    eight tokens; K is split over the warps, whose sums meet behind one barrier per 16
    rows, or per task of up to four row tiles where tiles times tokens are 16 at most. Other linears: a warp per element of the output. `math` operations become
    instructions; what has none is an error.

    The first task of a run keeps its input before it multiplies, or on the way: where the
    run streams more than the ring has, so that the stream does not stand still, and where
    that takes fewer trips to memory. A remark says what was counted.

    `prefetch=false`: the loader copies the weights of a linear only when its consumers
    have the linear's input, and hints at keys and values. What streaming ahead is worth is
    measured against it.

    Requires bodies on memrefs in a `gpu.module` (`outline-gpu-kernel`) and the plan of
    `plan-shared-memory`; every consumer thread calls a body with the same arguments;
    what is streamed is packed (`pack-weights`).
    Guarantees that no tile operation is left, and a barrier of the consumer
    warps between two operators of one body.
    Deliberately adds no barrier at the start or the end of a body: the waits and
    the notifies around it have theirs.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
  let options = [
    Option<"prefetch", "prefetch", "bool", "true",
           "Copy weights ahead of the tasks that take them">];
}

def PackWeightsPass : Pass<"pack-weights", "::mlir::ModuleOp"> {
  let summary = "Lay streamed weights out in the order of tensor-core operands";
  let description = [{
    A weight gets `layout(mma_fragments)` if all its uses are streams that one task each
    turns into an operand: bf16, whole rows of a multiple of 16 columns, 16 rows at a
    time, for at most 16 tokens of bf16. All other streams go back to plain reads, with
    a remark that says why.

    Requires `prefetch-weights`, before `lower-to-persistent`. Only for GPUs.
    Guarantees that what is streamed is packed.
    Deliberately does not copy a weight that is needed in both layouts.
  }];
}

def StreamPartsPass : Pass<"stream-parts", "::mlir::ModuleOp"> {
  let summary = "Let keys and values cross the ring with the weights";
  let description = [{
    A `task.prefetch_part` becomes a `task.stream_part` where attention runs on the tensor
    cores and a task has one part of contiguous rows. Then a worker has what earlier steps left
    of its part when the queries come, without trips to memory of its own, one after the other.

    Requires `prefetch-weights`, before `lower-to-persistent`. Only for GPUs.
    Guarantees that what is streamed has a consumer that takes it out of the ring.
    Deliberately leaves other hints as they are.
  }];
  let options = [
    Option<"enabled", "enabled", "bool", "true", "Off: keep all hints">];
}

def ExportProgramPass : Pass<"export-program", "::mlir::ModuleOp"> {
  let summary = "Write the tables of a program, and its PTX if there is one, as JSON";
  let description = [{
    What the runtime needs to launch the program: the text of `etc_mlir.package`.
    Extents are expressions over the symbols: a number, {"symbol": i} or
    {"op": "add" | "mul" | "mod" | "floordiv" | "ceildiv", "args": [a, b]}.

    Requires one `task.program`; where a `gpu.binary` is, it holds PTX
    (`gpu-module-to-binary{format=isa}`).
    Never changes the module.
  }];
  let options = [Option<"output", "output", "std::string", "\"-\"", "file to write, - for stdout">];
}

#endif // ETC_LIB_CODEGEN_PASSES_TD
