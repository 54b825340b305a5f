//===- TaskBodies.cpp - Bodies of tasks, one function per distinct body
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/TaskBodies.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

std::string etc::getOperatorName(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic)
    return op->getName().stripDialect().str();
  if (generic.getNumReductionLoops() != 0)
    return "reduce";
  // Casts say how it is rounded, not what it does.
  Operation *only = nullptr;
  for (Operation &inner : generic.getBody()->without_terminator()) {
    if (isa<CastOpInterface>(inner))
      continue;
    if (only)
      return "elementwise";
    only = &inner;
  }
  if (!only)
    return "copy";
  StringRef name = only->getName().stripDialect();
  if (!name.consume_back("f"))
    name.consume_back("i");
  return name.str();
}

TaskBodies::TaskBodies(ModuleOp module, Operation *before) : builder(before) {
  for (auto symbol : module.getOps<SymbolOpInterface>())
    names.insert(symbol.getName());
}

FailureOr<FuncOp> TaskBodies::getBody(Operation *op,
                                      const TaskAccesses &accesses) {
  FuncOp func = build(op, accesses);
  if (failed(fill(op, accesses, func))) {
    func.erase();
    return failure();
  }
  std::string kind = getOperatorName(op);
  SmallVector<FuncOp> &others = byKind[kind];
  for (FuncOp other : others)
    if (other.getFunctionType() == func.getFunctionType() &&
        OperationEquivalence::isRegionEquivalentTo(
            &other.getBody(), &func.getBody(),
            OperationEquivalence::IgnoreLocations)) {
      func.erase();
      return other;
    }
  std::string name;
  for (unsigned i = others.size(); name.empty() || names.contains(name); ++i)
    name = kind + "_" + std::to_string(i);
  names.insert(name);
  func.setSymName(name);
  others.push_back(func);
  return func;
}

/// The empty function: coordinates, views of what is read, of what is written.
FuncOp TaskBodies::build(Operation *op, const TaskAccesses &accesses) {
  SmallVector<Type> types(accesses.gridRank, builder.getIndexType());
  for (const TaskOperand &operand :
       llvm::concat<const TaskOperand>(accesses.reads, accesses.writes))
    types.push_back(operand.getViewType());
  return FuncOp::create(builder, op->getLoc(), "", // Named once it is new.
                        builder.getFunctionType(types, {}));
}

/// A copy in the body of a constant of the step, or null.
static Value cloneConstant(OpBuilder &builder, Value value) {
  Operation *constant = value.getDefiningOp();
  if (!constant || !matchPattern(constant, m_Constant()))
    return {};
  return builder.clone(*constant)->getResult(
      cast<OpResult>(value).getResultNumber());
}

LogicalResult TaskBodies::fill(Operation *op, const TaskAccesses &accesses,
                               FuncOp func) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&func.getBody().front());
  auto needsConstant = [&]() -> LogicalResult {
    return op->emitOpError(
        "needs a scalar that is no constant: make it a tensor argument");
  };

  ValueRange views = func.getArguments().drop_front(accesses.gridRank);
  for (auto [operation, view] :
       llvm::zip(accesses.fills, views.take_back(accesses.writes.size()))) {
    if (!operation)
      continue;
    Value value = cloneConstant(
        builder, cast<linalg::FillOp>(operation).getInputs().front());
    if (!value)
      return needsConstant();
    linalg::FillOp::create(builder, operation->getLoc(), value, view);
  }

  SmallVector<Value> operands;
  for (auto [number, operand] : llvm::enumerate(op->getOperands())) {
    int64_t position = accesses.positions[number];
    const auto *origin = llvm::find_if(
        accesses.origins, [&](auto &entry) { return entry.first == number; });
    if (origin != accesses.origins.end()) {
      operands.push_back(affine::expandAffineExpr(
          builder, op->getLoc(), origin->second,
          func.getArguments().take_front(accesses.gridRank), {}));
      continue;
    }
    operands.push_back(position < 0 ? cloneConstant(builder, operand)
                                    : views[position]);
    if (!operands.back())
      return needsConstant();
  }
  Operation *body = clone(builder, op, TypeRange(), operands);
  body->setDiscardableAttrs(ArrayRef<NamedAttribute>());

  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  builder.setInsertionPoint(body);
  for (Value value : captured) {
    Value constant = cloneConstant(builder, value);
    if (!constant)
      return needsConstant();
    replaceAllUsesInRegionWith(value, constant, body->getRegion(0));
  }
  builder.setInsertionPointAfter(body);
  ReturnOp::create(builder, op->getLoc());
  return success();
}
