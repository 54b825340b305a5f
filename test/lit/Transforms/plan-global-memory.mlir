// RUN: etc-opt %s --infer-events --plan-global-memory | FileCheck %s
// RUN: etc-opt %s --infer-events --plan-global-memory=reuse=false | FileCheck %s --check-prefix=APART

task.func private @in(index, memref<64xf32, strided<[1], offset: ?>>)
task.func private @map(index, memref<64xf32, strided<[1], offset: ?>>, memref<64xf32, strided<[1], offset: ?>>)
task.func private @all(index, memref<256xf32>, memref<64xf32, strided<[1], offset: ?>>)

// X is dead once all of Y is complete, which the full read of Y waits for: Z
// takes its place. Y -> Z' is tile by tile: a tile of Y may still be written when
// a tile of Z' is, so these two stay apart.
// CHECK-LABEL: task.graph @chain
// APART-LABEL: task.graph @chain
task.graph @chain symbols [] {
  // CHECK: task.scratch "X" shape {{.*}} at 0 :
  // CHECK: task.scratch "Y" shape {{.*}} at 1024 :
  // CHECK: task.scratch "Z" shape {{.*}} at 0 :
  // CHECK: task.scratch "W" shape {{.*}} at 1024 :
  // APART: task.scratch "X" shape {{.*}} at 0 :
  // APART: task.scratch "Y" shape {{.*}} at 1024 :
  // APART: task.scratch "Z" shape {{.*}} at 2048 :
  // APART: task.scratch "W" shape {{.*}} at 3072 :
  %X = task.scratch "X" shape affine_map<() -> (256)> : memref<256xf32>
  %Y = task.scratch "Y" shape affine_map<() -> (256)> : memref<256xf32>
  %Z = task.scratch "Z" shape affine_map<() -> (256)> : memref<256xf32>
  %W = task.scratch "W" shape affine_map<() -> (256)> : memref<256xf32>
  task.launch @in grid(() -> (4)) reads()
    writes(%X at <(i) -> (i * 64) sizes [64]> : memref<256xf32>) waits() notifies()
  task.launch @map grid(() -> (4)) reads(%X at <(i) -> (i * 64) sizes [64]> : memref<256xf32>)
    writes(%Y at <(i) -> (i * 64) sizes [64]> : memref<256xf32>) waits() notifies()
  task.launch @all grid(() -> (4)) reads(%Y at <(i) -> (0) sizes [*]> : memref<256xf32>)
    writes(%Z at <(i) -> (i * 64) sizes [64]> : memref<256xf32>) waits() notifies()
  task.launch @all grid(() -> (4)) reads(%Z at <(i) -> (0) sizes [*]> : memref<256xf32>)
    writes(%W at <(i) -> (i * 64) sizes [64]> : memref<256xf32>) waits() notifies()
}
