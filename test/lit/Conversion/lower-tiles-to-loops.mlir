// RUN: etc-opt %s --split-input-file --lower-tiles-to-loops --canonicalize | FileCheck %s

// Two tokens at a time share what is read of four rows of the weight; an odd
// token is left. K is a multiple of 16: no scalar rest.

// CHECK-LABEL: task.func @linear
// CHECK: scf.for {{.*}} step %c4
// CHECK: scf.for {{.*}} step %c2
// CHECK: scf.for {{.*}} step %c16 iter_args
// CHECK-COUNT-6: vector.load {{.*}} vector<16xbf16>
// CHECK-COUNT-8: arith.mulf {{.*}} fastmath<contract> : vector<16xf32>
// CHECK: scf.yield
// CHECK-COUNT-8: vector.reduction <add>, {{.*}} fastmath<reassoc,contract>
// CHECK: arith.truncf {{.*}} : f32 to bf16
// CHECK: scf.for {{.*}} step %c16 iter_args
// CHECK-NOT: iter_args({{.*}}) -> (f32
// CHECK-NOT: task.{{(linear|ready|stream)}}
// CHECK: task.return
task.func @linear(%w: memref<192x384xbf16>, %x: memref<?x384xbf16>, %y: memref<?x192xbf16>) {
  %s = task.stream %w : memref<192x384xbf16> -> !task.stream<memref<192x384xbf16>>
  task.ready
  task.linear ins(%x, %s : memref<?x384xbf16>, !task.stream<memref<192x384xbf16>>) outs(%y : memref<?x192xbf16>)
  task.return
}

// -----

// A rest of K is summed one element at a time; the inner rounding of a norm is
// to the element type.

// CHECK-LABEL: func.func @norm
// CHECK: scf.for {{.*}} to %c32 step %c16 iter_args
// CHECK: vector.reduction <add>
// CHECK: scf.for {{.*}} = %c32 to %c40 step %c1 iter_args({{.*}}) -> (f32)
// CHECK: math.rsqrt
// CHECK: %[[X:.*]] = arith.mulf %{{.*}} : vector<16xf32>
// CHECK: %[[R:.*]] = arith.truncf %[[X]] : vector<16xf32> to vector<16xbf16>
// CHECK: arith.extf %[[R]]
// CHECK: vector.store
func.func @norm(%x: memref<1x40xbf16>, %w: memref<40xbf16>, %y: memref<1x40xbf16>) {
  task.rms_norm ins(%x, %w : memref<1x40xbf16>, memref<40xbf16>) outs(%y : memref<1x40xbf16>) eps 1.0e-6
  return
}

// -----

// Products of rope are rounded before they are added; f32 has nothing to round.

// CHECK-LABEL: func.func @rope
// CHECK-COUNT-4: arith.mulf
// CHECK-NOT: fastmath
// CHECK-NOT: arith.truncf
// CHECK: return
func.func @rope(%x: memref<1x2x64xf32>, %c: memref<1x64xf32>, %y: memref<1x2x64xf32>) {
  task.rope ins(%x, %c, %c : memref<1x2x64xf32>, memref<1x64xf32>, memref<1x64xf32>) outs(%y : memref<1x2x64xf32>)
  return
}

// -----

// Position j is at slot j mod P of page j / P: pages outside, slots inside.

// CHECK-LABEL: func.func @attention
// CHECK: %[[SEQ:.*]] = arith.index_cast
// CHECK: scf.for {{.*}} to %c3
// CHECK: scf.for %[[NUMBER:[^ ]*]] = %c0
// CHECK: memref.load %{{.*}}[%[[SEQ]], %[[NUMBER]]] : memref<4x8xi64>
// CHECK: %[[SLOTS:.*]] = arith.minui
// CHECK: scf.for {{.*}} to %[[SLOTS]]
// CHECK: math.exp
// CHECK: arith.divf {{.*}} : vector<64xf32>
func.func @attention(%q: memref<1x3x64xf32>, %kv: memref<32x1x2x16x64xf32>, %s: memref<1xi64>, %p: memref<1xi64>,
                     %b: memref<4x8xi64>, %y: memref<1x3x64xf32>) {
  task.attention ins(%q, %kv, %s, %p, %b : memref<1x3x64xf32>, memref<32x1x2x16x64xf32>, memref<1xi64>, memref<1xi64>, memref<4x8xi64>)
    outs(%y : memref<1x3x64xf32>) scale 0.125
  return
}
