// The gated MLP of mlp_chain.mlir with 3 and 25 blocks of 16 columns for 8 warps: some
// get one more than others, and some none. The last projection has a bias.

#row = affine_map<(t, n) -> (t, n)>
func.func @mlp_chain_odd(
    %x: tensor<?x48xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 48)>},
    %g: tensor<48xbf16> {task.name = "norm.weight", task.role = "weight", task.shape = affine_map<() -> (48)>},
    %wg: tensor<400x48xbf16> {task.name = "gate.weight", task.role = "weight", task.shape = affine_map<() -> (400, 48)>},
    %wu: tensor<400x48xbf16> {task.name = "up.weight", task.role = "weight", task.shape = affine_map<() -> (400, 48)>},
    %wd: tensor<48x400xbf16> {task.name = "down.weight", task.role = "weight", task.shape = affine_map<() -> (48, 400)>},
    %bd: tensor<48xbf16> {task.name = "down.bias", task.role = "weight", task.shape = affine_map<() -> (48)>})
    -> (tensor<?x48xbf16> {task.name = "y"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 16>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x48xbf16>
  %narrow = tensor.empty(%T) : tensor<?x48xbf16>
  %wide = tensor.empty(%T) : tensor<?x400xbf16>
  %n = task.rms_norm ins(%x, %g : tensor<?x48xbf16>, tensor<48xbf16>) outs(%narrow : tensor<?x48xbf16>) eps 1.0e-6 -> tensor<?x48xbf16>
  %a = task.linear ins(%n, %wg : tensor<?x48xbf16>, tensor<400x48xbf16>) outs(%wide : tensor<?x400xbf16>) -> tensor<?x400xbf16>
  %b = task.linear ins(%n, %wu : tensor<?x48xbf16>, tensor<400x48xbf16>) outs(%wide : tensor<?x400xbf16>) -> tensor<?x400xbf16>
  %m = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<?x400xbf16>, tensor<?x400xbf16>) outs(%wide : tensor<?x400xbf16>) {
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
  } -> tensor<?x400xbf16>
  %d = task.linear ins(%m, %wd : tensor<?x400xbf16>, tensor<48x400xbf16>) bias(%bd : tensor<48xbf16>) outs(%narrow : tensor<?x48xbf16>) -> tensor<?x48xbf16>
  %y = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%x, %d : tensor<?x48xbf16>, tensor<?x48xbf16>) outs(%narrow : tensor<?x48xbf16>) {
  ^bb0(%p: bf16, %q: bf16, %o: bf16):
    %v = arith.extf %p : bf16 to f32
    %w = arith.extf %q : bf16 to f32
    %sum = arith.addf %v, %w : f32
    %s = arith.truncf %sum : f32 to bf16
    linalg.yield %s : bf16
  } -> tensor<?x48xbf16>
  return %y : tensor<?x48xbf16>
}
