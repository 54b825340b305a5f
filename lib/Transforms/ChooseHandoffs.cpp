//===- ChooseHandoffs.cpp - Which values are handed over as data
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A counter costs a release, a trip and an acquire; a word that carries its
// epoch costs one trip and twice the bytes. What a reader takes of a buffer
// says which is sooner there. The choice is a buffer's: its memory space, and
// with it the types of all views of it.
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Analysis/BufferAccess.h"
#include "lib/Analysis/EventGraph.h"
#include "lib/Analysis/Target.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/MapVector.h"

namespace etc {
#define GEN_PASS_DEF_CHOOSEHANDOFFSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// Whether the code of a tile reads or writes this operand word by word.
static bool takesWords(OpOperand &use) {
  Operation *op = use.getOwner();
  Value value = use.get();
  if (auto linear = dyn_cast<LinearOp>(op))
    return isa<StreamType>(linear.getWeight().getType()) &&
           (value == linear.getInput() || value == linear.getResidual() ||
            value == linear.getOutput() || value == linear.getBest());
  if (auto embedding = dyn_cast<EmbeddingOp>(op))
    return value == embedding.getOutput();
  if (auto gather = dyn_cast<GatherRowsOp>(op))
    return value == gather.getInput() || value == gather.getOutput();
  if (auto table = dyn_cast<RopeTableOp>(op))
    return value == table.getCos() || value == table.getSin();
  if (auto split = dyn_cast<SplitAttentionOp>(op))
    return value == split.getQkv() || value == split.getCos() ||
           value == split.getSin() || value == split.getPartial();
  if (auto argmax = dyn_cast<ArgmaxOp>(op))
    return argmax.getOf() && value == argmax.getInput();
  return isa<MergeSplitsOp>(op);
}

namespace {
struct ChooseHandoffs : etc::impl::ChooseHandoffsPassBase<ChooseHandoffs> {
  using ChooseHandoffsPassBase::ChooseHandoffsPassBase;

  void runOnOperation() override {
    if (!enabled)
      return markAllAnalysesPreserved();
    if (!target.empty()) {
      FailureOr<Target> loaded = Target::load(target, getOperation().getLoc());
      if (failed(loaded))
        return signalPassFailure();
      machine = *loaded;
    }
    for (GraphOp graph : getOperation().getOps<GraphOp>()) {
      for (auto scratch : graph.getOps<ScratchOp>()) {
        std::string reason = getReasonAgainst(graph, scratch);
        if (reason.empty())
          chooseByCost(graph, scratch);
        else if (remarks)
          scratch.emitRemark("'")
              << scratch.getName()
              << "' is handed over by a counter: " << reason;
      }
      retypeBodies(graph);
    }
  }

private:
  std::string getReasonAgainst(GraphOp graph, ScratchOp scratch);
  struct Costs {
    int64_t bytes;            // of one reader
    double asData, byCounter; // ns
  };
  int64_t getReadBytes(LaunchOp launch, ScratchOp scratch);
  Costs estimate(GraphOp graph, ScratchOp scratch);
  void chooseByCost(GraphOp graph, ScratchOp scratch);
  void tag(ScratchOp scratch);
  void retypeBodies(GraphOp graph);

