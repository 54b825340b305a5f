//===- EtcExt.cpp - The nanobind module etc_mlir._etc
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bindings.h"

#include "dialects/task/TaskOps.h"
#include "etc_runtime/abi.h"
#include "lib/InitAll.h"
#include "lib/Target/CpuEngine.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace etc;
using namespace etc::python;

namespace py = etc::python;

//===----------------------------------------------------------------------===//
// Context and diagnostics
//===----------------------------------------------------------------------===//

static const mlir::DialectRegistry &getRegistry() {
  static mlir::DialectRegistry *registry = [] {
    auto *everything = new mlir::DialectRegistry();
    registerAll(*everything);
    return everything;
  }();
  return *registry;
}

Context::Context() : mlir(getRegistry()) { mlir.loadAllAvailableDialects(); }

/// `file:line:column: error: message`, notes indented below.
static void format(mlir::Diagnostic &diagnostic, const char *indent,
                   std::vector<std::string> &lines) {
  static const char *names[] = {"note", "warning", "error", "remark"};
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << indent;
  mlir::Location loc = diagnostic.getLocation();
  if (auto file = llvm::dyn_cast<mlir::FileLineColLoc>(loc))
    stream << file.getFilename().getValue() << ":" << file.getLine() << ":"
           << file.getColumn() << ": ";
  else if (!llvm::isa<mlir::UnknownLoc>(loc))
    stream << loc << ": ";
  stream << names[static_cast<int>(diagnostic.getSeverity())] << ": "
         << diagnostic;
  lines.push_back(std::move(text));
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    format(note, "  ", lines);
}

Diagnostics::Diagnostics(Context &context) : context(context) {
  handler = context.mlir.getDiagEngine().registerHandler(
      [this](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
          locations.push_back(print(diagnostic.getLocation()));
        format(diagnostic, "", lines);
        return mlir::success();
      });
}

Diagnostics::~Diagnostics() {
  context.mlir.getDiagEngine().eraseHandler(handler);
}

void Diagnostics::raise(const std::string &phase, const std::string &reproducer,
                        const std::string &command) const {
  nb::object type =
      nb::module_::import_("etc_mlir.errors").attr("CompileError");
  auto orNone = [](const std::string &text) -> nb::object {
    return text.empty() ? nb::none() : nb::object(nb::cast(text));
  };
  nb::object path = orNone(reproducer);
  if (!reproducer.empty())
    path = nb::module_::import_("pathlib").attr("Path")(path);
  nb::list where;
  for (const std::string &location : locations)
    where.append(nb::cast(location));
  nb::object error =
      type(phase, llvm::join(lines, "\n"), nb::arg("reproducer") = path,
           nb::arg("command") = orNone(command),
           nb::arg("locations") = nb::tuple(where));
  PyErr_SetObject(type.ptr(), error.ptr());
  throw nb::python_error();
}

//===----------------------------------------------------------------------===//
// Module
//===----------------------------------------------------------------------===//

static ModuleRef parseModule(std::shared_ptr<Context> context,
                             const std::string &text, const std::string &name) {
  Diagnostics diagnostics(*context);
  auto op = mlir::parseSourceString<mlir::ModuleOp>(
      text, mlir::ParserConfig(&context->mlir), name);
  if (!op)
    diagnostics.raise("parse");
  return std::make_shared<Module>(Module{std::move(context), std::move(op)});
}

static ModuleRef createModule(std::shared_ptr<Context> context) {
  auto op = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context->mlir));
  return std::make_shared<Module>(Module{std::move(context), op});
}

static std::string printModule(const Module &module, bool generic, bool debug) {
  mlir::OpPrintingFlags flags;
  if (generic)
    flags.printGenericOpForm();
  if (debug)
    flags.enableDebugInfo();
  std::string text;
  llvm::raw_string_ostream stream(text);
  mlir::ModuleOp op = *module.op;
  op->print(stream, flags);
  stream << "\n";
  return text;
}

/// Writes the input of a failed phase to a temporary file; its path, or nothing
/// if that cannot be done.
static std::string writeReproducer(mlir::ModuleOp input) {
  int descriptor;
  llvm::SmallString<128> path;
  if (llvm::sys::fs::createTemporaryFile("etc-reproducer", "mlir", descriptor,
                                         path))
    return "";
  llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  mlir::OpPrintingFlags flags;
  flags.enableDebugInfo();
  input->print(stream, flags);
  return path.str().str();
}

