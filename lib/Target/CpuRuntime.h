//===- CpuRuntime.h - What generated code calls on a CPU
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_TARGET_CPURUNTIME_H
#define ETC_LIB_TARGET_CPURUNTIME_H

#include "etc_runtime/abi.h"

extern "C" {

/// Waits with acquire order until `*counter` has come to `wanted`, compared as
/// `(int)(seen - wanted) >= 0`. False when the step is being ended: another
/// wait has failed, or this one exceeded the context's bound and has filled its
/// status.
bool etc_wait(EtcContext *context, const uint32_t *counter, uint32_t wanted,
              int32_t event, int32_t entry);

/// Notes what the worker is doing for the watchdog, and in the trace if there
/// is one. Records beyond the trace's capacity are counted, not stored.
void etc_mark(EtcContext *context, int32_t launch, int32_t task,
              int32_t finished);
}

#endif // ETC_LIB_TARGET_CPURUNTIME_H
