// REQUIRES: ptxas
// RUN: etc-opt %graphs/split_sum.mlir --pipeline-persistent="roles=loader,consumer" --pipeline-gpu --export-program=output=%t.json -o /dev/null
// RUN: %ptxas_report %t.json | FileCheck %s

// The kernel keeps everything in registers.
// CHECK: split_sum: {{[1-9][0-9]*}} registers, 0 bytes spilled
