// RUN: etc-opt %s --decompose-to-tasks="workers=4" | FileCheck %s
// RUN: etc-opt %s --decompose-to-tasks="workers=4" | etc-opt | FileCheck %s
// RUN: etc-opt %s --decompose-to-tasks="linear-rows=32 tile=generic:1x0 print-tiles" 2>&1 | FileCheck %s --check-prefix=TILE

// The gated MLP of a decoder layer: norm, two projections, product, projection,
// residual. A linear layer keeps all tokens in one task; tails have none here.

// CHECK-LABEL: task.func @rms_norm_0
// CHECK-SAME: index, %{{.*}}: memref<1x384xbf16, strided<[384, 1], offset: ?>>, %{{.*}}: memref<384xbf16>,
// CHECK: task.rms_norm ins(%arg1, %arg2 {{.*}} outs(%arg3
// CHECK-LABEL: task.func @linear_0
// CHECK-SAME: memref<?x384xbf16>, %{{.*}}: memref<192x384xbf16, strided<[384, 1], offset: ?>>,
// CHECK-LABEL: task.func @mul_0
// CHECK: linalg.generic
// CHECK: arith.mulf
// CHECK-LABEL: task.func @linear_1
// CHECK-LABEL: task.func @add_0
// CHECK-NOT: task.func

// CHECK-LABEL: task.graph @step symbols [#task.symbol<"T", 1 to 64>]
// CHECK-DAG: %[[X:.*]] = task.argument "x" input shape {{.*}} : memref<?x384xbf16>
// CHECK-DAG: %[[GATE:.*]] = task.argument "gate.weight" weight
// CHECK-DAG: %[[UP:.*]] = task.argument "up.weight" weight
// CHECK-DAG: %[[Y:.*]] = task.argument "y" output
// CHECK: task.launch @rms_norm_0 grid(()[s0] -> (s0))
// CHECK-SAME: reads(%[[X]] at <(d0) -> (d0, 0) sizes [1, *]>
// CHECK: %[[A:.*]] = task.scratch "linear.0"
// CHECK: task.launch @linear_0 grid(()[s0] -> (4))
// CHECK-SAME: %[[GATE]] at <(d0) -> (d0 * 192, 0) sizes [192, *]>
// CHECK-SAME: writes(%[[A]] at <(d0) -> (0, d0 * 192) sizes [*, 192]>
// CHECK: task.launch @linear_0 {{.*}} %[[UP]] at
// CHECK: task.launch @mul_0 grid(()[s0] -> (4))
// CHECK: task.launch @linear_1 grid(()[s0] -> (4))
// The returned tensor is written where the caller wants it.
// CHECK: task.launch @add_0 {{.*}} writes(%[[Y]] at

// TILE: remark: @linear_0: grid affine_map<()[s0] -> (24)>, tile 0x32, at most
// TILE: remark: @mul_0: grid affine_map<()[s0] -> (s0)>, tile 1x0, at most 4608 bytes a task

#row = affine_map<(t, n) -> (t, n)>
func.func @step(
    %x: tensor<?x384xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 384)>},
    %g: tensor<384xbf16> {task.name = "norm.weight", task.role = "weight", task.shape = affine_map<() -> (384)>},
    %wg: tensor<768x384xbf16> {task.name = "gate.weight", task.role = "weight", task.shape = affine_map<() -> (768, 384)>},
    %wu: tensor<768x384xbf16> {task.name = "up.weight", task.role = "weight", task.shape = affine_map<() -> (768, 384)>},
    %wd: tensor<384x768xbf16> {task.name = "down.weight", task.role = "weight", task.shape = affine_map<() -> (384, 768)>})
    -> (tensor<?x384xbf16> {task.name = "y"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 64>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x384xbf16>
  %e0 = tensor.empty(%T) : tensor<?x384xbf16>
  %n = task.rms_norm ins(%x, %g : tensor<?x384xbf16>, tensor<384xbf16>) outs(%e0 : tensor<?x384xbf16>) eps 1.0e-6 -> tensor<?x384xbf16>
  %e1 = tensor.empty(%T) : tensor<?x768xbf16>
  %a = task.linear ins(%n, %wg : tensor<?x384xbf16>, tensor<768x384xbf16>) outs(%e1 : tensor<?x768xbf16>) -> tensor<?x768xbf16>
  %b = task.linear ins(%n, %wu : tensor<?x384xbf16>, tensor<768x384xbf16>) outs(%e1 : tensor<?x768xbf16>) -> tensor<?x768xbf16>
  %m = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<?x768xbf16>, tensor<?x768xbf16>) outs(%e1 : tensor<?x768xbf16>) {
  ^bb0(%p: bf16, %q: bf16, %o: bf16):
    %s = arith.mulf %p, %q : bf16
    linalg.yield %s : bf16
  } -> tensor<?x768xbf16>
  %d = task.linear ins(%m, %wd : tensor<?x768xbf16>, tensor<384x768xbf16>) outs(%e0 : tensor<?x384xbf16>) -> tensor<?x384xbf16>
  %y = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%x, %d : tensor<?x384xbf16>, tensor<?x384xbf16>) outs(%e0 : tensor<?x384xbf16>) {
  ^bb0(%p: bf16, %q: bf16, %o: bf16):
    %s = arith.addf %p, %q : bf16
    linalg.yield %s : bf16
  } -> tensor<?x384xbf16>
  return %y : tensor<?x384xbf16>
}
