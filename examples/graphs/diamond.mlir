// A fork and a join: rows are scaled, then shifted on one side and summed on the other;
// the join needs both.

#row = affine_map<(r, c) -> (r, c)>
#first = affine_map<(r, c) -> (r)>
!rows = memref<?x128xf32, strided<[128, 1], offset: ?>>
!sums = memref<?xf32, strided<[1], offset: ?>>

task.func @scale(%i: index, %x: !rows, %a: !rows) {
  linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%x : !rows) outs(%a : !rows) {
  ^bb0(%in: f32, %old: f32):
    %two = arith.constant 2.0 : f32
    %s = arith.mulf %in, %two : f32
    linalg.yield %s : f32
  }
  task.return
}
task.func @shift(%i: index, %a: !rows, %b: !rows) {
  linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
    ins(%a : !rows) outs(%b : !rows) {
  ^bb0(%in: f32, %old: f32):
    %one = arith.constant 1.0 : f32
    %s = arith.addf %in, %one : f32
    linalg.yield %s : f32
  }
  task.return
}
task.func @sum(%i: index, %a: !rows, %c: !sums) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : !sums)
  linalg.generic {indexing_maps = [#row, #first], iterator_types = ["parallel", "reduction"]}
    ins(%a : !rows) outs(%c : !sums) {
  ^bb0(%in: f32, %acc: f32):
    %s = arith.addf %in, %acc : f32
    linalg.yield %s : f32
  }
  task.return
}
task.func @join(%i: index, %b: !rows, %c: !sums, %y: !rows) {
  linalg.generic {indexing_maps = [#row, #first, #row], iterator_types = ["parallel", "parallel"]}
    ins(%b, %c : !rows, !sums) outs(%y : !rows) {
  ^bb0(%p: f32, %q: f32, %old: f32):
    %s = arith.mulf %p, %q : f32
    linalg.yield %s : f32
  }
  task.return
}
task.graph @diamond symbols [#task.symbol<"n", 1 to 4096>] {
  %x = task.argument "x" input shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %y = task.argument "y" output shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %a = task.scratch "a" shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %b = task.scratch "b" shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %c = task.scratch "c" shape affine_map<()[n] -> (n)> : memref<?xf32>
  task.launch @scale grid(()[n] -> (n ceildiv 16))
    reads(%x at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>)
    writes(%a at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>) waits() notifies()
  task.launch @shift grid(()[n] -> (n ceildiv 16))
    reads(%a at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>)
    writes(%b at <(i) -> (i * 16, 0) sizes [16, *]> : memref<?x128xf32>) waits() notifies()
  task.launch @sum grid(()[n] -> (n ceildiv 32))
    reads(%a at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x128xf32>)
    writes(%c at <(i) -> (i * 32) sizes [32]> : memref<?xf32>) waits() notifies()
  task.launch @join grid(()[n] -> (n ceildiv 32))
    reads(%b at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x128xf32>, %c at <(i) -> (i * 32) sizes [32]> : memref<?xf32>)
    writes(%y at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x128xf32>) waits() notifies()
}
