// REQUIRES: ptxas
// RUN: etc-opt %S/../../../examples/graphs/mlp_chain.mlir --pass-pipeline="builtin.module(decompose-to-tasks{workers=132 tile=linear:0x16},task.graph(infer-events,fuse-events,plan-global-memory,verify-events),schedule-static{workers=132},verify-schedule,prefetch-weights,pack-weights,lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,plan-shared-memory,lower-tiles-to-gpu,gpu.module(convert-task-to-nvvm,canonicalize,cse,expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-to-llvm,convert-gpu-to-nvvm,reconcile-unrealized-casts,canonicalize,cse),nvvm-attach-target{chip=sm_90a features=+ptx90 O=3},gpu-module-to-binary{format=isa},export-program)" -o /dev/null 2>/dev/null > %t.json
// RUN: sed 's/.*"ptx":"//; s/","runs.*//; s/","schedules.*//; s/","scratch_bytes.*//; s/\\n/\n/g; s/\\t/\t/g' %t.json > %t.ptx
// RUN: ptxas -arch=sm_90a -v -O3 %t.ptx -o %t.cubin 2>&1 | FileCheck %s

// Norm, two shapes of streamed linears for up to 8 and up to 16 tokens, and elementwise
// work in one kernel: what each needs stays in registers.
// CHECK: Compiling entry function 'mlp_chain_worker'
// CHECK: 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
