// RUN: etc-opt %s --verify-events=report=true --split-input-file --verify-diagnostics

task.func private @write(index, memref<16xf32, strided<[1], offset: ?>>)
task.func private @read(index, memref<16xf32, strided<[1], offset: ?>>)

// expected-remark@+1 {{checked at (): 12 tasks}}
task.graph @ordered symbols [] {
  %X = task.scratch "X" shape affine_map<() -> (64)> : memref<64xf32>
  %R = event.create "raw" shape affine_map<() -> (4)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<4>
  %W = event.create "war" shape affine_map<() -> (4)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<4>
  task.launch @write grid(() -> (4)) reads() writes(%X at <(i) -> (i * 16) sizes [16]> : memref<64xf32>)
    waits() notifies(%R at (i) -> (i) : !event.tensor<4>)
  task.launch @read grid(() -> (4)) reads(%X at <(i) -> (i * 16) sizes [16]> : memref<64xf32>) writes()
    waits(%R at (i) -> (i) guards 0 : !event.tensor<4>) notifies(%W at (i) -> (i) : !event.tensor<4>)
  task.launch @write grid(() -> (4)) reads() writes(%X at <(i) -> (i * 16) sizes [16]> : memref<64xf32>)
    waits(%W at (i) -> (i) guards 0 : !event.tensor<4>) notifies()
}

// -----

task.func private @write(index, memref<16xf32, strided<[1], offset: ?>>)
task.func private @read(index, memref<16xf32, strided<[1], offset: ?>>)

// The same graph with its write-after-read edge dropped.
task.graph @e9_dropped_war symbols [] {
  %X = task.scratch "X" shape affine_map<() -> (64)> : memref<64xf32>
  %R = event.create "raw" shape affine_map<() -> (4)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<4>
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @write grid(() -> (4)) reads() writes(%X at <(i) -> (i * 16) sizes [16]> : memref<64xf32>)
    waits() notifies(%R at (i) -> (i) : !event.tensor<4>)
  task.launch @read grid(() -> (4)) reads(%X at <(i) -> (i * 16) sizes [16]> : memref<64xf32>) writes()
    waits(%R at (i) -> (i) guards 0 : !event.tensor<4>) notifies()
  // expected-error@+1 {{E9: launch 2 (@write) task 0 (0) writes what launch 0 (@write) task 0 (0) writes, and no event orders them}}
  task.launch @write grid(() -> (4)) reads() writes(%X at <(i) -> (i * 16) sizes [16]> : memref<64xf32>)
    waits() notifies()
}

// -----

task.func private @write(index, memref<16xf32, strided<[1], offset: ?>>)
task.func private @read(index, memref<16xf32, strided<[1], offset: ?>>)

// Two names for the same bytes: Y was put where X still is.
task.graph @e9_shared_scratch symbols [] {
  %X = task.scratch "X" shape affine_map<() -> (128)> at 0 : memref<128xf32>
  %Y = task.scratch "Y" shape affine_map<() -> (64)> at 256 : memref<64xf32>
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @write grid(() -> (8)) reads() writes(%X at <(i) -> (i * 16) sizes [16]> : memref<128xf32>) waits() notifies()
  // expected-error@+1 {{E9: launch 1 (@write) task 0 (0) writes what launch 0 (@write) task 4 (4) writes}}
  task.launch @write grid(() -> (4)) reads() writes(%Y at <(i) -> (i * 16) sizes [16]> : memref<64xf32>) waits() notifies()
}

// -----

task.func private @f(index)

task.graph @e6_count symbols [#task.symbol<"T", 1 to 8>] {
  // expected-error@+1 {{E6: entry 0 of event tensor 'E' has count 4 but is notified 1 times in a step}}
  %E = event.create "E" shape affine_map<() -> ()> count affine_map<() -> (4)> reuse(monotonic) : !event.tensor<>
  task.launch @f grid(()[t] -> (t)) reads() writes() waits() notifies(%E at (i) -> () : !event.tensor<>)
  // expected-note@+1 {{launch 1 (@f) task 0 (0) waits for it}}
  task.launch @f grid(() -> (1)) reads() writes() waits(%E at (i) -> () guards * : !event.tensor<>) notifies()
}

// -----

task.func private @f(index)

task.graph @e8_cycle symbols [] {
  %E = event.create "E" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<>
  %F = event.create "F" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<>
  // expected-error@+1 {{E8: launch 0 (@f) task 0 (0) waits, directly or not, for itself}}
  task.launch @f grid(() -> (1)) reads() writes()
    waits(%F at (i) -> () guards * : !event.tensor<>) notifies(%E at (i) -> () : !event.tensor<>)
  task.launch @f grid(() -> (1)) reads() writes()
    waits(%E at (i) -> () guards * : !event.tensor<>) notifies(%F at (i) -> () : !event.tensor<>)
}

// -----

// E9 within one launch: a disjoint region is larger than what a task writes, another is not.
task.func private @append(index, memref<8xf32>)

task.graph @e9_one_launch symbols [] {
  %S = task.argument "cache" state shape affine_map<() -> (8)> : memref<8xf32>
  %X = task.argument "x" output shape affine_map<() -> (8)> : memref<8xf32>
  task.launch @append grid(() -> (2)) reads() writes(%S at <(i) -> (0) sizes [*] disjoint> : memref<8xf32>) waits() notifies()
  // expected-error@+2 {{E9: launch 1 (@append) task 1 (1) writes what launch 1 (@append) task 0 (0) writes}}
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @append grid(() -> (2)) reads() writes(%X at <(i) -> (0) sizes [*]> : memref<8xf32>) waits() notifies()
}

