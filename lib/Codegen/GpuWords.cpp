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

/// Reads a tagged word, or a pair of them, where `isLate`; else gives `old`
/// back. Relaxed: the word is all that is read.
static SmallVector<Value> reloadTagged(GpuBuilder &b, Value address,
                                       ArrayRef<Value> old, Value isLate) {
  // LLVM has no load that keeps a register, nor an atomic one of two scalars.
  Type i64 = b.getI64Type();
  SmallVector<Value> operands = {address, isLate};
  llvm::append_range(operands, old);
  auto reload = [&](Type result, StringRef code, StringRef constraints) {
    return b
        .make<LLVM::InlineAsmOp>(
            result, operands, code, constraints, /*has_side_effects=*/true,
            /*is_align_stack=*/false, LLVM::TailCallKind::None,
            LLVM::AsmDialectAttr(), ArrayAttr())
        .getResult(0);
  };
  if (old.size() == 1)
    return {reload(i64, "@$2 ld.relaxed.gpu.global.b64 $0, [$1];", "=l,l,b,0")};
  auto pair = LLVM::LLVMStructType::getLiteral(b.getContext(), {i64, i64});
  Value both = reload(pair, "@$3 ld.relaxed.gpu.global.v2.b64 {$0, $1}, [$2];",
                      "=l,=l,l,b,0,1");
  return {b.make<LLVM::ExtractValueOp>(both, ArrayRef<int64_t>{0}),
          b.make<LLVM::ExtractValueOp>(both, ArrayRef<int64_t>{1})};
}

SmallVector<Value> WordReader::reload(ValueRange old, Value epoch,
                                      Value &isLate, Value &late) {
  SmallVector<Value> words;
  auto isOld = [&](Value word) {
    return b.compare(arith::CmpIPredicate::ne, epochOf(b, word), epoch);
  };
  for (const Part &part : parts) {
    if (!part.isTagged)
      continue;
    int64_t step = part.count % 2 ? 1 : 2;
    for (int64_t i = 0; i < part.count; i += step) {
      Value address = b.advance(part.address, b.i32(8 * i));
      SmallVector<Value> before(old.slice(words.size(), step));
      Value mustReload = isOld(before[0]);
      if (step == 2)
        mustReload = b.make<arith::OrIOp>(mustReload, isOld(before[1]));
      llvm::append_range(words, reloadTagged(b, address, before, mustReload));
    }
  }
  size_t number = 0;
  for (const Part &part : parts)
    for (int64_t i = 0; part.isTagged && i < part.count; ++i) {
      Value at = b.advance(part.address, b.i32(8 * i));
      Value differs = isOld(words[number++]);
      late = late ? Value(b.make<arith::SelectOp>(differs, at, late)) : at;
      isLate = isLate ? Value(b.make<arith::OrIOp>(isLate, differs)) : differs;
    }
  return words;
}

SmallVector<Value> WordReader::loadPlain() {
  Type i32 = b.getI32Type();
  SmallVector<Value> words;
  for (const Part &part : parts) {
    int64_t step = part.count % 2 ? 1 : 2;
    for (int64_t i = 0; !part.isTagged && i < part.count; i += step) {
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
  return words;
}

/// Whether the words are to be read again: `isLate`, and the bounded wait for
/// the word at `late`, once they have been read often, did not fail.
Value WordReader::mustReadAgain(Value isLate, Value late, Value reads) {
  Value isLong =
      b.make<arith::AndIOp>(isLate, b.compare(arith::CmpIPredicate::sge, reads,
                                              b.i32(kReadsBeforeWait)));
  auto wait = b.make<scf::IfOp>(TypeRange(b.getI1Type()), isLong, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(wait.thenBlock());
  auto failed = b.make<func::CallOp>(kWaitWordFunc, TypeRange(b.getI1Type()),
                                     ValueRange(late));
  Value again = b.make<arith::XOrIOp>(failed.getResult(0), b.boolean(true));
  b.make<scf::YieldOp>(again);
  b.setInsertionPointToStart(wait.elseBlock());
  b.make<scf::YieldOp>(isLate);
  return wait.getResult(0);
}

/// All words in the order of the parts, of those that are tagged (i64) and
/// those that are not.
SmallVector<Value> WordReader::inOrder(ValueRange tagged, ValueRange plain) {
  SmallVector<Value> words;
  for (const Part &part : parts) {
    ValueRange &from = part.isTagged ? tagged : plain;
    for (Value word : from.take_front(part.count))
      words.push_back(part.isTagged
                          ? Value(b.make<arith::TruncIOp>(b.getI32Type(), word))
                          : word);
    from = from.drop_front(part.count);
  }
  return words;
}

SmallVector<Value> WordReader::read() {
  int64_t tagged = 0, all = 0;
  for (const Part &part : parts) {
    tagged += part.isTagged ? part.count : 0;
    all += part.count;
  }
  if (!tagged)
    return loadPlain();
  // What is late is read again, and nothing else of what is tagged: all workers
  // wait for the same words, whose memory has to serve each of their reads. The
  // slow path knows the bound of a wait, but takes longer than most waits last.
  Value epoch = getEpoch(b);
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  Value none = b.make<arith::ShLIOp>(
      b.make<arith::ExtUIOp>(i64, b.make<arith::XOrIOp>(epoch, b.i32(-1))),
      b.make<arith::ConstantOp>(b.getI64IntegerAttr(32)));
  SmallVector<Value> begin(1 + tagged, none);
  begin.front() = b.i32(0); // reads
  SmallVector<Type> carried(1 + tagged, i64), results(1 + all, i32);
  carried.front() = i32;
  llvm::copy(carried, results.begin());
  auto loop = b.make<scf::WhileOp>(TypeRange(results), ValueRange(begin));
  OpBuilder::InsertionGuard guard(b);
  Block *before =
      b.createBlock(&loop.getBefore(), {}, carried,
                    SmallVector<Location>(carried.size(), b.getLoc()));
  Value reads = before->getArgument(0), isLate, late;
  SmallVector<Value> next =
      reload(before->getArguments().drop_front(), epoch, isLate, late);
  llvm::append_range(next, loadPlain());
  Value again = mustReadAgain(isLate, late, reads);
  next.insert(next.begin(), b.add(reads, b.i32(1)));
  b.make<scf::ConditionOp>(again, next);
  Block *after =
      b.createBlock(&loop.getAfter(), {}, results,
                    SmallVector<Location>(results.size(), b.getLoc()));
  b.make<scf::YieldOp>(after->getArguments().take_front(carried.size()));
  b.setInsertionPointAfter(loop);
  ValueRange found = loop.getResults();
  return inOrder(found.slice(1, tagged), found.drop_front(1 + tagged));
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
  Value high =
      b.make<arith::ShLIOp>(b.make<arith::ExtUIOp>(i64, getEpoch(b)), shift);
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
