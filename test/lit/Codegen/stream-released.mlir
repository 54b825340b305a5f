// RUN: etc-opt %s --pass-pipeline="builtin.module(prefetch-weights,pack-weights,stage-activations,lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu{prefetch=false})" 2>/dev/null > %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=CONSUMER
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=LOADER
// RUN: etc-opt %s --pass-pipeline="builtin.module(prefetch-weights,pack-weights,stage-activations,lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" 2>/dev/null | FileCheck %s --check-prefix=AHEAD

// Without prefetch a warp lets its stream begin when it has its input: once for each linear,
// behind what stages the input, before the first chunk is waited for.
// CONSUMER-LABEL: func.func private @project.consumer
// CONSUMER: nvvm.bar.warp.sync
// CONSUMER: llvm.atomicrmw _or %{{.*}} syncscope("block") monotonic : !llvm.ptr<3>, i32
// CONSUMER-NOT: atomicrmw
// CONSUMER: nvvm.mbarrier.try_wait

// The loader's lane waits for that, takes it back, and copies.
// LOADER-LABEL: func.func private @project.loader
// LOADER: scf.while
// LOADER: llvm.load volatile %{{.*}} : !llvm.ptr<3> -> i32
// LOADER: llvm.atomicrmw _and %{{.*}} syncscope("block") monotonic : !llvm.ptr<3>, i32
// LOADER: nvvm.cp.async.bulk.shared.cluster.global

// AHEAD: func.func private @project.loader
// AHEAD-NOT: atomicrmw

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
