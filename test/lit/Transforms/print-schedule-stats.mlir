// RUN: etc-opt %s --print-schedule-stats=check -o /dev/null | FileCheck %s
// RUN: etc-opt %s --schedule-static="workers=3 buckets=64" --print-schedule-stats="check json output=%t.json" -o /dev/null
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t.json
// RUN: etc-opt %s --schedule-static="workers=3 buckets=64" --print-schedule-stats="target=%S/../../../python/etc_mlir/targets/h200.json" -o /dev/null | FileCheck %s --check-prefix=SCHEDULED
// RUN: not etc-opt %s --print-schedule-stats="output=%t.none/x" 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: etc-opt %s --schedule-static="workers=1 buckets=64" | sed 's/runs \[0, 0, 1, 8/runs [0, 0, 1, 7/' | not etc-opt --print-schedule-stats 2>&1 | FileCheck %s --check-prefix=WRONG

// WRONG: error: no statistics of a wrong schedule: task 7 of launch 0 (@partial) is on no worker
// NOFILE: error: print-schedule-stats:

task.func @partial(%i: index, %j: index,
    %a: memref<?x32xf32, strided<[128, 1], offset: ?>>,
    %b: memref<?x1xf32, strided<[4, 1], offset: ?>>) { task.return }
task.func @final(%i: index, %b: memref<?x4xf32, strided<[4, 1], offset: ?>>,
    %c: memref<?xf32, strided<[1], offset: ?>>) { task.return }

// 32 row blocks of 4 partial sums: one event each, or one per pair. The last
// task of the odd extent has 1 row.
// CHECK: @split_sum at [993]: 2 launches, 160 tasks, 1 event tensors of 32 entries (one event per dependent pair: 128, enumerated: 128), about 524288 bytes from memory and 36864 from cache
// JSON: [{"cached_bytes":2304,"event_entries":2,"event_tensors":1,"graph":"split_sum","launches":2,
// JSON-SAME: "makespan_ns":{{[0-9.e+]+}},"memory_bytes":32768,"naive_events":8,"naive_events_enumerated":8,"policy":"round-robin","runs":5,
// JSON-SAME: "symbols":[64],"tasks":10,"tasks_per_worker":[4,3,3],"workers":3}
// SCHEDULED: @split_sum at [64]: 2 launches, 10 tasks
// SCHEDULED-NEXT: round-robin: 3 workers, 5 runs, 3 to 4 tasks a worker, about {{[0-9.]+}} us on 'h200'
task.graph @split_sum symbols [#task.symbol<"n", 1 to 993>] {
  %A = task.argument "A" input shape affine_map<()[n] -> (n, 128)> : memref<?x128xf32>
  %C = task.argument "C" output shape affine_map<()[n] -> (n)> : memref<?xf32>
  %B = task.scratch "B" shape affine_map<()[n] -> (n, 4)> : memref<?x4xf32>
  %E = event.create "partial" shape affine_map<()[n] -> (n ceildiv 32)>
    count affine_map<()[n] -> (4)> reuse(banked) : !event.tensor<?>
  task.launch @partial grid(()[n] -> (n ceildiv 32, 4))
    reads(%A at <(i, j) -> (i * 32, j * 32) sizes [32, 32]> : memref<?x128xf32>)
    writes(%B at <(i, j) -> (i * 32, j) sizes [32, 1]> : memref<?x4xf32>)
    waits() notifies(%E at (i, j) -> (i) : !event.tensor<?>)
  task.launch @final grid(()[n] -> (n ceildiv 32))
    reads(%B at <(i) -> (i * 32, 0) sizes [32, *]> : memref<?x4xf32>)
    writes(%C at <(i) -> (i * 32) sizes [32]> : memref<?xf32>)
    waits(%E at (i) -> (i) guards 0 : !event.tensor<?>) notifies()
}
