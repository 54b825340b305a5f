//===- DependentPairs.cpp - How many pairs of tasks depend on each other
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/DependentPairs.h"
#include "lib/Analysis/BufferAccess.h"

using namespace mlir;
using namespace etc;
using analysis::BufferAccess;

namespace {
/// An access with the extents of its buffer and the grid of its launch.
struct Access {
  BufferAccess access;
  SmallVector<int64_t> extents, grid;

  /// What the task at `point` touches, clipped.
  Box getBox(ArrayRef<int64_t> point) const {
    Box box;
    for (auto [dim, extent] : llvm::zip_equal(access.dims, extents)) {
      int64_t begin =
          dim.offset + (dim.isIndexed() ? point[dim.index] * dim.period : 0);
      box.begin.push_back(begin);
      box.end.push_back(dim.size == task::RegionAttr::kWhole
                            ? extent
                            : std::min(begin + dim.size, extent));
    }
    return box;
  }

  /// The tasks, as a box of the grid, that touch a part of the non-empty
  /// `touched`; nothing if none can.
  std::optional<Box> getTouching(const Box &touched) const {
    Box tasks;
    tasks.begin.assign(grid.size(), 0);
    llvm::append_range(tasks.end, grid);
    for (auto [i, dim] : llvm::enumerate(access.dims)) {
      if (!dim.isIndexed()) {
        Box mine = getBox(SmallVector<int64_t>(grid.size(), 0));
        if (mine.end[i] <= touched.begin[i] || mine.begin[i] >= touched.end[i])
          return std::nullopt;
        continue;
      }
      // index * period + offset + size > begin, index * period + offset < end
      int64_t &first = tasks.begin[dim.index], &last = tasks.end[dim.index];
      first = std::max(first, llvm::divideFloorSigned(touched.begin[i] -
                                                          dim.offset - dim.size,
                                                      dim.period) +
                                  1);
      last = std::min(last, llvm::divideCeilSigned(touched.end[i] - dim.offset,
                                                   dim.period));
    }
    return tasks;
  }
};

using LaunchAccesses = std::vector<SmallVector<Access>>;
} // namespace

static LaunchAccesses getAccesses(const ConcreteGraph &graph) {
  LaunchAccesses all;
  for (const ConcreteGraph::Launch &launch : graph.getLaunches()) {
    all.emplace_back();
    for (BufferAccess &access : analysis::getBufferAccesses(launch.op))
      all.back().push_back({access,
                            *getExtents(access.buffer, graph.getSymbolValues()),
                            launch.grid});
  }
  return all;
}

static bool conflict(const Access &a, const Access &b) {
  return a.access.buffer == b.access.buffer &&
         (a.access.isWrite || b.access.isWrite);
}

static bool conflict(ArrayRef<Access> earlier, ArrayRef<Access> later) {
  return llvm::any_of(earlier, [&](const Access &a) {
    return llvm::any_of(later, [&](const Access &b) { return conflict(a, b); });
  });
}

static bool contains(const Box &outer, const Box &inner) {
  for (size_t dim = 0; dim < outer.begin.size(); ++dim)
    if (inner.begin[dim] < outer.begin[dim] || inner.end[dim] > outer.end[dim])
      return false;
  return true;
}

static Box intersect(const Box &a, const Box &b) {
  Box both;
  for (size_t dim = 0; dim < a.begin.size(); ++dim) {
    both.begin.push_back(std::max(a.begin[dim], b.begin[dim]));
    both.end.push_back(std::min(a.end[dim], b.end[dim]));
  }
  return both;
}

/// By inclusion and exclusion: |A1 u R| = |A1| + |R| - |A1 n R|.
static int64_t getUnionVolume(ArrayRef<Box> boxes) {
  if (boxes.empty())
    return 0;
  const Box &first = boxes.front();
  SmallVector<Box> rest, common;
  for (const Box &box : boxes.drop_front()) {
    if (contains(box, first))
      return getUnionVolume(boxes.drop_front());
    rest.push_back(box);
    Box both = intersect(first, box);
    if (both.getVolume() > 0)
      common.push_back(both);
  }
  return first.getVolume() + getUnionVolume(rest) - getUnionVolume(common);
}

int64_t etc::countDependentPairs(const ConcreteGraph &graph) {
  LaunchAccesses accesses = getAccesses(graph);
  llvm::DenseMap<Value, SmallVector<unsigned>> touchedBy;
  int64_t pairs = 0;
  for (auto [later, launch] : llvm::enumerate(graph.getLaunches())) {
    SetVector<unsigned> candidates;
    for (const Access &access : accesses[later])
      candidates.insert_range(touchedBy[access.access.buffer]);
    for (unsigned earlier : candidates) {
      if (!conflict(accesses[earlier], accesses[later]))
        continue;
      for (int64_t task = 0; task < launch.numTasks; ++task) {
        SmallVector<int64_t> point = graph.getCoordinates(later, task);
        SmallVector<Box> boxes;
        for (const Access &mine : accesses[later])
          for (const Access &other : accesses[earlier]) {
            Box touched = mine.getBox(point);
            if (!conflict(mine, other) || touched.getVolume() == 0)
              continue;
            std::optional<Box> tasks = other.getTouching(touched);
            if (tasks && tasks->getVolume() > 0)
              boxes.push_back(*tasks);
          }
        pairs += getUnionVolume(boxes);
      }
    }
    for (const Access &access : accesses[later]) {
      auto &touching = touchedBy[access.access.buffer];
      if (touching.empty() || touching.back() != later)
        touching.push_back(later);
    }
  }
  return pairs;
}

int64_t etc::enumerateDependentPairs(const ConcreteGraph &graph) {
  LaunchAccesses accesses = getAccesses(graph);
  auto depend = [&](unsigned earlier, int64_t a, unsigned later, int64_t b) {
    for (const Access &mine : accesses[later])
      for (const Access &other : accesses[earlier]) {
        Box x = other.getBox(graph.getCoordinates(earlier, a));
        Box y = mine.getBox(graph.getCoordinates(later, b));
        if (conflict(mine, other) && intersect(x, y).getVolume() > 0)
          return true;
      }
    return false;
  };
  int64_t pairs = 0;
  for (unsigned later = 0; later < accesses.size(); ++later)
    for (unsigned earlier = 0; earlier < later; ++earlier)
      for (int64_t b = 0; b < graph.getLaunches()[later].numTasks; ++b)
        for (int64_t a = 0; a < graph.getLaunches()[earlier].numTasks; ++a)
          pairs += depend(earlier, a, later, b);
  return pairs;
}
