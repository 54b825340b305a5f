//===- SymbolicShapes.h - Extents of a step in terms of its symbols
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_SYMBOLICSHAPES_H
#define ETC_LIB_ANALYSIS_SYMBOLICSHAPES_H

#include "dialects/task/TaskDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

namespace etc {

/// The extents of every tensor of a tensor-level step, as affine expressions
/// of the step's symbols (s0, s1, ... in the order of `task.symbols`).
class SymbolicShapes {
public:
  /// Follows the argument attribute `task.shape` through the step. Emits an
  /// error where an extent is not an affine expression of the symbols.
  static mlir::FailureOr<SymbolicShapes> compute(mlir::func::FuncOp step);

  unsigned getNumSymbols() const { return symbols.size(); }
  mlir::ArrayRef<mlir::AffineExpr> get(mlir::Value tensor) const {
    return shapes.find(tensor)->second;
  }
  mlir::AffineMap getMap(mlir::Value tensor) const;

  /// The extents at the least and at the largest values of all symbols.
  mlir::SmallVector<int64_t> getLeast(mlir::Value tensor) const;
  mlir::SmallVector<int64_t> getLargest(mlir::Value tensor) const;

private:
  mlir::LogicalResult addArgument(mlir::func::FuncOp step, unsigned number);
  mlir::LogicalResult addOperation(mlir::Operation *op);
  mlir::LogicalResult addShape(mlir::Value tensor,
                               mlir::ArrayRef<mlir::AffineExpr> shape);
  mlir::AffineExpr evaluate(mlir::OpFoldResult extent) const;
  mlir::AffineExpr evaluateOperation(mlir::Operation *op) const;

  mlir::MLIRContext *context = nullptr;
  mlir::SmallVector<task::SymbolAttr> symbols;
  llvm::DenseMap<mlir::Value, mlir::SmallVector<mlir::AffineExpr>> shapes;
};

} // namespace etc

#endif // ETC_LIB_ANALYSIS_SYMBOLICSHAPES_H
