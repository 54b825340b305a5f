//===- IrBindings.cpp - Walking and building IR from Python
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bindings.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace etc::python;

namespace py = etc::python;

static mlir::Type parseType(Module &module, const std::string &text) {
  Diagnostics diagnostics(*module.context);
  mlir::Type type = mlir::parseType(text, &module.context->mlir);
  if (!type)
    diagnostics.raise("parse of type '" + text + "'");
  return type;
}

static mlir::Attribute parseAttribute(Module &module, const std::string &text) {
  Diagnostics diagnostics(*module.context);
  mlir::Attribute attribute = mlir::parseAttribute(text, &module.context->mlir);
  if (!attribute)
    diagnostics.raise("parse of attribute '" + text + "'");
  return attribute;
}

static mlir::SmallVector<mlir::Type>
parseTypes(Module &module, const std::vector<std::string> &texts) {
  mlir::SmallVector<mlir::Type> types;
  for (const std::string &text : texts)
    types.push_back(parseType(module, text));
  return types;
}

/// Appends an operation at the end of a block.
static py::Operation
append(py::Block &self, const std::string &name,
       const std::vector<py::Value> &operands,
       const std::vector<std::pair<std::string, std::string>> &attributes,
       const std::vector<std::string> &results, unsigned regions,
       const std::string &location) {
  Module &module = *self.module;
  mlir::MLIRContext *context = &module.context->mlir;
  if (!mlir::RegisteredOperationName::lookup(name, context))
    throw nb::value_error(("no operation named '" + name + "'").c_str());
  mlir::Location loc = mlir::UnknownLoc::get(context);
  if (!location.empty())
    loc = mlir::NameLoc::get(mlir::StringAttr::get(context, location));
  mlir::OperationState state(loc, name);
  for (const py::Value &operand : operands)
    state.operands.push_back(operand.value);
  for (auto &[key, text] : attributes)
    state.addAttribute(key, parseAttribute(module, text));
  state.addTypes(parseTypes(module, results));
  for (unsigned i = 0; i < regions; ++i)
    state.addRegion();
  mlir::Operation *op = mlir::Operation::create(state);
  self.block->push_back(op);
  return {self.module, op};
}

using Shape = std::vector<std::optional<int64_t>>;

static std::optional<Shape> getShape(const py::Value &self) {
  auto shaped = llvm::dyn_cast<mlir::ShapedType>(self.value.getType());
  if (!shaped || !shaped.hasRank())
    return std::nullopt;
  Shape shape;
  for (int64_t extent : shaped.getShape()) {
    if (mlir::ShapedType::isDynamic(extent))
      shape.push_back(std::nullopt);
    else
      shape.push_back(extent);
  }
  return shape;
}

template <typename Range>
static std::vector<py::Value> toValues(const ModuleRef &module, Range &&range) {
  std::vector<py::Value> values;
  for (mlir::Value value : range)
    values.push_back({module, value});
  return values;
}

static void bindValue(nb::module_ &m) {
  nb::class_<py::Value>(m, "Value",
                        "An SSA value; equal and hashed by identity.")
      .def_prop_ro(
          "type",
          [](const py::Value &self) { return print(self.value.getType()); })
      .def_prop_ro("shape", &getShape,
                   "Extents, None where dynamic; None if it has no shape.")
      .def_prop_ro(
          "dtype",
          [](const py::Value &self) {
            return print(mlir::getElementTypeOrSelf(self.value));
          },
          "The type of its elements, or its type.")
      .def_prop_ro(
          "owner",
          [](const py::Value &self) -> std::optional<py::Operation> {
            if (mlir::Operation *op = self.value.getDefiningOp())
              return py::Operation{self.module, op};
            return std::nullopt;
          },
          "The operation that defines it; None for a block argument.")
      .def_prop_ro(
          "index",
          [](const py::Value &self) -> unsigned {
            if (auto arg = llvm::dyn_cast<mlir::BlockArgument>(self.value))
              return arg.getArgNumber();
            return llvm::cast<mlir::OpResult>(self.value).getResultNumber();
          },
          "Its position among the results or the block's arguments.")
      .def("__eq__",
           [](const py::Value &self, nb::object other) {
             py::Value value;
             return nb::try_cast(other, value) && value.value == self.value;
           })
      .def("__hash__",
           [](const py::Value &self) {
             return reinterpret_cast<intptr_t>(self.value.getAsOpaquePointer());
           })
      .def("__repr__", [](const py::Value &self) { return print(self.value); });
}

