// RUN: etc-opt %s --pass-pipeline='builtin.module(task.graph(order-steps))' --split-input-file --verify-diagnostics
// RUN: not etc-opt %s --pass-pipeline='builtin.module(task.graph(verify-events))' --split-input-file 2>&1 | FileCheck %s

// The order of steps is derived once. What it must hold, verify-events asks (E6, E12).

task.func private @write(index, memref<8xf32>)

task.graph @twice symbols [#task.symbol<"n", 1 to 4>] {
  %K = task.argument "K" state shape affine_map<()[n] -> (8)> : memref<8xf32>
  %S = event.create "step" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (1)> reuse(carried) : !event.tensor<>
  // expected-error@+1 {{order-steps: the launch waits for the step before already}}
  task.launch @write grid(()[n] -> (1)) reads() writes(%K at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
}

// -----

task.func private @write(index, memref<8xf32>)

// CHECK: error: E6: entry 0 of event tensor 'step' has count 2 but is notified 1 times in a step
task.graph @count symbols [#task.symbol<"n", 1 to 4>] {
  %K = task.argument "K" state shape affine_map<()[n] -> (8)> : memref<8xf32>
  %S = event.create "step" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (2)> reuse(carried) : !event.tensor<>
  // expected-error@+1 {{order-steps: the launch waits for the step before already}}
  task.launch @write grid(()[n] -> (1)) reads() writes(%K at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
}

// -----

task.func private @write(index, memref<8xf32>)
task.func private @read(index, memref<8xf32>)

// The writer waits for the step before, but the reader that it must wait for does not
// notify (WAR).
// CHECK: error: E12: in the next step, launch 0 (@write) task 0 (0) writes what launch 1 (@read) task 0 (0) reads in this one, and the carried event does not order them
task.graph @war symbols [#task.symbol<"n", 1 to 4>] {
  %x = task.scratch "x" shape affine_map<()[n] -> (8)> : memref<8xf32>
  %S = event.create "step" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (1)> reuse(carried) : !event.tensor<>
  %E = event.create "E" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (1)> reuse(monotonic) : !event.tensor<>
  // expected-error@+1 {{order-steps: the launch waits for the step before already}}
  task.launch @write grid(()[n] -> (1)) reads() writes(%x at <(i) -> (0) sizes [*]> : memref<8xf32>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%E at (i) -> () : !event.tensor<>, %S at (i) -> () : !event.tensor<>)
  task.launch @read grid(()[n] -> (1)) reads(%x at <(i) -> (0) sizes [*]> : memref<8xf32>) writes()
    waits(%E at (i) -> () guards * : !event.tensor<>) notifies()
}

// -----

task.func private @choose(index, memref<8xi64>)
task.func private @embed(index, memref<8xi64>)

// Any input may be what a step gave, not the first alone, and any part of it.
// CHECK: error: E12: in the next step, launch 1 (@embed) task 0 (0) reads what launch 2 (@choose) task 0 (0) writes in this one
task.graph @second_input symbols [#task.symbol<"n", 1 to 4>] {
  %pos = task.argument "pos" input shape affine_map<()[n] -> (8)> : memref<8xi64>
  %ids = task.argument "ids" input shape affine_map<()[n] -> (8)> : memref<8xi64>
  %tokens = task.argument "tokens" output shape affine_map<()[n] -> (8)> : memref<8xi64>
  %S = event.create "step" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (3)> reuse(carried) : !event.tensor<>
  // expected-error@+1 {{order-steps: the launch waits for the step before already}}
  task.launch @embed grid(()[n] -> (1)) reads(%pos at <(i) -> (0) sizes [*]> : memref<8xi64>) writes()
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
  task.launch @embed grid(()[n] -> (1)) reads(%ids at <(i) -> (0) sizes [*]> : memref<8xi64>) writes()
    waits() notifies(%S at (i) -> () : !event.tensor<>)
  task.launch @choose grid(()[n] -> (1)) reads() writes(%tokens at <(i) -> (0) sizes [*]> : memref<8xi64>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
}

// -----

task.func private @choose(index, memref<8xi64>)
task.func private @embed(index, memref<8xi64>)

// What a step gives is read by the next before it is there (RAW), where the caller
// passes it on.
// CHECK: error: E12: in the next step, launch 0 (@embed) task 0 (0) reads what launch 1 (@choose) task 0 (0) writes in this one
task.graph @raw symbols [#task.symbol<"n", 1 to 4>] {
  %ids = task.argument "ids" input shape affine_map<()[n] -> (8)> : memref<8xi64>
  %tokens = task.argument "tokens" output shape affine_map<()[n] -> (8)> : memref<8xi64>
  %S = event.create "step" shape affine_map<()[n] -> ()> count affine_map<()[n] -> (2)> reuse(carried) : !event.tensor<>
  task.launch @embed grid(()[n] -> (1)) reads(%ids at <(i) -> (0) sizes [*]> : memref<8xi64>) writes()
    waits() notifies(%S at (i) -> () : !event.tensor<>)
  // expected-error@+1 {{order-steps: the launch waits for the step before already}}
  task.launch @choose grid(()[n] -> (1)) reads() writes(%tokens at <(i) -> (0) sizes [*]> : memref<8xi64>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
}
