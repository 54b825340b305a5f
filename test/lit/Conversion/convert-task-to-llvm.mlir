// RUN: etc-opt %s --convert-task-to-llvm --canonicalize --cse | FileCheck %s

// CHECK: llvm.func @etc_mark(!llvm.ptr, i32, i32, i32)
// CHECK: llvm.func @etc_wait(!llvm.ptr, !llvm.ptr, i32, i32, i32) -> i1

// CHECK-LABEL: func.func @tables(%{{.*}}: !llvm.ptr
func.func @tables(%w: !task.worker) -> (index, index, memref<?x4xf32>) {
  // CHECK: %[[SYMBOLS:.*]] = llvm.getelementptr %{{.*}}[48]
  // CHECK: %[[BUCKET:.*]] = llvm.getelementptr %{{.*}}[56]
  %n = task.symbol_value %w[1]
  %m = task.symbol_value %w[1] bucket
  %begin, %end = task.runs %w
  %launch, %kind, %first, %stride, %count = task.run %w[%begin] width 3
  // CHECK: llvm.inttoptr
  // CHECK: unrealized_conversion_cast %{{.*}} : !llvm.struct<(ptr, ptr, i64, array<2 x i64>, array<2 x i64>)> to memref<?x4xf32>
  %b = task.operand %w launch %launch[1 of 3] (%n) : memref<?x4xf32>
  return %m, %kind, %b : index, index, memref<?x4xf32>
}

// CHECK-LABEL: func.func @counter
func.func @counter(%w: !task.worker, %l: index, %n: index, %c: i32) -> i1 {
  // The bank of the epoch; a monotonic tensor multiplies its count by the epoch.
  // CHECK: %[[EPOCH_AT:.*]] = llvm.getelementptr %{{.*}}[96]
  // CHECK: %[[EPOCH:.*]] = llvm.load %[[EPOCH_AT]] invariant
  // CHECK: %[[FACTOR:.*]] = arith.select %{{.*}}, %[[EPOCH]], %{{.*}} : i32
  %e = task.event %w launch %l[2 of 3] (%n) : !event.tensor<4x?>
  // CHECK: llvm.atomicrmw add %[[AT:.*]], %c2_i32 release
  event.notify %e[%n, %l] by 2 : !event.tensor<4x?>
  // CHECK: %[[WANTED:.*]] = arith.muli %{{.*}}, %[[FACTOR]] : i32
  // CHECK: %[[SEEN:.*]] = llvm.load %[[AT]] atomic acquire
  // CHECK: %[[AHEAD:.*]] = arith.subi %[[SEEN]], %[[WANTED]]
  // CHECK: arith.cmpi sge, %[[AHEAD]], %c0_i32
  // CHECK: llvm.call @etc_wait(%{{.*}}, %[[AT]], %[[WANTED]]
  %ok = event.wait %e[%n, %l] count(%c) : !event.tensor<4x?>
  // CHECK: llvm.intr.memset
  event.clear %e : !event.tensor<4x?>
  // CHECK: llvm.intr.memset
  task.clear_banks %w words 128
  // CHECK: llvm.call @etc_mark
  task.mark %w launch %l task %n finished
  return %ok : i1
}

// CHECK-LABEL: func.func @data
func.func @data(%w: !task.worker, %l: index, %v: i32) -> (i32, i1) {
  %d = task.event %w launch %l[1 of 3] () : !event.tensor<4, data>
  // CHECK: llvm.store %{{.*}}, %[[AT:.*]] atomic monotonic {alignment = 8 : i64} : i64
  event.publish %v, %d[%l] : !event.tensor<4, data>
  // CHECK: %[[TAG:.*]] = llvm.getelementptr %[[AT]][1]
  // CHECK: llvm.call @etc_wait(%{{.*}}, %[[TAG]]
  // CHECK: llvm.load %[[AT]] atomic monotonic
  %x, %ok = event.receive %d[%l] : !event.tensor<4, data>
  return %x, %ok : i32, i1
}
