//===- TileCost.cpp - How to cut an operator into tasks
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/TileCost.h"
#include "dialects/task/TaskOps.h"
#include "lib/Analysis/SymbolicShapes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

SmallVector<int64_t>
etc::getDomainExtents(TaskRegionOpInterface op,
                      function_ref<SmallVector<int64_t>(Value)> extentsOf) {
  SmallVector<int64_t> domain = op.getTaskDomain();
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<ShapedType>(operand.get().getType()))
      continue;
    SmallVector<int64_t> extents = extentsOf(operand.get());
    for (auto [access, extent] :
         llvm::zip(op.getOperandAccess(operand.getOperandNumber()), extents))
      if (!access.isWhole() && ShapedType::isDynamic(domain[access.dim]))
        domain[access.dim] = extent / access.scale * access.points;
  }
  return domain;
}

//===----------------------------------------------------------------------===//
// Bytes of one task
//===----------------------------------------------------------------------===//

namespace {
/// An operator at one value of the symbols.
struct SizedOp {
  SizedOp(TaskRegionOpInterface op,
          function_ref<SmallVector<int64_t>(Value)> extentsOf)
      : op(op), domain(getDomainExtents(op, extentsOf)) {
    for (Value operand : op->getOperands())
      operands.push_back(isa<ShapedType>(operand.getType())
                             ? extentsOf(operand)
                             : SmallVector<int64_t>());
  }

  int64_t tasks(const Tile &tile) const {
    int64_t product = 1;
    for (auto [extent, size] : llvm::zip(domain, tile))
      product *= size ? llvm::divideCeil(extent, size) : 1;
    return product;
  }

  int64_t taskBytes(const Tile &tile) const {
    int64_t sum = 0;
    for (unsigned i = 0; i < op->getNumOperands(); ++i)
      sum += operandBytes(i, tile);
    return sum;
  }

  double cost(const Tile &tile, int64_t workers) const {
    double waves = llvm::divideCeil(tasks(tile), workers);
    return waves * (kTaskOverheadBytes + taskBytes(tile));
  }

private:
  int64_t operandBytes(unsigned number, const Tile &tile) const {
    auto type = dyn_cast<ShapedType>(op->getOperand(number).getType());
    if (!type)
      return 0;
    // Of an operand that is indexed by data, only the rows that are taken.
    if (isa<EmbeddingOp>(op) && number == 1)
      return operandBytes(2, tile);
    if (isa<GatherRowsOp>(op) && number == 0)
      return operandBytes(2, tile);
    if (isa<KVAppendOp>(op) && number == 5)
      return operandBytes(0, tile) + operandBytes(1, tile);
    if (isa<KVAppendOp>(op) && number == 4)
      return operandBytes(3, tile);
    int64_t bytes = regionBytes(number, type, tile);
    if (isa<AttentionOp>(op) && number == 1) {
      // All positions that the block table of a sequence can hold.
      int64_t pages = std::max<int64_t>(operands[1][0], 1);
      return bytes / pages * operands[4][1];
    }
    return bytes;
  }

  int64_t regionBytes(unsigned number, ShapedType type,
                      const Tile &tile) const {
    int64_t elements = 1;
    for (auto [access, extent] :
         llvm::zip(op.getOperandAccess(number), operands[number])) {
      bool isCut = !access.isWhole() && tile[access.dim] != 0;
      elements *= isCut ? std::min(extent, tile[access.dim] * access.scale /
                                               access.points)
                        : extent;
    }
    return llvm::divideCeil(elements * type.getElementTypeBitWidth(), 8);
  }

  mutable TaskRegionOpInterface op;
  SmallVector<int64_t> domain;
  SmallVector<SmallVector<int64_t>> operands;
};
} // namespace

static SizedOp atLargest(TaskRegionOpInterface op,
                         const SymbolicShapes &shapes) {
  return SizedOp(op, [&](Value value) { return shapes.getLargest(value); });
}
static SizedOp atLeast(TaskRegionOpInterface op, const SymbolicShapes &shapes) {
  return SizedOp(op, [&](Value value) { return shapes.getLeast(value); });
}

