// RUN: etc-opt %s | etc-opt | FileCheck %s
// RUN: etc-opt %s --mlir-print-op-generic | etc-opt | FileCheck %s

// The optional parts of buffers and launches, which ops.mlir has no use for.

task.func @rows(%i: index, %j: index, %y: memref<4x2xf32, strided<[4, 1], offset: ?>>) { task.return }

// CHECK-LABEL: task.graph @disjoint
task.graph @disjoint symbols [] {
  %y = task.scratch "y" shape affine_map<() -> (4, 4)> : memref<4x4xf32>
  // CHECK: writes(%{{.*}} at <(d0, d1) -> (0, d1 * 2) sizes [*, 2] disjoint> : memref<4x4xf32>)
  task.launch @rows grid(() -> (2, 2)) reads()
    writes(%y at <(i, j) -> (0, j * 2) sizes [*, 2] disjoint> : memref<4x4xf32>) waits() notifies()
}

task.func @body(%x: memref<2x8xf32>, %w: memref<16x16xbf16>, %cache: memref<4xf32>) { task.return }

// CHECK-LABEL: task.graph @optional symbols []
task.graph @optional symbols [] {
  // CHECK: task.argument "w" weight shape #{{.*}} layout(mma_fragments) : memref<16x16xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (16, 16)> layout(mma_fragments)
    : memref<16x16xbf16>
  // CHECK: task.argument "cache" state
  %cache = task.argument "cache" state shape affine_map<() -> (4)> : memref<4xf32>
  // CHECK: task.scratch "x" shape #{{.*}} : memref<16xf32>
  %x = task.scratch "x" shape affine_map<() -> (16)> : memref<16xf32>
  %rows = memref.expand_shape %x [[0, 1]] output_shape [2, 8] : memref<16xf32> into memref<2x8xf32>
  %one = event.create "one" shape affine_map<() -> ()> count affine_map<() -> (1)>
    reuse(monotonic) : !event.tensor<>
  %other = event.create "other" shape affine_map<() -> (2)> count affine_map<() -> (1)>
    reuse(monotonic) : !event.tensor<2>
  // CHECK: task.launch @body grid(() -> ())
  // CHECK-SAME: reads(%{{.*}} at <() -> (0, 0) sizes [*, *]> : memref<2x8xf32>, %{{.*}} at <() -> (0, 0) sizes [*, *]> : memref<16x16xbf16>)
  // CHECK-SAME: waits(%{{.*}} at () -> () guards * : !event.tensor<>, %{{.*}} at () -> (1) guards 2 : !event.tensor<2>)
  // CHECK-SAME: notifies()
  // CHECK-SAME: affinity(#{{.*}})
  task.launch @body grid(() -> ())
    reads(%rows at <() -> (0, 0) sizes [*, *]> : memref<2x8xf32>,
          %w at <() -> (0, 0) sizes [*, *]> : memref<16x16xbf16>)
    writes(%cache at <() -> (0) sizes [*]> : memref<4xf32>)
    waits(%one at () -> () guards * : !event.tensor<>,
          %other at () -> (1) guards 2 : !event.tensor<2>)
    notifies() affinity(affine_map<() -> (0)>)
}
