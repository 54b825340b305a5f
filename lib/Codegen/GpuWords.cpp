//===- GpuWords.cpp - Words of 32 bits, with their epoch or without
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuWords.h"
#include "dialects/task/TaskOps.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

/// Reads of late words, of some 700 ns each, before the bounded wait.
static constexpr int64_t kReadsBeforeWait = 64;

static MemRefType typeOf(Value memref) {
  return cast<MemRefType>(memref.getType());
}

Type etc::codegen::elementOf(Value memref) {
  return typeOf(memref).getElementType();
}

int64_t etc::codegen::getWordElements(Value memref) {
  return 32 / typeOf(memref).getElementTypeBitWidth();
}

Value etc::codegen::wordAddress(GpuBuilder &b, Value memref,
                                ValueRange indices) {
  auto metadata = b.make<memref::ExtractStridedMetadataOp>(memref);
  Value element;
  for (auto [index, stride] : llvm::zip(indices, metadata.getStrides())) {
    Value step = b.mul(index, stride);
    element = element ? b.add(element, step) : step;
  }
  if (int64_t elements = getWordElements(memref); elements > 1)
    element = b.make<arith::AndIOp>(element, b.index(-elements));
  int64_t size = task::getElementBytes(typeOf(memref));
  return b.advance(b.global(memref), b.mul(element, b.index(size)));
}

Value etc::codegen::getEpoch(GpuBuilder &b) {
  return b.load(b.getI32Type(), b.shared(SharedLayout::kEpoch), 4);
}

void WordReader::add(Value memref, Value address, int64_t count) {
  parts.push_back({address, count, task::isTagged(memref.getType())});
}

Value etc::codegen::loadTagged(GpuBuilder &b, Value address) {
  return b.make<LLVM::LoadOp>(b.getI64Type(), address, 8, false, false, false,
                              false, LLVM::AtomicOrdering::monotonic, "device");
}

Value etc::codegen::epochOf(GpuBuilder &b, Value word) {
  Value shift = b.make<arith::ConstantOp>(b.getI64IntegerAttr(32));
  return b.make<arith::TruncIOp>(b.getI32Type(),
                                 b.make<arith::ShRUIOp>(word, shift));
}

/// A tagged word or a pair of them. Relaxed: the word is all that is read.
static SmallVector<Value> loadWords64(GpuBuilder &b, Value address,
                                      bool isPair) {
  Type i64 = b.getI64Type();
  if (!isPair)
    return {codegen::loadTagged(b, address)};
  // LLVM has no atomic load of two scalars.
  auto load = b.make<NVVM::InlinePtxOp>(
      TypeRange{i64, i64}, ValueRange(address), ValueRange(),
      "ld.relaxed.gpu.global.v2.b64 {{$w0}, {$w1}}, [{$r0}];", Value());
  return SmallVector<Value>(load.getResults());
}

void WordReader::loadTagged(const Part &part, SmallVectorImpl<Value> &words,
                            Value &isLate, Value &late, Value epoch) {
  Type i32 = b.getI32Type();
  int64_t step = part.count % 2 ? 1 : 2;
  for (int64_t i = 0; i < part.count; i += step) {
    Value address = b.advance(part.address, b.i32(8 * i));
    SmallVector<Value> loaded = loadWords64(b, address, step == 2);
    for (auto [number, word] : llvm::enumerate(loaded)) {
      Value differs =
          b.compare(arith::CmpIPredicate::ne, epochOf(b, word), epoch);
      Value at = b.advance(address, b.i32(8 * number));
      late = late ? Value(b.make<arith::SelectOp>(differs, at, late)) : at;
      isLate = isLate ? Value(b.make<arith::OrIOp>(isLate, differs)) : differs;
      words.push_back(b.make<arith::TruncIOp>(i32, word));
    }
  }
}

void WordReader::load(SmallVectorImpl<Value> &words, Value &isLate, Value &late,
                      Value epoch) {
  for (const Part &part : parts) {
    if (part.isTagged) {
      loadTagged(part, words, isLate, late, epoch);
      continue;
    }
    int64_t step = part.count % 2 ? 1 : 2;
    Type i32 = b.getI32Type();
    for (int64_t i = 0; i < part.count; i += step) {
      Value address = b.advance(part.address, b.i32(4 * i));
      if (step == 1) {
        words.push_back(b.load(i32, address, 4));
        continue;
      }
      Value pair = b.load(VectorType::get(2, i32), address, 8);
      for (int64_t lane = 0; lane < 2; ++lane)
        words.push_back(b.make<LLVM::ExtractElementOp>(pair, b.i32(lane)));
    }
  }
}

