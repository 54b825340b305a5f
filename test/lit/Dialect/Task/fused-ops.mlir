// RUN: etc-opt %s | etc-opt | FileCheck %s
// RUN: etc-opt %s --mlir-print-op-generic | etc-opt | FileCheck %s

// What fuse-operators makes: a linear with what is before and behind it, and attention
// in parts.

// CHECK-LABEL: func.func @tensors
func.func @tensors(%x: tensor<?x64xbf16>, %w: tensor<64x64xbf16>, %g: tensor<64xbf16>, %r: tensor<?x64xbf16>,
                   %half: tensor<?x32xbf16>, %wqkv: tensor<256x64xbf16>, %qkv: tensor<?x256xbf16>,
                   %cos: tensor<?x32xbf16>, %seq: tensor<?xi64>, %table: tensor<2x8xi64>, %n: tensor<32xbf16>,
                   %cache: tensor<9x2x2x8x32xbf16>, %partial: tensor<?x4x3x34xf32>, %o: tensor<?x4x32xbf16>) {
  // CHECK: task.linear ins({{.*}}) norm(%{{.*}} : tensor<64xbf16>) eps 9.99{{.*}}E-7 residual(%{{.*}} : tensor<?x64xbf16>) outs({{.*}}) -> tensor<?x64xbf16>
  %0 = task.linear ins(%x, %w : tensor<?x64xbf16>, tensor<64x64xbf16>)
    norm(%g : tensor<64xbf16>) eps 1.0e-6 residual(%r : tensor<?x64xbf16>)
    outs(%x : tensor<?x64xbf16>) -> tensor<?x64xbf16>
  // CHECK: task.linear ins({{.*}}) norm({{.*}}) eps {{.*}} outs({{.*}} : tensor<?x32xbf16>) gated -> tensor<?x32xbf16>
  %1 = task.linear ins(%x, %w : tensor<?x64xbf16>, tensor<64x64xbf16>) norm(%g : tensor<64xbf16>) eps 1.0e-6
    outs(%half : tensor<?x32xbf16>) gated -> tensor<?x32xbf16>
  %i = arith.constant 0 : index
  // CHECK: task.split_attention ins({{.*}}) at(%[[I:.*]], %[[I]], %[[I]]) of 3 norms(%{{.*}}, %{{.*}} : tensor<32xbf16>, tensor<32xbf16>) eps {{.*}} outs({{.*}}) scale 1.250000e-01 -> tensor<9x2x2x8x32xbf16>, tensor<?x4x3x34xf32>
  %2, %3 = task.split_attention ins(%qkv, %cos, %cos, %seq, %seq, %table : tensor<?x256xbf16>, tensor<?x32xbf16>,
      tensor<?x32xbf16>, tensor<?xi64>, tensor<?xi64>, tensor<2x8xi64>)
    at(%i, %i, %i) of 3 norms(%n, %n : tensor<32xbf16>, tensor<32xbf16>) eps 1.0e-6
    outs(%cache, %partial : tensor<9x2x2x8x32xbf16>, tensor<?x4x3x34xf32>) scale 0.125
    -> tensor<9x2x2x8x32xbf16>, tensor<?x4x3x34xf32>
  // CHECK: task.merge_splits ins(%{{.*}} : tensor<?x4x3x34xf32>) outs({{.*}}) -> tensor<?x4x32xbf16>
  %4 = task.merge_splits ins(%3 : tensor<?x4x3x34xf32>) outs(%o : tensor<?x4x32xbf16>) -> tensor<?x4x32xbf16>
  return
}

// CHECK-LABEL: task.func @tiles
task.func @tiles(%i: index, %x: memref<4x64xbf16, #task.tagged>, %w: memref<16x64xbf16>, %g: memref<64xbf16>,
                 %y: memref<4x8xbf16, #task.tagged>, %ids: memref<4xi64>, %table: memref<128x64xbf16>) {
  %s = task.stream %w : memref<16x64xbf16> -> !task.stream<memref<16x64xbf16>>
  task.ready
  // CHECK: task.embedding ins({{.*}}) outs(%{{.*}} : memref<4x64xbf16, #task.tagged>) packed{{$}}
  task.embedding ins(%ids, %table : memref<4xi64>, memref<128x64xbf16>) outs(%x : memref<4x64xbf16, #task.tagged>) packed
  // CHECK: %[[FIRST:.*]] = task.first_task
  %first = task.first_task
  // CHECK: task.linear ins({{.*}}) norm({{.*}}) eps {{.*}} first(%[[FIRST]]) run 4096 outs({{.*}}) gated{{$}}
  task.linear ins(%x, %s : memref<4x64xbf16, #task.tagged>, !task.stream<memref<16x64xbf16>>)
    norm(%g : memref<64xbf16>) eps 1.0e-6 first(%first) run 4096 outs(%y : memref<4x8xbf16, #task.tagged>) gated
  task.return
}

// CHECK-LABEL: task.func @best
task.func @best(%x: memref<4x64xbf16>, %w: memref<32x64xbf16>, %y: memref<4x32xbf16>, %b: memref<4x2xi32>, %t: memref<4xi64>) {
  // CHECK: task.linear ins({{.*}}) outs(%{{.*}} : memref<4x32xbf16>) best(%{{.*}} : memref<4x2xi32>){{$}}
  task.linear ins(%x, %w : memref<4x64xbf16>, memref<32x64xbf16>) outs(%y : memref<4x32xbf16>) best(%b : memref<4x2xi32>)
  // CHECK: task.argmax ins(%{{.*}} : memref<4x2xi32>) of 16 outs(%{{.*}} : memref<4xi64>){{$}}
  task.argmax ins(%b : memref<4x2xi32>) of 16 outs(%t : memref<4xi64>)
  task.return
}

// CHECK-LABEL: task.graph @stacked
task.graph @stacked symbols [#task.symbol<"T", 1 to 4>] {
  // CHECK: task.argument "gate+up" weight shape #{{.*}} stack <["gate", "up"] by 8> : memref<64x64xbf16>
  %w = task.argument "gate+up" weight shape affine_map<() -> (64, 64)> stack <["gate", "up"] by 8> : memref<64x64xbf16>
  // CHECK: layout(mma_fragments) stack <["q", "k", "v"] by 0>
  %v = task.argument "q+k+v" weight shape affine_map<() -> (64, 64)> layout(mma_fragments) stack <["q", "k", "v"] by 0> : memref<64x64xbf16>
  // CHECK: task.scratch "x" {{.*}} : memref<?x64xbf16, #task.tagged>
  %x = task.scratch "x" shape affine_map<()[T] -> (T, 64)> : memref<?x64xbf16, #task.tagged>
  // CHECK: task.scratch "p" {{.*}} : memref<?x3xf32, #task.tagged>
  %p = task.scratch "p" shape affine_map<()[T] -> (T, 3)> : memref<?x3xf32, #task.tagged>
}

// CHECK: task.program @p
// CHECK-SAME: #task.buffer<"gate+up", weight, mma_fragments, memref<64x64xbf16>, () -> (64, 64), at 0, of <["gate", "up"] by 8>>
// CHECK: task.shared_memory @p threads 288 stages 3 of 4096 scratch 17920 activations 2048 for 1 total 119808
task.program @p worker @p_worker attributes {
  symbols = [], launch_names = [], launch_width = 1, launches = array<i32>,
  buffers = [#task.buffer<"gate+up", weight, mma_fragments, memref<64x64xbf16>, () -> (64, 64), at 0, of <["gate", "up"] by 8>>],
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @p threads 288 stages 3 of 4096 scratch 17920 activations 2048 for 1 total 119808
