//===- SymbolicShapes.cpp - Extents of a step in terms of its symbols
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/SymbolicShapes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace etc;

FailureOr<SymbolicShapes> SymbolicShapes::compute(func::FuncOp step) {
  SymbolicShapes result;
  result.context = step.getContext();
  for (Attribute attr : step->getAttrOfType<ArrayAttr>("task.symbols"))
    result.symbols.push_back(cast<task::SymbolAttr>(attr));
  for (unsigned i = 0; i < step.getNumArguments(); ++i)
    if (failed(result.addArgument(step, i)))
      return failure();
  for (Operation &op : step.getBody().front())
    if (failed(result.addOperation(&op)))
      return failure();
  return result;
}

AffineMap SymbolicShapes::getMap(Value tensor) const {
  return AffineMap::get(0, symbols.size(), get(tensor), context);
}

static SmallVector<int64_t> evaluateAt(AffineMap map,
                                       ArrayRef<int64_t> values) {
  SmallVector<Attribute> operands, results;
  Builder builder(map.getContext());
  for (int64_t value : values)
    operands.push_back(builder.getIndexAttr(value));
  LogicalResult folded = map.constantFold(operands, results);
  assert(succeeded(folded) && "an affine map of constants folds");
  (void)folded;
  return llvm::map_to_vector(
      results, [](Attribute attr) { return cast<IntegerAttr>(attr).getInt(); });
}

SmallVector<int64_t> SymbolicShapes::getLeast(Value tensor) const {
  return evaluateAt(getMap(tensor),
                    llvm::map_to_vector(symbols, [](task::SymbolAttr symbol) {
                      return symbol.getMin();
                    }));
}

SmallVector<int64_t> SymbolicShapes::getLargest(Value tensor) const {
  return evaluateAt(getMap(tensor),
                    llvm::map_to_vector(symbols, [](task::SymbolAttr symbol) {
                      return symbol.getMax();
                    }));
}

LogicalResult SymbolicShapes::addArgument(func::FuncOp step, unsigned number) {
  auto type = dyn_cast<RankedTensorType>(step.getArgumentTypes()[number]);
  if (!type)
    return step.emitOpError("argument ")
           << number << " of a step is a ranked tensor, got "
           << step.getArgumentTypes()[number];
  auto attr = step.getArgAttrOfType<AffineMapAttr>(number, "task.shape");
  if (!attr)
    return step.emitOpError("argument ") << number << " needs a task.shape";
  return addShape(step.getArgument(number), attr.getValue().getResults());
}

LogicalResult SymbolicShapes::addShape(Value tensor,
                                       ArrayRef<AffineExpr> shape) {
  SmallVector<AffineExpr> simplified;
  auto type = cast<RankedTensorType>(tensor.getType());
  for (auto [expr, extent] : llvm::zip(shape, type.getShape())) {
    if (!expr)
      return emitError(tensor.getLoc(), "the extents of ")
             << type << " are not affine in the symbols of the step";
    AffineExpr simple = simplifyAffineExpr(expr, 0, symbols.size());
    auto constant = dyn_cast<AffineConstantExpr>(simple);
    if (constant ? constant.getValue() != extent
                 : type.isDynamicDim(simplified.size()) == false)
      return emitError(tensor.getLoc(), "the type ")
             << type << " does not say what the symbols say of its extents";
    simplified.push_back(simple);
  }
  shapes[tensor] = std::move(simplified);
  return success();
}

LogicalResult SymbolicShapes::addOperation(Operation *op) {
  auto evaluateAll = [&](ArrayRef<OpFoldResult> extents) {
    return llvm::map_to_vector(
        extents, [&](OpFoldResult extent) { return evaluate(extent); });
  };
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return addShape(empty.getResult(), evaluateAll(empty.getMixedSizes()));
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return addShape(expand.getResult(),
                    evaluateAll(expand.getMixedOutputShape()));
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    SmallVector<AffineExpr> shape;
    for (ReassociationIndices group : collapse.getReassociationIndices()) {
      AffineExpr product = getAffineConstantExpr(1, context);
      for (int64_t dim : group) {
        AffineExpr factor = get(collapse.getSrc())[dim];
        // The product of two symbols is not affine.
        bool isAffine = product && (product.isSymbolicOrConstant() &&
                                    (isa<AffineConstantExpr>(product) ||
                                     isa<AffineConstantExpr>(factor)));
        product = isAffine ? product * factor : AffineExpr();
      }
      shape.push_back(product);
    }
    return addShape(collapse.getResult(), shape);
  }
  if (auto dps = dyn_cast<DestinationStyleOpInterface>(op))
    for (OpResult result : op->getResults()) {
      SmallVector<AffineExpr> shape(get(dps.getTiedOpOperand(result)->get()));
      if (failed(addShape(result, shape)))
        return failure();
    }
  return success();
}

AffineExpr SymbolicShapes::evaluate(OpFoldResult extent) const {
  if (std::optional<int64_t> constant = getConstantIntValue(extent))
    return getAffineConstantExpr(*constant, context);
  Operation *op = cast<Value>(extent).getDefiningOp();
  return op ? evaluateOperation(op) : AffineExpr();
}

/// Null if the value is not an affine expression of the symbols.
AffineExpr SymbolicShapes::evaluateOperation(Operation *op) const {
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    auto it = shapes.find(dim.getSource());
    return index && it != shapes.end() ? it->second[*index] : AffineExpr();
  }
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    SmallVector<AffineExpr> operands;
    for (Value operand : apply.getMapOperands())
      if (AffineExpr expr = evaluate(operand))
        operands.push_back(expr);
      else
        return {};
    AffineMap map = apply.getAffineMap();
    return map.getResult(0).replaceDimsAndSymbols(
        ArrayRef(operands).take_front(map.getNumDims()),
        ArrayRef(operands).drop_front(map.getNumDims()));
  }
  if (!isa<arith::AddIOp, arith::MulIOp, arith::DivUIOp>(op))
    return {};
  AffineExpr lhs = evaluate(op->getOperand(0));
  AffineExpr rhs = evaluate(op->getOperand(1));
  if (!lhs || !rhs)
    return {};
  if (isa<arith::AddIOp>(op))
    return lhs + rhs;
  if (isa<arith::MulIOp>(op))
    return isa<AffineConstantExpr>(lhs) || isa<AffineConstantExpr>(rhs)
               ? lhs * rhs
               : AffineExpr();
  return isa<AffineConstantExpr>(rhs) ? lhs.floorDiv(rhs) : AffineExpr();
}
