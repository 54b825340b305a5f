// RUN: not etc-opt %s --schedule-static 2>&1 | FileCheck %s --check-prefix=WORKERS
// RUN: not etc-opt %s --schedule-static="workers=-2" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not etc-opt %s --schedule-static="workers=2 policy=fifo" 2>&1 | FileCheck %s --check-prefix=POLICY
// RUN: not etc-opt %s --schedule-static="workers=2 buckets=4x2" 2>&1 | FileCheck %s --check-prefix=RANK
// RUN: not etc-opt %s --schedule-static="workers=2 buckets=two" 2>&1 | FileCheck %s --check-prefix=NUMBER
// RUN: not etc-opt %s --schedule-static="workers=2 buckets=4,9" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not etc-opt %s --schedule-static="workers=2 buckets=9" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not etc-opt %s --schedule-static="workers=2 buckets=4" 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not etc-opt %s --schedule-static="target=%t.none" 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: echo '{"name": "x", "workers": 0}' > %t.json
// RUN: not etc-opt %s --schedule-static="target=%t.json" 2>&1 | FileCheck %s --check-prefix=FIELD
// RUN: sed 's/"linear": [0-9]*/"linear": -1/' %S/../../../python/etc_mlir/targets/h200.json > %t.json
// RUN: not etc-opt %s --schedule-static="target=%t.json" 2>&1 | FileCheck %s --check-prefix=OPERATOR
// RUN: sed 's/"kept_bytes": [0-9]*/"kept_bytes": 232448/' %S/../../../python/etc_mlir/targets/h200.json > %t.json
// RUN: not etc-opt %s --schedule-static="target=%t.json" 2>&1 | FileCheck %s --check-prefix=RING
// RUN: sed 's/"operator_ns": {/"operator_ns": 1, "x": {/' %S/../../../python/etc_mlir/targets/h200.json > %t.json
// RUN: not etc-opt %s --schedule-static="target=%t.json" 2>&1 | FileCheck %s --check-prefix=OPERATORS
// RUN: sed 's/"ring": {/"ring": 1, "x": {/' %S/../../../python/etc_mlir/targets/h200.json > %t.json
// RUN: not etc-opt %s --schedule-static="target=%t.json" 2>&1 | FileCheck %s --check-prefix=NORING
// RUN: echo '[]' > %t.json
// RUN: not etc-opt %s --schedule-static="target=%t.json" 2>&1 | FileCheck %s --check-prefix=OBJECT
// RUN: echo '{' > %t.json
// RUN: not etc-opt %s --schedule-static="target=%t.json" 2>&1 | FileCheck %s --check-prefix=JSON

// WORKERS: error: schedule-static: needs at least one worker, got 0; give 'workers' or 'target'
// NEGATIVE: error: schedule-static: needs at least one worker, got -2
// POLICY: error: schedule-static: no policy 'fifo'; the policies are round-robin, list
// RANK: error: bucket '4x2' has 2 bounds for 1 symbols
// NUMBER: error: bucket 'two' is not a number
// RANGE: error: bucket '9' is outside of the range of symbol 'n', 1 to 8
// ORDER: error: @late cannot be scheduled in the order of its launches, at symbols [4]: task 0 of launch 0 (@body) waits for entry 0 of event 'E', which the launches before it notify 0 of 1 times
// NOFILE: error: cannot read target description
// FIELD: error: target description '{{.*}}': 'workers' is missing or out of range
// OPERATOR: error: target description '{{.*}}': 'operator_ns.linear' is missing or out of range
// OPERATORS: error: target description '{{.*}}': 'operator_ns' is missing or out of range
// RING: error: target description '{{.*}}': 'ring.kept_bytes' is missing or out of range
// NORING: error: target description '{{.*}}': 'ring' is missing or out of range
// OBJECT: error: target description '{{.*}}' is not an object
// JSON: error: target description '{{.*}}': {{.*}}Expected

task.func @body(%i: index) { task.return }

task.graph @late symbols [#task.symbol<"n", 1 to 8>] {
  %E = event.create "E" shape affine_map<()[n] -> (n)>
    count affine_map<()[n] -> (1)> reuse(banked) : !event.tensor<?>
  task.launch @body grid(()[n] -> (n)) reads() writes()
    waits(%E at (i) -> (i) guards * : !event.tensor<?>) notifies()
  task.launch @body grid(()[n] -> (n)) reads() writes()
    waits() notifies(%E at (i) -> (i) : !event.tensor<?>)
}
