// RUN: etc-opt %s -split-input-file -verify-diagnostics

// One case per way to break T16, T17 and what T13 asks of parts, named after it.

func.func @linear_t17_norm_has_an_eps(%x: tensor<1x4xf32>, %w: tensor<8x4xf32>, %g: tensor<4xf32>, %y: tensor<1x8xf32>) {
  // expected-error @below {{T17: a norm has an eps}}
  %0 = "task.linear"(%x, %w, %g, %y) <{operandSegmentSizes = array<i32: 1, 1, 0, 1, 0, 0, 1, 0>}>
    : (tensor<1x4xf32>, tensor<8x4xf32>, tensor<4xf32>, tensor<1x8xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @linear_t17_gated_with_a_residual(%x: memref<1x4xf32>, %w: memref<16x4xf32>, %y: memref<1x8xf32>) {
  // expected-error @below {{T17: a gated linear has neither bias nor residual}}
  task.linear ins(%x, %w : memref<1x4xf32>, memref<16x4xf32>) residual(%y : memref<1x8xf32>) outs(%y : memref<1x8xf32>) gated
  return
}

// -----

func.func @linear_t13_best_of_fewer_outputs(%x: memref<1x4xbf16>, %w: memref<8x4xbf16>, %y: memref<1x8xbf16>, %best: memref<1x1xi32>) {
  // expected-error @below {{each 16 outputs have a best}}
  task.linear ins(%x, %w : memref<1x4xbf16>, memref<8x4xbf16>) outs(%y : memref<1x8xbf16>) best(%best : memref<1x1xi32>)
  return
}

// -----

func.func @linear_t13_best_of_wide_outputs(%x: memref<1x4xf32>, %w: memref<16x4xf32>, %y: memref<1x16xf32>, %best: memref<1x1xi32>) {
  // expected-error @below {{the best of outputs of 16 bits are words of 32}}
  task.linear ins(%x, %w : memref<1x4xf32>, memref<16x4xf32>) outs(%y : memref<1x16xf32>) best(%best : memref<1x1xi32>)
  return
}

// -----

func.func @argmax_t13_of_values(%x: memref<1x4xbf16>, %y: memref<1xi64>) {
  // expected-error @below {{the best of several outputs are words of 32 bits}}
  task.argmax ins(%x : memref<1x4xbf16>) of 16 outs(%y : memref<1xi64>)
  return
}

// -----

func.func @linear_t17_run(%x: memref<4x64xbf16>, %w: memref<16x64xbf16>, %y: memref<4x16xbf16>) {
  // expected-error @below {{T17: a run has a first task, and streams something}}
  task.linear ins(%x, %w : memref<4x64xbf16>, memref<16x64xbf16>) run 64 outs(%y : memref<4x16xbf16>)
  return
}

// -----

func.func @linear_t17_run_of_nothing(%x: memref<4x64xbf16>, %w: memref<16x64xbf16>, %first: i1, %y: memref<4x16xbf16>) {
  // expected-error @below {{T17: a run has a first task, and streams something}}
  task.linear ins(%x, %w : memref<4x64xbf16>, memref<16x64xbf16>) first(%first) run -1 outs(%y : memref<4x16xbf16>)
  return
}

// -----

func.func @linear_t17_first_on_tensors(%x: tensor<1x4xf32>, %w: tensor<8x4xf32>, %first: i1, %y: tensor<1x8xf32>) {
  // expected-error @below {{T17: only a tile keeps its input in shared memory}}
  %0 = task.linear ins(%x, %w : tensor<1x4xf32>, tensor<8x4xf32>) first(%first) outs(%y : tensor<1x8xf32>) -> tensor<1x8xf32>
  return
}

// -----

func.func @linear_t13_gated_rows(%x: memref<1x4xf32>, %w: memref<8x4xf32>, %y: memref<1x8xf32>) {
  // expected-error @below {{the weight has a row for each output, two if it is gated}}
  task.linear ins(%x, %w : memref<1x4xf32>, memref<8x4xf32>) outs(%y : memref<1x8xf32>) gated
  return
}

// -----

func.func @linear_t13_norm_extent(%x: memref<1x4xf32>, %w: memref<8x4xf32>, %g: memref<5xf32>, %y: memref<1x8xf32>) {
  // expected-error @below {{T13: extent K is 4 and 5}}
  task.linear ins(%x, %w : memref<1x4xf32>, memref<8x4xf32>) norm(%g : memref<5xf32>) eps 1.0e-6 outs(%y : memref<1x8xf32>)
  return
}

// -----

!t = tensor<2x32xf32>
!i = tensor<2xi64>
!b = tensor<1x4xi64>
!c = tensor<4x1x2x8x32xf32>
!p = tensor<2x2x1x34xf32>
func.func @split_attention_t13_one_norm(%qkv: tensor<2x128xf32>, %t: !t, %i: !i, %b: !b, %n: tensor<32xf32>, %c: !c, %p: !p, %at: index) {
  // expected-error @below {{T13: queries and keys are both normed, with an eps, or neither is}}
  %0:2 = "task.split_attention"(%qkv, %t, %t, %i, %i, %b, %at, %at, %at, %n, %c, %p)
    <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1>, parts = 1 : i64, scale = 1.0 : f64, eps = 1.0e-6 : f64}>
    : (tensor<2x128xf32>, !t, !t, !i, !i, !b, index, index, index, tensor<32xf32>, !c, !p) -> (!c, !p)
  return
}

// -----

!t = memref<2x32xf32>
!i = memref<2xi64>
!b = memref<1x4xi64>
func.func @split_attention_t13_columns(%qkv: memref<2x120xf32>, %t: !t, %i: !i, %b: !b, %c: memref<4x1x2x8x32xf32>, %p: memref<2x2x1x34xf32>, %at: index) {
  // expected-error @below {{qkv holds the heads of queries, keys and values}}
  task.split_attention ins(%qkv, %t, %t, %i, %i, %b : memref<2x120xf32>, !t, !t, !i, !i, !b) at(%at, %at, %at) of 1
    outs(%c, %p : memref<4x1x2x8x32xf32>, memref<2x2x1x34xf32>) scale 1.0
  return
}

// -----

!t = memref<2x32xf32>
!i = memref<2xi64>
!b = memref<1x4xi64>
func.func @split_attention_t13_page(%qkv: memref<2x128xf32>, %t: !t, %i: !i, %b: !b, %c: memref<4x1x2x4x32xf32>, %p: memref<2x2x1x34xf32>, %at: index) {
  // expected-error @below {{a page holds a multiple of 8 tokens}}
  task.split_attention ins(%qkv, %t, %t, %i, %i, %b : memref<2x128xf32>, !t, !t, !i, !i, !b) at(%at, %at, %at) of 1
    outs(%c, %p : memref<4x1x2x4x32xf32>, memref<2x2x1x34xf32>) scale 1.0
  return
}

// -----

func.func @merge_splits_t13_part(%p: memref<2x2x3x32xf32>, %y: memref<2x2x32xf32>) {
  // expected-error @below {{a part has D values, a maximum and a sum, of f32}}
  task.merge_splits ins(%p : memref<2x2x3x32xf32>) outs(%y : memref<2x2x32xf32>)
  return
}

// -----

task.graph @t16_argument symbols [] {
  // expected-error @below {{T16: only scratch buffers are tagged}}
  %x = task.argument "x" input shape affine_map<() -> (4, 4)> : memref<4x4xf32, #task.tagged>
}

// -----

task.graph @t16_odd_row symbols [] {
  // expected-error @below {{T16: a tagged buffer has elements of 16 or 32 bits and, of 16, an even number in a row; got 'memref<4x3xbf16, #task.tagged>'}}
  %x = task.scratch "x" shape affine_map<() -> (4, 3)> : memref<4x3xbf16, #task.tagged>
}

// -----

task.graph @t16_wide symbols [] {
  // expected-error @below {{T16: a tagged buffer has elements of 16 or 32 bits and, of 16, an even number in a row}}
  %x = task.scratch "x" shape affine_map<() -> (4)> : memref<4xi64, #task.tagged>
}

// -----

task.graph @t2_stack_of_an_input symbols [] {
  // expected-error @below {{T2: only a weight is a stack}}
  %x = task.argument "x" input shape affine_map<() -> (4, 4)> stack <["a", "b"] by 0> : memref<4x4xf32>
}

// -----

task.graph @t2_stack_of_one symbols [] {
  // expected-error @below {{a stack names two matrices or more, and a number of rows that is not negative}}
  %x = task.argument "x" weight shape affine_map<() -> (4, 4)> stack <["a"] by 0> : memref<4x4xf32>
}

// -----

func.func @linear_t13_wide_input(%x: memref<4x64xf32>, %w: memref<16x64xbf16>, %y: memref<4x16xbf16>) {
  // expected-error @below {{T13: element types differ}}
  task.linear ins(%x, %w : memref<4x64xf32>, memref<16x64xbf16>) outs(%y : memref<4x16xbf16>)
  return
}

// -----

func.func @linear_t13_wide_norm(%x: memref<4x64xf32>, %w: memref<16x64xbf16>, %g: memref<64xf32>, %y: memref<4x16xbf16>) {
  // expected-error @below {{T13: element types differ}}
  task.linear ins(%x, %w : memref<4x64xf32>, memref<16x64xbf16>) norm(%g : memref<64xf32>) eps 1.0e-6 outs(%y : memref<4x16xbf16>)
  return
}

// -----

func.func @linear_t13_narrow_residual(%x: memref<4x64xbf16>, %w: memref<16x64xbf16>, %r: memref<4x16xf16>, %y: memref<4x16xf32>) {
  // expected-error @below {{T13: element types differ}}
  task.linear ins(%x, %w : memref<4x64xbf16>, memref<16x64xbf16>) residual(%r : memref<4x16xf16>) outs(%y : memref<4x16xf32>)
  return
}

// -----

func.func @stream_part_t9_type(%i: memref<2xi64>, %b: memref<1x4xi64>, %c: memref<4x1x2x8x32xbf16>, %at: index) {
  // expected-error @below {{T9: streams 'memref<4x1x2x8x32xbf16>' as '!task.stream<memref<4xbf16>>'}}
  %s = task.stream_part %i, %i, %b, %c at(%at, %at, %at) of 1
    : memref<2xi64>, memref<2xi64>, memref<1x4xi64>, memref<4x1x2x8x32xbf16> -> !task.stream<memref<4xbf16>>
  return
}

// -----

!c = memref<4x1x2x8x32xbf16>
func.func @stream_part_t9_pace(%i: memref<2xi64>, %b: memref<1x4xi64>, %c: !c, %at: index) {
  // expected-error @below {{T9: a pace is a positive number of ns for a MiB}}
  %s = task.stream_part %i, %i, %b, %c at(%at, %at, %at) of 1 pace 0
    : memref<2xi64>, memref<2xi64>, memref<1x4xi64>, !c -> !task.stream<!c>
  return
}

// -----

!c = memref<4x2x2x8x32xbf16>
func.func @stream_part_t9_two_heads(%i: memref<2xi64>, %b: memref<1x4xi64>, %c: !c, %at: index) {
  // expected-error @below {{T9: streams of one sequence and one head}}
  %s = task.stream_part %i, %i, %b, %c at(%at, %at, %at) of 1
    : memref<2xi64>, memref<2xi64>, memref<1x4xi64>, !c -> !task.stream<!c>
  return
}

// -----

!qkv = memref<2x128xbf16>
!t = memref<2x32xbf16>
!i = memref<2xi64>
!b = memref<1x4xi64>
!c = memref<4x1x2x8x32xbf16>
!p = memref<2x2x1x34xf32>
func.func @stream_part_t9_other_part(%qkv: !qkv, %t: !t, %i: !i, %b: !b, %c: !c, %p: !p, %at: index, %other: index) {
  // expected-error @below {{T9: one task.split_attention of the same part takes what it streams}}
  %s = task.stream_part %i, %i, %b, %c at(%at, %at, %other) of 1 : !i, !i, !b, !c -> !task.stream<!c>
  task.split_attention ins(%qkv, %t, %t, %i, %i, %b : !qkv, !t, !t, !i, !i, !b)
    at(%at, %at, %at) of 1 stream(%s : !task.stream<!c>) outs(%c, %p : !c, !p) scale 1.0
  return
}

// -----

!c = memref<4x1x2x8x32xbf16, strided<[1024, 1024, 512, 64, 1]>>
func.func @stream_part_t9_rows(%i: memref<2xi64>, %b: memref<1x4xi64>, %c: !c, %at: index) {
  // expected-error @below {{T9: streams rows that follow each other}}
  %s = task.stream_part %i, %i, %b, %c at(%at, %at, %at) of 1
    : memref<2xi64>, memref<2xi64>, memref<1x4xi64>, !c -> !task.stream<!c>
  return
}

// -----

func.func @stream_part_t9_ranks(%i: memref<2xi64>, %b: memref<i64>, %c: memref<4xbf16>, %at: index) {
  // expected-error @below {{T9: streams of one sequence and one head}}
  %s = task.stream_part %i, %i, %b, %c at(%at, %at, %at) of 1
    : memref<2xi64>, memref<2xi64>, memref<i64>, memref<4xbf16> -> !task.stream<memref<4xbf16>>
  return
}

// -----

!qkv = memref<2x128xbf16>
!t = memref<2x32xbf16>
!i = memref<2xi64>
!b = memref<1x4xi64>
!c = memref<4x1x2x8x32xbf16>
!p = memref<2x2x1x34xf32>
func.func @split_attention_t9_other_stream(%qkv: !qkv, %t: !t, %i: !i, %b: !b, %c: !c, %p: !p, %at: index) {
  %s = task.stream %c : !c -> !task.stream<!c>
  // expected-error @below {{T9: takes its part from a task.stream_part}}
  task.split_attention ins(%qkv, %t, %t, %i, %i, %b : !qkv, !t, !t, !i, !i, !b)
    at(%at, %at, %at) of 1 stream(%s : !task.stream<!c>) outs(%c, %p : !c, !p) scale 1.0
  return
}

// -----

!c = memref<4x1x2x8x32xbf16>
task.func @stream_part_t8_behind_ready(%i: memref<2xi64>, %b: memref<1x4xi64>, %c: !c, %at: index) {
  task.ready
  // expected-error @below {{T8: stands before task.ready}}
  %s = task.stream_part %i, %i, %b, %c at(%at, %at, %at) of 1
    : memref<2xi64>, memref<2xi64>, memref<1x4xi64>, !c -> !task.stream<!c>
  task.return
}
