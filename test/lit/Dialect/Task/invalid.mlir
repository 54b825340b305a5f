// RUN: etc-opt %s -split-input-file -verify-diagnostics

// The buffers, the body and the schedule of a graph: one case per constraint, named after it.
// Launches: invalid-launch.mlir. T11 is verify-schedule's to check.

// expected-error @below {{symbol 'n' occurs twice}}
task.graph @graph_symbols_are_unique symbols [#task.symbol<"n", 1 to 8>, #task.symbol<"n", 1 to 4>] {
}

// -----

// expected-error @below {{symbol 'n' needs a range of positive extents, got 0 to 8}}
task.graph @symbol_is_positive symbols [#task.symbol<"n", 0 to 8>] {
}

// -----

// expected-error @below {{symbol 'n' goes up to 2147483648; an extent has 31 bits}}
task.graph @symbol_has_31_bits symbols [#task.symbol<"n", 1 to 2147483648>] {
}

// -----

task.graph @argument_t1_identity_layout symbols [] {
  // expected-error @below {{T1: a buffer has the identity layout}}
  %A = task.argument "A" input shape affine_map<() -> (4, 4)> : memref<4x4xf32, strided<[8, 1]>>
}

// -----

task.graph @argument_t1_one_extent_per_dimension symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{T1: expects a shape map of at most 1 symbols with 2 results}}
  %A = task.argument "A" input shape affine_map<()[n] -> (n)> : memref<?x4xf32>
}

// -----

task.graph @scratch_t1_symbols_of_the_graph symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{T1: expects a shape map of at most 1 symbols with 1 results}}
  %A = task.scratch "A" shape affine_map<()[n, m] -> (m)> : memref<?xf32>
}

// -----

task.graph @argument_t1_static_extent symbols [] {
  // expected-error @below {{T1: the shape map does not match 'memref<5xf32>'}}
  %A = task.argument "A" input shape affine_map<() -> (4)> : memref<5xf32>
}

// -----

task.graph @argument_t2_unique_names symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (4)> : memref<4xf32>
  // expected-error @below {{T2: a buffer named 'A' exists}}
  %B = task.scratch "A" shape affine_map<() -> (4)> : memref<4xf32>
}

// -----

task.graph @argument_t2_is_not_scratch symbols [] {
  // expected-error @below {{T2: an argument is not scratch; use task.scratch}}
  %A = task.argument "A" scratch shape affine_map<() -> (4)> : memref<4xf32>
}

// -----

task.graph @argument_t2_layout_of_a_weight symbols [] {
  // expected-error @below {{T2: only a weight has a layout of its own}}
  %A = task.argument "A" input shape affine_map<() -> (16, 16)> layout(mma_fragments)
    : memref<16x16xbf16>
}

// -----

task.graph @scratch_t3_offset symbols [] {
  // expected-error @below {{T3: expects an offset that is a multiple of 256, got 128}}
  %A = task.scratch "A" shape affine_map<() -> (4)> at 128 : memref<4xf32>
}

// -----

// expected-error @below {{T8: the body of a task has no results}}
"task.func"() ({
^bb0:
  task.return
}) {sym_name = "func_t8_no_results", function_type = () -> i32} : () -> ()

// -----

// expected-error @below {{T8: at most one task.ready, in the entry block}}
task.func @func_t8_one_ready() {
  task.ready
  task.ready
  task.return
}

// -----

// expected-error @below {{T8: at most one task.ready, in the entry block}}
task.func @func_t8_ready_in_the_entry_block(%i: index) {
  scf.for %j = %i to %i step %i {
    task.ready
  }
  task.return
}

// -----

task.func @func_t8_no_access_before_ready(%i: index, %x: memref<4xf32>) {
  // expected-error @below {{T8: may not run before task.ready}}
  %0 = memref.load %x[%i] : memref<4xf32>
  task.ready
  task.return
}

// -----

task.func @stream_t9_type(%w: memref<4xf32>) {
  // expected-error @below {{T9: streams 'memref<4xf32>' as '!task.stream<memref<8xf32>>'}}
  %s = task.stream %w : memref<4xf32> -> !task.stream<memref<8xf32>>
  task.return
}

// -----

task.func @stream_t9_one_consumer(%x: memref<1x4xf32>, %w: memref<8x4xf32>, %y: memref<1x8xf32>) {
  // expected-error @below {{T9: a stream has one consumer}}
  %s = task.stream %w : memref<8x4xf32> -> !task.stream<memref<8x4xf32>>
  task.linear ins(%x, %s : memref<1x4xf32>, !task.stream<memref<8x4xf32>>)
    outs(%y : memref<1x8xf32>)
  task.linear ins(%x, %s : memref<1x4xf32>, !task.stream<memref<8x4xf32>>)
    outs(%y : memref<1x8xf32>)
  task.return
}

// -----

task.func @pace(%w: memref<4xf32>) {
  // expected-error @below {{T9: a pace is a positive number of ns for a MiB}}
  %s = task.stream %w pace 0 : memref<4xf32> -> !task.stream<memref<4xf32>>
  task.return
}

// -----

// expected-error @below {{no task.graph named @nowhere}}
task.schedule @nowhere bucket [] policy "p" offsets [0, 0] runs []

// -----

task.graph @schedule_t10_one_bound_per_symbol symbols [#task.symbol<"n", 1 to 8>] {
}
// expected-error @below {{T10: the bucket has 0 bounds for 1 symbols}}
task.schedule @schedule_t10_one_bound_per_symbol bucket [] policy "p" offsets [0, 0] runs []

// -----

task.graph @schedule_t10_four_words symbols [] {
}
// expected-error @below {{T10: a run has four words, got 3 words}}
task.schedule @schedule_t10_four_words bucket [] policy "p" offsets [0, 1] runs [0, 0, 1]

// -----

task.graph @schedule_t10_offsets_ascend symbols [] {
}
// expected-error @below {{T10: offsets must ascend from 0 to the number of runs}}
task.schedule @schedule_t10_offsets_ascend bucket [] policy "p" offsets [0, 1, 0, 1] runs [0, 0, 1, 1]

// -----

task.graph @schedule_t10_offsets_cover_the_runs symbols [] {
}
// expected-error @below {{T10: offsets must ascend from 0 to the number of runs}}
task.schedule @schedule_t10_offsets_cover_the_runs bucket [] policy "p" offsets [0, 0] runs [0, 0, 1, 1]

// -----

task.graph @schedule_t10_positive_stride symbols [] {
}
// expected-error @below {{T10: run 0 is not {launch, first, stride > 0, count > 0}}}
task.schedule @schedule_t10_positive_stride bucket [] policy "p" offsets [0, 1] runs [0, 0, 0, 1]

// -----

task.graph @schedule_t10_positive_count symbols [] {
}
// expected-error @below {{T10: run 0 is not {launch, first, stride > 0, count > 0}}}
task.schedule @schedule_t10_positive_count bucket [] policy "p" offsets [0, 1] runs [0, 0, 1, 0]
