//===- EventOps.h - Event operations
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_EVENT_EVENTOPS_H
#define ETC_DIALECTS_EVENT_EVENTOPS_H

#include "dialects/event/EventDialect.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dialects/event/EventOps.h.inc"

#endif // ETC_DIALECTS_EVENT_EVENTOPS_H
