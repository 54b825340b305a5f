//===- Bindings.h - What Python holds on to
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_PYTHON_BINDINGS_BINDINGS_H
#define ETC_PYTHON_BINDINGS_BINDINGS_H

// Before LLVM's headers: nanobind wants Python.h first.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <memory>
#include <string>

namespace nb = nanobind;

namespace etc::python {

struct Context {
  Context();
  mlir::MLIRContext mlir;
};

/// Keeps the module, and with it every operation of it, alive.
struct Module {
  std::shared_ptr<Context> context;
  mlir::OwningOpRef<mlir::ModuleOp> op;
};
using ModuleRef = std::shared_ptr<Module>;

/// Pointers into a module; `Module.run` and erasing leave them dangling, as it
/// says in their documentation.
struct Operation {
  ModuleRef module;
  mlir::Operation *op;
};
struct Region {
  ModuleRef module;
  mlir::Region *region;
};
struct Block {
  ModuleRef module;
  mlir::Block *block;
};
struct Value {
  ModuleRef module;
  mlir::Value value;
};
struct AffineMap {
  std::shared_ptr<Context> context;
  mlir::AffineMap map;
};

/// Collects what a context reports, to raise it as one Python exception.
class Diagnostics {
public:
  explicit Diagnostics(Context &context);
  ~Diagnostics();
  void add(std::string text) { lines.push_back(std::move(text)); }
  /// Raises etc_mlir.errors.CompileError with everything collected.
  [[noreturn]] void raise(const std::string &phase,
                          const std::string &reproducer = "",
                          const std::string &command = "") const;

private:
  Context &context;
  mlir::DiagnosticEngine::HandlerID handler;
  std::vector<std::string> lines, locations;
};

template <typename T> std::string print(T &&printable) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << printable;
  return text;
}

/// An attribute as a Python value; as its text where it has no such form.
nb::object toPython(const std::shared_ptr<Context> &context,
                    mlir::Attribute attribute);
nb::dict toPython(const std::shared_ptr<Context> &context,
                  mlir::DictionaryAttr attributes);

void bindAttributes(nb::module_ &m);
void bindIr(nb::module_ &m);

} // namespace etc::python

#endif // ETC_PYTHON_BINDINGS_BINDINGS_H