/// What a pipeline may stand in, as --pass-pipeline has it.
static llvm::StringRef getPasses(llvm::StringRef pipeline) {
  if (pipeline.consume_front("builtin.module("))
    pipeline.consume_back(")");
  return pipeline;
}

/// Empty, or why the text is no pipeline.
static std::string addPasses(mlir::PassManager &pm, llvm::StringRef pipeline) {
  std::string error;
  llvm::raw_string_ostream stream(error);
  if (failed(mlir::parsePassPipeline(getPasses(pipeline), pm, stream)) &&
      error.empty())
    error = "it is no pipeline";
  return llvm::StringRef(error).trim().str();
}

static std::string getPipelineError(const std::string &pipeline) {
  // The registry's, for it registers the passes as well.
  mlir::MLIRContext context(getRegistry(),
                            mlir::MLIRContext::Threading::DISABLED);
  mlir::PassManager pm(&context, mlir::ModuleOp::getOperationName());
  return addPasses(pm, pipeline);
}

static void runPipeline(Module &module, const std::string &pipeline,
                        const std::optional<std::string> &phase, bool verify,
                        const std::string &dumpDir) {
  Diagnostics diagnostics(*module.context);
  std::string name = phase.value_or(pipeline);
  mlir::PassManager pm(&module.context->mlir,
                       mlir::ModuleOp::getOperationName());
  pm.enableVerifier(verify);
  std::string error = addPasses(pm, pipeline);
  if (!error.empty()) {
    diagnostics.add(error);
    diagnostics.raise(name);
  }
  bool threaded = module.context->mlir.isMultithreadingEnabled();
  if (!dumpDir.empty()) {
    module.context->mlir.disableMultithreading();
    pm.enableIRPrintingToFileTree(
        /*shouldPrintBeforePass=*/nullptr,
        /*shouldPrintAfterPass=*/
        [](mlir::Pass *, mlir::Operation *) { return true; },
        /*printModuleScope=*/true,
        /*printAfterOnlyOnChange=*/true,
        /*printAfterOnlyOnFailure=*/false, dumpDir);
  }
  // Failed passes leave the module half changed: keep what they were given.
  mlir::OwningOpRef<mlir::ModuleOp> input(module.op->clone());
  bool ok;
  {
    nb::gil_scoped_release release;
    ok = succeeded(pm.run(*module.op));
  }
  if (threaded)
    module.context->mlir.enableMultithreading();
  if (ok)
    return;
  std::string reproducer = writeReproducer(*input);
  std::string command = "etc-opt --pass-pipeline='builtin.module(" +
                        getPasses(pipeline).str() + ")' " + reproducer;
  module.op = std::move(input);
  diagnostics.raise(name, reproducer, reproducer.empty() ? "" : command);
}

using Dict = nb::typed<nb::dict, nb::str, nb::any>;
using Dicts = nb::typed<nb::list, Dict>;

static Dicts getGpuObjects(const Module &module) {
  nb::list objects;
  mlir::ModuleOp(*module.op).walk([&](mlir::gpu::BinaryOp binary) {
    for (auto object :
         binary.getObjects().getAsRange<mlir::gpu::ObjectAttr>()) {
      llvm::StringRef data = object.getObject().getValue();
      nb::dict entry;
      entry["name"] = binary.getSymName().str();
      entry["format"] =
          mlir::gpu::stringifyCompilationTarget(object.getFormat()).str();
      entry["data"] = nb::bytes(data.data(), data.size());
      objects.append(entry);
    }
  });
  return Dicts(objects);
}

/// The attributes of every task.program, and its schedules as dictionaries.
static Dicts getPrograms(const Module &module) {
  nb::list programs;
  mlir::ModuleOp(*module.op).walk([&](task::ProgramOp program) {
    nb::dict entry = toPython(module.context, program->getAttrDictionary());
    entry["name"] = entry["sym_name"];
    nb::list schedules;
    for (auto schedule : program.getSchedules().getOps<task::ScheduleOp>())
      schedules.append(toPython(module.context, schedule->getAttrDictionary()));
    entry["schedules"] = schedules;
    programs.append(entry);
  });
  return Dicts(programs);
}