int64_t etc::getTaskBytes(TaskRegionOpInterface op, const Tile &tile,
                          const SymbolicShapes &shapes) {
  return atLargest(op, shapes).taskBytes(tile);
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

/// The divisors of `extent` from `least` up that are multiples of `step`,
/// finest first, then 0 for the whole.
static SmallVector<int64_t> divisors(int64_t extent, int64_t least,
                                     int64_t step) {
  SmallVector<int64_t> sizes;
  for (int64_t size = least; size < extent; ++size)
    if (extent % size == 0 && size % step == 0)
      sizes.push_back(size);
  sizes.push_back(0);
  return sizes;
}

/// How many tasks of `outputs` of `rows` one worker has, if they may be one: all
/// they stream is on its way when the input comes, and their sums meet behind
/// one barrier, where each alone would wait for the one before it to be stored.
static int64_t countTogether(LinearOp op, int64_t rows, int64_t outputs,
                             const TileOptions &options) {
  if (!outputs || rows % outputs)
    return 1;
  auto weight = cast<ShapedType>(op.getWeight().getType());
  int64_t taskBytes = options.linearRows * weight.getDimSize(1) *
                      weight.getElementTypeBitWidth() / 8;
  int64_t tasks = llvm::divideCeil(rows / outputs, options.workers);
  int64_t tiles =
      tasks * llvm::divideCeil(options.linearRows, kLinearRowStep);
  bool fits = tiles <= kMostTilesTogether &&
              tasks * taskBytes <= options.streamedBytes &&
              llvm::PowerOf2Ceil(tiles) * options.tokens <= kTokensThatMeet;
  return fits && rows % (tasks * outputs) == 0 ? tasks : 1;
}

static SmallVector<int64_t> linearSizes(LinearOp op, int64_t rows,
                                        const TileOptions &options) {
  if (options.linearRows) {
    int64_t outputs = options.linearRows / op.getRowsPerOutput();
    int64_t together = countTogether(op, rows, outputs, options);
    if (together > 1)
      return {together * outputs};
    // Twice the rows read half the input, where each task reads it anew.
    auto weight = cast<ShapedType>(op.getWeight().getType());
    int64_t inputBytes = options.tokens * weight.getDimSize(1) *
                         weight.getElementTypeBitWidth() / 8;
    if (inputBytes <= options.keptBytes || rows % (2 * outputs))
      return {outputs};
    return {outputs, 2 * outputs};
  }
  SmallVector<int64_t> sizes = divisors(rows, kLinearRowStep, kLinearRowStep);
  // No even cut: the last task gets what is left.
  if (sizes.size() == 1)
    for (int64_t size = kLinearRowStep; size < rows; size *= 2)
      sizes.push_back(size);
  return sizes;
}

bool etc::mayCut(TaskRegionOpInterface op, unsigned domainDim) {
  auto generic = dyn_cast<linalg::GenericOp>(*op);
  if (!generic)
    return true;
  SmallVector<unsigned> parallel;
  generic.getParallelDims(parallel);
  for (auto index : generic.getOps<linalg::IndexOp>())
    if (index.getDim() == parallel[domainDim])
      return false;
  return llvm::all_of(generic.getDpsInitsMutable(), [&](OpOperand &init) {
    return llvm::any_of(op.getOperandAccess(init.getOperandNumber()),
                        [&](DimAccess access) {
                          return access.dim == static_cast<int64_t>(domainDim);
                        });
  });
}

/// The sizes worth trying for one dimension of the domain.
static SmallVector<int64_t> candidateSizes(TaskRegionOpInterface op,
                                           unsigned dim, int64_t extent,
                                           const TileOptions &options) {
  // A row of elements shorter than this would waste vector lanes.
  constexpr int64_t kLeastRow = 16;
  if (auto linear = dyn_cast<LinearOp>(*op))
    return dim == 0 ? SmallVector<int64_t>{0}
                    : linearSizes(linear, extent, options);
  if (isa<SplitAttentionOp>(op))
    return {1};
  if (isa<linalg::GenericOp>(op)) {
    if (!mayCut(op, dim))
      return {0};
    if (ShapedType::isDynamic(extent))
      return {0, 1};
    bool isRow = dim + 1 == op.getTaskDomain().size();
    return divisors(extent, isRow ? kLeastRow : 1, 1);
  }
  bool isHeads = dim > 0 && !ShapedType::isDynamic(extent);
  return isHeads ? divisors(extent, 1, 1) : SmallVector<int64_t>{1};
}

Tile etc::chooseTile(TaskRegionOpInterface op, const SymbolicShapes &shapes,
                     const TileOptions &options) {
  SizedOp least = atLeast(op, shapes), largest = atLargest(op, shapes);
  SmallVector<int64_t> domain = op.getTaskDomain();
  SmallVector<Tile> tiles = {{}};
  for (auto [dim, extent] : llvm::enumerate(domain)) {
    SmallVector<Tile> longer;
    for (const Tile &tile : tiles)
      for (int64_t size : candidateSizes(op, dim, extent, options)) {
        longer.push_back(tile);
        longer.back().push_back(size);
      }
    tiles = std::move(longer);
  }
  auto cost = [&](const Tile &tile) {
    return least.cost(tile, options.workers) *
           largest.cost(tile, options.workers);
  };
  return *llvm::min_element(
      tiles, [&](const Tile &a, const Tile &b) { return cost(a) < cost(b); });
}
