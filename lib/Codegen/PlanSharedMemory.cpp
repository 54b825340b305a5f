//===- PlanSharedMemory.cpp - The ring and the scratch of a block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Codegen/GpuAttention.h"
#include "lib/Codegen/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
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

int64_t etc::getMostKeptBytes(int64_t bytes) {
  return std::max<int64_t>(bytes - SharedLayout::kTileScratch - kLeastRingBytes,
                           1);
}

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
    int64_t sums = 0;
    int64_t partStage = 0; // the least that keys and values take
    int64_t tile = 0;      // of tiles that are no linears
    llvm::SmallSetVector<int64_t, 4> columns; // of inputs that are kept
    void add(Operation *op);
  };

  int64_t chooseActivations(const Needs &needs) const;
  int64_t placeTables(task::ProgramOp program, int64_t at);
  gpu::GPUModuleOp getDevice(task::ProgramOp program) {
    return getOperation().lookupSymbol<gpu::GPUModuleOp>(
        (program.getSymName() + "_device").str());
  }
  LogicalResult plan(task::ProgramOp program, const Needs &needs) {
    int64_t bytes = this->bytes, stageBytes = this->stageBytes;
    bool streams = needs.streams;
    if (stageBytes <= 0 || stageBytes % 512)
      return program.emitOpError("cannot have stages of ")
             << stageBytes
             << " bytes: stage-bytes is a positive multiple of 512";
    stageBytes = std::max(stageBytes, needs.partStage);
    int64_t fixed = llvm::alignTo(SharedLayout::kScratch + needs.sums,
                                  SharedLayout::kRingAlignment);
    // What tiles share lies over the inputs: a task is one or the other.
    int64_t activations =
        llvm::alignTo(std::max(chooseActivations(needs), needs.tile),
                      SharedLayout::kRingAlignment);
    fixed += activations;
    // Shorter chunks rather than a ring of one or two.
    while (streams &&
           stageBytes / 2 >= std::max(kLeastStageBytes, needs.partStage) &&
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
    int64_t tables = placeTables(program, total);
    total += tables;
    emitRemark(program.getLoc())
        << "shared memory: " << stages << " stages of " << stageBytes
        << " bytes for each of " << kConsumerWarps << " warps, " << needs.sums
        << " of sums, " << activations << " of activations for "
        << int64_t(tokens) << " tokens, " << tables << " of tables, " << total
        << " of " << bytes << " in all"
        << (needs.partStage ? "; keys and values cross the ring" : "");
    OpBuilder b(program);
    task::SharedMemoryOp::create(b, program.getLoc(), program.getSymName(),
                                 kBlockThreads, stages, stageBytes, needs.sums,
                                 activations, tokens, total);
    return success();
  }
};
} // namespace

/// The longest input that steps of `tokens` can keep beside a ring; for longer
/// steps, as much as `activation-bytes`.
int64_t PlanSharedMemory::chooseActivations(const Needs &needs) const {
  int64_t longest = 0, wanted = 0;
  for (int64_t columns : needs.columns) {
    int64_t bytesOfAll = 2 * columns * tokens;
    longest = std::max(longest, columns);
    if (bytesOfAll <= getMostKeptBytes(bytes))
      wanted = std::max(wanted, bytesOfAll);
  }
  int64_t most = 2 * longest * SharedLayout::kMaxTokens;
  return std::min(std::max<int64_t>(wanted, activationBytes), most);
}

/// Puts copies of the program's tables at `at`, if they fit there, and tells
/// those who read them. Returns their bytes.
int64_t PlanSharedMemory::placeTables(task::ProgramOp program, int64_t at) {
  gpu::GPUModuleOp device = getDevice(program);
  task::CopyTablesOp copy;
  if (device)
    device.walk([&](task::CopyTablesOp op) { copy = op; });
  if (!copy)
    return 0;
  OpBuilder b(copy);
  int64_t buffersAt = llvm::alignTo(at, 8),
          launchesAt = buffersAt + 8 * copy.getBuffers(),
          end = launchesAt + 4 * copy.getWords();
  if (end > bytes)
    return 0;
  auto buffers = b.getI64IntegerAttr(buffersAt),
       launches = b.getI64IntegerAttr(launchesAt);
  copy.setLaunchesAtAttr(launches);
  copy.setBuffersAtAttr(buffers);
  device.walk([&](Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case<task::RunOp, task::EventOp>(
            [&](auto reader) { reader.setLaunchesAtAttr(launches); })
        .Case([&](task::OperandOp operand) {
          operand.setLaunchesAtAttr(launches);
          operand.setBuffersAtAttr(buffers);
        })
        .Case([&](task::EnterStepOp enter) {
          enter.setBuffersAttr(copy.getBuffersAttr());
          enter.setBuffersAtAttr(buffers);
        });
  });
  return end - at;
}

void PlanSharedMemory::Needs::add(Operation *op) {
  streams |= isa<task::StreamOp, task::StreamPartOp>(op);
  if (auto part = dyn_cast<task::StreamPartOp>(op))
    partStage = std::max(partStage, PartUnits::getHalfBytes(cast<MemRefType>(
                                        part.getCache().getType())));
  if (auto split = dyn_cast<task::SplitAttentionOp>(op)) {
    auto partial = cast<MemRefType>(split.getPartial().getType());
    tile = std::max(tile, hasMmaAttention(split)
                              ? getMmaAttentionScratch(split)
                              : 4 * kConsumerWarps * partial.getDimSize(1) *
                                    partial.getDimSize(3));
  } else if (isa<task::MergeSplitsOp>(op)) {
    tile = std::max<int64_t>(tile, 16 * kConsumers);
  } else if (isa<task::ArgmaxOp>(op)) {
    tile = std::max<int64_t>(tile, 8 * kConsumerWarps);
  }
  if (tile || isa<task::StreamOp, task::RMSNormOp>(op))
    sums = SharedLayout::kPartialSumBytes;
  auto linear = dyn_cast<task::LinearOp>(op);
  if (linear && linear.getFirst())
    columns.insert(cast<MemRefType>(linear.getInput().getType()).getDimSize(1));
}
