// RUN: etc-opt %s --schedule-static="workers=3 buckets=4" --verify-schedule | FileCheck %s
// RUN: etc-opt %s --schedule-static="workers=3 buckets=4 policy=list" --verify-schedule | FileCheck %s
// RUN: etc-opt %s --schedule-static="workers=3 buckets=2x1,1x2" --verify-schedule | FileCheck %s --check-prefix=PAIRS
// RUN: etc-opt %s --schedule-static="workers=3" | FileCheck %s --check-prefix=DEFAULT

// An affinity counts modulo the workers and holds for every policy.

task.func @body(%i: index) { task.return }

task.graph @pinned symbols [#task.symbol<"t", 1 to 6>, #task.symbol<"r", 1 to 2>] {
  task.launch @body grid(()[t, r] -> (t)) reads() writes() waits() notifies()
    affinity(affine_map<(i) -> (i + 4)>)
}

// A bound for all symbols is clipped: r goes to 2.
// CHECK: task.schedule @pinned bucket [4, 2]
// CHECK-SAME: offsets [0, 1, 2, 3] runs [0, 2, 1, 1, 0, 0, 3, 2, 0, 1, 1, 1]

// PAIRS: task.schedule @pinned bucket [1, 2]
// PAIRS-NEXT: task.schedule @pinned bucket [2, 1]

// DEFAULT: bucket [1, 1]
// DEFAULT-NEXT: bucket [2, 2]
// DEFAULT-NEXT: bucket [4, 2]
// DEFAULT-NEXT: bucket [6, 2]
// DEFAULT-NOT: bucket
