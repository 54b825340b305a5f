// RUN: etc-opt %s --pipeline-cpu | FileCheck %s

// bf16 is a type of memory on a host: its arithmetic is of f32, rounded in integers. What the
// backend cannot do with it is a call of a library that is not there (__truncsfbf2).
// CHECK-LABEL: llvm.func @step_worker
// CHECK-NOT: {{llvm.fadd|llvm.intr.exp|llvm.fptrunc|llvm.fpext}}{{.*}}bf16
// CHECK: llvm.intr.exp(%{{.*}}) : (f32) -> f32
// CHECK-NOT: {{llvm.fadd|llvm.intr.exp|llvm.fptrunc|llvm.fpext}}{{.*}}bf16
// CHECK: llvm.fadd %{{.*}}, %{{.*}} : f32
// CHECK-NOT: {{llvm.fadd|llvm.intr.exp|llvm.fptrunc|llvm.fpext}}{{.*}}bf16
func.func @step_worker(%x: memref<8xbf16>, %y: memref<8xbf16>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<8xbf16>) outs(%y : memref<8xbf16>) {
  ^bb0(%a: bf16, %b: bf16):
    %e = math.exp %a : bf16
    %s = arith.addf %e, %a : bf16
    linalg.yield %s : bf16
  }
  return
}
