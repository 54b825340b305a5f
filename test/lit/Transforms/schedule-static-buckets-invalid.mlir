// RUN: not etc-opt %s --schedule-static="workers=2 buckets=16" 2>&1 | FileCheck %s

// One bound for all symbols is clipped to the range of each, and has to be in one.
// CHECK: error: bucket '16' is above the range of every symbol
task.graph @two symbols [#task.symbol<"T", 1 to 8>, #task.symbol<"R", 1 to 4>] {
}
