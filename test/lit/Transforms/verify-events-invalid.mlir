// RUN: etc-opt %s --verify-events --split-input-file --verify-diagnostics

// What has no meaning at some value of the symbols, or none at all.

task.func private @f(index)

task.graph @entry_outside symbols [#task.symbol<"T", 1 to 4>] {
  %E = event.create "E" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(banked) : !event.tensor<2>
  // expected-error@+1 {{task [2] has a notify on entry [2] of event tensor 'E' of shape [2], at symbols [3]}}
  task.launch @f grid(()[t] -> (t)) reads() writes() waits() notifies(%E at (i) -> (i) : !event.tensor<2>)
}

// -----

task.func private @f(index, memref<4xf32>)

task.graph @foreign_buffer symbols [] {
  %A = memref.alloc() : memref<4xf32>
  // expected-error@+1 {{operand 0 is no buffer of the graph and no reshape of one}}
  task.launch @f grid(() -> (1)) reads(%A at <(i) -> (0) sizes [*]> : memref<4xf32>) writes() waits() notifies()
}

// -----

task.func private @f(index)

task.graph @affinity symbols [] {
  // expected-error@+1 {{the affinity is not one affine expression of the grid's coordinates}}
  task.launch @f grid(() -> (2)) reads() writes() waits() notifies()
    affinity(affine_map<(i) -> (i, i)>)
}
