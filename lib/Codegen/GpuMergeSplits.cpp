//===- GpuMergeSplits.cpp - The sum of the parts of an attention
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A thread takes two elements of a head in some of the parts, its group of
// threads the whole head in those; the groups meet in shared memory.
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuAttention.h"
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

namespace {
class MergeSplits {
public:
  MergeSplits(GpuBuilder &b, task::MergeSplitsOp op)
      : b(b), op(op), partial(cast<MemRefType>(op.getPartial().getType())),
        parts(partial.getDimSize(2)), width(partial.getDimSize(3) - 2),
        pairs(width / 2),
        groups(std::min<int64_t>(kConsumers / pairs, kMaxGroups)) {}

  void mergeHead(Value token, Value head);

private:
  /// No more than a few: the last sum takes all of them at once.
  static constexpr int64_t kMaxGroups = 16;
  /// {o0, o1, m, l} of some parts: two elements, the maximum and the total.
  using Sums = SmallVector<Value>;

  Sums merge(ArrayRef<Sums> all);
  SmallVector<Sums> readParts(Value token, Value head);
  Value slot(Value group);
  Sums readSlot(Value group);
  void storeOutput(Value token, Value head, const Sums &total);

  Value addf(Value x, Value y) { return b.make<arith::AddFOp>(x, y); }
  Value mulf(Value x, Value y) { return b.make<arith::MulFOp>(x, y); }

  GpuBuilder &b;
  task::MergeSplitsOp op;
  MemRefType partial;
  int64_t parts, width, pairs, groups;
  Value pair, group, column; // of this thread
};
} // namespace

/// The sums of some parts as that of all of them.
MergeSplits::Sums MergeSplits::merge(ArrayRef<Sums> all) {
  Value maximum = all.front()[2];
  for (ArrayRef<Value> one : all.drop_front())
    maximum = b.make<arith::MaximumFOp>(maximum, one[2]);
  Value o0 = b.f32(0), o1 = b.f32(0), l = b.f32(0);
  for (ArrayRef<Value> one : all) {
    Value less = b.make<arith::SubFOp>(one[2], maximum);
    Value weight = b.make<math::ExpOp>(less);
    o0 = addf(o0, mulf(one[0], weight));
    o1 = addf(o1, mulf(one[1], weight));
    l = addf(l, mulf(one[3], weight));
  }
  return {o0, o1, maximum, l};
}

/// This thread's elements of the parts that its group has; nothing of those
/// that are not there.
SmallVector<MergeSplits::Sums> MergeSplits::readParts(Value token, Value head) {
  WordReader reader(b);
  SmallVector<Value> isPart;
  int64_t rounds = llvm::divideCeil(parts, groups);
  for (int64_t round = 0; round < rounds; ++round) {
    Value part = b.add(group, b.index(round * groups));
    isPart.push_back(
        b.compare(arith::CmpIPredicate::ult, part, b.index(parts)));
    part = b.make<arith::MinUIOp>(part, b.index(parts - 1));
    for (Value at : {column, b.index(width)})
      reader.add(op.getPartial(),
                 wordAddress(b, op.getPartial(), {token, head, part, at}), 2);
  }
  SmallVector<Value> words = reader.read();
  SmallVector<Sums> all;
  for (int64_t round = 0; round < rounds; ++round) {
    Sums one;
    for (int64_t i = 0; i < 4; ++i)
      one.push_back(
          unpackWord(b, words[4 * round + i], b.getF32Type()).front());
    for (int64_t i = 0; i < 4; ++i)
      one[i] = b.make<arith::SelectOp>(isPart[round], one[i],
                                       b.f32(i == 2 ? kNoMaximum : 0));
    all.push_back(one);
  }
  return all;
}

/// Where a group puts its sums of this thread's elements.
Value MergeSplits::slot(Value group) {
  Value at = b.add(b.mul(group, b.index(pairs)), pair);
  return b.advance(b.shared(SharedLayout::kTileScratch),
                   b.mul(b.toI32(at), b.i32(16)));
}

MergeSplits::Sums MergeSplits::readSlot(Value group) {
  Value from = slot(group);
  Sums one;
  for (int64_t i = 0; i < 4; ++i)
    one.push_back(b.load(b.getF32Type(), b.advance(from, b.i32(4 * i))));
  return one;
}

void MergeSplits::storeOutput(Value token, Value head, const Sums &total) {
  Value factor = b.reciprocal(total[3]);
  SmallVector<Value> values = {mulf(total[0], factor), mulf(total[1], factor)};
  Type element = cast<MemRefType>(op.getOutput().getType()).getElementType();
  int64_t step = getWordElements(op.getOutput());
  for (int64_t i = 0; i < 2; i += step)
    writeWord(b, packWord(b, ValueRange(values).slice(i, step), element),
              op.getOutput(), {token, head, b.add(column, b.index(i))});
}

void MergeSplits::mergeHead(Value token, Value head) {
  Value thread = b.thread();
  pair = b.make<arith::RemUIOp>(thread, b.index(pairs));
  group = b.make<arith::DivUIOp>(thread, b.index(pairs));
  column = b.mul(pair, b.index(2));
  Sums mine = merge(readParts(token, head));
  Value isGroup = b.compare(arith::CmpIPredicate::ult, group, b.index(groups));
  b.when(isGroup, [&] {
    for (auto [i, value] : llvm::enumerate(mine))
      b.store(value, b.advance(slot(group), b.i32(4 * int64_t(i))));
  });
  b.consumerBarrier();
  b.when(b.compare(arith::CmpIPredicate::ult, thread, b.index(pairs)), [&] {
    SmallVector<Sums> sums;
    for (int64_t i = 0; i < groups; ++i)
      sums.push_back(readSlot(b.index(i)));
    storeOutput(token, head, merge(sums));
  });
  b.consumerBarrier(); // The slots are free again.
}

LogicalResult etc::codegen::lowerMergeSplits(GpuBuilder &b,
                                             task::MergeSplitsOp op) {
  int64_t width = cast<MemRefType>(op.getOutput().getType()).getDimSize(2);
  if (width % 2 || width > 2 * kConsumers)
    return op.emitOpError(
               "has GPU code for heads of an even number of elements, "
               "up to 512, not of ")
           << width;
  auto extent = [&](int64_t dim) -> Value {
    return b.make<memref::DimOp>(op.getOutput(), dim);
  };
  MergeSplits merge(b, op);
  b.loop(b.index(0), extent(0), b.index(1), [&](Value token) {
    b.loop(b.index(0), extent(1), b.index(1),
           [&](Value head) { merge.mergeHead(token, head); });
  });
  return success();
}
