// RUN: etc-opt %s --verify-diagnostics --normalize-events

task.func private @send(index, !event.tensor<data>)

task.graph @a_relay_cannot_pass_a_value symbols [] {
  %E = event.create "e" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2, data>
  %F = event.create "f" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2>
  // expected-error @below {{normalize-events: an edge on a data event tensor cannot go through a relay}}
  task.launch @send grid(() -> (2)) reads() writes() waits()
    notifies(%E at (i) -> (i) : !event.tensor<2, data>, %F at (i) -> (i) : !event.tensor<2>)
}
