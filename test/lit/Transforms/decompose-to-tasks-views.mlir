// RUN: etc-opt %s --split-input-file --decompose-to-tasks | FileCheck %s

// Two layers of projection, heads, rope and cache. The second layer uses the
// bodies of the first; the caches are updated in place; heads are a view.

// CHECK-COUNT-1: task.func @linear_0
// CHECK-COUNT-1: task.func @rope_0
// CHECK-COUNT-1: task.func @kv_append_0
// CHECK-COUNT-1: task.func @attention_0
// CHECK-NOT: task.func
// CHECK-LABEL: task.graph @step
// CHECK-DAG: %[[C0:.*]] = task.argument "cache.0" state
// CHECK-DAG: %[[C1:.*]] = task.argument "cache.1" state
// CHECK-NOT: "cache.0.out"
// CHECK: %[[Q:.*]] = task.scratch "linear.0" {{.*}} : memref<?x128xf32>
// CHECK: task.launch @linear_0 {{.*}} writes(%[[Q]]
// CHECK: %[[T:.*]] = memref.dim
// CHECK: %[[H:.*]] = memref.expand_shape %[[Q]] {{\[\[}}0], [1, 2]] output_shape [%[[T]], 2, 64]
// CHECK: task.launch @rope_0 {{.*}} reads(%[[H]] at <(d0) -> (d0, 0, 0) sizes [1, *, *]>
// CHECK: task.launch @kv_append_0 {{.*}} writes(%[[C0]] at <(d0) -> (0, 0, 0, 0, 0) sizes [*, *, *, *, *] disjoint>
// CHECK: task.launch @linear_0
// CHECK: task.launch @rope_0
// CHECK: task.launch @kv_append_0 {{.*}} writes(%[[C1]] at
// CHECK: task.launch @attention_0 grid(()[s0] -> (s0, 2))
// CHECK-SAME: %[[C1]] at <(d0, d1) -> (0, d1, 0, 0, 0) sizes [*, 1, *, *, *]>

