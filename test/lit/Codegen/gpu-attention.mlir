// RUN: etc-opt %s --lower-tiles-to-gpu | FileCheck %s
// RUN: etc-opt %s --lower-tiles-to-gpu=prefetch=false | FileCheck %s --check-prefix=HINT
// RUN: sed 's/stages 5 of 4096/stages 5 of 2048/' %s | etc-opt --lower-tiles-to-gpu | FileCheck %s --check-prefix=HALVES

// Where the loader does not run ahead it only hints, and attention reads the cache.
// HINT-LABEL: func.func private @streamed.loader
// HINT: nvvm.cp.async.bulk.prefetch
// HINT-NOT: nvvm.mbarrier
// HINT-LABEL: func.func private @merge

// Stages of half the size: a chunk of keys, then one of values.
// HALVES-LABEL: func.func private @streamed.loader
// HALVES: nvvm.mbarrier.test.wait
// HALVES: %[[KEYS:.*]] = arith.cmpi eq, %{{.*}}, %{{.*}} : i32
// HALVES: arith.select %[[KEYS]], %{{.*}}, %{{.*}} : !llvm.ptr<1>
// HALVES-COUNT-1: nvvm.cp.async.bulk.shared.cluster.global
// HALVES-NOT: nvvm.cp.async.bulk.shared
// HALVES-LABEL: func.func private @streamed.consumer
// HALVES-COUNT-2: call @etc_wait_chunk
// HALVES-COUNT-8: llvm.load {{.*}} : !llvm.ptr -> vector<4xi32>
// HALVES-COUNT-2: nvvm.mbarrier.arrive %
// HALVES: nvvm.mma.sync

