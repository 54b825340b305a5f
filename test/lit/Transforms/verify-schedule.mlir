// RUN: etc-opt %s --verify-schedule=remarks --verify-diagnostics

task.func @body(%i: index) { task.return }

task.graph @g symbols [#task.symbol<"n", 1 to 8>] {
  %E = event.create "E" shape affine_map<()[n] -> (n)>
    count affine_map<()[n] -> (1)> reuse(banked) : !event.tensor<?>
  task.launch @body grid(()[n] -> (n)) reads() writes()
    waits() notifies(%E at (i) -> (i) : !event.tensor<?>)
  task.launch @body grid(()[n] -> (n)) reads() writes()
    waits(%E at (i) -> (i) guards * : !event.tensor<?>) notifies()
    affinity(affine_map<(i) -> (i)>)
}

// expected-remark@+1 {{checked 4 tasks on 2 workers, at symbols [2] and [1]}}
task.schedule @g bucket [2] policy "mine" offsets [0, 2, 3] runs [0, 0, 1, 2, 1, 0, 1, 1, 1, 1, 1, 1]

// A worker may stay idle.
// expected-remark@+1 {{checked 2 tasks on 2 workers, at symbols [1] and [1]}}
task.schedule @g bucket [1] policy "mine" offsets [0, 2, 2] runs [0, 0, 1, 1, 1, 0, 1, 1]

// expected-error@+1 {{schedule of @g: T11: task 1 of launch 1 (@body) is on no worker}}
task.schedule @g bucket [2] policy "mine" offsets [0, 2, 2] runs [0, 0, 1, 2, 1, 0, 1, 1]

// expected-error@+1 {{T11: worker 1: run {0, 1, 1, 1} repeats task 1 of launch 0 (@body), which worker 0 runs already}}
task.schedule @g bucket [2] policy "mine" offsets [0, 2, 3] runs [0, 0, 1, 2, 1, 0, 1, 1, 0, 1, 1, 1]

// expected-error@+1 {{T11: worker 0: run {0, 0, 2, 2} has task 2, but launch 0 (@body) has 2 tasks}}
task.schedule @g bucket [2] policy "mine" offsets [0, 1] runs [0, 0, 2, 2]

// expected-error@+1 {{T11: worker 0: run {7, 0, 1, 1} names launch 7 of 2}}
task.schedule @g bucket [2] policy "mine" offsets [0, 1] runs [7, 0, 1, 1]

// expected-error@+1 {{T11: worker 0: run {1, 1, 1, 1} has task 1 of launch 1 (@body), whose affinity is to worker 1}}
task.schedule @g bucket [2] policy "mine" offsets [0, 2, 3] runs [0, 0, 1, 2, 1, 1, 1, 1, 1, 0, 1, 1]

// expected-error@+1 {{T11: worker 0: launch 0 (@body) stands behind launch 1 (@body); the launches of a worker ascend}}
task.schedule @g bucket [1] policy "mine" offsets [0, 2] runs [1, 0, 1, 1, 0, 0, 1, 1]

// expected-error@+1 {{the bound 9 is outside of the range of symbol 'n', 1 to 8}}
task.schedule @g bucket [9] policy "mine" offsets [0, 1] runs [0, 0, 1, 1]
