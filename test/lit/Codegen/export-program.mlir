// RUN: etc-opt %s --lower-to-persistent --export-program -o /dev/null | FileCheck %s
// RUN: not etc-opt %s --export-program -o /dev/null 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not etc-opt %s --lower-to-persistent --export-program=output=%t/no/such/folder -o /dev/null 2>&1 | FileCheck %s --check-prefix=FOLDER

// NONE: expects one task.program to export, found 0
// FOLDER: No such file or directory

// CHECK: "buffers":[{"element":"f32","layout":"row_major","name":"x","offset":0,"role":"output"
// CHECK-SAME: "shape":[{"args":[{"symbol":0},{"args":[{"args":[{"symbol":0},4],"op":"ceildiv"},2],"op":"mul"}],"op":"add"}]
// CHECK-SAME: "kernel":"g_worker"
// CHECK-SAME: "name":"g"
// CHECK-SAME: "schedules":[{"bucket":[8],"offsets":[0,1],"policy":"by hand","runs":[0,0,1,2]}]
// CHECK-SAME: "symbols":[{"max":8,"min":1,"name":"n"}]
task.func @f(%i: index, %x: memref<?xf32, strided<[1], offset: ?>>) { task.return }
task.graph @g symbols [#task.symbol<"n", 1 to 8>] {
  %x = task.argument "x" output shape affine_map<()[n] -> (n + (n ceildiv 4) * 2)> : memref<?xf32>
  task.launch @f grid(()[n] -> (n ceildiv 4)) reads() writes(%x at <(i) -> (i * 4) sizes [4]> : memref<?xf32>)
    waits() notifies()
}
task.schedule @g bucket [8] policy "by hand" offsets [0, 1] runs [0, 0, 1, 2]
