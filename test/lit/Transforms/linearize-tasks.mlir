// RUN: etc-opt %s --linearize-tasks -split-input-file | FileCheck %s
// RUN: etc-opt %s --linearize-tasks=remarks -split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: etc-opt %s --linearize-tasks=by-level=false -split-input-file | FileCheck %s --check-prefix=PROGRAM

// Tasks that wait for a group: the group's dimension comes first. The body uses
// its coordinates, so it is copied with them exchanged, once.

// CHECK: #[[$AFFINITY:.*]] = affine_map<(d0, d1) -> (d1 * 2 + d0)>
// CHECK-LABEL: task.func @uses(
// CHECK: arith.addi %arg0, %arg0
// CHECK-LABEL: task.func @uses_permuted(
// CHECK: arith.addi %arg1, %arg1
// CHECK-NOT: task.func @uses
// CHECK-LABEL: task.graph @groups
task.func @produce(%g: index) { task.return }
task.func @uses(%t: index, %g: index, %x: memref<1x4xf32, strided<[8, 1], offset: ?>>) {
  %u = arith.addi %t, %t : index
  task.return
}
task.graph @groups symbols [#task.symbol<"T", 1 to 8>] {
  %x = task.argument "x" input shape affine_map<()[T] -> (T, 8)> : memref<?x8xf32>
  %E = event.create "E" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2>
  %F = event.create "F" shape affine_map<()[T] -> (T, 2)> count affine_map<() -> (2)> reuse(banked) : !event.tensor<?x2>
  task.launch @produce grid(() -> (2)) reads() writes() waits()
    notifies(%E at (g) -> (g) : !event.tensor<2>)
  // CHECK: task.launch @uses_permuted grid(()[s0] -> (2, s0))
  // CHECK-SAME: at <(d0, d1) -> (d1, d0 * 4) sizes [1, 4]>
  // CHECK-SAME: waits(%{{.*}} at (d0, d1) -> (d0) guards *
  // CHECK-SAME: notifies(%{{.*}} at (d0, d1) -> (d1, d0)
  // CHECK-SAME: affinity(#[[$AFFINITY]])
  task.launch @uses grid(()[T] -> (T, 2))
    reads(%x at <(t, g) -> (t, g * 4) sizes [1, 4]> : memref<?x8xf32>) writes()
    waits(%E at (t, g) -> (g) guards * : !event.tensor<2>)
    notifies(%F at (t, g) -> (t, g) : !event.tensor<?x2>) affinity(affine_map<(t, g) -> (t * 2 + g)>)
  // CHECK: task.launch @uses_permuted
  task.launch @uses grid(()[T] -> (T, 2))
    reads(%x at <(t, g) -> (t, g * 4) sizes [1, 4]> : memref<?x8xf32>) writes()
    waits(%E at (t, g) -> (g) guards * : !event.tensor<2>)
    notifies(%F at (t, g) -> (t, g) : !event.tensor<?x2>)
}

// -----

// Events turn the program's order around; what is free keeps its place.

// CHECK-LABEL: task.graph @order
// CHECK: task.launch @free
// CHECK: task.launch @first
// CHECK: task.launch @second
task.func @free() { task.return }
task.func @first() { task.return }
task.func @second() { task.return }
task.graph @order symbols [] {
  %E = event.create "E" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<>
  task.launch @second grid(() -> ()) reads() writes() waits(%E at () -> () guards * : !event.tensor<>) notifies()
  task.launch @free grid(() -> ()) reads() writes() waits() notifies()
  task.launch @first grid(() -> ()) reads() writes() waits() notifies(%E at () -> () : !event.tensor<>)
}

// -----

// What is coarsened comes after what is used as it is; two waits on different
// dimensions cannot both be served.

// CHECK-LABEL: task.graph @coarse
task.func @both(%i: index, %j: index) { task.return }
task.graph @coarse symbols [] {
  %E = event.create "E" shape affine_map<() -> (2, 4)> count affine_map<() -> (8)> reuse(monotonic) : !event.tensor<2x4>
  %F = event.create "F" shape affine_map<() -> (8)> count affine_map<() -> (4)> reuse(monotonic) : !event.tensor<8>
  %G = event.create "G" shape affine_map<() -> (4)> count affine_map<() -> (8)> reuse(monotonic) : !event.tensor<4>
  // CHECK: task.launch @both grid(() -> (8, 4))
  task.launch @both grid(() -> (8, 4)) reads() writes() waits()
    notifies(%F at (i, j) -> (i) : !event.tensor<8>, %G at (i, j) -> (j) : !event.tensor<4>)
  // CHECK: task.launch @both grid(() -> (4, 8))
  // CHECK-SAME: (d0, d1) -> (d1 floordiv 4, d0)
  task.launch @both grid(() -> (8, 4)) reads() writes()
    waits(%E at (i, j) -> (i floordiv 4, j) guards * : !event.tensor<2x4>) notifies()
  // CHECK: task.launch @both grid(() -> (8, 4))
  // REMARK: remark: the tasks of @both that wait for one entry are scattered in wait 1, affine_map<(d0, d1) -> (d1)>
  // REMARK-NOT: remark
  task.launch @both grid(() -> (8, 4)) reads() writes()
    waits(%F at (i, j) -> (i) guards * : !event.tensor<8>, %G at (i, j) -> (j) guards * : !event.tensor<4>) notifies()
}

// -----

// Two chains: what is ready at once stands together, unless the program's order
// is wanted.

// CHECK-LABEL: task.graph @levels
// CHECK: task.launch @a0
// CHECK: task.launch @b0
// CHECK: task.launch @a1
// CHECK: task.launch @b1
// PROGRAM-LABEL: task.graph @levels
// PROGRAM: task.launch @a0
// PROGRAM: task.launch @a1
// PROGRAM: task.launch @b0
// PROGRAM: task.launch @b1
task.func @a0() { task.return }
task.func @a1() { task.return }
task.func @b0() { task.return }
task.func @b1() { task.return }
task.graph @levels symbols [] {
  %E = event.create "E" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<>
  %F = event.create "F" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<>
  task.launch @a0 grid(() -> ()) reads() writes() waits() notifies(%E at () -> () : !event.tensor<>)
  task.launch @a1 grid(() -> ()) reads() writes() waits(%E at () -> () guards * : !event.tensor<>) notifies()
  task.launch @b0 grid(() -> ()) reads() writes() waits() notifies(%F at () -> () : !event.tensor<>)
  task.launch @b1 grid(() -> ()) reads() writes() waits(%F at () -> () guards * : !event.tensor<>) notifies()
}
