// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" -o %t.mlir 2>/dev/null
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: etc-opt %s --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu{prefetch=false})" 2>/dev/null | FileCheck %s --check-prefix=RELEASED
// RUN: sed 's/pace 51200/pace 51200000/' %s | etc-opt --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" 2>/dev/null | FileCheck %s --check-prefix=SLOW
// RUN: sed 's/ pace 51200//' %s | etc-opt --pass-pipeline="builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu)" 2>/dev/null | FileCheck %s --check-prefix=FREE

// 51200 ns for a MiB are 1600 for a chunk of 4096 bytes of each of eight warps: a warp begins a
// chunk where the number of the slot is another than that of its last chunk. The slots of the
// warps begin 200 ns one after the other. Lanes leave the loop together.
// CHECK-LABEL: func.func private @project.loader
// CHECK: %[[EIGHTH:.*]] = arith.constant 200 : i32
// CHECK: %[[BEGIN:.*]] = arith.muli %{{.*}}, %[[EIGHTH]] : i32
// Lanes that serve no warp load nothing that the others store.
// CHECK: %[[LOADED:[0-9]+]]:2 = scf.if %{{.*}} -> (i32, i32)
// CHECK: scf.while (%[[COUNT:[a-z0-9]+]] = %[[LOADED]]#0, %[[LAST:[a-z0-9]+]] = %[[LOADED]]#1) : (i32, i32)
// CHECK: %[[TIME:.*]] = nvvm.read.ptx.sreg.globaltimer.lo : i32
// CHECK: %[[BEHIND:.*]] = arith.subi %[[TIME]], %[[BEGIN]] : i32
// CHECK: %[[SLOT:.*]] = arith.constant 1600 : i32
// CHECK: %[[NOW:.*]] = arith.divui %[[BEHIND]], %[[SLOT]] : i32
// CHECK: nvvm.mbarrier.test.wait
// CHECK: %[[OPEN:.*]] = arith.cmpi ne, %[[NOW]], %[[LAST]] : i32
// CHECK: %[[BEGINS:.*]] = arith.andi %{{.*}}, %[[OPEN]] : i1
// CHECK: scf.if %[[BEGINS]]
// CHECK: nvvm.cp.async.bulk.shared.cluster.global
// CHECK: arith.select %[[BEGINS]], %[[NOW]], %[[LAST]] : i32
// CHECK: %[[AGAIN:.*]] = nvvm.vote.sync any
// CHECK: scf.condition(%[[AGAIN]])
// What is kept for the next stream is the time at which the slot began.
// CHECK: scf.if
// CHECK: arith.muli %{{.*}}, %{{.*}} : i32
// CHECK: %[[KEPT:.*]] = arith.addi %{{.*}}, %[[BEGIN]] : i32
// CHECK: llvm.store %[[KEPT]]

// No slot is longer than 16 us.
// SLOW: nvvm.read.ptx.sreg.globaltimer.lo
// SLOW: %[[MOST:.*]] = arith.constant 16000 : i32
// SLOW: arith.divui %{{.*}}, %[[MOST]] : i32

// Without a pace, and where a stream waits for its task, nobody looks at the time.
// FREE-LABEL: func.func private @project.loader
// FREE-NOT: globaltimer
// FREE: nvvm.cp.async.bulk.shared.cluster.global
// FREE-NOT: globaltimer
// RELEASED-LABEL: func.func private @project.loader
// RELEASED-NOT: globaltimer
// RELEASED: nvvm.cp.async.bulk.shared.cluster.global
// RELEASED-NOT: globaltimer

!x = memref<8x1024xbf16>
!w = memref<16x1024xbf16, strided<[1024, 1], offset: ?>>
!y = memref<8x16xbf16, strided<[64, 1], offset: ?>>
task.func @project(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w pace 51200 : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}
task.graph @one symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (8, 1024)> : memref<8x1024xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (64, 1024)> layout(mma_fragments) : memref<64x1024xbf16>
  %y = task.argument "y" output shape affine_map<() -> (8, 64)> : memref<8x64xbf16>
  task.launch @project grid(() -> (4))
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<8x1024xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x1024xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : memref<8x64xbf16>) waits() notifies()
}
task.schedule @one bucket [] policy "round-robin" offsets [0, 1, 2] runs [0, 0, 2, 2, 0, 1, 2, 2]
