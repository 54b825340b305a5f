//===- StreamParts.cpp - Let keys and values cross the ring
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Codegen/GpuAttention.h"
#include "lib/Codegen/Passes.h"

namespace etc {
#define GEN_PASS_DEF_STREAMPARTSPASS
#include "lib/Codegen/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// The attention to the part that `hint` is at, if it can take a stream.
static SplitAttentionOp getConsumer(PrefetchPartOp hint) {
  // A loader copies in the order of a body's early code, and chunks are taken
  // in that of its tiles: with one stream a body they are the same.
  auto body = hint->getParentOfType<FuncOp>();
  bool isAlone = llvm::hasSingleElement(body.getOps<PrefetchPartOp>()) &&
                 body.getOps<StreamOp>().empty();
  if (!isAlone)
    return {};
  for (Operation *user : hint.getCache().getUsers()) {
    auto split = dyn_cast<SplitAttentionOp>(user);
    if (split && !split.getStream() && split.attendsTo(hint.getOperands()) &&
        split.getTaskDomain() == SmallVector<int64_t>{1, 1, 1} &&
        codegen::hasMmaAttention(split) &&
        hasContiguousRows(cast<MemRefType>(hint.getCache().getType())))
      return split;
  }
  return {};
}

namespace {
struct StreamParts : etc::impl::StreamPartsPassBase<StreamParts> {
  using StreamPartsPassBase::StreamPartsPassBase;

  void runOnOperation() override {
    if (!enabled)
      return markAllAnalysesPreserved();
    getOperation().walk([](PrefetchPartOp hint) {
      SplitAttentionOp split = getConsumer(hint);
      if (!split)
        return;
      OpBuilder b(hint);
      auto tile = cast<MemRefType>(hint.getCache().getType());
      auto stream = StreamPartOp::create(
          b, hint.getLoc(), TypeRange(StreamType::get(b.getContext(), tile)),
          hint->getOperands(), hint->getAttrs());
      split.getStreamMutable().assign(stream.getStream());
      hint.erase();
    });
  }
};
} // namespace
