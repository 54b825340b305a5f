//===- FuseEvents.cpp - Merge event tensors that say the same
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventOps.h"
#include "dialects/task/TaskOps.h"
#include "lib/Analysis/LaunchOrder.h"
#include "lib/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"
#include <map>

namespace etc {
#define GEN_PASS_DEF_FUSEEVENTSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
/// One end of an edge: the launch and its map to the event's entries.
struct End {
  task::LaunchOp launch;
  unsigned position;
  AffineMap map;
};
struct Ends {
  SmallVector<End, 2> notifiers, waiters;
};
using EventEnds = llvm::MapVector<Value, Ends>;

struct FuseEvents : etc::impl::FuseEventsPassBase<FuseEvents> {
  void runOnOperation() override;

private:
  EventEnds collect();
  bool fuseSamePredecessors(EventEnds &events);
  bool fuseSameSuccessors(EventEnds &events);
  void absorb(Value into, Value from, ArrayRef<End> notifiers);
  bool dropImpliedWaits(EventEnds &events);
  bool eraseUnwaited(EventEnds &events);
};
} // namespace

static event::CreateOp createOf(Value tensor) {
  return tensor.getDefiningOp<event::CreateOp>();
}

/// What two tensors must agree on, for a map lookup instead of all pairs.
using Key = std::vector<const void *>;

static void addEnds(Key &key, ArrayRef<End> ends) {
  for (const End &end : ends) {
    key.push_back(task::LaunchOp(end.launch).getOperation());
    key.push_back(end.map.getAsOpaquePointer());
  }
}

static Key getKey(Value tensor, ArrayRef<End> ends) {
  Key key = {tensor.getType().getAsOpaquePointer(),
             createOf(tensor).getShape().getAsOpaquePointer()};
  addEnds(key, ends);
  return key;
}

EventEnds FuseEvents::collect() {
  EventEnds events;
  // Edges on data tensors are the bodies' own and stay as they are.
  auto isOwn = analysis::isDataEdge;
  for (auto create : getOperation().getOps<event::CreateOp>())
    if (!isOwn(create.getTensor()))
      events[create.getTensor()];
  for (task::LaunchOp launch : getOperation().getLaunches()) {
    for (auto [i, tensor] : llvm::enumerate(launch.getNotifies()))
      if (!isOwn(tensor))
        events[tensor].notifiers.push_back(
            {launch, unsigned(i), launch.getNotifyMap(i)});
    for (auto [i, tensor] : llvm::enumerate(launch.getWaits()))
      if (!isOwn(tensor))
        events[tensor].waiters.push_back(
            {launch, unsigned(i), launch.getWaitMap(i)});
  }
  return events;
}

/// Waits for `from` become waits for `into`; a launch waits once for a map.
static void redirectWaits(Value from, Value into) {
  for (OpOperand &use : llvm::make_early_inc_range(from.getUses())) {
    auto launch = cast<task::LaunchOp>(use.getOwner());
    unsigned first = launch.getWaits().getBeginOperandIndex();
    if (use.getOperandNumber() < first ||
        use.getOperandNumber() >= first + launch.getWaits().size())
      continue;
    unsigned position = use.getOperandNumber() - first;
    AffineMap map = launch.getWaitMap(position);
    for (auto [i, tensor] : llvm::enumerate(launch.getWaits()))
      if (tensor == into && launch.getWaitMap(i) == map) {
        // One wait that now protects two operands protects all.
        SmallVector<int64_t> guards(launch.getGuards());
        if (guards[i] != guards[position])
          guards[i] = -1;
        launch.setGuards(guards);
        launch.removeWait(position);
        map = AffineMap();
        break;
      }
    if (map)
      use.set(into);
  }
}

bool FuseEvents::fuseSamePredecessors(EventEnds &events) {
  std::map<Key, Value> seen;
  bool changed = false;
  for (auto &[tensor, ends] : events) {
    Key key = getKey(tensor, ends.notifiers);
    key.push_back(createOf(tensor).getCount().getAsOpaquePointer());
    auto [it, inserted] = seen.try_emplace(key, tensor);
    if (inserted)
      continue;
    redirectWaits(tensor, it->second);
    changed = true;
  }
  return changed;
}

/// `into` takes over the notifications of `from`, and its count.
void FuseEvents::absorb(Value into, Value from, ArrayRef<End> notifiers) {
  event::CreateOp target = createOf(into);
  unsigned symbols = getOperation().getNumSymbols();
  AffineExpr sum = simplifyAffineExpr(target.getCount().getResult(0) +
                                          createOf(from).getCount().getResult(0),
                                      0, symbols);
  target.setCount(AffineMap::get(0, symbols, sum));
  if (!isa<AffineConstantExpr>(sum))
    target.setReuse(event::Reuse::banked);
  redirectWaits(from, into);
  for (const End &end : notifiers) {
    task::LaunchOp launch = end.launch;
    launch.getNotifiesMutable()[end.position].set(into);
  }
}

bool FuseEvents::fuseSameSuccessors(EventEnds &events) {
  std::map<Key, Value> seen;
  bool changed = false;
  for (auto &[tensor, ends] : events) {
    auto [it, inserted] =
        seen.try_emplace(getKey(tensor, ends.waiters), tensor);
    if (inserted)
      continue;
    absorb(it->second, tensor, ends.notifiers);
    changed = true;
  }
  return changed;
}

/// A wait for entry e of X is implied by a wait for the whole of Y if every task
/// that notifies X notifies Y too.
bool FuseEvents::dropImpliedWaits(EventEnds &events) {
  auto notifiesToo = [&](Value x, Value y) {
    return llvm::all_of(events[x].notifiers, [&](const End &end) {
      return llvm::any_of(events[y].notifiers, [&](const End &other) {
        return other.launch == end.launch;
      });
    });
  };
  auto implies = [&](Value y, Value x) {
    int64_t rank = createOf(x).getTensor().getType().getRank();
    return x != y && events.contains(y) && createOf(y).getTensor().getType().getRank() == 0 &&
           notifiesToo(x, y) &&
           (rank != 0 ||
            events[x].notifiers.size() < events[y].notifiers.size());
  };
  bool changed = false;
  for (task::LaunchOp launch : getOperation().getLaunches())
    for (unsigned i = launch.getWaits().size(); i-- > 0;) {
      Value x = launch.getWaits()[i];
      if (!events.contains(x))
        continue;
      if (llvm::any_of(launch.getWaits(),
                       [&](Value y) { return implies(y, x); })) {
        launch.removeWait(i);
        changed = true;
      }
    }
  return changed;
}

bool FuseEvents::eraseUnwaited(EventEnds &events) {
  bool changed = false;
  for (auto &[tensor, ends] : events) {
    if (!ends.waiters.empty())
      continue;
    for (OpOperand &use : llvm::make_early_inc_range(tensor.getUses())) {
      auto launch = cast<task::LaunchOp>(use.getOwner());
      launch.removeNotify(use.getOperandNumber() -
                          launch.getNotifies().getBeginOperandIndex());
    }
    createOf(tensor).erase();
    changed = true;
  }
  return changed;
}

void FuseEvents::runOnOperation() {
  // Each rule removes a wait or an event, so this ends.
  for (bool changed = true; changed;) {
    EventEnds events = collect();
    changed = eraseUnwaited(events);
    if (changed)
      continue;
    changed = fuseSamePredecessors(events) || dropImpliedWaits(events) ||
              fuseSameSuccessors(events);
  }
}
