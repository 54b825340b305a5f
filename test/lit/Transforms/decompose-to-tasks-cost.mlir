// RUN: etc-opt %s --decompose-to-tasks="workers=8 print-tiles" -o /dev/null 2>&1 | FileCheck %s
// RUN: etc-opt %s --decompose-to-tasks="workers=32 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefix=MANY

// Heads are worth a task each only where their bytes are worth the start of a
// task; a weight is cut where that fills the workers, evenly if it can be.

// Up to four tokens of twelve heads: in groups of six they are at most one wave.
// CHECK: @rms_norm_0: grid affine_map<()[s0] -> (s0, 2)>, tile 1x6,
// 192 rows in 16s: 12 tasks on 8 workers would take two waves, 6 of 32 take one.
// CHECK: @linear_0: grid affine_map<()[s0] -> (6)>, tile 0x32,
// MANY: @linear_0: grid affine_map<()[s0] -> (12)>, tile 0x16,
// 40 rows have no even cut: the last task gets 8.
// CHECK: @linear_1: grid affine_map<()[s0] -> (3)>, tile 0x16,
func.func @step(
    %x: tensor<?x12x64xf32> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 12, 64)>},
    %g: tensor<64xf32> {task.name = "g", task.role = "weight", task.shape = affine_map<() -> (64)>},
    %w0: tensor<192x768xf32> {task.name = "w.0", task.role = "weight", task.shape = affine_map<() -> (192, 768)>},
    %w1: tensor<40x768xf32> {task.name = "w.1", task.role = "weight", task.shape = affine_map<() -> (40, 768)>})
    -> (tensor<?x192xf32> {task.name = "y"}, tensor<?x40xf32> {task.name = "z"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 4>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x12x64xf32>
  %e = tensor.empty(%T) : tensor<?x12x64xf32>
  %n = task.rms_norm ins(%x, %g : tensor<?x12x64xf32>, tensor<64xf32>) outs(%e : tensor<?x12x64xf32>) eps 1.0e-6 -> tensor<?x12x64xf32>
  %f = tensor.collapse_shape %n [[0], [1, 2]] : tensor<?x12x64xf32> into tensor<?x768xf32>
  %e0 = tensor.empty(%T) : tensor<?x192xf32>
  %y = task.linear ins(%f, %w0 : tensor<?x768xf32>, tensor<192x768xf32>) outs(%e0 : tensor<?x192xf32>) -> tensor<?x192xf32>
  %e1 = tensor.empty(%T) : tensor<?x40xf32>
  %z = task.linear ins(%f, %w1 : tensor<?x768xf32>, tensor<40x768xf32>) outs(%e1 : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %y, %z : tensor<?x192xf32>, tensor<?x40xf32>
}
