//===- LoopBuilder.cpp - Loops over the elements of a tile
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Conversion/TilesToLoops/LoopBuilder.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace etc;

static constexpr arith::FastMathFlags kReassociate =
    arith::FastMathFlags::reassoc | arith::FastMathFlags::contract;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value LoopBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}

Value LoopBuilder::real(double value, int64_t lanes) {
  return splat(arith::ConstantOp::create(*this, getF32FloatAttr(value)), lanes);
}

Value LoopBuilder::extent(Value buffer, int64_t dim) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.isDynamicDim(dim))
    return index(type.getDimSize(dim));
  return memref::DimOp::create(*this, buffer, dim);
}

Value LoopBuilder::add(Value a, Value b) {
  return createOrFold<arith::AddIOp>(a, b);
}

Value LoopBuilder::add(Value a, int64_t b) {
  return b == 0 ? a : add(a, index(b));
}

Value LoopBuilder::roundDown(Value value, int64_t step) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return index(constant.getSExtValue() / step * step);
  Value divisor = index(step);
  return arith::MulIOp::create(
      *this, arith::DivUIOp::create(*this, value, divisor), divisor);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Whether begin and end are the same constant: a loop without iterations.
static bool isEmpty(Value begin, Value end) {
  APInt first, last;
  return matchPattern(begin, m_ConstantInt(&first)) &&
         matchPattern(end, m_ConstantInt(&last)) && first == last;
}

void LoopBuilder::loop(Value begin, Value end, int64_t step, Body body) {
  loop(begin, end, step, {}, [&](Value iv, ValueRange) {
    body(iv);
    return Values();
  });
}

LoopBuilder::Values LoopBuilder::loop(Value begin, Value end, int64_t step,
                                      ValueRange init, Reduction body) {
  if (isEmpty(begin, end))
    return Values(init);
  auto forOp = scf::ForOp::create(*this, begin, end, index(step), init);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(forOp.getBody());
  Values next = body(forOp.getInductionVar(), forOp.getRegionIterArgs());
  // Without values the loop has its terminator already.
  if (!init.empty())
    scf::YieldOp::create(*this, next);
  return Values(forOp.getResults());
}

void LoopBuilder::strips(Value end, StripBody body) {
  Value whole = roundDown(end, kLanes);
  loop(index(0), whole, kLanes, [&](Value i) { body(kLanes, i); });
  loop(whole, end, 1, [&](Value i) { body(1, i); });
}

LoopBuilder::Values LoopBuilder::sums(Value end, unsigned count,
                                      StripReduction body) {
  Value whole = roundDown(end, kLanes);
  Values lanes = loop(index(0), whole, kLanes, Values(count, real(0, kLanes)),
                      [&](Value i, ValueRange accumulators) {
                        return body(kLanes, i, accumulators);
                      });
  Values totals;
  for (Value accumulator : lanes)
    totals.push_back(sumLanes(accumulator));
  return loop(whole, end, 1, totals, [&](Value i, ValueRange accumulators) {
    return body(1, i, accumulators);
  });
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// `element`, or a vector of it if `like` is a vector.
static Type withElement(Type like, Type element) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
}

Value LoopBuilder::load(Value buffer, ValueRange indices, int64_t lanes) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  Value value;
  if (lanes == 1)
    value = memref::LoadOp::create(*this, buffer, indices);
  else
    value = vector::LoadOp::create(*this, VectorType::get({lanes}, element),
                                   buffer, indices);
  if (element.isF32())
    return value;
  return arith::ExtFOp::create(
      *this, withElement(value.getType(), getF32Type()), value);
}

void LoopBuilder::store(Value value, Value buffer, ValueRange indices) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  if (!element.isF32())
    value = arith::TruncFOp::create(
        *this, withElement(value.getType(), element), value);
  if (isa<VectorType>(value.getType()))
    vector::StoreOp::create(*this, value, buffer, indices);
  else
    memref::StoreOp::create(*this, value, buffer, indices);
}

Value LoopBuilder::round(Value value, Type element) {
  if (element.isF32())
    return value;
  Value rounded = arith::TruncFOp::create(
      *this, withElement(value.getType(), element), value);
  return arith::ExtFOp::create(*this, value.getType(), rounded);
}

Value LoopBuilder::loadIndex(Value buffer, ValueRange indices) {
  return arith::IndexCastOp::create(
      *this, getIndexType(), memref::LoadOp::create(*this, buffer, indices));
}

Value LoopBuilder::splat(Value scalar, int64_t lanes) {
  if (lanes == 1)
    return scalar;
  return vector::BroadcastOp::create(
      *this, VectorType::get({lanes}, scalar.getType()), scalar);
}

Value LoopBuilder::sumLanes(Value value) {
  if (!isa<VectorType>(value.getType()))
    return value;
  return vector::ReductionOp::create(*this, vector::CombiningKind::ADD, value,
                                     kReassociate);
}

Value LoopBuilder::multiplyAdd(Value a, Value b, Value acc) {
  Value product =
      arith::MulFOp::create(*this, a, b, arith::FastMathFlags::contract);
  return arith::AddFOp::create(*this, acc, product,
                               arith::FastMathFlags::contract);
}
