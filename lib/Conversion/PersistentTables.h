//===- PersistentTables.h - What a worker reads instead of the graph
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_PERSISTENTTABLES_H
#define ETC_LIB_CONVERSION_PERSISTENTTABLES_H

#include "dialects/event/EventOps.h"
#include "dialects/task/TaskOps.h"

namespace etc {

/// A launch's operand: the slot of the buffer that it is or views, and its
/// shape as a map of the graph's symbols.
struct SlotView {
  int32_t slot;
  mlir::AffineMap shape;
};

/// The tables of a graph: its buffer slots, the layout of its counters and the
/// kinds of its launches. Made once, read by every role.
class PersistentTables {
public:
  /// Fails with a diagnostic where the graph is not ready for it.
  static mlir::FailureOr<PersistentTables> get(task::GraphOp graph);

  /// A launch of each kind.
  llvm::ArrayRef<task::LaunchOp> getKinds() const { return kinds; }
  int64_t getLaunchWidth() const { return launchWidth; }
  /// The words of one bank of all banked event tensors.
  int64_t getBankWords() const { return bankWords; }
  /// The row of the event that joins the workers between steps, or -1.
  int64_t getJoinRow() const { return joinRow; }
  int64_t getJoinedWorkers() const { return joinedWorkers; }
  const SlotView &getView(mlir::Value buffer) const {
    return views.find(buffer)->second;
  }

  /// The program of the graph, holding copies of `schedules`.
  task::ProgramOp
  createProgram(mlir::OpBuilder &builder, task::GraphOp graph,
                llvm::ArrayRef<task::ScheduleOp> schedules, bool traced) const;

private:
  mlir::LogicalResult addBuffers(task::GraphOp graph);
  mlir::LogicalResult addEvents(task::GraphOp graph);
  void addLaunches(task::GraphOp graph);
  mlir::Attribute getKindKey(task::LaunchOp launch) const;

  llvm::DenseMap<mlir::Value, SlotView> views;
  llvm::DenseMap<mlir::Value, int32_t> eventRows;
  llvm::SmallVector<task::LaunchOp, 0> kinds;
  llvm::SmallVector<mlir::Attribute> buffers, launchNames, eventNames;
  llvm::SmallVector<int32_t> launches, events;
  int64_t launchWidth = 1, bankWords = 0, counterWords = 0, scratchBytes = 0;
  int64_t joinRow = -1, joinedWorkers = 0;
};

} // namespace etc

#endif // ETC_LIB_CONVERSION_PERSISTENTTABLES_H
