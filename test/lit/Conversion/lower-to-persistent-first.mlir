// RUN: etc-opt %s --lower-to-persistent=roles=loader,consumer --verify-persistent | FileCheck %s

// Whether a task is the first of its run is the last parameter of a body that asks, and of
// the consumers only. A run's loop carries it; a task outside of the step's grid is skipped
// and leaves it as it was.

// CHECK-LABEL: func.func private @keep.consumer
// CHECK-SAME: %[[FIRST:[a-z0-9]*]]: i1)
// CHECK-NOT: task.first_task
// CHECK: task.linear {{.*}} first(%[[FIRST]])

// CHECK-LABEL: func.func @g_loader
// CHECK: call @keep.loader({{.*}}#task.tagged>) -> ()

// CHECK-LABEL: func.func @g_consumer
// CHECK: case 0
// CHECK: %[[TRUE:.*]] = arith.constant true
// CHECK: scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %[[TRUE]], %{{.*}} = %[[TRUE]]) : (i32, i1, i1)
// CHECK: ^bb0(%{{.*}}: i32, %{{.*}}: i1, %[[F:.*]]: i1):
// CHECK: %[[INSIDE:.*]] = arith.cmpi slt
// CHECK: scf.if %[[INSIDE]]
// CHECK: call @keep.consumer({{.*}}, %[[F]])
// CHECK: %[[SKIPPED:.*]] = arith.xori %[[INSIDE]]
// CHECK: %[[NEXT:.*]] = arith.andi %[[F]], %[[SKIPPED]]
// CHECK: scf.yield %{{.*}}, %{{.*}}, %[[NEXT]] : i32, i1, i1

// Words of 32 bits and their epochs: 16 * 16 elements of two bytes, twice.
// CHECK: task.program @g
// CHECK-SAME: scratch_bytes = 1024
!x = memref<?x32xbf16>
!w = memref<16x32xbf16, strided<[32, 1], offset: ?>>
!y = memref<?x16xbf16, #task.tagged>
task.func @keep(%i: index, %x: !x, %w: !w, %y: memref<?x16xbf16, strided<[16, 1], offset: ?>, #task.tagged>) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  %first = task.first_task
  task.linear ins(%x, %s : !x, !task.stream<!w>) first(%first) outs(%y : memref<?x16xbf16, strided<[16, 1], offset: ?>, #task.tagged>)
  task.return
}
task.graph @g symbols [#task.symbol<"T", 1 to 16>] {
  %x = task.argument "x" input shape affine_map<()[T] -> (T, 32)> : memref<?x32xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (16, 32)> layout(mma_fragments) : memref<16x32xbf16>
  %y = task.scratch "y" shape affine_map<()[T] -> (T, 16)> at 0 : memref<?x16xbf16, #task.tagged>
  task.launch @keep grid(()[T] -> (T ceildiv 16)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<?x32xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<16x32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<?x16xbf16, #task.tagged>) waits() notifies()
}
task.schedule @g bucket [16] policy "by hand" offsets [0, 1] runs [0, 0, 1, 1]
