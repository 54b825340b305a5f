// RUN: etc-opt %s --infer-events=barriers=true --verify-events --linearize-tasks | FileCheck %s
// RUN: etc-opt %s --pipeline-events="barriers=true steps=true" | FileCheck %s --check-prefix=PIPELINE

// One event for each launch but the last, whatever they touch: all of its tasks notify it, all
// of the next launch wait for it. A count that follows a symbol is banked.

// CHECK-LABEL: task.graph @chain
// CHECK: %[[A:.*]] = event.create "barrier" shape #{{.*}} count #[[TILES:.*]] reuse(banked) : !event.tensor<>
// CHECK: %[[B:.*]] = event.create "barrier" shape #{{.*}} count #{{.*}} reuse(monotonic) : !event.tensor<>
// CHECK-NOT: event.create
// CHECK: task.launch @rows {{.*}} waits() notifies(%[[A]] at (d0) -> () : !event.tensor<>)
// CHECK: task.launch @other {{.*}} waits(%[[A]] at (d0) -> () guards * : !event.tensor<>) notifies(%[[B]] at (d0) -> () : !event.tensor<>)
// CHECK: task.launch @rows {{.*}} waits(%[[B]] at (d0) -> () guards * : !event.tensor<>) notifies()

// PIPELINE-COUNT-2: event.create "barrier"
// PIPELINE: event.create "step" {{.*}} reuse(carried)

task.func private @rows(index, memref<?x4xf32, strided<[4, 1], offset: ?>>, memref<?x4xf32, strided<[4, 1], offset: ?>>)
task.func private @other(index, memref<4xf32, strided<[1], offset: ?>>)

task.graph @chain symbols [#task.symbol<"n", 1 to 64>] {
  %x = task.argument "x" input shape affine_map<()[n] -> (n, 4)> : memref<?x4xf32>
  %y = task.scratch "y" shape affine_map<()[n] -> (n, 4)> : memref<?x4xf32>
  %s = task.scratch "s" shape affine_map<() -> (16)> : memref<16xf32>
  %z = task.argument "z" output shape affine_map<()[n] -> (n, 4)> : memref<?x4xf32>
  task.launch @rows grid(()[n] -> (n ceildiv 8)) reads(%x at <(i) -> (i * 8, 0) sizes [8, *]> : memref<?x4xf32>)
    writes(%y at <(i) -> (i * 8, 0) sizes [8, *]> : memref<?x4xf32>) waits() notifies()
  task.launch @other grid(() -> (4)) reads() writes(%s at <(i) -> (i * 4) sizes [4]> : memref<16xf32>) waits() notifies()
  task.launch @rows grid(()[n] -> (n ceildiv 8)) reads(%y at <(i) -> (i * 8, 0) sizes [8, *]> : memref<?x4xf32>)
    writes(%z at <(i) -> (i * 8, 0) sizes [8, *]> : memref<?x4xf32>) waits() notifies()
}
