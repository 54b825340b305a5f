// RUN: etc-opt %s --split-input-file --fuse-operators=workers=12 | FileCheck %s
// RUN: not etc-opt %s --split-input-file --fuse-operators=workers=0 2>&1 | FileCheck %s --check-prefix=WORKERS
// WORKERS: error: fuse-operators: workers is positive

// The norm goes into the gate and the up projection, these and the product are one
// linear of a stack, the residual goes into the down projection.
// CHECK-LABEL: func.func @mlp
// CHECK-SAME: %[[X:.*]]: tensor<?x64xbf16> {task.name = "x"
// CHECK-SAME: %[[G:[a-z0-9]*]]: tensor<64xbf16> {task.name = "norm"
// CHECK-SAME: %[[DOWN:[a-z0-9]*]]: tensor<64x32xbf16> {task.name = "down"
// CHECK-SAME: %[[STACK:[a-z0-9]*]]: tensor<64x64xbf16> {task.name = "gate+up", task.role = "weight", task.shape = {{.*}}, task.stack = #task.stack<["gate", "up"] by 8>}
// CHECK-NOT: task.rms_norm
// CHECK: %[[H:.*]] = task.linear ins(%[[X]], %[[STACK]] : {{.*}}) norm(%[[G]] : tensor<64xbf16>) eps 9.99{{.*}}E-7 outs({{.*}}) gated
// CHECK-NOT: linalg.generic
// CHECK: %[[Y:.*]] = task.linear ins(%[[H]], %[[DOWN]] : {{.*}}) residual(%[[X]] : tensor<?x64xbf16>)
// CHECK-NEXT: return %[[Y]]
#id = affine_map<(t, n) -> (t, n)>
!x = tensor<?x64xbf16>
!h = tensor<?x32xbf16>
func.func @mlp(
    %x: !x {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 64)>},
    %g: tensor<64xbf16> {task.name = "norm", task.role = "weight", task.shape = affine_map<() -> (64)>},
    %wg: tensor<32x64xbf16> {task.name = "gate", task.role = "weight", task.shape = affine_map<() -> (32, 64)>},
    %wu: tensor<32x64xbf16> {task.name = "up", task.role = "weight", task.shape = affine_map<() -> (32, 64)>},
    %wd: tensor<64x32xbf16> {task.name = "down", task.role = "weight", task.shape = affine_map<() -> (64, 32)>})
    -> (!x {task.name = "y"}) attributes {task.symbols = [#task.symbol<"T", 1 to 8>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : !x
  %ex = tensor.empty(%T) : !x
  %eh = tensor.empty(%T) : !h
  %n = task.rms_norm ins(%x, %g : !x, tensor<64xbf16>) outs(%ex : !x) eps 1.0e-6 -> !x
  %a = task.linear ins(%n, %wg : !x, tensor<32x64xbf16>) outs(%eh : !h) -> !h
  %b = task.linear ins(%n, %wu : !x, tensor<32x64xbf16>) outs(%eh : !h) -> !h
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : !h) outs(%eh : !h) {
  ^bb0(%v: bf16, %o: bf16):
    %one = arith.constant 1.0 : f32
    %f = arith.extf %v : bf16 to f32
    %neg = arith.negf %f : f32
    %e = math.exp %neg : f32
    %d = arith.addf %e, %one : f32
    %q = arith.divf %f, %d : f32
    %r = arith.truncf %q : f32 to bf16
    linalg.yield %r : bf16
  } -> !h
  %p = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%s, %b : !h, !h) outs(%eh : !h) {
  ^bb0(%v: bf16, %w: bf16, %o: bf16):
    %m = arith.mulf %v, %w : bf16
    linalg.yield %m : bf16
  } -> !h
  %z = task.linear ins(%p, %wd : !h, tensor<64x32xbf16>) outs(%ex : !x) -> !x
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %z : !x, !x) outs(%ex : !x) {
  ^bb0(%v: bf16, %w: bf16, %o: bf16):
    %m = arith.addf %v, %w : bf16
    linalg.yield %m : bf16
  } -> !x
  return %y : !x
}

// -----

// Rows are gathered before they are normed; what has a bias keeps its norm and its sum.
// CHECK-LABEL: func.func @head
// CHECK: %[[ROWS:.*]] = task.gather_rows ins(%{{.*}}, %{{.*}} : tensor<8x64xf32>, tensor<2xi64>)
// CHECK: %[[N:.*]] = task.rms_norm ins(%[[ROWS]],
// CHECK: task.linear ins(%[[N]], {{.*}}) bias(
// CHECK-NOT: residual
// CHECK: linalg.generic
#id = affine_map<(t, n) -> (t, n)>
!y = tensor<2x64xf32>
func.func @head(
    %x: tensor<8x64xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (8, 64)>},
    %r: tensor<2xi64> {task.name = "r", task.role = "input", task.shape = affine_map<() -> (2)>},
    %g: tensor<64xf32> {task.name = "norm", task.role = "weight", task.shape = affine_map<() -> (64)>},
    %w: tensor<64x64xf32> {task.name = "w", task.role = "weight", task.shape = affine_map<() -> (64, 64)>})
    -> (!y {task.name = "y"}) attributes {task.symbols = []} {
  %ex = tensor.empty() : tensor<8x64xf32>
  %ey = tensor.empty() : !y
  %n = task.rms_norm ins(%x, %g : tensor<8x64xf32>, tensor<64xf32>) outs(%ex : tensor<8x64xf32>) eps 1.0e-6 -> tensor<8x64xf32>
  %rows = task.gather_rows ins(%n, %r : tensor<8x64xf32>, tensor<2xi64>) outs(%ey : !y) -> !y
  %z = task.linear ins(%rows, %w : !y, tensor<64x64xf32>) bias(%g : tensor<64xf32>) outs(%ey : !y) -> !y
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%rows, %z : !y, !y) outs(%ey : !y) {
  ^bb0(%v: f32, %u: f32, %o: f32):
    %m = arith.addf %v, %u : f32
    linalg.yield %m : f32
  } -> !y
  return %y : !y
}

// -----

// The best of each 16 outputs is found where they are made.
// CHECK-LABEL: func.func @greedy
// CHECK: %[[L:.*]]:2 = task.linear {{.*}} outs({{.*}}) best({{.*}} : tensor<2x8xi32>) -> tensor<2x128xbf16>, tensor<2x8xi32>
// CHECK: task.argmax ins(%[[L]]#1 : tensor<2x8xi32>) of 16
func.func @greedy(
    %x: tensor<2x64xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (2, 64)>},
    %w: tensor<128x64xbf16> {task.name = "w", task.role = "weight", task.shape = affine_map<() -> (128, 64)>})
    -> (tensor<2x128xbf16> {task.name = "logits"}, tensor<2xi64> {task.name = "next"}) attributes {task.symbols = []} {
  %e = tensor.empty() : tensor<2x128xbf16>
  %n = tensor.empty() : tensor<2xi64>
  %l = task.linear ins(%x, %w : tensor<2x64xbf16>, tensor<128x64xbf16>) outs(%e : tensor<2x128xbf16>) -> tensor<2x128xbf16>
  %t = task.argmax ins(%l : tensor<2x128xbf16>) outs(%n : tensor<2xi64>) -> tensor<2xi64>
  return %l, %t : tensor<2x128xbf16>, tensor<2xi64>
}
