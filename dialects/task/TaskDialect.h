//===- TaskDialect.h - Task dialect, types and attributes
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKDIALECT_H
#define ETC_DIALECTS_TASK_TASKDIALECT_H

#include "dialects/event/EventDialect.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"

#include "dialects/task/TaskDialect.h.inc"
#include "dialects/task/TaskEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/task/TaskAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/task/TaskTypes.h.inc"

namespace etc::task {
/// Whether memory of this type can be tagged: its rows fill words of 32 bits (T16).
bool fillsWords(mlir::MemRefType type);
/// Whether values of this type are handed over with their epoch (T16).
bool isTagged(mlir::Type type);
/// Bytes of memory that an element of the buffer takes.
int64_t getElementBytes(mlir::MemRefType type);
} // namespace etc::task

#endif // ETC_DIALECTS_TASK_TASKDIALECT_H
