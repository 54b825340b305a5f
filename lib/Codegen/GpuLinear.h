//===- GpuLinear.h - The parts of a streamed linear
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A streamed weight is the A operand of mma.m16n8k16, in fragment order; tokens
// are the columns of B. K is split over the consumer warps; their sums of a
// 16-row tile, or of all that cross the ring together if each has few tokens,
// meet in shared memory behind one barrier.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_GPULINEAR_H
#define ETC_LIB_CODEGEN_GPULINEAR_H

#include "lib/Codegen/GpuTiles.h"
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace etc::codegen {

/// x * sigmoid(x).
mlir::Value silu(GpuBuilder &b, mlir::Value x);

/// The consumers' part of a streamed linear, for up to `most` tokens.
///
/// The input comes either out of shared memory, where the first task of a run
/// has put it (`isKept`), or a chunk at a time from where it lies.
class StreamedLinear {
public:
  StreamedLinear(GpuBuilder &b, task::LinearOp op, const Ring &ring,
                 int64_t most, bool isKept)
      : b(b), op(op), ring(ring), groups(llvm::divideCeil(most, 8)),
        isKept(isKept),
        tile(llvm::cast<task::StreamType>(op.getWeight().getType()).getTile()),
        steps(ring, tile), turns(steps.together == 1 ? 2 : 1), sums(steps, most),
        element(tile.getElementType()),
        quadWords(kLaneColumns / getWordElements(op.getInput())) {
    isOnTheWay = choosesOnTheWay();
  }

  void emit();

private:
  /// Quads of the input, of two words each, that a lane asks for before it looks
  /// at the first.
  static constexpr int64_t kQuadsAtOnce = 8;
  /// For words of an input, their epochs and the norm's weights: eight blocks of
  /// a normed input for up to eight tokens, four for sixteen.
  static constexpr int64_t kHeldRegisters = 48;
  /// Columns that a lane has of a block.
  static constexpr int64_t kLaneColumns = 4;
  using Values = llvm::SmallVector<mlir::Value>;
  /// How a set of sums has room for tokens of row tiles.
  struct SumLayout {
    SumLayout(const RingSteps &steps, int64_t most);
    int64_t tokens; // of a tile; a power of two, two at least
    int64_t tiles;  // that meet at once
  };
  /// Where the input of a tile is read; what is read from memory may be kept.
  enum class Source { memory, memoryKept, shared };

  bool choosesOnTheWay();
  int64_t getRounds();
  int64_t getQuadsAtOnce() { return 2 * kQuadsAtOnce / quadWords; }
  int64_t getTokensAtOnce();
  int64_t getBlocksAtOnce(int64_t blocks);
  void pinThread();
  void stageInput();
  mlir::Value countQuads();
  mlir::Value columnOfQuad(mlir::Value number);
  mlir::Value joined(llvm::ArrayRef<mlir::Value> pair);
  void storeQuad(mlir::Value token, mlir::Value column,
                 llvm::ArrayRef<mlir::Value> pair, mlir::Value isMine);
  void stageQuads(mlir::ValueRange some, int64_t firstRound, int64_t count,
                  mlir::Value quads,
                  llvm::MutableArrayRef<mlir::Value> squares);
  void keepSquares(mlir::Value token, mlir::Value squares);
  mlir::Value blockOfWarp(mlir::Value number);
  void locateTokens();
  Values product(Source from, mlir::Value count);
  Values firstOrNext(mlir::Value number, mlir::Value count);
  Values rowTiles(mlir::Value number, mlir::Value count);
  void storeRowTiles(mlir::Value firstRow, int64_t firstTile, int64_t count,
                     mlir::Value residual, mlir::ValueRange state);
  /// Consumes one chunk of `blocks` blocks of each row tile, the first being
  /// block `first` of it. The state: accumulators [row tile][group][turn][4],
  /// squares [group], then the chunk's number.
  Values chunk(mlir::Value first, int64_t blocks, mlir::ValueRange state);
  /// The same where `blocks` is a value (i32).
  Values shortChunk(mlir::Value first, mlir::Value blocks,
                    mlir::ValueRange state);
  /// The B operands of blocks, [block][group][register].
  Values loadActivations(mlir::Value first, int64_t blocks,
                         llvm::MutableArrayRef<mlir::Value> squares);
  Values loadKept(mlir::Value first, int64_t blocks);
  Values loadMemory(mlir::Value first, int64_t blocks,
                    llvm::MutableArrayRef<mlir::Value> squares);
  mlir::Value keptOffset(mlir::Value block);
  void keep(mlir::Value first, int64_t blocks,
            llvm::ArrayRef<mlir::Value> words);
  Values normed(llvm::ArrayRef<mlir::Value> quad, mlir::ValueRange norm,
                mlir::Value &squares);
  void multiply(mlir::Value data, mlir::Value block,
                llvm::ArrayRef<mlir::Value> activations, int64_t turn,
                llvm::MutableArrayRef<mlir::Value> state);
  llvm::SmallVector<Ring::Stage> stagesOf(mlir::Value count);
  void storePartialSums(mlir::Value set, int64_t tile,
                        mlir::ValueRange accumulators);
  mlir::Value squaresAt(mlir::Value base, mlir::Value token);
  void storeSquaresOfGroups(mlir::Value base, mlir::ValueRange squares);
  void storeSquares(mlir::Value sums, mlir::ValueRange squares);
  /// What a thread of the consumers stores of the row tiles that meet at once:
  /// an element of the sums of all warps.
  struct Output {
    mlir::Value row, token; // of its row tile; i32
    mlir::Value firstRow;   // of the tile, in the output
    mlir::Value isMine;     // whether there is such a token
    mlir::Value isWarps;    // whether the first lane of its warp has one
  };
  Output outputOfThread(mlir::Value firstRow, int64_t count);
  mlir::Value residualAddress(const Output &output);
  mlir::Value prefetchResidual(mlir::Value firstRow, int64_t count);
  mlir::Value finishResidual(mlir::Value word, const Output &output);
  void storeOutput(mlir::Value sums, mlir::Value firstRow, int64_t count,
                   mlir::Value residual);
  void storeBest(mlir::Value total, const Output &output);
  mlir::Value sumOfWarps(mlir::Value address, int64_t stride);
  mlir::Value normFactor(mlir::Value sums, mlir::Value token);

  mlir::Value laneGroup() {
    return b.make<mlir::arith::DivUIOp>(lane, b.i32(4));
  }
  mlir::Value laneColumn() {
    return b.make<mlir::arith::RemUIOp>(lane, b.i32(4));
  }
  mlir::Value addf(mlir::Value x, mlir::Value y) {
    return b.make<mlir::arith::AddFOp>(x, y);
  }
  mlir::Value mulf(mlir::Value x, mlir::Value y) {
    return b.make<mlir::arith::MulFOp>(x, y);
  }
  bool needsSquares() { return bool(op.getNorm()); }
  int64_t columns() { return tile.getDimSize(1); }
  /// Accumulators of a row tile.
  int64_t sumsOfTile() { return 4 * groups * turns; }
  int64_t squaresBegin() { return steps.together * sumsOfTile(); }
  int64_t tileOutputs() {
    return SharedLayout::kTileRows / op.getRowsPerOutput();
  }

  GpuBuilder &b;
  task::LinearOp op;
  const Ring &ring;
  int64_t groups;
  bool isKept, isOnTheWay;
  mlir::MemRefType tile;
  RingSteps steps;
  /// Sets of accumulators that take turns, so that an mma need not wait for the
  /// last one.
  int64_t turns;
  SumLayout sums;
  mlir::Type element; // of what is multiplied
  int64_t quadWords;  // of the input that lie beside each other
  mlir::Value tokens, warp, lane;
  Source source = Source::memory; // of the product that is being written
  // Per group: the address of what this lane reads of block 0, in memory and in
  // shared memory.
  Values tokenRows, keptRows;
};

} // namespace etc::codegen

#endif // ETC_LIB_CODEGEN_GPULINEAR_H
