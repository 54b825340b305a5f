//===- TaskTileOps.td - Operators on tensors and on tiles -*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TASK_TASKTILEOPS_TD
#define ETC_DIALECTS_TASK_TASKTILEOPS_TD

// Included by TaskOps.td.
//
// What linalg cannot say in one op and the compiler needs whole. T is the number
// of tokens in the step, R the rows whose logits are wanted, H heads, G key/value
// heads, D the head dimension. Rounding is to the element type of the output;
// sums are in f32.

def Task_Shaped : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;
def Task_Streamable : AnyTypeOf<[AnyRankedTensor, AnyMemRef, Task_StreamType]>;

class Task_TileOp<string mnemonic, string init, dag extraArguments, list<Trait> traits = []>
    : Task_Op<mnemonic, traits # [DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<TaskRegionOpInterface>]> {
  let arguments = extraArguments;
  // One result of the destination's type on tensors, none on memrefs (T12).
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
  let extraClassDeclaration = "mlir::MutableOperandRange getDpsInitsMutable() { return get" # init # "Mutable(); }";
}

def Task_EmbeddingOp : Task_TileOp<"embedding", "Output",
    (ins Task_Shaped:$ids, Task_Shaped:$table, Task_Shaped:$output)> {
  let summary = "output[t, :] = table[ids[t], :]";
  let description = [{
    ids: [T] i64, table: [V, K], output: [T, K].

    Constraints, for every tile operation:
    - T12: a result per tensor destination, of its type; no results on memrefs;
    - T13: ranks, extents and element types agree as the shapes above say.
  }];
  let assemblyFormat = [{
    `ins` `(` $ids `,` $table `:` type($ids) `,` type($table) `)`
    `outs` `(` $output `:` type($output) `)` attr-dict (`->` type($results)^)?
  }];
}

def Task_RMSNormOp : Task_TileOp<"rms_norm", "Output",
    (ins Task_Shaped:$input, Task_Shaped:$weight, Task_Shaped:$output, F64Attr:$eps)> {
  let summary = "Root-mean-square norm of the last dimension";
  let description = [{
    output[..., k] = weight[k] * round(input[..., k] * rsqrt(mean_k(input^2) + eps)).
    input, output: [..., K] of rank 2 or 3; weight: [K]. The inner rounding is to
    the element type, as Hugging Face's modules do.
  }];
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    `outs` `(` $output `:` type($output) `)` `eps` $eps attr-dict (`->` type($results)^)?
  }];
}

def Task_LinearOp : Task_TileOp<"linear", "Output",
    (ins Task_Shaped:$input, Task_Streamable:$weight, Optional<Task_Shaped>:$bias,
         Task_Shaped:$output)> {
  let summary = "output[t, n] = sum_k input[t, k] * weight[n, k] + bias[n]";
  let description = [{
    input: [T, K], weight: [N, K], bias: [N], output: [T, N]. The weight of a tile
    may be a stream.
  }];
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $output `:` type($output) `)` attr-dict (`->` type($results)^)?
  }];
}

def Task_RopeTableOp : Task_TileOp<"rope_table", "Sin",
    (ins Task_Shaped:$inv_freq, Task_Shaped:$pos, Task_Shaped:$cos, Task_Shaped:$sin,
         F64Attr:$scaling)> {
  let summary = "Cosine and sine of every rotary angle of this step";
  let description = [{
    cos[t, i] = cos[t, i + D/2] = scaling * cos(pos[t] * inv_freq[i]), sin alike.
    inv_freq: [D/2] f32, pos: [T] i64, cos, sin: [T, D].
  }];
  let extraClassDeclaration = [{
    mlir::MutableOperandRange getDpsInitsMutable() {
      return mlir::MutableOperandRange(getOperation(), 2, 2);
    }
  }];
  let assemblyFormat = [{
    `ins` `(` $inv_freq `,` $pos `:` type($inv_freq) `,` type($pos) `)`
    `outs` `(` $cos `,` $sin `:` type($cos) `,` type($sin) `)` `scaling` $scaling
    attr-dict (`->` type($results)^)?
  }];
}