  Target machine;
};
} // namespace

std::string ChooseHandoffs::getReasonAgainst(GraphOp graph, ScratchOp scratch) {
  if (!fillsWords(cast<MemRefType>(scratch.getBuffer().getType())))
    return "its elements do not fill words of 32 bits";
  unsigned writers = 0;
  for (LaunchOp launch : graph.getLaunches()) {
    FuncOp body = launch.getBodyFunc();
    unsigned first = launch.getGridRank(), reads = launch.getReads().size();
    for (unsigned i = 0; i < reads + launch.getWrites().size(); ++i) {
      Value buffer =
          i < reads ? launch.getReads()[i] : launch.getWrites()[i - reads];
      if (analysis::getBaseBuffer(buffer) != scratch.getBuffer())
        continue;
      writers += i >= reads;
      for (OpOperand &use : body.getArgument(first + i).getUses())
        if (!takesWords(use))
          return ("@" + launch.getBody() + " uses it otherwise").str();
    }
  }
  if (writers != 1)
    return std::to_string(writers) + " launches write it";
  return "";
}

/// The bytes that a task reads of the buffer, in a step of `tokens`.
int64_t ChooseHandoffs::getReadBytes(LaunchOp launch, ScratchOp scratch) {
  int64_t sum = 0;
  for (auto [i, buffer] : llvm::enumerate(launch.getReads())) {
    if (analysis::getBaseBuffer(buffer) != scratch.getBuffer())
      continue;
    MemRefType view =
        launch.getReadRegion(i).getViewType(cast<MemRefType>(buffer.getType()));
    int64_t bytes = getElementBytes(view);
    for (int64_t extent : view.getShape())
      bytes *= ShapedType::isDynamic(extent) ? int64_t(tokens) : extent;
    sum += bytes;
  }
  return sum;
}

/// From the last write to the end of the slowest reader's reading, both ways. A
/// reader of words has by then taken what the other writers wrote.
ChooseHandoffs::Costs ChooseHandoffs::estimate(GraphOp graph,
                                               ScratchOp scratch) {
  int64_t writers = 1;
  for (LaunchOp launch : graph.getLaunches())
    if (llvm::any_of(launch.getWrites(), [&](Value buffer) {
          return analysis::getBaseBuffer(buffer) == scratch.getBuffer();
        }))
      writers = std::max<int64_t>(countTasks(launch, tokens), 1);
  Costs costs = {0, machine.dataHopNs,
                 machine.counterHopNs + writers * machine.notifyNs};
  double reading = 0;
  for (LaunchOp launch : graph.getLaunches())
    if (int64_t bytes = getReadBytes(launch, scratch)) {
      int64_t readers =
          std::clamp<int64_t>(countTasks(launch, tokens), 1, machine.workers);
      costs.bytes = std::max(costs.bytes, bytes);
      reading = std::max(reading, bytes / machine.getCacheBytesPerNs(readers));
    }
  costs.asData += 2 * reading / writers;
  costs.byCounter += reading;
  return costs;
}

void ChooseHandoffs::chooseByCost(GraphOp graph, ScratchOp scratch) {
  Costs costs = estimate(graph, scratch);
  bool isData = costs.asData <= costs.byCounter;
  if (isData)
    tag(scratch);
  if (remarks)
    scratch.emitRemark("'")
        << scratch.getName() << "' is handed over "
        << (isData ? "as data" : "by a counter") << ": " << costs.bytes
        << " bytes a reader, " << int64_t(costs.asData) << " ns as data, "
        << int64_t(costs.byCounter) << " ns by a counter";
}

static MemRefType getTagged(Type type) {
  auto memref = cast<MemRefType>(type);
  return MemRefType::get(memref.getShape(), memref.getElementType(),
                         memref.getLayout(),
                         TaggedAttr::get(type.getContext()));
}

/// The buffer and all views of it.
void ChooseHandoffs::tag(ScratchOp scratch) {
  SmallVector<Value> values = {scratch.getBuffer()};
  for (unsigned i = 0; i < values.size(); ++i) {
    values[i].setType(getTagged(values[i].getType()));
    for (Operation *user : values[i].getUsers())
      if (isa<memref::ExpandShapeOp, memref::CollapseShapeOp>(user))
        values.push_back(user->getResult(0));
  }
}

/// The body of each launch gets the types of its operands; launches that tag
/// different operands of one body get copies of it.
void ChooseHandoffs::retypeBodies(GraphOp graph) {
  SymbolTable symbols(getOperation());
  llvm::MapVector<FuncOp, llvm::MapVector<Type, SmallVector<LaunchOp>>> uses;
  for (LaunchOp launch : graph.getLaunches()) {
    FuncOp body = launch.getBodyFunc();
    SmallVector<Type> types(body.getArgumentTypes());
    unsigned position = launch.getGridRank();
    for (OperandRange operands : {launch.getReads(), launch.getWrites()})
      for (Value operand : operands) {
        if (isTagged(operand.getType()))
          types[position] = getTagged(types[position]);
        ++position;
      }
    uses[body][FunctionType::get(&getContext(), types, {})].push_back(launch);
  }
  for (auto &[body, byType] : uses)
    for (auto [number, entry] : llvm::enumerate(byType)) {
      auto &[type, launches] = entry;
      FuncOp typed = body;
      if (number + 1 < byType.size()) {
        typed = cast<FuncOp>(FuncOp(body)->clone());
        symbols.insert(typed, std::next(Block::iterator(body)));
      }
      typed.setFunctionType(cast<FunctionType>(type));
      for (auto [argument, to] : llvm::zip(
               typed.getArguments(), cast<FunctionType>(type).getInputs()))
        argument.setType(to);
      for (LaunchOp launch : launches)
        launch.setBody(typed.getSymName());
    }
}
