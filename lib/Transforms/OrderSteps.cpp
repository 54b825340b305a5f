//===- OrderSteps.cpp - Order one step of a graph after the one before
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which launches touch memory that a launch of the next step touches, too, one
// of them writing? One event carries the order: the last of them notify it, and
// the first of the next step wait for it. Steps may differ in their sizes, so
// that the order is one of whole launches and the event has no dimensions.
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventOps.h"
#include "lib/Analysis/BufferAccess.h"
#include "lib/Analysis/EventGraph.h"
#include "lib/Analysis/LaunchOrder.h"
#include "lib/Transforms/Passes.h"

namespace etc {
#define GEN_PASS_DEF_ORDERSTEPSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::analysis;

namespace {
/// What launches of two steps may both touch.
struct Memory {
  Value buffer;
  int64_t begin = 0, end = 0; // bytes of placed scratch memory

  bool isPlaced() const { return end > begin; }
  bool overlaps(const Memory &next) const;
};

struct Use {
  Memory memory;
  bool isWrite, isTagged;
};

struct OrderSteps : etc::impl::OrderStepsPassBase<OrderSteps> {
  using OrderStepsPassBase::OrderStepsPassBase;
  void runOnOperation() override;

private:
  SmallVector<SmallVector<Use>> collect();
  llvm::BitVector findLast(const llvm::BitVector &wanted);
  llvm::BitVector findFirst(const llvm::BitVector &wanted);

  SmallVector<task::LaunchOp, 0> launches;
};
} // namespace

/// Whether the caller may give a step the output of another as its input.
static bool isFeedback(Value a, Value b) {
  auto x = a.getDefiningOp<task::ArgumentOp>();
  auto y = b.getDefiningOp<task::ArgumentOp>();
  auto element = [](Value value) {
    return cast<MemRefType>(value.getType()).getElementType();
  };
  auto isPair = [](task::ArgumentOp out, task::ArgumentOp in) {
    return out.getRole() == task::Role::output &&
           in.getRole() == task::Role::input;
  };
  return x && y && (isPair(x, y) || isPair(y, x)) && element(a) == element(b);
}

/// Whether `next`, in the step after, may be the same bytes.
bool Memory::overlaps(const Memory &next) const {
  if (buffer == next.buffer)
    return true;
  if (isPlaced() && next.isPlaced())
    return begin < next.end && next.begin < end;
  return isFeedback(buffer, next.buffer);
}

static bool conflict(const Use &earlier, const Use &later) {
  if (!earlier.isWrite && !later.isWrite)
    return false;
  // Readers of tagged memory wait for the words of their own step.
  if (earlier.isTagged && !later.isWrite)
    return false;
  return earlier.memory.overlaps(later.memory);
}

SmallVector<SmallVector<Use>> OrderSteps::collect() {
  SmallVector<int64_t> maxima = getSymbolMaxima(getOperation());
  SmallVector<SmallVector<Use>> uses;
  for (task::LaunchOp launch : launches) {
    uses.emplace_back();
    for (const BufferAccess &access : getBufferAccesses(launch)) {
      Memory memory{access.buffer};
      auto scratch = access.buffer.getDefiningOp<task::ScratchOp>();
      FailureOr<int64_t> bytes = getBufferBytes(access.buffer, maxima);
      if (scratch && scratch.getOffset() && succeeded(bytes)) {
        memory.begin = *scratch.getOffset();
        memory.end = memory.begin + *bytes;
      }
      uses.back().push_back(
          {memory, access.isWrite, task::isTagged(access.buffer.getType())});
    }
  }
  return uses;
}

/// Those of `wanted` without which some task of `wanted` would come before none
/// of the others.
llvm::BitVector OrderSteps::findLast(const llvm::BitVector &wanted) {
  LaunchOrder order(getOperation());
  llvm::BitVector last(wanted.size()), covered(wanted.size());
  for (unsigned i = wanted.size(); i-- > 0;) {
    for (unsigned later : covered.set_bits())
      if (order.reaches(i, later)) {
        covered.set(i);
        break;
      }
    if (wanted.test(i) && !covered.test(i)) {
      last.set(i);
      covered.set(i);
    }
  }
  return last;
}

/// Those of `wanted` without which some task of `wanted` would come after none
/// of the others. A task that waits for an entry comes after a task of every
/// launch that notifies the tensor, or of one of them.
llvm::BitVector OrderSteps::findFirst(const llvm::BitVector &wanted) {
  llvm::MapVector<Value, bool> areCovered; // the notifiers of an event so far
  llvm::BitVector first(wanted.size());
  for (auto [i, launch] : llvm::enumerate(launches)) {
    bool covered = false;
    for (Value event : task::LaunchOp(launch).getWaits())
      covered |= !isDataEdge(event) && areCovered.lookup(event);
    if (wanted.test(i) && !covered) {
      first.set(i);
      covered = true;
    }
    for (Value event : task::LaunchOp(launch).getNotifies()) {
      auto [it, isNew] = areCovered.try_emplace(event, covered);
      if (!isNew)
        it->second &= covered;
    }
  }
  return first;
}

void OrderSteps::runOnOperation() {
  if (!enabled)
    return;
  launches = getOperation().getLaunches();
  for (task::LaunchOp launch : launches)
    if (llvm::any_of(launch.getWaits(), isCarriedEdge)) {
      launch.emitError("order-steps: the launch waits for the step before "
                       "already");
      return signalPassFailure();
    }
  SmallVector<SmallVector<Use>> uses = collect();
  llvm::BitVector earlier(launches.size()), later(launches.size());
  for (auto [p, producer] : llvm::enumerate(uses))
    for (auto [c, consumer] : llvm::enumerate(uses))
      for (const Use &mine : producer)
        if (llvm::any_of(consumer,
                         [&](const Use &its) { return conflict(mine, its); })) {
          earlier.set(p);
          later.set(c);
        }
  if (earlier.none())
    return;

  llvm::BitVector last = findLast(earlier), first = findFirst(later);
  MLIRContext *context = &getContext();
  AffineExpr count = getAffineConstantExpr(0, context);
  for (unsigned i : last.set_bits()) {
    AffineExpr tasks = getAffineConstantExpr(1, context);
    for (AffineExpr extent : launches[i].getGrid().getResults())
      tasks = tasks * extent;
    count = count + tasks;
  }
  unsigned symbols = getOperation().getNumSymbols();
  OpBuilder builder(launches.front());
  auto event = event::CreateOp::create(
      builder, getOperation().getLoc(),
      event::EventTensorType::get(context, {}, event::Carrier::counter), "step",
      AffineMap::get(0, symbols, context),
      AffineMap::get(0, symbols, simplifyAffineExpr(count, 0, symbols)),
      event::Reuse::carried);
  for (auto [i, launch] : llvm::enumerate(launches)) {
    auto map = AffineMap::get(launch.getGridRank(), 0, context);
    if (first.test(i))
      launch.addWait(event, map, /*guard=*/-1);
    if (last.test(i))
      launch.addNotify(event, map);
  }
}
