// RUN: etc-opt %s --split-input-file --verify-diagnostics

func.func @t14_position(%w: !task.worker, %l: index) {
  // expected-error @below {{T14: word 3 of a launch row of 3 words is no operand}}
  %b = task.operand %w launch %l[3 of 3] () : memref<4xf32>
  return
}

// -----

func.func @t14_kind_is_no_event(%w: !task.worker, %l: index) {
  // expected-error @below {{T14: word 0 of a launch row of 3 words is no operand}}
  %e = task.event %w launch %l[0 of 3] () : !event.tensor<4>
  return
}

// -----

func.func @t14_sizes(%w: !task.worker, %l: index) {
  // expected-error @below {{T14: expects 1 dynamic sizes for 'memref<?xf32>', got 0}}
  %b = task.operand %w launch %l[1 of 3] () : memref<?xf32>
  return
}

// -----

// expected-error @below {{T15: expects 1 launch rows of 2 words, got 1 words}}
task.program @t15_launches worker @w attributes {symbols = [], buffers = [],
  launch_names = ["l"], launch_width = 2 : i64, launches = array<i32: 0>,
  event_names = [], events = array<i32>, counter_words = 0 : i64, scratch_bytes = 0 : i64} {}

// -----

// expected-error @below {{T15: expects 1 event rows of four words, got 3 words}}
task.program @t15_events worker @w attributes {symbols = [], buffers = [],
  launch_names = [], launch_width = 1 : i64, launches = array<i32>,
  event_names = ["e"], events = array<i32: 0, 0, 1>, counter_words = 0 : i64,
  scratch_bytes = 0 : i64} {}

// -----

task.program @t15_bucket worker @w attributes {symbols = [], buffers = [],
  launch_names = ["l"], launch_width = 1 : i64, launches = array<i32: 0>,
  event_names = [], events = array<i32>, counter_words = 0 : i64, scratch_bytes = 0 : i64} {
  // expected-error @below {{T15: a program holds task.schedules of 0 bounds}}
  task.schedule @g bucket [1] policy "list" offsets [0, 1] runs [0, 0, 1, 1]
}

// -----

task.program @t15_launch worker @w attributes {symbols = [], buffers = [],
  launch_names = ["l"], launch_width = 1 : i64, launches = array<i32: 0>,
  event_names = [], events = array<i32>, counter_words = 0 : i64, scratch_bytes = 0 : i64} {
  // expected-error @below {{T15: run 0 is of launch 1, the program has 1}}
  task.schedule @g bucket [] policy "list" offsets [0, 1] runs [1, 0, 1, 1]
}
