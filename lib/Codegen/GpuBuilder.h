//===- GpuBuilder.h - The vocabulary of code for one block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One block is one worker: warps 0-7 are the consumers, warp 8 is the loader.
// The consumers meet at a named barrier of their own, so that the loader never
// waits for them there.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_GPUBUILDER_H
#define ETC_LIB_CODEGEN_GPUBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace etc::codegen {

constexpr int64_t kWarpSize = 32;
constexpr int64_t kConsumerWarps = 8;
constexpr int64_t kConsumers = kConsumerWarps * kWarpSize;
constexpr int64_t kBlockThreads = kConsumers + kWarpSize;

/// The barrier that only consumer warps use; 0 is that of the whole block.
constexpr int64_t kConsumerBarrier = 1;

/// A slow path, `(barrier, parity)`: waits for a chunk that is late.
constexpr llvm::StringLiteral kWaitChunkFunc = "etc_wait_chunk";

/// The dynamic shared memory of the kernel.
constexpr llvm::StringLiteral kSharedMemory = "etc_shared";

/// Byte offsets of what every kernel keeps in shared memory.
struct SharedLayout {
  static constexpr int64_t kCurrentLaunch = 0; // i32, noted by task.mark
  static constexpr int64_t kCurrentTask = 4;   // i32
  static constexpr int64_t kLeave = 8;       // i32, set when a wait has failed
  static constexpr int64_t kEpoch = 12;      // i32, of this step
  static constexpr int64_t kWarpCounts = 16; // i32 per warp, chunks consumed
  static constexpr int64_t kSumCounts = 48;  // i32 per warp, sets of sums used
  static constexpr int64_t kLoaderCounts = 80; // i32 per warp, chunks issued
  static constexpr int64_t kReleases = 112;    // i32, a bit per warp: stream
  static constexpr int64_t kLoaderTimes = 116; // i32 per warp, last chunk's
  /// What is below begins as zero.
  static constexpr int64_t kZeroed = 148;
  static constexpr int64_t kTracing = 148; // i32, whether tasks are recorded
  static constexpr int64_t kContext = 152; // of this step, for slow paths
  static constexpr int64_t kBarriers =
      160; // full, then empty: u64 [warp][stage]
  static constexpr int64_t kMaxStages = 8;
  static constexpr int64_t kScratch =
      kBarriers + 2 * 8 * kConsumerWarps * kMaxStages;
  /// Two sets of what warps add up, so that a sum needs one barrier: f32
  /// [warp][token][row]; of row tiles that meet at once, [warp][tile and
  /// token][row].
  static constexpr int64_t kTileRows = 16;
  static constexpr int64_t kMaxTokens = 16;
  /// Row tiles that cross the ring together, at most.
  static constexpr int64_t kMostTogether = 4;
  static constexpr int64_t kSumBytes =
      4 * kConsumerWarps * kTileRows * kMaxTokens;
  /// Beside them: f32 [warp][token], sums of squares.
  static constexpr int64_t kSquareBytes = 4 * kConsumerWarps * kMaxTokens;
  static constexpr int64_t kSumSetBytes = kSumBytes + kSquareBytes;
  /// The squares of the input that is kept.
  static constexpr int64_t kSquares = kScratch + 2 * kSumSetBytes;
  static constexpr int64_t kPartialSumBytes = 2 * kSumSetBytes + kSquareBytes;
  /// i64, the context of the step that the loader is in (task.loader_step).
  static constexpr int64_t kLoaderContext = kScratch + kPartialSumBytes;
  static constexpr int64_t kRingAlignment = 1024;
  /// What a tile other than a linear shares between its warps. The next task
  /// may keep its input there, so such a tile ends with a barrier.
  static constexpr int64_t kTileScratch =
      (kLoaderContext + 8 + kRingAlignment - 1) / kRingAlignment *
      kRingAlignment;
};

