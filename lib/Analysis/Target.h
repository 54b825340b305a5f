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
#include "llvm/ADT/StringMap.h"

namespace etc {

/// The initial values are those of no machine in particular.
struct Target {
  std::string name = "generic";
  int64_t workers = 1024;              // that can be resident at once
  int64_t sharedMemoryBytes = 1 << 16; // of one worker
  double bandwidthBytesPerNs = 1000;   // of the memory, all workers together
  double workerBytesPerNs = 50;        // what one worker alone can load
  double cacheBytesPerNs = 1e6;        // of the cache, all workers together
  double l2LatencyNs = 300;            // of one dependent load
  double counterHopNs = 1000; // from a notify to the use of what it orders
  double notifyNs = 0;        // of each notify of one entry, in turn
  double dataHopNs = 500;     // from a tagged word to its use
  double dispatchNs = 200;    // of one task: decode, jump, mark
  llvm::StringMap<double> operatorNs; // of a task, besides its bytes

  /// What streams weights ahead; without, they are fetched when needed.
  struct Ring {
    int64_t bytes = 0;           // of the shared memory of one worker
    double fetchNs = 0;          // from room in the ring to the first byte
    double resumeNs = 0;         // the same, where nothing was on its way
    double drainBytesPerNs = 50; // how fast a worker takes what has arrived
    double aloneBytesPerNs = 0;  // of a worker that the others leave room
    double spread = 0;           // more or less than its share that one gets
  };
  Ring ring;

  /// What each of `busy` workers loads of what lies in the cache they share.
  double getCacheBytesPerNs(int64_t busy) const {
    return std::min(workerBytesPerNs, cacheBytesPerNs / busy);
  }

  /// Reads a description; what is missing or wrong is an error at `loc`.
  static mlir::FailureOr<Target> load(llvm::StringRef path, mlir::Location loc);
};

} // namespace etc

#endif // ETC_LIB_ANALYSIS_TARGET_H
