// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu,gpu.module(convert-task-to-nvvm,canonicalize,cse,expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-to-llvm,convert-gpu-to-nvvm,reconcile-unrealized-casts,canonicalize,cse),nvvm-attach-target{chip=sm_90a features=+ptx90 O=3},gpu-module-to-binary{format=isa},export-program)" -o /dev/null 2>/dev/null | FileCheck %s

// A counter crosses blocks as one release and one acquire, at the scope of the
// device; only the consumer warps meet, and the whole block only at the start.

// CHECK: .entry chain_worker
// CHECK: bar.sync \t0;
// CHECK-NOT: bar.sync \t0;
// CHECK: bar.sync \t1, 256;
// CHECK: red.release.gpu.global.add.u32
// CHECK: ld.acquire.gpu.global.b32
// CHECK: bar.red.or.pred {{.*}}, 1, 256,
// CHECK-NOT: bar.sync \t0;

task.func @double(%i: index, %x: memref<256xf32>, %y: memref<256xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(k) -> (k)>, affine_map<(k) -> (k)>],
    iterator_types = ["parallel"]}
    ins(%x : memref<256xf32>) outs(%y : memref<256xf32>) {
  ^bb0(%in: f32, %old: f32):
    %s = arith.addf %in, %in : f32
    linalg.yield %s : f32
  }
  task.return
}
task.graph @chain symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (256)> : memref<256xf32>
  %h = task.scratch "h" shape affine_map<() -> (256)> at 0 : memref<256xf32>
  %y = task.argument "y" output shape affine_map<() -> (256)> : memref<256xf32>
  %E = event.create "e" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<>
  task.launch @double grid(() -> (1))
    reads(%x at <(i) -> (0) sizes [*]> : memref<256xf32>) writes(%h at <(i) -> (0) sizes [*]> : memref<256xf32>)
    waits() notifies(%E at (i) -> () : !event.tensor<>)
  task.launch @double grid(() -> (1))
    reads(%h at <(i) -> (0) sizes [*]> : memref<256xf32>) writes(%y at <(i) -> (0) sizes [*]> : memref<256xf32>)
    waits(%E at (i) -> () guards 0 : !event.tensor<>) notifies()
}
task.schedule @chain bucket [] policy "round-robin" offsets [0, 1, 2] runs [0, 0, 1, 1, 1, 0, 1, 1]
