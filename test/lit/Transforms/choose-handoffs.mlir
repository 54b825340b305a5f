// RUN: etc-opt %s --choose-handoffs --split-input-file | FileCheck %s
// RUN: etc-opt %s --choose-handoffs=remarks=true --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=WHY
// RUN: etc-opt %s --choose-handoffs=enabled=false --split-input-file | FileCheck %s --check-prefix=OFF
// RUN: etc-opt %s "--pass-pipeline=builtin.module(choose-handoffs,task.graph(infer-events,fuse-events,plan-global-memory,verify-events))" --split-input-file | FileCheck %s --check-prefix=EVENTS

// OFF-NOT: #task.tagged

// One launch writes x, and all code that reads or writes it takes words.
// CHECK-LABEL: task.func @embed
// CHECK: task.embedding {{.*}} outs(%{{.*}} : memref<4x32xbf16, #task.tagged>)
// CHECK-LABEL: task.func @gather
// CHECK: task.gather_rows ins(%{{.*}} : memref<4x32xbf16, #task.tagged>, memref<2xi64>) outs(%{{.*}} : memref<2x32xbf16>)
// CHECK-LABEL: task.graph @words
// CHECK: task.scratch "x" {{.*}} : memref<4x32xbf16, #task.tagged>
// WHY: remark: 'x' is handed over as data: 256 bytes a reader, 510 ns as data, 1005 ns by a counter
task.func @embed(%ids: memref<4xi64>, %table: memref<64x32xbf16>, %x: memref<4x32xbf16>) {
  task.embedding ins(%ids, %table : memref<4xi64>, memref<64x32xbf16>) outs(%x : memref<4x32xbf16>)
  task.return
}
task.func @gather(%x: memref<4x32xbf16>, %rows: memref<2xi64>, %y: memref<2x32xbf16>) {
  task.gather_rows ins(%x, %rows : memref<4x32xbf16>, memref<2xi64>) outs(%y : memref<2x32xbf16>)
  task.return
}
task.graph @words symbols [] {
  %ids = task.argument "ids" input shape affine_map<() -> (4)> : memref<4xi64>
  %rows = task.argument "rows" input shape affine_map<() -> (2)> : memref<2xi64>
  %table = task.argument "table" weight shape affine_map<() -> (64, 32)> : memref<64x32xbf16>
  %x = task.scratch "x" shape affine_map<() -> (4, 32)> : memref<4x32xbf16>
  %y = task.argument "y" output shape affine_map<() -> (2, 32)> : memref<2x32xbf16>
  task.launch @embed grid(() -> ())
    reads(%ids at <() -> (0) sizes [*]> : memref<4xi64>, %table at <() -> (0, 0) sizes [*, *]> : memref<64x32xbf16>)
    writes(%x at <() -> (0, 0) sizes [*, *]> : memref<4x32xbf16>) waits() notifies()
  task.launch @gather grid(() -> ())
    reads(%x at <() -> (0, 0) sizes [*, *]> : memref<4x32xbf16>, %rows at <() -> (0) sizes [*]> : memref<2xi64>)
    writes(%y at <() -> (0, 0) sizes [*, *]> : memref<2x32xbf16>) waits() notifies()
}

// -----

