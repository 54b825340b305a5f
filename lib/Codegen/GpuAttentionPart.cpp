//===- GpuAttentionPart.cpp - Which positions a part has
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuAttention.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

static Value loadIndex(GpuBuilder &b, Value memref, ValueRange indices) {
  return b.make<arith::IndexCastOp>(b.getIndexType(),
                                    b.make<memref::LoadOp>(memref, indices));
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

/// A lane for the keys of eight positions, or for their values: neighbours, on
/// one page.
void etc::codegen::lowerPrefetchPart(GpuBuilder &b, task::PrefetchPartOp op) {
  auto cache = cast<MemRefType>(op.getCache().getType());
  int64_t pageTokens = cache.getDimSize(3);
  if (pageTokens % kPartStep)
    return;
  SequenceLength length =
      countPositions(b, op.getSeq(), op.getPos(), op.getSequence());
  auto [begin, end] =
      getPartBounds(b, length.positions, op.getPart(), op.getParts());
  auto strides =
      b.make<memref::ExtractStridedMetadataOp>(op.getCache()).getStrides();
  Value bytes = b.index(task::getElementBytes(cache));
  Value size = b.mul(b.mul(strides[3], b.index(kPartStep)), bytes);
  Value first = b.add(begin, b.mul(b.make<arith::DivUIOp>(b.lane(), b.index(2)),
                                   b.index(kPartStep)));
  Value half = b.make<arith::RemUIOp>(b.lane(), b.index(2));
  b.loop(first, end, b.index(kPartStep * kWarpSize / 2), [&](Value at) {
    Value number = b.make<arith::DivUIOp>(at, b.index(pageTokens));
    Value page = loadIndex(b, op.getBlockTable(), {b.index(0), number});
    Value slot = b.make<arith::RemUIOp>(at, b.index(pageTokens));
    Value element = b.add(b.mul(page, strides[0]), b.mul(half, strides[2]));
    element = b.add(element, b.mul(slot, strides[3]));
    b.make<NVVM::CpAsyncBulkPrefetchOp>(
        b.advance(b.global(op.getCache()), b.mul(element, bytes)),
        b.toI32(size), Value());
  });
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
