// RUN: etc-opt %s --decompose-to-tasks="tile=linear:0x32" --verify-events | FileCheck %s
// RUN: not etc-opt %s --decompose-to-tasks="tile=linear:0x24" 2>&1 | FileCheck %s --check-prefix=CUT

// A task has the best of its own outputs, so no two tasks write the same word and the events
// know which.
// CHECK: task.func @linear_0({{.*}} %{{.*}}: memref<2x2xi32, strided<[8, 1], offset: ?>>)
// CHECK: task.launch @linear_0 grid(() -> (4))
// CHECK-SAME: writes(%{{.*}} at <(d0) -> (0, d0 * 32) sizes [*, 32]> : memref<2x128xbf16>, %{{.*}} at <(d0) -> (0, d0 * 2) sizes [*, 2]> : memref<2x8xi32>)

// CUT: error: 'task.linear' op tile 0x24 cuts what 16 of dimension 1 share

func.func @greedy(
    %x: tensor<2x64xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (2, 64)>},
    %w: tensor<128x64xbf16> {task.name = "w", task.role = "weight", task.shape = affine_map<() -> (128, 64)>})
    -> (tensor<2x128xbf16> {task.name = "logits"}, tensor<2x8xi32> {task.name = "best"}) attributes {task.symbols = []} {
  %e = tensor.empty() : tensor<2x128xbf16>
  %b = tensor.empty() : tensor<2x8xi32>
  %l:2 = task.linear ins(%x, %w : tensor<2x64xbf16>, tensor<128x64xbf16>)
    outs(%e : tensor<2x128xbf16>) best(%b : tensor<2x8xi32>) -> tensor<2x128xbf16>, tensor<2x8xi32>
  return %l#0, %l#1 : tensor<2x128xbf16>, tensor<2x8xi32>
}
