// RUN: etc-opt %s -split-input-file -verify-diagnostics

// One case per constraint of docs/Events.md, named after it. E6 is verify-events' to check.

task.graph @create_e1_one_result_per_dimension symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E1: expects a shape map of symbols with 2 results}}
  %E = event.create "e" shape affine_map<()[n] -> (n)>
    count affine_map<()[n] -> (1)> reuse(banked) : !event.tensor<?x4>
}

// -----

task.graph @create_e1_no_dimensions symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E1: expects a shape map of symbols with 1 results}}
  %E = event.create "e" shape affine_map<(i) -> (i)>
    count affine_map<()[n] -> (1)> reuse(banked) : !event.tensor<?>
}

// -----

task.graph @create_e1_static_dimension_is_its_constant symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E1: dimension 4 of the type does not match the shape map}}
  %E = event.create "e" shape affine_map<()[n] -> (5)>
    count affine_map<()[n] -> (1)> reuse(banked) : !event.tensor<4>
}

// -----

task.graph @create_e1_constant_is_a_static_dimension symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E1: dimension ? of the type does not match the shape map}}
  %E = event.create "e" shape affine_map<()[n] -> (4)>
    count affine_map<()[n] -> (1)> reuse(banked) : !event.tensor<?>
}

// -----

task.graph @create_e2_one_count symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E2: expects a count map of symbols with one result}}
  %E = event.create "e" shape affine_map<()[n] -> (n)>
    count affine_map<()[n] -> (1, 2)> reuse(banked) : !event.tensor<?>
}

// -----

task.graph @create_e2_count_is_positive symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E2: count must be positive, got 0}}
  %E = event.create "e" shape affine_map<()[n] -> (n)>
    count affine_map<()[n] -> (0)> reuse(banked) : !event.tensor<?>
}

// -----

task.graph @create_e3_monotonic_needs_constant_count symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E3: a monotonic event tensor needs a constant count}}
  %E = event.create "e" shape affine_map<()[n] -> (4)>
    count affine_map<()[n] -> (n)> reuse(monotonic) : !event.tensor<4>
}

// -----

task.graph @create_e3_monotonic_needs_static_shape symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E3: a monotonic event tensor needs a constant count and a static shape}}
  %E = event.create "e" shape affine_map<()[n] -> (n)>
    count affine_map<()[n] -> (4)> reuse(monotonic) : !event.tensor<?>
}

// -----

task.graph @create_e4_data_has_count_one symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E4: a data event tensor has count 1}}
  %E = event.create "e" shape affine_map<()[n] -> (4)>
    count affine_map<()[n] -> (2)> reuse(monotonic) : !event.tensor<4, data>
}

// -----

task.graph @create_e13_carried_has_no_dimensions symbols [#task.symbol<"n", 1 to 8>] {
  // expected-error @below {{E13: a carried event tensor counts and has no dimensions: the next step may have other sizes}}
  %E = event.create "e" shape affine_map<()[n] -> (4)>
    count affine_map<()[n] -> (2)> reuse(carried) : !event.tensor<4>
}

// -----

func.func @notify_e5_one_index_per_dimension(%E: !event.tensor<?x4>, %i: index) {
  // expected-error @below {{E5: expects 2 indices for '!event.tensor<?x4>', got 1}}
  event.notify %E[%i] : !event.tensor<?x4>
  return
}

// -----

func.func @notify_e5_by_is_positive(%E: !event.tensor<?>, %i: index) {
  // expected-error @below {{E5: 'by' must be positive, got 0}}
  event.notify %E[%i] by 0 : !event.tensor<?>
  return
}

// -----

func.func @notify_e5_other_device_needs_sys(%E: !event.tensor<?>, %i: index) {
  // expected-error @below {{E5: an event on another device needs scope(sys)}}
  event.notify %E[%i] device(%i) : !event.tensor<?>
  return
}

// -----

func.func @notify_e5_not_on_data(%E: !event.tensor<8, data>, %i: index) {
  // expected-error @below {{E5: expects an event tensor with carrier 'counter'}}
  event.notify %E[%i] : !event.tensor<8, data>
  return
}

// -----

func.func @wait_e5_one_index_per_dimension(%E: !event.tensor<?>, %count: i32) {
  // expected-error @below {{E5: expects 1 indices for '!event.tensor<?>', got 0}}
  %ok = event.wait %E[] count(%count) : !event.tensor<?>
  return
}

// -----

func.func @wait_e5_not_on_data(%E: !event.tensor<8, data>, %i: index, %count: i32) {
  // expected-error @below {{E5: expects an event tensor with carrier 'counter'}}
  %ok = event.wait %E[%i] count(%count) : !event.tensor<8, data>
  return
}

// -----

func.func @publish_e5_needs_data(%E: !event.tensor<8>, %i: index, %x: i32) {
  // expected-error @below {{E5: expects an event tensor with carrier 'data'}}
  event.publish %x, %E[%i] : !event.tensor<8>
  return
}

// -----

func.func @receive_e5_needs_data(%E: !event.tensor<8>, %i: index) {
  // expected-error @below {{E5: expects an event tensor with carrier 'data'}}
  %value, %ok = event.receive %E[%i] : !event.tensor<8>
  return
}

// -----

task.graph @clear_e7_needs_banked symbols [#task.symbol<"n", 1 to 8>] {
  %E = event.create "e" shape affine_map<()[n] -> (4)>
    count affine_map<()[n] -> (1)> reuse(monotonic) : !event.tensor<4>
  // expected-error @below {{E7: only a banked event tensor is cleared}}
  event.clear %E : !event.tensor<4>
}

// -----

// expected-error @below {{expected 'data'}}
func.func private @type_carrier_is_data_or_nothing(!event.tensor<8, counter>)
