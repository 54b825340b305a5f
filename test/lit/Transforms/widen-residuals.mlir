// RUN: etc-opt %s --widen-residuals --split-input-file | FileCheck %s
// RUN: etc-opt %s --widen-residuals --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: etc-opt %s --widen-residuals --split-input-file 2>/dev/null | etc-opt --widen-residuals --split-input-file 2>/dev/null | FileCheck %s

// The embedding, what is added to it and the rows of it become f32; what is multiplied, the
// result and a projection beside it do not.
// CHECK-LABEL: func.func @step
// CHECK: %[[X:.*]] = task.embedding {{.*}} -> tensor<?x32xf32>
// CHECK: %[[Q:.*]] = task.linear ins(%[[X]], %{{.*}} : tensor<?x32xf32>, tensor<32x32xbf16>) norm(%{{.*}} : tensor<32xbf16>) {{.*}} -> tensor<?x32xbf16>
// CHECK: %[[Y:.*]] = task.linear ins(%[[Q]], %{{.*}} : tensor<?x32xbf16>, tensor<32x32xbf16>) residual(%[[X]] : tensor<?x32xf32>) {{.*}} -> tensor<?x32xf32>
// CHECK: tensor.dim %[[Y]]
// CHECK: %[[R:.*]] = task.gather_rows ins(%[[Y]], %{{.*}} : tensor<?x32xf32>, tensor<2xi64>) {{.*}} -> tensor<2x32xf32>
// CHECK: task.linear ins(%[[R]], %{{.*}} : tensor<2x32xf32>, tensor<32x32xbf16>) {{.*}} -> tensor<2x32xbf16>
func.func @step(%ids: tensor<?xi64>, %table: tensor<64x32xbf16>, %w: tensor<32x32xbf16>, %g: tensor<32xbf16>, %rows: tensor<2xi64>, %n: index) -> (tensor<2x32xbf16>, index) {
  %c0 = arith.constant 0 : index
  %e = tensor.empty(%n) : tensor<?x32xbf16>
  %x = task.embedding ins(%ids, %table : tensor<?xi64>, tensor<64x32xbf16>) outs(%e : tensor<?x32xbf16>) -> tensor<?x32xbf16>
  %q = task.linear ins(%x, %w : tensor<?x32xbf16>, tensor<32x32xbf16>) norm(%g : tensor<32xbf16>) eps 1.0e-6 outs(%e : tensor<?x32xbf16>) -> tensor<?x32xbf16>
  %y = task.linear ins(%q, %w : tensor<?x32xbf16>, tensor<32x32xbf16>) residual(%x : tensor<?x32xbf16>) outs(%e : tensor<?x32xbf16>) -> tensor<?x32xbf16>
  %d = tensor.dim %y, %c0 : tensor<?x32xbf16>
  %f = tensor.empty() : tensor<2x32xbf16>
  %r = task.gather_rows ins(%y, %rows : tensor<?x32xbf16>, tensor<2xi64>) outs(%f : tensor<2x32xbf16>) -> tensor<2x32xbf16>
  %z = task.linear ins(%r, %w : tensor<2x32xbf16>, tensor<32x32xbf16>) norm(%g : tensor<32xbf16>) eps 1.0e-6 outs(%f : tensor<2x32xbf16>) -> tensor<2x32xbf16>
  return %z, %d : tensor<2x32xbf16>, index
}

// -----

// What is not normed cannot be multiplied in f32, and the caller has a type too.
// CHECK-LABEL: func.func @multiplied
// CHECK-NOT: f32
// REMARK: remark: the residual stream keeps its element type, for this has no other
func.func @multiplied(%ids: tensor<4xi64>, %table: tensor<64x32xbf16>, %w: tensor<32x32xbf16>) -> tensor<4x32xbf16> {
  %e = tensor.empty() : tensor<4x32xbf16>
  %x = task.embedding ins(%ids, %table : tensor<4xi64>, tensor<64x32xbf16>) outs(%e : tensor<4x32xbf16>) -> tensor<4x32xbf16>
  %y = task.linear ins(%x, %w : tensor<4x32xbf16>, tensor<32x32xbf16>) residual(%x : tensor<4x32xbf16>) outs(%e : tensor<4x32xbf16>) -> tensor<4x32xbf16>
  %f = tensor.empty() : tensor<4x32xbf16>
  %z = task.linear ins(%y, %w : tensor<4x32xbf16>, tensor<32x32xbf16>) outs(%f : tensor<4x32xbf16>) -> tensor<4x32xbf16>
  return %z : tensor<4x32xbf16>
}

// -----

// CHECK-LABEL: func.func @argument
// CHECK-NOT: f32
// REMARK: remark: the residual stream keeps
func.func @argument(%x: tensor<4x32xbf16>, %w: tensor<32x32xbf16>) -> tensor<4x32xbf16> {
  %e = tensor.empty() : tensor<4x32xbf16>
  %y = task.linear ins(%x, %w : tensor<4x32xbf16>, tensor<32x32xbf16>) residual(%x : tensor<4x32xbf16>) outs(%e : tensor<4x32xbf16>) -> tensor<4x32xbf16>
  return %y : tensor<4x32xbf16>
}
