// A scratch that is written twice: the column sums of what it holds first must be taken
// before any task overwrites it.

#row = affine_map<(r, c) -> (r, c)>
#column = affine_map<(r, c) -> (c)>
!rows = memref<?x128xf32, strided<[128, 1], offset: ?>>
!columns = memref<?x32xf32, strided<[128, 1], offset: ?>>
!sums = memref<32xf32, strided<[1], offset: ?>>

task.func @first(%i: index, %x: !rows, %s: !rows) {
  linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%x : !rows) outs(%s : !rows) {
  ^bb0(%in: f32, %old: f32):
    %one = arith.constant 1.0 : f32
    %v = arith.addf %in, %one : f32
    linalg.yield %v : f32
  }
  task.return
}
task.func @reduce(%j: index, %s: !columns, %r: !sums) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%r : !sums)
  linalg.generic {indexing_maps = [#row, #column], iterator_types = ["reduction", "parallel"]}
    ins(%s : !columns) outs(%r : !sums) {
  ^bb0(%in: f32, %acc: f32):
    %v = arith.addf %in, %acc : f32
    linalg.yield %v : f32
  }
  task.return
}
task.func @second(%i: index, %x: !rows, %s: !rows) {
  linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%x : !rows) outs(%s : !rows) {
  ^bb0(%in: f32, %old: f32):
    %two = arith.constant 2.0 : f32
    %v = arith.mulf %in, %two : f32
    linalg.yield %v : f32
  }
  task.return
}
task.func @add(%i: index, %s: !rows, %r: memref<128xf32>, %y: !rows) {
  linalg.generic {indexing_maps = [#row, #column, #row], iterator_types = ["parallel", "parallel"]}
    ins(%s, %r : !rows, memref<128xf32>) outs(%y : !rows) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %v = arith.addf %p, %q : f32
    linalg.yield %v : f32
  }
  task.return
}
task.graph @war symbols [#task.symbol<"n", 1 to 2048>] {
  %x = task.argument "x" input shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %y = task.argument "y" output shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %s = task.scratch "s" shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %r = task.scratch "r" shape affine_map<() -> (128)> : memref<128xf32>
  task.launch @first grid(()[n] -> (n ceildiv 16))
    reads(%x at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>)
    writes(%s at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>) waits() notifies()
  task.launch @reduce grid(()[n] -> (4))
    reads(%s at <(j) -> (0, j * 32) sizes [*, 32]> : memref<?x128xf32>)
    writes(%r at <(j) -> (j * 32) sizes [32]> : memref<128xf32>) waits() notifies()
  task.launch @second grid(()[n] -> (n ceildiv 16))
    reads(%x at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>)
    writes(%s at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>) waits() notifies()
  task.launch @add grid(()[n] -> (n ceildiv 16))
    reads(%s at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>, %r at <(i) -> (0) sizes [*]> : memref<128xf32>)
    writes(%y at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>) waits() notifies()
}
