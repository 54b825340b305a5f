// RUN: etc-opt %s -canonicalize -cse | FileCheck %s

// CHECK-LABEL: func.func @fold_wait_for_zero
func.func @fold_wait_for_zero(%E: !event.tensor<?>, %i: index) -> i1 {
  // CHECK-NOT: event.wait
  // CHECK: %[[TRUE:.*]] = arith.constant true
  // CHECK: return %[[TRUE]]
  %zero = arith.constant 0 : i32
  %ok = event.wait %E[%i] count(%zero) : !event.tensor<?>
  return %ok : i1
}

// CHECK-LABEL: func.func @keep_wait_for_one
func.func @keep_wait_for_one(%E: !event.tensor<?>, %i: index) -> i1 {
  // CHECK: event.wait
  %one = arith.constant 1 : i32
  %ok = event.wait %E[%i] count(%one) : !event.tensor<?>
  return %ok : i1
}

// CHECK-LABEL: func.func @keep_wait_for_unknown
func.func @keep_wait_for_unknown(%E: !event.tensor<?>, %i: index, %count: i32) -> i1 {
  // CHECK: event.wait
  %ok = event.wait %E[%i] count(%count) : !event.tensor<?>
  return %ok : i1
}

// A wait is an acquire: it stays even when nobody asks for its result, and so does a notify.
// CHECK-LABEL: func.func @keep_unused_accesses
func.func @keep_unused_accesses(%E: !event.tensor<?>, %V: !event.tensor<8, data>, %i: index,
                                %count: i32) {
  // CHECK: event.wait
  %ok = event.wait %E[%i] count(%count) : !event.tensor<?>
  // CHECK: event.receive
  %value, %ok2 = event.receive %V[%i] : !event.tensor<8, data>
  // CHECK: event.notify
  event.notify %E[%i] : !event.tensor<?>
  // CHECK: event.clear
  event.clear %E : !event.tensor<?>
  return
}

// Two waits on one entry are two acquires, which CSE may not merge.
// CHECK-LABEL: func.func @keep_both_waits
func.func @keep_both_waits(%E: !event.tensor<?>, %i: index, %count: i32) -> (i1, i1) {
  // CHECK-COUNT-2: event.wait
  %a = event.wait %E[%i] count(%count) : !event.tensor<?>
  %b = event.wait %E[%i] count(%count) : !event.tensor<?>
  return %a, %b : i1, i1
}
