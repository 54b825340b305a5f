//===- BufferAccess.cpp - What the tasks of a launch touch
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/BufferAccess.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace etc;
using namespace etc::analysis;
using Dim = BufferAccess::Dim;

Value etc::analysis::getBaseBuffer(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
      value = expand.getSrc();
    else if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op))
      value = collapse.getSrc();
    else
      break;
  }
  return value;
}

AffineMap etc::analysis::getBufferShape(Value buffer) {
  Operation *op = getBaseBuffer(buffer).getDefiningOp();
  if (auto argument = dyn_cast<task::ArgumentOp>(op))
    return argument.getShape();
  return cast<task::ScratchOp>(op).getShape();
}

/// `expr` as index * period + offset of one grid dimension, or nothing.
static std::optional<Dim> decompose(AffineExpr expr, int64_t size) {
  Dim dim;
  dim.size = size;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    dim.offset = constant.getValue();
    return dim;
  }
  if (auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
      sum && sum.getKind() == AffineExprKind::Add)
    if (auto constant = dyn_cast<AffineConstantExpr>(sum.getRHS())) {
      dim.offset = constant.getValue();
      expr = sum.getLHS();
    }
  dim.period = 1;
  if (auto product = dyn_cast<AffineBinaryOpExpr>(expr);
      product && product.getKind() == AffineExprKind::Mul)
    if (auto constant = dyn_cast<AffineConstantExpr>(product.getRHS())) {
      dim.period = constant.getValue();
      expr = product.getLHS();
    }
  auto index = dyn_cast<AffineDimExpr>(expr);
  if (!index || dim.period <= 0)
    return std::nullopt;
  dim.index = index.getPosition();
  return dim;
}

static SmallVector<Dim> getDims(task::RegionAttr region) {
  SmallVector<Dim> dims;
  for (auto [expr, size] :
       llvm::zip(region.getOffsets().getResults(), region.getSizes()))
    dims.push_back(decompose(expr, size).value_or(Dim()));
  return dims;
}

/// Several dimensions of a view that are one dimension of its source: the
/// product is a range if all but the first touched dimension are whole.
static Dim foldGroup(ArrayRef<Dim> group, ArrayRef<int64_t> extents) {
  unsigned lead = 0;
  while (lead < group.size() && extents[lead] == 1)
    ++lead;
  if (lead == group.size())
    return {};
  int64_t inner = 1;
  for (unsigned i = lead + 1; i < group.size(); ++i) {
    if (ShapedType::isDynamic(extents[i]) ||
        !(group[i].isWhole() ||
          (!group[i].isIndexed() && group[i].size == extents[i])))
      return {};
    inner *= extents[i];
  }
  Dim dim = group[lead];
  if (dim.isWhole())
    return dim;
  dim.period *= inner;
  dim.offset *= inner;
  dim.size *= inner;
  return dim;
}

/// One dimension of a view that is several of its source: the range is one of
/// the outermost dimension if it is aligned to the product of the others.
static void unfoldGroup(Dim dim, ArrayRef<int64_t> extents,
                        SmallVectorImpl<Dim> &dims) {
  int64_t inner = 1;
  for (int64_t extent : extents.drop_front())
    inner = ShapedType::isDynamic(extent) ? 0 : inner * extent;
  bool aligned = inner > 0 && dim.size != task::RegionAttr::kWhole &&
                 dim.period % inner == 0 && dim.offset % inner == 0 &&
                 dim.size % inner == 0;
  if (aligned) {
    dim.period /= inner;
    dim.offset /= inner;
    dim.size /= inner;
  } else {
    dim = Dim();
  }
  dims.push_back(dim);
  dims.append(extents.size() - 1, Dim());
}

/// `dims` of the view `value` as dims of its base buffer.
static SmallVector<Dim> toBase(Value value, SmallVector<Dim> dims) {
  while (Operation *op = value.getDefiningOp()) {
    SmallVector<Dim> source;
    if (auto expand = dyn_cast<memref::ExpandShapeOp>(op)) {
      ArrayRef<int64_t> extents = expand.getResultType().getShape();
      for (const ReassociationIndices &group : expand.getReassociationIndices())
        source.push_back(
            foldGroup(ArrayRef(dims).slice(group.front(), group.size()),
                      extents.slice(group.front(), group.size())));
      value = expand.getSrc();
    } else if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
      ArrayRef<int64_t> extents = collapse.getSrcType().getShape();
      for (auto [dim, group] :
           llvm::zip(dims, collapse.getReassociationIndices()))
        unfoldGroup(dim, extents.slice(group.front(), group.size()), source);
      value = collapse.getSrc();
    } else {
      break;
    }
    dims = std::move(source);
  }
  return dims;
}

SmallVector<BufferAccess>
etc::analysis::getBufferAccesses(task::LaunchOp launch) {
  SmallVector<BufferAccess> accesses;
  auto add = [&](Value operand, Attribute region, bool isWrite) {
    accesses.push_back({getBaseBuffer(operand),
                        static_cast<unsigned>(accesses.size()), isWrite,
                        toBase(operand, getDims(cast<task::RegionAttr>(region)))});
  };
  for (auto [operand, region] :
       llvm::zip(launch.getReads(), launch.getReadRegions()))
    add(operand, region, /*isWrite=*/false);
  for (auto [operand, region] :
       llvm::zip(launch.getWrites(), launch.getWriteRegions()))
    add(operand, region, /*isWrite=*/true);
  return accesses;
}

bool etc::analysis::coversBuffer(const BufferAccess &access, AffineMap grid) {
  AffineMap shape = getBufferShape(access.buffer);
  SmallVector<bool> used(grid.getNumResults(), false);
  for (auto [i, dim] : llvm::enumerate(access.dims)) {
    if (dim.isWhole())
      continue;
    AffineExpr extent = shape.getResult(i);
    if (!dim.isIndexed()) {
      auto constant = dyn_cast<AffineConstantExpr>(extent);
      if (dim.offset != 0 || !constant || dim.size < constant.getValue())
        return false;
      continue;
    }
    AffineExpr tiles =
        simplifyAffineExpr(extent.ceilDiv(dim.period), 0, grid.getNumSymbols());
    if (dim.offset != 0 || dim.size < dim.period || used[dim.index] ||
        tiles != simplifyAffineExpr(grid.getResult(dim.index), 0,
                                    grid.getNumSymbols()))
      return false;
    used[dim.index] = true;
  }
  return true;
}

bool etc::analysis::mayOverlap(const BufferAccess &a, const BufferAccess &b) {
  if (a.buffer != b.buffer)
    return false;
  for (auto [x, y] : llvm::zip(a.dims, b.dims)) {
    if (x.isIndexed() || y.isIndexed() || x.isWhole() || y.isWhole())
      continue;
    if (x.offset + x.size <= y.offset || y.offset + y.size <= x.offset)
      return false;
  }
  return true;
}
