// One projection of 2 GiB of weights for one token: how fast a GPU's memory streams through the
// ring, with nothing to wait for. The ceiling that benchmarks/stream.py measures.

func.func @stream(
    %x: tensor<1x4096xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (1, 4096)>},
    %w: tensor<262144x4096xbf16> {task.name = "weight", task.role = "weight", task.shape = affine_map<() -> (262144, 4096)>})
    -> (tensor<1x262144xbf16> {task.name = "y"}) attributes {task.symbols = []} {
  %e = tensor.empty() : tensor<1x262144xbf16>
  %y = task.linear ins(%x, %w : tensor<1x4096xbf16>, tensor<262144x4096xbf16>)
    outs(%e : tensor<1x262144xbf16>) -> tensor<1x262144xbf16>
  return %y : tensor<1x262144xbf16>
}
