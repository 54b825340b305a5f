//===- CpuRuntime.cpp - What generated code calls on a CPU
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Target/CpuRuntime.h"

#include <atomic>
#include <chrono>
#include <thread>

/// Loads of a wait before it first yields its core: on an oversubscribed
/// machine the thread that it waits for may not be running.
static constexpr int spinsBeforeYield = 64;

/// A yield that took this long let somebody else's work run.
static constexpr int64_t lateYieldNs = 500'000, sharedForNs = 200'000'000;

static int64_t getTimeNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Until when the machine is taken to be shared with other processes.
static std::atomic<int64_t> sharedUntilNs{0};

/// Lets the thread that this one waits for run. Where others want the processor
/// too, a yield comes back many time slices later and a short sleep does not:
/// the scheduler favours who has slept.
static void giveWay(int64_t nowNs) {
  if (nowNs < sharedUntilNs.load(std::memory_order_relaxed))
    return std::this_thread::sleep_for(std::chrono::microseconds(20));
  std::this_thread::yield();
  if (getTimeNs() - nowNs > lateYieldNs)
    sharedUntilNs.store(nowNs + sharedForNs, std::memory_order_relaxed);
}

/// The first wait that fails fills the status; the others find it taken.
static void reportStuckWait(EtcContext *context, uint32_t seen, uint32_t wanted,
                            int32_t event, int32_t entry) {
  EtcStatus *status = context->status;
  uint32_t free = 0;
  if (!__atomic_compare_exchange_n(&status->state, &free, 1, /*weak=*/false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return;
  status->worker = context->worker;
  status->launch = context->currentLaunch;
  status->task = context->currentTask;
  status->event = event;
  status->entry = entry;
  status->seen = seen;
  status->wanted = wanted;
  __atomic_store_n(&status->state, 2, __ATOMIC_RELEASE);
}

bool etc_wait(EtcContext *context, const uint32_t *counter, uint32_t wanted,
              int32_t event, int32_t entry) {
  int64_t deadlineNs = 0;
  for (int spins = 0;; ++spins) {
    uint32_t seen = __atomic_load_n(counter, __ATOMIC_ACQUIRE);
    if (static_cast<int32_t>(seen - wanted) >= 0)
      return true;
    if (spins < spinsBeforeYield)
      continue;
    if (__atomic_load_n(&context->status->state, __ATOMIC_ACQUIRE) != 0)
      return false;
    int64_t nowNs = getTimeNs();
    giveWay(nowNs);
    if (deadlineNs == 0) {
      deadlineNs = nowNs + context->timeoutNs;
    } else if (nowNs > deadlineNs) {
      reportStuckWait(context, seen, wanted, event, entry);
      return false;
    }
  }
}

void etc_mark(EtcContext *context, int32_t launch, int32_t task,
              int32_t finished) {
  context->currentLaunch = launch;
  context->currentTask = task;
  if (!context->trace)
    return;
  int32_t &count = context->traceCounts[context->worker];
  int64_t first =
      static_cast<int64_t>(context->worker) * context->traceCapacity;
  if (!finished) {
    if (count < context->traceCapacity)
      context->trace[first + count] = {getTimeNs(), 0, launch, task};
    ++count;
  } else if (count > 0 && count <= context->traceCapacity) {
    context->trace[first + count - 1].endNs = getTimeNs();
  }
}
