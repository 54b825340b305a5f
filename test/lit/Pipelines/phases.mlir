// RUN: etc-opt %s --pipeline-import | FileCheck %s --check-prefix=TENSOR
// RUN: etc-opt %s --pipeline-import --pipeline-decompose="workers=2 tile=linear:4x16" --pipeline-events | FileCheck %s --check-prefix=EVENTS
// RUN: etc-opt %s --pipeline-import --pipeline-decompose --pipeline-events --pipeline-schedule="workers=2 policy=list buckets=1,4" | FileCheck %s --check-prefix=SCHEDULE
// RUN: etc-opt %s --pipeline-import --pipeline-decompose --pipeline-events --pipeline-schedule --pipeline-persistent | FileCheck %s --check-prefix=PERSISTENT --implicit-check-not=task.graph
// RUN: etc-opt %s --pipeline-import --pipeline-decompose --pipeline-events --pipeline-schedule --pipeline-persistent --pipeline-cpu | FileCheck %s --check-prefix=CPU --implicit-check-not=memref. --implicit-check-not=unrealized_conversion_cast

// Every phase takes what the one before it leaves, down to the LLVM dialect.

// TENSOR: task.linear
// TENSOR: arith.addf

// EVENTS: task.graph @step
// EVENTS: task.scratch {{.*}} at 0
// EVENTS: %[[E:.*]] = event.create
// EVENTS: task.launch @linear_0 {{.*}} notifies(%[[E]] at
// EVENTS: task.launch @add_0 {{.*}} waits(%[[E]] at

// SCHEDULE: task.stream
// SCHEDULE-NEXT: task.ready
// SCHEDULE: task.schedule @step bucket [1] policy "list"
// SCHEDULE: task.schedule @step bucket [4] policy "list"

// PERSISTENT: func.func @step_worker(%{{.*}}: !task.worker)
// PERSISTENT: task.program @step

// CPU: llvm.func @step_worker(%{{.*}}: !llvm.ptr)
// CPU: task.program @step
!x = !torch.vtensor<[1,?,64],f32>
func.func @step(
    %x: !torch.vtensor<[1,?,64],f32> {etc.dims = ["1", "T", "64"], etc.name = "x", etc.role = "input"},
    %w: !torch.vtensor<[64,64],f32> {etc.name = "w", etc.role = "weight"})
    -> (!x {etc.dims = ["1", "T", "64"], etc.name = "y", etc.role = "output"})
    attributes {etc.symbols = {T = [1, 4]}} {
  %none = "torch.constant.none"() : () -> !torch.none
  %one = "torch.constant.int"() <{value = 1 : i64}> : () -> !torch.int
  %l = "torch.aten.linear"(%x, %w, %none) : (!x, !torch.vtensor<[64,64],f32>, !torch.none) -> !x
  %y = "torch.aten.add.Tensor"(%x, %l, %one) : (!x, !x, !torch.int) -> !x
  return %y : !x
}
