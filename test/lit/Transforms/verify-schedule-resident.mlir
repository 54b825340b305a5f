// RUN: echo '{"name": "duo", "workers": 2, "shared_memory_bytes": 1024, "bandwidth_bytes_per_s": 1e9,' > %t.json
// RUN: echo ' "worker_bytes_per_s": 1e9, "l2_latency_ns": 1, "counter_hop_ns": 1, "data_hop_ns": 1, "dispatch_ns": 1}' >> %t.json
// RUN: etc-opt %s --schedule-static=workers=2 --verify-schedule=target=%t.json
// RUN: not etc-opt %s --schedule-static=workers=3 --verify-schedule=target=%t.json 2>&1 | FileCheck %s

// CHECK: error: schedule of @g: has 3 workers, but target 'duo' keeps 2 resident

task.func @body(%i: index) { task.return }

task.graph @g symbols [] {
  task.launch @body grid(() -> (8)) reads() writes() waits() notifies()
}
