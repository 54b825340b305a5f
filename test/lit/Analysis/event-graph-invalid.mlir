// RUN: etc-opt %s --schedule-static="workers=2" --verify-diagnostics --split-input-file

// What a graph needs in order to mean something at given symbols.

task.func @body(%i: index) { task.return }

task.graph @outside symbols [#task.symbol<"n", 1 to 8>] {
  %E = event.create "E" shape affine_map<()[n] -> (4)>
    count affine_map<()[n] -> (1)> reuse(banked) : !event.tensor<4>
  // expected-error@+1 {{task [4] has a notify on entry [4] of event tensor 'E' of shape [4], at symbols [8]}}
  task.launch @body grid(()[n] -> (n)) reads() writes()
    waits() notifies(%E at (i) -> (i) : !event.tensor<4>)
}

// -----

task.func @body(%i: index) { task.return }

task.graph @curved symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error@+1 {{the grid affine_map<()[s0] -> (8 floordiv s0)> is not affine in the graph's symbols}}
  task.launch @body grid(()[n] -> (8 floordiv n)) reads() writes() waits() notifies()
}

// -----

task.func @body(%i: index) { task.return }

task.graph @negative symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error@+1 {{the grid has the extent -1 at symbols [1]}}
  task.launch @body grid(()[n] -> (n - 2)) reads() writes() waits() notifies()
}

// -----

task.func @body(%i: index) { task.return }

task.graph @affinity symbols [] {
  // expected-error@+1 {{the affinity is not one affine expression of the grid's coordinates}}
  task.launch @body grid(() -> (8)) reads() writes() waits() notifies()
    affinity(affine_map<(i) -> (i, i)>)
}

// -----

task.func @body(%i: index, %a: memref<1xf32, strided<[1], offset: ?>>) { task.return }

task.graph @region symbols [#task.symbol<"n", 1 to 8>] {
  %A = task.argument "A" input shape affine_map<() -> (8)> : memref<8xf32>
  // expected-error@+1 {{the region #task.region<(d0) -> (d0 floordiv 0) sizes [1]> is not affine}}
  task.launch @body grid(() -> (8)) reads(%A at <(i) -> (i floordiv 0) sizes [1]> : memref<8xf32>)
    writes() waits() notifies()
}

// -----

task.func @body(%i: index) { task.return }

task.graph @edge symbols [#task.symbol<"n", 1 to 8>] {
  %E = event.create "E" shape affine_map<() -> (8)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<8>
  // expected-error@+1 {{the notify map affine_map<(d0)[s0] -> (d0 floordiv s0)> is not affine}}
  task.launch @body grid(() -> (8)) reads() writes() waits()
    notifies(%E at (i)[n] -> (i floordiv n) : !event.tensor<8>)
}

// -----

task.func @body(%i: index, %a: memref<8xf32>) { task.return }

task.graph @buffer symbols [] {
  %A = memref.alloc() : memref<8xf32>
  // expected-error@+1 {{operand 0 is no buffer of the graph and no reshape of one}}
  task.launch @body grid(() -> (8)) reads(%A at <(i) -> (0) sizes [*]> : memref<8xf32>)
    writes() waits() notifies()
}
