//===- GpuPipeline.cpp - From the persistent level to PTX
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/Passes.h"
#include "lib/Conversion/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

/// From a gpu.module of the persistent level to one of the LLVM dialect.
static void buildDevice(OpPassManager &pm) {
  pm.addPass(etc::createConvertTaskToNVVMPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // Views become address arithmetic before their offsets are lowered.
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertToLLVMPass());
  // Only what has no interface of its own: the functions and their returns.
  pm.addPass(createConvertGpuOpsToNVVMOps());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void etc::buildGpuPipeline(OpPassManager &pm, const GpuPipeline &options) {
  pm.addPass(createOutlineGpuKernelPass());
  PlanSharedMemoryPassOptions memory;
  memory.bytes = options.sharedBytes;
  memory.tokens = options.tokens;
  pm.addPass(createPlanSharedMemoryPass(memory));
  LowerTilesToGpuPassOptions tiles;
  tiles.prefetch = options.prefetch;
  pm.addPass(createLowerTilesToGpuPass(tiles));
  buildDevice(pm.nest<gpu::GPUModuleOp>());

  GpuNVVMAttachTargetOptions target;
  target.chip = options.chip.str();
  target.features = options.features.str();
  target.optLevel = 3;
  pm.addPass(createGpuNVVMAttachTarget(target));
  GpuModuleToBinaryPassOptions binary;
  binary.compilationTarget = "isa";
  pm.addPass(createGpuModuleToBinaryPass(binary));
}
