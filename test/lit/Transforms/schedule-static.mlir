// RUN: etc-opt %s --schedule-static="workers=3 buckets=64,33" --verify-schedule | FileCheck %s
// RUN: etc-opt %s --schedule-static="workers=200" --verify-schedule | FileCheck %s --check-prefix=DEFAULT
// RUN: etc-opt %s --schedule-static="workers=200" --schedule-static="workers=1 buckets=1" | FileCheck %s --check-prefix=AGAIN
// RUN: etc-opt %s --schedule-static="target=%S/../../../python/etc_mlir/targets/h200.json buckets=64" | FileCheck %s --check-prefix=TARGET

task.func @partial(%i: index, %j: index) { task.return }
task.func @final(%i: index) { task.return }

task.graph @split_sum symbols [#task.symbol<"n", 1 to 100>] {
  %E = event.create "partial" shape affine_map<()[n] -> (n ceildiv 32)>
    count affine_map<()[n] -> (4)> reuse(banked) : !event.tensor<?>
  task.launch @partial grid(()[n] -> (n ceildiv 32, 4)) reads() writes()
    waits() notifies(%E at (i, j) -> (i) : !event.tensor<?>)
  task.launch @final grid(()[n] -> (n ceildiv 32)) reads() writes()
    waits(%E at (i) -> (i) guards * : !event.tensor<?>) notifies()
}

// Eight tasks and two: dealt on from where the launch before ended.
// CHECK: task.schedule @split_sum bucket [33] policy "round-robin"
// CHECK-SAME: offsets [0, 2, 3, 5]
// CHECK-SAME: runs [0, 0, 3, 3, 1, 1, 1, 1, 0, 1, 3, 3, 0, 2, 3, 2, 1, 0, 1, 1]
// CHECK-NEXT: task.schedule @split_sum bucket [64]

// DEFAULT-COUNT-8: task.schedule
// DEFAULT-NOT: task.schedule
// AGAIN: task.schedule @split_sum bucket [1] policy "round-robin" offsets [0, 2] runs [0, 0, 1, 4, 1, 0, 1, 1]
// AGAIN-NOT: task.schedule
// TARGET: offsets [0, 1, 2, {{.*}}, 10, 10, 10

