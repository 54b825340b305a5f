//===- NormalizeEvents.cpp - One in-event and one out-event per task
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventOps.h"
#include "dialects/task/TaskOps.h"
#include "lib/Analysis/LaunchOrder.h"
#include "lib/Transforms/Passes.h"

namespace etc {
#define GEN_PASS_DEF_NORMALIZEEVENTSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
struct NormalizeEvents : etc::impl::NormalizeEventsPassBase<NormalizeEvents> {
  void runOnOperation() override;

private:
  task::FuncOp getRelay(unsigned gridRank);
  event::CreateOp createPerTask(task::LaunchOp launch, StringRef suffix,
                                int64_t count);
  task::LaunchOp createRelay(OpBuilder &builder, task::LaunchOp launch);
  void joinWaits(task::LaunchOp launch);
  void forkNotifies(task::LaunchOp launch);
};
} // namespace

/// The empty body for a grid of `gridRank` dimensions.
task::FuncOp NormalizeEvents::getRelay(unsigned gridRank) {
  Operation *module = getOperation()->getParentOp();
  std::string name = "relay" + std::to_string(gridRank);
  if (auto func = SymbolTable::lookupNearestSymbolFrom<task::FuncOp>(
          module, StringAttr::get(&getContext(), name)))
    return func;
  OpBuilder builder(getOperation());
  SmallVector<Type> inputs(gridRank, builder.getIndexType());
  auto func = task::FuncOp::create(builder, getOperation().getLoc(), name,
                                   builder.getFunctionType(inputs, {}));
  builder.setInsertionPointToEnd(&func.getBody().front());
  task::ReturnOp::create(builder, func.getLoc());
  return func;
}

/// An event tensor with one entry per task of `launch`.
event::CreateOp NormalizeEvents::createPerTask(task::LaunchOp launch,
                                               StringRef suffix,
                                               int64_t count) {
  AffineMap grid = launch.getGrid();
  SmallVector<int64_t> extents;
  bool isStatic = true;
  for (AffineExpr extent : grid.getResults()) {
    auto constant = dyn_cast<AffineConstantExpr>(extent);
    isStatic &= bool(constant);
    extents.push_back(constant ? constant.getValue() : ShapedType::kDynamic);
  }
  OpBuilder builder(&getContext());
  builder.setInsertionPoint(getOperation().getLaunches().front());
  return event::CreateOp::create(
      builder, launch.getLoc(),
      event::EventTensorType::get(&getContext(), extents,
                                  event::Carrier::counter),
      (launch.getBody() + suffix).str(), grid,
      AffineMap::getConstantMap(count, &getContext()),
      isStatic ? event::Reuse::monotonic : event::Reuse::banked);
}

task::LaunchOp NormalizeEvents::createRelay(OpBuilder &builder,
                                            task::LaunchOp launch) {
  task::FuncOp body = getRelay(launch.getGridRank());
  return task::LaunchOp::create(
      builder, launch.getLoc(), body.getSymName(), launch.getGrid(),
      ValueRange(), ArrayRef<task::RegionAttr>(), ValueRange(),
      ArrayRef<task::RegionAttr>());
}

/// `launch` waits for one event, which a relay per original event notifies.
void NormalizeEvents::joinWaits(task::LaunchOp launch) {
  unsigned waits = launch.getWaits().size();
  if (waits <= 1)
    return;
  event::CreateOp joined = createPerTask(launch, ".join", waits);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(launch.getGridRank(),
                                                         &getContext());
  OpBuilder builder(launch);
  while (!launch.getWaits().empty()) {
    task::LaunchOp relay = createRelay(builder, launch);
    relay.addWait(launch.getWaits().front(), launch.getWaitMap(0), -1);
    relay.addNotify(joined, identity);
    launch.removeWait(0);
  }
  launch.addWait(joined, identity, -1);
}

/// `launch` notifies one event, which a relay per original event waits for.
void NormalizeEvents::forkNotifies(task::LaunchOp launch) {
  if (launch.getNotifies().size() <= 1)
    return;
  event::CreateOp forked = createPerTask(launch, ".fork", 1);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(launch.getGridRank(),
                                                         &getContext());
  OpBuilder builder(&getContext());
  builder.setInsertionPointAfter(launch);
  while (!launch.getNotifies().empty()) {
    task::LaunchOp relay = createRelay(builder, launch);
    relay.addWait(forked, identity, -1);
    relay.addNotify(launch.getNotifies().front(), launch.getNotifyMap(0));
    launch.removeNotify(0);
  }
  launch.addNotify(forked, identity);
}

/// A relay could not pass a value on.
static bool hasDataEdge(task::LaunchOp launch) {
  return llvm::any_of(launch.getWaits(), analysis::isDataEdge) ||
         llvm::any_of(launch.getNotifies(), analysis::isDataEdge);
}

void NormalizeEvents::runOnOperation() {
  for (task::LaunchOp launch : getOperation().getLaunches()) {
    if (launch.getWaits().size() <= 1 && launch.getNotifies().size() <= 1)
      continue;
    if (hasDataEdge(launch)) {
      launch.emitError("normalize-events: an edge on a data event tensor cannot "
                       "go through a relay; give the task one edge of each kind");
      return signalPassFailure();
    }
    joinWaits(launch);
    forkNotifies(launch);
  }
}
