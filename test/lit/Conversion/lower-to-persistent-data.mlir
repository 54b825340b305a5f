// RUN: etc-opt %s --lower-to-persistent --verify-persistent | FileCheck %s

// An edge on a data tensor is the body's own: the worker hands it the tensor and the indices of its
// entry, waits for nothing and notifies nothing. A body that receives says whether all values came.

// CHECK-LABEL: func.func private @send.pair.0
// CHECK-SAME: (%[[I:.*]]: index, %[[E:.*]]: !event.tensor<4x2, data>, %[[R:.*]]: index, %[[C:.*]]: index)
// CHECK: event.publish %{{.*}}, %[[E]][%[[R]], %[[C]]] : !event.tensor<4x2, data>

// CHECK-LABEL: func.func private @forward.pair.1
// CHECK-SAME: -> i1
// CHECK: %[[X:.*]], %[[OK:.*]] = event.receive %{{.*}}[%{{.*}}, %{{.*}}]
// CHECK: event.publish %[[X]], %{{.*}}[]
// CHECK: return %[[OK]] : i1

// CHECK-LABEL: func.func @pair_worker
// CHECK: case 0
// CHECK: %[[EVENT:.*]] = task.event %{{.*}} launch %{{.*}}[1 of 4] () : !event.tensor<4x2, data>
// CHECK-NOT: event.notify
// CHECK: call @send.pair.0(%[[TASK:.*]], %[[EVENT]], %[[TASK]], %{{.*}})
// CHECK: case 1
// CHECK-NOT: event.wait
// CHECK: %[[CAME:.*]] = func.call @forward.pair.1
// CHECK: scf.if %[[CAME]] {
// CHECK-NEXT: event.notify
// CHECK-NEXT: task.mark {{.*}} finished
// CHECK: scf.yield %{{.*}}, %[[CAME]], %{{.*}} : i32, i1, i1

task.func @send(%i: index, %e: !event.tensor<data>) {
  %x = arith.constant 7 : i32
  event.publish %x, %e[] : !event.tensor<data>
  task.return
}
task.func @forward(%e: !event.tensor<data>, %f: !event.tensor<data>) {
  %x, %ok = event.receive %e[] : !event.tensor<data>
  scf.if %ok {
    event.publish %x, %f[] : !event.tensor<data>
  }
  task.return
}
task.graph @pair symbols [] {
  %E = event.create "e" shape affine_map<() -> (4, 2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<4x2, data>
  %F = event.create "f" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %G = event.create "g" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<>
  task.launch @send grid(() -> (4)) reads() writes()
    waits() notifies(%E at (i) -> (i, 1) : !event.tensor<4x2, data>)
  task.launch @forward grid(() -> ()) reads() writes()
    waits(%E at () -> (3, 1) guards * : !event.tensor<4x2, data>)
    notifies(%F at () -> () : !event.tensor<data>, %G at () -> () : !event.tensor<>)
}
task.schedule @pair bucket [] policy "by hand" offsets [0, 1, 2] runs [0, 0, 1, 4, 1, 0, 1, 1]
