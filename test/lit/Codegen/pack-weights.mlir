// RUN: etc-opt %s --pack-weights --split-input-file 2>/dev/null | FileCheck %s
// RUN: etc-opt %s --pack-weights --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=WHY

!x = memref<?x32xbf16>
!w = memref<16x32xbf16, strided<[32, 1], offset: ?>>
!y = memref<?x16xbf16, strided<[64, 1], offset: ?>>
task.func @project(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}
task.func @also(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}
task.func @plain(%x: !x, %w: memref<64x32xbf16>, %y: memref<?x64xbf16>) {
  task.linear ins(%x, %w : !x, memref<64x32xbf16>) outs(%y : memref<?x64xbf16>)
  task.return
}
// CHECK-LABEL: task.func @project
// CHECK: task.stream
// CHECK-LABEL: task.func @also
// CHECK-NOT: task.stream
// CHECK-LABEL: task.graph @g
task.graph @g symbols [#task.symbol<"T", 1 to 16>] {
  %x = task.argument "x" input shape affine_map<()[T] -> (T, 32)> : memref<?x32xbf16>
  // CHECK: task.argument "w" weight {{.*}} layout(mma_fragments)
  %w = task.argument "w" weight shape affine_map<() -> (64, 32)> : memref<64x32xbf16>
  // Read as it is by one launch, so that the other cannot stream it; nor what shares
  // the body of the other.
  // CHECK: task.argument "tied" weight shape #{{[a-z0-9]*}} : memref
  // WHY-DAG: 'tied' is not streamed: @plain reads it as it is
  %v = task.argument "tied" weight shape affine_map<() -> (64, 32)> : memref<64x32xbf16>
  // CHECK: task.argument "shares" weight shape #{{[a-z0-9]*}} : memref
  // WHY-DAG: 'shares' is not streamed: it shares @also with 'tied'
  %u = task.argument "shares" weight shape affine_map<() -> (64, 32)> : memref<64x32xbf16>
  %y = task.argument "y" output shape affine_map<()[T] -> (T, 64)> : memref<?x64xbf16>
  task.launch @project grid(()[T] -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<?x32xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<?x64xbf16>) waits() notifies()
  task.launch @also grid(()[T] -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<?x32xbf16>, %v at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<?x64xbf16>) waits() notifies()
  task.launch @also grid(()[T] -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<?x32xbf16>, %u at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<?x64xbf16>) waits() notifies()
  task.launch @plain grid(()[T] -> ()) reads(%x at <() -> (0, 0) sizes [*, *]> : memref<?x32xbf16>, %v at <() -> (0, 0) sizes [*, *]> : memref<64x32xbf16>)
    writes(%y at <() -> (0, 0) sizes [*, *]> : memref<?x64xbf16>) waits() notifies()
}

// -----

// Eight rows at a time; f32; more tokens than the tensor cores' columns here; rows that
// are no multiple of 16 columns.
!x = memref<?x32xbf16>
!w = memref<8x32xbf16, strided<[32, 1], offset: ?>>
!y = memref<?x8xbf16, strided<[64, 1], offset: ?>>
!xf = memref<?x32xf32>
!wf = memref<16x32xf32, strided<[32, 1], offset: ?>>
!yf = memref<?x16xf32, strided<[64, 1], offset: ?>>
!wl = memref<16x32xbf16, strided<[32, 1], offset: ?>>
!yl = memref<?x16xbf16, strided<[64, 1], offset: ?>>
!xo = memref<?x40xbf16>
!wo = memref<16x40xbf16, strided<[40, 1], offset: ?>>
task.func @low(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}
task.func @real(%i: index, %x: !xf, %w: !wf, %y: !yf) {
  %s = task.stream %w : !wf -> !task.stream<!wf>
  task.ready
  task.linear ins(%x, %s : !xf, !task.stream<!wf>) outs(%y : !yf)
  task.return
}
task.func @long(%i: index, %x: !x, %w: !wl, %y: !yl) {
  %s = task.stream %w : !wl -> !task.stream<!wl>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!wl>) outs(%y : !yl)
  task.return
}
task.func @ragged(%i: index, %x: !xo, %w: !wo, %y: !yl) {
  %s = task.stream %w : !wo -> !task.stream<!wo>
  task.ready
  task.linear ins(%x, %s : !xo, !task.stream<!wo>) outs(%y : !yl)
  task.return
}
// CHECK-NOT: task.stream
// CHECK-NOT: mma_fragments
// WHY: 'a' is not streamed: a task reads 8 rows, which is no multiple of 16 (@low)
// WHY: 'b' is not streamed: its elements are not bf16 (@real)
// WHY: 'c' is not streamed: it is multiplied with more than 16 tokens (@long)
// WHY: 'd' is not streamed: a task does not read whole rows of a multiple of 16 columns (@ragged)
task.graph @h symbols [#task.symbol<"T", 1 to 17>] {
  %x = task.argument "x" input shape affine_map<()[T] -> (T, 32)> : memref<?x32xbf16>
  %xf = task.argument "xf" input shape affine_map<()[T] -> (T, 32)> : memref<?x32xf32>
  %xo = task.argument "xo" input shape affine_map<()[T] -> (T, 40)> : memref<?x40xbf16>
  %a = task.argument "a" weight shape affine_map<() -> (64, 32)> : memref<64x32xbf16>
  %b = task.argument "b" weight shape affine_map<() -> (64, 32)> : memref<64x32xf32>
  %c = task.argument "c" weight shape affine_map<() -> (64, 32)> : memref<64x32xbf16>
  %d = task.argument "d" weight shape affine_map<() -> (64, 40)> : memref<64x40xbf16>
  %y = task.argument "y" output shape affine_map<()[T] -> (T, 64)> : memref<?x64xbf16>
  %yf = task.argument "yf" output shape affine_map<()[T] -> (T, 64)> : memref<?x64xf32>
  task.launch @low grid(()[T] -> (8)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<?x32xbf16>, %a at <(i) -> (i * 8, 0) sizes [8, *]> : memref<64x32xbf16>)
    writes(%y at <(i) -> (0, i * 8) sizes [*, 8]> : memref<?x64xbf16>) waits() notifies()
  task.launch @real grid(()[T] -> (4)) reads(%xf at <(i) -> (0, 0) sizes [*, *]> : memref<?x32xf32>, %b at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xf32>)
    writes(%yf at <(i) -> (0, i * 16) sizes [*, 16]> : memref<?x64xf32>) waits() notifies()
  task.launch @long grid(()[T] -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<?x32xbf16>, %c at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<?x64xbf16>) waits() notifies()
  task.launch @ragged grid(()[T] -> (4)) reads(%xo at <(i) -> (0, 0) sizes [*, *]> : memref<?x40xbf16>, %d at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x40xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<?x64xbf16>) waits() notifies()
}
