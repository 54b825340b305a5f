//===- OutlineGpuKernel.cpp - The kernel around the worker functions
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "etc_runtime/abi.h"
#include "lib/Codegen/GpuBuilder.h"
#include "lib/Codegen/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace etc {
#define GEN_PASS_DEF_OUTLINEGPUKERNELPASS
#include "lib/Codegen/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

/// The extern array whose size the launch decides.
static void declareSharedMemory(GpuBuilder &b) {
  b.make<LLVM::GlobalOp>(LLVM::LLVMArrayType::get(b.getI8Type(), 0),
                         /*isConstant=*/false, LLVM::Linkage::External,
                         kSharedMemory, Attribute(), /*alignment=*/1024,
                         /*addrSpace=*/3);
}

/// Barriers and counts start afresh in every launch.
static void initializeSharedMemory(GpuBuilder &b, Value context) {
  Value epoch =
      b.load(b.getI32Type(),
             b.advance(context, b.i32(offsetof(EtcContext, epoch))), 4);
  b.loop(b.thread(), b.index(SharedLayout::kZeroed / 4), b.index(kBlockThreads),
         [&](Value word) {
           Value isEpoch = b.compare(arith::CmpIPredicate::eq, word,
                                     b.index(SharedLayout::kEpoch / 4));
           b.store(b.make<arith::SelectOp>(isEpoch, epoch, b.i32(0)),
                   b.advance(b.shared(0), b.mul(word, b.index(4))));
         });
  b.when(b.isThread(0), [&] {
    b.store(context, b.shared(SharedLayout::kContext));
    Value trace = b.load(
        b.getI64Type(), b.advance(context, b.i32(offsetof(EtcContext, trace))));
    Value isTraced = b.make<arith::CmpIOp>(
        arith::CmpIPredicate::ne, trace,
        b.make<arith::ConstantOp>(b.getI64IntegerAttr(0)));
    b.store(b.make<arith::ExtUIOp>(b.getI32Type(), isTraced),
            b.shared(SharedLayout::kTracing));
  });
  int64_t barriers = 2 * kConsumerWarps * SharedLayout::kMaxStages;
  b.when(b.compare(arith::CmpIPredicate::ult, b.thread(), b.index(barriers)),
         [&] {
           Value at = b.advance(b.shared(SharedLayout::kBarriers),
                                b.mul(b.thread(), b.index(8)));
           b.make<NVVM::MBarrierInitOp>(at, b.i32(1), Value());
           b.make<NVVM::FenceMbarrierInitOp>();
         });
  b.make<NVVM::Barrier0Op>();
}

namespace {
struct OutlineGpuKernel
    : etc::impl::OutlineGpuKernelPassBase<OutlineGpuKernel> {
  void runOnOperation() override {
    for (auto program :
         llvm::make_early_inc_range(getOperation().getOps<task::ProgramOp>()))
      if (failed(outline(program)))
        return signalPassFailure();
  }

  LogicalResult outline(task::ProgramOp program) {
    auto find = [&](StringRef role) {
      return getOperation().lookupSymbol<func::FuncOp>(
          (program.getSymName() + "_" + role).str());
    };
    func::FuncOp consumer = find("consumer"), loader = find("loader");
    if (!consumer || !loader)
      return program.emitOpError(
          "expects a loader and a consumer function beside "
          "it: lower-to-persistent{roles=loader,consumer}");

    GpuBuilder b(program.getLoc(), program);
    auto device =
        b.make<gpu::GPUModuleOp>((program.getSymName() + "_device").str());
    b.setInsertionPointToStart(device.getBody());
    declareSharedMemory(b);
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      function->moveBefore(device.getBody(), device.getBody()->end());
      makeInternal(function);
      // One function has one set of registers: a call would save some of them.
      function->setAttr("always_inline", b.getUnitAttr());
    }
    b.setInsertionPointToEnd(device.getBody());
    buildKernel(b, program, consumer, loader);
    return success();
  }

  void buildKernel(GpuBuilder &b, task::ProgramOp program,
                   func::FuncOp consumer, func::FuncOp loader) {
    auto kernel = b.make<gpu::GPUFuncOp>(
        program.getWorker(),
        b.getFunctionType(LLVM::LLVMPointerType::get(b.getContext()), {}));
    kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
    kernel.setKnownBlockSizeAttr(
        b.getDenseI32ArrayAttr({static_cast<int32_t>(kBlockThreads), 1, 1}));
    // One block per SM: all registers are its own.
    kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                    b.getI32IntegerAttr(1));
    b.setInsertionPointToStart(&kernel.getBody().front());
    Value context = b.make<UnrealizedConversionCastOp>(
                         TypeRange(task::WorkerType::get(b.getContext())),
                         ValueRange(kernel.getArgument(0)))
                        .getResult(0);
    b.make<task::CopyTablesOp>(
        context, static_cast<int64_t>(program.getLaunches().size()),
        static_cast<int64_t>(program.getBuffers().size()), IntegerAttr(),
        IntegerAttr());
    loader.walk([&](task::LoaderStepOp op) {
      b.make<task::LoaderStepOp>(context); // the first
      return WalkResult::interrupt();
    });
    initializeSharedMemory(b, kernel.getArgument(0));
    Value isConsumer =
        b.compare(arith::CmpIPredicate::ult, b.thread(), b.index(kConsumers));
    auto branch = b.make<scf::IfOp>(isConsumer, /*withElseRegion=*/true);
    b.make<gpu::ReturnOp>();
    b.setInsertionPointToStart(branch.thenBlock());
    b.make<func::CallOp>(consumer, context);
    b.setInsertionPointToStart(branch.elseBlock());
    b.make<func::CallOp>(loader, context);
  }
};
} // namespace
