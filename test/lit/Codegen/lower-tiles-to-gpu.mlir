// RUN: etc-opt %s --lower-tiles-to-gpu | FileCheck %s

task.program @p worker @p_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 1, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
task.shared_memory @p threads 288 stages 0 of 4096 scratch 17920 activations 0 for 1 total 20480
gpu.module @p_device {
llvm.mlir.global external @etc_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>

// One barrier per row, between the sums of the warps and their sum. The inner product
// is rounded before the weight is applied.
// CHECK-LABEL: func.func private @norm
// CHECK: scf.for
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK: nvvm.barrier
// CHECK-NOT: nvvm.barrier
// CHECK: "llvm.nvvm.rsqrt.approx.f"
// CHECK: scf.for
// CHECK: %[[N:.*]] = arith.truncf {{.*}} : f32 to bf16
// CHECK: memref.load
// CHECK: %[[R:.*]] = arith.extf %[[N]]
// CHECK: arith.mulf %{{.*}}, %[[R]] : f32
// CHECK: arith.truncf
// CHECK: memref.store
func.func private @norm(%x: memref<?x256xbf16>, %w: memref<256xbf16>, %y: memref<?x256xbf16>) {
  task.rms_norm ins(%x, %w : memref<?x256xbf16>, memref<256xbf16>) outs(%y : memref<?x256xbf16>) eps 1.0e-6
  return
}

// A weight that is not streamed: sums in f32, one element of the output per warp; the
// bias before the rounding. A barrier between two operators.
// CHECK-LABEL: func.func private @plain
// CHECK-NOT: nvvm.mma
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK: memref.load %arg2
// CHECK: arith.truncf
// CHECK: memref.store {{.*}}, %arg3
// CHECK: nvvm.barrier
// CHECK: "llvm.nvvm.ex2.approx.ftz.f32"
// CHECK-NOT: nvvm.barrier
func.func private @plain(%x: memref<?x40xbf16>, %w: memref<?x40xbf16>, %b: memref<?xbf16>, %y: memref<?x?xbf16>) {
  task.linear ins(%x, %w : memref<?x40xbf16>, memref<?x40xbf16>) bias(%b : memref<?xbf16>) outs(%y : memref<?x?xbf16>)
  linalg.generic {indexing_maps = [affine_map<(t, n) -> (t, n)>], iterator_types = ["parallel", "parallel"]}
    outs(%y : memref<?x?xbf16>) {
  ^bb0(%v: bf16):
    %e = math.exp %v : bf16
    linalg.yield %e : bf16
  }
  return
}

}
