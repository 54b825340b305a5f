//===- LaunchOrder.cpp - Which launches are complete before which begin
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/LaunchOrder.h"

using namespace mlir;
using namespace etc;
using namespace etc::analysis;

bool etc::analysis::isDataEdge(Value event) {
  return cast<event::EventTensorType>(event.getType()).getCarrier() ==
         event::Carrier::data;
}

bool etc::analysis::isCarriedEdge(Value event) {
  auto create = event.getDefiningOp<event::CreateOp>();
  return create && create.getReuse() == event::Reuse::carried;
}

bool etc::analysis::isFullEdge(event::CreateOp event) {
  return event.getTensor().getType().getRank() == 0;
}

bool etc::analysis::isOntoEdge(event::CreateOp event, task::LaunchOp waiter,
                               AffineMap waitMap) {
  llvm::SmallBitVector used(waiter.getGridRank());
  for (auto [result, extent] :
       llvm::zip(waitMap.getResults(), event.getShape().getResults())) {
    AffineExpr expr = result;
    int64_t divisor = 1;
    if (auto division = dyn_cast<AffineBinaryOpExpr>(expr);
        division && division.getKind() == AffineExprKind::FloorDiv)
      if (auto constant = dyn_cast<AffineConstantExpr>(division.getRHS())) {
        divisor = constant.getValue();
        expr = division.getLHS();
      }
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim || used.test(dim.getPosition()))
      return false;
    used.set(dim.getPosition());
    AffineMap grid = waiter.getGrid();
    unsigned symbols = std::max(grid.getNumSymbols(),
                                event.getShape().getNumSymbols());
    if (simplifyAffineExpr(grid.getResult(dim.getPosition()).ceilDiv(divisor),
                           0, symbols) !=
        simplifyAffineExpr(extent, 0, symbols))
      return false;
  }
  return true;
}

unsigned LaunchOrder::addLaunch(task::LaunchOp launch) {
  unsigned index = full.size();
  indices[launch] = index;
  full.emplace_back(index);
  reach.emplace_back(index);
  return index;
}

void LaunchOrder::addEdge(unsigned from, bool isFull, bool isOnto) {
  // Sets of an earlier launch are shorter: a bit vector grows to fit.
  auto merge = [&](llvm::BitVector &into, const llvm::BitVector &set) {
    for (unsigned i : set.set_bits())
      into.set(i);
  };
  llvm::BitVector &before = full.back();
  merge(before, full[from]);
  if (isFull) {
    merge(before, reach[from]);
    before.set(from);
  }
  if (isFull || isOnto) {
    merge(reach.back(), reach[from]);
    reach.back().set(from);
  }
  merge(reach.back(), before);
}

LaunchOrder::LaunchOrder(task::GraphOp graph) {
  llvm::MapVector<Value, SmallVector<unsigned>> notifiers;
  for (task::LaunchOp launch : graph.getLaunches()) {
    addLaunch(launch);
    for (auto [i, tensor] : llvm::enumerate(launch.getWaits())) {
      // A value orders nothing in memory beside itself.
      if (isDataEdge(tensor) || isCarriedEdge(tensor))
        continue;
      auto event = tensor.getDefiningOp<event::CreateOp>();
      bool isOnto = isOntoEdge(event, launch, launch.getWaitMap(i));
      for (unsigned from : notifiers.lookup(tensor))
        addEdge(from, isFullEdge(event), isOnto);
    }
    for (Value tensor : launch.getNotifies())
      notifiers[tensor].push_back(size() - 1);
  }
}
