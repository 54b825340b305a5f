// RUN: etc-opt %s --normalize-events | FileCheck %s

task.func private @a(index)
task.func private @b(index)

// A fork and a join: each gets relays, of one event in and one event out.
// CHECK: task.func @relay1(%{{.*}}: index)
// CHECK-LABEL: task.graph @diamond
task.graph @diamond symbols [] {
  // CHECK-DAG: %[[E:.*]] = event.create "E"
  // CHECK-DAG: %[[F:.*]] = event.create "F"
  // CHECK-DAG: %[[FORK:.*]] = event.create "a.fork" shape {{.*}} : !event.tensor<8>
  // CHECK-DAG: %[[JOIN:.*]] = event.create "b.join" shape {{.*}} : !event.tensor<4>
  %E = event.create "E" shape affine_map<() -> (4)> count affine_map<() -> (2)> reuse(monotonic) : !event.tensor<4>
  %F = event.create "F" shape affine_map<() -> ()> count affine_map<() -> (8)> reuse(monotonic) : !event.tensor<>
  // CHECK: task.launch @a {{.*}} waits() notifies(%[[FORK]] at (d0) -> (d0) : !event.tensor<8>)
  // CHECK: task.launch @relay1 grid(() -> (8)) {{.*}} waits(%[[FORK]] at (d0) -> (d0) guards * : !event.tensor<8>)
  // CHECK: task.launch @relay1 grid(() -> (8)) {{.*}} waits(%[[FORK]] at (d0) -> (d0) guards * : !event.tensor<8>)
  task.launch @a grid(() -> (8)) reads() writes() waits()
    notifies(%E at (i) -> (i floordiv 2) : !event.tensor<4>, %F at (i) -> () : !event.tensor<>)
  // CHECK: task.launch @relay1 grid(() -> (4)) {{.*}} notifies(%[[JOIN]] at (d0) -> (d0) : !event.tensor<4>)
  // CHECK: task.launch @relay1 grid(() -> (4)) {{.*}} notifies(%[[JOIN]] at (d0) -> (d0) : !event.tensor<4>)
  // CHECK: task.launch @b {{.*}} waits(%[[JOIN]] at (d0) -> (d0) guards * : !event.tensor<4>) notifies()
  task.launch @b grid(() -> (4)) reads() writes()
    waits(%E at (i) -> (i) guards * : !event.tensor<4>, %F at (i) -> () guards * : !event.tensor<>) notifies()
}
