//===- CostModel.cpp - How long a task takes
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/CostModel.h"
#include "lib/Analysis/BufferAccess.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace etc;

namespace {
/// The operands of one launch by the parameters of its body.
class LaunchTraffic {
public:
  LaunchTraffic(const ConcreteGraph &graph, unsigned launch)
      : graph(graph), number(launch), launch(graph.getLaunches()[launch]),
        body(task::LaunchOp(this->launch.op).getBodyFunc()) {}

  Traffic estimate() {
    SmallVector<int64_t> bytes;
    for (unsigned i = 0; i < launch.operands.size(); ++i)
      bytes.push_back(sizeOf(i));
    if (body && !body.getBody().empty())
      body.getBody().walk([&](Operation *op) { correct(op, bytes); });
    Traffic traffic;
    for (auto [i, size] : llvm::enumerate(bytes))
      (isStreamed(i) ? traffic.early
       : isCached(i) ? traffic.cached
                     : traffic.late) += size;
    if (body && !body.getBody().empty())
      body.getBody().walk([&](task::LinearOp linear) {
        int64_t input = operandOf(linear.getInput());
        if (linear.getFirst() && input >= 0 && isCached(input))
          traffic.kept += bytes[input];
      });
    return traffic;
  }

private:
  int64_t sizeOf(unsigned operand) const {
    auto type = cast<MemRefType>(launch.operands[operand].buffer.getType());
    int64_t bytes = graph.boxOf(number, operand, /*task=*/0).getVolume() *
                    llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    // Each word beside its epoch.
    return task::isTagged(type) ? 2 * bytes : bytes;
  }

  /// The operand that a value of the body is a parameter for, or -1.
  int64_t operandOf(Value value) const {
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument || argument.getOwner() != &body.getBody().front())
      return -1;
    return int64_t(argument.getArgNumber()) - int64_t(launch.grid.size());
  }

  bool isStreamed(unsigned operand) const {
    if (!body || body.getBody().empty())
      return false;
    Value parameter = body.getBody().getArgument(launch.grid.size() + operand);
    return llvm::any_of(parameter.getUsers(), [&](Operation *user) {
      auto part = dyn_cast<task::StreamPartOp>(user);
      return isa<task::StreamOp>(user) ||
             (part && part.getCache() == parameter);
    });
  }

  bool isCached(unsigned operand) const {
    Value base = analysis::getBaseBuffer(launch.operands[operand].buffer);
    auto argument = base.getDefiningOp<task::ArgumentOp>();
    return !argument || argument.getRole() == task::Role::output;
  }

  /// Replaces the size of an operand that data indexes.
  void correct(Operation *op, SmallVectorImpl<int64_t> &bytes) const {
    auto set = [&](Value indexed, int64_t size) {
      int64_t operand = operandOf(indexed);
      if (operand >= 0)
        bytes[operand] = std::min(bytes[operand], size);
    };
    auto get = [&](Value value) {
      int64_t operand = operandOf(value);
      return operand < 0 ? 0 : bytes[operand];
    };
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](task::EmbeddingOp embedding) {
          set(embedding.getTable(), get(embedding.getOutput()));
        })
        .Case([&](task::GatherRowsOp gather) {
          set(gather.getInput(), get(gather.getOutput()));
        })
        .Case([&](task::KVAppendOp append) {
          set(append.getCache(), get(append.getKey()) + get(append.getValue()));
        })
        .Case([&](task::AttentionOp attention) {
          set(attention.getCache(), getContextBytes(attention));
        })
        .Case([&](task::SplitAttentionOp attention) {
          set(attention.getCache(),
              getContextBytes(attention) / attention.getParts());
        });
  }

  /// Half of the longest context that the block table has room for, of one
  /// sequence.
  template <typename Attention>
  int64_t getContextBytes(Attention attention) const {
    int64_t cache = operandOf(attention.getCache());
    int64_t table = operandOf(attention.getBlockTable());
    if (cache < 0 || table < 0)
      return INT64_MAX;
    int64_t numPages = launch.operands[cache].extents.front();
    int64_t pagesOfOne = launch.operands[table].extents.back();
    return sizeOf(cache) / std::max<int64_t>(numPages, 1) *
           std::max<int64_t>(pagesOfOne / 2, 1);
  }

  const ConcreteGraph &graph;
  unsigned number;
  const ConcreteGraph::Launch &launch;
  mutable task::FuncOp body;
};
} // namespace

Traffic etc::estimateTraffic(const ConcreteGraph &graph, unsigned launch) {
  if (graph.getLaunches()[launch].numTasks == 0)
    return {};
  return LaunchTraffic(graph, launch).estimate();
}

/// Of an input that a run keeps, what is on its way at once: a chunk for each
/// warp (docs/GPU.md, "Keeping on the way").
static constexpr int64_t kColumnsOfTrip = 1024;

/// The fixed costs of the operators of a body. A norm that a linear takes on is
/// paid by who loads the input: the first task of a run, for which the trips to
/// it follow each other.
static void addOperators(task::FuncOp body, const Target &target,
                         TaskCost &cost) {
  if (!body || body.getBody().empty())
    return;
  body.getBody().walk([&](Operation *op) {
    cost.taskNs += target.operatorNs.lookup(op->getName().stripDialect());
    auto linear = dyn_cast<task::LinearOp>(op);
    if (linear && linear.getNorm())
      (linear.getFirst() ? cost.runNs : cost.taskNs) +=
          target.operatorNs.lookup("rms_norm");
    if (linear && linear.getFirst())
      cost.runNs +=
          target.l2LatencyNs *
          llvm::divideCeil(
              cast<MemRefType>(linear.getInput().getType()).getDimSize(1),
              kColumnsOfTrip);
  });
}

/// How fast a worker may ask for what a body streams; 0: as fast as it can.
static double getPaceBytesPerNs(task::FuncOp body) {
  if (!body || body.getBody().empty())
    return 0;
  int64_t nsOfMiB = 0;
  for (Operation &op : body.getBody().front())
    llvm::TypeSwitch<Operation *>(&op).Case<task::StreamOp, task::StreamPartOp>(
        [&](auto stream) { nsOfMiB = stream.getPace().value_or(0); });
  return nsOfMiB ? double(1 << 20) / nsOfMiB : 0;
}

TaskCost etc::estimateCost(const ConcreteGraph &graph, unsigned launch,
                           const Target &target, int64_t numWorkers) {
  Traffic traffic = estimateTraffic(graph, launch);
  const ConcreteGraph::Launch &source = graph.getLaunches()[launch];
  int64_t busy = std::max<int64_t>(std::min(source.numTasks, numWorkers), 1);
  double memoryBytesPerNs =
      std::min(target.workerBytesPerNs, target.bandwidthBytesPerNs / busy);
  double cacheBytesPerNs = target.getCacheBytesPerNs(busy);
  TaskCost cost;
  cost.streamBytes = traffic.early;
  cost.taskNs = traffic.late / memoryBytesPerNs +
                (traffic.cached - traffic.kept) / cacheBytesPerNs;
  cost.runNs = traffic.kept / cacheBytesPerNs;
  task::FuncOp body = task::LaunchOp(source.op).getBodyFunc();
  cost.paceBytesPerNs = getPaceBytesPerNs(body);
  addOperators(body, target, cost);
  return cost;
}
