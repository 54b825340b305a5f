// RUN: etc-opt %s | etc-opt | FileCheck %s
// RUN: etc-opt %s --mlir-print-op-generic | etc-opt | FileCheck %s

// Every operator on tensors, and the same operators on the views of a tile.

// CHECK-LABEL: func.func @tensors
func.func @tensors(%ids: tensor<?xi64>, %table: tensor<100x64xf32>, %x: tensor<?x64xf32>,
                   %norm: tensor<64xf32>, %w: tensor<64x64xf32>, %bias: tensor<64xf32>,
                   %freq: tensor<8xf32>, %t: tensor<?x16xf32>, %q: tensor<?x4x16xf32>,
                   %k: tensor<?x2x16xf32>, %blocks: tensor<2x8xi64>,
                   %cache: tensor<9x2x2x4x16xf32>, %rows: tensor<?xi64>, %head_norm: tensor<16xf32>) {
  // CHECK: task.embedding ins(%{{.*}}, %{{.*}} : tensor<?xi64>, tensor<100x64xf32>) outs(%{{.*}} : tensor<?x64xf32>) -> tensor<?x64xf32>
  %0 = task.embedding ins(%ids, %table : tensor<?xi64>, tensor<100x64xf32>)
    outs(%x : tensor<?x64xf32>) -> tensor<?x64xf32>
  // CHECK: task.rms_norm ins({{.*}}) outs({{.*}}) eps 9.99{{.*}}E-7 -> tensor<?x64xf32>
  %1 = task.rms_norm ins(%0, %norm : tensor<?x64xf32>, tensor<64xf32>)
    outs(%x : tensor<?x64xf32>) eps 1.0e-6 -> tensor<?x64xf32>
  // CHECK: task.rms_norm {{.*}} -> tensor<?x4x16xf32>
  %heads = task.rms_norm ins(%q, %head_norm : tensor<?x4x16xf32>, tensor<16xf32>)
    outs(%q : tensor<?x4x16xf32>) eps 1.0e-6 -> tensor<?x4x16xf32>
  // CHECK: task.linear ins({{.*}}) outs({{.*}}) -> tensor<?x64xf32>
  %2 = task.linear ins(%1, %w : tensor<?x64xf32>, tensor<64x64xf32>)
    outs(%x : tensor<?x64xf32>) -> tensor<?x64xf32>
  // CHECK: task.linear ins({{.*}}) bias(%{{.*}} : tensor<64xf32>) outs({{.*}}) -> tensor<?x64xf32>
  %3 = task.linear ins(%1, %w : tensor<?x64xf32>, tensor<64x64xf32>) bias(%bias : tensor<64xf32>)
    outs(%x : tensor<?x64xf32>) -> tensor<?x64xf32>
  // CHECK: task.rope_table ins({{.*}}) outs({{.*}}) scaling 1.0{{.*}} -> tensor<?x16xf32>, tensor<?x16xf32>
  %cos, %sin = task.rope_table ins(%freq, %ids : tensor<8xf32>, tensor<?xi64>)
    outs(%t, %t : tensor<?x16xf32>, tensor<?x16xf32>) scaling 1.0
    -> tensor<?x16xf32>, tensor<?x16xf32>
  // CHECK: task.rope ins({{.*}}) outs({{.*}}) -> tensor<?x4x16xf32>
  %5 = task.rope ins(%q, %cos, %sin : tensor<?x4x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>)
    outs(%q : tensor<?x4x16xf32>) -> tensor<?x4x16xf32>
  // CHECK: task.kv_append ins({{.*}}) outs({{.*}}) -> tensor<9x2x2x4x16xf32>
  %6 = task.kv_append ins(%k, %k, %ids, %ids, %blocks : tensor<?x2x16xf32>, tensor<?x2x16xf32>,
      tensor<?xi64>, tensor<?xi64>, tensor<2x8xi64>)
    outs(%cache : tensor<9x2x2x4x16xf32>) -> tensor<9x2x2x4x16xf32>
  // CHECK: task.attention ins({{.*}}) outs({{.*}}) scale 2.5{{.*}} -> tensor<?x4x16xf32>
  %7 = task.attention ins(%5, %6, %ids, %ids, %blocks : tensor<?x4x16xf32>,
      tensor<9x2x2x4x16xf32>, tensor<?xi64>, tensor<?xi64>, tensor<2x8xi64>)
    outs(%q : tensor<?x4x16xf32>) scale 0.25 -> tensor<?x4x16xf32>
  // CHECK: task.gather_rows ins({{.*}}) outs({{.*}}) -> tensor<?x64xf32>
  %8 = task.gather_rows ins(%3, %rows : tensor<?x64xf32>, tensor<?xi64>)
    outs(%x : tensor<?x64xf32>) -> tensor<?x64xf32>
  // CHECK: task.argmax ins({{.*}}) outs({{.*}}) -> tensor<?xi64>
  %9 = task.argmax ins(%8 : tensor<?x64xf32>) outs(%rows : tensor<?xi64>) -> tensor<?xi64>
  return
}

// CHECK-LABEL: task.func @memrefs
task.func @memrefs(%i: index, %x: memref<1x64xf32>, %w: memref<8x64xf32>, %ids: memref<1xi64>,
                   %table: memref<100x64xf32>, %y: memref<1x8xf32>, %token: memref<1xi64>) {
  // CHECK: task.stream %{{.*}} : memref<8x64xf32> -> !task.stream<memref<8x64xf32>>
  %s = task.stream %w : memref<8x64xf32> -> !task.stream<memref<8x64xf32>>
  // CHECK: task.ready
  task.ready
  // CHECK: task.embedding ins({{.*}}) outs(%{{.*}} : memref<1x64xf32>){{$}}
  task.embedding ins(%ids, %table : memref<1xi64>, memref<100x64xf32>) outs(%x : memref<1x64xf32>)
  // CHECK: task.linear ins(%{{.*}}, %{{.*}} : memref<1x64xf32>, !task.stream<memref<8x64xf32>>) outs(%{{.*}} : memref<1x8xf32>){{$}}
  task.linear ins(%x, %s : memref<1x64xf32>, !task.stream<memref<8x64xf32>>)
    outs(%y : memref<1x8xf32>)
  // CHECK: task.argmax ins(%{{.*}} : memref<1x8xf32>) outs(%{{.*}} : memref<1xi64>){{$}}
  task.argmax ins(%y : memref<1x8xf32>) outs(%token : memref<1xi64>)
  // CHECK: task.return
  task.return
}
