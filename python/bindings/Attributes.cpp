//===- Attributes.cpp - Attributes as Python values
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bindings.h"

#include "dialects/task/TaskDialect.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace etc;
using namespace etc::python;

namespace py = etc::python;

template <typename Range, typename Fn>
static nb::list toList(Range &&range, Fn convert) {
  nb::list list;
  for (auto &&element : range)
    list.append(convert(element));
  return list;
}

static nb::str toStr(llvm::StringRef text) {
  return nb::str(text.data(), text.size());
}

/// Integers of any width; i1 is a bool.
static nb::object toInt(mlir::Type type, const llvm::APInt &value) {
  if (type.isInteger(1))
    return nb::bool_(value.getBoolValue());
  if (type.isUnsignedInteger())
    return nb::int_(value.getZExtValue());
  return nb::int_(value.getSExtValue());
}

/// {type, splat, values}: the values in row-major order, only one if splat.
static nb::object toDense(mlir::DenseElementsAttr dense) {
  mlir::Type element = dense.getElementType();
  nb::list values;
  size_t count = dense.isSplat() ? 1 : dense.getNumElements();
  if (element.isIntOrIndex()) {
    auto it = dense.getValues<llvm::APInt>().begin();
    for (size_t i = 0; i < count; ++i, ++it)
      values.append(toInt(element, *it));
  } else if (mlir::isa<mlir::FloatType>(element)) {
    auto it = dense.getValues<llvm::APFloat>().begin();
    for (size_t i = 0; i < count; ++i, ++it)
      values.append((*it).convertToDouble());
  }
  nb::dict result;
  result["type"] = print(dense.getType());
  result["splat"] = dense.isSplat();
  result["values"] = values;
  return result;
}

static nb::object toBuffer(const std::shared_ptr<Context> &context,
                           task::BufferAttr buffer) {
  nb::dict result;
  result["name"] = toStr(buffer.getName());
  result["role"] = toStr(task::stringifyRole(buffer.getRole()));
  result["layout"] = toStr(task::stringifyLayout(buffer.getLayout()));
  result["type"] = print(buffer.getType());
  result["dtype"] = print(buffer.getType().getElementType());
  result["shape"] = py::AffineMap{context, buffer.getShape()};
  result["offset"] = buffer.getOffset();
  return result;
}

nb::object py::toPython(const std::shared_ptr<Context> &context,
                        mlir::Attribute attribute) {
  using namespace mlir;
  auto recurse = [&](mlir::Attribute nested) {
    return toPython(context, nested);
  };
  auto asInt = [](auto value) { return nb::int_(value); };
  return llvm::TypeSwitch<mlir::Attribute, nb::object>(attribute)
      .Case([](UnitAttr) { return nb::none(); })
      .Case([](IntegerAttr a) { return toInt(a.getType(), a.getValue()); })
      .Case([](FloatAttr a) { return nb::float_(a.getValueAsDouble()); })
      .Case([](StringAttr a) { return toStr(a.getValue()); })
      .Case([](FlatSymbolRefAttr a) { return toStr(a.getValue()); })
      .Case([](TypeAttr a) { return nb::cast(print(a.getValue())); })
      .Case([&](ArrayAttr a) { return toList(a, recurse); })
      .Case([&](DictionaryAttr a) { return toPython(context, a); })
      .Case([&](AffineMapAttr a) {
        return nb::cast(py::AffineMap{context, a.getValue()});
      })
      .Case([&](DenseI32ArrayAttr a) { return toList(a.asArrayRef(), asInt); })
      .Case([&](DenseI64ArrayAttr a) { return toList(a.asArrayRef(), asInt); })
      .Case([&](DenseBoolArrayAttr a) {
        return toList(a.asArrayRef(), [](bool b) { return nb::bool_(b); });
      })
      .Case([](DenseElementsAttr a) { return toDense(a); })
      .Case([](task::SymbolAttr a) {
        nb::dict result;
        result["name"] = toStr(a.getName());
        result["min"] = a.getMin();
        result["max"] = a.getMax();
        return result;
      })
      .Case([&](task::RegionAttr a) {
        nb::dict result;
        result["offsets"] = py::AffineMap{context, a.getOffsets()};
        result["sizes"] = toList(a.getSizes(), [](int64_t size) -> nb::object {
          if (size == task::RegionAttr::kWhole)
            return nb::none();
          return nb::int_(size);
        });
        return result;
      })
      .Case([&](task::BufferAttr a) { return toBuffer(context, a); })
      .Default([](mlir::Attribute a) { return nb::cast(print(a)); });
}

