//===- TorchOperators.h - The operators of an imported step
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_TORCHTOTASK_TORCHOPERATORS_H
#define ETC_LIB_CONVERSION_TORCHTOTASK_TORCHOPERATORS_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/DialectConversion.h"

namespace etc {

bool isTorchOp(mlir::Operation *op);

/// The name in `docs/import.md`: `aten.linear`, `etc.rms_norm`.
llvm::StringRef getTorchName(mlir::Operation *op);

/// Constants, lists and sizes: they have no conversion of their own, the
/// operators that take them read them.
bool isTorchPlumbing(mlir::Operation *op);

bool isTorchOperatorKnown(llvm::StringRef name);

/// One pattern per operator. A pattern that does not apply has emitted an
/// error.
void populateTorchToTaskPatterns(const mlir::TypeConverter &types,
                                 mlir::RewritePatternSet &patterns);

} // namespace etc

#endif // ETC_LIB_CONVERSION_TORCHTOTASK_TORCHOPERATORS_H