func.func @step(
    %x: tensor<?x128xf32> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 128)>},
    %w0: tensor<128x128xf32> {task.name = "w.0", task.role = "weight", task.shape = affine_map<() -> (128, 128)>},
    %w1: tensor<128x128xf32> {task.name = "w.1", task.role = "weight", task.shape = affine_map<() -> (128, 128)>},
    %cos: tensor<?x64xf32> {task.name = "cos", task.role = "input", task.shape = affine_map<()[T] -> (T, 64)>},
    %seq: tensor<?xi64> {task.name = "seq", task.role = "input", task.shape = affine_map<()[T] -> (T)>},
    %table: tensor<4x8xi64> {task.name = "block_table", task.role = "input", task.shape = affine_map<() -> (4, 8)>},
    %c0: tensor<32x2x2x16x64xf32> {task.name = "cache.0", task.role = "state", task.shape = affine_map<() -> (32, 2, 2, 16, 64)>},
    %c1: tensor<32x2x2x16x64xf32> {task.name = "cache.1", task.role = "state", task.shape = affine_map<() -> (32, 2, 2, 16, 64)>})
    -> (tensor<?x2x64xf32> {task.name = "y"},
        tensor<32x2x2x16x64xf32> {task.name = "cache.0.out", task.state = "cache.0"},
        tensor<32x2x2x16x64xf32> {task.name = "cache.1.out", task.state = "cache.1"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 8>]} {
  %zero = arith.constant 0 : index
  %T = tensor.dim %x, %zero : tensor<?x128xf32>
  %e = tensor.empty(%T) : tensor<?x128xf32>
  %eh = tensor.empty(%T) : tensor<?x2x64xf32>
  %q0 = task.linear ins(%x, %w0 : tensor<?x128xf32>, tensor<128x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  %h0 = tensor.expand_shape %q0 [[0], [1, 2]] output_shape [%T, 2, 64] : tensor<?x128xf32> into tensor<?x2x64xf32>
  %r0 = task.rope ins(%h0, %cos, %cos : tensor<?x2x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) outs(%eh : tensor<?x2x64xf32>) -> tensor<?x2x64xf32>
  %d0 = task.kv_append ins(%r0, %h0, %seq, %seq, %table : tensor<?x2x64xf32>, tensor<?x2x64xf32>, tensor<?xi64>, tensor<?xi64>, tensor<4x8xi64>) outs(%c0 : tensor<32x2x2x16x64xf32>) -> tensor<32x2x2x16x64xf32>
  %f0 = tensor.collapse_shape %r0 [[0], [1, 2]] : tensor<?x2x64xf32> into tensor<?x128xf32>
  %q1 = task.linear ins(%f0, %w1 : tensor<?x128xf32>, tensor<128x128xf32>) outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  %h1 = tensor.expand_shape %q1 [[0], [1, 2]] output_shape [%T, 2, 64] : tensor<?x128xf32> into tensor<?x2x64xf32>
  %r1 = task.rope ins(%h1, %cos, %cos : tensor<?x2x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) outs(%eh : tensor<?x2x64xf32>) -> tensor<?x2x64xf32>
  %d1 = task.kv_append ins(%r1, %h1, %seq, %seq, %table : tensor<?x2x64xf32>, tensor<?x2x64xf32>, tensor<?xi64>, tensor<?xi64>, tensor<4x8xi64>) outs(%c1 : tensor<32x2x2x16x64xf32>) -> tensor<32x2x2x16x64xf32>
  %a = task.attention ins(%r1, %d1, %seq, %seq, %table : tensor<?x2x64xf32>, tensor<32x2x2x16x64xf32>, tensor<?xi64>, tensor<?xi64>, tensor<4x8xi64>) outs(%eh : tensor<?x2x64xf32>) scale 0.125 -> tensor<?x2x64xf32>
  return %a, %d0, %d1 : tensor<?x2x64xf32>, tensor<32x2x2x16x64xf32>, tensor<32x2x2x16x64xf32>
}

// -----

// A returned view is the operator's buffer seen from the other side; a filled
// destination is filled by the body; a returned argument is copied by a launch.

// CHECK-LABEL: task.func @reduce_0
// CHECK: %[[ZERO:.*]] = arith.constant 0.0
// CHECK: linalg.fill ins(%[[ZERO]] : f32) outs(%[[SUM:.*]] : memref<16xf32, strided<[1], offset: ?>>)
// CHECK: linalg.generic {{.*}} outs(%[[SUM]]
// CHECK-LABEL: task.graph @sums
// CHECK: %[[X:.*]] = task.argument "x"
// CHECK: %[[Y:.*]] = task.argument "y" output {{.*}} : memref<8x8xf32>
// CHECK: %[[FLAT:.*]] = memref.collapse_shape %[[Y]] {{\[\[}}0, 1]]
// CHECK: %[[ECHO:.*]] = task.argument "echo" output
// CHECK: task.launch @reduce_0 {{.*}} writes(%[[FLAT]] at <(d0) -> (d0 * 16) sizes [16]>
// CHECK: task.launch @copy_0 {{.*}} reads(%[[X]] {{.*}} writes(%[[ECHO]]
func.func @sums(
    %x: tensor<64x64xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (64, 64)>})
    -> (tensor<8x8xf32> {task.name = "y"}, tensor<64x64xf32> {task.name = "echo"})
    attributes {task.symbols = []} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64xf32>) -> tensor<64xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<64x64xf32>) outs(%f : tensor<64xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %n = arith.addf %a, %acc : f32
    linalg.yield %n : f32
  } -> tensor<64xf32>
  %y = tensor.expand_shape %s [[0, 1]] output_shape [8, 8] : tensor<64xf32> into tensor<8x8xf32>
  return %y, %x : tensor<8x8xf32>, tensor<64x64xf32>
}
