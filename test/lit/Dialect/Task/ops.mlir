// RUN: etc-opt %s | etc-opt | FileCheck %s
// RUN: etc-opt %s --mlir-print-op-generic | etc-opt | FileCheck %s

// The split row sum of the Event Tensor paper: four partial sums a row, then
// their sum, ordered by one event per block of 32 rows.

// CHECK-LABEL: task.func @partial
// CHECK: task.return
task.func @partial(%i: index, %j: index,
                   %a: memref<?x32xf32, strided<[128, 1], offset: ?>>,
                   %b: memref<?x1xf32, strided<[4, 1], offset: ?>>) {
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
  task.ready
  task.return
}

// CHECK-LABEL: task.graph @split_sum symbols [#task.symbol<"n", 1 to 4096>]
task.graph @split_sum symbols [#task.symbol<"n", 1 to 4096>] {
  // CHECK: task.argument "A" input shape
  %A = task.argument "A" input shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %C = task.argument "C" output shape affine_map<()[n] -> (n)> : memref<?xf32>
  // CHECK: task.scratch "B" shape #{{.*}} at 256
  %B = task.scratch "B" shape affine_map<()[n] -> (n, 4)> at 256 : memref<?x4xf32>
  // CHECK: event.create "partial" shape {{.*}} count {{.*}} reuse(banked) : !event.tensor<?>
  %E = event.create "partial" shape affine_map<()[n] -> (n ceildiv 32)>
    count affine_map<()[n] -> (4)> reuse(banked) : !event.tensor<?>
  // CHECK: task.launch @partial grid(()[s0] -> (s0 ceildiv 32, 4))
  // CHECK-SAME: reads(%{{.*}} at <(d0, d1) -> (d0 * 32, d1 * 32) sizes [32, 32]> : memref<?x128xf32>)
  // CHECK-SAME: notifies(%{{.*}} at (d0, d1) -> (d0) : !event.tensor<?>)
  task.launch @partial grid(()[n] -> (n ceildiv 32, 4))
    reads(%A at <(i, j) -> (i * 32, j * 32) sizes [32, 32]> : memref<?x128xf32>)
    writes(%B at <(i, j) -> (i * 32, j) sizes [32, 1]> : memref<?x4xf32>)
    waits() notifies(%E at (i, j) -> (i) : !event.tensor<?>)
  // CHECK: sizes [32, *]
  // CHECK: waits(%{{.*}} at (d0) -> (d0) guards 0 : !event.tensor<?>)
  task.launch @final grid(()[n] -> (n ceildiv 32))
    reads(%B at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x4xf32>)
    writes(%C at <(i) -> (i * 32) sizes [32]> : memref<?xf32>)
    waits(%E at (i) -> (i) guards 0 : !event.tensor<?>) notifies()
}

// CHECK: task.schedule @split_sum bucket [64] policy "round-robin" offsets [0, 1] runs [0, 0, 1, 8]
task.schedule @split_sum bucket [64] policy "round-robin" offsets [0, 1] runs [0, 0, 1, 8]
