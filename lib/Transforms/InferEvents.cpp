//===- InferEvents.cpp - Derive the event tensors of a graph
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventOps.h"
#include "dialects/task/TaskOps.h"
#include "lib/Transforms/Passes.h"

namespace etc {
#define GEN_PASS_DEF_INFEREVENTSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;

namespace {
struct InferEvents : etc::impl::InferEventsPassBase<InferEvents> {
  void runOnOperation() override {}
};
} // namespace
