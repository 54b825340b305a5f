// RUN: etc-opt %s --lower-to-persistent=roles=loader,consumer --outline-gpu-kernel | FileCheck %s

// CHECK: gpu.module @g_device
// CHECK: llvm.mlir.global external @etc_shared() {addr_space = 3 : i32, alignment = 1024 : i64}
// CHECK: func.func private @g_loader
// CHECK: func.func private @g_consumer
// CHECK: gpu.func @g_worker(%{{.*}}: !llvm.ptr) kernel
// CHECK-SAME: known_block_size = array<i32: 288, 1, 1>
// CHECK: task.copy_tables %{{.*}} launches 0 buffers 0
// CHECK: nvvm.mbarrier.init
// CHECK: nvvm.barrier0
// CHECK: scf.if
// CHECK-NEXT: func.call @g_consumer
// CHECK: else
// CHECK-NEXT: func.call @g_loader
// CHECK: task.program @g worker @g_worker
task.graph @g symbols [] {}
task.schedule @g bucket [] policy "by hand" offsets [0, 0] runs []
