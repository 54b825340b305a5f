// What a hand-off of data with its epoch costs: the value itself is what the next task polls for.
// The bodies receive and publish; 64 hand-offs between two workers, y = x + 64. A tensor per hand-off,
// so that all launches in the middle are of one kind.
//
//     etc-opt hops_data.mlir --verify-events --pipeline-schedule=workers=2

task.func @first(%i: index, %x: memref<1xi32>, %next: !event.tensor<data>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : i32
  %value = memref.load %x[%zero] : memref<1xi32>
  %sum = arith.addi %value, %one : i32
  event.publish %sum, %next[] : !event.tensor<data>
  task.return
}
task.func @hop(%i: index, %here: !event.tensor<data>, %next: !event.tensor<data>) {
  %one = arith.constant 1 : i32
  %value, %reached = event.receive %here[] : !event.tensor<data>
  %sum = arith.addi %value, %one : i32
  scf.if %reached {
    event.publish %sum, %next[] : !event.tensor<data>
  }
  task.return
}
task.func @last(%i: index, %y: memref<1xi32>, %here: !event.tensor<data>) {
  %value, %reached = event.receive %here[] : !event.tensor<data>
  linalg.fill ins(%value : i32) outs(%y : memref<1xi32>)
  task.return
}
task.graph @hops_data symbols [] {
  %x = task.argument "x" input shape affine_map<() -> (1)> : memref<1xi32>
  %y = task.argument "y" output shape affine_map<() -> (1)> : memref<1xi32>
  %e0 = event.create "e0" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e1 = event.create "e1" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e2 = event.create "e2" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e3 = event.create "e3" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e4 = event.create "e4" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e5 = event.create "e5" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e6 = event.create "e6" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e7 = event.create "e7" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e8 = event.create "e8" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e9 = event.create "e9" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e10 = event.create "e10" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e11 = event.create "e11" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e12 = event.create "e12" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e13 = event.create "e13" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e14 = event.create "e14" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e15 = event.create "e15" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e16 = event.create "e16" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e17 = event.create "e17" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e18 = event.create "e18" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e19 = event.create "e19" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e20 = event.create "e20" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e21 = event.create "e21" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e22 = event.create "e22" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e23 = event.create "e23" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e24 = event.create "e24" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e25 = event.create "e25" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e26 = event.create "e26" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e27 = event.create "e27" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e28 = event.create "e28" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e29 = event.create "e29" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e30 = event.create "e30" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e31 = event.create "e31" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e32 = event.create "e32" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e33 = event.create "e33" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e34 = event.create "e34" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e35 = event.create "e35" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e36 = event.create "e36" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e37 = event.create "e37" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e38 = event.create "e38" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e39 = event.create "e39" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e40 = event.create "e40" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e41 = event.create "e41" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e42 = event.create "e42" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e43 = event.create "e43" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e44 = event.create "e44" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e45 = event.create "e45" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e46 = event.create "e46" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e47 = event.create "e47" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e48 = event.create "e48" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e49 = event.create "e49" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e50 = event.create "e50" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e51 = event.create "e51" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e52 = event.create "e52" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e53 = event.create "e53" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e54 = event.create "e54" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e55 = event.create "e55" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e56 = event.create "e56" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e57 = event.create "e57" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e58 = event.create "e58" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e59 = event.create "e59" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e60 = event.create "e60" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e61 = event.create "e61" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e62 = event.create "e62" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  %e63 = event.create "e63" shape affine_map<() -> ()> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<data>
  task.launch @first grid(() -> (1)) reads(%x at <(i) -> (0) sizes [*]> : memref<1xi32>) writes()
    waits() notifies(%e0 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e0 at (i) -> () guards * : !event.tensor<data>) notifies(%e1 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e1 at (i) -> () guards * : !event.tensor<data>) notifies(%e2 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e2 at (i) -> () guards * : !event.tensor<data>) notifies(%e3 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e3 at (i) -> () guards * : !event.tensor<data>) notifies(%e4 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e4 at (i) -> () guards * : !event.tensor<data>) notifies(%e5 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e5 at (i) -> () guards * : !event.tensor<data>) notifies(%e6 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e6 at (i) -> () guards * : !event.tensor<data>) notifies(%e7 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e7 at (i) -> () guards * : !event.tensor<data>) notifies(%e8 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e8 at (i) -> () guards * : !event.tensor<data>) notifies(%e9 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e9 at (i) -> () guards * : !event.tensor<data>) notifies(%e10 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e10 at (i) -> () guards * : !event.tensor<data>) notifies(%e11 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e11 at (i) -> () guards * : !event.tensor<data>) notifies(%e12 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e12 at (i) -> () guards * : !event.tensor<data>) notifies(%e13 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e13 at (i) -> () guards * : !event.tensor<data>) notifies(%e14 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e14 at (i) -> () guards * : !event.tensor<data>) notifies(%e15 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e15 at (i) -> () guards * : !event.tensor<data>) notifies(%e16 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e16 at (i) -> () guards * : !event.tensor<data>) notifies(%e17 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e17 at (i) -> () guards * : !event.tensor<data>) notifies(%e18 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e18 at (i) -> () guards * : !event.tensor<data>) notifies(%e19 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e19 at (i) -> () guards * : !event.tensor<data>) notifies(%e20 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e20 at (i) -> () guards * : !event.tensor<data>) notifies(%e21 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e21 at (i) -> () guards * : !event.tensor<data>) notifies(%e22 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e22 at (i) -> () guards * : !event.tensor<data>) notifies(%e23 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e23 at (i) -> () guards * : !event.tensor<data>) notifies(%e24 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e24 at (i) -> () guards * : !event.tensor<data>) notifies(%e25 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e25 at (i) -> () guards * : !event.tensor<data>) notifies(%e26 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e26 at (i) -> () guards * : !event.tensor<data>) notifies(%e27 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e27 at (i) -> () guards * : !event.tensor<data>) notifies(%e28 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e28 at (i) -> () guards * : !event.tensor<data>) notifies(%e29 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e29 at (i) -> () guards * : !event.tensor<data>) notifies(%e30 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e30 at (i) -> () guards * : !event.tensor<data>) notifies(%e31 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e31 at (i) -> () guards * : !event.tensor<data>) notifies(%e32 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e32 at (i) -> () guards * : !event.tensor<data>) notifies(%e33 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e33 at (i) -> () guards * : !event.tensor<data>) notifies(%e34 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e34 at (i) -> () guards * : !event.tensor<data>) notifies(%e35 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e35 at (i) -> () guards * : !event.tensor<data>) notifies(%e36 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e36 at (i) -> () guards * : !event.tensor<data>) notifies(%e37 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e37 at (i) -> () guards * : !event.tensor<data>) notifies(%e38 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e38 at (i) -> () guards * : !event.tensor<data>) notifies(%e39 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e39 at (i) -> () guards * : !event.tensor<data>) notifies(%e40 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e40 at (i) -> () guards * : !event.tensor<data>) notifies(%e41 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e41 at (i) -> () guards * : !event.tensor<data>) notifies(%e42 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e42 at (i) -> () guards * : !event.tensor<data>) notifies(%e43 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e43 at (i) -> () guards * : !event.tensor<data>) notifies(%e44 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e44 at (i) -> () guards * : !event.tensor<data>) notifies(%e45 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e45 at (i) -> () guards * : !event.tensor<data>) notifies(%e46 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e46 at (i) -> () guards * : !event.tensor<data>) notifies(%e47 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e47 at (i) -> () guards * : !event.tensor<data>) notifies(%e48 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e48 at (i) -> () guards * : !event.tensor<data>) notifies(%e49 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e49 at (i) -> () guards * : !event.tensor<data>) notifies(%e50 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e50 at (i) -> () guards * : !event.tensor<data>) notifies(%e51 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e51 at (i) -> () guards * : !event.tensor<data>) notifies(%e52 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e52 at (i) -> () guards * : !event.tensor<data>) notifies(%e53 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e53 at (i) -> () guards * : !event.tensor<data>) notifies(%e54 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e54 at (i) -> () guards * : !event.tensor<data>) notifies(%e55 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e55 at (i) -> () guards * : !event.tensor<data>) notifies(%e56 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e56 at (i) -> () guards * : !event.tensor<data>) notifies(%e57 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e57 at (i) -> () guards * : !event.tensor<data>) notifies(%e58 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e58 at (i) -> () guards * : !event.tensor<data>) notifies(%e59 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e59 at (i) -> () guards * : !event.tensor<data>) notifies(%e60 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e60 at (i) -> () guards * : !event.tensor<data>) notifies(%e61 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e61 at (i) -> () guards * : !event.tensor<data>) notifies(%e62 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (0)>)
  task.launch @hop grid(() -> (1)) reads() writes()
    waits(%e62 at (i) -> () guards * : !event.tensor<data>) notifies(%e63 at (i) -> () : !event.tensor<data>) affinity(affine_map<(i) -> (1)>)
  task.launch @last grid(() -> (1)) reads() writes(%y at <(i) -> (0) sizes [*]> : memref<1xi32>)
    waits(%e63 at (i) -> () guards * : !event.tensor<data>) notifies() affinity(affine_map<(i) -> (0)>)
}
