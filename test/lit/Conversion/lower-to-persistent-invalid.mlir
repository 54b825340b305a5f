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
