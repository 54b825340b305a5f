// RUN: etc-opt %s --pace-streams=workers=4 | FileCheck %s --check-prefix=GENERIC
// RUN: echo '{"name": "duo", "workers": 4, "shared_memory_bytes": 1024, "bandwidth_bytes_per_s": 4e9,' > %t.json
// RUN: echo ' "worker_bytes_per_s": 4e9, "cache_bytes_per_s": 4e9, "l2_latency_ns": 1, "counter_hop_ns": 900,' >> %t.json
// RUN: echo ' "notify_ns": 50, "data_hop_ns": 400, "dispatch_ns": 3}' >> %t.json
// RUN: etc-opt %s --pace-streams="workers=4 target=%t.json" 2>%t.log | FileCheck %s
// RUN: FileCheck %s --input-file=%t.log --check-prefix=REMARK
// RUN: etc-opt %s --pace-streams="workers=4 share=0.5 target=%t.json" 2>/dev/null | FileCheck %s --check-prefix=HALF
// RUN: etc-opt %s --pace-streams=enabled=false 2>&1 | FileCheck %s --check-prefix=OFF
// RUN: not etc-opt %s --pace-streams=workers=0 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not etc-opt %s --pace-streams=share=0 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not etc-opt %s --pace-streams=target=%t.none 2>&1 | FileCheck %s --check-prefix=NOFILE

// Of a machine that nobody described: 1000 bytes a ns, 500 ns a hop.
// GENERIC: task.stream %{{.*}} pace 90605 : memref

// OFF-NOT: pace
// OFF-NOT: remark
// WRONG: error: pace-streams: workers and share are positive
// NOFILE: error: cannot read target description

// Streamed before the last: four tasks of 16 x 32 elements of two bytes, and of two heads the
// keys and values of 32 positions of 64 elements: 4096 + 16384 bytes, 5120 ns of 4 bytes each.
// q comes as data (400 ns), y by a counter (900); z, of which the last linear streams, counts
// for nothing. Of the 5120 + 400 ns of the longest chain to a stream before the last, 0.85 for
// a fourth of the bytes: 4692 ns for 5120 bytes.
// REMARK: remark: a worker streams a MiB in 960922 ns at most: 20480 bytes in 5520 ns, of which 400 are hops, by 4 workers
// REMARK-NOT: remark

!x = memref<1x32xbf16>
!w = memref<16x32xbf16, strided<[32, 1], offset: ?>>
!yt = memref<1x16xbf16, strided<[64, 1], offset: ?>, #task.tagged>
!yr = memref<1x16xbf16, strided<[64, 1], offset: ?>>
!q = memref<1x64xbf16, #task.tagged>
!pos = memref<1xi64>
!blocks = memref<1x4xi64>
!cache = memref<4x1x2x8x64xbf16, strided<[2048, 1024, 512, 64, 1], offset: ?>>

// CHECK-LABEL: task.func @first
// CHECK: task.stream %{{.*}} pace 960922 : memref
// HALF-LABEL: task.func @first
// HALF: task.stream %{{.*}} pace 565248 : memref
task.func @first(%i: index, %x: !x, %w: !w, %y: !yt) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !yt)
  task.return
}
// CHECK-LABEL: task.func @attend
// CHECK: task.stream_part {{.*}} of 1 pace 960922 :
task.func @attend(%h: index, %q: !q, %pos: !pos, %blocks: !blocks, %cache: !cache, %y: memref<1x64xbf16>) {
  %0 = arith.constant 0 : index
  %s = task.stream_part %pos, %pos, %blocks, %cache at(%0, %0, %0) of 1 : !pos, !pos, !blocks, !cache -> !task.stream<!cache>
  task.ready
  task.return
}
// CHECK-LABEL: task.func @last
// CHECK: task.stream %{{[a-z0-9]+}} : memref
task.func @last(%i: index, %x: memref<1x64xbf16>, %w: memref<16x64xbf16, strided<[64, 1], offset: ?>>, %y: !yr) {
  %s = task.stream %w : memref<16x64xbf16, strided<[64, 1], offset: ?>> -> !task.stream<memref<16x64xbf16, strided<[64, 1], offset: ?>>>
  task.ready
  task.linear ins(%x, %s : memref<1x64xbf16>, !task.stream<memref<16x64xbf16, strided<[64, 1], offset: ?>>>) outs(%y : !yr)
  task.return
}
task.graph @g symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (1, 32)> : !x
  %w = task.argument "w" weight shape affine_map<() -> (64, 32)> : memref<64x32xbf16>
  %v = task.argument "v" weight shape affine_map<() -> (64, 64)> : memref<64x64xbf16>
  %pos = task.argument "pos" input shape affine_map<() -> (1)> : !pos
  %blocks = task.argument "blocks" input shape affine_map<() -> (1, 4)> : !blocks
  %cache = task.argument "cache" state shape affine_map<() -> (4, 2, 2, 8, 64)> : memref<4x2x2x8x64xbf16>
  %q = task.scratch "q" shape affine_map<() -> (1, 64)> : !q
  %y = task.scratch "y" shape affine_map<() -> (1, 64)> : memref<1x64xbf16>
  %z = task.argument "z" output shape affine_map<() -> (1, 64)> : memref<1x64xbf16>
  task.launch @first grid(() -> (4))
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : !x, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x32xbf16>)
    writes(%q at <(i) -> (0, i * 16) sizes [*, 16]> : !q) waits() notifies()
  task.launch @attend grid(() -> (2))
    reads(%q at <(h) -> (0, 0) sizes [*, *]> : !q, %pos at <(h) -> (0) sizes [*]> : !pos, %blocks at <(h) -> (0, 0) sizes [*, *]> : !blocks,
          %cache at <(h) -> (0, h, 0, 0, 0) sizes [*, 1, *, *, *]> : memref<4x2x2x8x64xbf16>)
    writes(%y at <(h) -> (0, 0) sizes [*, *]> : memref<1x64xbf16>) waits() notifies()
  task.launch @last grid(() -> (4))
    reads(%y at <(i) -> (0, 0) sizes [*, *]> : memref<1x64xbf16>, %v at <(i) -> (i * 16, 0) sizes [16, *]> : memref<64x64xbf16>)
    writes(%z at <(i) -> (0, i * 16) sizes [*, 16]> : memref<1x64xbf16>) waits() notifies()
}
