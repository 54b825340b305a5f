//===- GpuAttention.cpp - Attention of the parts of a sequence, and their sum
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A lane holds D/32 neighbouring elements of every head, so halves that rotary
// pairs lie 16 lanes apart. Warps take turns at a few positions; their sums meet
// in shared memory.
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
class SplitAttention : public AttentionPart {
public:
  SplitAttention(GpuBuilder &b, task::SplitAttentionOp op)
      : AttentionPart(b, op), lanes(width / kWarpSize),
        positions(group * lanes > 8 ? 2 : 4) {}

  LogicalResult check();

private:
  void emitTokens() override;
  void append(Value token);
  void attend(Value token);
  Values loadRows(Value first, Value limit);
  Values attendTo(Value first, Value limit, ArrayRef<Values> queries,
                  ValueRange state, ValueRange rows);
  void combine(Value token, ValueRange state);

  Value column(Value head) {
    return b.add(b.mul(head, b.index(width)), laneColumn());
  }
  Value laneColumn() { return b.mul(b.lane(), b.index(lanes)); }
  int64_t laneWords() { return std::max<int64_t>(1, lanes / wordElements()); }
  int64_t wordElements() { return 32 / element.getIntOrFloatBitWidth(); }
  void addRow(WordReader &reader, Value memref, ValueRange indices) {
    reader.add(memref, wordAddress(b, memref, indices), laneWords());
  }
  Values laneElements(ArrayRef<Value> words);
  Values rotate(Values x, ValueRange norm, ValueRange cos, ValueRange sin);
  Value loadCacheRow(Value address);
  Values cacheElements(Value row);
  Value cacheAddress(Value page, int64_t half, Value slot);
  Value warpSlot(Value warp, int64_t head);

  Value exp(Value x) { return b.make<math::ExpOp>(x); }

  int64_t lanes;
  /// That a warp takes at a time: neighbours, on one page. More spill registers.
  int64_t positions;
};
} // namespace

//===----------------------------------------------------------------------===//
// Rows of heads
//===----------------------------------------------------------------------===//

/// This lane's elements of a row whose words it has read.
SmallVector<Value> SplitAttention::laneElements(ArrayRef<Value> words) {
  Values values;
  for (Value word : words)
    llvm::append_range(values, unpackWord(b, word, element));
  if (static_cast<int64_t>(values.size()) == lanes)
    return values;
  // Two lanes share a word.
  Value isOdd = b.make<arith::TruncIOp>(b.getI1Type(), b.laneI32());
  return {b.make<arith::SelectOp>(isOdd, values[1], values[0])};
}

/// x normed, where there is a norm, and rotated.
SmallVector<Value> SplitAttention::rotate(Values x, ValueRange norm,
                                          ValueRange cos, ValueRange sin) {
  if (!norm.empty()) {
    Value squares = b.f32(0);
    for (Value value : x)
      squares = addf(squares, mulf(value, value));
    squares = b.reduceLanes(
        squares, [&](Value p, Value q) -> Value { return addf(p, q); });
    Value mean = mulf(squares, b.f32(1.0 / width));
    Value factor = b.make<math::RsqrtOp>(
        addf(mean, b.f32(op.getEpsAttr().getValueAsDouble())));
    for (auto [value, weight] : llvm::zip(x, norm))
      value = mulf(mulf(value, factor), weight);
  }
  Value isFirstHalf = b.compare(arith::CmpIPredicate::ult, b.laneI32(),
                                b.i32(kWarpSize / 2));
  Values rotated;
  for (auto [i, value] : llvm::enumerate(x)) {
    Value other = b.shuffle(value, kWarpSize / 2);
    Value turned = b.make<arith::SelectOp>(
        isFirstHalf, b.make<arith::NegFOp>(other).getResult(), other);
    rotated.push_back(addf(mulf(value, cos[i]), mulf(turned, sin[i])));
  }
  return rotated;
}

