// RUN: scheduling-test | FileCheck %s
// REQUIRES: scheduling-test

// CHECK: chain: none
// CHECK: round-robin: none
// CHECK: progress: none
// CHECK: makespan: 206
// CHECK: entry: task 1 of launch 0 (@first) names entry 2 of 2
// CHECK: affinity: task 1 of launch 1 (@second) has an affinity to worker 2 of 2
// CHECK: count: task 1 of launch 1 (@second) waits for entry 1 of event 'E', which the launches before it notify 1 of 2 times
// CHECK: workers: a schedule needs at least one worker, got 0
// CHECK: size: the schedule is for 3 workers, the problem for 2
// CHECK: random: none
