// RUN: etc-opt %s --lower-to-persistent="roles=loader,consumer" --canonicalize --cse --verify-persistent | FileCheck %s
// RUN: etc-opt %s --lower-to-persistent --canonicalize --cse | FileCheck %s --check-prefix=WORKER

// Two equal launches on other weights are one kind; the loader knows only the
// kind that streams; a collapsed view binds the slot of its base.

task.func @matvec(%i: index, %x: memref<1x64xf32>,
                  %w: memref<16x64xf32, strided<[64, 1], offset: ?>>,
                  %y: memref<1x16xf32, strided<[64, 1], offset: ?>>) {
  %s = task.stream %w : memref<16x64xf32, strided<[64, 1], offset: ?>>
    -> !task.stream<memref<16x64xf32, strided<[64, 1], offset: ?>>>
  task.ready
  task.linear ins(%x, %s : memref<1x64xf32>, !task.stream<memref<16x64xf32, strided<[64, 1], offset: ?>>>)
    outs(%y : memref<1x16xf32, strided<[64, 1], offset: ?>>)
  task.return
}
task.func @flat(%i: index, %x: memref<64xf32>, %y: memref<64xf32>) {
  memref.copy %x, %y : memref<64xf32> to memref<64xf32>
  task.return
}

task.graph @net symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (1, 64)> : memref<1x64xf32>
  %w0 = task.argument "w0" weight shape affine_map<() -> (64, 64)> : memref<64x64xf32>
  %w1 = task.argument "w1" weight shape affine_map<() -> (64, 64)> : memref<64x64xf32>
  %h = task.scratch "h" shape affine_map<() -> (1, 64)> at 0 : memref<1x64xf32>
  %g = task.scratch "g" shape affine_map<() -> (1, 64)> at 256 : memref<1x64xf32>
  %y = task.argument "y" output shape affine_map<() -> (64)> : memref<64xf32>
  %gv = memref.collapse_shape %g [[0, 1]] : memref<1x64xf32> into memref<64xf32>
  %D = event.create "d" shape affine_map<() -> ()> count affine_map<() -> (4)> reuse(monotonic) : !event.tensor<>
  %E0 = event.create "e0" shape affine_map<() -> ()> count affine_map<() -> (4)> reuse(monotonic) : !event.tensor<>
  %E1 = event.create "e1" shape affine_map<() -> ()> count affine_map<() -> (4)> reuse(monotonic) : !event.tensor<>
  task.launch @matvec grid(() -> (4))
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<1x64xf32>, %w0 at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x64xf32>)
    writes(%h at <(i) -> (0, i * 16) sizes [*, 16]> : memref<1x64xf32>)
    waits(%D at (i) -> () guards 0 : !event.tensor<>) notifies(%E0 at (i) -> () : !event.tensor<>)
  task.launch @matvec grid(() -> (4))
    reads(%h at <(i) -> (0, 0) sizes [*, *]> : memref<1x64xf32>, %w1 at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x64xf32>)
    writes(%g at <(i) -> (0, i * 16) sizes [*, 16]> : memref<1x64xf32>)
    waits(%E0 at (i) -> () guards 0 : !event.tensor<>) notifies(%E1 at (i) -> () : !event.tensor<>)
  task.launch @flat grid(() -> (1))
    reads(%gv at <(i) -> (0) sizes [*]> : memref<64xf32>)
    writes(%y at <(i) -> (0) sizes [*]> : memref<64xf32>)
    waits(%E1 at (i) -> () guards * : !event.tensor<>) notifies()
}
task.schedule @net bucket [] policy "round-robin" offsets [0, 3] runs [0, 0, 1, 4, 1, 0, 1, 4, 2, 0, 1, 1]

// CHECK: func.func private @matvec.loader
// CHECK-NEXT: task.stream
// CHECK-NEXT: return
// CHECK: func.func private @matvec.consumer
// CHECK-NEXT: task.stream
// CHECK-NEXT: task.linear
// CHECK-LABEL: func.func @net_loader
// CHECK-NOT: event.
// CHECK-NOT: task.mark
// CHECK: case 0
// CHECK: scf.for
// CHECK: call @matvec.loader
// CHECK-NOT: case 1
// CHECK: default {
// CHECK-NEXT: }
// CHECK-LABEL: func.func @net_consumer
// CHECK: case 0
// CHECK: event.wait
// CHECK: call @matvec.consumer
// CHECK: event.notify
// CHECK: case 1
// CHECK: task.operand %{{.*}}[1 of 6] () : memref<64xf32>
// CHECK-NOT: case 2
// CHECK: task.program @net worker @net_worker
// CHECK-SAME: events = array<i32: 0, 0, 4, 1, 1, 0, 4, 1, 2, 0, 4, 1>
// CHECK-SAME: launches = array<i32: 0, 0, 1, 3, 0, 1, 0, 3, 2, 4, 1, 2, 1, 4, 5, 2, -1, -1>

// WORKER: func.func private @matvec(
// WORKER-NEXT: task.linear ins(%{{.*}}, %{{.*}} : memref<1x64xf32>, memref<16x64xf32,
