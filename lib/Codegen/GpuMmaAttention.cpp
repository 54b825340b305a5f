//===- GpuMmaAttention.cpp - Attention on the tensor cores
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A warp takes eight positions at a time: S^T = Q K^T with heads as rows and
// positions as columns, then O^T = V^T P^T with elements as rows and heads as
// columns. What a lane has of S^T is its operand of P^T. Elements are permuted
// so that a lane reads 16 bytes of the cache at a time.
//
// Keys and values of earlier steps are asked for first, for they wait for
// nothing. Those of this step's token come from the linear before, and go to
// the cache for later steps only.
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuAttention.h"
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

/// Positions that a warp takes at a time: the columns of an mma, and what
/// crosses the ring at a time.
static constexpr int64_t kUnit = kPartStep;
/// Positions from one unit of a warp to its next.
static constexpr int64_t kUnitStep = kUnit * kConsumerWarps;
static constexpr double kLog2E = 1.4426950408889634;

/// Shared memory, from `kTileScratch` on: sums of the warps, f32 [warp][head][D
/// + 4], behind them rows of this step's token, bf16 [row][D + 8]: its queries,
/// its key, its value. Both are padded so that rows begin at different banks.
static int64_t sumRowBytes(int64_t width) { return 4 * (width + 4); }
static int64_t tokenRowBytes(int64_t width) { return 2 * (width + 8); }
static int64_t tokenRowsOffset(int64_t group, int64_t width) {
  return kConsumerWarps * group * sumRowBytes(width);
}

bool etc::codegen::hasMmaAttention(task::SplitAttentionOp op) {
  auto cache = cast<MemRefType>(op.getCache().getType());
  auto partial = cast<MemRefType>(op.getPartial().getType());
  int64_t width = cache.getDimSize(4);
  return cache.getElementType().isBF16() && (width == 64 || width == 128) &&
         cache.getDimSize(3) % kUnit == 0 &&
         partial.getDimSize(1) / cache.getDimSize(1) <= 8;
}

int64_t etc::codegen::getMmaAttentionScratch(task::SplitAttentionOp op) {
  auto cache = cast<MemRefType>(op.getCache().getType());
  auto partial = cast<MemRefType>(op.getPartial().getType());
  int64_t width = cache.getDimSize(4);
  int64_t group = partial.getDimSize(1) / cache.getDimSize(1);
  return tokenRowsOffset(group, width) + (group + 2) * tokenRowBytes(width);
}

namespace {
class MmaAttention : public AttentionPart {
public:
  MmaAttention(GpuBuilder &b, task::SplitAttentionOp op, const Ring &ring)
      : AttentionPart(b, op), ring(ring), units(ring, cache),
        segments(width / 32), chunks(width / 64) {}

private:
  void emitTokens() override;
  void attend(Value token);
  void locateLane();
  Value isInPart(Value at);

  // Rows of this step's tokens.
  void stageRows(Value token, Value first, Value count, Value mustAppend);
  Values rotate(ArrayRef<Value> words);
  void append(Value row, Value at, ArrayRef<Value> words);
  Value tokenRow(Value row);
  Value wordOfLane(Value isQuery);
  Values loadQueries();

  // Rows of the cache.
  Value cacheRow(Value at, Value half);
  llvm::SmallVector<Ring::Stage> stagesOf(Value count);
  std::pair<Value, Value> locateUnit(Value first, Value count);
  Values loadUnit(Value first, Value limit, Value count);
  Value loadQuad(Value address);
  Values loadRows(Value first, Value limit, Value count);
  Value leaveUnit(Value count);
  Values withToken(ArrayRef<Value> unit, Value row);
  Values replaceRow(ArrayRef<Value> unit, Value row);

  // Products.
  Values attendTo(Value first, Value limit, ArrayRef<Value> unit,
                  ValueRange state);
  Values scoresOf(ArrayRef<Value> unit);
  Values addValues(Value weights, ArrayRef<Value> unit, ArrayRef<Value> sums);

  // Sums of the warps.
  Value sumRow(Value warp, Value head);
  void storeSums(ValueRange state);
  void combine(Value token);

