// RUN: etc-opt %s --infer-events --split-input-file --verify-diagnostics | FileCheck %s

task.func private @partial(index, index, memref<?x32xf32, strided<[128, 1], offset: ?>>, memref<?x1xf32, strided<[4, 1], offset: ?>>)
task.func private @final(index, memref<?x4xf32, strided<[4, 1], offset: ?>>, memref<?xf32, strided<[1], offset: ?>>)

// The row sum of the Event Tensor paper: one entry per block of rows, notified
// by the four tasks that sum a quarter of its columns each.
// CHECK-LABEL: task.graph @split_sum
task.graph @split_sum symbols [#task.symbol<"n", 1 to 4096>] {
  %A = task.argument "A" input shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %C = task.argument "C" output shape affine_map<()[n] -> (n)> : memref<?xf32>
  %B = task.scratch "B" shape affine_map<()[n] -> (n, 4)> : memref<?x4xf32>
  // CHECK: %[[E:.*]] = event.create "B.raw" shape #{{.*}} count #{{.*}} reuse(banked)
  // CHECK: task.launch @partial
  // CHECK-SAME: waits() notifies(%[[E]] at (d0, d1) -> (d0)
  task.launch @partial grid(()[n] -> (n ceildiv 32, 4))
    reads(%A at <(i, j) -> (i * 32, j * 32) sizes [32, 32]> : memref<?x128xf32>)
    writes(%B at <(i, j) -> (i * 32, j) sizes [32, 1]> : memref<?x4xf32>) waits() notifies()
  // CHECK: task.launch @final
  // CHECK-SAME: waits(%[[E]] at (d0) -> (d0) guards 0 : !event.tensor<?>) notifies()
  task.launch @final grid(()[n] -> (n ceildiv 32))
    reads(%B at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x4xf32>)
    writes(%C at <(i) -> (i * 32) sizes [32]> : memref<?xf32>) waits() notifies()
}

// -----

task.func private @write(index, memref<16xf32, strided<[1], offset: ?>>)
task.func private @read(index, memref<32xf32, strided<[1], offset: ?>>)
task.func private @all(index, memref<128xf32>)

// Tiles of two sizes: two producers an entry. The next writer of the buffer
// waits for the readers (write after read); the wait for the first writer is
// implied by them, and the last reader's for all of it is a single event.
// CHECK-LABEL: task.graph @reuse
task.graph @reuse symbols [] {
  %X = task.scratch "X" shape affine_map<() -> (128)> : memref<128xf32>
  // CHECK-DAG: %[[RAW:.*]] = event.create "X.raw" shape #{{.*}} count #{{.*}} reuse(monotonic) : !event.tensor<4>
  // CHECK-DAG: %[[WAR:.*]] = event.create "X.war" shape #{{.*}} count #{{.*}} reuse(monotonic) : !event.tensor<4>
  // CHECK-DAG: %[[ALL:.*]] = event.create "X.raw" shape #{{.*}} count #{{.*}} reuse(monotonic) : !event.tensor<>
  // CHECK: task.launch @write
  // CHECK-SAME: notifies(%[[RAW]] at (d0) -> (d0 floordiv 2)
  task.launch @write grid(() -> (8)) reads()
    writes(%X at <(i) -> (i * 16) sizes [16]> : memref<128xf32>) waits() notifies()
  // CHECK: task.launch @read
  // CHECK-SAME: waits(%[[RAW]] at (d0) -> (d0) guards 0
  // CHECK-SAME: notifies(%[[WAR]] at (d0) -> (d0)
  task.launch @read grid(() -> (4))
    reads(%X at <(i) -> (i * 32) sizes [32]> : memref<128xf32>) writes() waits() notifies()
  // CHECK: task.launch @write
  // CHECK-SAME: waits(%[[WAR]] at (d0) -> (d0 floordiv 2) guards 0 : !event.tensor<4>) notifies(%[[ALL]]
  task.launch @write grid(() -> (8)) reads()
    writes(%X at <(i) -> (i * 16) sizes [16]> : memref<128xf32>) waits() notifies()
  // CHECK: task.launch @all
  // CHECK-SAME: waits(%[[ALL]] at (d0) -> () guards 0
  task.launch @all grid(() -> (1))
    reads(%X at <(i) -> (0) sizes [*]> : memref<128xf32>) writes() waits() notifies()
}

// -----

task.func private @heads(index, memref<?x16xf32, strided<[64, 1], offset: ?>>)
task.func private @norm(index, index, memref<1x1x32xf32, strided<[64, 32, 1], offset: ?>>)

// Through a view: columns 16*j of [T, 64] are half of head j/2 of [T, 2, 32]. All
// tokens share the producer, so the event has one dimension only.
// CHECK-LABEL: task.graph @view
task.graph @view symbols [#task.symbol<"T", 1 to 8>] {
  %Q = task.scratch "Q" shape affine_map<()[t] -> (t, 64)> : memref<?x64xf32>
  %T = task.argument "T" input shape affine_map<()[t] -> (t)> : memref<?xi64>
  %c0 = arith.constant 0 : index
  %t = memref.dim %T, %c0 : memref<?xi64>
  %H = memref.expand_shape %Q [[0], [1, 2]] output_shape [%t, 2, 32] : memref<?x64xf32> into memref<?x2x32xf32>
  // CHECK: %[[E:.*]] = event.create "Q.raw" shape #{{.*}} count #{{.*}} reuse(monotonic) : !event.tensor<2>
  // CHECK: notifies(%[[E]] at (d0) -> (d0 floordiv 2)
  task.launch @heads grid(()[t] -> (4)) reads()
    writes(%Q at <(j) -> (0, j * 16) sizes [*, 16]> : memref<?x64xf32>) waits() notifies()
  // CHECK: waits(%[[E]] at (d0, d1) -> (d1) guards 0
  task.launch @norm grid(()[t] -> (t, 2))
    reads(%H at <(t, h) -> (t, h, 0) sizes [1, 1, *]> : memref<?x2x32xf32>) writes() waits() notifies()
}

// -----

task.func private @f(index)

task.graph @twice symbols [] {
  %E = event.create "E" shape affine_map<() -> (1)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<1>
  // expected-error@+1 {{the launch has events already}}
  task.launch @f grid(() -> (1)) reads() writes() waits() notifies(%E at (i) -> (i) : !event.tensor<1>)
}
