//===- EventTypes.td - Types of the event dialect ----------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_EVENT_EVENTTYPES_TD
#define ETC_DIALECTS_EVENT_EVENTTYPES_TD

include "dialects/event/EventAttrs.td"

def Event_TensorType : TypeDef<Event_Dialect, "EventTensor"> {
  let mnemonic = "tensor";
  let summary = "an array of events, all of one count and carrier";
  let description = [{
    `!event.tensor<?x8>` has a symbolic and a static dimension,
    `!event.tensor<>` is a single event, `!event.tensor<8, data>` carries values,
    `!event.tensor<data>` is one.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "Carrier":$carrier);
  let builders = [TypeBuilder<(ins "llvm::ArrayRef<int64_t>":$shape), [{
    return $_get($_ctxt, shape, Carrier::counter);
  }]>];
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
  }];
}

#endif // ETC_DIALECTS_EVENT_EVENTTYPES_TD
