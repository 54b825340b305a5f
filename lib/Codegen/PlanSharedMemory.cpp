//===- PlanSharedMemory.cpp - The ring and the scratch of a block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Codegen/GpuAttention.h"
#include "lib/Codegen/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/MathExtras.h"

namespace etc {
#define GEN_PASS_DEF_PLANSHAREDMEMORYPASS
#include "lib/Codegen/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

/// Two stages keep 90 % of the memory's bandwidth busy, three nearly all of it.
static constexpr int64_t kMinStages = 3;
static constexpr int64_t kLeastStageBytes = 1024;
/// Covers the latency of the memory at its full speed about twice.
static constexpr int64_t kLeastRingBytes = 64 * 1024;

namespace {
struct PlanSharedMemory
    : etc::impl::PlanSharedMemoryPassBase<PlanSharedMemory> {
  using PlanSharedMemoryPassBase::PlanSharedMemoryPassBase;

  void runOnOperation() override {
    Needs needs;
    getOperation().walk([&](Operation *op) { needs.add(op); });
    for (auto program : getOperation().getOps<task::ProgramOp>())
      if (failed(plan(program, needs)))
        return signalPassFailure();
  }

private:
  /// What the operations of all bodies ask for.
  struct Needs {
    bool streams = false;
    int64_t scratch = 0;
    int64_t columns = 0; // of the longest input that is kept
    void add(Operation *op);
  };

  int64_t chooseActivations(const Needs &needs, int64_t fixed) const;
  LogicalResult plan(task::ProgramOp program, const Needs &needs) {
    int64_t bytes = this->bytes, stageBytes = this->stageBytes;
    bool streams = needs.streams;
    if (stageBytes <= 0 || stageBytes % 512)
      return program.emitOpError("cannot have stages of ")
             << stageBytes
             << " bytes: stage-bytes is a positive multiple of 512";
    int64_t scratch = needs.scratch;
    int64_t fixed = llvm::alignTo(SharedLayout::kScratch + scratch,
                                  SharedLayout::kRingAlignment);
    int64_t activations = chooseActivations(needs, fixed);
    fixed += activations;
    // Shorter chunks rather than a ring of one or two.
    while (streams && stageBytes > kLeastStageBytes &&
           bytes < fixed + kMinStages * kConsumerWarps * stageBytes)
      stageBytes /= 2;
    int64_t perStage = kConsumerWarps * stageBytes;
    int64_t stages = 0;
    if (streams) {
      stages = std::min<int64_t>((bytes - fixed) / perStage,
                                 SharedLayout::kMaxStages);
      if (bytes < fixed + kMinStages * perStage)
        return program.emitOpError("needs ")
               << fixed + kMinStages * perStage
               << " bytes of shared memory for a ring of three "
               << "stages, the target has " << bytes
               << ": choose smaller stages (stage-bytes)";
    }
    int64_t total = streams ? fixed + stages * perStage : fixed;
    if (total > bytes)
      return program.emitOpError("needs ")
             << total << " bytes of shared memory, the target has " << bytes;
    emitRemark(program.getLoc())
        << "shared memory: " << stages << " stages of " << stageBytes
        << " bytes for each of " << kConsumerWarps << " warps, " << scratch
        << " of scratch, " << activations << " of activations, " << total << " of " << bytes << " in all";
    OpBuilder b(program);
    task::SharedMemoryOp::create(b, program.getLoc(), program.getSymName(),
                                 kBlockThreads, stages, stageBytes, scratch,
                                 activations, total);
    return success();
  }
};
} // namespace

/// All that the steps that matter keep, if that leaves a ring; for longer steps,
/// as much as `activation-bytes`.
int64_t PlanSharedMemory::chooseActivations(const Needs &needs,
                                            int64_t fixed) const {
  int64_t perToken = 2 * needs.columns;
  int64_t wanted = std::min(perToken * tokens, bytes - fixed - kLeastRingBytes);
  int64_t most = perToken * SharedLayout::kMaxTokens;
  return llvm::alignTo(
      std::min(std::max<int64_t>(wanted, activationBytes), most),
      SharedLayout::kRingAlignment);
}

void PlanSharedMemory::Needs::add(Operation *op) {
  streams |= isa<task::StreamOp>(op);
  int64_t tile = 0;
  if (auto split = dyn_cast<task::SplitAttentionOp>(op)) {
    auto partial = cast<MemRefType>(split.getPartial().getType());
    tile = hasMmaAttention(split) ? getMmaAttentionScratch(split)
                                  : 4 * kConsumerWarps * partial.getDimSize(1) *
                                        partial.getDimSize(3);
  } else if (isa<task::MergeSplitsOp>(op)) {
    tile = 16 * kConsumers;
  } else if (isa<task::ArgmaxOp>(op)) {
    tile = 8 * kConsumerWarps;
  }
  if (tile)
    scratch = std::max(scratch, SharedLayout::kPartialSumBytes + tile);
  if (isa<task::StreamOp, task::RMSNormOp>(op))
    scratch = std::max(scratch, SharedLayout::kPartialSumBytes);
  if (auto linear = dyn_cast<task::LinearOp>(op); linear && linear.getFirst()) {
    int64_t columns =
        cast<MemRefType>(linear.getInput().getType()).getDimSize(1);
    this->columns = std::max(this->columns, columns);
  }
}