// -----

task.func private @f(index)

// expected-warning@+2 {{verify-events: checked nothing, for the graph is too large for max-tasks = 32768: (): 140000 tasks, skipped}}
// expected-remark@+1 {{checked at (): 140000 tasks, skipped}}
task.graph @too_large symbols [] {
  task.launch @f grid(() -> (140000)) reads() writes() waits() notifies()
}

// -----

task.func private @f(index)

// Each task that waits takes a bit for each task.
// expected-warning@+2 {{verify-events: checked nothing, for the graph is too large for max-tasks = 32768: (): 40001 tasks, skipped}}
// expected-remark@+1 {{checked at (): 40001 tasks, skipped}}
task.graph @too_many_wait symbols [] {
  %E = event.create "E" shape affine_map<() -> (1)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<1>
  task.launch @f grid(() -> (1)) reads() writes() waits() notifies(%E at (i) -> (0) : !event.tensor<1>)
  task.launch @f grid(() -> (40000)) reads() writes() waits(%E at (i) -> (0) guards * : !event.tensor<1>) notifies()
}

// -----

task.func private @write(index, memref<16xf32, strided<[1], offset: ?>>)

// Where few wait, the size of a whole model is no reason to skip it: of 1.6 billion pairs, one
// has bytes in common.
task.graph @large symbols [] {
  %X = task.scratch "X" shape affine_map<() -> (1280000)> : memref<1280000xf32>
  // expected-note@+1 {{the earlier launch is here}}
  task.launch @write grid(() -> (40000)) reads() writes(%X at <(i) -> (i * 16) sizes [16]> : memref<1280000xf32>) waits() notifies()
  // expected-error@+1 {{E9: launch 1 (@write) task 0 (0) writes what launch 0 (@write) task 39999 (39999) writes, and no event orders them}}
  task.launch @write grid(() -> (40000)) reads() writes(%X at <(i) -> (i * 16 + 639984) sizes [16]> : memref<1280000xf32>) waits() notifies()
}

// -----

task.func private @f(index)

// Right in every step by itself. But a step of 4 after one of 2 would wait for two
// notifications of entry 2 since the start, of which the smaller step made none.
task.graph @e6_monotonic_entry_left_out symbols [#task.symbol<"T", 2 to 4>] {
  // expected-error@+1 {{E6: entry 2 of event tensor 'E' has count 1 but is notified 0 times in a step; one that is not notified alike in every step needs reuse(banked)}}
  %E = event.create "E" shape affine_map<() -> (4)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<4>
  task.launch @f grid(()[t] -> (t)) reads() writes() waits() notifies(%E at (i) -> (i) : !event.tensor<4>)
  task.launch @f grid(()[t] -> (t)) reads() writes() waits(%E at (i) -> (i) guards * : !event.tensor<4>) notifies()
}

// -----

task.func private @write(index, memref<16xf32, strided<[1], offset: ?>>)
task.func private @read(index, memref<16xf32, strided<[1], offset: ?>>)

// Every two tasks that touch the same bytes are ordered, and @read finds what was
// written to Y.
task.graph @e11_clobbered symbols [] {
  // expected-note@+1 {{the other buffer is here}}
  %X = task.scratch "X" shape affine_map<() -> (16)> at 0 : memref<16xf32>
  // expected-error@+1 {{E11: scratch buffer 'Y' is used from launch 1 on, in bytes of 'X', which is used up to launch 2}}
  %Y = task.scratch "Y" shape affine_map<() -> (16)> at 0 : memref<16xf32>
  %E = event.create "E" shape affine_map<() -> (1)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<1>
  %F = event.create "F" shape affine_map<() -> (1)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<1>
  task.launch @write grid(() -> (1)) reads() writes(%X at <(i) -> (i * 16) sizes [16]> : memref<16xf32>)
    waits() notifies(%E at (i) -> (i) : !event.tensor<1>)
  task.launch @write grid(() -> (1)) reads() writes(%Y at <(i) -> (i * 16) sizes [16]> : memref<16xf32>)
    waits(%E at (i) -> (i) guards 0 : !event.tensor<1>) notifies(%F at (i) -> (i) : !event.tensor<1>)
  task.launch @read grid(() -> (1)) reads(%X at <(i) -> (i * 16) sizes [16]> : memref<16xf32>) writes()
    waits(%F at (i) -> (i) guards 0 : !event.tensor<1>) notifies()
}

// -----

task.func private @choose(index, memref<4xf32, strided<[1], offset: ?>>, memref<4xf32, strided<[1], offset: ?>>)
task.func private @look(index, memref<4xf32, strided<[1], offset: ?>>)

// E12: what a step reads may be what the one before gave, wherever that lies. But two halves of
// one argument are not the same bytes in any step: the launch that looks at the other half
// need not wait.
// expected-remark@+1 {{checked at (): 2 tasks}}
task.graph @e12_halves symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (4)> : memref<4xf32>
  %y = task.argument "y" output shape affine_map<() -> (8)> : memref<8xf32>
  %S = event.create "step" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(carried) : !event.tensor<>
  task.launch @choose grid(() -> (1)) reads(%x at <(i) -> (0) sizes [4]> : memref<4xf32>) writes(%y at <(i) -> (0) sizes [4]> : memref<8xf32>)
    waits(%S at (i) -> () guards * : !event.tensor<>) notifies(%S at (i) -> () : !event.tensor<>)
  task.launch @look grid(() -> (1)) reads(%y at <(i) -> (4) sizes [4]> : memref<8xf32>) writes() waits() notifies()
}
