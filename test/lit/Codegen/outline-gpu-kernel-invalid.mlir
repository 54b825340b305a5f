// RUN: etc-opt %s --verify-diagnostics --lower-to-persistent --outline-gpu-kernel

// The roles of a block are functions of their own.

// expected-error @below {{expects a loader and a consumer function beside it: lower-to-persistent{roles=loader,consumer}}}
task.graph @g symbols [] {}
task.schedule @g bucket [] policy "by hand" offsets [0, 0] runs []
