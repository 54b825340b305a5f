// RUN: etc-opt %s --fuse-operators=workers=12 | FileCheck %s
// RUN: etc-opt %s --fuse-operators=workers=12 --canonicalize --cse --decompose-to-tasks=workers=12 | FileCheck %s --check-prefix=TASKS
// RUN: sed 's/%%v, %%seq, %%pos, %%table/%%kh, %%seq, %%pos, %%table/' %s | etc-opt --fuse-operators | FileCheck %s --check-prefix=OTHER

// One projection to queries, keys and values; norm, rotary, append and attention in as
// many parts as the workers can take: 12 of them, two key/value heads of one sequence.
// CHECK-LABEL: func.func @attention
// CHECK-NOT: "q"
// CHECK: task.stack = #task.stack<["q", "k", "v"] by 0>
// CHECK: %[[QKV:.*]] = task.linear ins(%{{.*}} : tensor<?x64xbf16>, tensor<256x64xbf16>) outs({{.*}}) -> tensor<?x256xbf16>
// CHECK: %[[S:.*]]:2 = task.split_attention ins(%[[QKV]], {{.*}}) at(%{{.*}}) of 6 norms({{.*}}) eps {{.*}} outs({{.*}} : tensor<16x2x2x8x32xbf16>, tensor<?x4x6x34xf32>) scale 1.250000e-01
// CHECK: %[[O:.*]] = task.merge_splits ins(%[[S]]#1 : tensor<?x4x6x34xf32>)
// CHECK-NOT: task.rope
// CHECK: return %[[O]], %[[S]]#0

// A task is told where its part begins.
// TASKS-LABEL: task.func @split_attention_0
// TASKS-SAME: (%[[J:.*]]: index, %[[K:.*]]: index, %{{[a-z0-9]*}}: memref<?x256xbf16>
// TASKS: %[[I:.*]] = arith.constant 0 : index
// TASKS: task.split_attention {{.*}} at(%[[I]], %[[J]], %[[K]]) of 6
// TASKS-LABEL: task.graph @attention
// TASKS: task.argument "q+k+v" weight {{.*}} stack <["q", "k", "v"] by 0>
// TASKS: task.launch @split_attention_0 grid(()[s0] -> (2, 6))
// TASKS-SAME: at <(d0, d1) -> (0, d0 * 2, d1, 0) sizes [*, 2, 1, *]>

// What is appended is no projection of its own: nothing is folded.
// OTHER-NOT: task.split_attention
// OTHER: task.attention
!x = tensor<?x64xbf16>
!q = tensor<?x4x32xbf16>
!k = tensor<?x2x32xbf16>
!c = tensor<16x2x2x8x32xbf16>
!i = tensor<?xi64>
!t = tensor<?x32xbf16>
func.func @attention(
    %x: !x {task.name = "x", task.role = "input", task.shape = affine_map<()[T] -> (T, 64)>},
    %wq: tensor<128x64xbf16> {task.name = "q", task.role = "weight", task.shape = affine_map<() -> (128, 64)>},
    %wk: tensor<64x64xbf16> {task.name = "k", task.role = "weight", task.shape = affine_map<() -> (64, 64)>},
    %wv: tensor<64x64xbf16> {task.name = "v", task.role = "weight", task.shape = affine_map<() -> (64, 64)>},
    %n: tensor<32xbf16> {task.name = "norm", task.role = "weight", task.shape = affine_map<() -> (32)>},
    %cos: !t {task.name = "cos", task.role = "input", task.shape = affine_map<()[T] -> (T, 32)>},
    %seq: !i {task.name = "seq", task.role = "input", task.shape = affine_map<()[T] -> (T)>},
    %pos: !i {task.name = "pos", task.role = "input", task.shape = affine_map<()[T] -> (T)>},
    %table: tensor<1x16xi64> {task.name = "block_table", task.role = "input", task.shape = affine_map<() -> (1, 16)>},
    %cache: !c {task.name = "cache", task.role = "state", task.shape = affine_map<() -> (16, 2, 2, 8, 32)>})
    -> (!q {task.name = "y"}, !c {task.name = "cache.out", task.state = "cache"})
    attributes {task.symbols = [#task.symbol<"T", 1 to 8>]} {
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : !x
  %eq = tensor.empty(%T) : tensor<?x128xbf16>
  %ek = tensor.empty(%T) : tensor<?x64xbf16>
  %eh = tensor.empty(%T) : !q
  %eg = tensor.empty(%T) : !k
  %lq = task.linear ins(%x, %wq : !x, tensor<128x64xbf16>) outs(%eq : tensor<?x128xbf16>) -> tensor<?x128xbf16>
  %lk = task.linear ins(%x, %wk : !x, tensor<64x64xbf16>) outs(%ek : tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %lv = task.linear ins(%x, %wv : !x, tensor<64x64xbf16>) outs(%ek : tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %q0 = tensor.expand_shape %lq [[0], [1, 2]] output_shape [%T, 4, 32] : tensor<?x128xbf16> into !q
  %k0 = tensor.expand_shape %lk [[0], [1, 2]] output_shape [%T, 2, 32] : tensor<?x64xbf16> into !k
  %v = tensor.expand_shape %lv [[0], [1, 2]] output_shape [%T, 2, 32] : tensor<?x64xbf16> into !k
  %q1 = task.rms_norm ins(%q0, %n : !q, tensor<32xbf16>) outs(%eh : !q) eps 1.0e-6 -> !q
  %k1 = task.rms_norm ins(%k0, %n : !k, tensor<32xbf16>) outs(%eg : !k) eps 1.0e-6 -> !k
  %qh = task.rope ins(%q1, %cos, %cos : !q, !t, !t) outs(%eh : !q) -> !q
  %kh = task.rope ins(%k1, %cos, %cos : !k, !t, !t) outs(%eg : !k) -> !k
  %d = task.kv_append ins(%kh, %v, %seq, %pos, %table : !k, !k, !i, !i, tensor<1x16xi64>) outs(%cache : !c) -> !c
  %y = task.attention ins(%qh, %d, %seq, %pos, %table : !q, !c, !i, !i, tensor<1x16xi64>) outs(%eh : !q) scale 0.125 -> !q
  return %y, %d : !q, !c
}
