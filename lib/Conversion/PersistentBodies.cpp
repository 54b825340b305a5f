//===- PersistentBodies.cpp - The bodies of tasks as functions
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Conversion/PersistentBodies.h"
#include "dialects/event/EventOps.h"
#include "lib/Analysis/LaunchOrder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

static constexpr StringLiteral roleNames[] = {"worker", "loader", "consumer"};

StringRef etc::stringifyRole(WorkerRole role) {
  return roleNames[static_cast<int>(role)];
}

std::optional<WorkerRole> etc::parseRole(StringRef name) {
  const auto *it = llvm::find(roleNames, name);
  if (it == std::end(roleNames))
    return std::nullopt;
  return static_cast<WorkerRole>(it - roleNames);
}

/// The edges whose entries the body takes, in the order of its parameters.
static SmallVector<Value> getDataEdges(LaunchOp launch) {
  SmallVector<Value> edges;
  for (OperandRange operands : {launch.getWaits(), launch.getNotifies()})
    llvm::copy_if(operands, std::back_inserter(edges), analysis::isDataEdge);
  return edges;
}

std::string etc::getBodyName(LaunchOp kind, ArrayRef<LaunchOp> kinds,
                             WorkerRole role) {
  std::string name = kind.getBody().str();
  if (!getDataEdges(kind).empty())
    name += "." + kind->getParentOfType<GraphOp>().getSymName().str() + "." +
            std::to_string(llvm::find(kinds, kind) - kinds.begin());
  if (role != WorkerRole::worker)
    name += "." + stringifyRole(role).str();
  return name;
}

bool etc::hasPart(FuncOp body, WorkerRole role) {
  if (role != WorkerRole::loader)
    return true;
  ReadyOp ready = body.getReady();
  return ready &&
         llvm::any_of(body.getBody().front(), [&](Operation &op) {
           return isa<StreamOp, StreamPartOp, PrefetchPartOp>(op) &&
                  op.isBeforeInBlock(ready);
         });
}

bool etc::streamsParts(FuncOp body) {
  return !body.getBody().getOps<StreamPartOp>().empty();
}

bool etc::hasReceives(FuncOp body) {
  return !body.getBody().getOps<event::ReceiveOp>().empty();
}

bool etc::hasFirst(FuncOp body) {
  return !body.getBody().getOps<FirstTaskOp>().empty();
}

/// What the body asks about the run becomes its last parameter.
static void bindFirst(func::FuncOp func) {
  Block &entry = func.getBody().front();
  auto asked = llvm::to_vector(entry.getOps<FirstTaskOp>());
  if (asked.empty())
    return;
  Value first = entry.addArgument(IntegerType::get(func.getContext(), 1),
                                  func.getLoc());
  for (FirstTaskOp op : asked) {
    op.getFirst().replaceAllUsesWith(first);
    op.erase();
  }
  func.setFunctionType(
      FunctionType::get(func.getContext(), entry.getArgumentTypes(), {}));
}

/// True if every value that the body receives has come; null without any.
static Value combineReceives(OpBuilder &builder, func::FuncOp func) {
  Value all;
  for (auto receive : func.getOps<event::ReceiveOp>())
    all = all ? Value(arith::AndIOp::create(builder, receive.getLoc(), all,
                                            receive.getReached()))
              : receive.getReached();
  return all;
}

/// Replaces each entry that the body takes by the tensor and the entry's indices.
static void bindEntries(func::FuncOp func, LaunchOp kind) {
  SmallVector<Value> edges = getDataEdges(kind);
  Block &entry = func.getBody().front();
  unsigned position = entry.getNumArguments() - edges.size();
  Type index = IndexType::get(func.getContext());
  for (Value edge : edges) {
    BlockArgument parameter = entry.getArgument(position);
    Location loc = parameter.getLoc();
    Value tensor = entry.insertArgument(position + 1, edge.getType(), loc);
    SmallVector<Value> indices;
    int64_t rank = cast<event::EventTensorType>(edge.getType()).getRank();
    for (int64_t dim = 0; dim < rank; ++dim)
      indices.push_back(entry.insertArgument(position + 2 + dim, index, loc));
    // No other user passes T8.
    for (Operation *user : llvm::make_early_inc_range(parameter.getUsers())) {
      if (auto publish = dyn_cast<event::PublishOp>(user)) {
        publish.getTensorMutable().assign(tensor);
        publish.getIndicesMutable().assign(indices);
      } else if (auto receive = dyn_cast<event::ReceiveOp>(user)) {
        receive.getTensorMutable().assign(tensor);
        receive.getIndicesMutable().assign(indices);
      }
    }
    entry.eraseArgument(position);
    position += 1 + rank;
  }
  func.setFunctionType(
      FunctionType::get(func.getContext(), entry.getArgumentTypes(), {}));
}

void etc::createBody(OpBuilder &builder, LaunchOp kind, StringRef name,
                     WorkerRole role) {
  FuncOp body = kind.getBodyFunc();
  auto func = func::FuncOp::create(builder, body.getLoc(), name,
                                   body.getFunctionType());
  func.setPrivate();
  IRMapping mapping;
  body.getBody().cloneInto(&func.getBody(), mapping);
  Block &entry = func.getBody().front();
  if (ReadyOp ready = body.getReady()) {
    Operation *split = mapping.lookup(ready.getOperation());
    if (role == WorkerRole::loader) {
      // From the back, so that users go before what they use.
      while (&entry.back() != split)
        entry.back().erase();
      builder.setInsertionPointAfter(split);
      task::ReturnOp::create(builder, body.getLoc());
    }
    split->erase();
  }
  bindEntries(func, kind);
  bindFirst(func);
  func.walk([&](Operation *op) {
    if (auto stream = dyn_cast<StreamOp>(op); stream && role == WorkerRole::worker) {
      stream.getStream().replaceAllUsesWith(stream.getSource());
      stream.erase();
    } else if (auto part = dyn_cast<StreamPartOp>(op);
               part && role == WorkerRole::worker) {
      part.drop();
    } else if (isa<PrefetchPartOp>(op) && role != WorkerRole::loader) {
      op->erase();
    } else if (isa<task::ReturnOp>(op)) {
      builder.setInsertionPoint(op);
      if (Value reached = combineReceives(builder, func)) {
        func.setFunctionType(builder.getFunctionType(func.getArgumentTypes(),
                                                     reached.getType()));
        func::ReturnOp::create(builder, op->getLoc(), reached);
      } else {
        func::ReturnOp::create(builder, op->getLoc());
      }
      op->erase();
    }
  });
  builder.setInsertionPointAfter(func);
}
