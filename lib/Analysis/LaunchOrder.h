//===- LaunchOrder.h - Which launches are complete before which begin
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_LAUNCHORDER_H
#define ETC_LIB_ANALYSIS_LAUNCHORDER_H

#include "dialects/event/EventOps.h"
#include "dialects/task/TaskOps.h"
#include "llvm/ADT/BitVector.h"

namespace etc::analysis {

/// The order that events put on whole launches. `isBefore(a, b)`: every task of
/// `a` has finished before any task of `b` begins. It is what scratch memory
/// needs in order to be used again, and it saves the edges that it implies.
///
/// An edge from launch p to launch c gives every task of c some task of p to
/// wait for. It is *full* if each waits for all of p, and *onto* if each task of
/// p is waited for by some task of c. Then a is before b if a path of edges leads
/// from a to b that has a full edge with nothing but onto edges before it.
class LaunchOrder {
public:
  /// No launches yet; `addLaunch` appends.
  LaunchOrder() = default;
  /// The launches and events of `graph` as they stand.
  explicit LaunchOrder(task::GraphOp graph);

  unsigned addLaunch(task::LaunchOp launch);
  /// An edge from an earlier launch to the last one.
  void addEdge(unsigned from, bool isFull, bool isOnto);

  /// Never true of a later `a`: its set has no bit for it.
  bool isBefore(unsigned a, unsigned b) const { return a < b && full[b].test(a); }
  /// Whether each task of `a` comes before some task of `b`.
  bool reaches(unsigned a, unsigned b) const { return a < b && reach[b].test(a); }
  unsigned indexOf(task::LaunchOp launch) const { return indices.lookup(launch); }
  unsigned size() const { return full.size(); }

private:
  llvm::DenseMap<mlir::Operation *, unsigned> indices;
  llvm::SmallVector<llvm::BitVector> full;  // wholly before this one
  llvm::SmallVector<llvm::BitVector> reach; // each of whose tasks reaches this one
};

/// Whether an edge on `event` is the body's own, which orders nothing in memory
/// beside its value: its carrier is `data`.
bool isDataEdge(mlir::Value event);
/// An edge to the next step: it orders nothing within this one.
bool isCarriedEdge(mlir::Value event);
/// Whether `waiter` waits for every task that notifies `event`.
bool isFullEdge(event::CreateOp event);
/// Whether each entry of `event` is waited for by some task of `waiter`.
bool isOntoEdge(event::CreateOp event, task::LaunchOp waiter,
                mlir::AffineMap waitMap);

} // namespace etc::analysis

#endif // ETC_LIB_ANALYSIS_LAUNCHORDER_H
