// RUN: etc-opt %s --decompose-to-tasks="workers=16 linear-rows=16 tokens=8 kept-bytes=65536 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,TWICE
// RUN: etc-opt %s --decompose-to-tasks="workers=16 linear-rows=16 tokens=4 kept-bytes=65536 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,ONCE
// RUN: etc-opt %s --decompose-to-tasks="workers=16 linear-rows=16 tokens=8 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,ONCE

// The input of the first linear is kept in shared memory for all tasks of a run. That of the
// others, 8 x 8192 elements, is not: where tasks of 32 rows leave the workers as busy, half
// as many read it; where they would leave half of the workers idle, they do not.
// CHECK: remark: @linear_0: {{.*}} tile 0x16,
// TWICE: remark: @linear_1: grid affine_map<()[s0] -> (16)>, tile 0x32,
// ONCE: remark: @linear_1: grid affine_map<()[s0] -> (32)>, tile 0x16,
// CHECK: remark: @linear_{{[12]}}: grid affine_map<()[s0] -> (16)>, tile 0x16,
func.func @step(
    %x: tensor<?x4096xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 4096)>},
    %w0: tensor<8192x4096xbf16> {task.name = "w0", task.role = "weight", task.shape = affine_map<() -> (8192, 4096)>},
    %w1: tensor<512x8192xbf16> {task.name = "w1", task.role = "weight", task.shape = affine_map<() -> (512, 8192)>},
    %w2: tensor<256x8192xbf16> {task.name = "w2", task.role = "weight", task.shape = affine_map<() -> (256, 8192)>})
    -> (tensor<?x512xbf16> {task.name = "y"}, tensor<?x256xbf16> {task.name = "z"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 16>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x4096xbf16>
  %e0 = tensor.empty(%T) : tensor<?x8192xbf16>
  %h = task.linear ins(%x, %w0 : tensor<?x4096xbf16>, tensor<8192x4096xbf16>) outs(%e0 : tensor<?x8192xbf16>) -> tensor<?x8192xbf16>
  %e1 = tensor.empty(%T) : tensor<?x512xbf16>
  %y = task.linear ins(%h, %w1 : tensor<?x8192xbf16>, tensor<512x8192xbf16>) outs(%e1 : tensor<?x512xbf16>) -> tensor<?x512xbf16>
  %e2 = tensor.empty(%T) : tensor<?x256xbf16>
  %z = task.linear ins(%h, %w2 : tensor<?x8192xbf16>, tensor<256x8192xbf16>) outs(%e2 : tensor<?x256xbf16>) -> tensor<?x256xbf16>
  return %y, %z : tensor<?x512xbf16>, tensor<?x256xbf16>
}
