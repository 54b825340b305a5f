//===- TileOverrides.h - The user's own choice of tiles
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_TRANSFORMS_TILEOVERRIDES_H
#define ETC_LIB_TRANSFORMS_TILEOVERRIDES_H

#include "lib/Analysis/TileCost.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/StringMap.h"

namespace etc {

/// `0x64`, as in the specification of a tile.
std::string formatTile(const Tile &tile);

/// Tiles per kind of operator, from `linear:16` or `generic:0x64`: the name of
/// the operator without its dialect, then one size per dimension of its task
/// domain (0: not cut). Dimensions that are left out at the front are not cut.
class TileOverrides {
public:
  static mlir::FailureOr<TileOverrides>
  parse(mlir::Location loc, mlir::ArrayRef<std::string> specs);

  /// The tile that was given for this kind of operator, if any; an error if it
  /// does not fit the operator.
  mlir::FailureOr<std::optional<Tile>>
  lookup(task::TaskRegionOpInterface op) const;

private:
  llvm::StringMap<Tile> tiles;
};

} // namespace etc

#endif // ETC_LIB_TRANSFORMS_TILEOVERRIDES_H