def Task_RopeOp : Task_TileOp<"rope", "Output",
    (ins Task_Shaped:$input, Task_Shaped:$cos, Task_Shaped:$sin, Task_Shaped:$output)> {
  let summary = "Rotary embedding, halves rotated";
  let description = [{
    With h = D/2: output[..., i] = x[i] cos[i] - x[i + h] sin[i] for i < h, and
    x[i] cos[i] + x[i - h] sin[i] otherwise, each product rounded as the framework
    rounds it. input, output: [T, H, D], cos, sin: [T, D].
  }];
  let assemblyFormat = [{
    `ins` `(` $input `,` $cos `,` $sin `:` type($input) `,` type($cos) `,` type($sin) `)`
    `outs` `(` $output `:` type($output) `)` attr-dict (`->` type($results)^)?
  }];
}

def Task_KVAppendOp : Task_TileOp<"kv_append", "Cache",
    (ins Task_Shaped:$key, Task_Shaped:$value, Task_Shaped:$seq, Task_Shaped:$pos,
         Task_Shaped:$block_table, Task_Shaped:$cache)> {
  let summary = "Store the keys and values of this step's tokens in the paged cache";
  let description = [{
    Token t goes to page block_table[seq[t], pos[t] / P] at slot pos[t] mod P.
    key, value: [T, G, D]; seq, pos: [T] i64; block_table: [S, M] i64;
    cache: [pages, G, 2, P, D]. In place: the destination keeps what it held.
  }];
  let assemblyFormat = [{
    `ins` `(` $key `,` $value `,` $seq `,` $pos `,` $block_table `:` type($key) `,`
    type($value) `,` type($seq) `,` type($pos) `,` type($block_table) `)`
    `outs` `(` $cache `:` type($cache) `)` attr-dict (`->` type($results)^)?
  }];
}

def Task_AttentionOp : Task_TileOp<"attention", "Output",
    (ins Task_Shaped:$query, Task_Shaped:$cache, Task_Shaped:$seq, Task_Shaped:$pos,
         Task_Shaped:$block_table, Task_Shaped:$output, F64Attr:$scale)> {
  let summary = "Causal attention of this step's tokens over the paged cache";
  let description = [{
    Token t attends to positions 0 .. pos[t] of sequence seq[t]; query head h uses
    key/value head h / (H / G). query, output: [T, H, D]; the rest as for
    `task.kv_append`.
  }];
  let assemblyFormat = [{
    `ins` `(` $query `,` $cache `,` $seq `,` $pos `,` $block_table `:` type($query) `,`
    type($cache) `,` type($seq) `,` type($pos) `,` type($block_table) `)`
    `outs` `(` $output `:` type($output) `)` `scale` $scale attr-dict (`->` type($results)^)?
  }];
}

def Task_GatherRowsOp : Task_TileOp<"gather_rows", "Output",
    (ins Task_Shaped:$input, Task_Shaped:$rows, Task_Shaped:$output)> {
  let summary = "output[r, :] = input[rows[r], :]";
  let description = [{
    input: [T, K], rows: [R] i64, output: [R, K]. Unlike `task.embedding`, the
    table is made in this step.
  }];
  let assemblyFormat = [{
    `ins` `(` $input `,` $rows `:` type($input) `,` type($rows) `)`
    `outs` `(` $output `:` type($output) `)` attr-dict (`->` type($results)^)?
  }];
}

def Task_ArgmaxOp : Task_TileOp<"argmax", "Output",
    (ins Task_Shaped:$input, Task_Shaped:$output)> {
  let summary = "output[r] = the lowest index of the largest input[r, :]";
  let description = [{input: [R, V]; output: [R] i64.}];
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    `outs` `(` $output `:` type($output) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif // ETC_DIALECTS_TASK_TASKTILEOPS_TD