!qkv = memref<?x512xbf16, #task.tagged>
!table = memref<?x128xbf16, #task.tagged>
!cache = memref<16x1x2x16x128xbf16, strided<[4096, 4096, 2048, 128, 1], offset: ?>>
!partial = memref<?x2x1x130xf32, strided<[520, 260, 130, 1], offset: ?>, #task.tagged>
task.program @p worker @p_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @p threads 288 stages 5 of 4096 scratch 28928 activations 0 for 1 total 30464
gpu.module @p_device {
llvm.mlir.global external @etc_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

// Tokens of one sequence see each other through the cache; a single one's key and value go
// from the linear into shared memory. Keys and values of earlier steps are asked for before
// its words are: 32 elements of a key, 16 of two values for each lane. A warp norms and
// rotates a row, the partners in one lane. Behind a barrier warps multiply: eight times
// queries and keys, eight times values and weights; of these operands, no shuffle but two
// steps of a maximum and two heads' decays. The sums of the warps meet behind another.
// CHECK-LABEL: func.func private @split
// CHECK: nvvm.barrier
// CHECK-COUNT-8: ld.global.L1::no_allocate.v4.b32
// CHECK-NOT: no_allocate
// CHECK: scf.while
// CHECK: llvm.inline_asm {{.*}} ld.relaxed.gpu.global.b64
// CHECK: call @etc_wait_word
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK: "llvm.nvvm.rsqrt.approx.f"
// CHECK-NOT: nvvm.shfl
// CHECK: nvvm.barrier
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-4: llvm.load volatile {{.*}} -> vector<4xi32>
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK-COUNT-2: nvvm.shfl.sync bfly
// CHECK: llvm.nvvm.ex2.approx.ftz.f32
// CHECK-COUNT-2: nvvm.shfl.sync idx
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: nvvm.barrier
// CHECK: llvm.store {{.*}} atomic syncscope("device") monotonic {{.*}} : i64, !llvm.ptr<1>
// The next task may keep its input where the sums of the warps are.
// CHECK: nvvm.barrier
// CHECK-NOT: nvvm.barrier
func.func private @split(%qkv: !qkv, %cos: !table, %seq: memref<?xi64>, %blocks: memref<1x16xi64>, %n: memref<128xbf16>,
                         %cache: !cache, %partial: !partial, %i: index, %j: index, %k: index) {
  task.split_attention ins(%qkv, %cos, %cos, %seq, %seq, %blocks : !qkv, !table, !table, memref<?xi64>, memref<?xi64>, memref<1x16xi64>)
    at(%i, %j, %k) of 2 norms(%n, %n : memref<128xbf16>, memref<128xbf16>) eps 1.0e-6
    outs(%cache, %partial : !cache, !partial) scale 0.125
  return
}

// Elements that no mma takes: a lane has its elements of every head, and what a step appends
// is read again from the cache behind a barrier.
// CHECK-LABEL: func.func private @wide
// CHECK-NOT: nvvm.mma
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK: "llvm.nvvm.rsqrt.approx.f"
// CHECK-COUNT-2: nvvm.shfl.sync bfly
// CHECK-COUNT-4: llvm.store {{.*}} : f32, !llvm.ptr<1>
// CHECK: nvvm.barrier
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-8: llvm.load {{.*}} : !llvm.ptr<1> -> vector<2xf32>
// CHECK: nvvm.barrier
// CHECK: nvvm.barrier
func.func private @wide(%qkv: memref<?x256xf32>, %cos: memref<?x64xf32>, %seq: memref<?xi64>, %blocks: memref<1x16xi64>, %n: memref<64xf32>,
                        %cache: memref<16x1x2x16x64xf32>, %partial: memref<?x2x1x66xf32>, %i: index) {
  task.split_attention ins(%qkv, %cos, %cos, %seq, %seq, %blocks : memref<?x256xf32>, memref<?x64xf32>, memref<?x64xf32>, memref<?xi64>, memref<?xi64>, memref<1x16xi64>)
    at(%i, %i, %i) of 2 norms(%n, %n : memref<64xf32>, memref<64xf32>) eps 1.0e-6
    outs(%cache, %partial : memref<16x1x2x16x64xf32>, memref<?x2x1x66xf32>) scale 0.125
  return
}

// A hint to the loader: a lane for eight keys or eight values.
// CHECK-LABEL: func.func private @hint
// CHECK: scf.for
// CHECK-COUNT-1: nvvm.cp.async.bulk.prefetch
// CHECK-NOT: nvvm.cp.async.bulk.prefetch
func.func private @hint(%seq: memref<?xi64>, %blocks: memref<1x16xi64>, %cache: !cache, %i: index) {
  task.prefetch_part %seq, %seq, %blocks, %cache at(%i, %i, %i) of 2 : memref<?xi64>, memref<?xi64>, memref<1x16xi64>, !cache
  return
}

// What earlier steps left of a part of a sequence with one token crosses the ring. The loader
// copies the rows of eight positions, keys and values in one chunk of 4096 bytes, for each
// warp in turn, and counts the chunks on; its lanes look together.
// CHECK-LABEL: func.func private @streamed.loader
// CHECK: arith.cmpi eq, %{{.*}}, %{{c1.*}} : index
// CHECK: scf.while
// CHECK: nvvm.mbarrier.test.wait
// CHECK: nvvm.fence.proxy
// CHECK: nvvm.mbarrier.arrive.expect_tx
// CHECK-COUNT-2: nvvm.cp.async.bulk.shared.cluster.global
// CHECK: nvvm.vote.sync any
// CHECK-NOT: nvvm.cp.async
// A warp waits for the chunk, or reads the cache for one of several tokens, with the same
// loads; and leaves the stage when they are in registers, of the first unit and of the next.
// CHECK-LABEL: func.func private @streamed.consumer
// CHECK: scf.if {{.*}} -> (!llvm.ptr, !llvm.ptr)
// CHECK: nvvm.mbarrier.try_wait
// CHECK: call @etc_wait_chunk
// CHECK: memref.load
// CHECK-COUNT-8: llvm.load {{.*}} : !llvm.ptr -> vector<4xi32>
// CHECK: nvvm.mbarrier.arrive %
// CHECK-NOT: nvvm.mbarrier.arrive
// CHECK-COUNT-16: nvvm.mma.sync
// CHECK-COUNT-8: llvm.load {{.*}} : !llvm.ptr -> vector<4xi32>
// CHECK: nvvm.mbarrier.arrive %
// CHECK-NOT: nvvm.mbarrier.arrive
func.func private @streamed.loader(%seq: memref<?xi64>, %blocks: memref<1x16xi64>, %cache: !cache, %i: index) {
  %s = task.stream_part %seq, %seq, %blocks, %cache at(%i, %i, %i) of 2
    : memref<?xi64>, memref<?xi64>, memref<1x16xi64>, !cache -> !task.stream<!cache>
  return
}
func.func private @streamed.consumer(%qkv: !qkv, %cos: !table, %seq: memref<?xi64>, %blocks: memref<1x16xi64>,
                                     %cache: !cache, %partial: !partial, %i: index) {
  %s = task.stream_part %seq, %seq, %blocks, %cache at(%i, %i, %i) of 2
    : memref<?xi64>, memref<?xi64>, memref<1x16xi64>, !cache -> !task.stream<!cache>
  task.split_attention ins(%qkv, %cos, %cos, %seq, %seq, %blocks : !qkv, !table, !table, memref<?xi64>, memref<?xi64>, memref<1x16xi64>)
    at(%i, %i, %i) of 2 stream(%s : !task.stream<!cache>)
    outs(%cache, %partial : !cache, !partial) scale 0.125
  return
}
func.func @p_loader() {
  return
}

// All words of a thread's parts under way together; then a barrier behind what the threads
// put into shared memory, and one behind its readers; the sum is rounded once.
// CHECK-LABEL: func.func private @merge
// CHECK: scf.while
// CHECK-COUNT-2: ld.relaxed.gpu.global.v2.b64
// CHECK-NOT: ld.relaxed
// CHECK: nvvm.barrier
// CHECK: "llvm.nvvm.rcp.approx.ftz.f"
// CHECK: arith.truncf {{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK: llvm.store {{.*}} atomic syncscope("device") monotonic {{.*}} : i64, !llvm.ptr<1>
// CHECK: nvvm.barrier
// CHECK-NOT: nvvm.barrier
func.func private @merge(%partial: memref<1x4x2x130xf32, #task.tagged>, %y: memref<1x4x128xbf16, #task.tagged>) {
  task.merge_splits ins(%partial : memref<1x4x2x130xf32, #task.tagged>) outs(%y : memref<1x4x128xbf16, #task.tagged>)
  return
}

// Without tags the words are plain loads and stores, and nobody waits.
// CHECK-LABEL: func.func private @untagged
// CHECK-NOT: relaxed
// CHECK-NOT: etc_wait_word
// CHECK: llvm.store {{.*}} : i32, !llvm.ptr<1>
func.func private @untagged(%partial: memref<1x4x2x130xf32>, %y: memref<1x4x128xbf16>) {
  task.merge_splits ins(%partial : memref<1x4x2x130xf32>) outs(%y : memref<1x4x128xbf16>)
  return
}

// CHECK: func.func private @etc_wait_word
}
