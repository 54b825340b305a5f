// RUN: etc-opt %s --stage-activations | FileCheck %s
// RUN: etc-opt %s --stage-activations --stage-activations | FileCheck %s
// RUN: etc-opt %s --stage-activations=enabled=false | FileCheck %s --check-prefix=OFF

// RUN: etc-opt %s --stage-activations=workers=2 | FileCheck %s --check-prefix=TWO
// RUN: etc-opt %s --stage-activations=workers=3 | FileCheck %s --check-prefix=TWO
// RUN: etc-opt %s --stage-activations=workers=4 | FileCheck %s --check-prefix=FOUR

// OFF-NOT: task.first_task

// Four tasks, each of 16 x 32 elements of two bytes; the longest run counts.
// TWO: task.linear {{.*}} first(%{{.*}}) run 2048 outs
// FOUR: task.linear {{.*}} first(%{{.*}}) run 1024 outs

!x = memref<4x32xbf16>
!xr = memref<2x32xbf16, strided<[32, 1], offset: ?>>
!w = memref<16x32xbf16, strided<[32, 1], offset: ?>>
!y = memref<4x16xbf16, strided<[64, 1], offset: ?>>
!yr = memref<2x16xbf16, strided<[64, 1], offset: ?>>

// All tasks see the same input: the first of a run keeps it. What streams is asked for
// before.
// CHECK-LABEL: task.func @same
// CHECK: task.stream
// CHECK: task.ready
// CHECK: %[[FIRST:.*]] = task.first_task
// CHECK-NEXT: task.linear {{.*}} first(%[[FIRST]]) run 4096 outs
task.func @same(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}

// Each task has rows of its own; a weight that does not stream; two linears for one place;
// one launch of two that gives every task its own rows.
// CHECK-NOT: task.first_task
task.func @own(%i: index, %j: index, %x: !xr, %w: !w, %y: !yr) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !xr, !task.stream<!w>) outs(%y : !yr)
  task.return
}
task.func @plain(%i: index, %x: !x, %w: !w, %y: !y) {
  task.linear ins(%x, %w : !x, !w) outs(%y : !y)
  task.return
}
task.func @two(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  %t = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.linear ins(%x, %t : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}
task.func @both(%i: index, %j: index, %x: !xr, %w: !w, %y: !yr) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !xr, !task.stream<!w>) outs(%y : !yr)
  task.return
}
// CHECK-LABEL: task.graph @g
task.graph @g symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (4, 32)> : memref<4x32xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (64, 32)> layout(mma_fragments) : memref<64x32xbf16>
  %y = task.argument "y" output shape affine_map<() -> (4, 64)> : memref<4x64xbf16>
  task.launch @same grid(() -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x64xbf16>) waits() notifies()
  task.launch @own grid(() -> (2, 4)) reads(%x at <(j, i) -> (j * 2, 0) sizes [2, *]> : memref<4x32xbf16>, %w at <(j, i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(j, i) -> (j * 2, i * 16) sizes [2, 16]> : memref<4x64xbf16>) waits() notifies()
  task.launch @plain grid(() -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x64xbf16>) waits() notifies()
  task.launch @two grid(() -> (4)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x64xbf16>) waits() notifies()
  task.launch @both grid(() -> (1, 4)) reads(%x at <(j, i) -> (0, 0) sizes [2, *]> : memref<4x32xbf16>, %w at <(j, i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(j, i) -> (0, i * 16) sizes [2, 16]> : memref<4x64xbf16>) waits() notifies()
  task.launch @both grid(() -> (2, 4)) reads(%x at <(j, i) -> (j * 2, 0) sizes [2, *]> : memref<4x32xbf16>, %w at <(j, i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%y at <(j, i) -> (j * 2, i * 16) sizes [2, 16]> : memref<4x64xbf16>) waits() notifies()
}
