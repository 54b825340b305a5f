// RUN: etc-opt %s --lower-tiles-to-gpu 2>/dev/null | FileCheck %s
// RUN: sed 's/stages 5 of/stages 3 of/' %s | etc-opt --lower-tiles-to-gpu 2>/dev/null | FileCheck %s --check-prefix=THREE

task.program @p worker @p_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @p threads 288 stages 5 of 4096 scratch 17920 activations 8192 for 4 total 191488
gpu.module @p_device {
llvm.mlir.global external @etc_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
func.func private @etc_wait_chunk(!llvm.ptr<3>, i32)

// Three row tiles of a step of up to four tokens, which is what the kernel is planned for:
// the products take turns, the sums meet behind one barrier and are stored by the warps of
// the tile, two of them for four tokens. Longer steps: a barrier for each.
// CHECK-LABEL: func.func private @three.consumer
// CHECK: %[[FOUR:.*]] = arith.constant 4 : index
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %{{.*}}, %[[FOUR]]
// CHECK: scf.if %[[FEW]]
// CHECK-COUNT-24: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: nvvm.barrier
// CHECK-NOT: nvvm.barrier
// CHECK: } else {
// CHECK-COUNT-48: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK-COUNT-3: nvvm.barrier
// CHECK-NOT: nvvm.barrier
func.func private @three.consumer(%x: memref<?x1024xbf16>, %w: memref<48x1024xbf16>, %y: memref<?x48xbf16>) {
  %s = task.stream %w : memref<48x1024xbf16> -> !task.stream<memref<48x1024xbf16>>
  task.linear ins(%x, %s : memref<?x1024xbf16>, !task.stream<memref<48x1024xbf16>>) outs(%y : memref<?x48xbf16>)
  return
}

// A warp may wait for a chunk of each row tile before it gives the first stage back: where there
// are three stages, four cross two by two.
// CHECK-LABEL: func.func private @four.consumer
// CHECK-COUNT-4: nvvm.mbarrier.try_wait
// CHECK: nvvm.barrier
// THREE-LABEL: func.func private @four.consumer
// THREE-COUNT-2: nvvm.mbarrier.try_wait
// THREE-NOT: nvvm.mbarrier.try_wait
// THREE: nvvm.barrier
func.func private @four.consumer(%x: memref<1x1024xbf16>, %w: memref<64x1024xbf16>, %y: memref<1x64xbf16>) {
  %s = task.stream %w : memref<64x1024xbf16> -> !task.stream<memref<64x1024xbf16>>
  task.linear ins(%x, %s : memref<1x1024xbf16>, !task.stream<memref<64x1024xbf16>>) outs(%y : memref<1x64xbf16>)
  return
}
}
