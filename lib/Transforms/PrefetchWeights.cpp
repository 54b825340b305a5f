//===- PrefetchWeights.cpp - Load weights before a task's events
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include <map>

namespace etc {
#define GEN_PASS_DEF_PREFETCHWEIGHTSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

namespace {
/// Positions of task.linear operations among those of a body's entry block.
using Positions = SmallVector<unsigned>;

struct PrefetchWeights : etc::impl::PrefetchWeightsPassBase<PrefetchWeights> {
  using PrefetchWeightsPassBase::PrefetchWeightsPassBase;
  void runOnOperation() override;
};
} // namespace

/// What a value is a view of.
static Value getViewed(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  return value;
}

/// The operations of the entry block that compute `value`, in order; nothing if
/// one of them may not run before the events.
static std::optional<SetVector<Operation *>> getSlice(FuncOp body,
                                                      Value value) {
  SetVector<Operation *> slice;
  if (!value.getDefiningOp())
    return slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  if (failed(getBackwardSlice(value, &slice, options)))
    return std::nullopt;
  for (Operation *op : slice)
    if (op->getBlock() != &body.getBody().front() || op->getNumRegions() != 0 ||
        !isMemoryEffectFree(op))
      return std::nullopt;
  return slice;
}

/// The linears of a body whose weight may be streamed if parameter
/// `isWeight(parameter)` is bound to a weight.
static Positions findStreamable(FuncOp body,
                                function_ref<bool(unsigned)> isWeight) {
  Positions positions;
  for (auto [i, linear] :
       llvm::enumerate(body.getBody().front().getOps<LinearOp>())) {
    if (isa<StreamType>(linear.getWeight().getType()))
      continue;
    auto parameter = dyn_cast<BlockArgument>(getViewed(linear.getWeight()));
    if (parameter && parameter.getOwner() == &body.getBody().front() &&
        isWeight(parameter.getArgNumber()) &&
        getSlice(body, linear.getWeight()))
      positions.push_back(i);
  }
  return positions;
}

/// The body's `task.ready`; one at its begin if it has none.
static ReadyOp getOrCreateReady(FuncOp body) {
  if (ReadyOp ready = body.getReady())
    return ready;
  auto builder = OpBuilder::atBlockBegin(&body.getBody().front());
  return ReadyOp::create(builder, body.getLoc());
}

/// Moves what computes `value` before `ready`.
static void moveSlice(FuncOp body, Value value, ReadyOp ready) {
  SetVector<Operation *> slice = *getSlice(body, value);
  for (Operation *op : slice)
    if (!op->isBeforeInBlock(ready))
      op->moveBefore(ready);
}

static void prefetch(FuncOp body, ArrayRef<unsigned> positions) {
  auto linears = llvm::to_vector(body.getBody().front().getOps<LinearOp>());
  OpBuilder builder(body);
  ReadyOp ready = getOrCreateReady(body);
  for (unsigned position : positions) {
    LinearOp linear = linears[position];
    moveSlice(body, linear.getWeight(), ready);
    builder.setInsertionPoint(ready);
    auto tile = cast<MemRefType>(linear.getWeight().getType());
    auto stream = StreamOp::create(builder, linear.getLoc(),
                                   StreamType::get(body.getContext(), tile),
                                   linear.getWeight(), /*pace=*/IntegerAttr());
    linear.getWeightMutable().assign(stream.getStream());
  }
}

/// Whether all launches bind an input of the step to what `value` views.
static bool isInput(FuncOp body, Value value, ArrayRef<LaunchOp> launches) {
  auto parameter = dyn_cast<BlockArgument>(getViewed(value));
  if (!parameter || parameter.getOwner() != &body.getBody().front())
    return false;
  return llvm::all_of(launches, [&](LaunchOp launch) {
    unsigned read = parameter.getArgNumber() - launch.getGridRank();
    if (parameter.getArgNumber() < launch.getGridRank() ||
        read >= launch.getReads().size())
      return false;
    auto argument =
        getViewed(launch.getReads()[read]).getDefiningOp<ArgumentOp>();
    return argument && argument.getRole() == Role::input;
  });
}

/// Hints at the keys and values of each part, which only the step's inputs choose.
static void prefetchParts(FuncOp body, ArrayRef<LaunchOp> launches) {
  Block &entry = body.getBody().front();
  if (!entry.getOps<PrefetchPartOp>().empty())
    return;
  for (auto split : llvm::to_vector(entry.getOps<SplitAttentionOp>())) {
    SmallVector<Value> inputs = {split.getSeq(), split.getPos(),
                                 split.getBlockTable()};
    SmallVector<Value> others = {split.getCache(), split.getSequence(),
                                 split.getHead(), split.getPart()};
    auto isMovable = [&](Value value) {
      return getSlice(body, value).has_value();
    };
    auto isChosen = [&](Value value) { return isInput(body, value, launches); };
    if (!llvm::all_of(inputs, isChosen) || !llvm::all_of(inputs, isMovable) ||
        !llvm::all_of(others, isMovable))
      continue;
    ReadyOp ready = getOrCreateReady(body);
    for (Value value : llvm::concat<Value>(inputs, others))
      moveSlice(body, value, ready);
    OpBuilder builder(ready);
    PrefetchPartOp::create(builder, split.getLoc(), split.getSeq(),
                           split.getPos(), split.getBlockTable(),
                           split.getCache(), split.getSequence(),
                           split.getHead(), split.getPart(),
                           split.getPartsAttr());
  }
}

/// A copy of `body` of another name, for the launches that bind weights.
static FuncOp cloneBody(FuncOp body, SymbolTable &symbols) {
  auto copy = cast<FuncOp>(body->clone());
  copy.setSymName((body.getSymName() + "_streamed").str());
  symbols.insert(copy, std::next(Block::iterator(body)));
  return copy;
}

void PrefetchWeights::runOnOperation() {
  if (!enabled)
    return markAllAnalysesPreserved();
  SymbolTable symbols(getOperation());
  // For each body, its launches by what they may stream.
  llvm::MapVector<FuncOp, std::map<Positions, SmallVector<LaunchOp>>> uses;
  getOperation().walk([&](LaunchOp launch) {
    FuncOp body = launch.getBodyFunc();
    auto isWeight = [&](unsigned parameter) {
      if (parameter < launch.getGridRank() ||
          parameter >= launch.getGridRank() + launch.getReads().size())
        return false;
      Value buffer =
          getViewed(launch.getReads()[parameter - launch.getGridRank()]);
      auto argument = buffer.getDefiningOp<ArgumentOp>();
      return argument && argument.getRole() == Role::weight;
    };
    uses[body][findStreamable(body, isWeight)].push_back(launch);
  });
  for (auto &[body, launchesOf] : uses) {
    SmallVector<LaunchOp> all;
    for (auto &[positions, launches] : launchesOf)
      llvm::append_range(all, launches);
    if (parts)
      prefetchParts(body, all);
    for (auto &[positions, launches] : launchesOf) {
      if (positions.empty())
        continue;
      bool isShared = launchesOf.size() > 1;
      FuncOp streamed = isShared ? cloneBody(body, symbols) : body;
      prefetch(streamed, positions);
      for (LaunchOp launch : launches)
        launch.setBody(streamed.getSymName());
    }
  }
}
