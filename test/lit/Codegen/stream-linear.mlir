// RUN: etc-opt %s --pass-pipeline="builtin.module(prefetch-weights,pack-weights,lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu,gpu.module(convert-task-to-nvvm,canonicalize,cse,expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-to-llvm,convert-gpu-to-nvvm,reconcile-unrealized-casts,canonicalize,cse),nvvm-attach-target{chip=sm_90a features=+ptx90 O=3},gpu-module-to-binary{format=isa},export-program)" -o /dev/null 2>/dev/null > %t.json
// RUN: FileCheck %s --input-file=%t.json
// RUN: FileCheck %s --input-file=%t.json --check-prefix=LOADS
// RUN: FileCheck %s --input-file=%t.json --check-prefix=LOADER
// RUN: FileCheck %s --input-file=%t.json --check-prefix=BARRIERS

// The loop that everything else feeds. K = 1024 is 64 blocks of 16 columns: 8 for each
// warp, one chunk. Activations are asked for before the chunk is waited for; then one
// 16-byte shared load per lane and one mma per 512 bytes of weights; then the stage is
// given back.
// CHECK: .entry one_worker
// CHECK-COUNT-8: ld.global.v2.b32
// CHECK-NOT: ld.global.v2.b32
// CHECK: mbarrier.try_wait.parity
// CHECK: ld.shared.v4.b32
// CHECK-COUNT-8: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: mma.sync
// CHECK: mbarrier.arrive.shared.b64
// CHECK-NOT: mma.sync
// CHECK: bar.sync \t1, 256;
// CHECK-NOT: mma.sync

// LOADS-COUNT-8: ld.shared.v4.b32
// LOADS-NOT: ld.shared.v4.b32

// The loader: an empty stage, a fence between its readers and the copy that will write there
// (E10), the bytes to expect, one bulk copy for each warp.
// LOADER-NOT: fence.proxy.async
// LOADER: mbarrier.test_wait.parity
// LOADER-NOT: mbarrier.arrive.expect_tx
// LOADER: fence.proxy.async.shared::cta;
// LOADER-NOT: mbarrier.test_wait
// LOADER: mbarrier.arrive.expect_tx.shared.b64
// LOADER: cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes.L2::cache_hint
// LOADER-NOT: cp.async.bulk

// One barrier per tile, of the consumers; the whole block meets at the start only.
// BARRIERS: bar.sync \t0;
// BARRIERS: bar.sync \t1, 256;
// BARRIERS-NOT: bar.sync
// BARRIERS-NOT: __nv_

!x = memref<8x1024xbf16>
!w = memref<16x1024xbf16, strided<[1024, 1], offset: ?>>
!y = memref<8x16xbf16, strided<[64, 1], offset: ?>>
task.func @project(%i: index, %x: !x, %w: !w, %y: !y) {
  task.linear ins(%x, %w : !x, !w) outs(%y : !y)
  task.return
}
task.graph @one symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (8, 1024)> : memref<8x1024xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (64, 1024)> : memref<64x1024xbf16>
  %y = task.argument "y" output shape affine_map<() -> (8, 64)> : memref<8x64xbf16>
  task.launch @project grid(() -> (4))
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<8x1024xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x1024xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<8x64xbf16>) waits() notifies()
}
task.schedule @one bucket [] policy "round-robin" offsets [0, 1, 2] runs [0, 0, 2, 2, 0, 1, 2, 2]