/// The address of this lane's elements of a cached key (`half` 0) or value (1).
Value SplitAttention::cacheAddress(Value page, int64_t half, Value slot) {
  auto metadata = b.make<memref::ExtractStridedMetadataOp>(op.getCache());
  Values indices = {page, inHead, b.index(half), slot, laneColumn()};
  Value at = b.index(0);
  for (auto [index, stride] : llvm::zip(indices, metadata.getStrides()))
    at = b.add(at, b.mul(index, stride));
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  return b.advance(b.global(op.getCache()), b.mul(at, b.index(bytes)));
}

Value SplitAttention::loadCacheRow(Value address) {
  int64_t bytes = lanes * element.getIntOrFloatBitWidth() / 8;
  if (lanes == 1)
    return b.load(element, address);
  return b.load(VectorType::get(lanes, element), address,
                llvm::isPowerOf2_64(bytes) && bytes <= 16 ? bytes : 2);
}

SmallVector<Value> SplitAttention::cacheElements(Value row) {
  if (lanes == 1)
    return {b.extend(row)};
  Values values;
  for (int64_t i = 0; i < lanes; ++i)
    values.push_back(b.extend(b.make<LLVM::ExtractElementOp>(row, b.i32(i))));
  return values;
}

//===----------------------------------------------------------------------===//
// One part
//===----------------------------------------------------------------------===//

/// Stores the key and the value of a token of this step in the cache; one warp.
void SplitAttention::append(Value token) {
  Value at = position(token);
  Value inRange = b.make<arith::AndIOp>(
      b.compare(arith::CmpIPredicate::sge, at, begin), isLess(at, end));
  b.when(b.make<arith::AndIOp>(isOfSequence(token), inRange), [&] {
    Value heads = b.mul(keyHeads, b.index(group));
    Value key = b.add(heads, head), value = b.add(key, keyHeads);
    WordReader reader(b);
    addRow(reader, op.getQkv(), {token, column(key)});
    addRow(reader, op.getQkv(), {token, column(value)});
    addRow(reader, op.getCos(), {token, laneColumn()});
    addRow(reader, op.getSin(), {token, laneColumn()});
    if (op.getKNorm())
      addRow(reader, op.getKNorm(), laneColumn());
    // All that is known before the words come.
    Value page = load(op.getBlockTable(),
                      {inSequence,
                       b.make<arith::DivUIOp>(at, b.index(pageTokens))});
    Values words = reader.read();
    auto row = [&](int64_t i) {
      return laneElements(ArrayRef(words).slice(i * laneWords(), laneWords()));
    };
    Values norm = op.getKNorm() ? row(4) : Values();
    Values k = rotate(row(0), norm, row(2), row(3)), v = row(1);
    Value slot = b.make<arith::RemUIOp>(at, b.index(pageTokens));
    int64_t bytes = element.getIntOrFloatBitWidth() / 8;
    for (int64_t half = 0; half < 2; ++half) {
      Value address = cacheAddress(page, half, slot);
      for (auto [i, x] : llvm::enumerate(half ? v : k))
        b.store(b.round(x, element),
                b.advance(address, b.i32(int64_t(i) * bytes)), bytes);
    }
  });
}

/// This lane's elements of the keys, then the values, of a few positions from
/// `first` on. A position from `limit` on is the last below it again.
SmallVector<Value> SplitAttention::loadRows(Value first, Value limit) {
  Value last = b.make<arith::MaxSIOp>(
      b.make<arith::SubIOp>(limit, b.index(1)), b.index(0));
  // On one page, but for those that are beyond the last.
  Value start = minimum(first, last);
  Value page = load(op.getBlockTable(),
                    {inSequence,
                     b.make<arith::DivUIOp>(start, b.index(pageTokens))});
  Value firstSlot = b.make<arith::RemUIOp>(start, b.index(pageTokens));
  Values rows;
  for (int64_t half = 0; half < 2; ++half)
    for (int64_t i = 0; i < positions; ++i) {
      Value at = minimum(b.add(start, b.index(i)), last);
      Value slot = b.add(firstSlot, b.make<arith::SubIOp>(at, start));
      rows.push_back(loadCacheRow(cacheAddress(page, half, slot)));
    }
  return rows;
}

