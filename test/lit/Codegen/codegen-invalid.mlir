// RUN: etc-opt %s --split-input-file --verify-diagnostics --lower-tiles-to-gpu
// RUN: not etc-opt --pass-pipeline="builtin.module(export-program)" %s 2>&1 | FileCheck %s --check-prefix=EXPORT
// EXPORT: error: expects one task.program to export, found

task.program @no_tile worker @no_tile_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @no_tile threads 288 stages 0 of 4096 scratch 0 activations 0 for 1 total 2048
gpu.module @no_tile_device {
  func.func private @body(%x: memref<8x2x32xbf16>, %t: memref<8x32xbf16>, %y: memref<8x2x32xbf16>) {
    // expected-error @below {{has no code for a GPU tile yet}}
    task.rope ins(%x, %t, %t : memref<8x2x32xbf16>, memref<8x32xbf16>, memref<8x32xbf16>) outs(%y : memref<8x2x32xbf16>)
    return
  }
}

// -----

task.program @no_math worker @no_math_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @no_math threads 288 stages 0 of 4096 scratch 0 activations 0 for 1 total 2048
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
task.shared_memory @unpacked threads 288 stages 3 of 4096 scratch 17920 activations 0 for 1 total 117760
gpu.module @unpacked_device {
  func.func private @body(%w: memref<16x16xbf16>) {
    %s = task.stream %w : memref<16x16xbf16> -> !task.stream<memref<16x16xbf16>>
    return
  }
}

// -----

// expected-error @below {{expects a program and its gpu.module beside it}}
task.shared_memory @missing threads 288 stages 0 of 4096 scratch 0 activations 0 for 1 total 2048

// -----

task.program @split worker @split_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @split threads 288 stages 0 of 4096 scratch 30464 activations 0 for 1 total 32768
gpu.module @split_device {
  func.func private @body(%qkv: memref<2x192xbf16>, %cos: memref<2x48xbf16>, %seq: memref<2xi64>, %table: memref<1x4xi64>,
                           %cache: memref<4x1x2x8x48xbf16>, %partial: memref<2x2x1x50xf32>, %i: index) {
    // expected-error @below {{has GPU code for heads of 32 elements or a multiple of 64, not of 48}}
    task.split_attention ins(%qkv, %cos, %cos, %seq, %seq, %table : memref<2x192xbf16>, memref<2x48xbf16>, memref<2x48xbf16>, memref<2xi64>, memref<2xi64>, memref<1x4xi64>)
      at(%i, %i, %i) of 1 outs(%cache, %partial : memref<4x1x2x8x48xbf16>, memref<2x2x1x50xf32>) scale 1.0
    return
  }
}

// -----

task.program @merge worker @merge_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @merge threads 288 stages 0 of 4096 scratch 30464 activations 0 for 1 total 32768
gpu.module @merge_device {
  func.func private @body(%partial: memref<2x2x1x35xf32>, %y: memref<2x2x33xbf16>) {
    // expected-error @below {{has GPU code for heads of an even number of elements, up to 512, not of 33}}
    task.merge_splits ins(%partial : memref<2x2x1x35xf32>) outs(%y : memref<2x2x33xbf16>)
    return
  }
}

// -----

task.program @folded worker @folded_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @folded threads 288 stages 0 of 4096 scratch 30464 activations 0 for 1 total 32768
gpu.module @folded_device {
  func.func private @plain(%x: memref<1x16xbf16>, %w: memref<16x16xbf16>, %y: memref<1x16xbf16>, %b: memref<1x1xi32>) {
    // expected-error @below {{finds the best of outputs only where its weight streams}}
    task.linear ins(%x, %w : memref<1x16xbf16>, memref<16x16xbf16>) outs(%y : memref<1x16xbf16>) best(%b : memref<1x1xi32>)
    return
  }
}

// -----

!qkv = memref<2x128xf32>
!t = memref<2x32xf32>
!i = memref<2xi64>
!b = memref<1x4xi64>
!c = memref<4x1x2x8x32xf32>
!p = memref<2x2x1x34xf32>
task.program @streamed worker @streamed_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @streamed threads 288 stages 5 of 4096 scratch 30464 activations 0 for 1 total 32768
gpu.module @streamed_device {
  func.func private @attend(%qkv: !qkv, %t: !t, %i: !i, %b: !b, %c: !c, %p: !p, %at: index) {
    %s = task.stream_part %i, %i, %b, %c at(%at, %at, %at) of 1 : !i, !i, !b, !c -> !task.stream<!c>
    // expected-error @below {{takes a stream only on the tensor cores}}
    task.split_attention ins(%qkv, %t, %t, %i, %i, %b : !qkv, !t, !t, !i, !i, !b)
      at(%at, %at, %at) of 1 stream(%s : !task.stream<!c>) outs(%c, %p : !c, !p) scale 1.0
    return
  }
}
