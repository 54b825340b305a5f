// RUN: etc-opt %s -split-input-file -verify-diagnostics

// One case per way to break T12 and T13, named after it.

func.func @embedding_t12_result_on_tensors(%ids: tensor<?xi64>, %table: tensor<9x4xf32>,
                                           %x: tensor<?x4xf32>) {
  // expected-error @below {{T12: expects one result per tensor destination, of its type}}
  task.embedding ins(%ids, %table : tensor<?xi64>, tensor<9x4xf32>) outs(%x : tensor<?x4xf32>)
  return
}

// -----

func.func @argmax_t12_no_result_on_memrefs(%x: memref<2x4xf32>, %y: memref<2xi64>) {
  // expected-error @below {{T12: expects one result per tensor destination, of its type}}
  %0 = task.argmax ins(%x : memref<2x4xf32>) outs(%y : memref<2xi64>) -> tensor<2xi64>
  return
}

// -----

func.func @argmax_t12_result_has_the_type_of_its_destination(%x: tensor<2x4xf32>, %y: tensor<2xi64>) {
  // expected-error @below {{T12: expects one result per tensor destination, of its type}}
  %0 = task.argmax ins(%x : tensor<2x4xf32>) outs(%y : tensor<2xi64>) -> tensor<?xi64>
  return
}

// -----

func.func @linear_t13_rank(%x: memref<4xf32>, %w: memref<8x4xf32>, %y: memref<1x8xf32>) {
  // expected-error @below {{T13: expects rank 2, got 'memref<4xf32>'}}
  task.linear ins(%x, %w : memref<4xf32>, memref<8x4xf32>) outs(%y : memref<1x8xf32>)
  return
}

// -----

func.func @linear_t13_extent(%x: memref<1x5xf32>, %w: memref<8x4xf32>, %y: memref<1x8xf32>) {
  // expected-error @below {{T13: extent K is 5 and 4}}
  task.linear ins(%x, %w : memref<1x5xf32>, memref<8x4xf32>) outs(%y : memref<1x8xf32>)
  return
}

// -----

func.func @linear_t13_extent_of_a_stream(%x: memref<1x5xf32>, %w: memref<8x4xf32>,
                                         %y: memref<1x8xf32>) {
  %s = task.stream %w : memref<8x4xf32> -> !task.stream<memref<8x4xf32>>
  // expected-error @below {{T13: extent K is 5 and 4}}
  task.linear ins(%x, %s : memref<1x5xf32>, !task.stream<memref<8x4xf32>>)
    outs(%y : memref<1x8xf32>)
  return
}

// -----

func.func @linear_t13_bias_extent(%x: memref<1x4xf32>, %w: memref<8x4xf32>, %b: memref<7xf32>,
                                  %y: memref<1x8xf32>) {
  // expected-error @below {{T13: extent N is 7 and 8}}
  task.linear ins(%x, %w : memref<1x4xf32>, memref<8x4xf32>) bias(%b : memref<7xf32>)
    outs(%y : memref<1x8xf32>)
  return
}

// -----

func.func @linear_t13_element_types(%x: memref<1x4xf32>, %w: memref<8x4xbf16>,
                                    %y: memref<1x8xf32>) {
  // expected-error @below {{T13: element types differ: 'memref<8x4xbf16>' and 'memref<1x4xf32>'}}
  task.linear ins(%x, %w : memref<1x4xf32>, memref<8x4xbf16>) outs(%y : memref<1x8xf32>)
  return
}

// -----

func.func @embedding_t13_ids_are_integers(%ids: memref<2xi32>, %table: memref<9x4xf32>,
                                          %x: memref<2x4xf32>) {
  // expected-error @below {{T13: expects i64 elements, got 'memref<2xi32>'}}
  task.embedding ins(%ids, %table : memref<2xi32>, memref<9x4xf32>) outs(%x : memref<2x4xf32>)
  return
}

// -----

func.func @rms_norm_t13_rank(%x: memref<4xf32>, %w: memref<4xf32>) {
  // expected-error @below {{T13: expects rank 3, got 'memref<4xf32>'}}
  task.rms_norm ins(%x, %w : memref<4xf32>, memref<4xf32>) outs(%x : memref<4xf32>) eps 1.0e-6
  return
}

// -----

func.func @rope_table_t13_inv_freq_is_f32(%f: memref<8xf64>, %pos: memref<2xi64>,
                                          %t: memref<2x16xf32>) {
  // expected-error @below {{T13: inv_freq has f32 elements}}
  task.rope_table ins(%f, %pos : memref<8xf64>, memref<2xi64>)
    outs(%t, %t : memref<2x16xf32>, memref<2x16xf32>) scaling 1.0
  return
}

// -----

func.func @rope_table_t13_width(%f: memref<8xf32>, %pos: memref<2xi64>, %t: memref<2x8xf32>) {
  // expected-error @below {{T13: the tables are twice as wide as inv_freq}}
  task.rope_table ins(%f, %pos : memref<8xf32>, memref<2xi64>)
    outs(%t, %t : memref<2x8xf32>, memref<2x8xf32>) scaling 1.0
  return
}

// -----

func.func @rope_t13_even_head(%x: memref<2x4x15xf32>, %t: memref<2x15xf32>) {
  // expected-error @below {{T13: the head dimension is even}}
  task.rope ins(%x, %t, %t : memref<2x4x15xf32>, memref<2x15xf32>, memref<2x15xf32>)
    outs(%x : memref<2x4x15xf32>)
  return
}

// -----

func.func @kv_append_t13_key_and_value(%k: memref<1x2x16xf32>, %i: memref<1xi64>,
                                       %b: memref<2x8xi64>, %cache: memref<9x2x3x4x16xf32>) {
  // expected-error @below {{T13: the cache holds a key and a value}}
  task.kv_append ins(%k, %k, %i, %i, %b : memref<1x2x16xf32>, memref<1x2x16xf32>, memref<1xi64>,
    memref<1xi64>, memref<2x8xi64>) outs(%cache : memref<9x2x3x4x16xf32>)
  return
}

// -----

func.func @attention_t13_head_groups(%q: memref<1x3x16xf32>, %i: memref<1xi64>,
                                     %b: memref<2x8xi64>, %cache: memref<9x2x2x4x16xf32>) {
  // expected-error @below {{T13: the query heads are a multiple of the key/value heads}}
  task.attention ins(%q, %cache, %i, %i, %b : memref<1x3x16xf32>, memref<9x2x2x4x16xf32>,
    memref<1xi64>, memref<1xi64>, memref<2x8xi64>) outs(%q : memref<1x3x16xf32>) scale 0.25
  return
}

// -----

func.func @gather_rows_t13_extent(%x: memref<4x8xf32>, %r: memref<2xi64>, %y: memref<3x8xf32>) {
  // expected-error @below {{T13: extent R is 2 and 3}}
  task.gather_rows ins(%x, %r : memref<4x8xf32>, memref<2xi64>) outs(%y : memref<3x8xf32>)
  return
}
