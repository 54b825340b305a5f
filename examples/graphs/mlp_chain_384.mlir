// The gated MLP of mlp_chain.mlir at a width whose chunks are all partly filled.

#row = affine_map<(t, n) -> (t, n)>
func.func @mlp_chain_384(
    %x: tensor<?x384xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 384)>},
    %g: tensor<384xbf16> {task.name = "norm.weight", task.role = "weight", task.shape = affine_map<() -> (384)>},
    %wg: tensor<1536x384xbf16> {task.name = "gate.weight", task.role = "weight", task.shape = affine_map<() -> (1536, 384)>},
    %wu: tensor<1536x384xbf16> {task.name = "up.weight", task.role = "weight", task.shape = affine_map<() -> (1536, 384)>},
    %wd: tensor<384x1536xbf16> {task.name = "down.weight", task.role = "weight", task.shape = affine_map<() -> (384, 1536)>})
    -> (tensor<?x384xbf16> {task.name = "y"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 16>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x384xbf16>
  %narrow = tensor.empty(%T) : tensor<?x384xbf16>
  %wide = tensor.empty(%T) : tensor<?x1536xbf16>
  %n = task.rms_norm ins(%x, %g : tensor<?x384xbf16>, tensor<384xbf16>) outs(%narrow : tensor<?x384xbf16>) eps 1.0e-6 -> tensor<?x384xbf16>
  %a = task.linear ins(%n, %wg : tensor<?x384xbf16>, tensor<1536x384xbf16>) outs(%wide : tensor<?x1536xbf16>) -> tensor<?x1536xbf16>
  %b = task.linear ins(%n, %wu : tensor<?x384xbf16>, tensor<1536x384xbf16>) outs(%wide : tensor<?x1536xbf16>) -> tensor<?x1536xbf16>
  %m = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<?x1536xbf16>, tensor<?x1536xbf16>) outs(%wide : tensor<?x1536xbf16>) {
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
  } -> tensor<?x1536xbf16>
  %d = task.linear ins(%m, %wd : tensor<?x1536xbf16>, tensor<384x1536xbf16>) outs(%narrow : tensor<?x384xbf16>) -> tensor<?x384xbf16>
  %y = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%x, %d : tensor<?x384xbf16>, tensor<?x384xbf16>) outs(%narrow : tensor<?x384xbf16>) {
  ^bb0(%p: bf16, %q: bf16, %o: bf16):
    %v = arith.extf %p : bf16 to f32
    %w = arith.extf %q : bf16 to f32
    %sum = arith.addf %v, %w : f32
    %s = arith.truncf %sum : f32 to bf16
    linalg.yield %s : bf16
  } -> tensor<?x384xbf16>
  return %y : tensor<?x384xbf16>
}
