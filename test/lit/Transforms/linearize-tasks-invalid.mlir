// RUN: etc-opt %s --linearize-tasks=strict --verify-diagnostics --split-input-file

task.func @body(%i: index) { task.return }
task.graph @cycle symbols [] {
  %E = event.create "E" shape affine_map<() -> (1)> count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<1>
  // expected-error@+1 {{is on a cycle of launches that wait for each other's events}}
  task.launch @body grid(() -> (1)) reads() writes()
    waits(%E at (i) -> (i) guards * : !event.tensor<1>) notifies(%E at (i) -> (i) : !event.tensor<1>)
}

// -----

task.func @body(%i: index, %j: index) { task.return }
task.graph @scattered symbols [#task.symbol<"n", 1 to 4>] {
  %E = event.create "E" shape affine_map<()[n] -> (n)> count affine_map<() -> (1)> reuse(banked) : !event.tensor<?>
  // expected-error@+1 {{the tasks of @body that wait for one entry are scattered in wait 1, affine_map<(d0, d1) -> (d1)>}}
  task.launch @body grid(()[n] -> (n, n)) reads() writes()
    waits(%E at (i, j) -> (i) guards * : !event.tensor<?>, %E at (i, j) -> (j) guards * : !event.tensor<?>) notifies()
}

// -----

task.func @body(%i: index) { task.return }
task.graph @done symbols [] {
  task.launch @body grid(() -> (1)) reads() writes() waits() notifies()
}
// expected-error@+1 {{linearize-tasks changes the numbers that a schedule uses; run it before schedule-static}}
task.schedule @done bucket [] policy "mine" offsets [0, 1] runs [0, 0, 1, 1]
