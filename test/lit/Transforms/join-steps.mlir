// RUN: etc-opt %s --join-steps --split-input-file --verify-diagnostics | FileCheck %s

// A worker notifies once in a step for all of its tasks.

task.func private @write(index, memref<8xf32>)

// CHECK-LABEL: task.graph @join
// CHECK-NOT: event.create
// CHECK: task.join_steps "step" workers 2
// CHECK: task.launch @write
// CHECK-SAME: waits() notifies()
task.graph @join symbols [] {
  %K = task.argument "K" state shape affine_map<() -> (8)> : memref<8xf32>
  %S = event.create "step" shape affine_map<() -> ()> count affine_map<() -> (2)> reuse(carried) : !event.tensor<>
  task.launch @write grid(() -> (2)) reads() writes(%K at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
}
task.schedule @join bucket [] policy "by-hand" offsets [0, 1, 2] runs [0, 0, 1, 1, 0, 1, 1, 1]

// -----

task.func private @write(index, memref<8xf32>)

// expected-error@+1 {{join-steps: the graph has no task.schedule; run schedule-static first}}
task.graph @unscheduled symbols [] {
  %K = task.argument "K" state shape affine_map<() -> (8)> : memref<8xf32>
  %S = event.create "step" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(carried) : !event.tensor<>
  task.launch @write grid(() -> (1)) reads() writes(%K at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
}

// -----

task.func private @write(index, memref<8xf32>)

task.graph @uneven symbols [#task.symbol<"n", 1 to 4>] {
  %K = task.argument "K" state shape affine_map<()[n] -> (8)> : memref<8xf32>
  %S = event.create "step" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (n)> reuse(carried) : !event.tensor<>
  task.launch @write grid(()[n] -> (n)) reads() writes(%K at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
}
task.schedule @uneven bucket [1] policy "by-hand" offsets [0, 1] runs [0, 0, 1, 1]
// expected-error@+1 {{join-steps: has 2 workers, another schedule of the graph 1: steps of one launch need the same workers}}
task.schedule @uneven bucket [4] policy "by-hand" offsets [0, 1, 2] runs [0, 0, 1, 2, 0, 2, 1, 2]
