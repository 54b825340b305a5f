//===- StageActivations.cpp - Inputs that stay in shared memory for a run
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Analysis/EventGraph.h"
#include "lib/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace etc {
#define GEN_PASS_DEF_STAGEACTIVATIONSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// Whether all tasks of the launch see the same of parameter `number`.
static bool isInvariant(LaunchOp launch, unsigned number) {
  if (number < launch.getGridRank() ||
      number >= launch.getGridRank() + launch.getReads().size())
    return false;
  AffineMap offsets =
      launch.getReadRegion(number - launch.getGridRank()).getOffsets();
  return llvm::all_of(offsets.getResults(), llvm::IsaPred<AffineConstantExpr>);
}

/// What a worker streams in a run of the launch's tasks.
static int64_t getRunBytes(LaunchOp launch, LinearOp linear, int64_t workers) {
  auto tile = cast<StreamType>(linear.getWeight().getType()).getTile();
  int64_t tasks = std::max<int64_t>(countTasks(launch, /*symbolValue=*/1), 1);
  return llvm::divideCeil(tasks, workers) * tile.getNumElements() *
         getElementBytes(tile);
}

/// The linear of a body whose input can be kept, or null: there is one place
/// for it in shared memory.
static LinearOp getCandidate(FuncOp body) {
  LinearOp found;
  for (auto linear : body.getBody().front().getOps<LinearOp>()) {
    if (!isa<StreamType>(linear.getWeight().getType()))
      continue;
    if (found || linear.getFirst() || !isa<BlockArgument>(linear.getInput()))
      return {};
    found = linear;
  }
  return found;
}

namespace {
struct StageActivations
    : etc::impl::StageActivationsPassBase<StageActivations> {
  using StageActivationsPassBase::StageActivationsPassBase;

  void runOnOperation() override {
    if (!enabled)
      return markAllAnalysesPreserved();
    llvm::MapVector<FuncOp, bool> bodies;
    llvm::DenseMap<FuncOp, int64_t> runBytes; // of the longest run
    getOperation().walk([&](LaunchOp launch) {
      FuncOp body = launch.getBodyFunc();
      LinearOp linear = getCandidate(body);
      bool isKept =
          linear &&
          isInvariant(launch,
                      cast<BlockArgument>(linear.getInput()).getArgNumber());
      auto [it, isNew] = bodies.try_emplace(body, isKept);
      it->second &= isKept;
      if (isKept)
        runBytes[body] =
            std::max(runBytes[body], getRunBytes(launch, linear, workers));
    });
    for (auto [body, isKept] : bodies) {
      if (!isKept)
        continue;
      LinearOp linear = getCandidate(body);
      OpBuilder builder(linear);
      linear.getFirstMutable().assign(
          FirstTaskOp::create(builder, linear.getLoc()));
      linear.setRunBytes(runBytes[body]);
    }
  }
};
} // namespace
