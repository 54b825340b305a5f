// RUN: etc-opt %s --lower-to-persistent --canonicalize --cse --verify-persistent | FileCheck %s
// RUN: etc-opt %s --lower-to-persistent=trace=false | FileCheck %s --check-prefix=QUIET
// RUN: etc-opt %s --lower-to-persistent="trace=false marks=false" | FileCheck %s --check-prefix=MUTE
// RUN: etc-opt %s --lower-to-persistent=marks=false --canonicalize --cse | FileCheck %s

// MUTE-NOT: task.mark
// MUTE: task.program
// MUTE-NOT: task.mark
// QUIET-NOT: task.mark {{.*}}traced
// QUIET-NOT: task.mark {{.*}}finished
// QUIET: task.mark %{{.*}} launch %{{.*}} task %{{[^ ]*$}}
// QUIET-NOT: task.mark {{.*}}finished
// QUIET: task.program
// QUIET-NOT: traced

// CHECK-DAG: #[[$BLOCKS:.*]] = affine_map<()[s0] -> (s0 ceildiv 32)>
// CHECK-DAG: #[[$CLIP:.*]] = affine_map<(d0)[s0] -> (d0 * -32 + s0, 32)>

// CHECK-LABEL: func.func private @partial(
// CHECK-NOT: task.ready
// CHECK: return
task.func @partial(%i: index, %j: index,
                   %a: memref<?x32xf32, strided<[128, 1], offset: ?>>,
                   %b: memref<?x1xf32, strided<[4, 1], offset: ?>>) {
  task.return
}
task.func @final(%i: index, %b: memref<?x4xf32, strided<[4, 1], offset: ?>>,
                 %c: memref<?xf32, strided<[1], offset: ?>>) {
  task.ready
  task.return
}

task.graph @split_sum symbols [#task.symbol<"n", 1 to 4096>] {
  %A = task.argument "A" input shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %C = task.argument "C" output shape affine_map<()[n] -> (n)> : memref<?xf32>
  %B = task.scratch "B" shape affine_map<()[n] -> (n, 4)> at 256 : memref<?x4xf32>
  %E = event.create "partial" shape affine_map<()[n] -> (n ceildiv 32)>
    count affine_map<()[n] -> (4)> reuse(banked) : !event.tensor<?>
  task.launch @partial grid(()[n] -> (n ceildiv 32, 4))
    reads(%A at <(i, j) -> (i * 32, j * 32) sizes [32, 32]> : memref<?x128xf32>)
    writes(%B at <(i, j) -> (i * 32, j) sizes [32, 1]> : memref<?x4xf32>)
    waits() notifies(%E at (i, j) -> (i) : !event.tensor<?>)
  task.launch @final grid(()[n] -> (n ceildiv 32))
    reads(%B at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x4xf32>)
    writes(%C at <(i) -> (i * 32) sizes [32]> : memref<?xf32>)
    waits(%E at (i) -> (i) guards 0 : !event.tensor<?>) notifies()
}
task.schedule @split_sum bucket [128] policy "round-robin" offsets [0, 2] runs [0, 0, 1, 16, 1, 0, 1, 4]
task.schedule @split_sum bucket [64] policy "round-robin" offsets [0, 2] runs [0, 0, 1, 8, 1, 0, 1, 2]

// CHECK-LABEL: func.func @split_sum_worker(%{{.*}}: !task.worker)
// CHECK: %[[N:.*]] = task.symbol_value %{{.*}}[0]
// CHECK: task.clear_banks %{{.*}} words 128
// CHECK: %[[LAUNCH:.*]], %[[KIND:.*]], %{{.*}}, %{{.*}}, %{{.*}} = task.run %{{.*}} width 4
// CHECK: scf.index_switch %[[KIND]] -> i1
// CHECK: case 0
// CHECK: %[[J:.*]] = arith.remui %[[TASK:.*]], %
// CHECK: %[[I:.*]] = arith.divui %[[TASK]], %
// CHECK: %[[LIMIT:.*]] = affine.apply #[[$BLOCKS]]()[%[[N]]]
// CHECK: %[[INSIDE:.*]] = arith.cmpi slt, %[[I]], %[[LIMIT]]
// CHECK: scf.if %[[INSIDE]]
// CHECK: %[[A:.*]] = task.operand %{{.*}} launch %[[LAUNCH]][1 of 4] (%[[N]]) : memref<?x128xf32>
// CHECK: %[[ROWS:.*]] = affine.min #[[$CLIP]](%[[I]])[%[[N]]]
// CHECK: memref.subview %[[A]][%{{.*}}, %{{.*}}] [%[[ROWS]], 32] [1, 1]
// CHECK: %[[E:.*]] = task.event %{{.*}} launch %[[LAUNCH]][3 of 4] (%[[LIMIT]])
// CHECK: task.mark %{{.*}} launch %[[LAUNCH]] task %[[TASK]] traced{{$}}
// CHECK: call @partial(%[[I]], %[[J]]
// CHECK-NEXT: event.notify %[[E]][%[[I]]]
// CHECK: task.mark %{{.*}} launch %[[LAUNCH]] task %[[TASK]] finished
// CHECK: case 1
// CHECK: %[[OK:.*]] = event.wait %{{.*}}[%{{.*}}] count(%c4_i32) guards(
// CHECK: scf.if %[[OK]] {
// CHECK-NEXT: call @final
// CHECK: default {
// CHECK-NEXT: scf.yield %false

// CHECK: task.program @split_sum worker @split_sum_worker
// CHECK-SAME: counter_words = 256 : i64
// CHECK-SAME: events = array<i32: 0, 128, 0, 128>
// CHECK-SAME: launches = array<i32: 0, 0, 2, 0, 1, 2, 1, 0>
// CHECK-SAME: scratch_bytes = 65792 : i64
// CHECK-NEXT: task.schedule @split_sum bucket [64]
// CHECK-NEXT: task.schedule @split_sum bucket [128]
