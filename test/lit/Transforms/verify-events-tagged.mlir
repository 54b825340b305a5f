// RUN: etc-opt %s --verify-events --split-input-file --verify-diagnostics

// T16: one launch writes a tagged buffer, and it stands before its readers.

task.func private @write(memref<8xf32, #task.tagged>)
task.func private @read(memref<8xf32, #task.tagged>)

task.graph @good symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32, #task.tagged>
  task.launch @write grid(() -> ()) reads() writes(%x at <() -> (0) sizes [*]> : memref<8xf32, #task.tagged>) waits() notifies()
  task.launch @read grid(() -> ()) reads(%x at <() -> (0) sizes [*]> : memref<8xf32, #task.tagged>) writes() waits() notifies()
}

// -----

task.func private @read(memref<8xf32, #task.tagged>)

task.graph @nobody_writes symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32, #task.tagged>
  // expected-error@+1 {{T16: reads tagged memory that no launch before it writes}}
  task.launch @read grid(() -> ()) reads(%x at <() -> (0) sizes [*]> : memref<8xf32, #task.tagged>) writes() waits() notifies()
}

// -----

task.func private @write(memref<8xf32, #task.tagged>)

task.graph @two_write symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (8)> : memref<8xf32, #task.tagged>
  // expected-note@+1 {{the other launch is here}}
  task.launch @write grid(() -> ()) reads() writes(%x at <() -> (0) sizes [*]> : memref<8xf32, #task.tagged>) waits() notifies()
  // expected-error@+1 {{T16: writes tagged memory that another launch writes}}
  task.launch @write grid(() -> ()) reads() writes(%x at <() -> (0) sizes [*]> : memref<8xf32, #task.tagged>) waits() notifies()
}