  Value reduceQuarters(Value value, function_ref<Value(Value, Value)> combine) {
    for (int64_t mask : {1, 2})
      value = combine(value, b.shuffle(value, mask));
    return value;
  }
  Value exp2(Value x) { return b.make<math::Exp2Op>(x); }
  VectorType quadType() { return VectorType::get(4, b.getI32Type()); }
  Value part(Value quad, int64_t i) {
    return b.make<LLVM::ExtractElementOp>(quad, b.i32(i));
  }
  int64_t unitSize() { return segments + 2 * chunks; }
  int64_t stateSize() { return 2 + 8 * width / 32; }

  /// 32 elements of a key are a segment, 8 for each of four lanes; 64 of a
  /// value are a chunk, 8 for each of eight.
  const Ring &ring;
  PartUnits units;
  int64_t segments, chunks;
  Value lane, laneRow, laneQuarter;
  Value isStreamed; // what earlier steps left, for the token at hand
};
} // namespace

//===----------------------------------------------------------------------===//
// Rows of this step's tokens
//===----------------------------------------------------------------------===//

Value MmaAttention::tokenRow(Value row) {
  int64_t base = SharedLayout::kTileScratch + tokenRowsOffset(group, width);
  return b.advance(b.shared(base), b.mul(row, b.i32(tokenRowBytes(width))));
}

/// A lane's pairs of both halves of a row, normed where there is a norm, and
/// rotated. The words: both of the row, of the cosine, of the sine, of the
/// norm.
SmallVector<Value> MmaAttention::rotate(ArrayRef<Value> words) {
  SmallVector<Values> pairs;
  for (Value word : words)
    pairs.push_back(unpackWord(b, word, element));
  Value factor;
  if (op.getQNorm()) {
    Value squares = b.f32(0);
    for (int64_t half : {0, 1})
      for (auto [x, weight] : llvm::zip(pairs[half], pairs[6 + half])) {
        squares = b.make<math::FmaOp>(x, x, squares);
        x = mulf(x, weight);
      }
    // Of a row of 64 elements lanes 16 apart have the same.
    for (int64_t mask = width / 8; mask; mask /= 2)
      squares = addf(squares, b.shuffle(squares, mask));
    Value mean = mulf(squares, b.f32(1.0 / width));
    factor = b.make<math::RsqrtOp>(
        addf(mean, b.f32(op.getEpsAttr().getValueAsDouble())));
  }
  Values rotated;
  for (int64_t half : {0, 1}) {
    Values two;
    for (int64_t i : {0, 1}) {
      Value other = mulf(pairs[1 - half][i], pairs[4 + half][i]);
      Value own = mulf(pairs[half][i], pairs[2 + half][i]);
      Value x = half ? addf(own, other) : subf(own, other);
      two.push_back(factor ? mulf(x, factor) : x);
    }
    rotated.push_back(packWord(b, two, element));
  }
  return rotated;
}

/// Stores a lane's words of a key or a value in the cache.
void MmaAttention::append(Value row, Value at, ArrayRef<Value> words) {
  Value half = b.make<arith::SubIOp>(row, b.i32(group));
  Value address = cacheRow(at, half);
  Value pair = b.make<arith::RemUIOp>(lane, b.i32(width / 4));
  address = b.advance(address, b.mul(pair, b.i32(4)));
  b.store(words[0], address, 4);
  b.store(words[1], b.advance(address, b.i32(width)), 4);
}

