//===- BufferAccess.h - What the tasks of a launch touch
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_BUFFERACCESS_H
#define ETC_LIB_ANALYSIS_BUFFERACCESS_H

#include "dialects/task/TaskOps.h"

namespace etc::analysis {

/// The region of one operand of a launch, in the coordinates of the buffer
/// behind it (a `task.argument` or `task.scratch`, never a view).
struct BufferAccess {
  /// One dimension of the region: `[index * period + offset, ... + size)`.
  struct Dim {
    static constexpr int64_t kNone = -1;
    int64_t index = kNone; // grid dimension; kNone: every task the same range
    int64_t period = 0;
    int64_t offset = 0;
    int64_t size = task::RegionAttr::kWhole;
    bool isIndexed() const { return index != kNone; }
    bool isWhole() const {
      return !isIndexed() && size == task::RegionAttr::kWhole;
    }
  };

  mlir::Value buffer;
  unsigned operand; // position in reads, then writes
  bool isWrite;
  llvm::SmallVector<Dim> dims;
};

/// The accesses of `launch`, reads first. An offset that is not
/// `index * period + constant`, or a view that tears a region apart, becomes a
/// whole dimension: more order than needed, never less.
llvm::SmallVector<BufferAccess> getBufferAccesses(task::LaunchOp launch);

/// The buffer behind a view.
mlir::Value getBaseBuffer(mlir::Value value);

/// The extents of a buffer as expressions of the graph's symbols.
mlir::AffineMap getBufferShape(mlir::Value buffer);

/// Whether the regions of all tasks together are the whole buffer.
bool coversBuffer(const BufferAccess &access, mlir::AffineMap grid);

/// False only if no task of the one touches what a task of the other touches.
bool mayOverlap(const BufferAccess &a, const BufferAccess &b);

} // namespace etc::analysis

#endif // ETC_LIB_ANALYSIS_BUFFERACCESS_H
