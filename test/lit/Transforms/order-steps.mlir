// RUN: etc-opt %s --pass-pipeline='builtin.module(task.graph(order-steps,verify-events))' --split-input-file | FileCheck %s
// RUN: etc-opt %s --pass-pipeline='builtin.module(task.graph(order-steps{enabled=false}))' --split-input-file | FileCheck %s --check-prefix=OFF

// OFF-NOT: reuse(carried)

// The scratch memory is written by the first launch and read by the last (WAR),
// each task of the first comes before one of the last. One event, counted by the tasks
// of the last.

task.func private @partial(index, memref<?x4xf32, strided<[4, 1], offset: ?>>)
task.func private @final(index, memref<?x4xf32, strided<[4, 1], offset: ?>>, memref<?xf32, strided<[1], offset: ?>>)

// CHECK-LABEL: task.graph @chain
// CHECK: %[[E:.*]] = event.create "E"
// CHECK: %[[S:.*]] = event.create "step" shape #{{.*}} count #[[N:.*]] reuse(carried) : !event.tensor<>
// CHECK: task.launch @partial
// CHECK-SAME: waits(%[[S]] at (d0) -> () guards * : !event.tensor<>) notifies(%[[E]] at (d0) -> (d0) : !event.tensor<?>)
// CHECK: task.launch @final
// CHECK-SAME: waits(%[[E]] at (d0) -> (d0) guards 0 : !event.tensor<?>) notifies(%[[S]] at (d0) -> () : !event.tensor<>)
task.graph @chain symbols [#task.symbol<"n", 1 to 256>] {
  %B = task.scratch "B" shape affine_map<()[n] -> (n, 4)> : memref<?x4xf32>
  %C = task.argument "C" output shape affine_map<()[n] -> (n)> : memref<?xf32>
  %E = event.create "E" shape affine_map<()[n] -> (n ceildiv 32)> count affine_map<()[n] -> (1)> reuse(banked) : !event.tensor<?>
  task.launch @partial grid(()[n] -> (n ceildiv 32)) reads()
    writes(%B at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x4xf32>)
    waits() notifies(%E at (i) -> (i) : !event.tensor<?>)
  task.launch @final grid(()[n] -> (n ceildiv 32))
    reads(%B at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x4xf32>)
    writes(%C at <(i) -> (i * 32) sizes [32]> : memref<?xf32>)
    waits(%E at (i) -> (i) guards 0 : !event.tensor<?>) notifies()
}

// -----

// Nothing that a step writes is touched by the next.

task.func private @read(index, memref<?xf32>)

// CHECK-LABEL: task.graph @reader
// CHECK-NOT: event.create
task.graph @reader symbols [#task.symbol<"n", 1 to 4>] {
  %A = task.argument "A" input shape affine_map<()[n] -> (n)> : memref<?xf32>
  task.launch @read grid(()[n] -> (1)) reads(%A at <(i) -> (0) sizes [*]> : memref<?xf32>) writes() waits() notifies()
}

// -----

// The output of a step may be the input of the next (RAW), and an input the memory that
// the next step's output overwrites. An input of another element type may not.

task.func private @next(index, memref<?xi64>, memref<?xf32>, memref<?xi64>)
task.func private @look(index, memref<?xf32>)

// CHECK-LABEL: task.graph @feedback
// CHECK: event.create "step" shape #{{.*}} count #[[ONE:.*]] reuse(carried)
// CHECK: task.launch @look
// CHECK-SAME: waits() notifies()
// CHECK: task.launch @next
// CHECK-SAME: waits(%[[S:.*]] at (d0) -> () guards * : !event.tensor<>) notifies(%[[S]] at (d0) -> () : !event.tensor<>)
task.graph @feedback symbols [#task.symbol<"n", 1 to 4>] {
  %ids = task.argument "ids" input shape affine_map<()[n] -> (n)> : memref<?xi64>
  %A = task.argument "A" input shape affine_map<()[n] -> (n)> : memref<?xf32>
  %tokens = task.argument "tokens" output shape affine_map<()[n] -> (n)> : memref<?xi64>
  task.launch @look grid(()[n] -> (1)) reads(%A at <(i) -> (0) sizes [*]> : memref<?xf32>) writes() waits() notifies()
  task.launch @next grid(()[n] -> (1))
    reads(%ids at <(i) -> (0) sizes [*]> : memref<?xi64>, %A at <(i) -> (0) sizes [*]> : memref<?xf32>)
    writes(%tokens at <(i) -> (0) sizes [*]> : memref<?xi64>) waits() notifies()
}

// -----

// A launch that reads and appends to a state comes after itself in the step before (RAW).
// Scratch buffers that share bytes conflict across steps although no step uses both at
// once: x is written anew when y has been written.

task.func private @append(index, memref<8xf32>)
task.func private @write(index, memref<96xf32>)
task.func private @read(index, memref<96xf32>)

// CHECK-LABEL: task.graph @shared
// CHECK: %[[S:.*]] = event.create "step" shape #{{.*}} count #{{.*}} reuse(carried)
// CHECK: task.launch @append
// CHECK-SAME: waits(%[[S]] at {{.*}}) notifies(%[[S]] at
// CHECK: task.launch @write
// CHECK-SAME: waits(%[[S]] at {{.*}}) notifies(%{{[^ ]*}} at (d0) -> () : !event.tensor<>)
// CHECK: task.launch @read
// CHECK-SAME: waits(%{{[^ ]*}} at (d0) -> () guards * : !event.tensor<>) notifies(%{{[^ ]*}} at (d0) -> () : !event.tensor<>)
// CHECK: task.launch @write
// CHECK-SAME: waits(%{{[^ ]*}} at (d0) -> () guards * : !event.tensor<>) notifies(%[[S]] at
task.graph @shared symbols [#task.symbol<"n", 1 to 4>] {
  %x = task.scratch "x" shape affine_map<()[n] -> (96)> at 0 : memref<96xf32>
  %y = task.scratch "y" shape affine_map<()[n] -> (96)> at 256 : memref<96xf32>
  %K = task.argument "K" state shape affine_map<()[n] -> (8)> : memref<8xf32>
  %E = event.create "E" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (1)> reuse(monotonic) : !event.tensor<>
  %F = event.create "F" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (1)> reuse(monotonic) : !event.tensor<>
  task.launch @append grid(()[n] -> (1)) reads() writes(%K at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits() notifies()
  task.launch @write grid(()[n] -> (1)) reads() writes(%x at <(i) -> (0) sizes [*]> : memref<96xf32>)
    waits() notifies(%E at (i) -> () : !event.tensor<>)
  task.launch @read grid(()[n] -> (1)) reads(%x at <(i) -> (0) sizes [*]> : memref<96xf32>) writes()
    waits(%E at (i) -> () guards * : !event.tensor<>) notifies(%F at (i) -> () : !event.tensor<>)
  task.launch @write grid(()[n] -> (1)) reads() writes(%y at <(i) -> (0) sizes [*]> : memref<96xf32>)
    waits(%F at (i) -> () guards * : !event.tensor<>) notifies()
}
