// RUN: scheduling-test | FileCheck %s
// REQUIRES: scheduling-test

// CHECK: chain: none
// CHECK: round-robin: none
// CHECK: progress: none
// CHECK: entry: task 1 of launch 0 (@first) names entry 2 of 2
// CHECK: affinity: task 1 of launch 1 (@second) has an affinity to worker 2 of 2
// CHECK: count: task 1 of launch 1 (@second) waits for entry 1 of event 'E', which the launches before it notify 1 of 2 times
// CHECK: workers: a schedule needs at least one worker, got 0
// CHECK: size: the schedule is for 3 workers, the problem for 2
// CHECK: chain: 111.0
// CHECK: slower hop: 126.0
// CHECK: dispatch: 129.0
// CHECK: run: 218.0
// CHECK: span: 207 to 218
// CHECK: together: 10 to 401
// CHECK: paced: 10 to 701
// CHECK: one later: 10 to 401
// CHECK: apart: 10 to 441
// CHECK: alone: 10 to 501
// CHECK: small ring: 10 to 861
// CHECK: nothing: 110 to 111
// CHECK: ahead: 119.0
// CHECK: late: 152.2
// CHECK: small ring: 157.0
// CHECK: resumes: 172.0
// CHECK: busy: 81.5
// CHECK: no ring: 191.0
// CHECK: in order: 149.0
// CHECK: random: none
