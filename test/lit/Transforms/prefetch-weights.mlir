// RUN: etc-opt %s --prefetch-weights -split-input-file | FileCheck %s
// RUN: etc-opt %s --prefetch-weights --prefetch-weights -split-input-file | FileCheck %s
// RUN: etc-opt %s --prefetch-weights=enabled=false -split-input-file | FileCheck %s --check-prefix=OFF
// RUN: etc-opt %s --prefetch-weights=parts=false -split-input-file | FileCheck %s --check-prefix=PARTS

// OFF-NOT: task.stream

// Every launch binds a weight: the body itself streams it. A view of a weight is
// a weight.
// CHECK-LABEL: task.func @all(
// CHECK-NEXT: %[[S:.*]] = task.stream %arg2
// CHECK-NEXT: task.ready
// CHECK-NEXT: %[[C:.*]] = arith.constant
// CHECK-NEXT: linalg.fill ins(%[[C]]
// CHECK-NEXT: task.linear ins(%arg1, %[[S]] :
!x = memref<4x32xf32>
!w = memref<16x32xf32, strided<[32, 1], offset: ?>>
!y = memref<4x16xf32, strided<[64, 1], offset: ?>>
task.func @all(%i: index, %x: !x, %w: !w, %y: !y) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : !y)
  task.linear ins(%x, %w : !x, !w) outs(%y : !y)
  task.return
}

task.graph @g symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (4, 32)> : memref<4x32xf32>
  %w = task.argument "w" weight shape affine_map<() -> (64, 32)> : memref<64x32xf32>
  %f = task.argument "f" weight shape affine_map<() -> (2048)> : memref<2048xf32>
  %v = memref.expand_shape %f [[0, 1]] output_shape [64, 32] : memref<2048xf32> into memref<64x32xf32>
  %y = task.argument "y" output shape affine_map<() -> (4, 64)> : memref<4x64xf32>
  // CHECK: task.launch @all grid
  // CHECK: task.launch @all grid
  task.launch @all grid(() -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xf32>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xf32>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x64xf32>) waits() notifies()
  task.launch @all grid(() -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xf32>, %v at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xf32>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x64xf32>) waits() notifies()
}

// -----

!x = memref<4x32xf32>
!w = memref<16x32xf32, strided<[32, 1], offset: ?>>
!y = memref<4x16xf32, strided<[64, 1], offset: ?>>

// One launch binds scratch: the others get a body of their own.
// CHECK-LABEL: task.func @some(
// CHECK-NOT: task.stream
// CHECK: task.func @some_streamed(
// CHECK: task.stream
task.func @some(%i: index, %x: !x, %w: !w, %y: !y) {
  task.linear ins(%x, %w : !x, !w) outs(%y : !y)
  task.return
}

// Views and their indices move up with the stream, but not out of a loop, and
// what reads memory stays.
// CHECK-LABEL: task.func @views(
// CHECK-NEXT: %[[R:.*]] = arith.constant 8 : index
// CHECK-NEXT: %[[V:.*]] = memref.subview %arg2[%[[R]], 0]
// CHECK-NEXT: task.stream %[[V]]
// CHECK-NEXT: task.ready
// CHECK: linalg.fill
// CHECK: memref.load
// CHECK-NOT: task.stream
// CHECK-LABEL: task.graph
!half = memref<8x32xf32, strided<[32, 1], offset: ?>>
!yhalf = memref<4x8xf32, strided<[64, 1], offset: ?>>
task.func @views(%i: index, %x: !x, %w: !w, %y: !y) {
  %f0 = arith.constant 0.0 : f32
  linalg.fill ins(%f0 : f32) outs(%y : !y)
  %c8 = arith.constant 8 : index
  %v = memref.subview %w[%c8, 0] [8, 32] [1, 1] : !w to !half
  %o = memref.subview %y[0, 8] [4, 8] [1, 1] : !y to !yhalf
  task.linear ins(%x, %v : !x, !half) outs(%o : !yhalf)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %k = %c0 to %c8 step %c8 {
    %u = memref.subview %w[%k, 0] [8, 32] [1, 1] : !w to !half
    %p = memref.subview %y[0, %k] [4, 8] [1, 1] : !y to !yhalf
    task.linear ins(%x, %u : !x, !half) outs(%p : !yhalf)
  }
  %e = memref.load %x[%c0, %c1] : !x
  %j = arith.fptosi %e : f32 to i64
  %q = arith.index_cast %j : i64 to index
  %u = memref.subview %w[%q, 0] [8, 32] [1, 1] : !w to !half
  task.linear ins(%x, %u : !x, !half) outs(%o : !yhalf)
  task.return
}

