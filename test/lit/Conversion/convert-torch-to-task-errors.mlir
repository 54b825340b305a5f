// RUN: etc-opt %s --convert-torch-to-task --split-input-file --verify-diagnostics

// Operands and scalars that an operator does not take.
!x = !torch.vtensor<[1,?,8],f32>
!v = !torch.vtensor<[8],f32>
!i = !torch.vtensor<[?],si64>
func.func @scalars(%x: !x {etc.name = "x", etc.role = "input", etc.dims = ["1", "T", "8"]},
                   %v: !v {etc.name = "v", etc.role = "weight"},
                   %w: !torch.vtensor<[8,8],f32> {etc.name = "w", etc.role = "weight"},
                   %pos: !i {etc.name = "pos", etc.role = "input", etc.dims = ["T"]})
    attributes {etc.symbols = {T = [1, 8]}} {
  %c0 = "torch.constant.int"() <{value = 0 : i64}> : () -> !torch.int
  %c2 = "torch.constant.int"() <{value = 2 : i64}> : () -> !torch.int
  %c6 = "torch.constant.int"() <{value = 6 : i64}> : () -> !torch.int
  %c8 = "torch.constant.int"() <{value = 8 : i64}> : () -> !torch.int
  %no = "torch.constant.bool"() <{value = false}> : () -> !torch.bool
  %yes = "torch.constant.bool"() <{value = true}> : () -> !torch.bool
  %one = "torch.constant.float"() <{value = 1.0 : f64}> : () -> !torch.float
  %none = "torch.constant.none"() : () -> !torch.none
  // expected-error @+1 {{'aten.add.Tensor' operand 'alpha' is 1, got 2}}
  "torch.aten.add.Tensor"(%x, %x, %c2) : (!x, !x, !torch.int) -> !x
  // expected-error @+1 {{'aten.add.Tensor' takes 3 operands (a, b, alpha), got 2}}
  "torch.aten.add.Tensor"(%x, %x) : (!x, !x) -> !x
  // expected-error @+1 {{'aten.mul.Tensor' works on tensors of one type, got 'tensor<8xf32>' and 'tensor<?x8xf32>'}}
  "torch.aten.mul.Tensor"(%x, %v) : (!x, !v) -> !x
  // expected-error @+1 {{'aten.silu' works on floating-point tensors with dimensions, got 'tensor<?xi64>'}}
  "torch.aten.silu"(%pos) : (!i) -> !i
  // expected-error @+1 {{'aten.linear' operand 'weight' is a tensor, got '!torch.none'}}
  "torch.aten.linear"(%x, %none, %none) : (!x, !torch.none, !torch.none) -> !x
  // expected-error @+1 {{'aten.linear' cannot give '!torch.vtensor<[1,4,8],f32>': its first extent is that of 'tensor<?x8xf32>'}}
  "torch.aten.linear"(%x, %w, %none) : (!x, !torch.vtensor<[8,8],f32>, !torch.none) -> !torch.vtensor<[1,4,8],f32>
  // expected-error @+1 {{'aten.linear' has 1 results, got 2}}
  "torch.aten.linear"(%x, %w, %none) : (!x, !torch.vtensor<[8,8],f32>, !torch.none) -> (!x, !x)
  // expected-error @+1 {{'aten.linear' gives tensors, got '!torch.int'}}
  "torch.aten.linear"(%x, %w, %none) : (!x, !torch.vtensor<[8,8],f32>, !torch.none) -> !torch.int
  // expected-error @+1 {{'aten.embedding' operand 'sparse' is false}}
  "torch.aten.embedding"(%w, %pos, %c0, %no, %yes) : (!torch.vtensor<[8,8],f32>, !i, !torch.int, !torch.bool, !torch.bool) -> !x
  // expected-error @+1 {{'aten.embedding' operand 'padding_idx' is not a constant int}}
  "torch.aten.embedding"(%w, %pos, %none, %no, %no) : (!torch.vtensor<[8,8],f32>, !i, !torch.none, !torch.bool, !torch.bool) -> !x
  // expected-error @+1 {{'aten.embedding' operand 'scale_grad_by_freq' is not a constant bool}}
  "torch.aten.embedding"(%w, %pos, %c0, %c0, %no) : (!torch.vtensor<[8,8],f32>, !i, !torch.int, !torch.int, !torch.bool) -> !x
  // expected-error @+1 {{'aten.index_select' operand 'dim' is 1, the tokens, got 2}}
  "torch.aten.index_select"(%x, %c2, %pos) : (!x, !torch.int, !i) -> !x
  // expected-error @+1 {{'aten.squeeze.dim' operand 'dim' is 0, got 2}}
  "torch.aten.squeeze.dim"(%x, %c2) : (!x, !torch.int) -> !torch.vtensor<[?,8],f32>
  // expected-error @+1 {{'aten.squeeze.dim' adds or removes the batch dimension, got 'tensor<?x8xf32>' to 'tensor<?x4xf32>'}}
  "torch.aten.squeeze.dim"(%x, %c0) : (!x, !torch.int) -> !torch.vtensor<[?,4],f32>
  // expected-error @+1 {{'etc.rms_norm' operand 'eps' is not a constant float}}
  "torch.operator"(%x, %v, %c0) <{name = "torch.etc.rms_norm"}> : (!x, !v, !torch.int) -> !x
  // expected-error @+1 {{'etc.rms_norm' takes 3 operands (x, weight, eps), got 2}}
  "torch.operator"(%x, %v) <{name = "torch.etc.rms_norm"}> : (!x, !v) -> !x
  // expected-error @+1 {{'etc.rope_table' operand 'dtype' is the c10::ScalarType of the results (5 f16, 6 f32, 15 bf16), got 6 for 'tensor<?x16xbf16>'}}
  "torch.operator"(%v, %pos, %one, %c6) <{name = "torch.etc.rope_table"}> : (!v, !i, !torch.float, !torch.int) -> (!torch.vtensor<[?,16],bf16>, !torch.vtensor<[?,16],bf16>)
  // expected-error @+1 {{'etc.kv_append' gives the type of its cache, got 'tensor<8xf32>'}}
  "torch.operator"(%w, %x, %x, %pos, %pos, %w) <{name = "torch.etc.kv_append"}> : (!torch.vtensor<[8,8],f32>, !x, !x, !i, !i, !torch.vtensor<[8,8],f32>) -> !v
  return
}

