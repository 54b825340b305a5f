// RUN: etc-opt %s --split-input-file --print-schedule-stats -o /dev/null | FileCheck %s
// RUN: etc-opt %s --split-input-file --schedule-static=workers=1 --print-schedule-stats -o /dev/null | FileCheck %s --check-prefix=LATE
// RUN: etc-opt %s --split-input-file --prefetch-weights --schedule-static=workers=1 --print-schedule-stats -o /dev/null | FileCheck %s --check-prefix=LATE
// RUN: echo '{"name": "ahead", "workers": 1, "shared_memory_bytes": 8388608, "bandwidth_bytes_per_s": 5e10,' > %t.json
// RUN: echo ' "worker_bytes_per_s": 5e10, "l2_latency_ns": 300, "counter_hop_ns": 30000, "data_hop_ns": 1,' >> %t.json
// RUN: echo ' "dispatch_ns": 200, "ring": {"kept_bytes": 1, "fetch_ns": 1, "resume_ns": 1, "drain_bytes_per_s": 5e11}}' >> %t.json
// RUN: etc-opt %s --split-input-file --prefetch-weights --schedule-static=workers=1 --print-schedule-stats=target=%t.json -o /dev/null | FileCheck %s --check-prefix=EARLY
// RUN: etc-opt %s --split-input-file --schedule-static=workers=1 --print-schedule-stats=target=%t.json -o /dev/null | FileCheck %s --check-prefix=ASKED

// A row of the table and an id each; the row that is written is in the cache.
// CHECK: @embed at [4]: {{.*}} about 288 bytes from memory and 256 from cache
task.func @embedding(%t: index, %ids: memref<1xi64, strided<[1], offset: ?>>, %table: memref<1000x16xf32>,
    %y: memref<1x16xf32, strided<[16, 1], offset: ?>>) {
  task.embedding ins(%ids, %table : memref<1xi64, strided<[1], offset: ?>>, memref<1000x16xf32>)
    outs(%y : memref<1x16xf32, strided<[16, 1], offset: ?>>)
  task.return
}
task.graph @embed symbols [#task.symbol<"T", 1 to 4>] {
  %ids = task.argument "ids" input shape affine_map<()[T] -> (T)> : memref<?xi64>
  %table = task.argument "table" weight shape affine_map<() -> (1000, 16)> : memref<1000x16xf32>
  %y = task.scratch "y" shape affine_map<()[T] -> (T, 16)> : memref<?x16xf32>
  task.launch @embedding grid(()[T] -> (T))
    reads(%ids at <(t) -> (t) sizes [1]> : memref<?xi64>, %table at <(t) -> (0, 0) sizes [*, *]> : memref<1000x16xf32>)
    writes(%y at <(t) -> (t, 0) sizes [1, *]> : memref<?x16xf32>) waits() notifies()
}

// -----

// Half of a sequence's 8 pages of 4 tokens, keys and values of 8 numbers: 1024
// bytes; 16 of seq and pos, 128 of the block table. Query and output: 64 each.
// CHECK: @attend at []: {{.*}} about 1168 bytes from memory and 128 from cache
!q = memref<1x2x8xf32, strided<[16, 8, 1], offset: ?>>
!c = memref<64x1x2x4x8xf32>
!t = memref<1xi64>
!b = memref<2x8xi64>
task.func @attention(%q: !q, %cache: !c, %seq: !t, %pos: !t, %table: !b, %y: !q) {
  task.attention ins(%q, %cache, %seq, %pos, %table : !q, !c, !t, !t, !b) outs(%y : !q) scale 1.0
  task.return
}
task.graph @attend symbols [] {
  %q = task.scratch "q" shape affine_map<() -> (2, 2, 8)> : memref<2x2x8xf32>
  %y = task.scratch "y" shape affine_map<() -> (2, 2, 8)> : memref<2x2x8xf32>
  %cache = task.argument "cache" state shape affine_map<() -> (64, 1, 2, 4, 8)> : !c
  %seq = task.argument "seq" input shape affine_map<() -> (1)> : !t
  %pos = task.argument "pos" input shape affine_map<() -> (1)> : !t
  %table = task.argument "block_table" input shape affine_map<() -> (2, 8)> : !b
  task.launch @attention grid(() -> ())
    reads(%q at <() -> (0, 0, 0) sizes [1, *, *]> : memref<2x2x8xf32>, %cache at <() -> (0, 0, 0, 0, 0) sizes [*, *, *, *, *]> : !c,
      %seq at <() -> (0) sizes [*]> : !t, %pos at <() -> (0) sizes [*]> : !t, %table at <() -> (0, 0) sizes [*, *]> : !b)
    writes(%y at <() -> (0, 0, 0) sizes [1, *, *]> : memref<2x2x8xf32>) waits() notifies()
}

