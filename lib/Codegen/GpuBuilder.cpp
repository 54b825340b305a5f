//===- GpuBuilder.cpp - The vocabulary of code for one block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuBuilder.h"
#include "dialects/task/TaskDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace etc::codegen {

Value GpuBuilder::index(int64_t value) {
  return make<arith::ConstantIndexOp>(value);
}
Value GpuBuilder::i32(int64_t value) {
  return make<arith::ConstantOp>(getI32IntegerAttr(value));
}
Value GpuBuilder::f32(double value) {
  return make<arith::ConstantOp>(getF32FloatAttr(value));
}
Value GpuBuilder::boolean(bool value) {
  return make<arith::ConstantOp>(getBoolAttr(value));
}
Value GpuBuilder::add(Value a, Value b) { return make<arith::AddIOp>(a, b); }
Value GpuBuilder::mul(Value a, Value b) { return make<arith::MulIOp>(a, b); }
Value GpuBuilder::toI32(Value index) {
  return make<arith::IndexCastOp>(getI32Type(), index);
}
Value GpuBuilder::toIndex(Value i32) {
  return make<arith::IndexCastOp>(getIndexType(), i32);
}

/// A move with a side effect, so that nobody moves it or takes another's.
static Value moveHere(GpuBuilder &b, ValueRange from, StringRef code,
                      StringRef constraints) {
  auto dialect =
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT);
  return b
      .make<LLVM::InlineAsmOp>(TypeRange(b.getI32Type()), from, code,
                               constraints, /*hasSideEffects=*/true,
                               /*isAlignStack=*/false, LLVM::TailCallKind::None,
                               dialect, ArrayAttr())
      .getResult(0);
}

void GpuBuilder::pinThread() {
  pinned = moveHere(*this, {}, "mov.u32 $0, %tid.x;", "=r");
}
Value GpuBuilder::pin(Value value) {
  return moveHere(*this, value, "mov.u32 $0, $1;", "=r,r");
}
Value GpuBuilder::threadI32() {
  return pinned ? pinned : make<NVVM::ThreadIdXOp>(getI32Type());
}
Value GpuBuilder::thread() { return toIndex(threadI32()); }
Value GpuBuilder::warp() {
  return make<arith::DivUIOp>(thread(), index(kWarpSize));
}
Value GpuBuilder::lane() {
  return make<arith::RemUIOp>(thread(), index(kWarpSize));
}
Value GpuBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return make<arith::CmpIOp>(predicate, a, b);
}
Value GpuBuilder::isThread(int64_t number) {
  return compare(arith::CmpIPredicate::eq, threadI32(), i32(number));
}

