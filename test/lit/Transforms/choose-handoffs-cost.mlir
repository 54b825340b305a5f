// RUN: etc-opt %s --choose-handoffs="tokens=1 remarks=true" -o /dev/null 2>&1 | FileCheck %s --check-prefix=ONE
// RUN: etc-opt %s --choose-handoffs="tokens=16 remarks=true" 2>&1 | FileCheck %s
// RUN: echo '{"name": "duo", "workers": 2, "shared_memory_bytes": 1024, "bandwidth_bytes_per_s": 1e9,' > %t.json
// RUN: echo ' "worker_bytes_per_s": 4e9, "cache_bytes_per_s": 4e9, "l2_latency_ns": 1, "counter_hop_ns": 900,' >> %t.json
// RUN: echo ' "notify_ns": 50, "data_hop_ns": 400, "dispatch_ns": 3}' >> %t.json
// RUN: etc-opt %s --choose-handoffs="tokens=16 target=%t.json remarks=true" -o /dev/null 2>&1 | FileCheck %s --check-prefix=DUO
// RUN: not etc-opt %s --choose-handoffs=target=%t.none 2>&1 | FileCheck %s --check-prefix=NOFILE

// NOFILE: error: cannot read target description

// One task writes x. Its readers read 2048 bytes a token: of a counter when it is notified, of
// words twice as much, and nothing is there before the last. 64 tasks write h, so of words
// 63 of 64 have been read by then.
//
// ONE: remark: 'x' is handed over as data: 2048 bytes a reader, 581 ns as data, 1040 ns by a counter
// ONE: remark: 'h' is handed over as data: 2048 bytes a reader, 501 ns as data, 1040 ns by a counter
// CHECK: remark: 'x' is handed over by a counter: 32768 bytes a reader, 1810 ns as data, 1655 ns by a counter
// CHECK: remark: 'h' is handed over as data: 32768 bytes a reader, 520 ns as data, 1655 ns by a counter
// CHECK: task.scratch "x" {{.*}} : memref<?x1024xbf16>{{$}}
// CHECK: task.scratch "h" {{.*}} : memref<?x1024xbf16, #task.tagged>
//
// Two readers share 4 bytes a ns; 64 notifies one after the other.
// DUO: remark: 'x' is handed over by a counter: 32768 bytes a reader, 33168 ns as data, 17334 ns by a counter
// DUO: remark: 'h' is handed over as data: 32768 bytes a reader, 912 ns as data, 20484 ns by a counter

!x = memref<?x1024xbf16>
!w = memref<16x1024xbf16, strided<[1024, 1], offset: ?>>
!y = memref<?x16xbf16, strided<[1024, 1], offset: ?>>
task.func @embed(%ids: memref<?xi64>, %table: memref<64x1024xbf16>, %x: !x) {
  task.embedding ins(%ids, %table : memref<?xi64>, memref<64x1024xbf16>) outs(%x : !x)
  task.return
}
task.func @project(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}
task.graph @g symbols [#task.symbol<"n", 1 to 16>] {
  %ids = task.argument "ids" input shape affine_map<()[n] -> (n)> : memref<?xi64>
  %table = task.argument "table" weight shape affine_map<()[n] -> (64, 1024)> : memref<64x1024xbf16>
  %w = task.argument "w" weight shape affine_map<()[n] -> (1024, 1024)> layout(mma_fragments) : memref<1024x1024xbf16>
  %x = task.scratch "x" shape affine_map<()[n] -> (n, 1024)> : !x
  %h = task.scratch "h" shape affine_map<()[n] -> (n, 1024)> : !x
  %y = task.argument "y" output shape affine_map<()[n] -> (n, 1024)> : !x
  task.launch @embed grid(()[n] -> ()) reads(%ids at <() -> (0) sizes [*]> : memref<?xi64>, %table at <() -> (0, 0) sizes [*, *]> : memref<64x1024xbf16>)
    writes(%x at <() -> (0, 0) sizes [*, *]> : !x) waits() notifies()
  task.launch @project grid(()[n] -> (64)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : !x, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<1024x1024xbf16>)
    writes(%h at <(i) -> (0, i * 16) sizes [*, 16]> : !x) waits() notifies()
  task.launch @project grid(()[n] -> (64)) reads(%h at <(i) -> (0, 0) sizes [*, *]> : !x, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<1024x1024xbf16>)
    writes(%y at <(i) -> (0, i * 16) sizes [*, 16]> : !x) waits() notifies()
}
