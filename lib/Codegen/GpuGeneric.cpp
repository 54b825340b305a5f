//===- GpuGeneric.cpp - linalg operators on one block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuTiles.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace etc::codegen;

namespace {
/// One structured operator, and how a point of its iteration space is computed.
class Structured {
public:
  Structured(GpuBuilder &b, linalg::LinalgOp op) : b(b), op(op) {
    for (const Range &range : op.createLoopRanges(b, op.getLoc()))
      extents.push_back(
          getValueOrCreateConstantIndexOp(b, op.getLoc(), range.size));
    op.getParallelDims(parallel);
    op.getReductionDims(reduced);
  }

  /// A thread per element of the result; it walks the reduced dimensions alone.
  void perThread();
  /// A warp per element of the result; its lanes share the reduced dimensions.
  void perWarp(Operation *combiner, TypedAttr neutral);

private:
  SmallVector<Value> extentsOf(ArrayRef<unsigned> dims) const {
    SmallVector<Value> values;
    for (unsigned dim : dims)
      values.push_back(extents[dim]);
    return values;
  }
  Value volume(ArrayRef<unsigned> dims) {
    Value product = b.index(1);
    for (unsigned dim : dims)
      product = b.mul(product, extents[dim]);
    return product;
  }
  /// Sets the coordinates of `dims` to point `linear` of their space.
  void locate(ArrayRef<unsigned> dims, Value linear,
              SmallVectorImpl<Value> &point) {
    for (auto [dim, value] :
         llvm::zip(dims, delinearize(b, linear, extentsOf(dims))))
      point[dim] = value;
  }
  SmallVector<Value> element(OpOperand &operand, ValueRange point) {
    return *affine::expandAffineMap(b, b.getLoc(),
                                    op.getMatchingIndexingMap(&operand), point);
  }
  Value read(OpOperand &operand, ValueRange point) {
    if (!isa<MemRefType>(operand.get().getType()))
      return operand.get();
    return b.make<memref::LoadOp>(operand.get(), element(operand, point));
  }
  /// Clones the operator's scalar code; returns what it yields.
  SmallVector<Value> compute(ValueRange scalars, ValueRange point);

  GpuBuilder &b;
  linalg::LinalgOp op;
  SmallVector<Value> extents;
  SmallVector<unsigned> parallel, reduced;
};
} // namespace

SmallVector<Value> Structured::compute(ValueRange scalars, ValueRange point) {
  IRMapping mapping;
  mapping.map(op.getBlock()->getArguments(), scalars);
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (auto position = dyn_cast<linalg::IndexOp>(inner))
      mapping.map(position.getResult(), point[position.getDim()]);
    else
      b.clone(inner, mapping);
  }
  SmallVector<Value> results;
  for (Value value : op.getBlock()->getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

void Structured::perThread() {
  SmallVector<Value> point(extents.size());
  auto visit = [&] {
    SmallVector<Value> scalars;
    for (OpOperand &operand : op->getOpOperands())
      scalars.push_back(read(operand, point));
    SmallVector<Value> results = compute(scalars, point);
    for (auto [init, value] : llvm::zip(op.getDpsInitsMutable(), results))
      b.make<memref::StoreOp>(value, init.get(), element(init, point));
  };
  b.loop(b.thread(), volume(parallel), b.index(kConsumers), [&](Value i) {
    locate(parallel, i, point);
    if (reduced.empty())
      return visit();
    b.loop(b.index(0), volume(reduced), b.index(1), [&](Value k) {
      locate(reduced, k, point);
      visit();
    });
  });
}

void Structured::perWarp(Operation *combiner, TypedAttr neutral) {
  OpOperand &init = *op.getDpsInitsMutable().begin();
  auto combine = [&](Value x, Value y) {
    Operation *copy = b.clone(*combiner);
    copy->setOperands({x, y});
    return copy->getResult(0);
  };
  SmallVector<Value> point(extents.size());
  b.loop(b.warp(), volume(parallel), b.index(kConsumerWarps), [&](Value i) {
    locate(parallel, i, point);
    Value start = b.make<arith::ConstantOp>(neutral);
    auto step = [&](Value k, ValueRange carried) -> SmallVector<Value> {
      locate(reduced, k, point);
      SmallVector<Value> scalars;
      for (OpOperand *operand : op.getDpsInputOperands())
        scalars.push_back(read(*operand, point));
      scalars.push_back(carried.front());
      return compute(scalars, point);
    };
    Value partial =
        b.loop(b.lane(), volume(reduced), b.index(kWarpSize), start, step)
            .front();
    Value total = b.reduceLanes(partial, combine);
    b.when(b.compare(arith::CmpIPredicate::eq, b.lane(), b.index(0)), [&] {
      Value result = combine(read(init, point), total);
      b.make<memref::StoreOp>(result, init.get(), element(init, point));
    });
  });
}

/// The operation that folds a value into the only result, if the operator is
/// one f32 reduction whose lanes can each start from a neutral element.
static Operation *getLaneCombiner(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return nullptr;
  if (!op.getRegionOutputArgs().front().getType().isF32())
    return nullptr;
  SmallVector<Operation *> combiners;
  if (!matchReduction(op.getRegionOutputArgs(), 0, combiners) ||
      combiners.size() != 1 || combiners.front()->getNumOperands() != 2)
    return nullptr;
  return combiners.front();
}

LogicalResult etc::codegen::lowerStructured(GpuBuilder &b,
                                            linalg::LinalgOp op) {
  Structured code(b, op);
  if (Operation *combiner = getLaneCombiner(op)) {
    if (std::optional<TypedAttr> neutral = arith::getNeutralElement(combiner)) {
      code.perWarp(combiner, *neutral);
      return success();
    }
  }
  code.perThread();
  return success();
}
