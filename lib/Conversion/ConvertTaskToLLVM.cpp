//===- ConvertTaskToLLVM.cpp - Lower worker and event operations
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Conversion/Passes.h"
#include "lib/Conversion/WorkerToLLVM.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"

namespace etc {
#define GEN_PASS_DEF_CONVERTTASKTOLLVMPASS
#include "lib/Conversion/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
struct ConvertTaskToLLVM
    : etc::impl::ConvertTaskToLLVMPassBase<ConvertTaskToLLVM> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    WorkerTypeConverter converter;
    RewritePatternSet patterns(context);
    populateEventToCpuPatterns(converter, patterns);
    populateCallOpTypeConversionPattern(patterns, converter);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);

    ConversionTarget conversionTarget(*context);
    conversionTarget.addIllegalDialect<event::EventDialect>();
    conversionTarget.addIllegalOp<
        task::SymbolValueOp, task::RunsOp, task::RunOp, task::OperandOp,
        task::EventOp, task::MarkOp, task::ClearBanksOp, task::StepsLeftOp,
        task::NextStepOp, task::EnterStepOp, task::JoinOp>();
    conversionTarget.addDynamicallyLegalOp<func::FuncOp>(
        [&](func::FuncOp func) {
          return converter.isSignatureLegal(func.getFunctionType());
        });
    conversionTarget.addDynamicallyLegalOp<func::CallOp>(
        [&](func::CallOp call) {
          return converter.isLegal(call.getOperation());
        });
    // A loop over steps carries the worker.
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                         conversionTarget);
    conversionTarget.markUnknownOpDynamicallyLegal(
        [](Operation *) { return true; });
    if (failed(applyPartialConversion(getOperation(), conversionTarget,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
