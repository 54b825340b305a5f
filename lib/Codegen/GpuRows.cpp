//===- GpuRows.cpp - Operators on rows, on one block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuTiles.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

static SmallVector<Value> getExtents(GpuBuilder &b, Value memref) {
  SmallVector<Value> extents;
  for (int64_t dim = 0; dim < cast<MemRefType>(memref.getType()).getRank();
       ++dim)
    extents.push_back(b.make<memref::DimOp>(memref, dim));
  return extents;
}

/// The sum of a value over all consumer threads, which all get it.
static Value sumOverBlock(GpuBuilder &b, Value value) {
  auto add = [&](Value x, Value y) -> Value {
    return b.make<arith::AddFOp>(x, y);
  };
  Value sums = b.nextSums();
  Value ofWarp = b.reduceLanes(value, add);
  b.when(b.compare(arith::CmpIPredicate::eq, b.laneI32(), b.i32(0)), [&] {
    b.store(ofWarp, b.advance(sums, b.mul(b.warpI32(), b.i32(4))));
  });
  b.consumerBarrier();
  Value total = b.load(b.getF32Type(), sums);
  for (int64_t warp = 1; warp < kConsumerWarps; ++warp)
    total =
        add(total, b.load(b.getF32Type(), b.advance(sums, b.i32(4 * warp))));
  return total;
}

static void normalizeRow(GpuBuilder &b, task::RMSNormOp op, Value width,
                         ValueRange row) {
  auto at = [&](Value k) {
    SmallVector<Value> indices(row);
    indices.push_back(k);
    return indices;
  };
  Value squares = b.loop(b.thread(), width, b.index(kConsumers), b.f32(0),
                         [&](Value k, ValueRange sum) -> SmallVector<Value> {
                           Value x = b.loadReal(op.getInput(), at(k));
                           Value square = b.make<arith::MulFOp>(x, x);
                           return {b.make<arith::AddFOp>(sum.front(), square)};
                         })
                      .front();
  Value count = b.make<arith::UIToFPOp>(b.getF32Type(), b.toI32(width));
  Value mean = b.make<arith::DivFOp>(sumOverBlock(b, squares), count);
  Value inverse = b.make<math::RsqrtOp>(
      b.make<arith::AddFOp>(mean, b.f32(op.getEps().convertToDouble())));
  Type element = cast<MemRefType>(op.getInput().getType()).getElementType();
  b.loop(b.thread(), width, b.index(kConsumers), [&](Value k) {
    Value x = b.loadReal(op.getInput(), at(k));
    Value normal = b.round(b.make<arith::MulFOp>(x, inverse), element);
    Value weight = b.loadReal(op.getWeight(), k);
    b.storeReal(b.make<arith::MulFOp>(weight, b.extend(normal)), op.getOutput(),
                at(k));
  });
}

LogicalResult etc::codegen::lowerRMSNorm(GpuBuilder &b, task::RMSNormOp op) {
  SmallVector<Value> extents = getExtents(b, op.getInput());
  Value width = extents.pop_back_val();
  Value rows = b.index(1);
  for (Value extent : extents)
    rows = b.mul(rows, extent);
  b.loop(b.index(0), rows, b.index(1), [&](Value i) {
    normalizeRow(b, op, width, delinearize(b, i, extents));
  });
  return success();
}