!x = memref<4x32xbf16>
!w = memref<16x32xbf16, strided<[32, 1], offset: ?>>
!y = memref<4x16xbf16, strided<[32, 1], offset: ?>>
task.func @embed(%ids: memref<4xi64>, %table: memref<64x32xbf16>, %x: !x) {
  task.embedding ins(%ids, %table : memref<4xi64>, memref<64x32xbf16>) outs(%x : !x)
  task.return
}
// One body for a launch of tagged operands and one of others: a copy for each.
// CHECK: task.func @project(%{{.*}}: index, %{{[a-z0-9]*}}: memref<4x32xbf16, #task.tagged>, {{.*}}: memref<4x16xbf16, strided<[32, 1], offset: ?>>)
// CHECK: task.linear ins(%{{.*}} : memref<4x32xbf16, #task.tagged>, {{.*}}) outs(%{{.*}} : memref<4x16xbf16, strided<[32, 1], offset: ?>>)
// CHECK: task.func @{{project_[0-9]*}}(%{{.*}}: index, %{{[a-z0-9]*}}: memref<4x32xbf16, #task.tagged>, {{.*}}: memref<4x16xbf16, strided<[32, 1], offset: ?>, #task.tagged>)
// CHECK: task.linear {{.*}} outs(%{{.*}} : memref<4x16xbf16, strided<[32, 1], offset: ?>, #task.tagged>)
task.func @project(%i: index, %x: !x, %w: !w, %y: !y) {
  %s = task.stream %w : !w -> !task.stream<!w>
  task.ready
  task.linear ins(%x, %s : !x, !task.stream<!w>) outs(%y : !y)
  task.return
}
task.func @scale(%x: memref<4x32xbf16>, %y: memref<4x32xbf16>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%x : memref<4x32xbf16>) outs(%y : memref<4x32xbf16>) {
  ^bb0(%a: bf16, %b: bf16):
    %c = arith.addf %a, %a : bf16
    linalg.yield %c : bf16
  }
  task.return
}
// CHECK-LABEL: task.graph @g
// EVENTS-LABEL: task.graph @g
task.graph @g symbols [] {
  %ids = task.argument "ids" input shape affine_map<() -> (4)> : memref<4xi64>
  %table = task.argument "table" weight shape affine_map<() -> (64, 32)> : memref<64x32xbf16>
  %w = task.argument "w" weight shape affine_map<() -> (32, 32)> layout(mma_fragments) : memref<32x32xbf16>
  // CHECK: task.scratch "x" {{.*}} : memref<4x32xbf16, #task.tagged>
  // WHY: remark: 'x' is handed over as data: 256 bytes a reader
  %x = task.scratch "x" shape affine_map<() -> (4, 32)> : memref<4x32xbf16>
  // CHECK: task.scratch "h" {{.*}} : memref<4x32xbf16, #task.tagged>
  // WHY: remark: 'h' is handed over as data
  %h = task.scratch "h" shape affine_map<() -> (4, 32)> : memref<4x32xbf16>
  // CHECK: task.scratch "u" {{.*}} : memref<4x32xbf16>{{$}}
  // WHY: remark: 'u' is handed over by a counter: @scale uses it otherwise
  %u = task.scratch "u" shape affine_map<() -> (4, 32)> : memref<4x32xbf16>
  // CHECK: task.scratch "n" {{.*}} : memref<4xi64>
  // WHY: remark: 'n' is handed over by a counter: its elements do not fill words of 32 bits
  %n = task.scratch "n" shape affine_map<() -> (4)> : memref<4xi64>
  // WHY: remark: 'twice' is handed over by a counter: 2 launches write it
  %twice = task.scratch "twice" shape affine_map<() -> (4, 32)> : memref<4x32xbf16>
  %y = task.argument "y" output shape affine_map<() -> (4, 32)> : memref<4x32xbf16>

  // Whoever reads x or h waits for the words, only u has a counter. A tagged word is twice
  // as long, and its memory is nobody else's.
  // EVENTS: task.scratch "x" {{.*}} at 256 : memref<4x32xbf16, #task.tagged>
  // EVENTS: task.scratch "h" {{.*}} at 768 : memref<4x32xbf16, #task.tagged>
  // EVENTS: task.scratch "u" {{.*}} at 0 : memref<4x32xbf16>
  // EVENTS: task.scratch "twice" {{.*}} at 1280
  // EVENTS: task.launch @{{embed_[0-9]*}} {{.*}} waits() notifies()
  // EVENTS: task.launch @{{project_[0-9]* grid.*}}{{.*}} waits() notifies()
  // EVENTS: task.launch @project grid{{.*}} waits() notifies(%[[U:[0-9]*]] at
  // EVENTS: task.launch @scale {{.*}} waits(%[[U]] at
  // CHECK: task.launch @{{embed_[0-9]*}} grid
  // CHECK: task.launch @{{project_[0-9]*}} grid
  // CHECK-SAME: writes(%{{.*}} : memref<4x32xbf16, #task.tagged>)
  // CHECK: task.launch @project grid
  task.launch @embed grid(() -> ()) reads(%ids at <() -> (0) sizes [*]> : memref<4xi64>, %table at <() -> (0, 0) sizes [*, *]> : memref<64x32xbf16>)
    writes(%x at <() -> (0, 0) sizes [*, *]> : memref<4x32xbf16>) waits() notifies()
  task.launch @project grid(() -> (2)) reads(%x at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<32x32xbf16>)
    writes(%h at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x32xbf16>) waits() notifies()
  task.launch @project grid(() -> (2)) reads(%h at <(i) -> (0, 0) sizes [*, *]> : memref<4x32xbf16>, %w at <(i) -> (i * 16, 0) sizes [16, *]> : memref<32x32xbf16>)
    writes(%u at <(i) -> (0, i * 16) sizes [*, 16]> : memref<4x32xbf16>) waits() notifies()
  task.launch @scale grid(() -> ()) reads(%u at <() -> (0, 0) sizes [*, *]> : memref<4x32xbf16>)
    writes(%y at <() -> (0, 0) sizes [*, *]> : memref<4x32xbf16>) waits() notifies()
  task.launch @embed grid(() -> ()) reads(%ids at <() -> (0) sizes [*]> : memref<4xi64>, %table at <() -> (0, 0) sizes [*, *]> : memref<64x32xbf16>)
    writes(%twice at <() -> (0, 0) sizes [*, *]> : memref<4x32xbf16>) waits() notifies()
  task.launch @embed grid(() -> ()) reads(%ids at <() -> (0) sizes [*]> : memref<4xi64>, %table at <() -> (0, 0) sizes [*, *]> : memref<64x32xbf16>)
    writes(%twice at <() -> (0, 0) sizes [*, *]> : memref<4x32xbf16>) waits() notifies()
}
