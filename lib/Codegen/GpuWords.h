//===- GpuWords.h - Words of 32 bits, with their epoch or without
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tagged memory (T16) is read and written in words: two elements of 16 bits, or
// one of 32, beside the epoch that wrote them. Other memory is read in the same
// words, so that a tile's code is one for both.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CODEGEN_GPUWORDS_H
#define ETC_LIB_CODEGEN_GPUWORDS_H

#include "lib/Codegen/GpuBuilder.h"

namespace etc::codegen {

/// A slow path, `(word) -> failed`: waits for a tagged word of this step.
constexpr llvm::StringLiteral kWaitWordFunc = "etc_wait_word";

mlir::Type elementOf(mlir::Value memref);

/// Elements of the memref that share a word.
int64_t getWordElements(mlir::Value memref);

/// The address of the word that holds an element.
mlir::Value wordAddress(GpuBuilder &b, mlir::Value memref,
                        mlir::ValueRange indices);

/// The epoch of this step (i32).
mlir::Value getEpoch(GpuBuilder &b);

/// Reads of words that are under way together: `add` all, then `read` once.
class WordReader {
public:
  explicit WordReader(GpuBuilder &b) : b(b) {}

  /// `count` words from `address` on, in memory like `memref`'s. An even count
  /// is aligned to its pairs.
  void add(mlir::Value memref, mlir::Value address, int64_t count = 1);
  /// All words (i32), in order; waits until the tagged ones are of this step.
  llvm::SmallVector<mlir::Value> read();

private:
  struct Part {
    mlir::Value address;
    int64_t count;
    bool isTagged;
  };
  /// The tagged words, those of `old` with another epoch read anew; whether one
  /// of them is late still, and the address of such a one.
  llvm::SmallVector<mlir::Value> reload(mlir::ValueRange old, mlir::Value epoch,
                                        mlir::Value &isLate, mlir::Value &late);
  /// The words that are not tagged.
  llvm::SmallVector<mlir::Value> loadPlain();
  mlir::Value mustReadAgain(mlir::Value isLate, mlir::Value late,
                            mlir::Value reads);
  llvm::SmallVector<mlir::Value> inOrder(mlir::ValueRange tagged,
                                         mlir::ValueRange plain);

  GpuBuilder &b;
  llvm::SmallVector<Part> parts;
};

/// A tagged word (i64) as it is now, not looked at.
mlir::Value loadTagged(GpuBuilder &b, mlir::Value address);
/// The epoch of a tagged word (i32): its upper half.
mlir::Value epochOf(GpuBuilder &b, mlir::Value word);

/// Stores a word, with this step's epoch where the memory is tagged.
void writeWord(GpuBuilder &b, mlir::Value word, mlir::Value memref,
               mlir::ValueRange indices);

/// The elements of a word as f32, and back.
llvm::SmallVector<mlir::Value> unpackWord(GpuBuilder &b, mlir::Value word,
                                          mlir::Type element);
mlir::Value packWord(GpuBuilder &b, mlir::ValueRange values,
                     mlir::Type element);

/// Drops the memory space of tagged memrefs: all their accesses are addresses.
void eraseTags(mlir::Operation *root);

} // namespace etc::codegen

#endif // ETC_LIB_CODEGEN_GPUWORDS_H