/// A builder that knows the threads of a block.
class GpuBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  template <typename OpTy, typename... Args> OpTy make(Args &&...args) {
    return OpTy::create(*this, std::forward<Args>(args)...);
  }

  mlir::Value index(int64_t value);
  mlir::Value i32(int64_t value);
  mlir::Value f32(double value);
  mlir::Value boolean(bool value);

  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value toI32(mlir::Value index);
  mlir::Value toIndex(mlir::Value i32);

  /// Number in the block, number of the warp, number in the warp: index values.
  /// `pinThread` reads the register here, for all code of this builder: what
  /// follows from it then lives no longer than a tile. Else it would be
  /// computed once for all tiles, and be held in registers or spilled.
  void pinThread();
  /// The same i32, of which nothing is computed before here.
  mlir::Value pin(mlir::Value value);
  mlir::Value thread();
  mlir::Value warp();
  mlir::Value lane();

  /// The same as i32 values.
  mlir::Value warpI32() { return toI32(warp()); }
  mlir::Value laneI32() { return toI32(lane()); }

  /// `compare(predicate, a, b)` on integers or indices.
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a,
                      mlir::Value b);
  mlir::Value isThread(int64_t number);

  /// for (i = begin; i < end; i += step) body(i).
  void loop(mlir::Value begin, mlir::Value end, mlir::Value step,
            llvm::function_ref<void(mlir::Value)> body);
  /// The same with carried values.
  llvm::SmallVector<mlir::Value>
  loop(mlir::Value begin, mlir::Value end, mlir::Value step,
       mlir::ValueRange init,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                         mlir::ValueRange)>
           body);
  void when(mlir::Value condition, llvm::function_ref<void()> body);

  /// All consumer threads meet; what they wrote before is visible after.
  void consumerBarrier();
  /// The same; true if `flag` was true for any of them.
  mlir::Value consumerAny(mlir::Value flag);
  void warpBarrier();
  /// The set of sums whose turn it is; all threads of a warp call it together.
  mlir::Value nextSums();
  /// The value of the lane whose number differs in `mask`.
  mlir::Value shuffle(mlir::Value value, int64_t mask);
  /// The value of lane `lane` (i32).
  mlir::Value shuffleFrom(mlir::Value value, mlir::Value lane);
  /// Combines the values of all lanes; every lane gets the result.
  mlir::Value reduceLanes(
      mlir::Value value,
      llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);

  /// Whether a consumer of this block has failed: it empties and enters nothing
  /// any more.
  mlir::Value mustLeave();
  /// The loader's wait: looks until `isReached`; false if a consumer has failed
  /// before. The consumers bound it: each wait of theirs ends, or sets the flag
  /// that ends this one.
  mlir::Value lookUntil(llvm::function_ref<mlir::Value()> isReached);

  /// 1 / x to within 1 ulp: one instruction, where a division is a call.
  mlir::Value reciprocal(mlir::Value x);
  /// mma.m16n8k16 on bf16: the four sums of a lane, `a` and `b` registers of
  /// i32.
  llvm::SmallVector<mlir::Value> mma(mlir::ValueRange a, mlir::ValueRange b,
                                     mlir::ValueRange sums);

  /// Address in shared memory, `offset` in bytes.
  mlir::Value shared(int64_t offset);
  /// Address in shared memory of the word at `offset` that belongs to `warp`.
  mlir::Value warpWord(int64_t offset, mlir::Value warp);
  /// Address in global memory of the first element of a memref.
  mlir::Value global(mlir::Value memref);
  mlir::Value advance(mlir::Value pointer, mlir::Value bytes);
  mlir::Value load(mlir::Type type, mlir::Value pointer, int64_t alignment = 0);
  void store(mlir::Value value, mlir::Value pointer, int64_t alignment = 0);

  /// An element as f32, and f32 as an element.
  mlir::Value loadReal(mlir::Value memref, mlir::ValueRange indices);
  void storeReal(mlir::Value value, mlir::Value memref,
                 mlir::ValueRange indices);
  mlir::Value round(mlir::Value value, mlir::Type type);
  mlir::Value extend(mlir::Value value);

private:
  mlir::Value threadI32();
  mlir::Value pinned; // i32
};

/// A function of the kernel's own: LLVM inlines it where it is called once, and
/// gives it a name that PTX accepts.
void makeInternal(mlir::func::FuncOp function);

/// The coordinates of point `linear` of a space, last dimension fastest.
llvm::SmallVector<mlir::Value> delinearize(GpuBuilder &b, mlir::Value linear,
                                           mlir::ValueRange extents);

} // namespace etc::codegen

#endif // ETC_LIB_CODEGEN_GPUBUILDER_H
