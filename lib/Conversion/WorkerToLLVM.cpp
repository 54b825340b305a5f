//===- WorkerToLLVM.cpp - Worker operations as loads from the context
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Conversion/WorkerToLLVM.h"
#include "dialects/task/TaskOps.h"
#include "etc_runtime/abi.h"
#include "lib/Codegen/GpuBuilder.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"

using namespace mlir;
using namespace etc;

//===----------------------------------------------------------------------===//
// The context
//===----------------------------------------------------------------------===//

static_assert(sizeof(void *) == 8, "EtcContext is for 64-bit targets");

namespace {
struct FieldInfo {
  int32_t offset;
  unsigned bits;        // 0: a pointer
  unsigned elementBits; // of a table
};
} // namespace

/// Taken from the struct itself, so that it cannot disagree.
static FieldInfo getInfo(Field field) {
#define ETC_POINTER(NAME, ELEMENT_BITS)                                        \
  case Field::NAME:                                                            \
    static_assert(sizeof(EtcContext::NAME) == 8, "a pointer");                 \
    static_assert(!ELEMENT_BITS ||                                             \
                      sizeof(*EtcContext::NAME) * 8 == ELEMENT_BITS,           \
                  "the width of an element");                                  \
    return {offsetof(EtcContext, NAME), 0, ELEMENT_BITS};
#define ETC_SCALAR(NAME)                                                       \
  case Field::NAME:                                                            \
    return {offsetof(EtcContext, NAME), 8 * sizeof(EtcContext::NAME), 0};
  switch (field) {
    ETC_POINTER(buffers, 64)
    ETC_POINTER(launches, 32)
    ETC_POINTER(runOffsets, 32)
    ETC_POINTER(runs, 32)
    ETC_POINTER(counters, 32)
    ETC_POINTER(events, 32)
    ETC_POINTER(symbols, 64)
    ETC_POINTER(bucket, 64)
    ETC_POINTER(status, 0)
    ETC_POINTER(trace, 0)
    ETC_POINTER(traceCounts, 32)
    ETC_SCALAR(timeoutNs)
    ETC_SCALAR(epoch)
    ETC_SCALAR(worker)
    ETC_SCALAR(workers)
    ETC_SCALAR(traceCapacity)
    ETC_SCALAR(steps)
    ETC_SCALAR(stepBytes)
  }
#undef ETC_POINTER
#undef ETC_SCALAR
  llvm_unreachable("unknown field");
}

static Type getPointer(OpBuilder &builder) {
  return LLVM::LLVMPointerType::get(builder.getContext());
}

/// A load of what nobody writes while workers run.
static Value loadInvariant(OpBuilder &builder, Location loc, Type type,
                           Value address) {
  auto load = LLVM::LoadOp::create(builder, loc, type, address);
  load.setInvariant(true);
  return load;
}

Value etc::getFieldAddress(OpBuilder &builder, Location loc, Value context,
                           Field field) {
  return LLVM::GEPOp::create(builder, loc, getPointer(builder),
                             builder.getI8Type(), context,
                             LLVM::GEPArg(getInfo(field).offset));
}

Value etc::loadField(OpBuilder &builder, Location loc, Value context,
                     Field field) {
  unsigned bits = getInfo(field).bits;
  Type type = bits ? builder.getIntegerType(bits) : getPointer(builder);
  return loadInvariant(builder, loc, type,
                       getFieldAddress(builder, loc, context, field));
}

Value etc::castToIndex(OpBuilder &builder, Location loc, Value integer) {
  // No table holds a negative number that is used. A sign would take a second
  // register for as long as the index lives.
  return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(),
                                      integer);
}

Value etc::castToI32(OpBuilder &builder, Location loc, Value index) {
  return arith::IndexCastOp::create(builder, loc, builder.getI32Type(), index);
}

static Value getAddress(OpBuilder &builder, Location loc, Value base,
                        Value element, unsigned bits) {
  Value offset =
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), element);
  return LLVM::GEPOp::create(builder, loc, getPointer(builder),
                             builder.getIntegerType(bits), base, offset);
}

Value etc::getWordAddress(OpBuilder &builder, Location loc, Value base,
                          Value words) {
  return ::getAddress(builder, loc, base, words, 32);
}

/// Element `element` (an index) of the table that `field` points to, or of its
/// copy at byte `at` of the block's shared memory.
static Value loadFromTable(OpBuilder &builder, Location loc, Value context,
                           Field field, Value element,
                           std::optional<int64_t> at = std::nullopt) {
  unsigned bits = getInfo(field).elementBits;
  assert(bits && "the field is no table");
  Type type = builder.getIntegerType(bits);
  if (at) {
    codegen::GpuBuilder b(loc, builder);
    Value base = b.shared(*at);
    Value address =
        b.make<LLVM::GEPOp>(base.getType(), type, base, b.toI32(element));
    return b.load(type, address, bits / 8);
  }
  Value base = loadField(builder, loc, context, field);
  return loadInvariant(builder, loc, type,
                       ::getAddress(builder, loc, base, element, bits));
}