nb::dict py::toPython(const std::shared_ptr<Context> &context,
                      mlir::DictionaryAttr attributes) {
  nb::dict result;
  for (mlir::NamedAttribute named : attributes)
    result[toStr(named.getName())] = toPython(context, named.getValue());
  return result;
}

//===----------------------------------------------------------------------===//
// AffineMap
//===----------------------------------------------------------------------===//

static int64_t evaluate(mlir::AffineExpr expr, const std::vector<int64_t> &dims,
                        const std::vector<int64_t> &symbols) {
  using namespace mlir;
  if (auto constant = llvm::dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = llvm::dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = llvm::dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = llvm::cast<AffineBinaryOpExpr>(expr);
  int64_t a = evaluate(binary.getLHS(), dims, symbols);
  int64_t b = evaluate(binary.getRHS(), dims, symbols);
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    return a + b;
  case AffineExprKind::Mul:
    return a * b;
  default:
    break;
  }
  if (b <= 0)
    throw nb::value_error(
        "an affine map divides by a value that is not positive");
  switch (binary.getKind()) {
  case AffineExprKind::FloorDiv:
    return llvm::divideFloorSigned(a, b);
  case AffineExprKind::CeilDiv:
    return llvm::divideCeilSigned(a, b);
  default:
    return llvm::mod(a, b);
  }
}

void py::bindAttributes(nb::module_ &m) {
  nb::class_<py::AffineMap>(m, "AffineMap",
                            "A map from dimensions and symbols to integers.")
      .def_prop_ro(
          "num_dims",
          [](const py::AffineMap &self) { return self.map.getNumDims(); })
      .def_prop_ro(
          "num_symbols",
          [](const py::AffineMap &self) { return self.map.getNumSymbols(); })
      .def_prop_ro(
          "num_results",
          [](const py::AffineMap &self) { return self.map.getNumResults(); })
      .def(
          "__call__",
          [](const py::AffineMap &self, const std::vector<int64_t> &dims,
             const std::vector<int64_t> &symbols) {
            if (dims.size() < self.map.getNumDims() ||
                symbols.size() < self.map.getNumSymbols())
              throw nb::value_error("too few dimensions or symbols");
            std::vector<int64_t> results;
            for (mlir::AffineExpr expr : self.map.getResults())
              results.push_back(evaluate(expr, dims, symbols));
            return results;
          },
          nb::arg("dims") = std::vector<int64_t>(),
          nb::arg("symbols") = std::vector<int64_t>(),
          "The results at these dimensions and symbols. Raises ValueError.")
      .def(
          "dim",
          [](const py::AffineMap &self,
             unsigned result) -> std::optional<unsigned> {
            if (result >= self.map.getNumResults())
              throw nb::index_error();
            auto dim =
                llvm::dyn_cast<mlir::AffineDimExpr>(self.map.getResult(result));
            if (!dim)
              return std::nullopt;
            return dim.getPosition();
          },
          nb::arg("result"),
          "The position of the dimension that a result is, or None.")
      .def("__eq__",
           [](const py::AffineMap &self, nb::object other) {
             py::AffineMap map;
             return nb::try_cast(other, map) && map.map == self.map;
           })
      .def("__hash__",
           [](const py::AffineMap &self) {
             return static_cast<size_t>(hash_value(self.map));
           })
      .def("__str__", [](const py::AffineMap &self) { return print(self.map); })
      .def("__repr__",
           [](const py::AffineMap &self) { return print(self.map); });

  // Enumerations are integers on operations: their names in order.
  nb::list roles, layouts;
  for (uint64_t i = 0; i <= task::getMaxEnumValForRole(); ++i)
    roles.append(toStr(task::stringifyRole(static_cast<task::Role>(i))));
  for (uint64_t i = 0; i <= task::getMaxEnumValForLayout(); ++i)
    layouts.append(toStr(task::stringifyLayout(static_cast<task::Layout>(i))));
  m.attr("ROLES") = nb::tuple(roles);
  m.attr("LAYOUTS") = nb::tuple(layouts);
}
