// RUN: etc-opt %s --prefetch-weights --schedule-static=workers=2 --predict-schedule -o /dev/null | FileCheck %s --check-prefix=GENERIC
// RUN: echo '{"name": "duo", "workers": 2, "shared_memory_bytes": 5120, "bandwidth_bytes_per_s": 2e9,' > %t.json
// RUN: echo ' "worker_bytes_per_s": 4e9, "l2_latency_ns": 1, "counter_hop_ns": 1000, "data_hop_ns": 400,' >> %t.json
// RUN: echo ' "dispatch_ns": 3, "operator_ns": {"linear": 7, "rms_norm": 100},' >> %t.json
// RUN: echo ' "ring": {"kept_bytes": 1024, "fetch_ns": 1, "resume_ns": 5, "drain_bytes_per_s": 1e10}}' >> %t.json
// RUN: etc-opt %s --prefetch-weights --schedule-static=workers=2 --predict-schedule="target=%t.json output=%t.out" -o /dev/null
// RUN: FileCheck %s --input-file=%t.out
// RUN: sed 's/"kept_bytes": 1024/"kept_bytes": 5000/' %t.json > %t.small.json
// RUN: etc-opt %s --prefetch-weights --schedule-static=workers=2 --predict-schedule="target=%t.small.json" -o /dev/null | FileCheck %s --check-prefix=SMALL
// RUN: sed 's/"fetch_ns": 1/"fetch_ns": 100, "alone_bytes_per_s": 1e9, "spread": 0.001/' %t.json > %t.shared.json
// RUN: etc-opt %s --prefetch-weights --schedule-static=workers=2 --predict-schedule="target=%t.shared.json" -o /dev/null | FileCheck %s --check-prefix=SHARED
// RUN: sed 's/"fetch_ns": 1/"fetch_ns": 1, "spread": 0/' %t.json > %t.even.json
// RUN: not etc-opt %s --predict-schedule="target=%t.even.json" 2>&1 | FileCheck %s --check-prefix=EVEN
// RUN: sed 's/"fetch_ns": 1/"fetch_ns": 1, "spread": 1/' %t.json > %t.all.json
// RUN: not etc-opt %s --predict-schedule="target=%t.all.json" 2>&1 | FileCheck %s --check-prefix=EVEN
// RUN: etc-opt %s --predict-schedule -o /dev/null | FileCheck %s --check-prefix=NONE
// RUN: not etc-opt %s --predict-schedule=target=%t.none 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: not etc-opt %s --predict-schedule=output=%t.none/x 2>&1 | FileCheck %s --check-prefix=NOOUTPUT
// RUN: etc-opt %s --schedule-static=workers=1 | sed 's/runs \[0, 0, 1, 2/runs [0, 0, 1, 1/' | not etc-opt --predict-schedule 2>&1 | FileCheck %s --check-prefix=WRONG

// A task of each launch on each worker; the 1024 bytes of weights of a task arrive
// at 1 a ns.
//
// up: the weights are there at 1024; an eighth of the ring takes 51.2 to drain.
// Besides: 64 bytes of input at 1 a ns, 32 of output beside their epochs at 4, the
// operator's 7.
// down: may start 400 after that. The weights are there at 2048, the norm and the
// input, 100 and 128 bytes at 4 a ns, are over by then. Besides: the norm's 64
// bytes, 32 of output, 7.
//
// CHECK: [{"graph":"g","launches":[{"end_ns":1162,"name":"up","start_ns":3,"stream_bytes":1024,"tasks":2},
// CHECK-SAME: {"end_ns":2178,"name":"down","start_ns":1562,"stream_bytes":1024,"tasks":2}],
// CHECK-SAME: "makespan_ns":2178,"policy":"round-robin","symbols":[]}]
//
// In a ring of 120 bytes only these come ahead of down, which takes them from
// 1111.4 + 400 + 132, and 1 for the trip to its input. The first 15 give room at 1644.9; 5 later the 904 others
// begin to come.
//
// SMALL: {"end_ns":1111,"name":"up",
// SMALL-SAME: {"end_ns":2634,"name":"down","start_ns":1511,
// Where workers share 2 bytes a ns, of which one has at most 1, the weights arrive
// 100 later, in steps of 20: at 1124 and 2148. No eighth of the ring is left to drain.
//
// SHARED: {"end_ns":1207,"name":"up","start_ns":3,
// SHARED-SAME: {"end_ns":2239,"name":"down","start_ns":1607,
// SHARED-SAME: "makespan_ns":2239
// EVEN: error: target description {{.*}}: 'ring.spread' is missing or out of range
// GENERIC: "makespan_ns":{{[0-9]+}},"policy":"round-robin"
// NONE: []
// NOFILE: error: cannot read target description
// NOOUTPUT: error: predict-schedule:
// WRONG: error: no prediction of a wrong schedule: task 1 of launch 0 (@up) is on no worker

!w = memref<16x32xbf16, strided<[32, 1], offset: ?>>
!x = memref<1x32xbf16>
!h = memref<1x32xbf16, #task.tagged>
!o = memref<1x16xbf16, strided<[32, 1], offset: ?>, #task.tagged>
!y = memref<1x16xbf16, strided<[32, 1], offset: ?>>
task.func @up(%i: index, %x: !x, %w: !w, %h: !o) {
  task.linear ins(%x, %w : !x, !w) outs(%h : !o)
  task.return
}
task.func @down(%i: index, %h: !h, %w: !w, %n: memref<32xbf16>, %y: !y) {
  %first = task.first_task
  task.linear ins(%h, %w : !h, !w) norm(%n : memref<32xbf16>) eps 1.0e-6 first(%first) outs(%y : !y)
  task.return
}
task.graph @g symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (1, 32)> : !x
  %u = task.argument "u" weight shape affine_map<() -> (32, 32)> : memref<32x32xbf16>
  %d = task.argument "d" weight shape affine_map<() -> (32, 32)> : memref<32x32xbf16>
  %n = task.argument "n" weight shape affine_map<() -> (32)> : memref<32xbf16>
  %y = task.argument "y" output shape affine_map<() -> (1, 32)> : memref<1x32xbf16>
  %h = task.scratch "h" shape affine_map<() -> (1, 32)> at 0 : memref<1x32xbf16, #task.tagged>
  task.launch @up grid(() -> (2))
    reads(%x at <(i) -> (0, 0) sizes [*, *]> : !x, %u at <(i) -> (i * 16, 0) sizes [16, *]> : memref<32x32xbf16>)
    writes(%h at <(i) -> (0, i * 16) sizes [1, 16]> : memref<1x32xbf16, #task.tagged>) waits() notifies()
  task.launch @down grid(() -> (2))
    reads(%h at <(i) -> (0, 0) sizes [*, *]> : memref<1x32xbf16, #task.tagged>, %d at <(i) -> (i * 16, 0) sizes [16, *]> : memref<32x32xbf16>,
      %n at <(i) -> (0) sizes [*]> : memref<32xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [1, 16]> : memref<1x32xbf16>) waits() notifies()
}
