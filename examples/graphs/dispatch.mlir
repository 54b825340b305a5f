// What it costs to give a worker a task: tasks that do nothing, in one run of one worker. At n = 1
// it is the empty launch.

task.func @nothing(%i: index) {
  task.return
}
task.graph @dispatch symbols [#task.symbol<"n", 1 to 4096>] {
  task.launch @nothing grid(()[n] -> (n)) reads() writes() waits() notifies()
}
task.schedule @dispatch bucket [1] policy "by hand" offsets [0, 1] runs [0, 0, 1, 1]
task.schedule @dispatch bucket [4096] policy "by hand" offsets [0, 1] runs [0, 0, 1, 4096]
