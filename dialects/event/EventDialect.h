//===- EventDialect.h - Event dialect, types and attributes
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_EVENT_EVENTDIALECT_H
#define ETC_DIALECTS_EVENT_EVENTDIALECT_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"

#include "dialects/event/EventDialect.h.inc"
#include "dialects/event/EventEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/event/EventTypes.h.inc"

#endif // ETC_DIALECTS_EVENT_EVENTDIALECT_H
