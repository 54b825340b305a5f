// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu,gpu.module(convert-task-to-nvvm,canonicalize,cse,expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-to-llvm,convert-gpu-to-nvvm,reconcile-unrealized-casts,canonicalize,cse),nvvm-attach-target{chip=sm_90a features=+ptx90 O=3},gpu-module-to-binary{format=isa},export-program)" -o /dev/null 2>/dev/null | FileCheck %s

// Between two steps of a launch the consumers wait until their loader has left the one, and
// tell in shared memory that they enter the other. The loader, which may have run ahead, waits
// for that before it looks for the positions of keys and values. The fence is for its
// asynchronous copies of what other workers stored in the step before. The first step is the
// loader's from the start (19104 is behind the sums).
// CHECK: .entry parts_worker
// CHECK: st.release.cta.shared.b64 \t[etc_shared+19104]
// CHECK: bar.sync \t0;
// The consumers:
// CHECK: ld.acquire.cta.shared.b64 \t{{[%a-z0-9]+}}, [etc_shared+19104]
// The wait is bounded, and its report names what it is for.
// CHECK: st.global.b32 \t[{{[^]]*}}], -3;
// CHECK: fence.proxy.async;\n\tst.release.cta.shared.b64 \t[etc_shared+152]
// The loader:
// CHECK: ld.acquire.cta.shared.b64 \t{{[%a-z0-9]+}}, [etc_shared+152]
// CHECK: cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes

!qkv = memref<1x256xbf16>
!table = memref<1x64xbf16>
!pos = memref<1xi64>
!blocks = memref<1x4xi64>
!cache = memref<4x1x2x8x64xbf16>
!partial = memref<1x2x1x66xf32>
task.func @attend(%qkv: !qkv, %cos: !table, %pos: !pos, %blocks: !blocks, %cache: !cache, %partial: !partial) {
  %0 = arith.constant 0 : index
  %s = task.stream_part %pos, %pos, %blocks, %cache at(%0, %0, %0) of 1 : !pos, !pos, !blocks, !cache -> !task.stream<!cache>
  task.ready
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : !qkv, !table, !table, !pos, !pos, !blocks)
    at(%0, %0, %0) of 1 stream(%s : !task.stream<!cache>) outs(%cache, %partial : !cache, !partial) scale 0.125
  task.return
}
task.graph @parts symbols [] {
  %qkv = task.argument "qkv" input shape affine_map<() -> (1, 256)> : !qkv
  %cos = task.argument "cos" input shape affine_map<() -> (1, 64)> : !table
  %pos = task.argument "pos" input shape affine_map<() -> (1)> : !pos
  %blocks = task.argument "blocks" input shape affine_map<() -> (1, 4)> : !blocks
  %cache = task.argument "cache" state shape affine_map<() -> (4, 1, 2, 8, 64)> : !cache
  %partial = task.argument "partial" output shape affine_map<() -> (1, 2, 1, 66)> : !partial
  task.join_steps "step" workers 1
  task.launch @attend grid(() -> ())
    reads(%qkv at <() -> (0, 0) sizes [*, *]> : !qkv, %cos at <() -> (0, 0) sizes [*, *]> : !table, %pos at <() -> (0) sizes [*]> : !pos, %blocks at <() -> (0, 0) sizes [*, *]> : !blocks)
    writes(%cache at <() -> (0, 0, 0, 0, 0) sizes [*, *, *, *, *]> : !cache, %partial at <() -> (0, 0, 0, 0) sizes [*, *, *, *]> : !partial) waits() notifies()
}
task.schedule @parts bucket [] policy "by-hand" offsets [0, 1] runs [0, 0, 1, 1]
