// RUN: etc-opt %s --fuse-events --split-input-file | FileCheck %s

task.func private @a(index)
task.func private @b(index)
task.func private @c()

// E0 and E1 have the same notifiers and become one tensor (predecessor sets);
// the wait for F, all of @a, implies @c's wait for one entry of E1.
// CHECK-LABEL: task.graph @predecessors
task.graph @predecessors symbols [] {
  // CHECK: %[[E:.*]] = event.create "E0"
  // CHECK-NOT: event.create "E1"
  // CHECK: %[[F:.*]] = event.create "F"
  %E0 = event.create "E0" shape affine_map<() -> (8)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<8>
  %E1 = event.create "E1" shape affine_map<() -> (8)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<8>
  %F = event.create "F" shape affine_map<() -> ()> count affine_map<() -> (8)> reuse(monotonic) : !event.tensor<>
  // CHECK: task.launch @a {{.*}} notifies(%[[E]] at (d0) -> (d0) : !event.tensor<8>, %[[F]]
  task.launch @a grid(() -> (8)) reads() writes() waits()
    notifies(%E0 at (i) -> (i) : !event.tensor<8>, %E1 at (i) -> (i) : !event.tensor<8>, %F at (i) -> () : !event.tensor<>)
  // CHECK: task.launch @b {{.*}} waits(%[[E]] at (d0) -> (d0) guards * : !event.tensor<8>) notifies()
  task.launch @b grid(() -> (8)) reads() writes()
    waits(%E0 at (i) -> (i) guards * : !event.tensor<8>) notifies()
  // CHECK: task.launch @c {{.*}} waits(%[[F]] at () -> () guards * : !event.tensor<>) notifies()
  task.launch @c grid(() -> ()) reads() writes()
    waits(%E1 at () -> (3) guards * : !event.tensor<8>, %F at () -> () guards * : !event.tensor<>) notifies()
}

// -----

task.func private @a(index)
task.func private @b(index)

// @b waits for both tensors at the same entry: one tensor with both counts, and
// a symbolic count needs banks.
// CHECK-LABEL: task.graph @successors
task.graph @successors symbols [#task.symbol<"T", 1 to 8>] {
  // CHECK: %[[E:.*]] = event.create "E0" shape #{{.*}} count #[[SUM:.*]] reuse(banked)
  // CHECK-NOT: event.create
  %E0 = event.create "E0" shape affine_map<() -> (4)> count affine_map<() -> (2)> reuse(monotonic) : !event.tensor<4>
  %E1 = event.create "E1" shape affine_map<() -> (4)> count affine_map<()[t] -> (t)> reuse(banked) : !event.tensor<4>
  // CHECK: notifies(%[[E]] at (d0) -> (d0 floordiv 2)
  task.launch @a grid(() -> (8)) reads() writes() waits() notifies(%E0 at (i) -> (i floordiv 2) : !event.tensor<4>)
  // CHECK: notifies(%[[E]] at (d0) -> (0)
  task.launch @a grid(()[t] -> (t)) reads() writes() waits() notifies(%E1 at (i) -> (0) : !event.tensor<4>)
  // CHECK: waits(%[[E]] at (d0) -> (d0) guards * : !event.tensor<4>) notifies()
  task.launch @b grid(() -> (4)) reads() writes()
    waits(%E0 at (i) -> (i) guards * : !event.tensor<4>, %E1 at (i) -> (i) guards * : !event.tensor<4>) notifies()
}

// -----

task.func private @a(index)

// Different entries, different waiters: nothing to fuse. Nobody waits for G.
// CHECK-LABEL: task.graph @apart
task.graph @apart symbols [] {
  // CHECK: event.create "E0"
  // CHECK: event.create "E1"
  // CHECK-NOT: event.create "G"
  %E0 = event.create "E0" shape affine_map<() -> (8)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<8>
  %E1 = event.create "E1" shape affine_map<() -> (8)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<8>
  %G = event.create "G" shape affine_map<() -> (8)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<8>
  task.launch @a grid(() -> (8)) reads() writes() waits()
    notifies(%E0 at (i) -> (i) : !event.tensor<8>, %E1 at (i) -> (7 - i) : !event.tensor<8>, %G at (i) -> (i) : !event.tensor<8>)
  task.launch @a grid(() -> (8)) reads() writes() waits(%E0 at (i) -> (i) guards * : !event.tensor<8>) notifies()
  task.launch @a grid(() -> (8)) reads() writes() waits(%E1 at (i) -> (i) guards * : !event.tensor<8>) notifies()
}
