//===- PackWeights.cpp - Streamed weights in the order of tensor-core operands
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Codegen/GpuBuilder.h"
#include "lib/Codegen/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/MapVector.h"

namespace etc {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "lib/Codegen/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;
using codegen::SharedLayout;

namespace {
/// A body's parameter that is streamed, with what launches bind to it.
struct Parameter {
  FuncOp body;
  unsigned number;
  SmallVector<StreamOp> streams;
};
/// One launch that reads a weight.
struct Use {
  LaunchOp launch;
  unsigned read;
  Parameter *parameter; // null if it is not streamed there
};
struct Weight {
  SmallVector<Use> uses;
  std::string reason; // why it cannot be packed; empty: it can
};

struct PackWeights : etc::impl::PackWeightsPassBase<PackWeights> {
  void runOnOperation() override;

private:
  Parameter *getParameter(LaunchOp launch, unsigned read);
  void collect(LaunchOp launch);
  void spread();

  llvm::DenseMap<std::pair<Operation *, unsigned>, std::shared_ptr<Parameter>>
      parameters;
  llvm::MapVector<Operation *, Weight> weights;
};
} // namespace

/// What a value is a view of.
static Value getViewed(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  return value;
}

/// The largest extent of dimension 0 of what a launch reads, if it is known.
static std::optional<int64_t> getRowBound(LaunchOp launch, unsigned read) {
  RegionAttr region = launch.getReadRegion(read);
  if (!region.isWhole(0))
    return region.getSizes()[0];
  Value buffer = launch.getReads()[read];
  // Columns may be what were heads; rows are the same.
  if (auto collapse = buffer.getDefiningOp<memref::CollapseShapeOp>())
    if (collapse.getReassociationIndices().front().size() == 1)
      buffer = collapse.getSrc();
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.isDynamicDim(0))
    return type.getDimSize(0);
  AffineMap shape;
  if (auto argument = buffer.getDefiningOp<ArgumentOp>())
    shape = argument.getShape();
  else if (auto scratch = buffer.getDefiningOp<ScratchOp>())
    shape = scratch.getShape();
  else
    return std::nullopt;
  auto graph = launch->getParentOfType<GraphOp>();
  SmallVector<std::optional<int64_t>> lower, upper;
  for (unsigned i = 0; i < graph.getNumSymbols(); ++i) {
    lower.push_back(graph.getSymbol(i).getMin());
    upper.push_back(graph.getSymbol(i).getMax());
  }
  return getBoundForAffineExpr(shape.getResult(0), 0, shape.getNumSymbols(),
                               lower, upper, /*isUpper=*/true);
}

/// Why the weight's tile cannot be an A operand; empty if it can.
static std::string checkTile(Use &use, StreamOp stream) {
  auto buffer = dyn_cast<MemRefType>(use.launch.getReads()[use.read].getType());
  auto tile = cast<MemRefType>(stream.getSource().getType());
  if (!isa<BlockArgument>(stream.getSource()) ||
      use.launch.getReads()[use.read].getDefiningOp<ViewLikeOpInterface>())
    return "a view of it is streamed";
  if (!tile.getElementType().isBF16())
    return "its elements are not bf16";
  if (!tile.hasStaticShape() || tile.getDimSize(1) != buffer.getDimSize(1) ||
      tile.getDimSize(1) % 16)
    return "a task does not read whole rows of a multiple of 16 columns";
  AffineMap offsets = use.launch.getReadRegion(use.read).getOffsets();
  if (tile.getDimSize(0) % SharedLayout::kTileRows ||
      !offsets.getResult(0).isMultipleOf(SharedLayout::kTileRows))
    return "a task reads " + std::to_string(tile.getDimSize(0)) +
           " rows, which is no multiple of 16";
  return "";
}

/// Why what it is multiplied with cannot be a B operand; empty if it can.
static std::string checkInput(LaunchOp launch, LinearOp linear) {
  auto type = cast<MemRefType>(linear.getInput().getType());
  auto input = dyn_cast<BlockArgument>(linear.getInput());
  unsigned first = launch.getGridRank();
  // What is normed is rounded to the weight's bf16.
  bool isBF16 = type.getElementType().isBF16() ||
                (linear.getNorm() && type.getElementType().isF32());
  if (!isBF16 || !input ||
      input.getArgNumber() < first ||
      input.getArgNumber() >= first + launch.getReads().size())
    return "its input is not bf16 that the task reads";
  SmallVector<int64_t> strides;
  int64_t offset;
  unsigned read = input.getArgNumber() - first;
  AffineMap offsets = launch.getReadRegion(read).getOffsets();
  if (failed(type.getStridesAndOffset(strides, offset)) || strides[1] != 1 ||
      ShapedType::isDynamic(strides[0]) || strides[0] % 4 ||
      !offsets.getResult(1).isMultipleOf(4))
    return "its input has no rows of aligned quadruples";
  std::optional<int64_t> tokens = getRowBound(launch, read);
  if (!tokens || *tokens > SharedLayout::kMaxTokens)
    return "it is multiplied with more than 16 tokens";
  return "";
}