SmallVector<Value> WordReader::read() {
  SmallVector<Value> words;
  Value isLate, late;
  if (llvm::none_of(parts, [](const Part &part) { return part.isTagged; })) {
    load(words, isLate, late, Value());
    return words;
  }
  Value epoch = getEpoch(b);
  OpBuilder::InsertionGuard guard(b);
  int64_t count = 0;
  for (const Part &part : parts)
    count += part.count;
  // All are read again while one is late: a word costs little, a register for what
  // was in time already costs more. The slow path knows the bound of a wait, but
  // takes longer than most waits last.
  Type i32 = b.getI32Type();
  SmallVector<Type> types(1 + count, i32);
  auto loop = b.make<scf::WhileOp>(TypeRange(types), ValueRange(b.i32(0)));
  Block *before = b.createBlock(&loop.getBefore(), {}, i32, b.getLoc());
  Value reads = before->getArgument(0);
  load(words, isLate, late, epoch);
  Value isLong = b.make<arith::AndIOp>(
      isLate,
      b.compare(arith::CmpIPredicate::sge, reads, b.i32(kReadsBeforeWait)));
  auto wait = b.make<scf::IfOp>(TypeRange(b.getI1Type()), isLong, true);
  {
    OpBuilder::InsertionGuard inner(b);
    b.setInsertionPointToStart(wait.thenBlock());
    auto call = b.make<func::CallOp>(kWaitWordFunc, TypeRange(b.getI1Type()),
                                     ValueRange(late));
    b.make<scf::YieldOp>(ValueRange(
        b.make<arith::XOrIOp>(call.getResult(0), b.boolean(true)).getResult()));
    b.setInsertionPointToStart(wait.elseBlock());
    b.make<scf::YieldOp>(ValueRange(isLate));
  }
  SmallVector<Value> results = {b.add(reads, b.i32(1))};
  llvm::append_range(results, words);
  b.make<scf::ConditionOp>(wait.getResult(0), results);
  SmallVector<Location> locs(types.size(), b.getLoc());
  Block *after = b.createBlock(&loop.getAfter(), {}, types, locs);
  b.make<scf::YieldOp>(ValueRange(after->getArgument(0)));
  return SmallVector<Value>(llvm::drop_begin(loop.getResults()));
}

void etc::codegen::writeWord(GpuBuilder &b, Value word, Value memref,
                             ValueRange indices) {
  Value address = wordAddress(b, memref, indices);
  if (!task::isTagged(memref.getType())) {
    b.store(word, address, 4);
    return;
  }
  Type i64 = b.getI64Type();
  Value shift = b.make<arith::ConstantOp>(b.getI64IntegerAttr(32));
  Value high = b.make<arith::ShLIOp>(
      b.make<arith::ExtUIOp>(i64, getEpoch(b)), shift);
  Value both = b.make<arith::OrIOp>(high, b.make<arith::ExtUIOp>(i64, word));
  b.make<LLVM::StoreOp>(both, address, 8, false, false, false,
                        LLVM::AtomicOrdering::monotonic, "device");
}

SmallVector<Value> etc::codegen::unpackWord(GpuBuilder &b, Value word,
                                            Type element) {
  int64_t bits = element.getIntOrFloatBitWidth();
  if (bits == 32)
    return {b.make<arith::BitcastOp>(element, word)};
  SmallVector<Value> values;
  for (int64_t half = 0; half < 2; ++half) {
    Value part = half ? Value(b.make<arith::ShRUIOp>(word, b.i32(16))) : word;
    part = b.make<arith::TruncIOp>(b.getI16Type(), part);
    values.push_back(b.extend(b.make<arith::BitcastOp>(element, part)));
  }
  return values;
}

Value etc::codegen::packWord(GpuBuilder &b, ValueRange values, Type element) {
  Type i32 = b.getI32Type();
  if (values.size() == 1)
    return b.make<arith::BitcastOp>(i32, values[0]);
  // One conversion of a pair, where the GPU has it.
  Value pair = b.make<LLVM::PoisonOp>(VectorType::get(2, b.getF32Type()));
  for (int64_t i = 0; i < 2; ++i)
    pair = b.make<LLVM::InsertElementOp>(pair, values[i], b.i32(i));
  Value rounded = b.make<arith::TruncFOp>(VectorType::get(2, element), pair);
  return b.make<LLVM::BitcastOp>(i32, rounded);
}

void etc::codegen::eraseTags(Operation *root) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](MemRefType type) -> std::optional<Type> {
    if (!task::isTagged(type))
      return std::nullopt;
    return MemRefType::get(type.getShape(), type.getElementType(),
                           type.getLayout());
  });
  replacer.recursivelyReplaceElementsIn(root, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}
