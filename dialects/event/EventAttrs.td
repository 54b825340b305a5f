//===- EventAttrs.td - Attributes of the event dialect -----*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_EVENT_EVENTATTRS_TD
#define ETC_DIALECTS_EVENT_EVENTATTRS_TD

include "dialects/event/EventDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Event_Scope : I32EnumAttr<"Scope", "who sees the release or acquire", [
    I32EnumAttrCase<"cta", 0>, I32EnumAttrCase<"gpu", 1>, I32EnumAttrCase<"sys", 2>]> {
  let cppNamespace = "::etc::event";
}

def Event_Carrier : I32EnumAttr<"Carrier", "what crosses memory with an event", [
    I32EnumAttrCase<"counter", 0>, I32EnumAttrCase<"data", 1>]> {
  let cppNamespace = "::etc::event";
  let description = [{
    `counter`: a 32-bit count, the data lies elsewhere. `data`: the value itself
    and the epoch of its step in one 64-bit scalar, so that the consumer polls
    the data and needs no second trip. One scalar, because PTX orders nothing
    between the parts of a vector access.
  }];
}

def Event_Reuse : I32EnumAttr<"Reuse", "how an event serves the next step", [
    I32EnumAttrCase<"monotonic", 0>, I32EnumAttrCase<"banked", 1>,
    I32EnumAttrCase<"carried", 2>]> {
  let cppNamespace = "::etc::event";
  let description = [{
    `monotonic`: never reset; in step `epoch` (1, 2, ...) the target is
    `count * epoch`, compared as `(int)(seen - target) >= 0`, so it may wrap.
    Right only where every step notifies every entry the same number of times.
    `banked`: two banks, step `epoch` uses bank `epoch mod 2` and clears the
    other one, which the step before was the last to use.
    `carried`: notified in one step, waited for in the next of the same kernel
    launch. It has no dimensions, for two steps may differ in their sizes.
  }];
}

#endif // ETC_DIALECTS_EVENT_EVENTATTRS_TD