static Value addConstant(OpBuilder &builder, Location loc, Value index,
                         int64_t constant) {
  Value value = arith::ConstantIndexOp::create(builder, loc, constant);
  return builder.createOrFold<arith::AddIOp>(loc, index, value);
}

static Value multiply(OpBuilder &builder, Location loc, Value index,
                      int64_t constant) {
  Value value = arith::ConstantIndexOp::create(builder, loc, constant);
  return builder.createOrFold<arith::MulIOp>(loc, index, value);
}

//===----------------------------------------------------------------------===//
// Event tensors
//===----------------------------------------------------------------------===//

LLVM::LLVMStructType EventDescriptor::getType(event::EventTensorType type) {
  MLIRContext *context = type.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type i32 = IntegerType::get(context, 32), i64 = IntegerType::get(context, 64);
  SmallVector<Type> fields = {pointer, pointer, i32, i32};
  fields.append(llvm::count(type.getShape(), ShapedType::kDynamic), i64);
  return LLVM::LLVMStructType::getLiteral(context, fields);
}

EventDescriptor EventDescriptor::unpack(OpBuilder &builder, Location loc,
                                        event::EventTensorType type,
                                        Value value) {
  auto get = [&](int64_t field) -> Value {
    return LLVM::ExtractValueOp::create(builder, loc, value, field);
  };
  EventDescriptor event = {type, get(0), get(1), get(2), get(3), {}};
  int64_t numFields = getType(type).getBody().size();
  for (int64_t field = 4; field < numFields; ++field)
    event.dynamicSizes.push_back(castToIndex(builder, loc, get(field)));
  return event;
}

Value EventDescriptor::pack(OpBuilder &builder, Location loc) const {
  Value value = LLVM::UndefOp::create(builder, loc, getType(type));
  int64_t field = 0;
  auto set = [&](Value element) {
    value = LLVM::InsertValueOp::create(builder, loc, value, element, field++);
  };
  for (Value element : {counters, context, multiplier, row})
    set(element);
  for (Value size : dynamicSizes)
    set(arith::IndexCastOp::create(builder, loc, builder.getI64Type(), size));
  return value;
}

Value EventDescriptor::getEntry(OpBuilder &builder, Location loc,
                                ValueRange indices) const {
  Value entry = arith::ConstantIndexOp::create(builder, loc, 0);
  auto dynamic = dynamicSizes.begin();
  for (auto [index, extent] : llvm::zip(indices, type.getShape())) {
    Value size = ShapedType::isDynamic(extent)
                     ? *dynamic++
                     : arith::ConstantIndexOp::create(builder, loc, extent);
    entry = builder.createOrFold<arith::MulIOp>(loc, entry, size);
    entry = builder.createOrFold<arith::AddIOp>(loc, entry, index);
  }
  return entry;
}

Value EventDescriptor::getAddress(OpBuilder &builder, Location loc,
                                  Value entry) const {
  bool isData = type.getCarrier() == event::Carrier::data;
  return ::getAddress(builder, loc, counters, entry, isData ? 64 : 32);
}

Value EventDescriptor::getTarget(OpBuilder &builder, Location loc,
                                 Value count) const {
  return arith::MulIOp::create(builder, loc, count, multiplier);
}

namespace {
/// A row of the event table, as indices.
struct EventRow {
  Value offset, bankStride, entries;
};
} // namespace

static EventRow loadEventRow(OpBuilder &builder, Location loc, Value context,
                             Value row) {
  Value first = multiply(builder, loc, row, 4);
  auto load = [&](int64_t word) {
    return castToIndex(builder, loc,
                       loadFromTable(builder, loc, context, Field::events,
                                     addConstant(builder, loc, first, word)));
  };
  return {load(0), load(1), load(3)};
}

/// The bank of this step, or the other one, as an index.
static Value getBank(OpBuilder &builder, Location loc, Value epoch,
                     bool other) {
  Value one =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(1));
  Value bank = arith::AndIOp::create(builder, loc, epoch, one);
  if (other)
    bank = arith::SubIOp::create(builder, loc, one, bank);
  return castToIndex(builder, loc, bank);
}

