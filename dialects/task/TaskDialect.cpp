//===- TaskDialect.cpp - Task dialect registration, types and attributes
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskDialect.h"
#include "dialects/event/EventOps.h"
#include "dialects/task/TaskOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace etc::task;

#include "dialects/task/TaskDialect.cpp.inc"
#include "dialects/task/TaskEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/task/TaskAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/task/TaskTypes.cpp.inc"

void TaskDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/task/TaskAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/task/TaskTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/task/TaskOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// SymbolAttr
//===----------------------------------------------------------------------===//

LogicalResult SymbolAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef name, int64_t min, int64_t max) {
  if (min < 1 || max < min)
    return emitError() << "symbol '" << name
                       << "' needs a range of positive extents, got " << min
                       << " to " << max;
  if (max > INT32_MAX)
    return emitError() << "symbol '" << name << "' goes up to " << max
                       << "; an extent has 31 bits";
  return success();
}

//===----------------------------------------------------------------------===//
// RegionAttr
//===----------------------------------------------------------------------===//

// `<` affine-map `sizes` `[` (integer | `*`),* `]` `disjoint`? `>`
Attribute RegionAttr::parse(AsmParser &parser, Type) {
  AffineMap offsets;
  SmallVector<int64_t> sizes;
  auto parseSize = [&]() -> ParseResult {
    if (succeeded(parser.parseOptionalStar())) {
      sizes.push_back(kWhole);
      return success();
    }
    return parser.parseInteger(sizes.emplace_back());
  };
  if (parser.parseLess() || parser.parseAffineMap(offsets) ||
      parser.parseKeyword("sizes") ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseSize))
    return {};
  bool isDisjoint = succeeded(parser.parseOptionalKeyword("disjoint"));
  if (parser.parseGreater())
    return {};
  return parser.getChecked<RegionAttr>(parser.getContext(), offsets, sizes,
                                       isDisjoint);
}

void RegionAttr::print(AsmPrinter &printer) const {
  printer << "<" << getOffsets() << " sizes [";
  llvm::interleaveComma(getSizes(), printer, [&](int64_t size) {
    if (size == kWhole)
      printer << "*";
    else
      printer << size;
  });
  printer << (getIsDisjoint() ? "] disjoint>" : "]>");
}

LogicalResult RegionAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 AffineMap offsets, ArrayRef<int64_t> sizes,
                                 bool isDisjoint) {
  if (offsets.getNumResults() != sizes.size())
    return emitError() << "a region needs one size per offset, got "
                       << sizes.size() << " sizes for "
                       << offsets.getNumResults() << " offsets";
  if (offsets.getNumSymbols() != 0)
    return emitError() << "the offsets of a region are in the coordinates of "
                          "the grid alone, got "
                       << AffineMapAttr::get(offsets);
  for (auto [offset, size] : llvm::zip(offsets.getResults(), sizes)) {
    auto constant = dyn_cast<AffineConstantExpr>(offset);
    if (size == kWhole && (!constant || constant.getValue() != 0))
      return emitError() << "a whole dimension starts at offset 0";
    if (size != kWhole && size <= 0)
      return emitError() << "the size of a region is positive, got " << size;
  }
  return success();
}

RegionAttr RegionAttr::getWhole(MLIRContext *context, unsigned gridRank,
                                unsigned rank) {
  SmallVector<AffineExpr> zeros(rank, getAffineConstantExpr(0, context));
  SmallVector<int64_t> sizes(rank, kWhole);
  return get(context, AffineMap::get(gridRank, 0, zeros, context), sizes);
}

MemRefType RegionAttr::getViewType(MemRefType buffer) const {
  SmallVector<int64_t> shape, strides;
  int64_t offset;
  if (failed(buffer.getStridesAndOffset(strides, offset)))
    return {};
  bool isEverything = true;
  for (auto [extent, size] : llvm::zip(buffer.getShape(), getSizes())) {
    isEverything &= size == kWhole;
    if (size == kWhole)
      shape.push_back(extent);
    else if (size == 1 ||
             (!ShapedType::isDynamic(extent) && extent % size == 0))
      shape.push_back(size);
    else
      shape.push_back(ShapedType::kDynamic);
  }
  if (isEverything)
    return buffer;
  auto layout = StridedLayoutAttr::get(buffer.getContext(),
                                       ShapedType::kDynamic, strides);
  return MemRefType::get(shape, buffer.getElementType(), layout,
                         buffer.getMemorySpace());
}

LogicalResult StackAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                ArrayAttr sources, int64_t rows) {
  if (!sources || sources.size() < 2 ||
      !llvm::all_of(sources, llvm::IsaPred<StringAttr>) || rows < 0)
    return emitError() << "a stack names two matrices or more, and a number of "
                          "rows that is not negative";
  return success();
}

bool etc::task::fillsWords(MemRefType type) {
  int64_t bits = type.getElementTypeBitWidth();
  return type.getRank() != 0 &&
         (bits == 32 || (bits == 16 && type.getShape().back() % 2 == 0));
}

bool etc::task::isTagged(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref && isa_and_nonnull<TaggedAttr>(memref.getMemorySpace());
}

int64_t etc::task::getElementBytes(MemRefType type) {
  int64_t bits = type.getElementTypeBitWidth();
  // A tagged word has 32 bits of elements and as many of the epoch.
  return llvm::divideCeil(isTagged(type) ? 2 * bits : bits, 8);
}
