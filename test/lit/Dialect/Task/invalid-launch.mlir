// RUN: etc-opt %s -split-input-file -verify-diagnostics

// Launches and regions: one case per constraint, named after it.

task.graph @launch_t4_body_exists symbols [] {
  // expected-error @below {{T4: no task.func named @nowhere}}
  task.launch @nowhere grid(() -> (1)) reads() writes() waits() notifies()
}

// -----

// expected-note @below {{expected '(index, index) -> ()', got '(index) -> ()'}}
task.func @f(%i: index) { task.return }
task.graph @launch_t4_one_index_per_grid_dimension symbols [] {
  // expected-error @below {{T4: the body's parameters are not the grid coordinates, the views}}
  task.launch @f grid(() -> (1, 1)) reads() writes() waits() notifies()
}

// -----

// expected-note @below {{expected '(index, memref<2xf32, strided<[1], offset: ?>>) -> ()'}}
task.func @f(%i: index, %x: memref<4xf32>) { task.return }
task.graph @launch_t4_view_of_the_region symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (4)> : memref<4xf32>
  // expected-error @below {{T4: the body's parameters}}
  task.launch @f grid(() -> (2)) reads(%A at <(i) -> (i * 2) sizes [2]> : memref<4xf32>)
    writes() waits() notifies()
}

// -----

// expected-note @below {{expected '(index, !event.tensor<data>) -> ()', got '(index) -> ()'}}
task.func @f(%i: index) { task.return }
task.graph @launch_t4_entry_of_a_data_edge symbols [] {
  %E = event.create "e" shape affine_map<() -> (2)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<2, data>
  // expected-error @below {{T4: the body's parameters}}
  task.launch @f grid(() -> (2)) reads() writes() waits()
    notifies(%E at (i) -> (i) : !event.tensor<2, data>)
}

// -----

task.func @f(%i: index, %x: memref<4xf32>, %e: !event.tensor<data>) { task.return }
task.graph @launch_t6_data_guards_nothing symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (4)> : memref<4xf32>
  %E = event.create "e" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  // expected-error @below {{T6: a wait on a data event tensor guards *}}
  task.launch @f grid(() -> (1)) reads(%A at <(i) -> (0) sizes [*]> : memref<4xf32>) writes()
    waits(%E at (i) -> () guards 0 : !event.tensor<data>) notifies()
}

// -----

task.func @func_t8_receive_in_the_entry_block(%go: i1, %e: !event.tensor<data>) {
  scf.if %go {
    // expected-error @below {{T8: stands outside of the entry block}}
    %x, %ok = event.receive %e[] : !event.tensor<data>
  }
  task.return
}

// -----

task.func @func_t8_entry_is_received_or_published(%e: !event.tensor<data>) {
  // expected-error @below {{T8: uses the entry of a data edge; a body receives from it or publishes to it}}
  event.clear %e : !event.tensor<data>
  task.return
}

// -----

task.graph @launch_t5_grid_of_symbols symbols [] {
  // expected-error @below {{T5: the grid is a map of the graph's 0 symbols}}
  task.launch @f grid((i) -> (1)) reads() writes() waits() notifies()
}

// -----

task.graph @launch_t5_grid_of_the_graphs_symbols symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{T5: the grid is a map of the graph's 1 symbols}}
  task.launch @f grid(()[n, m] -> (m)) reads() writes() waits() notifies()
}

// -----

task.graph @launch_t5_one_region_per_operand symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (4)> : memref<4xf32>
  // expected-error @below {{T5: expects one region per operand}}
  "task.launch"(%A) {body = @f, grid = affine_map<() -> (2)>, read_regions = [],
    write_regions = [], wait_maps = [], guards = array<i64>, notify_maps = [],
    operandSegmentSizes = array<i32: 1, 0, 0, 0>} : (memref<4xf32>) -> ()
}

// -----

task.graph @launch_t5_region_has_the_buffers_rank symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (4, 4)> : memref<4x4xf32>
  // expected-error @below {{does not lead from a grid of 1 dimensions to a buffer of rank 2}}
  task.launch @f grid(() -> (2)) reads(%A at <(i) -> (i) sizes [1]> : memref<4x4xf32>)
    writes() waits() notifies()
}

// -----

task.graph @launch_t5_region_is_in_the_grids_coordinates symbols [] {
  %A = task.argument "A" output shape affine_map<() -> (4)> : memref<4xf32>
  // expected-error @below {{does not lead from a grid of 1 dimensions to a buffer of rank 1}}
  task.launch @f grid(() -> (2)) reads() writes(%A at <(i, j) -> (j) sizes [1]> : memref<4xf32>)
    waits() notifies()
}

