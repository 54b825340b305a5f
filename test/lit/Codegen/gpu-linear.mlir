// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" 2>/dev/null | FileCheck %s

// What is behind the sums of a row tile, after its one barrier.

!x = memref<2x256xbf16>
!w = memref<16x256xbf16, strided<[256, 1], offset: ?>>
!h = memref<2x8xbf16, strided<[256, 1], offset: ?>>
!y = memref<2x16xbf16, strided<[256, 1], offset: ?>>
!best = memref<2x1xi32, strided<[16, 1], offset: ?>, #task.tagged>

// The factor of the norm is applied to the sum. A gate and what it gates are eight lanes
// apart; the first eight rows of a tile store.
// CHECK-LABEL: func.func private @gated.consumer
// CHECK: nvvm.mma.sync
// CHECK: nvvm.barrier
// CHECK: "llvm.nvvm.rsqrt.approx.f"
// CHECK: %[[EIGHT:.*]] = arith.constant 8 : i32
// CHECK: nvvm.shfl.sync bfly %{{.*}}, %{{.*}}, %[[EIGHT]]
// CHECK: arith.negf
// CHECK: "llvm.nvvm.ex2.approx.ftz.f32"
// CHECK: "llvm.nvvm.rcp.approx.ftz.f"
// CHECK-NOT: nvvm.barrier
// CHECK: memref.store
task.func @gated(%i: index, %x: !x, %w: !w, %g: memref<256xbf16>, %y: !h) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) norm(%g : memref<256xbf16>) eps 1.0e-6 outs(%y : !h) gated
  task.return
}

// A residual that is not tagged is one load, before the weights.
// CHECK-LABEL: func.func private @added.consumer
// CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> i32
// CHECK: nvvm.mma.sync
// CHECK: nvvm.barrier
// CHECK-NOT: etc_wait_word
// CHECK: memref.store
task.func @added(%i: index, %x: !x, %w: !w, %r: !y, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) residual(%r : !y) outs(%y : !y)
  task.return
}

// The best of a tile: over its 16 lanes, as one tagged word.
// CHECK-LABEL: func.func private @best.consumer
// CHECK: nvvm.mma.sync
// CHECK: nvvm.barrier
// CHECK: arith.cmpf ogt
// CHECK: llvm.store {{.*}} atomic syncscope("device") monotonic {{.*}} : i64, !llvm.ptr<1>
task.func @best(%i: index, %x: !x, %w: !w, %y: !y, %best: !best) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y) best(%best : !best)
  task.return
}

task.graph @g symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (2, 256)> : memref<2x256xbf16>
  %u = task.argument "u" weight shape affine_map<() -> (512, 256)> layout(mma_fragments) : memref<512x256xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (256, 256)> layout(mma_fragments) : memref<256x256xbf16>
  %g = task.argument "g" weight shape affine_map<() -> (256)> : memref<256xbf16>
  %h = task.argument "h" output shape affine_map<() -> (2, 256)> : memref<2x256xbf16>
  %y = task.argument "y" output shape affine_map<() -> (2, 256)> : memref<2x256xbf16>
  %z = task.argument "z" output shape affine_map<() -> (2, 256)> : memref<2x256xbf16>
  %b = task.scratch "b" shape affine_map<() -> (2, 16)> at 0 : memref<2x16xi32, #task.tagged>
  task.launch @gated grid(() -> (32)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<2x256xbf16>, %u at <(i) -> (i * 16, 0) sizes [16, *]> : memref<512x256xbf16>, %g at <(i) -> (0) sizes [*]> : memref<256xbf16>)
    writes(%h at <(i) -> (0, i * 8) sizes [*, 8]> : memref<2x256xbf16>) waits() notifies()
  task.launch @added grid(() -> (16)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<2x256xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<256x256xbf16>, %x at <(i) -> (0, i * 16) sizes [*, 16]> : memref<2x256xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<2x256xbf16>) waits() notifies()
  task.launch @best grid(() -> (16)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<2x256xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<256x256xbf16>)
    writes(%z at <(i) -> (0, i * 16) sizes [*, 16]> : memref<2x256xbf16>, %b at <(i) -> (0, i) sizes [*, 1]> : memref<2x16xi32, #task.tagged>) waits() notifies()
}
task.schedule @g bucket [] policy "round-robin" offsets [0, 3] runs [0, 0, 1, 32, 1, 0, 1, 16, 2, 0, 1, 16]
