// RUN: etc-opt %s --stream-parts | FileCheck %s
// RUN: etc-opt %s --stream-parts=enabled=false | FileCheck %s --check-prefix=OFF

// OFF-NOT: task.stream_part

!qkv = memref<2x256xbf16>
!table = memref<2x64xbf16>
!pos = memref<2xi64>
!blocks = memref<1x32xi64>
!cache = memref<4x1x2x8x64xbf16>
!partial = memref<2x2x1x66xf32>

// Attention on the tensor cores takes its part out of the ring.
// CHECK-LABEL: task.func @attend(
// CHECK-NEXT: %[[S:.*]] = task.stream_part %arg3, %arg3, %arg4, %arg5 at(%arg0, %arg0, %arg0) of 2
// CHECK-SAME: -> !task.stream<memref<4x1x2x8x64xbf16>>
// CHECK-NEXT: task.ready
// CHECK-NEXT: task.split_attention {{.*}} of 2 stream(%[[S]] : !task.stream<memref<4x1x2x8x64xbf16>>) outs
task.func @attend(%i: index, %qkv: !qkv, %cos: !table, %pos: !pos, %blocks: !blocks, %cache: !cache, %partial: !partial) {
  task.prefetch_part %pos, %pos, %blocks, %cache at(%i, %i, %i) of 2 : !pos, !pos, !blocks, !cache
  task.ready
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : !qkv, !table, !table, !pos, !pos, !blocks)
    at(%i, %i, %i) of 2 outs(%cache, %partial : !cache, !partial) scale 0.125
  task.return
}

// Two parts a task: a ring holds one after the other, but a stream is consumed once.
// CHECK-LABEL: task.func @two_parts(
// CHECK-NEXT: task.prefetch_part
task.func @two_parts(%i: index, %qkv: !qkv, %cos: !table, %pos: !pos, %blocks: !blocks, %cache: !cache, %partial: memref<2x2x2x66xf32>) {
  task.prefetch_part %pos, %pos, %blocks, %cache at(%i, %i, %i) of 2 : !pos, !pos, !blocks, !cache
  task.ready
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : !qkv, !table, !table, !pos, !pos, !blocks)
    at(%i, %i, %i) of 2 outs(%cache, %partial : !cache, memref<2x2x2x66xf32>) scale 0.125
  task.return
}

// No mma takes elements of 32 bits.
// CHECK-LABEL: task.func @wide(
// CHECK-NEXT: task.prefetch_part
task.func @wide(%i: index, %qkv: memref<2x256xf32>, %cos: memref<2x64xf32>, %pos: !pos, %blocks: !blocks,
                %cache: memref<4x1x2x8x64xf32>, %partial: !partial) {
  task.prefetch_part %pos, %pos, %blocks, %cache at(%i, %i, %i) of 2 : !pos, !pos, !blocks, memref<4x1x2x8x64xf32>
  task.ready
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : memref<2x256xf32>, memref<2x64xf32>, memref<2x64xf32>, !pos, !pos, !blocks)
    at(%i, %i, %i) of 2 outs(%cache, %partial : memref<4x1x2x8x64xf32>, !partial) scale 0.125
  task.return
}

// Weights that a body streams come first for the loader, whatever its tiles take first.
// CHECK-LABEL: task.func @two_streams(
// CHECK-NEXT: task.prefetch_part
task.func @two_streams(%i: index, %qkv: !qkv, %cos: !table, %pos: !pos, %blocks: !blocks, %cache: !cache, %partial: !partial,
                       %x: memref<2x64xbf16>, %w: memref<16x64xbf16>, %y: memref<2x16xbf16>) {
  task.prefetch_part %pos, %pos, %blocks, %cache at(%i, %i, %i) of 2 : !pos, !pos, !blocks, !cache
  %s = task.stream %w : memref<16x64xbf16> -> !task.stream<memref<16x64xbf16>>
  task.ready
  task.linear ins(%x, %s : memref<2x64xbf16>, !task.stream<memref<16x64xbf16>>) outs(%y : memref<2x16xbf16>)
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : !qkv, !table, !table, !pos, !pos, !blocks)
    at(%i, %i, %i) of 2 outs(%cache, %partial : !cache, !partial) scale 0.125
  task.return
}

// A hint at another part than the attention's stays one.
// CHECK-LABEL: task.func @other_part(
// CHECK-NEXT: task.prefetch_part
task.func @other_part(%i: index, %j: index, %qkv: !qkv, %cos: !table, %pos: !pos, %blocks: !blocks, %cache: !cache, %partial: !partial) {
  task.prefetch_part %pos, %pos, %blocks, %cache at(%i, %i, %j) of 2 : !pos, !pos, !blocks, !cache
  task.ready
  task.split_attention ins(%qkv, %cos, %cos, %pos, %pos, %blocks : !qkv, !table, !table, !pos, !pos, !blocks)
    at(%i, %i, %i) of 2 outs(%cache, %partial : !cache, !partial) scale 0.125
  task.return
}
