// RUN: etc-opt %s --split-input-file --verify-diagnostics --verify-persistent

// expected-error @below {{remains after lower-to-persistent}}
task.graph @remains symbols [] {}

// -----

func.func @f(%e: !event.tensor<1>, %i: index, %c: i32) {
  // expected-error @below {{its result is not used: a task whose wait failed must not run}}
  %ok = event.wait %e[%i] count(%c) : !event.tensor<1>
  return
}

// -----

// expected-error @below {{has no worker, loader or consumer function}}
task.program @p worker @p_worker attributes {symbols = [], buffers = [],
  launch_names = [], launch_width = 1 : i64, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0 : i64, scratch_bytes = 0 : i64} {}

// -----

func.func @p_worker(%w: !task.worker, %r: index) {
  // expected-error @below {{reads a launch row of 3 words, the rows of @p have 2}}
  %l, %k, %f, %s, %c = task.run %w[%r] width 3
  return
}
task.program @p worker @p_worker attributes {symbols = [], buffers = [],
  launch_names = ["l"], launch_width = 2 : i64, launches = array<i32: 0, 0>,
  event_names = [], events = array<i32>, counter_words = 0 : i64, scratch_bytes = 0 : i64} {}

// -----

func.func @p_worker(%w: !task.worker, %l: index) {
  // expected-error @below {{stands outside of the dispatch on the kind of a run}}
  %b = task.operand %w launch %l[1 of 2] () : memref<4xf32>
  return
}
task.program @p worker @p_worker attributes {symbols = [], buffers = [],
  launch_names = ["l"], launch_width = 2 : i64, launches = array<i32: 0, 0>,
  event_names = [], events = array<i32>, counter_words = 0 : i64, scratch_bytes = 0 : i64} {}

// -----

func.func @p_worker(%w: !task.worker, %r: index) {
  %l, %k, %f, %s, %c = task.run %w[%r] width 2
  scf.index_switch %k
  case 0 {
    // expected-error @below {{reads event row 7 from launch 0 ("l"), there are 1}}
    %e = task.event %w launch %l[1 of 2] () : !event.tensor<1>
    scf.yield
  }
  default {}
  return
}
task.program @p worker @p_worker attributes {symbols = [], buffers = [],
  launch_names = ["l"], launch_width = 2 : i64, launches = array<i32: 0, 7>,
  event_names = ["e"], events = array<i32: 0, 0, 1, 1>, counter_words = 1 : i64, scratch_bytes = 0 : i64} {}

// -----

func.func @p_worker(%w: !task.worker, %r: index) {
  %l, %k, %f, %s, %c = task.run %w[%r] width 2
  scf.index_switch %k
  case 0 {
    // expected-error @below {{reads a launch row of 3 words, the rows of @p have 2}}
    %e = task.operand %w launch %l[1 of 3] () : memref<1xf32>
    scf.yield
  }
  default {}
  return
}
task.program @p worker @p_worker attributes {symbols = [], buffers = [],
  launch_names = ["l"], launch_width = 2 : i64, launches = array<i32: 0, 7>,
  event_names = [], events = array<i32>, counter_words = 1 : i64, scratch_bytes = 0 : i64} {}
