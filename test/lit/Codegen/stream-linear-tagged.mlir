// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu,gpu.module(convert-task-to-nvvm,canonicalize,cse,expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-to-llvm,convert-gpu-to-nvvm,reconcile-unrealized-casts,canonicalize,cse),nvvm-attach-target{chip=sm_90a features=+ptx90 O=3},gpu-module-to-binary{format=isa},export-program)" -o /dev/null 2>/dev/null > %t.json
// RUN: sed 's/.*"ptx":"//; s/\\n/\n/g; s/\\t/ /g' %t.json > %t.ptx
// RUN: FileCheck %s --input-file=%t.ptx
// RUN: FileCheck %s --input-file=%t.ptx --check-prefix=ORDER --implicit-check-not=red.release --implicit-check-not=ld.acquire
// RUN: FileCheck %s --input-file=%t.ptx --check-prefix=LATE
// RUN: sed -n '/bar.sync *0/,/bar.sync *1, 256/p' %t.ptx > %t.tile
// RUN: grep mma.sync %t.tile | count 8
// RUN: grep mbarrier.arrive %t.tile | count 1
// RUN: grep mbarrier.try_wait %t.tile | count 1
// RUN: grep 'call.uni etc_wait_chunk' %t.tile | count 1
// RUN: grep 'bar.sync\|bar.red' %t.ptx | count 2

// A linear of a decoder: normed, with a residual, from tagged memory to tagged memory. K =
// 4096 is four chunks of eight blocks for each warp, which a loop goes through. Its body: one
// wait for a stage (a quick one; the bounded one is called), eight times one mma per 512
// bytes of weights and up to eight tokens, one arrival. No barrier but one of the consumers
// (1) for a tile of 16 rows; the whole block (0) meets at the start only.

// The first task of a run copies the input into shared memory, pairs of words at a time; the
// residual is on its way before the weights are waited for, and is looked at behind the
// barrier.
// CHECK: bar.sync 0;
// CHECK-NOT: mma.sync
// CHECK: ld.relaxed.gpu.global.v2.b64
// CHECK: ld.relaxed.gpu.global.b64
// CHECK-NOT: ld.{{(relaxed.gpu.)?}}global.v2
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: ld.{{(relaxed.gpu.)?}}global.v2
// CHECK: bar.sync 1, 256;
// CHECK: st.relaxed.gpu.global.b64
// CHECK-NOT: st.relaxed.gpu

// Embedding and linear: a word is stored with its epoch; nothing else tells the reader.
// ORDER: st.relaxed.gpu.global.b64
// ORDER: st.relaxed.gpu.global.b64
// ORDER-NOT: st.relaxed.gpu.global

// A word that never comes ends the step like any other wait: event -2, its place, the epoch
// that it holds and this step's.
// LATE: ld.relaxed.gpu.global.v2.b64
// LATE: ld.relaxed.gpu.global.b64
// LATE: ld.relaxed.gpu.global.b32
// LATE: st.global.b32 [%[[STATUS:rd[0-9]+]]+16], -2;
// LATE-NEXT: st.global.b32 [%[[STATUS]]+20],
// LATE-NEXT: st.global.b32 [%[[STATUS]]+24],
// LATE-NEXT: st.global.b32 [%[[STATUS]]+28],
// LATE-NEXT: st.release.gpu.global.b32 [%[[STATUS]]], 2;

!x = memref<4x4096xbf16, #task.tagged>
!w = memref<16x4096xbf16, strided<[4096, 1], offset: ?>>
!y = memref<4x16xbf16, strided<[4096, 1], offset: ?>, #task.tagged>
task.func @embed(%ids: memref<4xi64>, %table: memref<256x4096xbf16>, %x: !x) {
  task.embedding ins(%ids, %table : memref<4xi64>, memref<256x4096xbf16>) outs(%x : !x) packed
  task.return
}
task.func @project(%i: index, %x: !x, %w: !w, %g: memref<4096xbf16>, %r: !y, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  %first = task.first_task
  task.linear ins(%x, %s : !x, !task.stream<!w>) norm(%g : memref<4096xbf16>) eps 1.0e-6 residual(%r : !y) first(%first) outs(%y : !y)
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
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x4096xbf16, #task.tagged>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<4096x4096xbf16>, %g at <(i) -> (0) sizes [*]> : memref<4096xbf16>,
      %x at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x4096xbf16, #task.tagged>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x4096xbf16, #task.tagged>) waits() notifies()
}
task.schedule @one bucket [] policy "round-robin" offsets [0, 2, 3] runs [0, 0, 1, 1, 1, 0, 2, 128, 1, 1, 2, 128]
