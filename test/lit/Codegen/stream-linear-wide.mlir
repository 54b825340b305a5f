// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" 2>/dev/null | FileCheck %s

// Rows of f32 beside weights of bf16. An element of the table is half a word, and fills one.
// CHECK-LABEL: func.func private @embed.consumer
// CHECK: arith.extf {{.*}} : bf16 to f32
// CHECK: arith.select
// CHECK: llvm.store {{.*}} atomic syncscope("device") monotonic {{.*}} : i64

// Four columns are four words, two pairs of them, so half as many blocks at a time as of
// bf16; they are kept rounded, as two words.
// CHECK-LABEL: func.func private @project.consumer
// CHECK: scf.if {{.*}} -> (f32,
// CHECK: scf.for
// CHECK-COUNT-8: llvm.inline_asm {{.*}} ld.relaxed.gpu.global.v2.b64
// CHECK-NOT: ld.relaxed
// CHECK-COUNT-8: arith.truncf {{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK-COUNT-4: llvm.store {{.*}} {alignment = 8 : i64} : vector<2xi32>, !llvm.ptr<3>
// CHECK-NOT: vector<2xi32>, !llvm.ptr<3>
// CHECK-COUNT-4: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK-COUNT-8: llvm.inline_asm {{.*}} ld.relaxed.gpu.global.v2.b64

// Each row writes a word of its own.
// CHECK: nvvm.barrier id
// CHECK: arith.bitcast {{.*}} : f32 to i32
// CHECK-NOT: vector<2xbf16>
// CHECK: llvm.store {{.*}} atomic syncscope("device") monotonic {{.*}} : i64
// CHECK: return

!x = memref<4x4096xf32, #task.tagged>
!w = memref<16x4096xbf16, strided<[4096, 1], offset: ?>>
!y = memref<4x16xf32, strided<[4096, 1], offset: ?>, #task.tagged>
task.func @embed(%ids: memref<4xi64>, %table: memref<256x4096xbf16>, %x: !x) {
  task.embedding ins(%ids, %table : memref<4xi64>, memref<256x4096xbf16>) outs(%x : !x) packed
  task.return
}
task.func @project(%i: index, %x: !x, %w: !w, %g: memref<4096xbf16>, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  %first = task.first_task
  task.linear ins(%x, %s : !x, !task.stream<!w>) norm(%g : memref<4096xbf16>) eps 1.0e-6 first(%first) run 196608 outs(%y : !y)
  task.return
}
task.graph @one symbols [] {
  %ids = task.argument "ids" input shape affine_map<() -> (4)> : memref<4xi64>
  %table = task.argument "table" weight shape affine_map<() -> (256, 4096)> layout(mma_fragments) : memref<256x4096xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (4096, 4096)> layout(mma_fragments) : memref<4096x4096xbf16>
  %g = task.argument "g" weight shape affine_map<() -> (4096)> : memref<4096xbf16>
  %x = task.scratch "x" shape affine_map<() -> (4, 4096)> at 0 : memref<4x4096xf32, #task.tagged>
  %y = task.scratch "y" shape affine_map<() -> (4, 4096)> at 131072 : memref<4x4096xf32, #task.tagged>
  task.launch @embed grid(() -> ()) reads(%ids at <() -> (0) sizes [*]> : memref<4xi64>, %table at <() -> (0, 0) sizes [*, *]> : memref<256x4096xbf16>)
    writes(%x at <() -> (0, 0) sizes [*, *]> : memref<4x4096xf32, #task.tagged>) waits() notifies()
  task.launch @project grid(() -> (256))
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x4096xf32, #task.tagged>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<4096x4096xbf16>, %g at <(i) -> (0) sizes [*]> : memref<4096xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x4096xf32, #task.tagged>) waits() notifies()
}
task.schedule @one bucket [] policy "round-robin" offsets [0, 2, 3] runs [0, 0, 1, 1, 1, 0, 2, 128, 1, 1, 2, 128]
