// RUN: etc-opt %s --schedule-static="workers=2 policy=list" --verify-schedule --split-input-file | FileCheck %s

task.func @body(%i: index) { task.return }

// Worker 0 has four tasks of its own, so worker 1 takes the free ones.
// CHECK: task.schedule @balance {{.*}} offsets [0, 1, 2] runs [0, 0, 1, 4, 1, 0, 1, 4]
task.graph @balance symbols [] {
  task.launch @body grid(() -> (4)) reads() writes() waits() notifies()
    affinity(affine_map<(i) -> (0)>)
  task.launch @body grid(() -> (4)) reads() writes() waits() notifies()
}

// -----

// The task that others wait for goes first, on worker 0.
// CHECK: task.schedule @critical {{.*}} offsets [0, 3, 4] runs [0, 3, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 2, 2]
task.func @body(%i: index) { task.return }
task.graph @critical symbols [] {
  %E = event.create "E" shape affine_map<() -> (4)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<4>
  task.launch @body grid(() -> (4)) reads() writes() waits()
    notifies(%E at (i) -> (i) : !event.tensor<4>)
  task.launch @body grid(() -> (1)) reads() writes()
    waits(%E at (i) -> (i + 3) guards * : !event.tensor<4>) notifies()
}

// -----

// Of two launches of which one is far longer, worker 0 gets one long task and
// worker 1 all the short ones: 1 MiB against 1 KiB each.
// CHECK: task.schedule @uneven {{.*}} offsets [0, 1, 2] runs [0, 0, 1, 1, 1, 0, 1, 6]
task.func @long(%a: memref<262144xf32>) { task.return }
task.func @short(%i: index, %a: memref<256xf32, strided<[1], offset: ?>>) { task.return }
task.graph @uneven symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (262144)> : memref<262144xf32>
  task.launch @long grid(() -> ()) reads(%A at <() -> (0) sizes [*]> : memref<262144xf32>)
    writes() waits() notifies()
  task.launch @short grid(() -> (6)) reads(%A at <(i) -> (i * 256) sizes [256]> : memref<262144xf32>)
    writes() waits() notifies()
}

// -----

// What is ready first is taken first: task 0 of the last launch waits for worker
// 1's long task, task 1 for a short one.
// CHECK: task.schedule @ready {{.*}} offsets [0, 3, 4] runs [0, 0, 1, 1, 2, 1, 1, 1, 2, 0, 1, 1, 1, 0, 1, 1]
task.func @long(%a: memref<262144xf32>) { task.return }
task.func @body(%i: index) { task.return }
task.func @last(%i: index) { task.return }
task.graph @ready symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (262144)> : memref<262144xf32>
  %E = event.create "E" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2>
  task.launch @body grid(() -> (1)) reads() writes() waits()
    notifies(%E at (i) -> (0) : !event.tensor<2>)
  task.launch @long grid(() -> ()) reads(%A at <() -> (0) sizes [*]> : memref<262144xf32>)
    writes() waits() notifies(%E at () -> (1) : !event.tensor<2>)
  task.launch @last grid(() -> (2)) reads() writes()
    waits(%E at (i) -> (1 - i) guards * : !event.tensor<2>) notifies()
}
