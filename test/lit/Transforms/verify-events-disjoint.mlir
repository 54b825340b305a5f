// RUN: etc-opt %s --verify-events --split-input-file --verify-diagnostics

// Tasks of one launch that share a disjoint region write different elements of it, and
// only they: who else touches the region, or shares one that is not disjoint, needs an
// order.

task.func private @write(index, memref<8xf32>)
task.func private @read(index, memref<8xf32>)

task.graph @one_launch symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32>
  %E = event.create "E" shape affine_map<() -> ()> count affine_map<() -> (4)> reuse(monotonic) : !event.tensor<>
  task.launch @write grid(() -> (4)) reads() writes(%x at <(i) -> (0) sizes [*] disjoint> : memref<8xf32>)
    waits() notifies(%E at (i) -> () : !event.tensor<>)
  task.launch @read grid(() -> (2)) reads(%x at <(i) -> (0) sizes [*]> : memref<8xf32>) writes()
    waits(%E at (i) -> () guards 0 : !event.tensor<>) notifies()
}

// -----

task.func private @write(index, memref<8xf32>)

task.graph @e9_not_disjoint symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32>
  // expected-error@+2 {{E9: launch 0 (@write) task 1 (1) writes what launch 0 (@write) task 0 (0) writes}}
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @write grid(() -> (4)) reads() writes(%x at <(i) -> (0) sizes [*]> : memref<8xf32>) waits() notifies()
}

// -----

// Tagged memory is no exception: a word is stored once in a step.
task.func private @write(index, memref<8xf32, #task.tagged>)

task.graph @e9_tagged symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32, #task.tagged>
  // expected-error@+2 {{E9: launch 0 (@write) task 1 (1) writes what launch 0 (@write) task 0 (0) writes}}
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @write grid(() -> (4)) reads() writes(%x at <(i) -> (0) sizes [*]> : memref<8xf32, #task.tagged>)
    waits() notifies()
}

// -----

task.func private @both(index, memref<8xf32>, memref<8xf32>)

// The same tasks read it through another operand.
task.graph @e9_read_in_the_launch symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32>
  // expected-error@+2 {{E9: launch 0 (@both) task 0 (0) writes what launch 0 (@both) task 1 (1) reads}}
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @both grid(() -> (2)) reads(%x at <(i) -> (0) sizes [*]> : memref<8xf32>)
    writes(%x at <(i) -> (0) sizes [*] disjoint> : memref<8xf32>) waits() notifies()
}

// -----

task.func private @write(index, memref<8xf32>)
task.func private @read(index, memref<8xf32>)

task.graph @e9_reader symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32>
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @write grid(() -> (4)) reads() writes(%x at <(i) -> (0) sizes [*] disjoint> : memref<8xf32>) waits() notifies()
  // expected-error@+1 {{E9: launch 1 (@read) task 0 (0) reads what launch 0 (@write) task 0 (0) writes}}
  task.launch @read grid(() -> (2)) reads(%x at <(i) -> (0) sizes [*]> : memref<8xf32>) writes() waits() notifies()
}

// -----

task.func private @write(index, memref<8xf32>)

task.graph @e9_another_launch symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32>
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @write grid(() -> (4)) reads() writes(%x at <(i) -> (0) sizes [*] disjoint> : memref<8xf32>) waits() notifies()
  // expected-error@+1 {{E9: launch 1 (@write) task 0 (0) writes what launch 0 (@write) task 0 (0) writes}}
  task.launch @write grid(() -> (4)) reads() writes(%x at <(i) -> (0) sizes [*] disjoint> : memref<8xf32>) waits() notifies()
}