/// The rows from `first` on of a token, a warp for each: queries, key, value.
/// They go into shared memory, key and value into the cache too.
void MmaAttention::stageRows(Value token, Value first, Value count,
                             Value mustAppend) {
  Value heads = b.mul(keyHeads, b.index(group));
  Value pair = b.mul(b.toIndex(b.make<arith::RemUIOp>(lane, b.i32(width / 4))),
                     b.index(2));
  Value partner = b.add(pair, b.index(width / 2));
  Value at = b.toI32(position(token));
  b.loop(
      b.add(b.warp(), first), count, b.index(kConsumerWarps), [&](Value row) {
        Value isQuery = isLess(row, b.index(group));
        Value query = b.add(b.mul(head, b.index(group)), row);
        Value other = b.make<arith::SubIOp>(row, b.index(group));
        Value keyOrValue = b.add(b.add(heads, head), b.mul(other, keyHeads));
        Value column =
            b.mul(select(isQuery, query, keyOrValue), b.index(width));
        WordReader reader(b);
        for (Value element : {pair, partner})
          reader.add(op.getQkv(), wordAddress(b, op.getQkv(),
                                              {token, b.add(column, element)}));
        for (Value table : {op.getCos(), op.getSin()})
          for (Value element : {pair, partner})
            reader.add(table, wordAddress(b, table, {token, element}));
        if (op.getQNorm())
          for (Value element : {pair, partner})
            reader.add(op.getQNorm(),
                       select(isQuery, wordAddress(b, op.getQNorm(), element),
                              wordAddress(b, op.getKNorm(), element)));
        Values words = reader.read();
        Value row32 = b.toI32(row);
        Value isValue =
            b.compare(arith::CmpIPredicate::eq, row32, b.i32(group + 1));
        Values rotated = rotate(words);
        Value word = wordOfLane(isQuery);
        for (int64_t half : {0, 1}) {
          rotated[half] = select(isValue, words[half], rotated[half]);
          b.store(rotated[half],
                  b.advance(tokenRow(row32),
                            b.add(b.mul(word, b.i32(4)), b.i32(half * width))),
                  4);
        }
        b.when(b.make<arith::AndIOp>(
                   b.make<arith::XOrIOp>(isQuery, b.boolean(true)), mustAppend),
               [&] { append(row32, at, rotated); });
      });
}

/// The word of a half row where a lane puts its pair. Of four words of a query
/// the inner two change places, as `scoresOf` wants them.
Value MmaAttention::wordOfLane(Value isQuery) {
  Value pair = b.make<arith::RemUIOp>(lane, b.i32(width / 4));
  Value bit = b.make<arith::AndIOp>(
      b.make<arith::XOrIOp>(pair, b.make<arith::ShRUIOp>(pair, b.i32(1))),
      b.i32(1));
  Value swapped = b.make<arith::XOrIOp>(pair, b.mul(bit, b.i32(3)));
  return select(isQuery, swapped, pair);
}

/// The A operands of Q: rows are heads; those beyond the last are the last
/// again, and nobody reads their products. Read anew for each unit: registers
/// are dear.
SmallVector<Value> MmaAttention::loadQueries() {
  Value row = b.make<arith::MinUIOp>(laneRow, b.i32(group - 1));
  Value address = b.advance(tokenRow(row), b.mul(laneQuarter, b.i32(16)));
  Values queries;
  for (int64_t i = 0; i < segments; ++i)
    queries.push_back(
        b.make<LLVM::LoadOp>(quadType(), b.advance(address, b.i32(64 * i)), 16,
                             /*isVolatile=*/true));
  return queries;
}

//===----------------------------------------------------------------------===//
// Rows of the cache
//===----------------------------------------------------------------------===//

/// The key (`half` 0) or the value (1) of a position.
Value MmaAttention::cacheRow(Value at, Value half) {
  Value key = getKeyAddress(b, op.getCache(), op.getBlockTable(), inSequence,
                            inHead, at);
  return select(b.compare(arith::CmpIPredicate::eq, half, b.i32(0)), key,
                getValueAddress(b, op.getCache(), key));
}

/// The stages of a unit whose first chunk is number `count`.
SmallVector<Ring::Stage> MmaAttention::stagesOf(Value count) {
  SmallVector<Ring::Stage> stages;
  for (int64_t i = 0; i < units.chunks; ++i)
    stages.push_back(ring.getStage(b, b.warpI32(), b.add(count, b.i32(i))));
  return stages;
}

