// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu,gpu.module(convert-task-to-nvvm,canonicalize,cse,expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-to-llvm,convert-gpu-to-nvvm,reconcile-unrealized-casts,canonicalize,cse),nvvm-attach-target{chip=sm_90a features=+ptx90 O=3},gpu-module-to-binary{format=isa},export-program)" -o /dev/null 2>/dev/null > %t.json
// RUN: sed 's/.*"ptx":"//; s/\\n/\n/g; s/\\t/ /g' %t.json > %t.ptx
// RUN: sed -n '/bar.sync *0/,/bar.sync *1, 256/p' %t.ptx > %t.tile
// RUN: grep mma.sync %t.tile | count 16
// RUN: grep mbarrier.try_wait %t.tile | count 2
// RUN: grep 'call.uni etc_wait_chunk' %t.tile | count 2
// RUN: grep 'bar.sync *1, 256' %t.ptx | count 1
// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" 2>/dev/null > %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=LOADER
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=TILES

// Two row tiles of a task cross the ring together: chunk 2i + j is step i of row tile j. A
// chunk of the input is read once, and multiplied with a chunk of each: 8 blocks of both, one
// mma each. Their sums meet behind one barrier, and are stored by different warps: those of the
// second in the places of tokens 8 to 15.

// LOADER-LABEL: func.func private @project.loader
// LOADER: nvvm.mbarrier.test.wait
// LOADER: %[[CHUNK:.*]] = arith.subi
// LOADER: %[[TWO:.*]] = arith.constant 2 : i32
// LOADER: %[[INTILE:.*]] = arith.remui %[[CHUNK]], %[[TWO]]
// LOADER: %[[TURN:.*]] = arith.divui %[[CHUNK]], %[[TWO]]
// LOADER: %[[STEP:.*]] = arith.remui %[[TURN]], %[[STEPS:.*]] : i32
// LOADER: %[[PAIR:.*]] = arith.divui %[[TURN]], %{{.*}} : i32
// LOADER: %[[FIRST:.*]] = arith.muli %[[PAIR]], %[[TWO]]
// LOADER: arith.addi %[[FIRST]], %[[INTILE]]
// LOADER: nvvm.cp.async.bulk.shared.cluster.global

// The input is read, from tagged memory, before either chunk is waited for.
// TILES-LABEL: func.func private @project.consumer
// TILES: scf.for
// TILES-COUNT-8: llvm.inline_asm {{.*}} ld.relaxed.gpu.global.v2.b64
// TILES-NOT: ld.relaxed
// TILES: nvvm.mbarrier.try_wait
// TILES-COUNT-8: nvvm.mma.sync
// TILES-NOT: nvvm.mma.sync
// TILES: nvvm.mbarrier.arrive
// TILES: nvvm.mbarrier.try_wait
// TILES-COUNT-8: nvvm.mma.sync
// TILES-NOT: nvvm.mma.sync
// TILES: nvvm.mbarrier.arrive
// TILES-NOT: nvvm.mma.sync
// TILES: nvvm.barrier id
// TILES-NOT: nvvm.barrier id

!x = memref<4x4096xbf16, #task.tagged>
!w = memref<32x4096xbf16, strided<[4096, 1], offset: ?>>
!y = memref<4x32xbf16, strided<[4096, 1], offset: ?>, #task.tagged>
task.func @embed(%ids: memref<4xi64>, %table: memref<256x4096xbf16>, %x: !x) {
  task.embedding ins(%ids, %table : memref<4xi64>, memref<256x4096xbf16>) outs(%x : !x) packed
  task.return
}
task.func @project(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}
task.graph @one symbols [] {
  %ids = task.argument "ids" input shape affine_map<() -> (4)> : memref<4xi64>
  %table = task.argument "table" weight shape affine_map<() -> (256, 4096)> layout(mma_fragments) : memref<256x4096xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (4096, 4096)> layout(mma_fragments) : memref<4096x4096xbf16>
  %x = task.scratch "x" shape affine_map<() -> (4, 4096)> at 0 : memref<4x4096xbf16, #task.tagged>
  %y = task.scratch "y" shape affine_map<() -> (4, 4096)> at 65536 : memref<4x4096xbf16, #task.tagged>
  task.launch @embed grid(() -> ()) reads(%ids at <() -> (0) sizes [*]> : memref<4xi64>, %table at <() -> (0, 0) sizes [*, *]> : memref<256x4096xbf16>)
    writes(%x at <() -> (0, 0) sizes [*, *]> : memref<4x4096xbf16, #task.tagged>) waits() notifies()
  task.launch @project grid(() -> (128))
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x4096xbf16, #task.tagged>, %w at <(i) -> (i * 32, 0) sizes [32, *]> : memref<4096x4096xbf16>)
    writes(%y at <(i) -> (0, i * 32) sizes [*, 32]> : memref<4x4096xbf16, #task.tagged>) waits() notifies()
}
task.schedule @one bucket [] policy "round-robin" offsets [0, 2, 3] runs [0, 0, 1, 1, 1, 0, 2, 64, 1, 1, 2, 64]
