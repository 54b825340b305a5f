// RUN: etc-opt %s --lower-tiles-to-gpu | FileCheck %s

// Sixteen tokens, more than shared memory keeps: each half of a chunk's input is waited for
// where it lies, by every lane for itself. `mma` wants the lanes of a warp together, so a
// barrier stands between every such wait and the products: without it two runs of one step
// could differ.

!x = memref<16x1024xbf16, #task.tagged>
!w = memref<16x1024xbf16, strided<[1024, 1], offset: ?>>
task.program @many worker @many_worker attributes {
  symbols = [], buffers = [#task.buffer<"w", weight, mma_fragments, memref<16x1024xbf16>, () -> (16, 1024), at 0>],
  launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @many threads 288 stages 3 of 4096 scratch 17920 activations 0 for 1 total 118784
gpu.module @many_device {
  llvm.mlir.global external @etc_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
  func.func private @etc_wait_chunk(!llvm.ptr<3>, i32)
  // CHECK-LABEL: func.func private @body
  // CHECK: llvm.inline_asm{{.*}}tid.x
  // CHECK: scf.while
  // CHECK: call @etc_wait_word
  // CHECK: nvvm.mbarrier.try_wait
  // CHECK: nvvm.bar.warp.sync
  // CHECK-COUNT-8: nvvm.mma.sync
  // CHECK: scf.while
  // CHECK: call @etc_wait_word
  // CHECK: nvvm.bar.warp.sync
  // CHECK-COUNT-8: nvvm.mma.sync
  // CHECK-NOT: nvvm.mma.sync
  func.func private @body(%x: !x, %w: !task.stream<!w>, %y: memref<16x16xbf16>) {
    task.linear ins(%x, %w : !x, !task.stream<!w>) outs(%y : memref<16x16xbf16>)
    return
  }
}
