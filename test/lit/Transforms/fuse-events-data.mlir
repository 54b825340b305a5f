// RUN: etc-opt %s --verify-events --fuse-events | FileCheck %s

// Edges on data tensors are the bodies' own.

task.func private @send(index, !event.tensor<data>)
task.func private @receive(index, !event.tensor<data>, !event.tensor<data>)

// Two that the same tasks publish to, and one that nobody waits for, stay: each has its value.
// CHECK-LABEL: task.graph @kept
// CHECK-COUNT-3: event.create
// CHECK: task.launch @receive {{.*}} waits(%{{.*}} at {{.*}}) notifies(%{{.*}} at
task.graph @kept symbols [] {
  %E = event.create "e" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2, data>
  %F = event.create "f" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2, data>
  %G = event.create "g" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2, data>
  task.launch @send grid(() -> (2)) reads() writes()
    waits() notifies(%E at (i) -> (i) : !event.tensor<2, data>)
  task.launch @receive grid(() -> (2)) reads() writes()
    waits(%E at (i) -> (1 - i) guards * : !event.tensor<2, data>) notifies(%F at (i) -> (i) : !event.tensor<2, data>)
  task.launch @receive grid(() -> (2)) reads() writes()
    waits(%F at (i) -> (i) guards * : !event.tensor<2, data>) notifies(%G at (i) -> (i) : !event.tensor<2, data>)
}