void GpuBuilder::loop(Value begin, Value end, Value step,
                      function_ref<void(Value)> body) {
  loop(begin, end, step, {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}
SmallVector<Value>
GpuBuilder::loop(Value begin, Value end, Value step, ValueRange init,
                 function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  OpBuilder::InsertionGuard guard(*this);
  auto loop = make<scf::ForOp>(begin, end, step, init);
  if (!init.empty())
    setInsertionPointToEnd(loop.getBody());
  else
    setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!init.empty())
    make<scf::YieldOp>(next);
  return loop.getResults();
}
void GpuBuilder::when(Value condition, function_ref<void()> body) {
  OpBuilder::InsertionGuard guard(*this);
  auto branch = make<scf::IfOp>(condition, /*withElseRegion=*/false);
  setInsertionPointToStart(branch.thenBlock());
  body();
}

void GpuBuilder::consumerBarrier() {
  // The barrier is one of whole warps, and lanes may have waited for different
  // words, in calls.
  warpBarrier();
  make<NVVM::BarrierOp>(TypeRange(), i32(kConsumerBarrier), i32(kConsumers),
                        NVVM::BarrierReductionAttr(), Value());
}
Value GpuBuilder::mustLeave() {
  Value flag = make<LLVM::LoadOp>(getI32Type(), shared(SharedLayout::kLeave),
                                  /*alignment=*/4, /*isVolatile=*/true);
  return compare(arith::CmpIPredicate::ne, flag, i32(0));
}

Value GpuBuilder::lookUntil(function_ref<Value()> isReached) {
  OpBuilder::InsertionGuard guard(*this);
  auto loop = make<scf::WhileOp>(TypeRange(getI1Type()), ValueRange());
  createBlock(&loop.getBefore());
  Value reached = isReached();
  Value stop = make<arith::OrIOp>(reached, mustLeave());
  make<scf::ConditionOp>(make<arith::XOrIOp>(stop, boolean(true)), reached);
  createBlock(&loop.getAfter(), {}, TypeRange(getI1Type()), getLoc());
  make<scf::YieldOp>();
  return loop.getResult(0);
}

Value GpuBuilder::consumerAny(Value flag) {
  warpBarrier();
  // nvvm.barrier reduces at barrier 0 only; the intrinsic reduces at any.
  return make<LLVM::CallIntrinsicOp>(
             getI1Type(),
             getStringAttr("llvm.nvvm.barrier.cta.red.or.aligned.count"),
             ValueRange{i32(kConsumerBarrier), i32(kConsumers), flag})
      .getResult(0);
}
void GpuBuilder::warpBarrier() { make<NVVM::SyncWarpOp>(i32(-1)); }
Value GpuBuilder::nextSums() {
  Value counter = warpWord(SharedLayout::kSumCounts, warpI32());
  Value count = load(getI32Type(), counter);
  warpBarrier();
  when(compare(arith::CmpIPredicate::eq, laneI32(), i32(0)),
       [&] { store(add(count, i32(1)), counter); });
  warpBarrier();
  Value set = make<arith::AndIOp>(count, i32(1));
  return advance(shared(SharedLayout::kScratch),
                 mul(set, i32(SharedLayout::kSumSetBytes)));
}
Value GpuBuilder::shuffle(Value value, int64_t mask) {
  return make<NVVM::ShflOp>(value.getType(), i32(-1), value, i32(mask),
                            i32(kWarpSize - 1), NVVM::ShflKind::bfly,
                            UnitAttr());
}
Value GpuBuilder::shuffleFrom(Value value, Value lane) {
  return make<NVVM::ShflOp>(value.getType(), i32(-1), value, lane,
                            i32(kWarpSize - 1), NVVM::ShflKind::idx,
                            UnitAttr());
}
Value GpuBuilder::reciprocal(Value x) {
  return make<LLVM::CallIntrinsicOp>(
             getF32Type(), getStringAttr("llvm.nvvm.rcp.approx.ftz.f"),
             ValueRange(x))
      .getResult(0);
}
SmallVector<Value> GpuBuilder::mma(ValueRange a, ValueRange b,
                                   ValueRange sums) {
  SmallVector<Type> types(4, getF32Type());
  auto type = LLVM::LLVMStructType::getLiteral(getContext(), types);
  Value next = make<NVVM::MmaOp>(
      type, a, b, sums, ArrayRef<int64_t>{16, 8, 16}, std::nullopt,
      std::nullopt, std::array{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  SmallVector<Value> values;
  for (int64_t i = 0; i < 4; ++i)
    values.push_back(make<LLVM::ExtractValueOp>(next, ArrayRef<int64_t>{i}));
  return values;
}
Value GpuBuilder::reduceLanes(Value value,
                              function_ref<Value(Value, Value)> combine) {
  for (int64_t mask = kWarpSize / 2; mask; mask /= 2)
    value = combine(value, shuffle(value, mask));
  return value;
}

Value GpuBuilder::shared(int64_t offset) {
  auto type = LLVM::LLVMPointerType::get(getContext(), /*addressSpace=*/3);
  Value base = make<LLVM::AddressOfOp>(type, kSharedMemory);
  return advance(base, make<arith::ConstantOp>(getI32IntegerAttr(offset)));
}
Value GpuBuilder::warpWord(int64_t offset, Value warp) {
  return advance(shared(offset), mul(warp, i32(4)));
}
Value GpuBuilder::global(Value memref) {
  auto metadata = make<memref::ExtractStridedMetadataOp>(memref);
  Value base = make<memref::ExtractAlignedPointerAsIndexOp>(memref);
  int64_t size = task::getElementBytes(cast<MemRefType>(memref.getType()));
  Value address = add(base, mul(metadata.getOffset(), index(size)));
  Value number = make<arith::IndexCastOp>(getI64Type(), address);
  return make<LLVM::IntToPtrOp>(
      LLVM::LLVMPointerType::get(getContext(), /*addressSpace=*/1), number);
}
Value GpuBuilder::advance(Value pointer, Value bytes) {
  if (bytes.getType().isIndex())
    bytes = make<arith::IndexCastOp>(getI64Type(), bytes);
  return make<LLVM::GEPOp>(pointer.getType(), getI8Type(), pointer,
                           ArrayRef<LLVM::GEPArg>{bytes});
}
Value GpuBuilder::load(Type type, Value pointer, int64_t alignment) {
  return make<LLVM::LoadOp>(type, pointer, alignment);
}
void GpuBuilder::store(Value value, Value pointer, int64_t alignment) {
  make<LLVM::StoreOp>(value, pointer, alignment);
}

Value GpuBuilder::extend(Value value) {
  if (value.getType().isF32())
    return value;
  return make<arith::ExtFOp>(getF32Type(), value);
}
Value GpuBuilder::round(Value value, Type type) {
  if (value.getType() == type)
    return value;
  return make<arith::TruncFOp>(type, value);
}
Value GpuBuilder::loadReal(Value memref, ValueRange indices) {
  return extend(make<memref::LoadOp>(memref, indices));
}
void GpuBuilder::storeReal(Value value, Value memref, ValueRange indices) {
  Type type = cast<MemRefType>(memref.getType()).getElementType();
  make<memref::StoreOp>(round(value, type), memref, indices);
}

void makeInternal(func::FuncOp function) {
  function.setPrivate();
  function->setAttr(
      "llvm.linkage",
      LLVM::LinkageAttr::get(function.getContext(), LLVM::Linkage::Internal));
  // Without it LLVM may copy a call, and the barriers in it, into both sides of
  // a branch on the thread.
  function->setAttr(
      "passthrough",
      Builder(function.getContext()).getStrArrayAttr({"convergent"}));
}

SmallVector<Value> delinearize(GpuBuilder &b, Value linear,
                               ValueRange extents) {
  SmallVector<Value> point(extents.size());
  for (size_t dim = extents.size(); dim-- > 1;) {
    point[dim] = b.make<arith::RemUIOp>(linear, extents[dim]);
    linear = b.make<arith::DivUIOp>(linear, extents[dim]);
  }
  if (!extents.empty())
    point.front() = linear;
  return point;
}

} // namespace etc::codegen
