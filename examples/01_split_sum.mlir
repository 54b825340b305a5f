// The row sums of a matrix in two launches: four partial sums a row, then their sum. No event stands
// here: infer-events derives from the regions that block i of @final needs the four tasks (i, *) of
// @partial, and no other.
// etc-opt examples/01_split_sum.mlir --pipeline-events

task.func @partial(%i: index, %j: index,
                   %a: memref<?x32xf32, strided<[128, 1], offset: ?>>,
                   %b: memref<?x1xf32, strided<[4, 1], offset: ?>>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%b : memref<?x1xf32, strided<[4, 1], offset: ?>>)
  linalg.generic {
    indexing_maps = [affine_map<(r, c, k) -> (r, k)>, affine_map<(r, c, k) -> (r, c)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a : memref<?x32xf32, strided<[128, 1], offset: ?>>)
    outs(%b : memref<?x1xf32, strided<[4, 1], offset: ?>>) {
  ^bb0(%x: f32, %acc: f32):
    %s = arith.addf %x, %acc : f32
    linalg.yield %s : f32
  }
  task.return
}
task.func @final(%i: index, %b: memref<?x4xf32, strided<[4, 1], offset: ?>>,
                 %c: memref<?xf32, strided<[1], offset: ?>>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<?xf32, strided<[1], offset: ?>>)
  linalg.generic {
    indexing_maps = [affine_map<(r, k) -> (r, k)>, affine_map<(r, k) -> (r)>],
    iterator_types = ["parallel", "reduction"]}
    ins(%b : memref<?x4xf32, strided<[4, 1], offset: ?>>)
    outs(%c : memref<?xf32, strided<[1], offset: ?>>) {
  ^bb0(%x: f32, %acc: f32):
    %s = arith.addf %x, %acc : f32
    linalg.yield %s : f32
  }
  task.return
}
task.graph @split_sum symbols [#task.symbol<"n", 1 to 4096>] {
  %A = task.argument "A" input shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %C = task.argument "C" output shape affine_map<()[n] -> (n)> : memref<?xf32>
  %B = task.scratch "B" shape affine_map<()[n] -> (n, 4)> : memref<?x4xf32>
  task.launch @partial grid(()[n] -> (n ceildiv 32, 4))
    reads(%A at <(i, j) -> (i * 32, j * 32) sizes [32, 32]> : memref<?x128xf32>)
    writes(%B at <(i, j) -> (i * 32, j) sizes [32, 1]> : memref<?x4xf32>)
    waits() notifies()
  task.launch @final grid(()[n] -> (n ceildiv 32))
    reads(%B at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x4xf32>)
    writes(%C at <(i) -> (i * 32) sizes [32]> : memref<?xf32>)
    waits() notifies()
}
