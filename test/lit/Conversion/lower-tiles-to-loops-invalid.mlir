// RUN: etc-opt %s --split-input-file --verify-diagnostics --lower-tiles-to-loops

func.func @tensors(%x: tensor<1x40xf32>, %w: tensor<40xf32>) {
  // expected-error @+1 {{is lowered to loops on memrefs only, got 'tensor<1x40xf32>'; run decompose-to-tasks first}}
  %y = task.rms_norm ins(%x, %w : tensor<1x40xf32>, tensor<40xf32>) outs(%x : tensor<1x40xf32>) eps 1.0e-6 -> tensor<1x40xf32>
  return
}

// -----

func.func @element_type(%x: memref<1x40xf64>, %w: memref<40xf64>) {
  // expected-error @+1 {{has no loops for elements of type 'f64'; expects f32, bf16 or f16}}
  task.rms_norm ins(%x, %w : memref<1x40xf64>, memref<40xf64>) outs(%x : memref<1x40xf64>) eps 1.0e-6
  return
}

// -----

func.func @columns(%x: memref<1x40xf32, strided<[80, 2]>>, %w: memref<40xf32>) {
  // expected-error @+1 {{needs contiguous rows, got 'memref<1x40xf32, strided<[80, 2]>>'}}
  task.rms_norm ins(%x, %w : memref<1x40xf32, strided<[80, 2]>>, memref<40xf32>) outs(%x : memref<1x40xf32, strided<[80, 2]>>) eps 1.0e-6
  return
}

// -----

func.func @heads(%x: memref<1x2x?xf32>, %c: memref<1x?xf32>) {
  // expected-error @+1 {{needs a static number of heads and a static head dimension}}
  task.rope ins(%x, %c, %c : memref<1x2x?xf32>, memref<1x?xf32>, memref<1x?xf32>) outs(%x : memref<1x2x?xf32>)
  return
}