static std::unique_ptr<CpuEngine> createEngine(const Module &module,
                                               const std::string &worker) {
  Diagnostics diagnostics(*module.context);
  llvm::Expected<std::unique_ptr<CpuEngine>> engine = nullptr;
  {
    nb::gil_scoped_release release;
    engine = CpuEngine::create(*module.op, worker);
  }
  if (engine)
    return std::move(*engine);
  diagnostics.add(llvm::toString(engine.takeError()));
  diagnostics.raise("code generation for the CPU");
}

static void bindModule(nb::module_ &m) {
  nb::class_<Context>(m, "Context",
                      "Owns types and attributes; one is enough for a process.")
      .def("__init__", [](Context *self) { new (self) Context(); });
  nb::class_<Module>(m, "Module", "A module of IR at any level.")
      .def_static("parse", &parseModule, nb::arg("context"), nb::arg("text"),
                  nb::arg("name") = "<string>",
                  "Parses and verifies text; `name` is the file name of its "
                  "locations.\n"
                  "Raises CompileError.")
      .def_static("empty", &createModule, nb::arg("context"),
                  "A module without operations.")
      .def("str", &printModule, nb::arg("generic") = false,
           nb::arg("debug") = false,
           "The text of the module, with locations if `debug`.")
      .def("__str__",
           [](const Module &self) { return printModule(self, false, false); })
      .def_prop_ro(
          "operation",
          [](ModuleRef self) { return py::Operation{self, self->op.get()}; })
      .def_prop_ro(
          "body",
          [](ModuleRef self) { return py::Block{self, self->op->getBody()}; })
      .def("clone",
           [](const Module &self) {
             mlir::OwningOpRef<mlir::ModuleOp> copy(
                 mlir::ModuleOp(*self.op).clone());
             return std::make_shared<Module>(
                 Module{self.context, std::move(copy)});
           })
      .def(
          "verify",
          [](const Module &self) {
            Diagnostics diagnostics(*self.context);
            if (failed(mlir::verify(*self.op)))
              diagnostics.raise("verify");
          },
          "Raises CompileError if an operation breaks a constraint.")
      .def("run", &runPipeline, nb::arg("pipeline"),
           nb::arg("phase") = nb::none(), nb::arg("verify") = true,
           nb::arg("dump_dir") = "",
           "Runs a pass pipeline as etc-opt's --pass-pipeline spells it; "
           "operations taken from\n"
           "the module before are invalid after. `dump_dir` gets the IR after "
           "each pass. Raises\n"
           "CompileError and then leaves the module as it was.")
      .def("gpu_objects", &getGpuObjects,
           "[{name, format, data}] of every gpu.binary: PTX or cubin bytes.")
      .def("programs", &getPrograms,
           "The tables of every task.program as dictionaries.");
}

NB_MODULE(_etc, m) {
  m.doc() = "etc_mlir's compiler and CPU engine.";
  bindAttributes(m);
  bindIr(m);
  bindModule(m);
  m.def("pipeline_error", &getPipelineError, nb::arg("pipeline"),
        "Why `Module.run` would not take a pipeline; empty if it would.");
  nb::class_<CpuEngine>(m, "CpuEngine", "Machine code of one worker function.")
      .def(nb::new_(&createEngine), nb::arg("module"), nb::arg("worker"),
           "Compiles a module in the llvm dialect. Raises CompileError.")
      .def(
          "run",
          [](const CpuEngine &self, uintptr_t contexts, size_t workers) {
            if (workers == 0)
              throw nb::value_error("a program needs at least one worker");
            nb::gil_scoped_release release;
            self.run({reinterpret_cast<EtcContext *>(contexts), workers});
          },
          nb::arg("contexts"), nb::arg("workers"),
          "Runs one thread per EtcContext of the array at address `contexts` "
          "until all left.");
  m.attr("ABI_VERSION") = ETC_ABI_VERSION;
  m.attr("ABI_SIZES") = nb::make_tuple(sizeof(EtcContext), sizeof(EtcStatus),
                                       sizeof(EtcTraceRecord));
}
