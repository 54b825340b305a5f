//===- EventOps.cpp - Verifiers and folders of the event operations
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace etc::event;

#define GET_OP_CLASSES
#include "dialects/event/EventOps.cpp.inc"

/// E5: an access names one entry of a tensor with the right carrier.
static LogicalResult verifyAccess(Operation *op, EventTensorType type,
                                  OperandRange indices, Carrier carrier) {
  if (static_cast<int64_t>(indices.size()) != type.getRank())
    return op->emitOpError("E5: expects ")
           << type.getRank() << " indices for " << type << ", got "
           << indices.size();
  if (type.getCarrier() != carrier)
    return op->emitOpError("E5: expects an event tensor with carrier '")
           << stringifyCarrier(carrier) << "', got " << type;
  return success();
}

//===----------------------------------------------------------------------===//
// CreateOp
//===----------------------------------------------------------------------===//

LogicalResult CreateOp::verify() {
  EventTensorType type = getTensor().getType();
  AffineMap shape = getShape(), count = getCount();
  if (shape.getNumDims() != 0 ||
      static_cast<int64_t>(shape.getNumResults()) != type.getRank())
    return emitOpError("E1: expects a shape map of symbols with ")
           << type.getRank() << " results, one per dimension of " << type;
  bool isStatic = true;
  for (auto [expr, size] : llvm::zip(shape.getResults(), type.getShape())) {
    isStatic &= !ShapedType::isDynamic(size);
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (ShapedType::isDynamic(size) ? bool(constant)
                                    : !constant || constant.getValue() != size)
      return emitOpError("E1: dimension ")
             << (ShapedType::isDynamic(size) ? "?" : std::to_string(size))
             << " of the type does not match the shape map";
  }
  if (count.getNumDims() != 0 || count.getNumResults() != 1)
    return emitOpError("E2: expects a count map of symbols with one result");
  auto constant = dyn_cast<AffineConstantExpr>(count.getResult(0));
  if (constant && constant.getValue() <= 0)
    return emitOpError("E2: count must be positive, got ")
           << constant.getValue();
  if (getReuse() == Reuse::monotonic && (!constant || !isStatic))
    return emitOpError("E3: a monotonic event tensor needs a constant count "
                       "and a static shape; use reuse(banked)");
  if (type.getCarrier() == Carrier::data &&
      (!constant || constant.getValue() != 1))
    return emitOpError("E4: a data event tensor has count 1");
  if (getReuse() == Reuse::carried &&
      (type.getRank() != 0 || type.getCarrier() == Carrier::data))
    return emitOpError("E13: a carried event tensor counts and has no "
                       "dimensions: the next step may have other sizes");
  return success();
}

//===----------------------------------------------------------------------===//
// NotifyOp
//===----------------------------------------------------------------------===//

void NotifyOp::build(OpBuilder &builder, OperationState &state, Value tensor,
                     ValueRange indices) {
  build(builder, state, tensor, indices, /*device=*/Value(), Scope::gpu,
        /*by=*/1);
}

LogicalResult NotifyOp::verify() {
  if (getBy() <= 0)
    return emitOpError("E5: 'by' must be positive, got ") << getBy();
  if (getDevice() && getScope() != Scope::sys)
    return emitOpError("E5: an event on another device needs scope(sys)");
  return verifyAccess(*this, getTensor().getType(), getIndices(),
                      Carrier::counter);
}

//===----------------------------------------------------------------------===//
// WaitOp
//===----------------------------------------------------------------------===//

LogicalResult WaitOp::verify() {
  return verifyAccess(*this, getTensor().getType(), getIndices(),
                      Carrier::counter);
}

namespace {
/// A wait for no notification has been reached before it starts.
struct DropWaitForZero : OpRewritePattern<WaitOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WaitOp op,
                                PatternRewriter &rewriter) const override {
    if (!matchPattern(op.getCount(), m_Zero()))
      return rewriter.notifyMatchFailure(op, "count is not the constant 0");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, rewriter.getBoolAttr(true));
    return success();
  }
};
} // namespace

void WaitOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<DropWaitForZero>(context);
}

//===----------------------------------------------------------------------===//
// PublishOp, ReceiveOp, ClearOp
//===----------------------------------------------------------------------===//

LogicalResult PublishOp::verify() {
  return verifyAccess(*this, getTensor().getType(), getIndices(),
                      Carrier::data);
}

LogicalResult ReceiveOp::verify() {
  return verifyAccess(*this, getTensor().getType(), getIndices(),
                      Carrier::data);
}

LogicalResult ClearOp::verify() {
  if (auto create = getTensor().getDefiningOp<CreateOp>())
    if (create.getReuse() != Reuse::banked)
      return emitOpError("E7: only a banked event tensor is cleared");
  return success();
}
