// RUN: etc-opt %s --lower-tiles-to-gpu | FileCheck %s --implicit-check-not='#task.tagged'

// What a step does once for its tokens. Words of tagged memory go out with their epoch, as
// one relaxed 64-bit scalar each; no tag is left in a type.

// CHECK-LABEL: gpu.module @p_device
task.program @p worker @p_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @p threads 288 stages 0 of 4096 scratch 22016 activations 0 for 1 total 23552
gpu.module @p_device {
llvm.mlir.global external @etc_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

// A row of words of two elements.
// CHECK-LABEL: func.func private @embedding
// CHECK: scf.for
// CHECK: memref.load
// CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> i32
// CHECK: llvm.store {{.*}} : i32, !llvm.ptr<1>
// CHECK-NOT: monotonic
func.func private @embedding(%ids: memref<?xi64>, %table: memref<64x32xbf16>, %x: memref<?x32xbf16>) {
  task.embedding ins(%ids, %table : memref<?xi64>, memref<64x32xbf16>) outs(%x : memref<?x32xbf16>)
  return
}

// A table in fragment order: blocks of 512 bytes, 16 for a lane.
// CHECK-LABEL: func.func private @packed
// CHECK: arith.constant 512 : index
// CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> i32
// CHECK: arith.shli
// CHECK: arith.ori
// CHECK: llvm.store {{.*}} atomic syncscope("device") monotonic {{.*}} : i64, !llvm.ptr<1>
func.func private @packed(%ids: memref<?xi64>, %table: memref<64x32xbf16>, %x: memref<?x32xbf16, #task.tagged>) {
  task.embedding ins(%ids, %table : memref<?xi64>, memref<64x32xbf16>) outs(%x : memref<?x32xbf16, #task.tagged>) packed
  return
}

// A late word is asked for again, and no other; then it is waited for.
// CHECK-LABEL: func.func private @gather
// CHECK: scf.while (%{{.*}} = %{{.*}}, %[[OLD:.*]] = %{{.*}}) : (i32, i64) -> (i32, i64)
// CHECK: %[[LATE:.*]] = arith.cmpi ne
// CHECK-NEXT: llvm.inline_asm has_side_effects "@$2 ld.relaxed.gpu.global.b64 $0, [$1];", "=l,l,b,0" %{{.*}}, %[[LATE]], %[[OLD]]
// CHECK: call @etc_wait_word
// CHECK: scf.condition
// CHECK: llvm.store {{.*}} atomic syncscope("device") monotonic
func.func private @gather(%x: memref<?x32xbf16, #task.tagged>, %rows: memref<?xi64>, %y: memref<?x32xbf16, #task.tagged>) {
  task.gather_rows ins(%x, %rows : memref<?x32xbf16, #task.tagged>, memref<?xi64>) outs(%y : memref<?x32xbf16, #task.tagged>)
  return
}

// An angle is brought near zero in three parts; both halves of a row are the same.
// CHECK-LABEL: func.func private @rope_table
// CHECK-NOT: math.
// CHECK: llvm.intr.rint
// CHECK-COUNT-3: math.fma
// CHECK: "llvm.nvvm.cos.approx.f"
// CHECK: "llvm.nvvm.sin.approx.f"
// CHECK-COUNT-4: llvm.store {{.*}} monotonic
// CHECK-NOT: llvm.store
func.func private @rope_table(%f: memref<16xf32>, %pos: memref<?xi64>, %cos: memref<?x32xbf16, #task.tagged>, %sin: memref<?x32xbf16, #task.tagged>) {
  task.rope_table ins(%f, %pos : memref<16xf32>, memref<?xi64>) outs(%cos, %sin : memref<?x32xbf16, #task.tagged>, memref<?x32xbf16, #task.tagged>) scaling 1.0
  return
}

// The best of a thread, of a warp, of the block; of equal ones the lower index.
// CHECK-LABEL: func.func private @argmax
// CHECK: scf.for
// CHECK: arith.cmpf ogt
// CHECK: arith.cmpf oeq
// CHECK: arith.cmpi ult
// CHECK-COUNT-10: nvvm.shfl.sync bfly
// CHECK: nvvm.barrier
// CHECK: memref.store {{.*}} : memref<?xi64>
// The next task may keep its input where the best of the warps are. Lanes meet first: the
// barrier counts whole warps.
// CHECK: nvvm.bar.warp.sync
// CHECK: nvvm.barrier
func.func private @argmax(%x: memref<?x101xbf16>, %y: memref<?xi64>) {
  task.argmax ins(%x : memref<?x101xbf16>) outs(%y : memref<?xi64>)
  return
}

// The best of tiles of 16 outputs: a word has the value above the number in its tile.
// CHECK-LABEL: func.func private @argmax_of
// CHECK: scf.while
// CHECK-COUNT-8: ld.relaxed.gpu.global
// CHECK: arith.constant -65536 : i32
// CHECK: arith.constant 65535 : i32
// CHECK: arith.constant 16 : i32
// CHECK: memref.store {{.*}} : memref<?xi64>
func.func private @argmax_of(%x: memref<?x64xi32, #task.tagged>, %y: memref<?xi64>) {
  task.argmax ins(%x : memref<?x64xi32, #task.tagged>) of 16 outs(%y : memref<?xi64>)
  return
}

// CHECK: func.func private @etc_wait_word(!llvm.ptr<1>) -> i1
}