/// A few positions from `first` on, those below `limit`, whose keys and values
/// are `rows`; the state: for each head maximum, total, elements.
SmallVector<Value> SplitAttention::attendTo(Value first, Value limit,
                                            ArrayRef<Values> queries,
                                            ValueRange state, ValueRange rows) {
  SmallVector<Values> keys, values;
  Values valid;
  for (int64_t i = 0; i < positions; ++i) {
    valid.push_back(isLess(b.add(first, b.index(i)), limit));
    keys.push_back(cacheElements(rows[i]));
    values.push_back(cacheElements(rows[positions + i]));
  }
  Values next;
  for (int64_t h = 0; h < group; ++h) {
    ValueRange old = state.slice(h * (2 + lanes), 2 + lanes);
    Values scores;
    Value maximum = old[0];
    for (int64_t i = 0; i < positions; ++i) {
      Value part = mulf(queries[h][0], keys[i][0]);
      for (int64_t e = 1; e < lanes; ++e)
        part = b.make<math::FmaOp>(queries[h][e], keys[i][e], part);
      Value score = b.reduceLanes(
          part, [&](Value x, Value y) -> Value { return addf(x, y); });
      scores.push_back(
          b.make<arith::SelectOp>(valid[i], score, b.f32(kNoMaximum)));
      maximum = maxf(maximum, scores.back());
    }
    Value scale = exp(subf(old[0], maximum));
    Value total = mulf(old[1], scale);
    Values sums;
    for (int64_t e = 0; e < lanes; ++e)
      sums.push_back(mulf(old[2 + e], scale));
    for (int64_t i = 0; i < positions; ++i) {
      Value weight = b.make<arith::SelectOp>(
          valid[i], exp(subf(scores[i], maximum)), b.f32(0));
      total = addf(total, weight);
      for (int64_t e = 0; e < lanes; ++e)
        sums[e] = b.make<math::FmaOp>(weight, values[i][e], sums[e]);
    }
    next.push_back(maximum);
    next.push_back(total);
    llvm::append_range(next, sums);
  }
  return next;
}

/// Where a warp puts the sums of one of its heads: f32 [warp][head][D + 2].
Value SplitAttention::warpSlot(Value warp, int64_t head) {
  Value at = b.add(b.mul(warp, b.i32(group)), b.i32(head));
  return b.advance(b.shared(SharedLayout::kTileScratch),
                   b.mul(at, b.i32(4 * (width + 2))));
}

/// The sums of all warps, as the part's.
void SplitAttention::combine(Value token, ValueRange state) {
  for (int64_t h = 0; h < group; ++h) {
    ValueRange mine = state.slice(h * (2 + lanes), 2 + lanes);
    Value slot = warpSlot(b.warpI32(), h);
    for (int64_t e = 0; e < lanes; ++e)
      b.store(mine[2 + e],
              b.advance(slot, b.mul(b.add(b.toI32(laneColumn()), b.i32(e)),
                                    b.i32(4))));
    b.when(b.compare(arith::CmpIPredicate::eq, b.laneI32(), b.i32(0)), [&] {
      b.store(mine[0], b.advance(slot, b.i32(4 * width)));
      b.store(mine[1], b.advance(slot, b.i32(4 * (width + 1))));
    });
  }
  b.consumerBarrier();
  int64_t stride = 4 * group * (width + 2);
  Type f32 = b.getF32Type();
  b.loop(b.thread(), b.index(group * (width + 1)), b.index(kConsumers),
         [&](Value i) {
           // Column `width` gives the total; the maximum goes beside it.
           Value h = b.make<arith::DivUIOp>(i, b.index(width + 1));
           Value d = b.make<arith::RemUIOp>(i, b.index(width + 1));
           Value isTotal =
               b.compare(arith::CmpIPredicate::eq, d, b.index(width));
           Value from = b.make<arith::SelectOp>(isTotal, b.index(width + 1), d);
           Value row = b.advance(b.shared(SharedLayout::kTileScratch),
                                 b.mul(b.toI32(h), b.i32(4 * (width + 2))));
           Values maxima, parts;
           Value maximum = b.f32(kNoMaximum);
           for (int64_t warp = 0; warp < kConsumerWarps; ++warp) {
             Value of = b.advance(row, b.i32(warp * stride));
             maxima.push_back(b.load(f32, b.advance(of, b.i32(4 * width))));
             parts.push_back(b.load(
                 f32, b.advance(of, b.mul(b.toI32(from), b.i32(4)))));
             maximum = maxf(maximum, maxima.back());
           }
           Value sum = b.f32(0);
           for (auto [m, part] : llvm::zip(maxima, parts))
             sum = addf(sum, mulf(exp(subf(m, maximum)), part));
           Value query = b.add(b.mul(inHead, b.index(group)), h);
           auto write = [&](Value value, Value at) {
             writeWord(b, packWord(b, value, f32), op.getPartial(),
                       {token, query, inPart, at});
           };
           write(sum, from);
           b.when(isTotal, [&] { write(maximum, b.index(width)); });
         });
}

