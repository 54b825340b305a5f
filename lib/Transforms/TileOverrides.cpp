//===- TileOverrides.cpp - The user's own choice of tiles
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/TileOverrides.h"
#include "dialects/task/TaskOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace etc;
using namespace etc::task;

std::string etc::formatTile(const Tile &tile) {
  return llvm::join(
      llvm::map_range(tile, [](int64_t size) { return std::to_string(size); }),
      "x");
}

/// The operators that can be cut, by name.
static constexpr StringRef kKinds[] = {
    "generic",    "linear",    "rms_norm",  "embedding",   "rope",
    "rope_table", "kv_append", "attention", "gather_rows", "argmax"};

FailureOr<TileOverrides> TileOverrides::parse(Location loc,
                                              ArrayRef<std::string> specs) {
  TileOverrides result;
  for (StringRef spec : specs) {
    auto [kind, sizes] = spec.split(':');
    Tile tile;
    SmallVector<StringRef> parts;
    sizes.split(parts, 'x');
    bool isValid = llvm::is_contained(kKinds, kind);
    for (StringRef part : parts)
      isValid &=
          !part.getAsInteger(10, tile.emplace_back()) && tile.back() >= 0;
    if (!isValid)
      return emitError(loc)
             << "'" << spec << "' is no tile; expects KIND:SIZE or "
             << "KIND:SIZExSIZE, such as 'linear:16' or 'generic:0x64', with "
             << "sizes in elements (0: not cut) and KIND one of "
             << llvm::join(ArrayRef(kKinds), ", ");
    if (!result.tiles.try_emplace(kind, tile).second)
      return emitError(loc) << "two tiles for '" << kind << "'";
  }
  return result;
}

FailureOr<std::optional<Tile>>
TileOverrides::lookup(TaskRegionOpInterface op) const {
  auto it = tiles.find(op->getName().stripDialect());
  if (it == tiles.end())
    return std::optional<Tile>();
  SmallVector<int64_t> domain = op.getTaskDomain();
  Tile tile = it->second;
  if (tile.size() > domain.size())
    return op->emitOpError("the tile ")
           << formatTile(tile) << " has more dimensions than the operator's "
           << "task domain (" << domain.size() << ")";
  tile.insert(tile.begin(), domain.size() - tile.size(), 0);
  for (auto [dim, size] : llvm::enumerate(tile)) {
    if (size && !mayCut(op, dim))
      return op->emitOpError("the tile ")
             << formatTile(tile) << " cuts dimension " << dim
             << ", along which tasks are not independent";
    // A group of query heads belongs to one key/value head as a whole.
    if (size && isa<AttentionOp>(*op) && domain[dim] % size != 0 && dim == 1)
      return op->emitOpError("the tile ")
             << formatTile(tile) << " does not divide the " << domain[dim]
             << " key/value heads";
  }
  return std::optional<Tile>(tile);
}
