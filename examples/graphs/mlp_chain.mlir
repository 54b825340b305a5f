// A gated MLP with its norm and its residual, for 1 to 16 tokens: K of 1024 and 3072
// fill the chunks of the weight stream evenly.

#row = affine_map<(t, n) -> (t, n)>
func.func @mlp_chain(
    %x: tensor<?x1024xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 1024)>},
    %g: tensor<1024xbf16> {task.name = "norm.weight", task.role = "weight", task.shape = affine_map<() -> (1024)>},
    %wg: tensor<3072x1024xbf16> {task.name = "gate.weight", task.role = "weight", task.shape = affine_map<() -> (3072, 1024)>},
    %wu: tensor<3072x1024xbf16> {task.name = "up.weight", task.role = "weight", task.shape = affine_map<() -> (3072, 1024)>},
    %wd: tensor<1024x3072xbf16> {task.name = "down.weight", task.role = "weight", task.shape = affine_map<() -> (1024, 3072)>})
    -> (tensor<?x1024xbf16> {task.name = "y"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 16>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x1024xbf16>
  %narrow = tensor.empty(%T) : tensor<?x1024xbf16>
  %wide = tensor.empty(%T) : tensor<?x3072xbf16>
  %n = task.rms_norm ins(%x, %g : tensor<?x1024xbf16>, tensor<1024xbf16>) outs(%narrow : tensor<?x1024xbf16>) eps 1.0e-6 -> tensor<?x1024xbf16>
  %a = task.linear ins(%n, %wg : tensor<?x1024xbf16>, tensor<3072x1024xbf16>) outs(%wide : tensor<?x3072xbf16>) -> tensor<?x3072xbf16>
  %b = task.linear ins(%n, %wu : tensor<?x1024xbf16>, tensor<3072x1024xbf16>) outs(%wide : tensor<?x3072xbf16>) -> tensor<?x3072xbf16>
  %m = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<?x3072xbf16>, tensor<?x3072xbf16>) outs(%wide : tensor<?x3072xbf16>) {
  ^bb0(%p: bf16, %q: bf16, %o: bf16):
    %one = arith.constant 1.0 : f32
    %z = arith.extf %p : bf16 to f32
    %minus = arith.negf %z : f32
    %e = math.exp %minus : f32
    %below = arith.addf %one, %e : f32
    %silu = arith.divf %z, %below : f32
    %rounded = arith.truncf %silu : f32 to bf16
    %f = arith.extf %rounded : bf16 to f32
    %u = arith.extf %q : bf16 to f32
    %product = arith.mulf %f, %u : f32
    %s = arith.truncf %product : f32 to bf16
    linalg.yield %s : bf16
  } -> tensor<?x3072xbf16>
  %d = task.linear ins(%m, %wd : tensor<?x3072xbf16>, tensor<1024x3072xbf16>) outs(%narrow : tensor<?x1024xbf16>) -> tensor<?x1024xbf16>
  %y = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%x, %d : tensor<?x1024xbf16>, tensor<?x1024xbf16>) outs(%narrow : tensor<?x1024xbf16>) {
  ^bb0(%p: bf16, %q: bf16, %o: bf16):
    %v = arith.extf %p : bf16 to f32
    %w = arith.extf %q : bf16 to f32
    %sum = arith.addf %v, %w : f32
    %s = arith.truncf %sum : f32 to bf16
    linalg.yield %s : bf16
  } -> tensor<?x1024xbf16>
  return %y : tensor<?x1024xbf16>
}
