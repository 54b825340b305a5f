//===- GpuAttention.h - What all code of attention knows of its part
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_GPUATTENTION_H
#define ETC_LIB_CODEGEN_GPUATTENTION_H

#include "lib/Codegen/GpuTiles.h"

namespace etc::codegen {

/// Less than any product of a query and a key, and no infinity.
constexpr double kNoMaximum = -3.0e38;
/// The size of a part is a multiple of this (`task.split_attention`).
constexpr int64_t kPartStep = 8;

/// What a step has of a sequence, all index values.
struct SequenceLength {
  /// Positions after this step, 0 if it has no token of the sequence, and how
  /// many of its tokens are.
  mlir::Value positions, tokens;
};
SequenceLength countPositions(GpuBuilder &b, mlir::Value seq, mlir::Value pos,
                              mlir::Value sequence);
/// Where a part of a sequence begins and ends: index values.
std::pair<mlir::Value, mlir::Value> getPartBounds(GpuBuilder &b,
                                                  mlir::Value positions,
                                                  mlir::Value part,
                                                  int64_t parts);

/// The address of the key of position `at` (i32) of a sequence, and that of the
/// value of the same position.
mlir::Value getKeyAddress(GpuBuilder &b, mlir::Value cache, mlir::Value table,
                          mlir::Value inSequence, mlir::Value inHead,
                          mlir::Value at);
mlir::Value getValueAddress(GpuBuilder &b, mlir::Value cache, mlir::Value key);

/// One part of the positions of a sequence, for one key/value head.
class AttentionPart {
public:
  AttentionPart(GpuBuilder &b, task::SplitAttentionOp op);
  virtual ~AttentionPart() = default;

  /// `emitTokens` for each part that the operation has.
  void emit();

protected:
  using Values = llvm::SmallVector<mlir::Value>;

  /// All of the part at hand.
  virtual void emitTokens() = 0;

  mlir::Value isOfSequence(mlir::Value token);
  mlir::Value position(mlir::Value token) { return load(op.getPos(), token); }
  mlir::Value load(mlir::Value memref, mlir::ValueRange indices);
  mlir::Value addf(mlir::Value x, mlir::Value y);
  mlir::Value subf(mlir::Value x, mlir::Value y);
  mlir::Value mulf(mlir::Value x, mlir::Value y);
  mlir::Value maxf(mlir::Value x, mlir::Value y);
  mlir::Value minimum(mlir::Value x, mlir::Value y);
  mlir::Value isLess(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);

  GpuBuilder &b;
  task::SplitAttentionOp op;
  mlir::MemRefType partial, cache;
  mlir::Type element;
  int64_t width, pageTokens, group;
  /// Of the part at hand: index values. `ofSequence`: tokens of this step that
  /// are of its sequence.
  mlir::Value inSequence, inHead, inPart, sequence, head, begin, end, keyHeads,
      tokens, ofSequence;

private:
  void emitPart();
};

/// Attention on the tensor cores.
bool hasMmaAttention(task::SplitAttentionOp op);
int64_t getMmaAttentionScratch(task::SplitAttentionOp op);
void lowerMmaAttention(GpuBuilder &b, task::SplitAttentionOp op,
                       const Ring &ring);

} // namespace etc::codegen

#endif // ETC_LIB_CODEGEN_GPUATTENTION_H
