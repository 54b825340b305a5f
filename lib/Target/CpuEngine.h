//===- CpuEngine.h - A program on the threads of this machine
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_TARGET_CPUENGINE_H
#define ETC_LIB_TARGET_CPUENGINE_H

#include "etc_runtime/abi.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir {
class ExecutionEngine;
} // namespace mlir

namespace etc {

/// Machine code of a worker function, made for the host's instruction set.
class CpuEngine {
public:
  /// `module` is in the llvm dialect but for its task.programs, and defines
  /// `worker`; it is not changed.
  static llvm::Expected<std::unique_ptr<CpuEngine>>
  create(mlir::ModuleOp module, llvm::StringRef worker);
  ~CpuEngine();

  /// Runs one worker thread per context and returns when all have left.
  /// Bounded, because every wait of a worker is.
  void run(llvm::MutableArrayRef<EtcContext> contexts) const;

private:
  using WorkerFn = void (*)(EtcContext *);
  CpuEngine();
  std::unique_ptr<mlir::ExecutionEngine> engine;
  WorkerFn worker = nullptr;
};

} // namespace etc

#endif // ETC_LIB_TARGET_CPUENGINE_H
