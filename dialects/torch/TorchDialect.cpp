//===- TorchDialect.cpp - Torch dialect and types
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/torch/TorchDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace etc::torch;

static ParseResult parseSizes(AsmParser &parser, SmallVector<int64_t> &sizes);
static void printSizes(AsmPrinter &printer, ArrayRef<int64_t> sizes);
static ParseResult parseContained(AsmParser &parser, Type &type);
static void printContained(AsmPrinter &printer, Type type);

#include "dialects/torch/TorchDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/torch/TorchTypes.cpp.inc"

void TorchDialect::initialize() {
  allowUnknownOperations();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/torch/TorchTypes.cpp.inc"
      >();
}

// `[` (integer | `?`),* `]`
static ParseResult parseSizes(AsmParser &parser, SmallVector<int64_t> &sizes) {
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square, [&]() -> ParseResult {
        if (succeeded(parser.parseOptionalQuestion())) {
          sizes.push_back(ShapedType::kDynamic);
          return success();
        }
        return parser.parseInteger(sizes.emplace_back());
      });
}

static void printSizes(AsmPrinter &printer, ArrayRef<int64_t> sizes) {
  printer << "[";
  llvm::interleave(
      sizes, printer,
      [&](int64_t size) {
        if (ShapedType::isDynamic(size))
          printer << "?";
        else
          printer << size;
      },
      ",");
  printer << "]";
}

static ParseResult parseContained(AsmParser &parser, Type &type) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef mnemonic;
  OptionalParseResult result = generatedTypeParser(parser, &mnemonic, type);
  if (!result.has_value())
    return parser.emitError(loc, "unknown torch type '") << mnemonic << "'";
  return *result;
}

static void printContained(AsmPrinter &printer, Type type) {
  LogicalResult printed = generatedTypePrinter(type, printer);
  assert(succeeded(printed) && "a container holds torch types only");
  (void)printed;
}

LogicalResult VTensorType::verify(function_ref<InFlightDiagnostic()> emitError,
                                  ArrayRef<int64_t> shape, Type elementType) {
  for (int64_t size : shape)
    if (!ShapedType::isDynamic(size) && size < 0)
      return emitError() << "the size of a dimension is not negative, got "
                         << size;
  if (!elementType.isIntOrFloat())
    return emitError() << "the elements of a vtensor are integers or floats, "
                          "got "
                       << elementType;
  return success();
}
