// RUN: etc-opt %s --verify-schedule --verify-diagnostics --split-input-file

// Two launches that wait for each other, crosswise on two workers.

task.func @left(%i: index) { task.return }
task.func @right(%i: index) { task.return }

task.graph @cycle symbols [] {
  %E = event.create "E" shape affine_map<() -> (1)>
    count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<1>
  %F = event.create "F" shape affine_map<() -> (1)>
    count affine_map<() -> (1)> reuse(monotonic) : !event.tensor<1>
  task.launch @left grid(() -> (1)) reads() writes()
    waits(%F at (i) -> (i) guards * : !event.tensor<1>)
    notifies(%E at (i) -> (i) : !event.tensor<1>)
  task.launch @right grid(() -> (1)) reads() writes()
    waits(%E at (i) -> (i) guards * : !event.tensor<1>)
    notifies(%F at (i) -> (i) : !event.tensor<1>)
}

// expected-error@+1 {{schedule of @cycle: deadlock at symbols []: worker 0 waits in task 0 of launch 0 (@left) for entry 0 of event 'F', notified 0 of 1 times; task 0 of launch 1 (@right) would, on worker 1 behind its wait; worker 1 waits in task 0 of launch 1 (@right) for entry 0 of event 'E', notified 0 of 1 times; task 0 of launch 0 (@left) would, on worker 0 behind its wait; so worker 0 waits for itself}}
task.schedule @cycle bucket [] policy "mine" offsets [0, 1, 2] runs [0, 0, 1, 1, 1, 0, 1, 1]

// -----

// The count does not shrink with the grid: right at the bucket, not below it.

task.func @body(%i: index) { task.return }

task.graph @short symbols [#task.symbol<"n", 1 to 8>] {
  %E = event.create "E" shape affine_map<()[n] -> (1)>
    count affine_map<()[n] -> (4)> reuse(banked) : !event.tensor<1>
  task.launch @body grid(()[n] -> (n)) reads() writes()
    waits() notifies(%E at (i) -> (0) : !event.tensor<1>)
  task.launch @body grid(()[n] -> (1)) reads() writes()
    waits(%E at (i) -> (0) guards * : !event.tensor<1>) notifies()
}

// expected-error@+1 {{deadlock at symbols [1]: worker 0 waits in task 0 of launch 1 (@body) for entry 0 of event 'E', notified 1 of 4 times; no task that is left notifies it}}
task.schedule @short bucket [4] policy "mine" offsets [0, 2] runs [0, 0, 1, 4, 1, 0, 1, 1]
