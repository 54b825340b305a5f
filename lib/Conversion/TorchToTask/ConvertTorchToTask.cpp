//===- ConvertTorchToTask.cpp - From torch operators to operators on tensors
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "dialects/torch/TorchDialect.h"
#include "lib/Conversion/Passes.h"
#include "lib/Conversion/TorchToTask/StepPorts.h"
#include "lib/Conversion/TorchToTask/TorchOperators.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace etc {
#define GEN_PASS_DEF_CONVERTTORCHTOTASKPASS
#include "lib/Conversion/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
/// Tensors without the batch dimension; what the plumbing makes stays as it is.
struct StepTypeConverter : TypeConverter {
  StepTypeConverter() {
    addConversion([](Type type) { return type; });
    addConversion([](torch::VTensorType type) -> std::optional<Type> {
      Type element = type.getElementType();
      if (element.isUnsignedInteger())
        return Type(); // Refused; nothing would let the next callback have it.
      if (element.isSignedInteger())
        element = IntegerType::get(type.getContext(),
                                   element.getIntOrFloatBitWidth());
      return RankedTensorType::get(
          type.getShape().drop_front(hasBatchDimension(type)), element);
    });
    // The plumbing, which goes when the conversion is done, sees the old type.
    auto cast = [](OpBuilder &builder, Type type, ValueRange inputs,
                   Location loc) -> Value {
      return UnrealizedConversionCastOp::create(builder, loc, type, inputs)
          .getResult(0);
    };
    addSourceMaterialization(cast);
    addTargetMaterialization(cast);
  }
};
} // namespace

static bool isTorchType(Type type) {
  return isa<torch::TorchDialect>(type.getDialect());
}

static bool usesTorch(func::FuncOp func) {
  return llvm::any_of(func.getArgumentTypes(), isTorchType) ||
         llvm::any_of(func.getResultTypes(), isTorchType) ||
         func.walk([](Operation *op) {
               return isTorchOp(op) ? WalkResult::interrupt()
                                    : WalkResult::advance();
             })
             .wasInterrupted();
}

/// Every operator and every type is one that the conversion knows.
static LogicalResult verifyKnown(func::FuncOp step,
                                 const TypeConverter &types) {
  if (!step.getBody().hasOneBlock())
    return step.emitOpError("a step is one block of operators");
  auto verifyTypes = [&](Operation *op, TypeRange range) -> LogicalResult {
    for (Type type : range)
      if (!types.convertType(type))
        return op->emitError() << "there is no tensor for " << type;
    return success();
  };
  if (failed(verifyTypes(step, step.getArgumentTypes())))
    return failure();
  for (Operation &op : step.getBody().front()) {
    if (!isTorchOp(&op) && !isa<func::ReturnOp>(op))
      return op.emitError()
             << "'" << op.getName() << "' is not an operator of torch";
    StringRef name = getTorchName(&op);
    if (isTorchOp(&op) && !isTorchPlumbing(&op) && !isTorchOperatorKnown(name))
      return op.emitError() << "the operator '" << name
                            << "' is not supported; docs/import.md lists "
                               "those that are";
    if (failed(verifyTypes(&op, op.getResultTypes())))
      return failure();
  }
  return success();
}

/// Erases what only the converted operators read. Fails if another torch
/// operation is left: its pattern has said why.
static LogicalResult erasePlumbing(func::FuncOp step) {
  LogicalResult result = success();
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(step.getBody().front()))) {
    bool isOurs = isTorchPlumbing(&op) || isa<UnrealizedConversionCastOp>(op);
    if (isOurs && op.use_empty())
      op.erase();
    else if (isTorchOp(&op))
      result = failure();
    else if (isa<tensor::ExpandShapeOp>(op) && op.use_empty())
      op.erase(); // A batch dimension that the embedding took off again.
  }
  return result;
}

namespace {
struct ConvertTorchToTask
    : etc::impl::ConvertTorchToTaskPassBase<ConvertTorchToTask> {
  void runOnOperation() override {
    StepTypeConverter types;
    SmallVector<func::FuncOp> steps;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (usesTorch(func))
        steps.push_back(func);
    for (func::FuncOp step : steps)
      if (failed(verifyKnown(step, types)) || failed(convertStepPorts(step)))
        return signalPassFailure();

    RewritePatternSet patterns(&getContext());
    populateTorchToTaskPatterns(types, patterns);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   types);
    populateReturnOpTypeConversionPattern(patterns, types);
    ConversionTarget target(getContext());
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return llvm::none_of(op.getArgumentTypes(), isTorchType) &&
             llvm::none_of(op.getResultTypes(), isTorchType);
    });
    target.addDynamicallyLegalOp<func::ReturnOp>([](func::ReturnOp op) {
      return llvm::none_of(op.getOperandTypes(), isTorchType);
    });
    target.addLegalDialect<arith::ArithDialect, linalg::LinalgDialect,
                           math::MathDialect, task::TaskDialect,
                           tensor::TensorDialect>();
    target.addLegalOp<UnrealizedConversionCastOp>();
    // Torch operations are not illegal: a pattern that fails has emitted the
    // error, and the driver adds none.
    LogicalResult result =
        applyPartialConversion(getOperation(), target, std::move(patterns));
    for (func::FuncOp step : steps)
      if (failed(erasePlumbing(step)))
        result = failure();
    if (failed(result))
      signalPassFailure();
  }
};
} // namespace