// -----

// Views that do not only split or join.
!x = !torch.vtensor<[1,?,8],f32>
!i = !torch.vtensor<[?],si64>
!l = !torch.list<int>
func.func @views(%x: !x {etc.name = "x", etc.role = "input", etc.dims = ["1", "T", "8"]},
                 %pos: !i {etc.name = "pos", etc.role = "input", etc.dims = ["T"]})
    attributes {etc.symbols = {T = [1, 8]}} {
  %c1 = "torch.constant.int"() <{value = 1 : i64}> : () -> !torch.int
  %c2 = "torch.constant.int"() <{value = 2 : i64}> : () -> !torch.int
  %c3 = "torch.constant.int"() <{value = 3 : i64}> : () -> !torch.int
  %c8 = "torch.constant.int"() <{value = 8 : i64}> : () -> !torch.int
  %rest = "torch.constant.int"() <{value = -1 : i64}> : () -> !torch.int
  %c0 = "torch.constant.int"() <{value = 0 : i64}> : () -> !torch.int
  %t = "torch.aten.size.int"(%pos, %c0) : (!i, !torch.int) -> !torch.int
  %width = "torch.aten.size.int"(%x, %c2) : (!x, !torch.int) -> !torch.int
  // expected-error @+1 {{'aten.view' operand 'size' is not a torch.prim.ListConstruct}}
  "torch.aten.view"(%x, %c1) : (!x, !torch.int) -> !x
  %l0 = "torch.prim.ListConstruct"(%c1, %t, %rest) : (!torch.int, !torch.int, !torch.int) -> !l
  // expected-error @+1 {{'aten.view' operand 'size' holds neither a size nor aten.size.int of dimension 0 of a vector, at position 2}}
  "torch.aten.view"(%x, %l0) : (!x, !l) -> !x
  %l1 = "torch.prim.ListConstruct"(%c1, %width, %c8) : (!torch.int, !torch.int, !torch.int) -> !l
  // expected-error @+1 {{'aten.view' operand 'size' holds neither a size nor aten.size.int of dimension 0 of a vector, at position 1}}
  "torch.aten.view"(%x, %l1) : (!x, !l) -> !x
  %l2 = "torch.prim.ListConstruct"(%c1, %t, %c2) : (!torch.int, !torch.int, !torch.int) -> !l
  // expected-error @+1 {{'aten.view' operand 'size' is not the shape of the result, 'tensor<?x8xf32>'}}
  "torch.aten.view"(%x, %l2) : (!x, !l) -> !x
  %l3 = "torch.prim.ListConstruct"(%c1, %t, %c2, %c3) : (!torch.int, !torch.int, !torch.int, !torch.int) -> !l
  // expected-error @+1 {{'aten.view' splits or joins dimensions, it cannot turn 'tensor<?x8xf32>' into 'tensor<?x2x3xf32>'}}
  "torch.aten.view"(%x, %l3) : (!x, !l) -> !torch.vtensor<[1,?,2,3],f32>
  return
}

// -----

func.func @unknown(%x: !torch.vtensor<[2],f32> {etc.name = "x", etc.role = "input"}) attributes {etc.symbols = {}} {
  // expected-error @+1 {{the operator 'aten.relu' is not supported; docs/import.md lists those that are}}
  %y = "torch.aten.relu"(%x) : (!torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32>
  return
}

// -----

func.func @unknown_etc(%x: !torch.vtensor<[2],f32> {etc.name = "x", etc.role = "input"}) attributes {etc.symbols = {}} {
  // expected-error @+1 {{the operator 'etc.topk' is not supported; docs/import.md lists those that are}}
  %y = "torch.operator"(%x) <{name = "torch.etc.topk"}> : (!torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32>
  return
}

// -----

func.func @not_torch(%x: !torch.vtensor<[2],f32> {etc.name = "x", etc.role = "input"}) attributes {etc.symbols = {}} {
  // expected-error @+1 {{'tensor.empty' is not an operator of torch}}
  %y = tensor.empty() : tensor<2xf32>
  return
}

// -----

// expected-error @+1 {{there is no tensor for '!torch.vtensor<[2],ui8>'}}
func.func @unsigned(%x: !torch.vtensor<[2],ui8> {etc.name = "x", etc.role = "input"}) attributes {etc.symbols = {}} {
  return
}

// -----

// expected-error @+1 {{a step is one block of operators}}
func.func private @declaration(!torch.vtensor<[2],f32>)