/// Where the keys and the values of a unit begin: in the ring, when they have
/// come, if they are streamed.
std::pair<Value, Value> MmaAttention::locateUnit(Value first, Value count) {
  auto inCache = [&]() -> Values {
    Value keys = getKeyAddress(b, op.getCache(), op.getBlockTable(), inSequence,
                               inHead, first);
    return {keys, getValueAddress(b, op.getCache(), keys)};
  };
  if (!op.getStream()) {
    Values halves = inCache();
    return {halves[0], halves[1]};
  }
  auto generic = LLVM::LLVMPointerType::get(b.getContext());
  auto yield = [&](ValueRange halves) {
    b.make<scf::YieldOp>(
        ValueRange{b.make<LLVM::AddrSpaceCastOp>(generic, halves[0]),
                   b.make<LLVM::AddrSpaceCastOp>(generic, halves[1])});
  };
  auto branch =
      b.make<scf::IfOp>(TypeRange{generic, generic}, isStreamed, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  auto stages = stagesOf(count);
  for (const Ring::Stage &stage : stages)
    Ring::waitFull(b, stage);
  yield({stages.front().data,
         b.advance(stages.back().data, b.i32(units.valuesAt()))});
  b.setInsertionPointToStart(branch.elseBlock());
  yield(inCache());
  return {branch.getResult(0), branch.getResult(1)};
}

/// Gives the stages of a unit back: its rows are in registers. Returns the
/// number of the next chunk.
Value MmaAttention::leaveUnit(Value count) {
  b.when(isStreamed, [&] {
    for (const Ring::Stage &stage : stagesOf(count))
      Ring::leave(b, stage);
  });
  return b.add(count, select(isStreamed, b.i32(units.chunks), b.i32(0)));
}

/// 16 bytes of a unit. Of the cache nobody reads them again: tables stay in the
/// L1 cache.
Value MmaAttention::loadQuad(Value address) {
  if (op.getStream())
    return b.load(quadType(), address, 16);
  Type i32 = b.getI32Type();
  auto load = b.make<NVVM::InlinePtxOp>(
      TypeRange{i32, i32, i32, i32}, ValueRange(address), ValueRange(),
      "ld.global.L1::no_allocate.v4.b32 {{$w0}, {$w1}, {$w2}, {$w3}}, "
      "[{$r0}];",
      Value());
  Value quad = b.make<LLVM::PoisonOp>(quadType());
  for (auto [i, word] : llvm::enumerate(load.getResults()))
    quad = b.make<LLVM::InsertElementOp>(quad, word, b.i32(int64_t(i)));
  return quad;
}

/// What this lane has of a unit: of the key of one position 8 elements of each
/// segment; of the values of two positions, one after the other, 8 of each
/// chunk. Those from `limit` on are the last before it again.
SmallVector<Value> MmaAttention::loadRows(Value first, Value limit,
                                          Value count) {
  auto metadata = b.make<memref::ExtractStridedMetadataOp>(op.getCache());
  Value rowBytes = b.mul(b.toI32(metadata.getStrides()[3]), b.i32(2));
  auto [keys, values] = locateUnit(first, count);
  Value last =
      b.make<arith::SubIOp>(b.make<arith::SubIOp>(limit, first), b.i32(1));
  auto rowAddress = [&](Value base, Value row, Value lanePart) {
    Value offset = b.mul(b.make<arith::MinSIOp>(row, last), rowBytes);
    return b.advance(base, b.add(offset, b.mul(lanePart, b.i32(16))));
  };
  Values unit;
  Value key = rowAddress(keys, laneRow, laneQuarter);
  for (int64_t i = 0; i < segments; ++i)
    unit.push_back(loadQuad(b.advance(key, b.i32(64 * i))));
  for (int64_t odd : {0, 1}) {
    Value row = b.add(b.mul(laneQuarter, b.i32(2)), b.i32(odd));
    Value value = rowAddress(values, row, laneRow);
    for (int64_t i = 0; i < chunks; ++i)
      unit.push_back(loadQuad(b.advance(value, b.i32(128 * i))));
  }
  return unit;
}

/// Asks for the unit at `first`, zeros if none of its positions is below
/// `limit`; behind it the number of the next chunk.
SmallVector<Value> MmaAttention::loadUnit(Value first, Value limit,
                                          Value count) {
  SmallVector<Type> results(unitSize(), quadType());
  results.push_back(b.getI32Type());
  auto branch = b.make<scf::IfOp>(results, isLess(first, limit), true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Values unit = loadRows(first, limit, count);
  unit.push_back(op.getStream() ? leaveUnit(count) : count);
  b.make<scf::YieldOp>(unit);
  b.setInsertionPointToStart(branch.elseBlock());
  Value zero = b.make<arith::ConstantOp>(
      DenseElementsAttr::get(quadType(), Attribute(b.getI32IntegerAttr(0))));
  Values none(unitSize(), zero);
  none.push_back(count);
  b.make<scf::YieldOp>(none);
  return branch.getResults();
}

/// The unit with the rows of this step's token as its `row`-th, if it has that
/// one.
SmallVector<Value> MmaAttention::withToken(ArrayRef<Value> unit, Value row) {
  auto branch = b.make<scf::IfOp>(
      ValueRange(unit).getTypes(),
      b.compare(arith::CmpIPredicate::ult, row, b.i32(kUnit)), true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  b.make<scf::YieldOp>(replaceRow(unit, row));
  b.setInsertionPointToStart(branch.elseBlock());
  b.make<scf::YieldOp>(Values(unit));
  return branch.getResults();
}

SmallVector<Value> MmaAttention::replaceRow(ArrayRef<Value> unit, Value row) {
  auto replace = [&](Value old, Value tokenRowNumber, Value offset,
                     Value mine) {
    Value fresh =
        b.load(quadType(), b.advance(tokenRow(tokenRowNumber), offset), 16);
    return select(b.compare(arith::CmpIPredicate::eq, mine, row), fresh, old);
  };
  Values next;
  for (int64_t i = 0; i < segments; ++i)
    next.push_back(replace(unit[i], b.i32(group),
                           b.add(b.mul(laneQuarter, b.i32(16)), b.i32(64 * i)),
                           laneRow));
  for (int64_t odd : {0, 1})
    for (int64_t i = 0; i < chunks; ++i)
      next.push_back(replace(unit[segments + odd * chunks + i],
                             b.i32(group + 1),
                             b.add(b.mul(laneRow, b.i32(16)), b.i32(128 * i)),
                             b.add(b.mul(laneQuarter, b.i32(2)), b.i32(odd))));
  return next;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Products of a lane's head with two positions of the unit. An A operand has
/// four words of a query: the first and the third of them in rows 0 to 7, which
/// the first two words of the key meet, the others in rows 8 to 15.
SmallVector<Value> MmaAttention::scoresOf(ArrayRef<Value> unit) {
  Values queries = loadQueries();
  SmallVector<Values> sums(2, Values(4, b.f32(0)));
  for (int64_t i = 0; i < segments; ++i)
    for (int64_t half : {0, 1}) {
      Values &chain = sums[half];
      Values a;
      for (int64_t j = 0; j < 4; ++j)
        a.push_back(part(queries[i], j));
      chain = b.mma(a, {part(unit[i], 2 * half), part(unit[i], 2 * half + 1)},
                    chain);
    }
  Values scores;
  for (int64_t j : {0, 1})
    scores.push_back(addf(sums[0][j], sums[1][2 + j]));
  return scores;
}

/// Adds values of the unit times their weights to sums: for each chunk and pair
/// of elements {element, head} of (0, 0), (0, 1), (1, 0), (1, 1).
SmallVector<Value> MmaAttention::addValues(Value weights, ArrayRef<Value> unit,
                                           ArrayRef<Value> sums) {
  Type i32 = b.getI32Type();
  auto permute = [&](Value x, Value y, int64_t selector) -> Value {
    return b
        .make<LLVM::CallIntrinsicOp>(i32, b.getStringAttr("llvm.nvvm.prmt"),
                                     ValueRange{x, y, b.i32(selector)})
        .getResult(0);
  };
  // An A operand has two pairs of elements, at positions 0 to 7 and 8 to 15;
  // each meets the weights where the other meets zeros.
  Value none = b.i32(0);
  Values products;
  for (int64_t i = 0; i < chunks; ++i)
    for (int64_t j = 0; j < 4; j += 2) {
      Values a;
      for (int64_t k : {j, j + 1}) {
        Value even = part(unit[segments + i], k);
        Value odd = part(unit[segments + chunks + i], k);
        a.push_back(permute(even, odd, 0x5410));
        a.push_back(permute(even, odd, 0x7632));
      }
      for (int64_t k : {0, 1}) {
        Values of = {k ? none : weights, k ? weights : none};
        llvm::append_range(products,
                           b.mma(a, of, sums.slice(4 * (4 * i + j + k), 4)));
      }
    }
  return products;
}

/// Takes a unit into the state: maximum and total of a lane's head, then sums
/// of elements of two heads, as `addValues` has them.
SmallVector<Value> MmaAttention::attendTo(Value first, Value limit,
                                          ArrayRef<Value> unit,
                                          ValueRange state) {
  Values scores = scoresOf(unit);
  Value scale = b.f32(op.getScale().convertToDouble() * kLog2E);
  Value valid = b.make<arith::SubIOp>(limit, first);
  Value maximum = b.f32(kNoMaximum);
  for (auto [odd, score] : llvm::enumerate(scores)) {
    Value column = b.add(b.mul(laneQuarter, b.i32(2)), b.i32(int64_t(odd)));
    score =
        select(isLess(column, valid), mulf(score, scale), b.f32(kNoMaximum));
    maximum = maxf(maximum, score);
  }
  maximum = reduceQuarters(
      maximum, [&](Value x, Value y) -> Value { return maxf(x, y); });
  maximum = maxf(maximum, state[0]);
  Value decay = exp2(subf(state[0], maximum));
  Value total = mulf(state[1], decay);
  for (Value &score : scores) {
    score = exp2(subf(score, maximum));
    total = addf(total, score);
  }
  Values sums(state.drop_front(2));
  for (int64_t odd : {0, 1}) {
    Value other = b.shuffleFrom(
        decay, b.add(b.mul(laneQuarter, b.i32(8)), b.i32(4 * odd)));
    for (size_t i = odd; i < sums.size(); i += 2)
      sums[i] = mulf(sums[i], other);
  }
  Values next = {maximum, total};
  llvm::append_range(next, addValues(packWord(b, scores, element), unit, sums));
  return next;
}

/// Anew for each part of the code, so that nothing that follows from it is held
/// in registers meanwhile.
void MmaAttention::locateLane() {
  b.pinThread();
  lane = b.laneI32();
  laneRow = b.make<arith::DivUIOp>(lane, b.i32(4));
  laneQuarter = b.make<arith::RemUIOp>(lane, b.i32(4));
}

/// Whether a position is one of the part's (all i32).
Value MmaAttention::isInPart(Value at) {
  return b.make<arith::AndIOp>(
      b.compare(arith::CmpIPredicate::sge, at, b.toI32(begin)),
      isLess(at, b.toI32(end)));
}

/// The attention of one token to this part. All that does not come from this
/// step's tokens is under way before they are waited for.
void MmaAttention::attend(Value token) {
  locateLane();
  Value at = b.toI32(position(token)), bound = b.toI32(end);
  Value limit = minimum(bound, b.add(at, b.i32(1))), old = minimum(bound, at);
  Value first = b.add(b.toI32(begin), b.mul(b.warpI32(), b.i32(kUnit)));
  Value step = b.i32(kUnitStep);
  Value isAlone = b.compare(arith::CmpIPredicate::eq, ofSequence, b.index(1));
  isStreamed = isAlone;
  auto counter = [&] {
    return b.warpWord(SharedLayout::kWarpCounts, b.warpI32());
  };
  Value count =
      op.getStream() ? b.load(b.getI32Type(), counter()) : b.i32(0);
  Values state = {b.f32(kNoMaximum)};
  state.append(stateSize() - 1, b.f32(0));
  llvm::append_range(state, loadUnit(first, old, count));
  stageRows(token, b.index(0),
            select(isInPart(at), b.index(group + 2), b.index(group)), isAlone);
  b.consumerBarrier();
  state =
      b.loop(first, limit, step, state, [&](Value first, ValueRange carried) {
        Values unit = withToken(Values(carried.slice(stateSize(), unitSize())),
                                b.make<arith::SubIOp>(at, first));
        Values next =
            attendTo(first, limit, unit, carried.take_front(stateSize()));
        locateLane();
        llvm::append_range(next,
                           loadUnit(b.add(first, step), old, carried.back()));
        return next;
      });
  locateLane();
  if (op.getStream())
    b.when(b.compare(arith::CmpIPredicate::eq, lane, b.i32(0)),
           [&] { b.store(state.back(), counter()); });
  storeSums(ValueRange(state).take_front(stateSize()));
  b.consumerBarrier();
  combine(token);
}

//===----------------------------------------------------------------------===//
// Sums of the warps
//===----------------------------------------------------------------------===//

/// D sums, then the maximum and the total of a warp's head.
Value MmaAttention::sumRow(Value warp, Value head) {
  Value row = b.add(b.mul(warp, b.i32(group)), head);
  return b.advance(b.shared(SharedLayout::kTileScratch),
                   b.mul(row, b.i32(sumRowBytes(width))));
}

void MmaAttention::storeSums(ValueRange state) {
  auto quad = VectorType::get(4, b.getF32Type());
  for (int64_t odd : {0, 1}) {
    Value head = b.add(b.mul(laneQuarter, b.i32(2)), b.i32(odd));
    b.when(b.compare(arith::CmpIPredicate::ult, head, b.i32(group)), [&] {
      Value row =
          b.advance(sumRow(b.warpI32(), head), b.mul(laneRow, b.i32(32)));
      for (int64_t i = 0; i < 2 * chunks; ++i) {
        Value four = b.make<LLVM::PoisonOp>(quad);
        for (int64_t j = 0; j < 4; ++j)
          four = b.make<LLVM::InsertElementOp>(
              four, state[2 + 8 * i + 2 * j + odd], b.i32(j));
        b.store(four, b.advance(row, b.i32(256 * (i / 2) + 16 * (i % 2))), 16);
      }
    });
  }
  Value total = reduceQuarters(
      state[1], [&](Value x, Value y) -> Value { return addf(x, y); });
  Value isFirst = b.compare(arith::CmpIPredicate::eq, laneQuarter, b.i32(0));
  Value isHead = b.compare(arith::CmpIPredicate::ult, laneRow, b.i32(group));
  b.when(b.make<arith::AndIOp>(isFirst, isHead), [&] {
    Value row = sumRow(b.warpI32(), laneRow);
    b.store(state[0], b.advance(row, b.i32(4 * width)));
    b.store(total, b.advance(row, b.i32(4 * width + 4)));
  });
}

/// The sums of all warps, as the part's. Each thread has an element of a head;
/// the first of each head writes its maximum and its total too.
void MmaAttention::combine(Value token) {
  Type f32 = b.getF32Type();
  b.loop(b.thread(), b.index(group * width), b.index(kConsumers), [&](Value i) {
    Value h = b.make<arith::DivUIOp>(i, b.index(width));
    Value d = b.make<arith::RemUIOp>(i, b.index(width));
    Values maxima, parts, totals;
    Value maximum = b.f32(kNoMaximum);
    for (int64_t warp = 0; warp < kConsumerWarps; ++warp) {
      Value row = sumRow(b.i32(warp), b.toI32(h));
      maxima.push_back(b.load(f32, b.advance(row, b.i32(4 * width))));
      totals.push_back(b.load(f32, b.advance(row, b.i32(4 * width + 4))));
      parts.push_back(b.load(f32, b.advance(row, b.mul(b.toI32(d), b.i32(4)))));
      maximum = maxf(maximum, maxima.back());
    }
    Value sum = b.f32(0), total = b.f32(0);
    for (int64_t warp = 0; warp < kConsumerWarps; ++warp) {
      Value weight = exp2(subf(maxima[warp], maximum));
      sum = b.make<math::FmaOp>(parts[warp], weight, sum);
      total = b.make<math::FmaOp>(totals[warp], weight, total);
    }
    Value query = b.add(b.mul(inHead, b.index(group)), h);
    auto write = [&](Value value, Value at) {
      writeWord(b, packWord(b, value, f32), op.getPartial(),
                {token, query, inPart, at});
    };
    write(sum, d);
    b.when(b.compare(arith::CmpIPredicate::eq, d, b.index(0)), [&] {
      write(mulf(maximum, b.f32(1.0 / kLog2E)), b.index(width));
      write(total, b.index(width + 1));
    });
  });
}

//===----------------------------------------------------------------------===//
// One part
//===----------------------------------------------------------------------===//

void MmaAttention::emitTokens() {
  locateLane();
  // Tokens of one sequence see each other through the cache.
  Value isAlone = b.compare(arith::CmpIPredicate::sle, ofSequence, b.index(1));
  b.when(b.make<arith::XOrIOp>(isAlone, b.boolean(true)), [&] {
    b.loop(b.index(0), tokens, b.index(1), [&](Value token) {
      Value isHere = isInPart(b.toI32(position(token)));
      b.when(b.make<arith::AndIOp>(isOfSequence(token), isHere), [&] {
        stageRows(token, b.index(group), b.index(group + 2), b.boolean(true));
      });
    });
    b.consumerBarrier();
  });
  b.loop(b.index(0), tokens, b.index(1), [&](Value token) {
    b.when(isOfSequence(token), [&] { attend(token); });
  });
  b.consumerBarrier(); // What the warps share is free again.
}

void etc::codegen::lowerMmaAttention(GpuBuilder &b, task::SplitAttentionOp op,
                                     const Ring &ring) {
  MmaAttention(b, op, ring).emit();
}
