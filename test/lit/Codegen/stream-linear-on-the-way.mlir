// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" 2>%t.remarks > %t.mlir
// RUN: FileCheck %s --input-file=%t.remarks --check-prefix=REMARK
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu{prefetch=false})" 2>/dev/null | FileCheck %s --check-prefix=RELEASED

// REMARK: for 1 tokens the input is kept on the way: 4 trips on the way, 1 before; a run streams 196608 bytes, the ring has
// RUN: sed 's/run 196608/run 65536/' %s | etc-opt --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" 2>&1 >/dev/null | FileCheck %s --check-prefix=FITS
// FITS: for 1 tokens the input is kept before the first product: 4 trips on the way, 1 before; a run streams 65536
// RUN: sed 's/run 196608/run 65536/' %s | etc-opt --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory{tokens=4},lower-tiles-to-gpu)" 2>&1 >/dev/null | FileCheck %s --check-prefix=FOUR
// FOUR: for 4 tokens the input is kept before the first product: 4 trips on the way, 2 before

// The first task of a run reads the 8 blocks of a chunk and the norm's weight, multiplies
// them as they come and keeps them. Their squares are kept behind the last. The others find
// all of it in shared memory. One epilogue for both.
// CHECK-LABEL: func.func private @project.consumer
// CHECK: scf.if {{.*}} -> (f32,
// CHECK: scf.for
// CHECK-COUNT-8: llvm.inline_asm {{.*}} ld.relaxed.gpu.global.v2.b64
// CHECK-NOT: ld.relaxed
// CHECK-COUNT-8: llvm.store {{.*}} {alignment = 8 : i64} : vector<2xi32>, !llvm.ptr<3>
// CHECK-NOT: vector<2xi32>, !llvm.ptr<3>
// CHECK: nvvm.mbarrier.try_wait
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: nvvm.mbarrier.arrive
// CHECK-COUNT-2: nvvm.shfl.sync bfly
// CHECK: } else {
// CHECK-NOT: ld.relaxed
// CHECK: nvvm.mbarrier.try_wait
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: nvvm.barrier id
// CHECK-NOT: nvvm.barrier id
// CHECK: return

// A stream that waits for the whole input is told when it is there, so all is kept first.
// RELEASED-LABEL: func.func private @project.consumer
// RELEASED-NOT: nvvm.mbarrier.try_wait
// RELEASED: llvm.atomicrmw _or
// RELEASED: nvvm.mbarrier.try_wait
// RELEASED-COUNT-8: nvvm.mma.sync
// RELEASED-NOT: nvvm.mma.sync
// RELEASED: return

!x = memref<4x4096xbf16, #task.tagged>
!w = memref<16x4096xbf16, strided<[4096, 1], offset: ?>>
!y = memref<4x16xbf16, strided<[4096, 1], offset: ?>, #task.tagged>
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
  %x = task.scratch "x" shape affine_map<() -> (4, 4096)> at 0 : memref<4x4096xbf16, #task.tagged>
  %y = task.scratch "y" shape affine_map<() -> (4, 4096)> at 65536 : memref<4x4096xbf16, #task.tagged>
  task.launch @embed grid(() -> ()) reads(%ids at <() -> (0) sizes [*]> : memref<4xi64>, %table at <() -> (0, 0) sizes [*, *]> : memref<256x4096xbf16>)
    writes(%x at <() -> (0, 0) sizes [*, *]> : memref<4x4096xbf16, #task.tagged>) waits() notifies()
  task.launch @project grid(() -> (256))
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x4096xbf16, #task.tagged>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<4096x4096xbf16>, %g at <(i) -> (0) sizes [*]> : memref<4096xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x4096xbf16, #task.tagged>) waits() notifies()
}
task.schedule @one bucket [] policy "round-robin" offsets [0, 2, 3] runs [0, 0, 1, 1, 1, 0, 2, 128, 1, 1, 2, 128]
