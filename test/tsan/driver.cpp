//===- driver.cpp - Runs a compiled program under thread sanitizer
//---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// program.inc is written by test_races.py: the program's tables as arrays, and
// the steps to run. Prints "finished" if every step came to its end.
//
//===----------------------------------------------------------------------===//

#include "etc_runtime/abi.h"
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <thread>
#include <vector>

namespace {
struct Schedule {
  std::vector<int64_t> bucket;
  std::vector<int32_t> offsets, runs;
};
struct Step {
  std::vector<int64_t> symbols;
  unsigned schedule;
};
/// Offset is -1 for a buffer of its own.
struct Buffer {
  int64_t bytes, offset;
};
} // namespace

#include "program.inc"

extern "C" void ETC_WORKER(EtcContext *);

/// Bytes in units of the largest alignment that generated code assumes.
using Memory = std::vector<std::max_align_t>;
static Memory allocate(int64_t bytes) {
  return Memory(bytes / sizeof(std::max_align_t) + 1);
}

int main() {
  Memory scratch = allocate(scratchBytes);
  std::vector<Memory> memories;
  std::vector<int64_t> addresses;
  for (const Buffer &buffer : buffers) {
    memories.push_back(allocate(buffer.offset < 0 ? buffer.bytes : 0));
    addresses.push_back(buffer.offset < 0
                            ? reinterpret_cast<int64_t>(memories.back().data())
                            : reinterpret_cast<int64_t>(scratch.data()) +
                                  buffer.offset);
  }
  Memory counters = allocate(counterWords * 4);
  EtcStatus status = {};
  uint32_t epoch = 0;
  for (size_t first = 0; first < steps.size(); first += stepsPerLaunch) {
    size_t count = std::min<size_t>(stepsPerLaunch, steps.size() - first);
    int32_t workers = schedules[0].offsets.size() - 1;
    std::vector<EtcContext> contexts(count * workers);
    for (size_t i = 0; i < count; ++i) {
      const Step &step = steps[first + i];
      const Schedule &schedule = schedules[step.schedule];
      ++epoch;
      for (int32_t worker = 0; worker < workers; ++worker) {
        EtcContext &context = contexts[i * workers + worker];
        context = {};
        context.buffers = addresses.data();
        context.launches = launches.data();
        context.runOffsets = schedule.offsets.data();
        context.runs = schedule.runs.data();
        context.counters = reinterpret_cast<uint32_t *>(counters.data());
        context.events = events.data();
        context.symbols = step.symbols.data();
        context.bucket = schedule.bucket.data();
        context.status = &status;
        context.timeoutNs = int64_t(60) * 1000 * 1000 * 1000;
        context.epoch = epoch;
        context.worker = worker;
        context.workers = workers;
        context.steps = count - i;
        context.stepBytes = workers * sizeof(EtcContext);
      }
    }
    std::vector<std::thread> threads;
    for (int32_t worker = 0; worker < workers; ++worker)
      threads.emplace_back(ETC_WORKER, &contexts[worker]);
    for (std::thread &thread : threads)
      thread.join();
    if (status.state != 0) {
      std::printf("step %u: worker %d waits for entry %d of event %d\n", epoch,
                  status.worker, status.entry, status.event);
      return 1;
    }
  }
  std::printf("finished\n");
  return 0;
}
