//===- Target.h - What the cost model knows of a machine
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Read from a file of python/etc_mlir/targets/; docs/Scheduling.md lists the
// fields.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_TARGET_H
#define ETC_LIB_ANALYSIS_TARGET_H

#include "mlir/IR/Diagnostics.h"

namespace etc {

struct Target {
  std::string name;
  int64_t workers;              // that can be resident at once
  int64_t sharedMemoryBytes;    // of one worker
  double bandwidthBytesPerNs;   // of the memory, all workers together
  double workerBytesPerNs;      // what one worker alone can load
  double l2LatencyNs;           // of one dependent load
  double hopNs;                 // from a notify to the use of what it orders
  double dispatchNs;            // of one task: decode, jump, mark

  /// Reads a description; what is missing or wrong is an error at `loc`.
  static mlir::FailureOr<Target> load(llvm::StringRef path, mlir::Location loc);
};

} // namespace etc

#endif // ETC_LIB_ANALYSIS_TARGET_H
