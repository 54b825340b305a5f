// RUN: not etc-opt %s --decompose-to-tasks="tile=linear:16,generic:0y64" 2>&1 | FileCheck %s
// RUN: not etc-opt %s --decompose-to-tasks="tile=matmul:16" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not etc-opt %s --decompose-to-tasks="tile=linear:16,linear:32" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not etc-opt %s --decompose-to-tasks="workers=0" 2>&1 | FileCheck %s --check-prefix=WORKERS
// RUN: not etc-opt %s --decompose-to-tasks="tokens=0" 2>&1 | FileCheck %s --check-prefix=WORKERS
// RUN: not etc-opt %s --decompose-to-tasks="kept-bytes=-1" 2>&1 | FileCheck %s --check-prefix=WORKERS
// RUN: not etc-opt %s --decompose-to-tasks="streamed-bytes=-1" 2>&1 | FileCheck %s --check-prefix=WORKERS

// CHECK: error: 'generic:0y64' is no tile; expects KIND:SIZE or KIND:SIZExSIZE, such as 'linear:16' or 'generic:0x64'
// UNKNOWN: error: 'matmul:16' is no tile; {{.*}} KIND one of generic, linear, rms_norm
// TWICE: error: two tiles for 'linear'
// WORKERS: error: decompose-to-tasks: workers and tokens are positive, linear-rows, kept-bytes and streamed-bytes are not negative
module {}
