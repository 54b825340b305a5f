//===- TileCost.h - How to cut an operator into tasks
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The model. A step runs the tasks of an operator in waves of one task a
// worker:
//
//   cost = ceil(tasks / workers) * (kTaskOverheadBytes + bytes of one task)
//
// in bytes that one worker moves: an operator of a decode step is bound by
// memory, and to start a task (dispatch, wait, notify) costs what moving
// kTaskOverheadBytes costs. Cutting finer fills the workers and balances the
// last wave; cutting coarser reads what the tasks share less often. A tile is
// chosen for the least and for the largest step at once: the one with the
// smallest product of the two costs.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_TILECOST_H
#define ETC_LIB_ANALYSIS_TILECOST_H

#include "dialects/task/TaskInterfaces.h"
#include "mlir/Support/LLVM.h"

namespace etc {

class SymbolicShapes;

/// About half a microsecond of a worker's share of the bandwidth.
inline constexpr int64_t kTaskOverheadBytes = 8192;

/// The rows of a weight that tensor cores take at a time: a linear layer is cut
/// at multiples of it.
inline constexpr int64_t kLinearRowStep = 16;

/// Row tiles of a task that go through the tensor cores together, and tokens of
/// all of them whose sums meet at once (SharedLayout).
inline constexpr int64_t kMostTilesTogether = 4;
inline constexpr int64_t kTokensThatMeet = 16;

/// One size per dimension of the task domain; 0 where it is not cut.
using Tile = mlir::SmallVector<int64_t>;

struct TileOptions {
  int64_t workers = 8;
  /// Rows of a weight per task, or twice as many where an input of `tokens`
  /// tokens has more than `keptBytes` bytes; 0: choose.
  int64_t linearRows = 0;
  int64_t tokens = 1;
  int64_t keptBytes = std::numeric_limits<int64_t>::max();
  /// What a worker has under way of weights: a run of up to four tasks of
  /// `linearRows` that streams no more is one task.
  int64_t streamedBytes = 0;
};

/// The extents of the task domain at a step, from the extents of the operands.
mlir::SmallVector<int64_t> getDomainExtents(
    task::TaskRegionOpInterface op,
    mlir::function_ref<mlir::SmallVector<int64_t>(mlir::Value)> extentsOf);

/// The bytes that one task of the largest step moves.
int64_t getTaskBytes(task::TaskRegionOpInterface op, const Tile &tile,
                     const SymbolicShapes &shapes);

/// Whether two tasks may lie along this dimension of the domain: each must
/// write its own elements and not depend on where it stands (linalg.index).
bool mayCut(task::TaskRegionOpInterface op, unsigned domainDim);

/// The cheapest way to cut `op`. The token dimension of a linear layer is never
/// cut, so that a weight is read once and its grid is static; row-wise
/// operators get one task per row, with heads grouped where that is cheaper.
Tile chooseTile(task::TaskRegionOpInterface op, const SymbolicShapes &shapes,
                const TileOptions &options);

} // namespace etc

#endif // ETC_LIB_ANALYSIS_TILECOST_H