/// The embedding that gathers rows of a weight and does nothing else with it, or
/// null.
static EmbeddingOp getGather(Use &use) {
  FuncOp body = use.launch.getBodyFunc();
  BlockArgument table =
      body.getArgument(use.launch.getGridRank() + use.read);
  if (!table.hasOneUse())
    return {};
  auto embedding = dyn_cast<EmbeddingOp>(*table.user_begin());
  return embedding && embedding.getTable() == table ? embedding : EmbeddingOp();
}

static std::string check(Use &use) {
  if (!use.parameter && getGather(use))
    return "";
  if (!use.parameter)
    return ("@" + use.launch.getBody() + " reads it as it is").str();
  for (StreamOp stream : use.parameter->streams) {
    auto linear = cast<LinearOp>(*stream->user_begin());
    for (std::string reason :
         {checkTile(use, stream), checkInput(use.launch, linear)})
      if (!reason.empty())
        return reason + (" (@" + use.launch.getBody() + ")").str();
  }
  return "";
}

Parameter *PackWeights::getParameter(LaunchOp launch, unsigned read) {
  FuncOp body = launch.getBodyFunc();
  unsigned number = launch.getGridRank() + read;
  auto [it, isNew] = parameters.try_emplace({body, number});
  if (isNew) {
    auto parameter = std::make_shared<Parameter>(Parameter{body, number, {}});
    for (StreamOp stream : body.getOps<StreamOp>())
      if (getViewed(stream.getSource()) == body.getArgument(number))
        parameter->streams.push_back(stream);
    if (!parameter->streams.empty())
      it->second = std::move(parameter);
  }
  return it->second.get();
}

void PackWeights::collect(LaunchOp launch) {
  for (auto [i, buffer] : llvm::enumerate(launch.getReads())) {
    auto argument = getViewed(buffer).getDefiningOp<ArgumentOp>();
    if (argument && argument.getRole() == Role::weight)
      weights[argument].uses.push_back(
          {launch, static_cast<unsigned>(i), getParameter(launch, i)});
  }
}

/// A body has one code: all weights of a parameter are packed, or none is.
void PackWeights::spread() {
  bool changed = true;
  while (std::exchange(changed, false)) {
    llvm::SmallDenseMap<Parameter *, Operation *> spoiled;
    for (auto &[argument, weight] : weights)
      for (Use &use : weight.uses)
        if (use.parameter && !weight.reason.empty())
          spoiled.try_emplace(use.parameter, argument);
    for (auto &[argument, weight] : weights)
      for (Use &use : weight.uses)
        if (weight.reason.empty() && spoiled.contains(use.parameter)) {
          StringRef other = cast<ArgumentOp>(spoiled[use.parameter]).getName();
          weight.reason =
              ("it shares @" + use.launch.getBody() + " with '" + other + "'")
                  .str();
          changed = true;
        }
  }
}

void PackWeights::runOnOperation() {
  parameters.clear();
  weights.clear();
  getOperation().walk([&](LaunchOp launch) { collect(launch); });
  weights.remove_if([](auto &entry) {
    return llvm::none_of(entry.second.uses, [](const Use &use) {
      return use.parameter != nullptr;
    });
  });
  for (auto &[argument, weight] : weights)
    for (Use &use : weight.uses)
      if (weight.reason.empty())
        weight.reason = check(use);
  spread();
  for (auto &[op, weight] : weights) {
    auto argument = cast<ArgumentOp>(op);
    if (weight.reason.empty()) {
      argument.setLayout(Layout::mma_fragments);
      for (Use &use : weight.uses)
        if (!use.parameter)
          getGather(use).setPacked(true);
      continue;
    }
    argument.emitRemark("'")
        << argument.getName() << "' is not streamed: " << weight.reason;
    for (Use &use : weight.uses) {
      if (!use.parameter)
        continue;
      for (StreamOp stream : use.parameter->streams) {
        stream.getStream().replaceAllUsesWith(stream.getSource());
        stream.erase();
      }
      use.parameter->streams.clear();
    }
  }
}
