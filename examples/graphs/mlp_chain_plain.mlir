// The gated MLP of mlp_chain.mlir with rows that are no multiple of 16 columns: nothing is
// streamed, and the last task of a projection has fewer rows than the others.

#row = affine_map<(t, n) -> (t, n)>
func.func @mlp_chain_plain(
    %x: tensor<?x40xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 40)>},
    %g: tensor<40xbf16> {task.name = "norm.weight", task.role = "weight", task.shape = affine_map<() -> (40)>},
    %wg: tensor<72x40xbf16> {task.name = "gate.weight", task.role = "weight", task.shape = affine_map<() -> (72, 40)>},
    %wu: tensor<72x40xbf16> {task.name = "up.weight", task.role = "weight", task.shape = affine_map<() -> (72, 40)>},
    %wd: tensor<40x72xbf16> {task.name = "down.weight", task.role = "weight", task.shape = affine_map<() -> (40, 72)>},
    %bd: tensor<40xbf16> {task.name = "down.bias", task.role = "weight", task.shape = affine_map<() -> (40)>})
    -> (tensor<?x40xbf16> {task.name = "y"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 16>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x40xbf16>
  %narrow = tensor.empty(%T) : tensor<?x40xbf16>
  %wide = tensor.empty(%T) : tensor<?x72xbf16>
  %n = task.rms_norm ins(%x, %g : tensor<?x40xbf16>, tensor<40xbf16>) outs(%narrow : tensor<?x40xbf16>) eps 1.0e-6 -> tensor<?x40xbf16>
  %a = task.linear ins(%n, %wg : tensor<?x40xbf16>, tensor<72x40xbf16>) outs(%wide : tensor<?x72xbf16>) -> tensor<?x72xbf16>
  %b = task.linear ins(%n, %wu : tensor<?x40xbf16>, tensor<72x40xbf16>) outs(%wide : tensor<?x72xbf16>) -> tensor<?x72xbf16>
  %m = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<?x72xbf16>, tensor<?x72xbf16>) outs(%wide : tensor<?x72xbf16>) {
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
  } -> tensor<?x72xbf16>
  %d = task.linear ins(%m, %wd : tensor<?x72xbf16>, tensor<40x72xbf16>) bias(%bd : tensor<40xbf16>) outs(%narrow : tensor<?x40xbf16>) -> tensor<?x40xbf16>
  %y = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%x, %d : tensor<?x40xbf16>, tensor<?x40xbf16>) outs(%narrow : tensor<?x40xbf16>) {
  ^bb0(%p: bf16, %q: bf16, %o: bf16):
    %v = arith.extf %p : bf16 to f32
    %w = arith.extf %q : bf16 to f32
    %sum = arith.addf %v, %w : f32
    %s = arith.truncf %sum : f32 to bf16
    linalg.yield %s : bf16
  } -> tensor<?x40xbf16>
  return %y : tensor<?x40xbf16>
}