ClearedWords etc::getClearedBank(OpBuilder &builder, Location loc,
                                 const EventDescriptor &event) {
  EventRow row = loadEventRow(builder, loc, event.context,
                              castToIndex(builder, loc, event.row));
  Value epoch = loadField(builder, loc, event.context, Field::epoch);
  Value bank = getBank(builder, loc, epoch, /*other=*/true);
  Value first = arith::MulIOp::create(builder, loc, bank, row.bankStride);
  first = arith::AddIOp::create(builder, loc, first, row.offset);
  Value counters = loadField(builder, loc, event.context, Field::counters);
  return {getWordAddress(builder, loc, counters, first), row.entries};
}

ClearedWords etc::getClearedBanks(OpBuilder &builder, Location loc,
                                  Value context, int64_t bankWords) {
  Value epoch = loadField(builder, loc, context, Field::epoch);
  Value bank = getBank(builder, loc, epoch, /*other=*/true);
  Value first = multiply(builder, loc, bank, bankWords);
  Value counters = loadField(builder, loc, context, Field::counters);
  return {getWordAddress(builder, loc, counters, first),
          arith::ConstantIndexOp::create(builder, loc, bankWords)};
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// Word `position` of a launch's row.
static Value loadLaunchWord(OpBuilder &builder, Location loc, Value context,
                            Value launch, int64_t position, int64_t width,
                            std::optional<int64_t> at) {
  if (at) {
    // Else the place of the row would be held in a register for the whole run.
    codegen::GpuBuilder b(loc, builder);
    launch = b.toIndex(b.pin(b.toI32(launch)));
  }
  Value first = multiply(builder, loc, launch, width);
  return castToIndex(builder, loc,
                     loadFromTable(builder, loc, context, Field::launches,
                                   addConstant(builder, loc, first, position),
                                   at));
}

namespace {
struct LowerSymbolValue : OpConversionPattern<task::SymbolValueOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::SymbolValueOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Field table = op.getBucket() ? Field::bucket : Field::symbols;
    Value base = loadField(rewriter, loc, adaptor.getWorker(), table);
    // The lower word: an extent has no more (#task.symbol), and takes one
    // register of a GPU, not two.
    Value word =
        arith::ConstantIndexOp::create(rewriter, loc, 2 * op.getSymbol());
    Value value = loadInvariant(rewriter, loc, rewriter.getI32Type(),
                                getWordAddress(rewriter, loc, base, word));
    rewriter.replaceOp(op, castToIndex(rewriter, loc, value));
    return success();
  }
};

struct LowerRuns : OpConversionPattern<task::RunsOp> {
  LowerRuns(const TypeConverter &converter, GetWorkerNumber getWorkerNumber,
            MLIRContext *context)
      : OpConversionPattern(converter, context),
        getWorkerNumber(getWorkerNumber) {}
  LogicalResult
  matchAndRewrite(task::RunsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value context = adaptor.getWorker();
    Value worker = getWorkerNumber(rewriter, loc, context).worker;
    auto load = [&](Value number) {
      return castToIndex(
          rewriter, loc,
          loadFromTable(rewriter, loc, context, Field::runOffsets, number));
    };
    rewriter.replaceOp(
        op, {load(worker), load(addConstant(rewriter, loc, worker, 1))});
    return success();
  }
  GetWorkerNumber getWorkerNumber;
};

struct LowerRun : OpConversionPattern<task::RunOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::RunOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value context = adaptor.getWorker();
    Value first = multiply(rewriter, loc, adaptor.getNumber(), 4);
    auto load = [&](int64_t word) {
      return castToIndex(
          rewriter, loc,
          loadFromTable(rewriter, loc, context, Field::runs,
                        addConstant(rewriter, loc, first, word)));
    };
    Value launch = load(0);
    Value kind = loadLaunchWord(rewriter, loc, context, launch, /*position=*/0,
                                op.getWidth(), op.getLaunchesAt());
    rewriter.replaceOp(op, {launch, kind, load(1), load(2), load(3)});
    return success();
  }
};

