//===- VerifyPersistent.cpp - Check the persistent level
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventOps.h"
#include "dialects/task/TaskOps.h"
#include "lib/Conversion/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace etc {
#define GEN_PASS_DEF_VERIFYPERSISTENTPASS
#include "lib/Conversion/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// The case of a dispatch on the kind of a run that holds `op`, if any.
static std::optional<int64_t> getKind(Operation *op) {
  for (Region *region = op->getParentRegion(); region;
       region = region->getParentRegion()) {
    auto dispatch = dyn_cast<scf::IndexSwitchOp>(region->getParentOp());
    if (!dispatch || !dispatch.getArg().getDefiningOp<RunOp>() ||
        region == &dispatch.getDefaultRegion())
      continue;
    return dispatch.getCases()[region->getRegionNumber() - 1];
  }
  return std::nullopt;
}

/// In every launch row of the kind that holds `access`, its word is one of
/// `limit` rows of the table that `what` names.
template <typename AccessOp>
static LogicalResult verifyAccess(AccessOp access, ProgramOp program,
                                  size_t limit, StringRef what) {
  int64_t width = program.getLaunchWidth();
  if (static_cast<int64_t>(access.getWidth()) != width)
    return access.emitOpError("reads a launch row of ")
           << access.getWidth() << " words, the rows of @"
           << program.getSymName() << " have " << width;
  std::optional<int64_t> kind = getKind(access);
  if (!kind)
    return access.emitOpError(
        "stands outside of the dispatch on the kind of a run");
  ArrayRef<int32_t> launches = program.getLaunches();
  for (size_t row = 0; row < launches.size(); row += width) {
    int32_t word = launches[row + access.getPosition()];
    if (launches[row] == *kind &&
        (word < 0 || word >= static_cast<int32_t>(limit)))
      return access.emitOpError("reads ")
             << what << " " << word << " from launch " << row / width << " ("
             << program.getLaunchNames()[row / width] << "), there are "
             << limit;
  }
  return success();
}

static LogicalResult verifyWorker(Operation *func, ProgramOp program) {
  WalkResult result = func->walk([&](Operation *op) -> WalkResult {
    if (auto operand = dyn_cast<OperandOp>(op))
      return verifyAccess(operand, program, program.getBuffers().size(),
                          "buffer slot");
    if (auto event = dyn_cast<EventOp>(op))
      return verifyAccess(event, program, program.getEventNames().size(),
                          "event row");
    if (auto run = dyn_cast<RunOp>(op))
      if (static_cast<int64_t>(run.getWidth()) !=
          static_cast<int64_t>(program.getLaunchWidth()))
        return run.emitOpError("reads a launch row of ")
               << run.getWidth() << " words, the rows of @"
               << program.getSymName() << " have " << program.getLaunchWidth();
    return success();
  });
  return failure(result.wasInterrupted());
}

namespace {
struct VerifyPersistent
    : etc::impl::VerifyPersistentPassBase<VerifyPersistent> {
  void runOnOperation() override {
    markAllAnalysesPreserved();
    WalkResult result = getOperation().walk([&](Operation *op) -> WalkResult {
      if (isa<GraphOp, LaunchOp, FuncOp>(op))
        return op->emitOpError("remains after lower-to-persistent");
      if (auto wait = dyn_cast<event::WaitOp>(op))
        if (wait.getReached().use_empty())
          return wait.emitOpError("its result is not used: a task whose wait "
                                  "failed must not run");
      if (auto program = dyn_cast<ProgramOp>(op))
        return verifyProgram(program);
      return success();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  /// Checks the functions of all roles of a program.
  LogicalResult verifyProgram(ProgramOp program) {
    bool any = false;
    for (StringRef role : {"worker", "loader", "consumer"}) {
      Operation *func = SymbolTable::lookupSymbolIn(
          getOperation(), (program.getSymName() + "_" + role).str());
      if (!func)
        continue;
      any = true;
      if (failed(verifyWorker(func, program)))
        return failure();
    }
    if (!any)
      return program.emitOpError("has no worker, loader or consumer function");
    return success();
  }
};
} // namespace