task.graph @mixed symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (4, 32)> : memref<4x32xf32>
  %w = task.argument "w" weight shape affine_map<() -> (64, 32)> : memref<64x32xf32>
  %s = task.scratch "s" shape affine_map<() -> (64, 32)> : memref<64x32xf32>
  %y = task.argument "y" output shape affine_map<() -> (4, 64)> : memref<4x64xf32>
  // CHECK: task.launch @some_streamed grid
  // CHECK: task.launch @some grid
  task.launch @some grid(() -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xf32>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xf32>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x64xf32>) waits() notifies()
  task.launch @some grid(() -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xf32>, %s at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xf32>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x64xf32>) waits() notifies()
  // CHECK: task.launch @views grid
  task.launch @views grid(() -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xf32>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xf32>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x64xf32>) waits() notifies()
}

// -----

// Which keys and values a task reads, inputs of the step say: they are hinted at before the
// events. Where a task writes the positions, nothing may be read early.
// CHECK-LABEL: task.func @attend(
// CHECK-NEXT: task.prefetch_part %arg3, %arg3, %arg4, %arg5 at(%arg0, %arg0, %arg0) of 2
// CHECK-NEXT: task.ready
// CHECK-NEXT: task.split_attention
// CHECK-LABEL: task.func @attend_late(
// CHECK-NOT: task.prefetch_part
// CHECK: task.graph
// OFF-NOT: task.prefetch_part
// PARTS-NOT: task.prefetch_part
!qkv = memref<2x256xbf16>
!table = memref<2x64xbf16>
!pos = memref<2xi64>
!blocks = memref<1x4xi64>
!cache = memref<4x1x2x8x64xbf16>
!partial = memref<2x2x2x66xf32>
task.func @attend(%i: index, %qkv: !qkv, %cos: !table, %pos: !pos, %blocks: !blocks, %cache: !cache, %partial: !partial) {
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : !qkv, !table, !table, !pos, !pos, !blocks)
    at(%i, %i, %i) of 2 outs(%cache, %partial : !cache, !partial) scale 0.125
  task.return
}
task.func @attend_late(%i: index, %qkv: !qkv, %cos: !table, %pos: !pos, %blocks: !blocks, %cache: !cache, %partial: !partial) {
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : !qkv, !table, !table, !pos, !pos, !blocks)
    at(%i, %i, %i) of 2 outs(%cache, %partial : !cache, !partial) scale 0.125
  task.return
}
task.graph @g symbols [] {
  %qkv = task.argument "qkv" input shape affine_map<() -> (2, 256)> : !qkv
  %cos = task.argument "cos" input shape affine_map<() -> (2, 64)> : !table
  %pos = task.argument "pos" input shape affine_map<() -> (2)> : !pos
  %blocks = task.argument "blocks" input shape affine_map<() -> (1, 4)> : !blocks
  %cache = task.argument "cache" state shape affine_map<() -> (4, 1, 2, 8, 64)> : !cache
  %partial = task.argument "partial" output shape affine_map<() -> (2, 2, 2, 66)> : !partial
  %late = task.scratch "late" shape affine_map<() -> (2)> : !pos
  task.launch @attend grid(() -> (1))
    reads(%qkv at <(i) -> (0, 0) sizes [*, *]> : !qkv, %cos at <(i) -> (0, 0) sizes [*, *]> : !table, %pos at <(i) -> (0) sizes [*]> : !pos, %blocks at <(i) -> (0, 0) sizes [*, *]> : !blocks)
    writes(%cache at <(i) -> (0, 0, 0, 0, 0) sizes [*, *, *, *, *]> : !cache, %partial at <(i) -> (0, 0, 0, 0) sizes [*, *, *, *]> : !partial) waits() notifies()
  task.launch @attend_late grid(() -> (1))
    reads(%qkv at <(i) -> (0, 0) sizes [*, *]> : !qkv, %cos at <(i) -> (0, 0) sizes [*, *]> : !table, %late at <(i) -> (0) sizes [*]> : !pos, %blocks at <(i) -> (0, 0) sizes [*, *]> : !blocks)
    writes(%cache at <(i) -> (0, 0, 0, 0, 0) sizes [*, *, *, *, *]> : !cache, %partial at <(i) -> (0, 0, 0, 0) sizes [*, *, *, *]> : !partial) waits() notifies()
}
