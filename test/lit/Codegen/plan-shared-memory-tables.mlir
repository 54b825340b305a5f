// RUN: etc-opt %s --plan-shared-memory 2>&1 | FileCheck %s
// RUN: etc-opt %s --plan-shared-memory=bytes=216100 2>&1 | FileCheck %s --check-prefix=TIGHT
// RUN: etc-opt %s --plan-shared-memory=bytes=216099 2>&1 | FileCheck %s --check-prefix=FULL
// RUN: sed /task.stream/d %s | etc-opt --pass-pipeline="builtin.module(plan-shared-memory,gpu.module(convert-task-to-nvvm))" 2>/dev/null | FileCheck %s --check-prefix=NVVM

// Copies of the tables lie behind everything else, the addresses first, and whoever
// reads a table knows where. Where there is no room, all is read from memory.

// CHECK: remark: shared memory: 6 stages of 4096 bytes for each of 8 warps, 17920 of sums, 0 of activations for 1 tokens, 36 of tables, 216100 of 232448 in all
// CHECK: task.copy_tables %{{.*}} launches 5 buffers 2 {buffers_at = 216064 : i64, launches_at = 216080 : i64}
// CHECK: task.run %{{.*}} width 5 {launches_at = 216080 : i64}
// CHECK: task.operand {{.*}} {buffers_at = 216064 : i64, launches_at = 216080 : i64}
// CHECK: task.event {{.*}} {launches_at = 216080 : i64}
// CHECK: task.enter_step %{{.*}} {buffers = 2 : i64, buffers_at = 216064 : i64}

// TIGHT: 36 of tables, 216100 of 216100 in all
// FULL: 0 of tables, 216064 of 216099 in all
// FULL: task.copy_tables %{{[^{]*$}}
// FULL: task.run %{{.*}} width 5{{$}}

// The copy comes before the barrier, and addresses of buffers come from it.
// NVVM-LABEL: gpu.func @p_worker
// NVVM: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<1> -> i32
// NVVM: llvm.store %{{.*}}, %{{.*}} {alignment = 4 : i64} : i32, !llvm.ptr<3>
// NVVM: llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> i64
// NVVM: llvm.store %{{.*}}, %{{.*}} {alignment = 8 : i64} : i64, !llvm.ptr<3>
// NVVM: nvvm.barrier0
// NVVM: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<3> -> i32
// NVVM: llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<3> -> i64
// A step is told to be entered when its addresses are there, all of them, and seen by all
// threads before they go on.
// NVVM: llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> i64
// NVVM: llvm.store %{{.*}}, %{{.*}} {alignment = 8 : i64} : i64, !llvm.ptr<3>
// NVVM: nvvm.barrier id
// NVVM: nvvm.fence.proxy
// NVVM: llvm.store {{.*}} atomic syncscope("block") release {{.*}} : i64, !llvm.ptr<3>
// NVVM: nvvm.barrier id
// NVVM-NOT: task.

task.program @p worker @p_worker attributes {
  symbols = [], buffers = [], launch_names = [], launch_width = 5, launches = array<i32>,
  event_names = [], events = array<i32>, counter_words = 0, scratch_bytes = 0} {}
gpu.module @p_device {
  llvm.mlir.global external @etc_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
  func.func private @use(memref<16x16xbf16>, !event.tensor<>)
  gpu.func @p_worker(%pointer: !llvm.ptr) kernel {
    %w = builtin.unrealized_conversion_cast %pointer : !llvm.ptr to !task.worker
    task.copy_tables %w launches 5 buffers 2
    nvvm.barrier0
    %zero = arith.constant 0 : index
    %launch, %kind, %first, %stride, %count = task.run %w[%zero] width 5
    %x = task.operand %w launch %launch[1 of 5] () : memref<16x16xbf16>
    %e = task.event %w launch %launch[2 of 5] () : !event.tensor<>
    %s = task.stream %x : memref<16x16xbf16> -> !task.stream<memref<16x16xbf16>>
    func.call @use(%x, %e) : (memref<16x16xbf16>, !event.tensor<>) -> ()
    task.enter_step %w
    gpu.return
  }
}
