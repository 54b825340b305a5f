//===- CpuEngine.cpp - A program on the threads of this machine
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Target/CpuEngine.h"
#include "dialects/task/TaskOps.h"
#include "lib/Target/CpuRuntime.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include <thread>

using namespace mlir;
using namespace etc;

CpuEngine::CpuEngine() = default;
CpuEngine::~CpuEngine() = default;

static void initializeNativeTarget() {
  static bool once = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    return true;
  }();
  (void)once;
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createHostMachine() {
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  builder->setCodeGenOptLevel(llvm::CodeGenOptLevel::Aggressive);
  return builder->createTargetMachine();
}

static llvm::orc::SymbolMap
getRuntimeSymbols(llvm::orc::MangleAndInterner mangle) {
  llvm::orc::SymbolMap symbols;
  auto add = [&](StringRef name, auto *function) {
    symbols[mangle(name)] = {llvm::orc::ExecutorAddr::fromPtr(function),
                             llvm::JITSymbolFlags::Exported};
  };
  add("etc_wait", &etc_wait);
  add("etc_mark", &etc_mark);
  return symbols;
}

/// Leaves `worker` as the only entry point, so that bodies can go once they are
/// inlined: MLIR's engine wraps every function in one of its own, which would
/// keep them all.
static void hideAllBut(StringRef worker, llvm::Module &code) {
  for (llvm::Function &function : llvm::make_early_inc_range(code)) {
    if (function.isDeclaration() || function.getName() == worker)
      continue;
    if (function.getName().starts_with("_mlir_"))
      function.eraseFromParent();
    else
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
}

llvm::Expected<std::unique_ptr<CpuEngine>> CpuEngine::create(ModuleOp module,
                                                             StringRef worker) {
  initializeNativeTarget();
  auto optimizer = createHostMachine(), codegen = createHostMachine();
  if (!optimizer)
    return optimizer.takeError();
  if (!codegen)
    return codegen.takeError();

  OwningOpRef<ModuleOp> code(module.clone());
  for (auto program :
       llvm::make_early_inc_range(code->getOps<task::ProgramOp>()))
    program.erase();

  auto optimize = makeOptimizingTransformer(
      /*optLevel=*/3, /*sizeLevel=*/0, optimizer->get());
  auto transformer = [&](llvm::Module *llvmModule) {
    hideAllBut(worker, *llvmModule);
    return optimize(llvmModule);
  };
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Aggressive;
  auto engine = ExecutionEngine::create(*code, options, std::move(*codegen));
  if (!engine)
    return engine.takeError();
  (*engine)->registerSymbols(getRuntimeSymbols);
  auto function = (*engine)->lookup(worker);
  if (!function)
    return function.takeError();

  std::unique_ptr<CpuEngine> result(new CpuEngine());
  result->engine = std::move(*engine);
  result->worker = reinterpret_cast<WorkerFn>(*function);
  return result;
}

void CpuEngine::run(MutableArrayRef<EtcContext> contexts) const {
  // The calling thread is the last worker.
  std::vector<std::thread> threads;
  for (EtcContext &context : contexts.drop_back())
    threads.emplace_back(worker, &context);
  worker(&contexts.back());
  for (std::thread &thread : threads)
    thread.join();
}