// -----

task.graph @launch_t5_one_map_per_event symbols [] {
  %E = event.create "e" shape affine_map<() -> (4)> count affine_map<() -> (1)>
    reuse(monotonic) : !event.tensor<4>
  // expected-error @below {{T5: expects one map per event in waits}}
  "task.launch"(%E) {body = @f, grid = affine_map<() -> (2)>, read_regions = [],
    write_regions = [], wait_maps = [], guards = array<i64: -1>, notify_maps = [],
    operandSegmentSizes = array<i32: 0, 0, 1, 0>} : (!event.tensor<4>) -> ()
}

// -----

task.graph @launch_t5_event_map_has_the_tensors_rank symbols [] {
  %E = event.create "e" shape affine_map<() -> (4)> count affine_map<() -> (1)>
    reuse(monotonic) : !event.tensor<4>
  // expected-error @below {{in notifies does not lead from a grid of 1 dimensions to '!event.tensor<4>'}}
  task.launch @f grid(() -> (2)) reads() writes() waits()
    notifies(%E at (i) -> (i, i) : !event.tensor<4>)
}

// -----

task.graph @launch_t6_one_guard_per_wait symbols [] {
  %E = event.create "e" shape affine_map<() -> (4)> count affine_map<() -> (1)>
    reuse(monotonic) : !event.tensor<4>
  // expected-error @below {{T6: expects one guard per wait}}
  "task.launch"(%E) {body = @f, grid = affine_map<() -> (2)>, read_regions = [],
    write_regions = [], wait_maps = [affine_map<(i) -> (i)>], guards = array<i64>,
    notify_maps = [], operandSegmentSizes = array<i32: 0, 0, 1, 0>} : (!event.tensor<4>) -> ()
}

// -----

task.graph @launch_t6_guard_is_an_operand symbols [] {
  %E = event.create "e" shape affine_map<() -> (4)> count affine_map<() -> (1)>
    reuse(monotonic) : !event.tensor<4>
  // expected-error @below {{T6: guard 0 is not the position of one of 0 operands}}
  task.launch @f grid(() -> (2)) reads() writes()
    waits(%E at (i) -> (i) guards 0 : !event.tensor<4>) notifies()
}

// -----

task.graph @launch_t7_weights_are_read_only symbols [] {
  %A = task.argument "A" weight shape affine_map<() -> (4)> : memref<4xf32>
  // expected-error @below {{T7: writes 'A', which is read only}}
  task.launch @f grid(() -> (2)) reads() writes(%A at <(i) -> (i) sizes [1]> : memref<4xf32>)
    waits() notifies()
}

// -----

task.graph @launch_t7_views_of_inputs_are_read_only symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (4)> : memref<4xf32>
  %V = memref.expand_shape %A [[0, 1]] output_shape [2, 2] : memref<4xf32> into memref<2x2xf32>
  // expected-error @below {{T7: writes 'A', which is read only}}
  task.launch @f grid(() -> (2)) reads()
    writes(%V at <(i) -> (i, 0) sizes [1, *]> : memref<2x2xf32>) waits() notifies()
}

// -----

task.graph @launch_t18_what_is_read_is_not_disjoint symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (4)> : memref<4xf32>
  // expected-error @below {{T18: a region that is only read is not disjoint}}
  task.launch @f grid(() -> (2)) reads(%A at <(i) -> (0) sizes [*] disjoint> : memref<4xf32>) writes()
    waits() notifies()
}

// -----

// expected-error @below {{a region needs one size per offset, got 1 sizes for 2 offsets}}
#region = #task.region<(i) -> (i, i) sizes [1]>

// -----

// expected-error @below {{a whole dimension starts at offset 0}}
#region = #task.region<(i) -> (i) sizes [*]>

// -----

// expected-error @below {{the size of a region is positive, got 0}}
#region = #task.region<(i) -> (i) sizes [0]>

// -----

// expected-error @below {{the offsets of a region are in the coordinates of the grid alone}}
#region = #task.region<(i)[n] -> (i + n) sizes [1]>

// -----

task.graph @launch_list_ends_with_an_operand symbols [] {
  %A = task.argument "A" input shape affine_map<() -> (4)> : memref<4xf32>
  // expected-error @below {{expected operand}}
  task.launch @f grid(() -> (2)) reads(%A at <(i) -> (i) sizes [1]> : memref<4xf32>, )
    writes() waits() notifies()
}
