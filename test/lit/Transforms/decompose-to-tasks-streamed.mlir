// RUN: etc-opt %s --decompose-to-tasks="workers=16 linear-rows=16 streamed-bytes=98304 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: etc-opt %s --decompose-to-tasks="workers=16 linear-rows=16 streamed-bytes=98304 tokens=4 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: etc-opt %s --decompose-to-tasks="workers=16 linear-rows=16 streamed-bytes=98304 tokens=8 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,EIGHT
// RUN: etc-opt %s --decompose-to-tasks="workers=16 linear-rows=16 streamed-bytes=98303 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,LESS
// RUN: etc-opt %s --decompose-to-tasks="workers=16 linear-rows=16 print-tiles" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,APART

// 48 row tiles of 32 KiB for 16 workers: where a worker has the three it gets under way at
// once, and there is room for the sums of their tokens, they are one task. Of 40 tiles the
// last worker would get one of three; one of 4 KiB is alone on its worker; five are too many.
// ONE: remark: @linear_0: grid affine_map<()[s0] -> (16)>, tile 0x48,
// EIGHT: remark: @linear_0: grid affine_map<()[s0] -> (48)>, tile 0x16,
// LESS: remark: @linear_0: grid affine_map<()[s0] -> (48)>, tile 0x16,
// APART: remark: @linear_0: grid affine_map<()[s0] -> (48)>, tile 0x16,
// CHECK: remark: @linear_1: grid affine_map<()[s0] -> (40)>, tile 0x16,
// CHECK: remark: @linear_2: grid affine_map<()[s0] -> (16)>, tile 0x16,
// CHECK: remark: @linear_3: grid affine_map<()[s0] -> (80)>, tile 0x16,
func.func @step(
    %x: tensor<?x1024xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 1024)>},
    %s: tensor<?x128xbf16> {task.name = "s", task.role = "input", task.shape = affine_map<()[T] -> (T, 128)>},
    %w0: tensor<768x1024xbf16> {task.name = "w0", task.role = "weight", task.shape = affine_map<() -> (768, 1024)>},
    %w1: tensor<640x1024xbf16> {task.name = "w1", task.role = "weight", task.shape = affine_map<() -> (640, 1024)>},
    %w2: tensor<256x128xbf16> {task.name = "w2", task.role = "weight", task.shape = affine_map<() -> (256, 128)>},
    %w3: tensor<1280x128xbf16> {task.name = "w3", task.role = "weight", task.shape = affine_map<() -> (1280, 128)>})
    -> (tensor<?x768xbf16> {task.name = "y0"}, tensor<?x640xbf16> {task.name = "y1"}, tensor<?x256xbf16> {task.name = "y2"},
        tensor<?x1280xbf16> {task.name = "y3"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 16>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x1024xbf16>
  %e0 = tensor.empty(%T) : tensor<?x768xbf16>
  %y0 = task.linear ins(%x, %w0 : tensor<?x1024xbf16>, tensor<768x1024xbf16>) outs(%e0 : tensor<?x768xbf16>) -> tensor<?x768xbf16>
  %e1 = tensor.empty(%T) : tensor<?x640xbf16>
  %y1 = task.linear ins(%x, %w1 : tensor<?x1024xbf16>, tensor<640x1024xbf16>) outs(%e1 : tensor<?x640xbf16>) -> tensor<?x640xbf16>
  %e2 = tensor.empty(%T) : tensor<?x256xbf16>
  %y2 = task.linear ins(%s, %w2 : tensor<?x128xbf16>, tensor<256x128xbf16>) outs(%e2 : tensor<?x256xbf16>) -> tensor<?x256xbf16>
  %e3 = tensor.empty(%T) : tensor<?x1280xbf16>
  %y3 = task.linear ins(%s, %w3 : tensor<?x128xbf16>, tensor<1280x128xbf16>) outs(%e3 : tensor<?x1280xbf16>) -> tensor<?x1280xbf16>
  return %y0, %y1, %y2, %y3 : tensor<?x768xbf16>, tensor<?x640xbf16>, tensor<?x256xbf16>, tensor<?x1280xbf16>
}
