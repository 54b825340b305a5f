//===- Patterns.h - The tile operations as loops
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_TILESTOLOOPS_PATTERNS_H
#define ETC_LIB_CONVERSION_TILESTOLOOPS_PATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace etc {

/// task.linear.
void populateLinearToLoops(mlir::RewritePatternSet &patterns);
/// task.rms_norm, task.rope, task.rope_table.
void populateRowsToLoops(mlir::RewritePatternSet &patterns);
/// task.embedding, task.gather_rows, task.argmax.
void populateSelectionToLoops(mlir::RewritePatternSet &patterns);
/// task.kv_append, task.attention.
void populateAttentionToLoops(mlir::RewritePatternSet &patterns);

} // namespace etc

#endif // ETC_LIB_CONVERSION_TILESTOLOOPS_PATTERNS_H
