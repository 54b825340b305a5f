// RUN: etc-opt %s --print-schedule-stats=check -o /dev/null --split-input-file | FileCheck %s

// Tiles that do not match: 5 rows of the writer, 3 of the reader. Rows 0-16 in
// 4 and 6 tasks overlap in 8 pairs, once per column block of the reader.
// CHECK: @tails at [17]: {{.*}} per dependent pair: 16, enumerated: 16)
!w = memref<?x8xf32, strided<[8, 1], offset: ?>>
!r = memref<?x4xf32, strided<[8, 1], offset: ?>>
task.func @write(%i: index, %b: !w) { task.return }
task.func @read(%j: index, %i: index, %b: !r) { task.return }
task.graph @tails symbols [#task.symbol<"n", 1 to 17>] {
  %B = task.scratch "B" shape affine_map<()[n] -> (n, 8)> : memref<?x8xf32>
  task.launch @write grid(()[n] -> (n ceildiv 5)) reads()
    writes(%B at <(i) -> (i * 5, 0) sizes [5, *]> : memref<?x8xf32>) waits() notifies()
  task.launch @read grid(()[n] -> (2, n ceildiv 3))
    reads(%B at <(j, i) -> (i * 3, j * 4) sizes [3, 4]> : memref<?x8xf32>) writes() waits() notifies()
}

// -----

// A pair that overlaps in several operands is one pair: a reader needs the row
// and the column of writers through its place, 4 + 4 - 1. Views are seen through.
// CHECK: @several at []: {{.*}} per dependent pair: 28, enumerated: 28)
!row = memref<1x4xf32, strided<[4, 1], offset: ?>>
!flat = memref<4xf32, strided<[1], offset: ?>>
task.func @cross(%i: index, %j: index, %a: !row, %b: !row) { task.return }
task.func @pick(%k: index, %b: !row, %a: !flat) { task.return }
task.graph @several symbols [] {
  %A = task.scratch "A" shape affine_map<() -> (4, 4)> : memref<4x4xf32>
  %B = task.scratch "B" shape affine_map<() -> (4, 4)> : memref<4x4xf32>
  %V = memref.collapse_shape %A [[0, 1]] : memref<4x4xf32> into memref<16xf32>
  task.launch @cross grid(() -> (4, 4)) reads()
    writes(%A at <(i, j) -> (i, 0) sizes [1, *]> : memref<4x4xf32>,
           %B at <(i, j) -> (j, 0) sizes [1, *]> : memref<4x4xf32>) waits() notifies()
  task.launch @pick grid(() -> (4))
    reads(%B at <(k) -> (k, 0) sizes [1, *]> : memref<4x4xf32>)
    writes(%V at <(k) -> (k * 4) sizes [4]> : memref<16xf32>) waits() notifies()
}

// -----

// Only reads in common, or disjoint parts: no pair. Write after read: 3.
// CHECK: @war at []: {{.*}} per dependent pair: 3, enumerated: 3)
!row = memref<1x4xf32, strided<[4, 1], offset: ?>>
task.func @touch(%i: index, %a: !row) { task.return }
task.func @once(%a: !row) { task.return }
task.graph @war symbols [] {
  %A = task.scratch "A" shape affine_map<() -> (4, 4)> : memref<4x4xf32>
  task.launch @touch grid(() -> (3)) reads(%A at <(i) -> (i, 0) sizes [1, *]> : memref<4x4xf32>) writes() waits() notifies()
  task.launch @touch grid(() -> (4)) reads(%A at <(i) -> (i, 0) sizes [1, *]> : memref<4x4xf32>) writes() waits() notifies()
  task.launch @once grid(() -> ()) reads() writes(%A at <() -> (3, 0) sizes [1, *]> : memref<4x4xf32>) waits() notifies()
  task.launch @once grid(() -> ()) reads() writes(%A at <() -> (3, 0) sizes [1, *]> : memref<4x4xf32>) waits() notifies()
  task.launch @once grid(() -> ()) reads(%A at <() -> (2, 0) sizes [1, *]> : memref<4x4xf32>) writes() waits() notifies()
}
