//===- StepPorts.cpp - Names, roles and extents of the arguments of a step
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Conversion/TorchToTask/StepPorts.h"
#include "dialects/task/TaskDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace etc;

bool etc::hasBatchDimension(torch::VTensorType type) {
  ArrayRef<int64_t> shape = type.getShape();
  if (shape.empty() || shape.front() != 1)
    return false;
  // Weights have at most two dimensions and the cache has five.
  return shape.size() == 3 || shape.size() == 4 ||
         (shape.size() == 2 && ShapedType::isDynamic(shape.back()));
}

namespace {
/// One argument or result, for the errors about it.
struct Port {
  func::FuncOp step;
  StringRef kind;
  unsigned number;
  Type type;
  DictionaryAttr attrs;

  InFlightDiagnostic error() {
    return step.emitOpError(kind) << " " << number << " ";
  }
  template <typename AttrT> AttrT get(StringRef name) const {
    return attrs ? attrs.getAs<AttrT>(name) : AttrT();
  }
};

class StepPorts {
public:
  explicit StepPorts(func::FuncOp step)
      : step(step), builder(step.getContext()) {}
  LogicalResult run();

private:
  LogicalResult readSymbols();
  LogicalResult verify(Port &port);
  FailureOr<AffineMap> readShape(Port &port);
  LogicalResult convertArgument(unsigned number);
  LogicalResult convertResult(unsigned number);

  func::FuncOp step;
  Builder builder;
  /// Name -> its attribute, as the importer orders them.
  llvm::MapVector<StringRef, task::SymbolAttr> ranges;
  /// In the order in which the arguments name them first.
  SmallVector<StringRef> order;
};
} // namespace

LogicalResult StepPorts::readSymbols() {
  auto symbols = step->getAttrOfType<DictionaryAttr>("etc.symbols");
  if (!symbols)
    return step.emitOpError("has no etc.symbols, so it is not a step that the "
                            "importer made");
  for (NamedAttribute symbol : symbols) {
    auto bounds = dyn_cast<ArrayAttr>(symbol.getValue());
    SmallVector<int64_t> values;
    for (Attribute bound : bounds ? bounds.getValue() : ArrayRef<Attribute>())
      if (auto integer = dyn_cast<IntegerAttr>(bound))
        values.push_back(integer.getInt());
    if (values.size() != 2)
      return step.emitOpError("etc.symbols: '")
             << symbol.getName().strref()
             << "' needs its smallest and largest value, got "
             << symbol.getValue();
    auto attr = task::SymbolAttr::getChecked(
        [&]() { return step.emitOpError("etc.symbols: "); }, step.getContext(),
        symbol.getName().strref(), values[0], values[1]);
    if (!attr)
      return failure();
    ranges[symbol.getName().strref()] = attr;
  }
  return success();
}

LogicalResult StepPorts::verify(Port &port) {
  for (StringRef name : {"etc.name", "etc.role"})
    if (!port.get<StringAttr>(name))
      return port.error() << "needs a " << name;
  if (!isa<torch::VTensorType>(port.type))
    return port.error() << "is a tensor, got " << port.type;
  static constexpr StringLiteral known[] = {"etc.name", "etc.role", "etc.dims",
                                            "etc.tied", "etc.constant"};
  for (NamedAttribute attr : port.attrs)
    if (attr.getName().strref().starts_with("etc.") &&
        !llvm::is_contained(known, attr.getName().strref()))
      return port.error() << "has an unknown attribute " << attr.getName();
  return success();
}

/// The extents in terms of the symbols, without the batch dimension.
FailureOr<AffineMap> StepPorts::readShape(Port &port) {
  auto type = cast<torch::VTensorType>(port.type);
  auto dims = port.get<ArrayAttr>("etc.dims");
  if (dims && dims.size() != type.getShape().size())
    return port.error() << "has " << dims.size() << " etc.dims for " << type;
  SmallVector<AffineExpr> extents;
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    auto dim = dims ? dyn_cast<StringAttr>(dims[i]) : StringAttr();
    StringRef name = dim ? dim.getValue() : "";
    if (!ShapedType::isDynamic(size)) {
      if (dims && name != std::to_string(size))
        return port.error() << "has etc.dims " << dims << " for " << type;
      extents.push_back(builder.getAffineConstantExpr(size));
      continue;
    }
    if (!ranges.contains(name))
      return port.error() << "does not say which symbol of etc.symbols "
                             "dimension "
                          << i << " of " << type << " is";
    if (!llvm::is_contained(order, name))
      order.push_back(name);
    extents.push_back(
        builder.getAffineSymbolExpr(llvm::find(order, name) - order.begin()));
  }
  if (hasBatchDimension(type))
    extents.erase(extents.begin());
  return AffineMap::get(0, ranges.size(), extents, step.getContext());
}

LogicalResult StepPorts::convertArgument(unsigned number) {
  Port port = {step, "argument", number, step.getArgumentTypes()[number],
               step.getArgAttrDict(number)};
  if (failed(verify(port)))
    return failure();
  FailureOr<AffineMap> shape = readShape(port);
  if (failed(shape))
    return failure();
  NamedAttrList attrs;
  attrs.set("task.name", port.get<StringAttr>("etc.name"));
  attrs.set("task.role", port.get<StringAttr>("etc.role"));
  attrs.set("task.shape", AffineMapAttr::get(*shape));
  if (auto tied = port.get<ArrayAttr>("etc.tied"))
    attrs.set("task.tied", tied);
  step.setArgAttrs(number, attrs.getDictionary(step.getContext()));
  return success();
}

LogicalResult StepPorts::convertResult(unsigned number) {
  Port port = {step, "result", number, step.getResultTypes()[number],
               step.getResultAttrDict(number)};
  if (failed(verify(port)) || failed(readShape(port)))
    return failure();
  auto name = port.get<StringAttr>("etc.name");
  StringRef role = port.get<StringAttr>("etc.role").getValue();
  if (role != "output" && role != "state")
    return port.error() << "has role '" << role
                        << "'; a result is an output or a state";
  NamedAttrList attrs;
  attrs.set("task.name", name);
  if (role == "state")
    attrs.set("task.state", name);
  step.setResultAttrs(number, attrs.getDictionary(step.getContext()));
  return success();
}

LogicalResult StepPorts::run() {
  if (failed(readSymbols()))
    return failure();
  for (unsigned i = 0; i < step.getNumArguments(); ++i)
    if (failed(convertArgument(i)))
      return failure();
  if (order.size() != ranges.size())
    return step.emitOpError("etc.symbols lists ")
           << ranges.size() << " symbols, the arguments name " << order.size();
  for (unsigned i = 0; i < step.getNumResults(); ++i)
    if (failed(convertResult(i)))
      return failure();
  SmallVector<Attribute> symbols;
  for (StringRef name : order)
    symbols.push_back(ranges.lookup(name));
  step->removeAttr("etc.symbols");
  step->setAttr("task.symbols", builder.getArrayAttr(symbols));
  return success();
}

LogicalResult etc::convertStepPorts(func::FuncOp step) {
  return StepPorts(step).run();
}
