// RUN: etc-opt %s --schedule-static="workers=2 policy=list" --verify-schedule | FileCheck %s
// RUN: etc-opt %s --schedule-static="workers=2" --print-schedule-stats=check -o /dev/null | FileCheck %s --check-prefix=STATS
// RUN: sed 's/, #task.tagged//' %s | etc-opt --schedule-static="workers=2" --print-schedule-stats=check -o /dev/null | FileCheck %s --check-prefix=LOOSE
// RUN: etc-opt %s --linearize-tasks | FileCheck %s --check-prefix=LINEAR

// Tagged memory orders launches without an event: the schedule takes a reader to wait for all
// tasks of the writer. Without the tag nothing says so, and the readers run beside them.

// CHECK: task.schedule @g bucket [] policy "list" {{.*}} runs [0, 0, 2, 2, 1, 0, 2, 2, 0, 1, 2, 2, 1, 1, 2, 2]
// STATS: 2 launches, 8 tasks, 0 event tensors
// STATS: round-robin: 2 workers, 4 runs, {{.*}} about 1.{{.}} us
// LOOSE: round-robin: 2 workers, 4 runs, {{.*}} about 0.{{.}} us
!x = memref<1x32xbf16, strided<[32, 1], offset: ?>, #task.tagged>
task.func @write(%i: index, %x: !x) { task.return }
task.func @read(%i: index, %x: !x) { task.return }
// LINEAR-LABEL: task.graph @g
// LINEAR: task.launch @write
// LINEAR: task.launch @read
task.graph @g symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (4, 32)> at 0 : memref<4x32xbf16, #task.tagged>
  task.launch @write grid(() -> (4)) reads()
    writes(%x at <(i) -> (i, 0) sizes [1, *]> : memref<4x32xbf16, #task.tagged>) waits() notifies()
  task.launch @read grid(() -> (4)) reads(%x at <(i) -> (i, 0) sizes [1, *]> : memref<4x32xbf16, #task.tagged>)
    writes() waits() notifies()
}
