//===- TaskStep.cpp - The attributes of a step on tensors
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace etc::task;

static LogicalResult verifyStrings(Operation *op, NamedAttribute attr) {
  auto array = dyn_cast<ArrayAttr>(attr.getValue());
  if (array && llvm::all_of(array, llvm::IsaPred<StringAttr>))
    return success();
  return op->emitOpError("S2: ") << attr.getName() << " is a list of names";
}

/// S1.
LogicalResult TaskDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attr) {
  if (attr.getName() != "task.symbols")
    return op->emitOpError("S1: the task dialect has no attribute ")
           << attr.getName();
  auto array = dyn_cast<ArrayAttr>(attr.getValue());
  if (!isa<FunctionOpInterface>(op) || !array)
    return op->emitOpError("S1: task.symbols is a list, of a function");
  llvm::StringSet<> names;
  for (Attribute element : array) {
    auto symbol = dyn_cast<SymbolAttr>(element);
    if (!symbol)
      return op->emitOpError("S1: task.symbols holds ")
             << element << ", which is no #task.symbol";
    if (!names.insert(symbol.getName()).second)
      return op->emitOpError("S1: two symbols are named '")
             << symbol.getName() << "'";
  }
  return success();
}

/// S2: the map says what the type says, and leaves the symbolic extents to the
/// symbols.
static LogicalResult verifyShape(FunctionOpInterface func, unsigned number,
                                 Attribute attr) {
  auto map = dyn_cast<AffineMapAttr>(attr);
  auto type = dyn_cast<ShapedType>(func.getArgumentTypes()[number]);
  auto symbols = func->getAttrOfType<ArrayAttr>("task.symbols");
  if (!map || !type || !type.hasRank())
    return func->emitOpError("S2: task.shape is a map, of a shaped argument");
  AffineMap shape = map.getValue();
  if (shape.getNumDims() != 0 || shape.getNumResults() != type.getRank() ||
      shape.getNumSymbols() > (symbols ? symbols.size() : 0))
    return func->emitOpError("S2: argument ")
           << number << " has task.shape " << map << " for " << type;
  for (auto [expr, extent] : llvm::zip(shape.getResults(), type.getShape())) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (ShapedType::isDynamic(extent)
            ? bool(constant)
            : !constant || constant.getValue() != extent)
      return func->emitOpError("S2: argument ")
             << number << " has task.shape " << map << " for " << type;
  }
  return success();
}

static LogicalResult verifyUniqueName(FunctionOpInterface func, unsigned number,
                                      Attribute name) {
  for (unsigned other = 0; other < number; ++other)
    if (func.getArgAttr(other, "task.name") == name)
      return func->emitOpError("S2: arguments ")
             << other << " and " << number << " are both named " << name;
  return success();
}

/// S2.
LogicalResult TaskDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                    unsigned number,
                                                    NamedAttribute attr) {
  auto func = dyn_cast<FunctionOpInterface>(op);
  StringRef name = attr.getName().strref();
  auto string = dyn_cast<StringAttr>(attr.getValue());
  if (func && name == "task.name" && string)
    return verifyUniqueName(func, number, string);
  if (func && name == "task.role" && string) {
    std::optional<Role> role = symbolizeRole(string.getValue());
    if (!role || *role == Role::output || *role == Role::scratch)
      return op->emitOpError("S2: argument ")
             << number << " has task.role " << string
             << "; expects \"input\", \"weight\" or \"state\"";
    return success();
  }
  if (func && name == "task.shape")
    return verifyShape(func, number, attr.getValue());
  if (func && name == "task.stack" && isa<StackAttr>(attr.getValue()))
    return success();
  if (func && name == "task.tied")
    return verifyStrings(op, attr);
  return op->emitOpError("S2: an argument has no ")
         << attr.getName() << " = " << attr.getValue();
}

/// S3.
LogicalResult TaskDialect::verifyRegionResultAttribute(Operation *op, unsigned,
                                                       unsigned number,
                                                       NamedAttribute attr) {
  auto func = dyn_cast<FunctionOpInterface>(op);
  auto string = dyn_cast<StringAttr>(attr.getValue());
  if (func && attr.getName() == "task.name" && string)
    return success();
  if (!func || attr.getName() != "task.state" || !string)
    return op->emitOpError("S3: a result has no ")
           << attr.getName() << " = " << attr.getValue();
  for (unsigned i = 0; i < func.getNumArguments(); ++i) {
    auto role = func.getArgAttrOfType<StringAttr>(i, "task.role");
    if (func.getArgAttr(i, "task.name") == string && role &&
        role.getValue() == "state")
      return success();
  }
  return op->emitOpError("S3: result ") << number << " updates the state "
                                        << string << ", which no argument is";
}
