// RUN: etc-opt %s --verify-diagnostics --pass-pipeline="builtin.module(gpu.module(convert-task-to-nvvm))"

gpu.module @device {
  func.func @other_device(%w: !task.worker, %launch: index, %peer: index) {
    %E = task.event %w launch %launch[1 of 2] () : !event.tensor<>
    // expected-error @below {{names another device; the GPU target has one}}
    // expected-error @below {{failed to legalize}}
    event.notify %E[] device(%peer) scope(sys) : !event.tensor<>
    return
  }
}
