// RUN: etc-opt %s --split-input-file --verify-diagnostics --decompose-to-tasks="tile=generic:1x1"

#id = affine_map<(i) -> (i)>
// expected-error @+1 {{argument 0 needs a task.role}}
func.func @step(%x: tensor<4xf32> {task.name = "x"}) attributes {task.symbols = []} {
  return
}

// -----

// expected-error @+1 {{argument 0 needs a task.shape}}
func.func @step(%x: tensor<4xf32> {task.name = "x", task.role = "input"}) attributes {task.symbols = []} {
  return
}

// -----

func.func @step() attributes {task.symbols = []} {
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{does not say what the symbols say of its extents}}
  %e = tensor.empty(%c4) : tensor<?xf32>
  return
}

// -----

// expected-error @+1 {{argument 0 of a step is a ranked tensor, got 'f32'}}
func.func @step(%x: f32 {task.name = "x", task.role = "input"}) attributes {task.symbols = []} {
  return
}

// -----

// expected-error @+1 {{two buffers are named "x"}}
func.func @step(%x: tensor<4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4)>})
    -> (tensor<4xf32> {task.name = "x"}) attributes {task.symbols = []} {
  return %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{result 0 needs a task.name}}
func.func @step(%x: tensor<4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4)>})
    -> tensor<4xf32> attributes {task.symbols = []} {
  return %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{result 0 is not the state "s" updated in place: that would need a copy}}
func.func @step(%x: tensor<4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4)>},
                %s: tensor<4xf32> {task.name = "s", task.role = "state", task.shape = affine_map<() -> (4)>})
    -> (tensor<4xf32> {task.name = "t", task.state = "s"}) attributes {task.symbols = []} {
  return %x : tensor<4xf32>
}

// -----

func.func @step() -> (tensor<2xf32> {task.name = "y"}) attributes {task.symbols = []} {
  // expected-error @+1 {{constant tensors are not supported: pass it as an argument}}
  %x = arith.constant dense<1.0> : tensor<2xf32>
  return %x : tensor<2xf32>
}

// -----

func.func @step(%x: tensor<4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4)>})
    -> (tensor<2xf32> {task.name = "y"}) attributes {task.symbols = []} {
  // expected-error @+1 {{has no TaskRegionOpInterface, so it cannot be cut into tasks}}
  %y = tensor.extract_slice %x[0] [2] [1] : tensor<4xf32> to tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

func.func @step() -> (tensor<2xf32> {task.name = "y"}) attributes {task.symbols = []} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2xf32>
  // expected-error @+1 {{is only supported as the destination of an operator}}
  %y = linalg.fill ins(%zero : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

func.func @step(%x: tensor<4x4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4, 4)>})
    -> (tensor<4xf32> {task.name = "y"}) attributes {task.symbols = []} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{the tile 1x1 has more dimensions than the operator's task domain (1)}}
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<4x4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %acc: f32):
    linalg.yield %a : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

#map = affine_map<(i, j) -> (i, j)>
func.func @step(%x: tensor<4x4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4, 4)>})
    -> (tensor<4x4xf32> {task.name = "y"}) attributes {task.symbols = []} {
  %e = tensor.empty() : tensor<4x4xf32>
  // expected-error @+1 {{the tile 1x1 cuts dimension 1, along which tasks are not independent}}
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %j = linalg.index 1 : index
    %k = arith.index_cast %j : index to i32
    %l = arith.sitofp %k : i32 to f32
    linalg.yield %l : f32
  } -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

#map = affine_map<(i, j) -> (i, j)>
func.func @step(%x: tensor<4x4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4, 4)>})
    -> (tensor<4x4xf32> {task.name = "y"}) attributes {task.symbols = []} {
  // expected-error @+1 {{overwrites argument 0, which is no state: that would need a copy}}
  %y = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel"]} outs(%x : tensor<4x4xf32>) {
  ^bb0(%a: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

#map = affine_map<(i, j) -> (i, j)>
func.func @step(%x: tensor<4x4xf32> {task.name = "x", task.role = "state", task.shape = affine_map<() -> (4, 4)>})
    -> (tensor<4x4xf32> {task.name = "y", task.state = "x"}, tensor<4x4xf32> {task.name = "z"}) attributes {task.symbols = []} {
  // expected-error @+1 {{overwrites a tensor that is read later: that would need a copy}}
  %y = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel"]} outs(%x : tensor<4x4xf32>) {
  ^bb0(%a: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  // expected-note @+1 {{read here}}
  return %y, %x : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

func.func @step() -> (tensor<2x2xf32> {task.name = "y"}) attributes {task.symbols = []} {
  // expected-error @+1 {{is only supported as the destination of an operator}}
  %e = tensor.empty() : tensor<4xf32>
  %y = tensor.expand_shape %e [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

#map = affine_map<(i) -> (i)>
func.func @step(%x: tensor<?xf32> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T * 8)>})
    -> (tensor<?x8xf32> {task.name = "y"}) attributes {task.symbols = [#task.symbol<"T", 1 to 8>]} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %T = arith.divui %n, %c8 : index
  // expected-error @+1 {{no argument has the extent 'T', which this view needs}}
  %h = tensor.expand_shape %x [[0, 1]] output_shape [%T, 8] : tensor<?xf32> into tensor<?x8xf32>
  %e = tensor.empty(%T) : tensor<?x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%h : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