struct LowerOperand : OpConversionPattern<task::OperandOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::OperandOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getBuffer().getType());
    // The memref itself is lowered later; its descriptor is made here.
    LLVMTypeConverter llvmConverter(op.getContext());
    auto structType =
        dyn_cast_or_null<LLVM::LLVMStructType>(llvmConverter.convertType(type));
    if (!structType || !type.getLayout().isIdentity())
      return rewriter.notifyMatchFailure(op, "no contiguous memref");
    Value slot =
        loadLaunchWord(rewriter, loc, adaptor.getWorker(), adaptor.getLaunch(),
                       op.getPosition(), op.getWidth(), op.getLaunchesAt());
    Value address = loadFromTable(rewriter, loc, adaptor.getWorker(),
                                  Field::buffers, slot, op.getBuffersAt());
    Value pointer = LLVM::IntToPtrOp::create(
        rewriter, loc, structType.getBody().front(), address);

    auto descriptor = MemRefDescriptor::poison(rewriter, loc, structType);
    descriptor.setAllocatedPtr(rewriter, loc, pointer);
    descriptor.setAlignedPtr(rewriter, loc, pointer);
    descriptor.setConstantOffset(rewriter, loc, 0);
    auto toI64 = [&](Value index) {
      return arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(),
                                        index);
    };
    Value stride = arith::ConstantIndexOp::create(rewriter, loc, 1);
    size_t nextDynamic = adaptor.getDynamicSizes().size();
    for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
      Value size = type.isDynamicDim(dim)
                       ? adaptor.getDynamicSizes()[--nextDynamic]
                       : arith::ConstantIndexOp::create(rewriter, loc,
                                                        type.getDimSize(dim));
      descriptor.setSize(rewriter, loc, dim, toI64(size));
      descriptor.setStride(rewriter, loc, dim, toI64(stride));
      stride = rewriter.createOrFold<arith::MulIOp>(loc, stride, size);
    }
    rewriter.replaceOpWithNewOp<UnrealizedConversionCastOp>(op, type,
                                                            Value(descriptor));
    return success();
  }
};

struct LowerStepsLeft : OpConversionPattern<task::StepsLeftOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::StepsLeftOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value steps =
        loadField(rewriter, op.getLoc(), adaptor.getWorker(), Field::steps);
    rewriter.replaceOp(op, castToIndex(rewriter, op.getLoc(), steps));
    return success();
  }
};

struct LowerNextStep : OpConversionPattern<task::NextStepOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::NextStepOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value context = adaptor.getWorker();
    Value bytes = castToIndex(
        rewriter, loc, loadField(rewriter, loc, context, Field::stepBytes));
    rewriter.replaceOp(op, ::getAddress(rewriter, loc, context, bytes, 8));
    return success();
  }
};

/// The event tensor of row `number`, an index.
static Value describeEvent(OpBuilder &builder, Location loc, Value context,
                           Value number, event::EventTensorType type,
                           ValueRange dynamicSizes) {
  EventRow row = loadEventRow(builder, loc, context, number);
  Value epoch = loadField(builder, loc, context, Field::epoch);
  Value bank = getBank(builder, loc, epoch, /*other=*/false);
  Value first = arith::MulIOp::create(builder, loc, bank, row.bankStride);
  first = arith::AddIOp::create(builder, loc, first, row.offset);
  Value counters = loadField(builder, loc, context, Field::counters);

  // A bank starts at zero, a monotonic tensor where the last step left it.
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value isMonotonic = arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::eq, row.bankStride, zero);
  Value one =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(1));
  Value multiplier =
      arith::SelectOp::create(builder, loc, isMonotonic, epoch, one);
  EventDescriptor event = {type,
                           getWordAddress(builder, loc, counters, first),
                           context,
                           multiplier,
                           castToI32(builder, loc, number),
                           SmallVector<Value>(dynamicSizes)};
  return event.pack(builder, loc);
}

struct LowerJoin : OpConversionPattern<task::JoinOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::JoinOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value row = arith::ConstantIndexOp::create(rewriter, loc, op.getRow());
    rewriter.replaceOp(op, describeEvent(rewriter, loc, adaptor.getWorker(),
                                         row, op.getTensor().getType(), {}));
    return success();
  }
};

struct LowerEvent : OpConversionPattern<task::EventOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(task::EventOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value context = adaptor.getWorker();
    Value number =
        loadLaunchWord(rewriter, loc, context, adaptor.getLaunch(),
                       op.getPosition(), op.getWidth(), op.getLaunchesAt());
    rewriter.replaceOp(op, describeEvent(rewriter, loc, context, number,
                                         op.getTensor().getType(),
                                         adaptor.getDynamicSizes()));
    return success();
  }
};
} // namespace

void etc::populateWorkerToLLVMPatterns(const TypeConverter &converter,
                                       GetWorkerNumber getWorkerNumber,
                                       RewritePatternSet &patterns) {
  patterns.add<LowerSymbolValue, LowerRun, LowerOperand, LowerEvent,
               LowerStepsLeft, LowerNextStep, LowerJoin>(converter,
                                                         patterns.getContext());
  patterns.add<LowerRuns>(converter, getWorkerNumber, patterns.getContext());
}

etc::WorkerTypeConverter::WorkerTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](task::WorkerType type) -> Type {
    return LLVM::LLVMPointerType::get(type.getContext());
  });
  addConversion([](event::EventTensorType type) -> Type {
    return EventDescriptor::getType(type);
  });
  auto cast = [](OpBuilder &builder, Type type, ValueRange inputs,
                 Location loc) -> Value {
    return UnrealizedConversionCastOp::create(builder, loc, type, inputs)
        .getResult(0);
  };
  addSourceMaterialization(cast);
  addTargetMaterialization(cast);
}
