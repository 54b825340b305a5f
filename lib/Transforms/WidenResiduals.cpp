//===- WidenResiduals.cpp - A residual stream in f32
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

namespace etc {
#define GEN_PASS_DEF_WIDENRESIDUALSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

namespace {
/// All values that residuals are added to or come from.
class Stream {
public:
  explicit Stream(func::FuncOp step) {
    step.walk([&](LinearOp linear) {
      if (linear.getResidual() && isa<TensorType>(linear.getOutput().getType()))
        values.insert(linear.getResidual());
    });
    for (unsigned i = 0; i < values.size() && !obstacle; ++i) {
      addDefinition(values[i]);
      for (OpOperand &use : values[i].getUses())
        addUse(use);
    }
  }
  /// What can only take the element type of the weights; null if there is none.
  Operation *getObstacle() const { return obstacle; }
  void widen();

private:
  void addDefinition(Value value);
  void addUse(OpOperand &use);

  llvm::SmallSetVector<Value, 32> values;
  Operation *obstacle = nullptr;
};
} // namespace

void Stream::addDefinition(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto gather = dyn_cast_or_null<GatherRowsOp>(op))
    values.insert(gather.getInput());
  else if (auto linear = dyn_cast_or_null<LinearOp>(op);
           linear && linear.getResidual() && !linear.getBest())
    values.insert(linear.getResidual());
  else if (!isa_and_nonnull<EmbeddingOp>(op))
    obstacle = op ? op : value.getParentBlock()->getParentOp();
}

void Stream::addUse(OpOperand &use) {
  Operation *user = use.getOwner();
  auto linear = dyn_cast<LinearOp>(user);
  if (linear && use.get() == linear.getResidual())
    values.insert(linear->getResult(0));
  else if (auto gather = dyn_cast<GatherRowsOp>(user);
           gather && use.get() == gather.getInput())
    values.insert(gather->getResult(0));
  else if (!isa<tensor::DimOp>(user) && !(linear && linear.getNorm()))
    obstacle = user;
}

void Stream::widen() {
  for (Value value : values) {
    auto op = cast<DestinationStyleOpInterface>(value.getDefiningOp());
    OpBuilder b(op);
    OpOperand *init = op.getTiedOpOperand(cast<OpResult>(value));
    init->set(tensor::EmptyOp::create(
        b, op.getLoc(), tensor::getMixedSizes(b, op.getLoc(), init->get()),
        b.getF32Type()));
    value.setType(init->get().getType());
  }
}

namespace {
struct WidenResiduals : etc::impl::WidenResidualsPassBase<WidenResiduals> {
  void runOnOperation() override {
    for (auto step : getOperation().getOps<func::FuncOp>()) {
      Stream stream(step);
      if (Operation *obstacle = stream.getObstacle())
        obstacle->emitRemark("the residual stream keeps its element type, for "
                             "this has no other");
      else
        stream.widen();
    }
  }
};
} // namespace
