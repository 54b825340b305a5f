// RUN: etc-opt %s --plan-shared-memory --split-input-file -o %t.mlir 2>%t.log
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: FileCheck %s --input-file=%t.log --check-prefix=REMARK
// RUN: etc-opt %s --plan-shared-memory=stage-bytes=1024 --split-input-file 2>/dev/null | FileCheck %s --check-prefix=SMALL

!qkv = memref<?x512xbf16>
!table = memref<?x128xbf16>
!cache = memref<64x1x2x16x128xbf16>
!partial = memref<?x2x1x130xf32>

// The ring holds what a run streams: keys and values cross it too.
// REMARK: remark: shared memory: {{.*}}; keys and values cross the ring
// CHECK-LABEL: gpu.module @hops_device
// CHECK: task.await_step
// CHECK: task.loader_step
// CHECK: task.stream_part
// CHECK-LABEL: @attend.consumer
// CHECK: task.stream_part
// CHECK: stream(
// CHECK: task.enter_step %{{.*}} behind_loader
// A stage has room for eight keys.
// SMALL: task.shared_memory @hops threads 288 stages 8 of 2048
task.program @hops worker @hops_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
gpu.module @hops_device {
  func.func private @attend.loader(%seq: memref<?xi64>, %blocks: memref<1x64xi64>, %cache: !cache, %i: index, %w: !task.worker, %zero: i64) {
    %entered = task.await_step %w
    scf.if %entered {
      memref.store %zero, %seq[%i] : memref<?xi64>
    }
    task.loader_step %w
    %s = task.stream_part %seq, %seq, %blocks, %cache at(%i, %i, %i) of 16 : memref<?xi64>, memref<?xi64>, memref<1x64xi64>, !cache -> !task.stream<!cache>
    return
  }
  func.func private @attend.consumer(%qkv: !qkv, %cos: !table, %seq: memref<?xi64>, %blocks: memref<1x64xi64>,
                                     %cache: !cache, %partial: !partial, %i: index) {
    %s = task.stream_part %seq, %seq, %blocks, %cache at(%i, %i, %i) of 16 : memref<?xi64>, memref<?xi64>, memref<1x64xi64>, !cache -> !task.stream<!cache>
    task.split_attention ins(%qkv, %cos, %cos, %seq, %seq, %blocks : !qkv, !table, !table, memref<?xi64>, memref<?xi64>, memref<1x64xi64>)
      at(%i, %i, %i) of 16 stream(%s : !task.stream<!cache>) outs(%cache, %partial : !cache, !partial) scale 0.125
    return
  }
  func.func private @enter(%w: !task.worker) {
    task.enter_step %w behind_loader
    return
  }
  func.func private @project.consumer(%x: memref<1x1024xbf16>, %w: memref<16x1024xbf16>, %y: memref<1x16xbf16>, %first: i1) {
    %s = task.stream %w : memref<16x1024xbf16> -> !task.stream<memref<16x1024xbf16>>
    task.linear ins(%x, %s : memref<1x1024xbf16>, !task.stream<memref<16x1024xbf16>>) first(%first) run 98304
      outs(%y : memref<1x16xbf16>)
    return
  }
}
