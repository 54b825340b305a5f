// RUN: etc-opt %s --verify-diagnostics --convert-task-to-llvm

func.func @other_device(%e: !event.tensor<4>, %i: index) {
  // expected-error @below {{failed to legalize operation 'event.notify'}}
  event.notify %e[%i] device(%i) scope(sys) : !event.tensor<4>
  return
}
