//===- LoopBuilder.h - Loops over the elements of a tile
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_TILESTOLOOPS_LOOPBUILDER_H
#define ETC_LIB_CONVERSION_TILESTOLOOPS_LOOPBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace etc {

/// Writes the loops of one tile operation. Elements are computed with as f32,
/// a strip of lanes at a time where the code says so: a strip is a
/// `vector<16xf32>`, and a single f32 where less than 16 elements are left, so
/// that the code of a strip is written once for both.
class LoopBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using Body = mlir::function_ref<void(mlir::Value)>;
  using Values = mlir::SmallVector<mlir::Value>;
  using Reduction = mlir::function_ref<Values(mlir::Value, mlir::ValueRange)>;
  using StripBody = mlir::function_ref<void(int64_t lanes, mlir::Value)>;
  using StripReduction =
      mlir::function_ref<Values(int64_t lanes, mlir::Value, mlir::ValueRange)>;

  /// Elements of a strip: one register of the widest host vectors, two of the
  /// common ones.
  static constexpr int64_t kLanes = 16;

  mlir::Value index(int64_t value);
  mlir::Value real(double value, int64_t lanes = 1);
  mlir::Value extent(mlir::Value buffer, int64_t dim);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b);
  /// The largest multiple of `step` that is not above `value`.
  mlir::Value roundDown(mlir::Value value, int64_t step);

  /// for (i = begin; i < end; i += step).
  void loop(mlir::Value begin, mlir::Value end, int64_t step, Body body);
  void loop(mlir::Value end, Body body) { loop(index(0), end, 1, body); }
  Values loop(mlir::Value begin, mlir::Value end, int64_t step,
              mlir::ValueRange init, Reduction body);

  /// Strips of [0, end).
  void strips(mlir::Value end, StripBody body);
  /// `count` sums over the strips of [0, end); the order of the additions is
  /// free.
  Values sums(mlir::Value end, unsigned count, StripReduction body);

  /// Elements as f32, `lanes` of them along the last dimension.
  mlir::Value load(mlir::Value buffer, mlir::ValueRange indices,
                   int64_t lanes = 1);
  /// Rounds to the buffer's element type.
  void store(mlir::Value value, mlir::Value buffer, mlir::ValueRange indices);
  /// `value`, an f32, rounded to `element`; still an f32.
  mlir::Value round(mlir::Value value, mlir::Type element);
  /// An i64 element as an index.
  mlir::Value loadIndex(mlir::Value buffer, mlir::ValueRange indices);
  /// All lanes with the value of a scalar.
  mlir::Value splat(mlir::Value scalar, int64_t lanes);
  /// The sum of all lanes, in any order.
  mlir::Value sumLanes(mlir::Value value);
  /// acc + a * b, fused where the host can.
  mlir::Value multiplyAdd(mlir::Value a, mlir::Value b, mlir::Value acc);
};

} // namespace etc

#endif // ETC_LIB_CONVERSION_TILESTOLOOPS_LOOPBUILDER_H
