//===- PlanGlobalMemory.cpp - Offsets of the scratch buffers
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/BufferAccess.h"
#include "lib/Analysis/LaunchOrder.h"
#include "lib/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace etc {
#define GEN_PASS_DEF_PLANGLOBALMEMORYPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::analysis;

namespace {
constexpr int64_t kAlignment = 256;

/// A scratch buffer, where it is used and where it lies.
struct Lifetime {
  task::ScratchOp buffer;
  int64_t bytes = 0;
  SmallVector<unsigned> launches; // ascending
  int64_t offset = 0;
};

struct PlanGlobalMemory : etc::impl::PlanGlobalMemoryPassBase<PlanGlobalMemory> {
  using PlanGlobalMemoryPassBase::PlanGlobalMemoryPassBase;
  void runOnOperation() override;

private:
  int64_t getBytes(task::ScratchOp buffer);
  SmallVector<Lifetime> collect(const LaunchOrder &order);
};
} // namespace

/// Bytes at the maxima of the symbols.
int64_t PlanGlobalMemory::getBytes(task::ScratchOp buffer) {
  SmallVector<Attribute> maxima;
  Builder builder(&getContext());
  for (auto symbol : getOperation().getSymbols().getAsRange<task::SymbolAttr>())
    maxima.push_back(builder.getIndexAttr(symbol.getMax()));
  maxima.resize(buffer.getShape().getNumSymbols());
  SmallVector<Attribute> extents;
  (void)buffer.getShape().constantFold(maxima, extents);
  auto type = cast<MemRefType>(buffer.getBuffer().getType());
  int64_t bytes = task::getElementBytes(type);
  for (Attribute extent : extents)
    bytes *= cast<IntegerAttr>(extent).getInt();
  return llvm::alignTo(bytes, kAlignment);
}

SmallVector<Lifetime> PlanGlobalMemory::collect(const LaunchOrder &order) {
  llvm::MapVector<Value, Lifetime> lifetimes;
  for (auto buffer : getOperation().getOps<task::ScratchOp>())
    lifetimes[buffer.getBuffer()] = {buffer, getBytes(buffer), {}, 0};
  for (task::LaunchOp launch : getOperation().getLaunches())
    for (const BufferAccess &access : getBufferAccesses(launch)) {
      auto it = lifetimes.find(access.buffer);
      if (it == lifetimes.end())
        continue;
      SmallVector<unsigned> &launches = it->second.launches;
      if (launches.empty() || launches.back() != order.indexOf(launch))
        launches.push_back(order.indexOf(launch));
    }
  SmallVector<Lifetime> result;
  for (auto &[value, lifetime] : lifetimes)
    result.push_back(lifetime);
  llvm::stable_sort(result, [](const Lifetime &a, const Lifetime &b) {
    return std::lexicographical_compare(a.launches.begin(), a.launches.end(),
                                        b.launches.begin(), b.launches.end());
  });
  return result;
}

/// Whether every use of `a` is finished before any use of `b` begins. Never of
/// tagged memory: another's bytes could look like this step's epoch.
static bool isBefore(Lifetime a, Lifetime b, const LaunchOrder &order) {
  if (task::isTagged(a.buffer.getBuffer().getType()) ||
      task::isTagged(b.buffer.getBuffer().getType()))
    return false;
  return llvm::all_of(a.launches, [&](unsigned x) {
    return llvm::all_of(b.launches,
                        [&](unsigned y) { return order.isBefore(x, y); });
  });
}

void PlanGlobalMemory::runOnOperation() {
  LaunchOrder order(getOperation());
  SmallVector<Lifetime> lifetimes = collect(order);
  Builder builder(&getContext());
  for (auto [i, lifetime] : llvm::enumerate(lifetimes)) {
    // The buffers that must lie elsewhere, by offset; first fit between them.
    SmallVector<const Lifetime *> apart;
    for (const Lifetime &other : ArrayRef(lifetimes).take_front(i))
      if (!reuse || !(isBefore(other, lifetime, order) ||
                      isBefore(lifetime, other, order)))
        apart.push_back(&other);
    llvm::sort(apart, [](const Lifetime *a, const Lifetime *b) {
      return a->offset < b->offset;
    });
    for (const Lifetime *other : apart)
      if (lifetime.offset < other->offset + other->bytes &&
          other->offset < lifetime.offset + lifetime.bytes)
        lifetime.offset = other->offset + other->bytes;
    lifetime.buffer.setOffset(lifetime.offset);
  }
}