static void bindOperation(nb::module_ &m) {
  nb::class_<py::Operation>(m, "Operation",
                            "An operation of a module. Invalid once "
                            "`Module.run` has changed it or it is erased.")
      .def_prop_ro("name",
                   [](const py::Operation &self) {
                     return self.op->getName().getStringRef().str();
                   })
      .def_prop_ro("operands",
                   [](const py::Operation &self) {
                     return toValues(self.module, self.op->getOperands());
                   })
      .def_prop_ro("results",
                   [](const py::Operation &self) {
                     return toValues(self.module, self.op->getResults());
                   })
      .def_prop_ro(
          "attributes",
          [](const py::Operation &self) {
            return nb::typed<nb::dict, nb::str, nb::any>(
                toPython(self.module->context, self.op->getAttrDictionary()));
          },
          "Name to value: int, float, str, bool, list, dict, AffineMap, None "
          "for unit.")
      .def(
          "attribute_text",
          [](const py::Operation &self, const std::string &name) {
            mlir::Attribute attribute = self.op->getAttr(name);
            if (!attribute)
              throw nb::key_error(name.c_str());
            return print(attribute);
          },
          nb::arg("name"), "An attribute as MLIR prints it. Raises KeyError.")
      .def(
          "set_attribute",
          [](const py::Operation &self, const std::string &name,
             const std::string &text) {
            self.op->setAttr(name, parseAttribute(*self.module, text));
          },
          nb::arg("name"), nb::arg("text"),
          "Parses `text` and sets the attribute. Raises CompileError.")
      .def_prop_ro("regions",
                   [](const py::Operation &self) {
                     std::vector<py::Region> regions;
                     for (mlir::Region &region : self.op->getRegions())
                       regions.push_back({self.module, &region});
                     return regions;
                   })
      .def_prop_ro("successors",
                   [](const py::Operation &self) {
                     std::vector<py::Block> blocks;
                     for (mlir::Block *block : self.op->getSuccessors())
                       blocks.push_back({self.module, block});
                     return blocks;
                   })
      .def_prop_ro(
          "parent",
          [](const py::Operation &self) -> std::optional<py::Operation> {
            if (mlir::Operation *parent = self.op->getParentOp())
              return py::Operation{self.module, parent};
            return std::nullopt;
          })
      .def_prop_ro(
          "location",
          [](const py::Operation &self) { return print(self.op->getLoc()); })
      .def(
          "erase",
          [](const py::Operation &self) {
            if (!self.op->use_empty())
              throw nb::value_error("the operation still has uses");
            self.op->erase();
          },
          "Erases the operation. Raises ValueError while its results are used.")
      .def("__eq__",
           [](const py::Operation &self, nb::object other) {
             py::Operation op;
             return nb::try_cast(other, op) && op.op == self.op;
           })
      .def("__hash__",
           [](const py::Operation &self) {
             return reinterpret_cast<intptr_t>(self.op);
           })
      .def("__str__",
           [](const py::Operation &self) { return print(*self.op); });
}

static void bindBlocks(nb::module_ &m) {
  nb::class_<py::Region>(m, "Region")
      .def_prop_ro("blocks",
                   [](const py::Region &self) {
                     std::vector<py::Block> blocks;
                     for (mlir::Block &block : *self.region)
                       blocks.push_back({self.module, &block});
                     return blocks;
                   })
      .def(
          "append_block",
          [](const py::Region &self, const std::vector<std::string> &types) {
            mlir::Block &block = self.region->emplaceBlock();
            for (mlir::Type type : parseTypes(*self.module, types))
              block.addArgument(type, self.region->getLoc());
            return py::Block{self.module, &block};
          },
          nb::arg("argument_types") = std::vector<std::string>(),
          "Appends a block with arguments of these types. Raises "
          "CompileError.");
  nb::class_<py::Block>(m, "Block")
      .def_prop_ro("arguments",
                   [](const py::Block &self) {
                     return toValues(self.module, self.block->getArguments());
                   })
      .def_prop_ro("operations",
                   [](const py::Block &self) {
                     std::vector<py::Operation> ops;
                     for (mlir::Operation &op : *self.block)
                       ops.push_back({self.module, &op});
                     return ops;
                   })
      .def(
          "append",
          [](py::Block &self, const std::string &name,
             const std::vector<py::Value> &operands, nb::dict attributes,
             const std::vector<std::string> &results, unsigned regions,
             const std::string &location) {
            std::vector<std::pair<std::string, std::string>> texts;
            for (auto [key, value] : attributes)
              texts.emplace_back(nb::cast<std::string>(key),
                                 nb::cast<std::string>(value));
            return append(self, name, operands, texts, results, regions,
                          location);
          },
          nb::arg("name"), nb::arg("operands") = std::vector<py::Value>(),
          nb::arg("attributes") = nb::dict(),
          nb::arg("results") = std::vector<std::string>(),
          nb::arg("regions") = 0, nb::arg("location") = "",
          "Appends an operation by name. `attributes` maps names to MLIR text, "
          "`results` are\n"
          "types as text. Verified by `Module.verify`. Raises CompileError, "
          "ValueError.")
      .def("__eq__",
           [](const py::Block &self, nb::object other) {
             py::Block block;
             return nb::try_cast(other, block) && block.block == self.block;
           })
      .def("__hash__", [](const py::Block &self) {
        return reinterpret_cast<intptr_t>(self.block);
      });
}

void py::bindIr(nb::module_ &m) {
  bindValue(m);
  bindOperation(m);
  bindBlocks(m);
}