/// The attention of one token of the sequence to this part; all warps.
void SplitAttention::attend(Value token) {
  Value limit = minimum(end, b.add(position(token), b.index(1)));
  WordReader reader(b);
  addRow(reader, op.getCos(), {token, laneColumn()});
  addRow(reader, op.getSin(), {token, laneColumn()});
  for (int64_t h = 0; h < group; ++h)
    addRow(reader, op.getQkv(),
           {token, column(b.add(b.mul(head, b.index(group)), b.index(h)))});
  if (op.getQNorm())
    addRow(reader, op.getQNorm(), laneColumn());
  Value first = b.add(begin, b.mul(b.warp(), b.index(positions)));
  // Keys and values are on their way while the queries are late.
  Values rows = loadRows(first, limit);
  Values words = reader.read();
  auto row = [&](int64_t i) {
    return laneElements(ArrayRef(words).slice(i * laneWords(), laneWords()));
  };
  SmallVector<Values> queries;
  Value scale = b.f32(op.getScale().convertToDouble());
  Values norm = op.getQNorm() ? row(2 + group) : Values();
  for (int64_t h = 0; h < group; ++h) {
    queries.push_back(rotate(row(2 + h), norm, row(0), row(1)));
    for (Value &value : queries.back())
      value = mulf(value, scale);
  }
  Values state;
  for (int64_t h = 0; h < group; ++h) {
    state.push_back(b.f32(kNoMaximum));
    state.append(1 + lanes, b.f32(0));
  }
  state.append(rows);
  Value step = b.index(positions * kConsumerWarps);
  state = b.loop(first, limit, step, state, [&](Value at, ValueRange carried) {
    Values next = loadRows(b.add(at, step), limit);
    Values sums = attendTo(at, limit, queries, carried.drop_back(next.size()),
                           carried.take_back(next.size()));
    sums.append(next);
    return sums;
  });
  combine(token, state);
  b.consumerBarrier();
}

void SplitAttention::emitTokens() {
  b.loop(b.warp(), tokens, b.index(kConsumerWarps),
         [&](Value token) { append(token); });
  // What was appended is read by all warps; what others share is free again.
  b.consumerBarrier();
  b.loop(b.index(0), tokens, b.index(1), [&](Value token) {
    b.when(isOfSequence(token), [&] { attend(token); });
  });
}

LogicalResult SplitAttention::check() {
  if (width % kWarpSize || (lanes > 1 && lanes % wordElements()))
    return op.emitOpError("has GPU code for heads of 32 elements or a multiple "
                          "of 64, not of ")
           << width;
  return success();
}

LogicalResult etc::codegen::lowerSplitAttention(GpuBuilder &b,
                                                task::SplitAttentionOp op,
                                                const Ring &ring) {
  if (hasMmaAttention(op)) {
    lowerMmaAttention(b, op, ring);
    return success();
  }
  if (op.getStream())
    return op.emitOpError("takes a stream only on the tensor cores");
  SplitAttention attention(b, op);
  if (failed(attention.check()))
    return failure();
  attention.emit();
  return success();
}
