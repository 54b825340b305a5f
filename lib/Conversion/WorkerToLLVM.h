//===- WorkerToLLVM.h - The parts of convert-task-to-llvm
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_WORKERTOLLVM_H
#define ETC_LIB_CONVERSION_WORKERTOLLVM_H

#include "dialects/event/EventOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Transforms/DialectConversion.h"

namespace etc {

/// The fields of EtcContext.
enum class Field {
  buffers,
  launches,
  runOffsets,
  runs,
  counters,
  events,
  symbols,
  bucket,
  status,
  trace,
  traceCounts,
  timeoutNs,
  epoch,
  worker,
  workers,
  traceCapacity,
  steps,
  stepBytes,
};

/// The address of a field of the context.
mlir::Value getFieldAddress(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value context, Field field);

/// The value of a field: no worker writes the ones in `Field`.
mlir::Value loadField(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value context, Field field);

/// The address `words` (an index) 32-bit words after `base`.
mlir::Value getWordAddress(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value base, mlir::Value words);

/// Shorthands for index arithmetic.
mlir::Value castToIndex(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value integer);
mlir::Value castToI32(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value index);

/// An event tensor in this step, unpacked from the struct that it lowers to.
struct EventDescriptor {
  /// {ptr counters, ptr context, i32 multiplier, i32 row, i64 per dynamic
  /// size}.
  static mlir::LLVM::LLVMStructType getType(event::EventTensorType type);
  static EventDescriptor unpack(mlir::OpBuilder &builder, mlir::Location loc,
                                event::EventTensorType type, mlir::Value value);
  mlir::Value pack(mlir::OpBuilder &builder, mlir::Location loc) const;

  /// The row-major number of an entry, an index.
  mlir::Value getEntry(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::ValueRange indices) const;
  /// The counter of an entry; of a data tensor, its 64-bit scalar.
  mlir::Value getAddress(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value entry) const;
  /// What a counter shows once `count` notifies of this step have come.
  mlir::Value getTarget(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value count) const;

  event::EventTensorType type;
  mlir::Value counters;   // of this step's bank
  mlir::Value context;    // EtcContext *
  mlir::Value multiplier; // i32: the epoch if monotonic, 1 if banked
  mlir::Value row;        // i32: in the event table, for the watchdog
  mlir::SmallVector<mlir::Value> dynamicSizes; // index
};

/// The part of the counter memory that an event tensor's `event.clear`, or
/// `task.clear_banks` for all of them, sets to zero.
struct ClearedWords {
  mlir::Value begin; // address
  mlir::Value words; // index
};
ClearedWords getClearedBank(mlir::OpBuilder &builder, mlir::Location loc,
                            const EventDescriptor &event);
ClearedWords getClearedBanks(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::Value context, int64_t bankWords);

/// The number of the worker that runs this code, and of all workers, as
/// indices.
struct WorkerNumber {
  mlir::Value worker, workers;
};
using GetWorkerNumber = WorkerNumber (*)(mlir::OpBuilder &, mlir::Location,
                                         mlir::Value context);

/// Knows the types of this project and leaves all others.
struct WorkerTypeConverter : mlir::TypeConverter {
  WorkerTypeConverter();
};

/// Patterns for what only reads tables.
void populateWorkerToLLVMPatterns(const mlir::TypeConverter &converter,
                                  GetWorkerNumber getWorkerNumber,
                                  mlir::RewritePatternSet &patterns);

/// Patterns for what talks to other threads: event.*, task.mark, clear_banks.
void populateEventToCpuPatterns(const mlir::TypeConverter &converter,
                                mlir::RewritePatternSet &patterns);

/// Patterns for what talks to other blocks of a kernel.
void populateEventToNVVMPatterns(const mlir::TypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);
/// Before the NVVM patterns: adds to a gpu.module the functions that its waits
/// call when the first look at an event was too early.
void createNVVMSlowPaths(mlir::Operation *gpuModule);
/// After the NVVM patterns: the addresses that come out of the context are
/// global.
void useGlobalAddresses(mlir::Operation *gpuModule);

} // namespace etc

#endif // ETC_LIB_CONVERSION_WORKERTOLLVM_H
