// RUN: etc-opt %s --plan-shared-memory 2>&1 | FileCheck %s
// RUN: etc-opt %s --plan-shared-memory=stage-bytes=8192 2>/dev/null | FileCheck %s --check-prefix=LARGE
// RUN: not etc-opt %s --plan-shared-memory=bytes=40960 2>&1 | FileCheck %s --check-prefix=SMALL
// RUN: not etc-opt %s --plan-shared-memory=stage-bytes=1000 2>&1 | FileCheck %s --check-prefix=ODD
// RUN: sed /task.stream/d %s | not etc-opt --plan-shared-memory=bytes=1024 2>&1 | FileCheck %s --check-prefix=NONE

// As many stages as fit, and shorter ones where few do.
// CHECK: remark: shared memory: 6 stages of 4096 bytes for each of 8 warps, 17920 of sums, 0 of activations for 1 tokens, 0 of tables, 216064 of 232448 in all
// CHECK: task.shared_memory @p threads 288 stages 6 of 4096 scratch 17920 activations 0 for 1 total 216064
// RUN: etc-opt %s --plan-shared-memory=bytes=65536 2>/dev/null | FileCheck %s --check-prefix=SHORT
// SHORT: stages 5 of 1024
// LARGE: stages 3 of 8192
// SMALL: error: {{.*}}needs 44032 bytes of shared memory for a ring of three stages, the target has 40960
// ODD: error: {{.*}}cannot have stages of 1000 bytes: stage-bytes is a positive multiple of 512
// NONE: error: {{.*}}needs 2048 bytes of shared memory, the target has 1024

task.program @p worker @p_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
gpu.module @p_device {
  func.func private @body(%w: memref<16x16xbf16>) {
    %s = task.stream %w : memref<16x16xbf16> -> !task.stream<memref<16x16xbf16>>
    return
  }
}
