//===- abi.h - What a worker function reads --------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the compiler (convert-task-to-llvm generates loads at these
// offsets), the CPU runtime and, through its Python mirror
// python/etc_mlir/runtime/abi.py, the GPU runtime. Plain C, no dependencies.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_RUNTIME_ABI_H
#define ETC_RUNTIME_ABI_H

#include <stddef.h>
#include <stdint.h>

#define ETC_ABI_VERSION 2

/// What the first wait that exceeded its bound saw. `state` is 0 while all is
/// well; the first worker to fail sets it to 1, fills the rest and sets it to 2.
/// Everyone else polls it and leaves.
typedef struct EtcStatus {
  uint32_t state;
  int32_t worker; // who waits
  int32_t launch; // in which launch (row of the launch table)
  int32_t task;   // in which task of it
  int32_t event;  // for which event tensor (row of the event table)
  int32_t entry;  // for which entry of it
  uint32_t seen;  // the counter's value
  uint32_t wanted;
} EtcStatus;

/// One traced task of a worker.
typedef struct EtcTraceRecord {
  int64_t beginNs;
  int64_t endNs; // 0 while it runs
  int32_t launch;
  int32_t task;
} EtcTraceRecord;

/// The arguments of one step (GPU: in global memory; CPU: one per worker
/// thread). A worker function takes a pointer to those of the first step that
/// it runs.
typedef struct EtcContext {
  const int64_t *buffers;    // address of each buffer slot
  const int32_t *launches;   // rows of task.program's launch_width words
  const int32_t *runOffsets; // [workers + 1], in runs
  const int32_t *runs;       // rows of {launch, first, stride, count}
  uint32_t *counters;        // all events; 8-byte aligned
  const int32_t *events;     // rows of {offset, bankStride, perEpoch, entries}
  const int64_t *symbols;    // extents of this step
  const int64_t *bucket;     // upper bounds the schedule was made for
  EtcStatus *status;
  EtcTraceRecord *trace;     // [workers][traceCapacity] or null
  int32_t *traceCounts;      // [workers]
  int64_t timeoutNs;         // bound of one wait
  uint32_t epoch;            // number of this step, from 1
  int32_t worker;            // CPU only; on a GPU the block's index
  int32_t workers;
  int32_t traceCapacity;
  int32_t currentLaunch;     // CPU only: what task.mark noted for the watchdog
  int32_t currentTask;
  int32_t steps;             // that the launch still runs, from this one on
  int32_t stepBytes;         // from one step's context to the next one's
} EtcContext;

#ifdef __cplusplus
static_assert(sizeof(EtcStatus) == 32, "mirrored in abi.py");
static_assert(sizeof(EtcTraceRecord) == 24, "mirrored in abi.py");
static_assert(offsetof(EtcContext, epoch) == 96, "mirrored in abi.py");
static_assert(sizeof(EtcContext) == 128, "mirrored in abi.py");
#endif

#endif // ETC_RUNTIME_ABI_H
