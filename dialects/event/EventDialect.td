//===- EventDialect.td - The event dialect -----------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_EVENT_EVENTDIALECT_TD
#define ETC_DIALECTS_EVENT_EVENTDIALECT_TD

include "mlir/IR/OpBase.td"

def Event_Dialect : Dialect {
  let name = "event";
  let cppNamespace = "::etc::event";
  let summary = "Dependencies between tile tasks as first-class tensors";
  let description = [{
    An *event tensor* is a multi-dimensional array of events. An event is a
    counter in memory that all workers share: the tasks it depends on *notify*
    it, the tasks that depend on it *wait* until it has been notified as often
    as its count says. Shape and count may be symbolic, so one tensor describes
    every batch size.

    Memory order. A notify is a release, a wait is an acquire, both at the
    scope they name. What a task wrote before it notified an event is visible to
    a task whose wait on that event returned, once the event was notified by
    *all* the tasks that its count stands for. `docs/Events.md` gives the model
    and the constraints E1.. by number.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let useDefaultTypePrinterParser = 1;
}

#endif // ETC_DIALECTS_EVENT_EVENTDIALECT_TD
