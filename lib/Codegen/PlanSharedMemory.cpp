//===- PlanSharedMemory.cpp - The ring and the scratch of a block
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Codegen/GpuBuilder.h"
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

namespace {
struct PlanSharedMemory
    : etc::impl::PlanSharedMemoryPassBase<PlanSharedMemory> {
  using PlanSharedMemoryPassBase::PlanSharedMemoryPassBase;

  void runOnOperation() override {
    bool streams =
        getOperation()
            .walk([](task::StreamOp) { return WalkResult::interrupt(); })
            .wasInterrupted();
    bool sums = getOperation()
                    .walk([](Operation *op) {
                      return isa<task::StreamOp, task::RMSNormOp>(op)
                                 ? WalkResult::interrupt()
                                 : WalkResult::advance();
                    })
                    .wasInterrupted();
    for (auto program : getOperation().getOps<task::ProgramOp>())
      if (failed(plan(program, streams, sums)))
        return signalPassFailure();
  }

  LogicalResult plan(task::ProgramOp program, bool streams, bool sums) {
    int64_t bytes = this->bytes, stageBytes = this->stageBytes;
    if (stageBytes <= 0 || stageBytes % 512)
      return program.emitOpError("cannot have stages of ")
             << stageBytes
             << " bytes: stage-bytes is a positive multiple of 512";
    int64_t scratch = sums ? SharedLayout::kPartialSumBytes : 0;
    int64_t fixed = llvm::alignTo(SharedLayout::kScratch + scratch,
                                  SharedLayout::kRingAlignment);
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
        << " of scratch, " << total << " of " << bytes << " in all";
    OpBuilder b(program);
    task::SharedMemoryOp::create(b, program.getLoc(), program.getSymName(),
                                 kBlockThreads, stages, stageBytes, scratch,
                                 total);
    return success();
  }
};
} // namespace