// -----

// One of four parts of that, of each of two heads: half of 16 pages of 8 tokens,
// keys and values of 64 bf16, are 16384 bytes of a head, 4096 of a part; 16 of seq
// and pos, 128 of the block table. In the cache: a token's vector and two tables,
// one part of two query heads: 512 * 2 + 2 * 64 * 2 + 2 * 66 * 4 = 1808 bytes.
// CHECK: @split_attend at []: {{.*}} about 33920 bytes from memory and 14464 from cache
!qkv = memref<1x512xbf16>
!rope = memref<1x64xbf16>
!one = memref<1xi64>
!pages = memref<1x16xi64>
!kv = memref<64x1x2x8x64xbf16, strided<[2048, 1024, 512, 64, 1], offset: ?>>
!part = memref<1x2x1x66xf32, strided<[1056, 264, 66, 1], offset: ?>>
task.func @split(%h: index, %p: index, %qkv: !qkv, %cos: !rope, %sin: !rope, %seq: !one, %pos: !one, %table: !pages,
    %cache: !kv, %partial: !part) {
  %c0 = arith.constant 0 : index
  task.split_attention ins(%qkv, %cos, %sin, %seq, %pos, %table : !qkv, !rope, !rope, !one, !one, !pages)
    at(%c0, %h, %p) of 4 outs(%cache, %partial : !kv, !part) scale 1.0
  task.return
}
task.graph @split_attend symbols [] {
  %qkv = task.scratch "qkv" shape affine_map<() -> (1, 512)> : !qkv
  %cos = task.scratch "cos" shape affine_map<() -> (1, 64)> : !rope
  %sin = task.scratch "sin" shape affine_map<() -> (1, 64)> : !rope
  %seq = task.argument "seq" input shape affine_map<() -> (1)> : !one
  %pos = task.argument "pos" input shape affine_map<() -> (1)> : !one
  %table = task.argument "block_table" input shape affine_map<() -> (1, 16)> : !pages
  %cache = task.argument "cache" state shape affine_map<() -> (64, 2, 2, 8, 64)> : memref<64x2x2x8x64xbf16>
  %partial = task.scratch "partial" shape affine_map<() -> (1, 4, 4, 66)> : memref<1x4x4x66xf32>
  task.launch @split grid(() -> (2, 4))
    reads(%qkv at <(h, p) -> (0, 0) sizes [*, *]> : !qkv, %cos at <(h, p) -> (0, 0) sizes [*, *]> : !rope,
      %sin at <(h, p) -> (0, 0) sizes [*, *]> : !rope, %seq at <(h, p) -> (0) sizes [*]> : !one,
      %pos at <(h, p) -> (0) sizes [*]> : !one, %table at <(h, p) -> (0, 0) sizes [*, *]> : !pages)
    writes(%cache at <(h, p) -> (0, h, 0, 0, 0) sizes [*, 1, *, *, *]> : memref<64x2x2x8x64xbf16>,
      %partial at <(h, p) -> (0, h * 2, p, 0) sizes [1, 2, 1, *]> : memref<1x4x4x66xf32>)
    waits() notifies()
}

// -----

// 4 MiB at 50 bytes a ns are 83.9 us, after a hop of 1 us; dispatch and vectors
// cost 0.4 us. Nothing streams ahead without a ring. With one that holds all of
// them they overlap a hop of 30 us, and the last eighth of the ring is drained
// in 2.1 us.
// CHECK: @linears
// LATE: about 85.2 us on 'generic'
// EARLY: about 86.1 us on 'ahead'
// ASKED: about 114.2 us on 'ahead'
task.func @nothing() { task.return }
task.func @linear(%x: memref<1x1024xf32>, %w: memref<1024x1024xf32>, %y: memref<1x1024xf32>) {
  task.linear ins(%x, %w : memref<1x1024xf32>, memref<1024x1024xf32>) outs(%y : memref<1x1024xf32>)
  task.return
}
task.graph @linears symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (1, 1024)> : memref<1x1024xf32>
  %w = task.argument "w" weight shape affine_map<() -> (1024, 1024)> : memref<1024x1024xf32>
  %y = task.scratch "y" shape affine_map<() -> (1, 1024)> : memref<1x1024xf32>
  %E = event.create "E" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<>
  task.launch @nothing grid(() -> ()) reads() writes() waits() notifies(%E at () -> () : !event.tensor<>)
  task.launch @linear grid(() -> ())
    reads(%x at <() -> (0, 0) sizes [*, *]> : memref<1x1024xf32>, %w at <() -> (0, 0) sizes [*, *]> : memref<1024x1024xf32>)
    writes(%y at <() -> (0, 0) sizes [*, *]> : memref<1x1024xf32>)
    waits(%E at () -> () guards 0 : !event.tensor<>) notifies()
}
