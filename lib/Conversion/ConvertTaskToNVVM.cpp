//===- ConvertTaskToNVVM.cpp - Lower worker and event operations of a block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Conversion/Passes.h"
#include "lib/Conversion/WorkerToLLVM.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"

namespace etc {
#define GEN_PASS_DEF_CONVERTTASKTONVVMPASS
#include "lib/Conversion/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
struct ConvertTaskToNVVM
    : etc::impl::ConvertTaskToNVVMPassBase<ConvertTaskToNVVM> {
  void runOnOperation() override {
    gpu::GPUModuleOp module = getOperation();
    createNVVMSlowPaths(module);
    WorkerTypeConverter converter;
    RewritePatternSet patterns(&getContext());
    populateEventToNVVMPatterns(converter, patterns);
    populateCallOpTypeConversionPattern(patterns, converter);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);

    ConversionTarget target(getContext());
    target.addIllegalDialect<event::EventDialect, task::TaskDialect>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp func) {
      return converter.isSignatureLegal(func.getFunctionType());
    });
    target.addDynamicallyLegalOp<func::CallOp>([&](func::CallOp call) {
      return converter.isLegal(call.getOperation());
    });
    // A loop over steps carries the worker.
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                         target);
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      return signalPassFailure();
    useGlobalAddresses(module);
  }
};
} // namespace
