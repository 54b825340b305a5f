//===- EventDialect.cpp - Event dialect registration, types and attributes
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/event/EventDialect.h"
#include "dialects/event/EventOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace etc::event;

#include "dialects/event/EventDialect.cpp.inc"
#include "dialects/event/EventEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/event/EventTypes.cpp.inc"

void EventDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/event/EventTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/event/EventOps.cpp.inc"
      >();
}

// `<` (dimension (`x` dimension)*)? `>`, or with `data` after a comma; `<data>`
Type EventTensorType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  if (parser.parseLess())
    return {};
  Carrier carrier = Carrier::counter;
  if (succeeded(parser.parseOptionalGreater()))
    return get(parser.getContext(), shape, carrier);
  if (succeeded(parser.parseOptionalKeyword("data")))
    return parser.parseGreater()
               ? Type()
               : get(parser.getContext(), shape, Carrier::data);
  if (parser.parseDimensionList(shape, /*allowDynamic=*/true,
                                /*withTrailingX=*/false))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("data"))
      return {};
    carrier = Carrier::data;
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), shape, carrier);
}

void EventTensorType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  if (getCarrier() == Carrier::data)
    printer << (getRank() ? ", data" : "data");
  printer << ">";
}
