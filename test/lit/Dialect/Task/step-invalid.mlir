// RUN: etc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{S1: the task dialect has no attribute "task.sybmols"}}
func.func private @unknown_attribute() attributes {task.sybmols = []}

// -----

// expected-error @+1 {{S1: task.symbols is a list, of a function}}
module attributes {task.symbols = []} {}

// -----

// expected-error @+1 {{S1: task.symbols holds "T", which is no #task.symbol}}
func.func private @symbol() attributes {task.symbols = ["T"]}

// -----

// expected-error @+1 {{S1: two symbols are named 'T'}}
func.func private @symbol_twice() attributes {
  task.symbols = [#task.symbol<"T", 1 to 2>, #task.symbol<"T", 1 to 3>]}

// -----

// expected-error @+1 {{S2: arguments 0 and 1 are both named "x"}}
func.func private @name_twice(tensor<2xf32> {task.name = "x"}, tensor<2xf32> {task.name = "x"})

// -----

// expected-error @+1 {{S2: argument 0 has task.role "output"; expects "input", "weight" or "state"}}
func.func private @role(tensor<2xf32> {task.role = "output"})

// -----

// expected-error @+1 {{S2: task.shape is a map, of a shaped argument}}
func.func private @shape_of_scalar(index {task.shape = affine_map<() -> (2)>})

// -----

// expected-error @+1 {{S2: argument 0 has task.shape affine_map<()[s0] -> (s0)> for 'tensor<?xf32>'}}
func.func private @shape_without_symbols(tensor<?xf32> {task.shape = affine_map<()[n] -> (n)>})

// -----

// expected-error @+1 {{S2: argument 0 has task.shape affine_map<() -> (3)> for 'tensor<2xf32>'}}
func.func private @shape_disagrees(tensor<2xf32> {task.shape = affine_map<() -> (3)>})

// -----

// expected-error @+1 {{S2: "task.tied" is a list of names}}
func.func private @tied(tensor<2xf32> {task.tied = [1]})

// -----

// expected-error @+1 {{S2: an argument has no "task.name" = 1 : i64}}
func.func private @name(tensor<2xf32> {task.name = 1})

// -----

// expected-error @+1 {{S3: a result has no "task.role" = "output"}}
func.func private @result_role() -> (tensor<2xf32> {task.role = "output"})

// -----

// expected-error @+1 {{S3: result 0 updates the state "c", which no argument is}}
func.func private @state(tensor<2xf32> {task.name = "c", task.role = "input"})
  -> (tensor<2xf32> {task.name = "c", task.state = "c"})
