//===- GpuStreamPart.cpp - Keys and values on their way to attention
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuAttention.h"
#include "lib/Codegen/GpuStream.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

PartUnits::PartUnits(const Ring &ring, MemRefType cache)
    : halfBytes(getHalfBytes(cache)), rowBytes(halfBytes / kPartStep),
      chunks(ring.stageBytes < 2 * halfBytes ? 2 : 1) {}

int64_t PartUnits::getHalfBytes(MemRefType cache) {
  return kPartStep * cache.getDimSize(4) * task::getElementBytes(cache);
}

/// Of eight positions: neighbours, on one page. The body's views begin with the
/// sequence and the head.
static Value getKeys(GpuBuilder &b, Value cache, Value table, Value at) {
  return getKeyAddress(b, cache, table, b.index(0), b.index(0), b.toI32(at));
}

void etc::codegen::hintAtParts(Operation *device) {
  device->walk([](task::StreamPartOp part) {
    OpBuilder b(part);
    if (part->use_empty()) // the loader's
      task::PrefetchPartOp::create(
          b, part.getLoc(), part.getSeq(), part.getPos(), part.getBlockTable(),
          part.getCache(), part.getSequence(), part.getHead(), part.getPart(),
          part.getPartsAttr());
    part.drop();
  });
  // A hint may be at what is not there yet, so that nobody waits for a loader.
  device->walk([](Operation *op) {
    if (auto await = dyn_cast<task::AwaitStepOp>(op)) {
      OpBuilder b(op);
      await.getEntered().replaceAllUsesWith(
          arith::ConstantOp::create(b, op->getLoc(), b.getBoolAttr(true)));
      op->erase();
    } else if (auto enter = dyn_cast<task::EnterStepOp>(op)) {
      enter.setBehindLoader(false);
    } else if (isa<task::LoaderStepOp>(op)) {
      op->erase();
    }
  });
}

void etc::codegen::lowerStreamPart(GpuBuilder &b, task::StreamPartOp op,
                                   const Ring &ring) {
  PartUnits units(ring, cast<MemRefType>(op.getCache().getType()));
  SequenceLength length =
      countPositions(b, op.getSeq(), op.getPos(), op.getSequence());
  auto [begin, end] =
      getPartBounds(b, length.positions, op.getPart(), op.getParts());
  // What is older than the one token that the step has of the sequence.
  Value old = b.make<arith::MinSIOp>(
      end, b.make<arith::SubIOp>(length.positions, b.index(1)));
  Value isAlone =
      b.compare(arith::CmpIPredicate::eq, length.tokens, b.index(1));
  Value limit = b.make<arith::SelectOp>(isAlone, old, begin);
  // The warps take units of positions in turn.
  int64_t stepPositions = kPartStep * kConsumerWarps;
  Value mine =
      b.add(begin, b.mul(b.toIndex(getServedWarp(b)), b.index(kPartStep)));
  Value left =
      b.make<arith::MaxSIOp>(b.make<arith::SubIOp>(limit, mine), b.index(0));
  Value numUnits = b.make<arith::DivUIOp>(
      b.add(left, b.index(stepPositions - 1)), b.index(stepPositions));
  auto copy = [&](Value number, const Ring::Stage &stage) {
    Value unit = b.make<arith::DivUIOp>(number, b.i32(units.chunks));
    Value at = b.add(mine, b.mul(b.toIndex(unit), b.index(stepPositions)));
    Value rows = b.make<arith::MinSIOp>(b.make<arith::SubIOp>(limit, at),
                                        b.index(kPartStep));
    Value bytes = b.mul(b.toI32(rows), b.i32(units.rowBytes));
    Value keys = getKeys(b, op.getCache(), op.getBlockTable(), at);
    Value values = getValueAddress(b, op.getCache(), keys);
    if (units.chunks == 1)
      return copyChunk(b, stage,
                       {{keys, bytes, 0}, {values, bytes, units.valuesAt()}});
    Value isKeys = b.compare(
        arith::CmpIPredicate::eq,
        b.make<arith::RemUIOp>(number, b.i32(units.chunks)), b.i32(0));
    copyChunk(b, stage,
              Piece{b.make<arith::SelectOp>(isKeys, keys, values), bytes, 0});
  };
  std::optional<Pace> pace;
  if (op.getPace())
    pace = {int64_t(*op.getPace()),
            kConsumerWarps * 2 * units.halfBytes / units.chunks};
  issueChunks(b, ring, pace, b.mul(b.toI32(numUnits), b.i32(units.chunks)),
              copy);
}

/// A lane for the keys of eight positions, or for their values.
void etc::codegen::lowerPrefetchPart(GpuBuilder &b, task::PrefetchPartOp op) {
  auto cache = cast<MemRefType>(op.getCache().getType());
  if (cache.getDimSize(3) % kPartStep)
    return;
  SequenceLength length =
      countPositions(b, op.getSeq(), op.getPos(), op.getSequence());
  auto [begin, end] =
      getPartBounds(b, length.positions, op.getPart(), op.getParts());
  Value isKey =
      b.compare(arith::CmpIPredicate::eq,
                b.make<arith::RemUIOp>(b.laneI32(), b.i32(2)), b.i32(0));
  Value first = b.add(begin, b.mul(b.make<arith::DivUIOp>(b.lane(), b.index(2)),
                                   b.index(kPartStep)));
  b.loop(first, end, b.index(kPartStep * kWarpSize / 2), [&](Value at) {
    Value keys = getKeys(b, op.getCache(), op.getBlockTable(), at);
    Value values = getValueAddress(b, op.getCache(), keys);
    b.make<NVVM::CpAsyncBulkPrefetchOp>(
        b.make<arith::SelectOp>(isKey, keys, values),
        b.i32(PartUnits::getHalfBytes(cache)), Value());
  });
}
