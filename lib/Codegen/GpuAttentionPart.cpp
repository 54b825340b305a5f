//===- GpuAttentionPart.cpp - Which positions a part has
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuAttention.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

static Value loadIndex(GpuBuilder &b, Value memref, ValueRange indices) {
  return b.make<arith::IndexCastOp>(b.getIndexType(),
                                    b.make<memref::LoadOp>(memref, indices));
}

static Value toBytes(GpuBuilder &b, Value memref, Value elements) {
  auto type = cast<MemRefType>(memref.getType());
  return b.mul(elements, b.index(task::getElementBytes(type)));
}

SequenceLength etc::codegen::countPositions(GpuBuilder &b, Value seq, Value pos,
                                            Value sequence) {
  Value tokens = b.make<memref::DimOp>(seq, 0);
  SmallVector<Value> mine = b.loop(
      b.lane(), tokens, b.index(kWarpSize), {b.i32(0), b.i32(0)},
      [&](Value token, ValueRange counts) -> SmallVector<Value> {
        Value isMine = b.compare(arith::CmpIPredicate::eq,
                                 loadIndex(b, seq, token), sequence);
        Value length = b.add(b.toI32(loadIndex(b, pos, token)), b.i32(1));
        length = b.make<arith::SelectOp>(isMine, length, b.i32(0));
        return {
            b.make<arith::MaxSIOp>(counts[0], length),
            b.add(counts[1], b.make<arith::ExtUIOp>(b.getI32Type(), isMine))};
      });
  Value positions = b.reduceLanes(mine[0], [&](Value x, Value y) -> Value {
    return b.make<arith::MaxSIOp>(x, y);
  });
  Value count = b.reduceLanes(
      mine[1], [&](Value x, Value y) -> Value { return b.add(x, y); });
  return {b.toIndex(positions), b.toIndex(count)};
}

std::pair<Value, Value> etc::codegen::getPartBounds(GpuBuilder &b,
                                                    Value positions, Value part,
                                                    int64_t parts) {
  int64_t step = kPartStep * parts;
  Value size = b.mul(b.make<arith::DivUIOp>(b.add(positions, b.index(step - 1)),
                                            b.index(step)),
                     b.index(kPartStep));
  Value begin = b.mul(part, size);
  return {begin, b.make<arith::MinSIOp>(positions, b.add(begin, size))};
}

Value etc::codegen::getKeyAddress(GpuBuilder &b, Value cache, Value table,
                                  Value inSequence, Value inHead, Value at) {
  int64_t pageTokens = cast<MemRefType>(cache.getType()).getDimSize(3);
  auto strides = b.make<memref::ExtractStridedMetadataOp>(cache).getStrides();
  Value number = b.make<arith::DivUIOp>(at, b.i32(pageTokens));
  Value page = loadIndex(b, table, {inSequence, b.toIndex(number)});
  Value slot = b.make<arith::RemUIOp>(at, b.i32(pageTokens));
  Value element = b.add(b.mul(page, strides[0]), b.mul(inHead, strides[1]));
  element = b.add(element, b.toIndex(b.mul(slot, b.toI32(strides[3]))));
  return b.advance(b.global(cache), toBytes(b, cache, element));
}

Value etc::codegen::getValueAddress(GpuBuilder &b, Value cache, Value key) {
  auto strides = b.make<memref::ExtractStridedMetadataOp>(cache).getStrides();
  return b.advance(key, b.toI32(toBytes(b, cache, strides[2])));
}

AttentionPart::AttentionPart(GpuBuilder &b, task::SplitAttentionOp op)
    : b(b), op(op), partial(cast<MemRefType>(op.getPartial().getType())),
      cache(cast<MemRefType>(op.getCache().getType())),
      element(cache.getElementType()), width(cache.getDimSize(4)),
      pageTokens(cache.getDimSize(3)),
      group(partial.getDimSize(1) / cache.getDimSize(1)) {}

Value AttentionPart::load(Value memref, ValueRange indices) {
  return loadIndex(b, memref, indices);
}
Value AttentionPart::addf(Value x, Value y) {
  return b.make<arith::AddFOp>(x, y);
}
Value AttentionPart::subf(Value x, Value y) {
  return b.make<arith::SubFOp>(x, y);
}
Value AttentionPart::mulf(Value x, Value y) {
  return b.make<arith::MulFOp>(x, y);
}
Value AttentionPart::maxf(Value x, Value y) {
  return b.make<arith::MaximumFOp>(x, y);
}
Value AttentionPart::minimum(Value x, Value y) {
  return b.make<arith::MinSIOp>(x, y);
}
Value AttentionPart::isLess(Value x, Value y) {
  return b.compare(arith::CmpIPredicate::slt, x, y);
}
Value AttentionPart::select(Value condition, Value x, Value y) {
  return b.make<arith::SelectOp>(condition, x, y);
}

Value AttentionPart::isOfSequence(Value token) {
  return b.compare(arith::CmpIPredicate::eq, load(op.getSeq(), token),
                   sequence);
}

void AttentionPart::emitPart() {
  sequence = b.add(op.getSequence(), inSequence);
  head = b.add(op.getHead(), inHead);
  tokens = b.make<memref::DimOp>(op.getSeq(), 0);
  SequenceLength length = countPositions(b, op.getSeq(), op.getPos(), sequence);
  ofSequence = length.tokens;
  std::tie(begin, end) = getPartBounds(
      b, length.positions, b.add(op.getPart(), inPart), op.getParts());
  emitTokens();
}

void AttentionPart::emit() {
  int64_t columns = cast<MemRefType>(op.getQkv().getType()).getDimSize(1);
  keyHeads = b.index(columns / (width * (group + 2)));
  auto forEach = [&](Value memref, int64_t dim,
                     function_ref<void(Value)> body) {
    Value extent = b.make<memref::DimOp>(memref, dim);
    b.loop(b.index(0), extent, b.index(1), body);
  };
  forEach(op.getBlockTable(), 0, [&](Value i) {
    inSequence = i;
    forEach(op.getCache(), 1, [&](Value j) {
      inHead = j;
      forEach(op.getPartial(), 2, [&](Value k) {
        inPart = k;
        emitPart();
      });
    });
  });
}
