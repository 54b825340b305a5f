// RUN: etc-opt %s --convert-torch-to-task --split-input-file | FileCheck %s --implicit-check-not=torch.

// A step that uses every operator once: the shapes are a decoder's, the dataflow is shortened.
!x = !torch.vtensor<[1,?,64],f32>
!h = !torch.vtensor<[1,?,4,16],f32>
!kv = !torch.vtensor<[1,?,2,16],f32>
!i = !torch.vtensor<[?],si64>
!cache = !torch.vtensor<[24,2,2,8,16],f32>

// CHECK-LABEL: func.func @step
// CHECK-SAME: %[[TABLE:[a-z0-9]+]]: tensor<128x64xf32> {task.name = "embed", task.role = "weight", task.shape = {{.*}}, task.tied = ["lm_head"]}
// CHECK-SAME: %[[W:[a-z0-9]+]]: tensor<64x64xf32> {task.name = "w"
// CHECK-SAME: %[[WK:[a-z0-9]+]]: tensor<32x64xf32>
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<64xf32>
// CHECK-SAME: %[[G:[a-z0-9]+]]: tensor<16xf32>
// CHECK-SAME: %[[FREQ:[a-z0-9]+]]: tensor<8xf32>
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<?xi64> {task.name = "ids", task.role = "input"
// CHECK-SAME: %[[SEQ:[a-z0-9]+]]: tensor<?xi64>
// CHECK-SAME: %[[POS:[a-z0-9]+]]: tensor<?xi64>
// CHECK-SAME: %[[BT:[a-z0-9]+]]: tensor<1x6xi64>
// CHECK-SAME: %[[R:[a-z0-9]+]]: tensor<?xi64> {task.name = "rows", task.role = "input", task.shape = affine_map<()[s0, s1] -> (s1)>}
// CHECK-SAME: %[[CACHE:[a-z0-9]+]]: tensor<24x2x2x8x16xf32> {task.name = "cache.0", task.role = "state"
// CHECK-SAME: -> (tensor<?xi64> {task.name = "tokens"}, tensor<?x128xf32> {task.name = "logits"}, tensor<24x2x2x8x16xf32> {task.name = "cache.0", task.state = "cache.0"})
// CHECK-SAME: task.symbols = [#task.symbol<"T", 1 to 24>, #task.symbol<"R", 1 to 4>]
func.func @step(
    %table: !torch.vtensor<[128,64],f32> {etc.name = "embed", etc.role = "weight", etc.tied = ["lm_head"]},
    %w: !torch.vtensor<[64,64],f32> {etc.name = "w", etc.role = "weight"},
    %wk: !torch.vtensor<[32,64],f32> {etc.name = "wk", etc.role = "weight"},
    %b: !torch.vtensor<[64],f32> {etc.name = "b", etc.role = "weight"},
    %g: !torch.vtensor<[16],f32> {etc.name = "g", etc.role = "weight"},
    %freq: !torch.vtensor<[8],f32> {etc.constant, etc.name = "inv_freq", etc.role = "weight"},
    %ids: !i {etc.dims = ["T"], etc.name = "ids", etc.role = "input"},
    %seq: !i {etc.dims = ["T"], etc.name = "seq", etc.role = "input"},
    %pos: !i {etc.dims = ["T"], etc.name = "pos", etc.role = "input"},
    %bt: !torch.vtensor<[1,6],si64> {etc.name = "block_table", etc.role = "input"},
    %rows: !i {etc.dims = ["R"], etc.name = "rows", etc.role = "input"},
    %cache: !cache {etc.name = "cache.0", etc.role = "state"})
    -> (!i {etc.dims = ["R"], etc.name = "tokens", etc.role = "output"},
        !torch.vtensor<[?,128],f32> {etc.dims = ["R", "128"], etc.name = "logits", etc.role = "output"},
        !cache {etc.name = "cache.0", etc.role = "state"})
    attributes {etc.symbols = {R = [1, 4], T = [1, 24]}} {
  %c0 = "torch.constant.int"() <{value = 0 : i64}> : () -> !torch.int
  %c1 = "torch.constant.int"() <{value = 1 : i64}> : () -> !torch.int
  %c2 = "torch.constant.int"() <{value = 2 : i64}> : () -> !torch.int
  %c4 = "torch.constant.int"() <{value = 4 : i64}> : () -> !torch.int
  %c6 = "torch.constant.int"() <{value = 6 : i64}> : () -> !torch.int
  %c16 = "torch.constant.int"() <{value = 16 : i64}> : () -> !torch.int
  %c64 = "torch.constant.int"() <{value = 64 : i64}> : () -> !torch.int
  %pad = "torch.constant.int"() <{value = -1 : i64}> : () -> !torch.int
  %no = "torch.constant.bool"() <{value = false}> : () -> !torch.bool
  %none = "torch.constant.none"() : () -> !torch.none
  %one = "torch.constant.float"() <{value = 1.0 : f64}> : () -> !torch.float
  %eps = "torch.constant.float"() <{value = 1.0e-6 : f64}> : () -> !torch.float
  %t = "torch.aten.size.int"(%pos, %c0) : (!i, !torch.int) -> !torch.int
  %ids1 = "torch.aten.unsqueeze"(%ids, %c0) : (!i, !torch.int) -> !torch.vtensor<[1,?],si64>

  // CHECK: %[[T:.*]] = tensor.dim %[[IDS]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]]) : tensor<?x64xf32>
  // CHECK: %[[X:.*]] = task.embedding ins(%[[IDS]], %[[TABLE]] : {{.*}}) outs(%[[E]] : {{.*}}) -> tensor<?x64xf32>
  %x = "torch.aten.embedding"(%table, %ids1, %pad, %no, %no) : (!torch.vtensor<[128,64],f32>, !torch.vtensor<[1,?],si64>, !torch.int, !torch.bool, !torch.bool) -> !x
  // CHECK: %[[CS:.*]]:2 = task.rope_table ins(%[[FREQ]], %[[POS]] : {{.*}}) outs({{.*}}) scaling 1.0
  %cs:2 = "torch.operator"(%freq, %pos, %one, %c6) <{name = "torch.etc.rope_table"}> : (!torch.vtensor<[8],f32>, !i, !torch.float, !torch.int) -> (!torch.vtensor<[?,16],f32>, !torch.vtensor<[?,16],f32>)
  // CHECK: %[[Q:.*]] = task.linear ins(%[[X]], %[[W]] : {{.*}}) bias(%[[B]] : {{.*}}) outs
  %q = "torch.aten.linear"(%x, %w, %b) : (!x, !torch.vtensor<[64,64],f32>, !torch.vtensor<[64],f32>) -> !x
  // CHECK: %[[TQ:.*]] = tensor.dim %[[Q]]
  // CHECK: %[[QH:.*]] = tensor.expand_shape %[[Q]] {{\[}}[0], [1, 2]] output_shape [%[[TQ]], 4, 16]
  %ql = "torch.prim.ListConstruct"(%c1, %t, %c4, %c16) : (!torch.int, !torch.int, !torch.int, !torch.int) -> !torch.list<int>
  %qh = "torch.aten.view"(%q, %ql) : (!x, !torch.list<int>) -> !h
  // CHECK: %[[QN:.*]] = task.rms_norm ins(%[[QH]], %[[G]] : {{.*}}) outs({{.*}}) eps 9.9999999999999995E-7
  %qn = "torch.operator"(%qh, %g, %eps) <{name = "torch.etc.rms_norm"}> : (!h, !torch.vtensor<[16],f32>, !torch.float) -> !h
  // CHECK: %[[QR:.*]] = task.rope ins(%[[QN]], %[[CS]]#0, %[[CS]]#1 :
  %qr = "torch.operator"(%qn, %cs#0, %cs#1) <{name = "torch.etc.rope"}> : (!h, !torch.vtensor<[?,16],f32>, !torch.vtensor<[?,16],f32>) -> !h
  %kl = "torch.prim.ListConstruct"(%c1, %t, %c2, %c16) : (!torch.int, !torch.int, !torch.int, !torch.int) -> !torch.list<int>
  // CHECK: %[[K:.*]] = task.linear ins(%[[X]], %[[WK]] : {{[^)]*}}) outs
  %k0 = "torch.aten.linear"(%x, %wk, %none) : (!x, !torch.vtensor<[32,64],f32>, !torch.none) -> !torch.vtensor<[1,?,32],f32>
  // CHECK: %[[KH:.*]] = tensor.expand_shape %[[K]]
  %k = "torch.aten.view"(%k0, %kl) : (!torch.vtensor<[1,?,32],f32>, !torch.list<int>) -> !kv
  // CHECK: %[[KR:.*]] = task.rope ins(%[[KH]]
  %kr = "torch.operator"(%k, %cs#0, %cs#1) <{name = "torch.etc.rope"}> : (!kv, !torch.vtensor<[?,16],f32>, !torch.vtensor<[?,16],f32>) -> !kv
  // CHECK: %[[C:.*]] = task.kv_append ins(%[[KR]], %[[KH]], %[[SEQ]], %[[POS]], %[[BT]] : {{.*}}) outs(%[[CACHE]] :
  %c = "torch.operator"(%cache, %kr, %k, %seq, %pos, %bt) <{name = "torch.etc.kv_append"}> : (!cache, !kv, !kv, !i, !i, !torch.vtensor<[1,6],si64>) -> !cache
  // CHECK: %[[A:.*]] = task.attention ins(%[[QR]], %[[C]], %[[SEQ]], %[[POS]], %[[BT]] : {{.*}}) outs({{.*}}) scale 1.0
  %a = "torch.operator"(%qr, %c, %seq, %pos, %bt, %one) <{name = "torch.etc.paged_attention"}> : (!h, !cache, !i, !i, !torch.vtensor<[1,6],si64>, !torch.float) -> !h
  %al = "torch.prim.ListConstruct"(%c1, %t, %c64) : (!torch.int, !torch.int, !torch.int) -> !torch.list<int>
  // CHECK: %[[AJ:.*]] = tensor.collapse_shape %[[A]] {{\[}}[0], [1, 2]]
  %aj = "torch.aten.view"(%a, %al) : (!h, !torch.list<int>) -> !x
  // CHECK: linalg.generic {{.*}} ins(%[[AJ]] :
  // CHECK: arith.negf
  // CHECK: math.exp
  // CHECK: arith.addf
  // CHECK: arith.divf
  // CHECK: linalg.yield
  %s = "torch.aten.silu"(%aj) : (!x) -> !x
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[X]] :
  // CHECK: arith.mulf
  %m = "torch.aten.mul.Tensor"(%s, %x) : (!x, !x) -> !x
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[X]] :
  // CHECK: arith.addf
  %y = "torch.aten.add.Tensor"(%m, %x, %c1) : (!x, !x, !torch.int) -> !x
  // CHECK: %[[TR:.*]] = tensor.dim %[[R]]
  // CHECK: %[[YE:.*]] = tensor.empty(%[[TR]])
  // CHECK: %[[YR:.*]] = task.gather_rows ins(%[[SUM]], %[[R]] : {{.*}}) outs(%[[YE]] :
  %yr = "torch.aten.index_select"(%y, %c1, %rows) : (!x, !torch.int, !i) -> !x
  // CHECK: %[[L:.*]] = task.linear ins(%[[YR]], %[[TABLE]] :
  %l1 = "torch.aten.linear"(%yr, %table, %none) : (!x, !torch.vtensor<[128,64],f32>, !torch.none) -> !torch.vtensor<[1,?,128],f32>
  %l = "torch.aten.squeeze.dim"(%l1, %c0) : (!torch.vtensor<[1,?,128],f32>, !torch.int) -> !torch.vtensor<[?,128],f32>
  // CHECK: %[[BEST:.*]] = task.argmax ins(%[[L]] :
  %best = "torch.operator"(%l) <{name = "torch.etc.argmax"}> : (!torch.vtensor<[?,128],f32>) -> !i
  // CHECK: return %[[BEST]], %[[L]], %[[C]] :
  return %best, %l, %c : !i, !torch.vtensor<[?,128],f32>, !cache
}

// -----

// One token and one row: a leading 1 alone does not make a batch dimension.
// CHECK-LABEL: func.func @one_token
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<1xi64>
// CHECK-SAME: task.symbols = []
func.func @one_token(%table: !torch.vtensor<[1,8],bf16> {etc.name = "embed", etc.role = "weight"},
                     %ids: !torch.vtensor<[1],si64> {etc.name = "ids", etc.role = "input"})
    -> (!torch.vtensor<[1,8],bf16> {etc.name = "logits", etc.role = "output"}) attributes {etc.symbols = {}} {
  %c0 = "torch.constant.int"() <{value = 0 : i64}> : () -> !torch.int
  %no = "torch.constant.bool"() <{value = false}> : () -> !torch.bool
  // CHECK-NOT: tensor.expand_shape
  // CHECK: %[[X:.*]] = task.embedding ins(%[[IDS]], %{{.*}}) outs({{.*}}) -> tensor<1x8xbf16>
  %ids1 = "torch.aten.unsqueeze"(%ids, %c0) : (!torch.vtensor<[1],si64>, !torch.int) -> !torch.vtensor<[1,1],si64>
  %x = "torch.aten.embedding"(%table, %ids1, %c0, %no, %no) : (!torch.vtensor<[1,8],bf16>, !torch.vtensor<[1,1],si64>, !torch.int, !torch.bool, !torch.bool) -> !torch.vtensor<[1,1,8],bf16>
  // bf16 is computed in f32 and rounded once.
  // CHECK: linalg.generic {{.*}} ins(%[[X]], %[[X]] :
  // CHECK: arith.extf %{{.*}} : bf16 to f32
  // CHECK: arith.mulf %{{.*}} : f32
  // CHECK: arith.truncf %{{.*}} : f32 to bf16
  %m = "torch.aten.mul.Tensor"(%x, %x) : (!torch.vtensor<[1,1,8],bf16>, !torch.vtensor<[1,1,8],bf16>) -> !torch.vtensor<[1,1,8],bf16>
  %l = "torch.aten.squeeze.dim"(%m, %c0) : (!torch.vtensor<[1,1,8],bf16>, !torch.int) -> !torch.vtensor<[1,8],bf16>
  return %l : !torch.vtensor<[1,8],bf16>
}

// -----

// A function without torch is left as it is.
// CHECK-LABEL: func.func @other(%{{.*}}: tensor<1x2x3xf32>)
func.func @other(%x: tensor<1x2x3xf32>) {
  return
}
