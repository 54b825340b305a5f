// RUN: etc-opt %s --split-input-file --verify-diagnostics --lower-to-persistent
// RUN: not etc-opt %s --lower-to-persistent=roles=writer 2>&1 | FileCheck %s
// CHECK: lower-to-persistent: role 'writer' is not worker, loader or consumer

// expected-error @below {{has no task.schedule; run schedule-static before lower-to-persistent}}
task.graph @no_schedule symbols [] {}

// -----

task.graph @no_offset symbols [] {
  // expected-error @below {{has no offset; run plan-global-memory before lower-to-persistent}}
  %B = task.scratch "B" shape affine_map<() -> (4)> : memref<4xf32>
}
task.schedule @no_offset bucket [] policy "list" offsets [0, 0] runs []

// -----

task.graph @two_dynamic symbols [#task.symbol<"n", 1 to 8>] {
  %A = task.argument "A" input shape affine_map<()[n] -> (n)> : memref<?xf32>
  %c2 = arith.constant 2 : index
  // expected-error @below {{expands one dimension to more than one symbolic extent}}
  %B = memref.expand_shape %A [[0, 1]] output_shape [%c2, %c2] : memref<?xf32> into memref<?x?xf32>
}
task.schedule @two_dynamic bucket [8] policy "list" offsets [0, 0] runs []

// -----

task.func @f(%i: index, %a: memref<4xf32>) { task.return }
task.graph @data_edge symbols [] {
  %A = task.argument "A" output shape affine_map<() -> (4)> : memref<4xf32>
  %E = event.create "e" shape affine_map<() -> (1)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<1, data>
  // expected-error @below {{waits for or notifies a data event tensor; an edge of a launch is a counter}}
  task.launch @f grid(() -> (1)) reads() writes(%A at <(i) -> (0) sizes [*]> : memref<4xf32>)
    waits() notifies(%E at (i) -> (i) : !event.tensor<1, data>)
}
task.schedule @data_edge bucket [] policy "list" offsets [0, 1] runs [0, 0, 1, 1]
