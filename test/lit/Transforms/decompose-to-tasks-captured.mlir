// RUN: etc-opt %s --decompose-to-tasks | FileCheck %s

// A constant of the step that an operator's region uses: canonicalize hoists them.
// CHECK-LABEL: task.func @mul_0
// CHECK: %[[TWO:.*]] = arith.constant 2.0
// CHECK: linalg.generic
// CHECK: arith.mulf %{{.*}}, %[[TWO]]
// CHECK: task.return
#id = affine_map<(i) -> (i)>
func.func @step(%x: tensor<4xf32> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (4)>})
    -> (tensor<4xf32> {task.name = "y"}) attributes {task.symbols = []} {
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %b = arith.mulf %a, %two : f32
    linalg.yield %b : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
