// RUN: etc-opt %s --lower-to-persistent --canonicalize --split-input-file --verify-diagnostics | FileCheck %s
// RUN: etc-opt %s --lower-to-persistent=roles=loader,consumer --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=ROLES

// A launch of the kernel runs steps until none is left: the worker notifies when it has
// ended one, waits for all before it begins the next, and clears banks after that. A
// loader goes on.

task.func @write(%i: index, %K: memref<8xf32>) {
  task.ready
  task.return
}

// CHECK-LABEL: func.func @steps_worker
// CHECK: scf.while (%[[W:.*]] = %{{.*}}, %{{.*}} = %true) : (!task.worker, i1) -> !task.worker
// CHECK: ^bb0(%[[STEP:.*]]: !task.worker):
// CHECK-NOT: task.enter_step
// CHECK: task.runs %[[STEP]]
// CHECK: %[[OK:.*]]:2 = scf.while
// CHECK: %[[LEFT:.*]] = task.steps_left %[[STEP]]
// CHECK: %[[MORE:.*]] = arith.cmpi sgt, %[[LEFT]], %c1
// CHECK: %[[E:.*]] = task.join %[[STEP]] row 0 : !event.tensor<>
// CHECK: scf.if %[[OK]]#1
// CHECK: event.notify %[[E]][]
// CHECK: scf.if %[[MORE]]
// CHECK: event.wait %[[E]][] count(%c1_i32)
// CHECK: %[[NEXT:.*]] = task.next_step %[[STEP]]
// CHECK: scf.if
// CHECK: task.enter_step %[[NEXT]]
// CHECK: task.program @steps
// CHECK-SAME: event_names = ["step"], events = array<i32: 0, 0, 1, 1>
// CHECK-SAME: many_steps

// ROLES-LABEL: func.func @steps_loader
// ROLES-NOT: task.enter_step
// ROLES-NOT: event.
// ROLES: task.next_step
// ROLES-NOT: task.enter_step
// ROLES-NOT: task.loader_step
// ROLES-LABEL: func.func @steps_consumer
// ROLES: task.enter_step
// ROLES-NOT: behind_loader
// ROLES: task.program
task.graph @steps symbols [] {
  %K = task.argument "K" state shape affine_map<() -> (8)> : memref<8xf32>
  task.join_steps "step" workers 1
  task.launch @write grid(() -> (1)) reads() writes(%K at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits() notifies()
}
task.schedule @steps bucket [] policy "by-hand" offsets [0, 1] runs [0, 0, 1, 1]

// -----

// Keys and values that a loader streams are of the steps before: it waits until its
// worker has entered this one, before it looks for any of their addresses. The worker does
// not enter the next before the loader has left this one.
// ROLES-LABEL: func.func @parts_loader
// ROLES: task.run %
// ROLES: case 0
// ROLES-NEXT: %[[ENTERED:.*]] = task.await_step
// ROLES-NEXT: scf.if %[[ENTERED]]
// ROLES: task.operand
// ROLES: %[[NEXT:.*]] = task.next_step
// ROLES: task.loader_step %[[NEXT]]
// ROLES-LABEL: func.func @parts_consumer
// ROLES-NOT: task.await_step
// ROLES: task.enter_step %{{.*}} behind_loader
!qkv = memref<1x256xbf16>
!table = memref<1x64xbf16>
!pos = memref<1xi64>
!blocks = memref<1x4xi64>
!cache = memref<4x1x2x8x64xbf16>
!partial = memref<1x2x1x66xf32>
// On a host nothing runs early, and attention reads the cache.
// CHECK-LABEL: func.func private @attend(
// CHECK-NOT: stream
task.func @attend(%qkv: !qkv, %cos: !table, %pos: !pos, %blocks: !blocks, %cache: !cache, %partial: !partial) {
  %0 = arith.constant 0 : index
  %s = task.stream_part %pos, %pos, %blocks, %cache at(%0, %0, %0) of 1 : !pos, !pos, !blocks, !cache -> !task.stream<!cache>
  task.ready
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : !qkv, !table, !table, !pos, !pos, !blocks)
    at(%0, %0, %0) of 1 stream(%s : !task.stream<!cache>) outs(%cache, %partial : !cache, !partial) scale 0.125
  task.return
}
// CHECK-LABEL: func.func @parts_worker
task.graph @parts symbols [] {
  %qkv = task.argument "qkv" input shape affine_map<() -> (1, 256)> : !qkv
  %cos = task.argument "cos" input shape affine_map<() -> (1, 64)> : !table
  %pos = task.argument "pos" input shape affine_map<() -> (1)> : !pos
  %blocks = task.argument "blocks" input shape affine_map<() -> (1, 4)> : !blocks
  %cache = task.argument "cache" state shape affine_map<() -> (4, 1, 2, 8, 64)> : !cache
  %partial = task.argument "partial" output shape affine_map<() -> (1, 2, 1, 66)> : !partial
  task.join_steps "step" workers 1
  task.launch @attend grid(() -> ())
    reads(%qkv at <() -> (0, 0) sizes [*, *]> : !qkv, %cos at <() -> (0, 0) sizes [*, *]> : !table, %pos at <() -> (0) sizes [*]> : !pos, %blocks at <() -> (0, 0) sizes [*, *]> : !blocks)
    writes(%cache at <() -> (0, 0, 0, 0, 0) sizes [*, *, *, *, *]> : !cache, %partial at <() -> (0, 0, 0, 0) sizes [*, *, *, *]> : !partial) waits() notifies()
}
task.schedule @parts bucket [] policy "by-hand" offsets [0, 1] runs [0, 0, 1, 1]

// -----

task.func @write(%i: index, %K: memref<8xf32>) {
  task.return
}
task.graph @carried symbols [] {
  %K = task.argument "K" state shape affine_map<() -> (8)> : memref<8xf32>
  %S = event.create "step" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(carried) : !event.tensor<>
  // expected-error@+1 {{waits for another step, or is waited for by one; run join-steps before lower-to-persistent}}
  task.launch @write grid(() -> (1)) reads() writes(%K at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
}
task.schedule @carried bucket [] policy "by-hand" offsets [0, 1] runs [0, 0, 1, 1]
