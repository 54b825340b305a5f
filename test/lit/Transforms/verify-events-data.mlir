// RUN: etc-opt %s --split-input-file --verify-diagnostics --verify-events

// An edge on a data tensor orders tasks, but nothing in memory beside its value.

task.func private @write(index, memref<4xf32>, !event.tensor<data>)
task.func private @read(index, memref<4xf32>, !event.tensor<data>)

task.graph @e9_a_value_orders_no_memory symbols [] {
  %X = task.scratch "X" shape affine_map<() -> (4)> : memref<4xf32>
  %E = event.create "e" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @write grid(() -> (1)) reads() writes(%X at <(i) -> (0) sizes [*]> : memref<4xf32>)
    waits() notifies(%E at (i) -> () : !event.tensor<data>)
  // expected-error@+1 {{E9}}
  task.launch @read grid(() -> (1)) reads(%X at <(i) -> (0) sizes [*]> : memref<4xf32>) writes()
    waits(%E at (i) -> () guards * : !event.tensor<data>) notifies()
}

// -----

task.func private @swap(index, !event.tensor<data>, !event.tensor<data>)

task.graph @e8_values_in_a_circle symbols [] {
  %E = event.create "e" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2, data>
  // expected-error@+1 {{E8}}
  task.launch @swap grid(() -> (2)) reads() writes()
    waits(%E at (i) -> (i) guards * : !event.tensor<2, data>) notifies(%E at (i) -> (1 - i) : !event.tensor<2, data>)
}
