// RUN: etc-opt %s --split-input-file --verify-diagnostics --lower-tiles-to-gpu
// RUN: not etc-opt --pass-pipeline="builtin.module(export-program)" %s 2>&1 | FileCheck %s --check-prefix=EXPORT
// EXPORT: error: expects one task.program to export, found

task.program @no_tile worker @no_tile_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @no_tile threads 288 stages 0 of 4096 scratch 0 total 2048
gpu.module @no_tile_device {
  func.func private @body(%i: memref<8x16xbf16>, %o: memref<8xi64>) {
    // expected-error @below {{has no code for a GPU tile yet}}
    task.argmax ins(%i : memref<8x16xbf16>) outs(%o : memref<8xi64>)
    return
  }
}

// -----

task.program @no_math worker @no_math_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @no_math threads 288 stages 0 of 4096 scratch 0 total 2048
gpu.module @no_math_device {
  func.func private @body(%x: f32) -> f32 {
    // expected-error @below {{has no instruction on a GPU for 'f32'}}
    %y = math.atan %x : f32
    return %y : f32
  }
}

// -----

// expected-error @below {{streams weights that are not in fragment order; run pack-weights before lower-to-persistent}}
task.program @unpacked worker @unpacked_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @unpacked threads 288 stages 3 of 4096 scratch 16384 total 116736
gpu.module @unpacked_device {
  func.func private @body(%w: memref<16x16xbf16>) {
    %s = task.stream %w : memref<16x16xbf16> -> !task.stream<memref<16x16xbf16>>
    return
  }
}

// -----

// expected-error @below {{expects a program and its gpu.module beside it}}
task.shared_memory @missing threads 288 stages 0 of 4096 scratch 0 total 2048
