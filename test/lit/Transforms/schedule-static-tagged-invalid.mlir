// RUN: etc-opt %s --schedule-static=workers=2 -verify-diagnostics

// A reader of tagged memory before its writer would wait on its worker for what stands
// behind it.
!x = memref<1x32xbf16, strided<[32, 1], offset: ?>, #task.tagged>
task.func @write(%i: index, %x: !x) { task.return }
task.func @read(%i: index, %x: !x) { task.return }
// expected-error @below {{@g cannot be scheduled in the order of its launches, at symbols []: task 0 of launch 0 (@read) waits for entry 0 of event 'x', which the launches before it notify 0 of 4 times}}
task.graph @g symbols [] {
  %x = task.scratch "x" shape affine_map<() -> (4, 32)> at 0 : memref<4x32xbf16, #task.tagged>
  task.launch @read grid(() -> (4)) reads(%x at <(i) -> (i, 0) sizes [1, *]> : memref<4x32xbf16, #task.tagged>)
    writes() waits() notifies()
  task.launch @write grid(() -> (4)) reads()
    writes(%x at <(i) -> (i, 0) sizes [1, *]> : memref<4x32xbf16, #task.tagged>) waits() notifies()
}
