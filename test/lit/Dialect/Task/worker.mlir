// RUN: etc-opt %s | etc-opt | FileCheck %s
// RUN: etc-opt %s --mlir-print-op-generic | etc-opt | FileCheck %s

// CHECK-LABEL: func.func @worker
func.func @worker(%w: !task.worker) {
  // CHECK: task.clear_banks %{{.*}} words 8
  task.clear_banks %w words 8
  // CHECK: task.symbol_value %{{.*}}[0]
  // CHECK: task.symbol_value %{{.*}}[0] bucket
  %n = task.symbol_value %w[0]
  %most = task.symbol_value %w[0] bucket
  %begin, %end = task.runs %w
  // CHECK: task.run %{{.*}}[%{{.*}}] width 3
  %launch, %kind, %first, %stride, %count = task.run %w[%begin] width 3
  // CHECK: task.mark %{{.*}} launch %{{.*}} task %{{[^ ]*}}{{$}}
  task.mark %w launch %launch task %first
  // CHECK: task.mark %{{.*}} launch %{{.*}} task %{{.*}} traced{{$}}
  task.mark %w launch %launch task %first traced
  // CHECK: task.mark %{{.*}} launch %{{.*}} task %{{.*}} finished
  task.mark %w launch %launch task %first finished
  // CHECK: task.operand %{{.*}} launch %{{.*}}[1 of 3] (%{{.*}}) : memref<?x4xf32>
  %b = task.operand %w launch %launch[1 of 3] (%n) : memref<?x4xf32>
  // CHECK: task.event %{{.*}} launch %{{.*}}[2 of 3] () : !event.tensor<8>
  %e = task.event %w launch %launch[2 of 3] () : !event.tensor<8>
  return
}

// CHECK: task.program @graph worker @worker
// CHECK: task.schedule @graph bucket [64]
task.program @graph worker @worker attributes {
  symbols = [#task.symbol<"n", 1 to 64>],
  buffers = [#task.buffer<"B", input, row_major, memref<?x4xf32>, ()[n] -> (n, 4), at 0>],
  launch_names = ["l"], launch_width = 3 : i64, launches = array<i32: 0, 0, 0>,
  event_names = ["e"], events = array<i32: 0, 8, 0, 8>,
  counter_words = 16 : i64, scratch_bytes = 0 : i64} {
  task.schedule @graph bucket [64] policy "round-robin" offsets [0, 1] runs [0, 0, 1, 8]
}
