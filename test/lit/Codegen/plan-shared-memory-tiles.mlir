// RUN: etc-opt %s --plan-shared-memory --split-input-file 2>/dev/null | FileCheck %s
// RUN: etc-opt %s --plan-shared-memory=activation-bytes=2048 --split-input-file 2>/dev/null | FileCheck %s --check-prefix=FEW
// RUN: etc-opt %s --plan-shared-memory="activation-bytes=0 tokens=0" --split-input-file 2>/dev/null | FileCheck %s --check-prefix=OFF

// RUN: etc-opt %s --plan-shared-memory="tokens=64" --split-input-file 2>/dev/null | FileCheck %s --check-prefix=MANY

// An input that is kept: 16 tokens of 2 bytes for each column, or as much as it may take.
// What the ring has left is less by as much.
// CHECK: task.shared_memory @kept threads 288 stages 5 of 4096 scratch 17920 activations 32768 for 1 total 216064
// MANY: task.shared_memory @kept threads 288 stages 5 of 4096 scratch 17920 activations 32768 for 64 total 216064
// FEW: task.shared_memory @kept threads 288 stages 6 of 4096 scratch 17920 activations 2048 for 1 total 218112
// OFF: task.shared_memory @kept threads 288 stages 6 of 4096 scratch 17920 activations 0 for 0 total 216064
task.program @kept worker @kept_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
gpu.module @kept_device {
  func.func private @body(%x: memref<4x1024xbf16>, %w: memref<16x1024xbf16>, %y: memref<4x16xbf16>, %first: i1) {
    %s = task.stream %w : memref<16x1024xbf16> -> !task.stream<memref<16x1024xbf16>>
    task.linear ins(%x, %s : memref<4x1024xbf16>, !task.stream<memref<16x1024xbf16>>) first(%first) outs(%y : memref<4x16xbf16>)
    return
  }
}

// -----

// In the place of inputs that are kept: D + 4 sums for each warp and query head of an
// attention, and rows of D + 8 elements for a token's queries, key and value (9568 bytes);
// the most of all tiles.
// CHECK: task.shared_memory @sums threads 288 stages 0 of 4096 scratch 17920 activations 10240
task.program @sums worker @sums_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
gpu.module @sums_device {
  func.func private @split(%qkv: memref<2x384xbf16>, %cos: memref<2x64xbf16>, %seq: memref<2xi64>, %table: memref<1x4xi64>,
                           %cache: memref<4x1x2x8x64xbf16>, %partial: memref<2x4x1x66xf32>, %i: index, %rows: memref<2xi64>) {
    task.split_attention ins(%qkv, %cos, %cos, %seq, %seq, %table : memref<2x384xbf16>, memref<2x64xbf16>, memref<2x64xbf16>, memref<2xi64>, memref<2xi64>, memref<1x4xi64>)
      at(%i, %i, %i) of 1 outs(%cache, %partial : memref<4x1x2x8x64xbf16>, memref<2x4x1x66xf32>) scale 1.0
    task.argmax ins(%qkv : memref<2x384xbf16>) outs(%rows : memref<2xi64>)
    return
  }
}

// -----

// CHECK: task.shared_memory @few threads 288 stages 0 of 4096 scratch 17920 activations 4096
task.program @few worker @few_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
gpu.module @few_device {
  func.func private @merge(%partial: memref<2x4x1x66xf32>, %y: memref<2x4x64xbf16>) {
    task.merge_splits ins(%partial : memref<2x4x1x66xf32>) outs(%y : memref<2x4x64xbf16>)
    return
  }
}

// -----

// Of the inputs of steps that should be fast, the longest that leaves 64 KiB to the ring
// is kept: of 6 tokens both, of 8 or 16 only those of 4096 columns; the ring gets shorter
// chunks where little is left. Of 64 tokens none fits.
// RUN: etc-opt %s --plan-shared-memory="tokens=6" --split-input-file 2>/dev/null | FileCheck %s --check-prefix=SIX
// RUN: etc-opt %s --plan-shared-memory="tokens=8" --split-input-file 2>/dev/null | FileCheck %s --check-prefix=EIGHT
// RUN: etc-opt %s --plan-shared-memory="tokens=16" --split-input-file 2>/dev/null | FileCheck %s --check-prefix=SIXTEEN
// CHECK: task.shared_memory @long threads 288 stages 5 of 4096 scratch 17920 activations 32768 for 1
// SIX: task.shared_memory @long threads 288 stages 4 of 2048 scratch 17920 activations 147456 for 6
// EIGHT: task.shared_memory @long threads 288 stages 4 of 4096 scratch 17920 activations 65536 for 8
// SIXTEEN: task.shared_memory @long threads 288 stages 5 of 2048 scratch 17920 activations 131072 for 16
// MANY: task.shared_memory @long threads 288 stages 5 of 4096 scratch 17920 activations 32768 for 64
task.program @long worker @long_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
gpu.module @long_device {
  func.func private @body(%x: memref<4x12288xbf16>, %w: memref<16x12288xbf16>, %y: memref<4x16xbf16>, %first: i1) {
    %s = task.stream %w : memref<16x12288xbf16> -> !task.stream<memref<16x12288xbf16>>
    task.linear ins(%x, %s : memref<4x12288xbf16>, !task.stream<memref<16x12288xbf16>>) first(%first) outs(%y : memref<4x16xbf16>)
    return
  }
  func.func private @short(%x: memref<4x4096xbf16>, %w: memref<16x4096xbf16>, %y: memref<4x16xbf16>, %first: i1) {
    %s = task.stream %w : memref<16x4096xbf16> -> !task.stream<memref<16x4096xbf16>>
    task.linear ins(%x, %s : memref<4x4096xbf16>, !task.stream<memref<16x4096xbf16>>) first(%first) outs(%y : memref<4x16xbf16>)
    return
  }
}
