// RUN: etc-opt %s --split-input-file --verify-diagnostics --decompose-to-tasks="tile=attention:1x3"

// Scalars that a task cannot know, extents that are not affine, and a tile that splits heads.

#id = affine_map<(i) -> (i)>
func.func @captured_scalar(%x: tensor<4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4)>})
    -> (tensor<4xf32> {task.name = "y"}) attributes {task.symbols = []} {
  %zero = arith.constant 0.0 : f32
  %sum = arith.addf %zero, %zero : f32
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @+1 {{needs a scalar that is no constant: make it a tensor argument}}
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %b = arith.mulf %a, %sum : f32
    linalg.yield %b : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @product_of_symbols(%x: tensor<?x?xf32> {task.name = "x", task.role = "input", task.shape = affine_map<()[t, r] -> (t, r)>})
    attributes {task.symbols = [#task.symbol<"T", 1 to 8>, #task.symbol<"R", 1 to 4>]} {
  // expected-error @+1 {{the extents of 'tensor<?xf32>' are not affine in the symbols of the step}}
  %y = tensor.collapse_shape %x [[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  return
}

// -----

func.func @split_heads(%q: tensor<1x8x4xf32> {task.name = "q", task.role = "input", task.shape = affine_map<() -> (1, 8, 4)>},
    %i: tensor<1xi64> {task.name = "i", task.role = "input", task.shape = affine_map<() -> (1)>},
    %b: tensor<1x2xi64> {task.name = "b", task.role = "input", task.shape = affine_map<() -> (1, 2)>},
    %c: tensor<2x4x2x8x4xf32> {task.name = "c", task.role = "state", task.shape = affine_map<() -> (2, 4, 2, 8, 4)>})
    -> (tensor<1x8x4xf32> {task.name = "y"}) attributes {task.symbols = []} {
  %e = tensor.empty() : tensor<1x8x4xf32>
  // expected-error @+1 {{the tile 1x3 does not divide the 4 key/value heads}}
  %y = task.attention ins(%q, %c, %i, %i, %b : tensor<1x8x4xf32>, tensor<2x4x2x8x4xf32>,
    tensor<1xi64>, tensor<1xi64>, tensor<1x2xi64>) outs(%e : tensor<1x8x4xf32>) scale 1.0 -> tensor<1x8x4xf32>
  return %y : tensor<1x8x4xf32>
}
