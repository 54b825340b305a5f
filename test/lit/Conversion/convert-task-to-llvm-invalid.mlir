// RUN: etc-opt %s --verify-diagnostics --convert-task-to-llvm=target=cpu
// RUN: not etc-opt %s --convert-task-to-llvm=target=tpu 2>&1 | FileCheck %s
// CHECK: convert-task-to-llvm: target 'tpu' is not cpu or nvvm

func.func @other_device(%e: !event.tensor<4>, %i: index) {
  // expected-error @below {{failed to legalize operation 'event.notify'}}
  event.notify %e[%i] device(%i) scope(sys) : !event.tensor<4>
  return
}
