// RUN: etc-opt %graphs/hops_data.mlir --pipeline-schedule="workers=2" --pipeline-persistent="roles=loader,consumer" --pipeline-gpu --export-program -o /dev/null 2>/dev/null | FileCheck %s --check-prefix=DATA
// RUN: etc-opt %graphs/hops_counter.mlir --pipeline-events --pipeline-schedule="workers=2" --pipeline-persistent="roles=loader,consumer" --pipeline-gpu="chip=sm_90" -o - 2>/dev/null | FileCheck %s --check-prefix=CHIP

// A value and its epoch are one relaxed 64-bit scalar, and nothing else crosses blocks.
// DATA: .entry hops_data_worker
// DATA-NOT: red.release
// DATA-DAG: ld.relaxed.gpu.global.b64
// DATA-DAG: st.relaxed.gpu.global.b64
// DATA-NOT: red.release

// CHIP: gpu.binary @hops_counter_device {{.*}}chip = "sm_90"
// CHIP: task.program @hops_counter
