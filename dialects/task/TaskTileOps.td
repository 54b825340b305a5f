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
    (ins Task_Shaped:$ids, Task_Shaped:$table, Task_Shaped:$output, UnitAttr:$packed)> {
  let summary = "output[t, :] = table[ids[t], :]";
  let description = [{
    ids: [T] i64, table: [V, K], output: [T, K]. `packed`: the table lies in fragment
    order, for a linear reads it too (`pack-weights`).

    Constraints, for every tile operation:
    - T12: a result per tensor destination, of its type; no results on memrefs;
    - T13: ranks, extents and element types agree as the shapes above say.
  }];
  let assemblyFormat = [{
    `ins` `(` $ids `,` $table `:` type($ids) `,` type($table) `)`
    `outs` `(` $output `:` type($output) `)` (`packed` $packed^)? attr-dict (`->` type($results)^)?
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
         Optional<Task_Shaped>:$norm, Optional<Task_Shaped>:$residual, Optional<I1>:$first,
         Task_Shaped:$output, Optional<Task_Shaped>:$best,
         OptionalAttr<F64Attr>:$eps, UnitAttr:$gated,
         DefaultValuedAttr<I64Attr, "0">:$run_bytes),
    [AttrSizedOperandSegments]> {
  let summary = "A projection, with what a decoder has before and behind it";
  let description = [{
    output[t, n] = residual[t, n] + act(bias[n] + sum_k norm(input)[t, k] * weight[n, k]).
    input: [T, K], weight: [N, K], bias: [N], norm: [K], residual, output: [T, N]. The
    weight of a tile may be a stream. What is absent is left out; nothing between the
    input and the output is rounded but the normed input, to the element type of the
    weight. An input that is normed, the residual and the output may be f32 beside narrower
    weights.

    - `norm`: the root-mean-square norm of `task.rms_norm`, whose factor of a row is
      applied to the sum instead of to the input;
    - `gated`: weight is [2 N, K]; of each 16 rows the first eight are the gates of eight
      outputs and the others are what they gate: act(y)[n] = silu(gate) * up;
    - `best`: [T, N / 16] i32. best[t, j] is the largest of outputs 16 j .. 16 j + 15 of
      16 bits, its bits above the number of the first row of these that has it: what
      `task.argmax of 16` takes. A task has the words of its own outputs;
    - `first`: the input is the same for all tasks of a worker's run. It is kept in
      shared memory from the task for which this is true on (`stage-activations`);
    - `run`: the bytes that a worker streams in such a run, by which the code of the
      tile decides when it keeps the input: before it multiplies, or on the way.

    ```mlir
    task.linear ins(%x, %w : memref<?x64xbf16>, memref<16x64xbf16>)
      norm(%g : memref<64xbf16>) eps 1.0e-6 outs(%y : memref<?x8xbf16>) gated
    ```

    Constraints: T12, T13;
    - T17: `norm` has an `eps`; a gated linear has neither bias nor residual nor `best`;
      `first` is for memrefs, `run` for what has it; `best` is for a multiple of 16
      outputs of 16 bits.
  }];
  let extraClassDeclaration = [{
    mlir::MutableOperandRange getDpsInitsMutable() {
      unsigned inits = getBest() ? 2 : 1;
      return mlir::MutableOperandRange(getOperation(), getNumOperands() - inits, inits);
    }
    /// Rows of the weight that make one output.
    int64_t getRowsPerOutput() { return getGated() ? 2 : 1; }
    /// The position of `norm` among the operands, if there is one.
    unsigned getNormPosition() { return getODSOperandIndexAndLength(3).first; }
  }];
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`norm` `(` $norm^ `:` type($norm) `)` `eps` $eps)?
    (`residual` `(` $residual^ `:` type($residual) `)`)?
    (`first` `(` $first^ `)`)? (`run` $run_bytes^)?
    `outs` `(` $output `:` type($output) `)` (`best` `(` $best^ `:` type($best) `)`)?
    (`gated` $gated^)? attr-dict (`->` type($results)^)?
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

def Task_SplitAttentionOp : Task_TileOp<"split_attention", "Partial",
    (ins Task_Shaped:$qkv, Task_Shaped:$cos, Task_Shaped:$sin, Task_Shaped:$seq,
         Task_Shaped:$pos, Task_Shaped:$block_table, Index:$sequence, Index:$head,
         Index:$part, Optional<Task_Shaped>:$q_norm, Optional<Task_Shaped>:$k_norm,
         Optional<Task_StreamType>:$stream, Task_Shaped:$cache, Task_Shaped:$partial,
         F64Attr:$scale, I64Attr:$parts, OptionalAttr<F64Attr>:$eps),
    [AttrSizedOperandSegments]> {
  let summary = "Norm, rotary, append and attention over one part of a sequence's positions";
  let description = [{
    The heads of qkv are H queries, G keys, G values. A task (b, g, s) does all that the
    tokens of sequence b need of key/value head g at the positions of part s: it norms
    and rotates their keys there and stores them and their values in the cache, then
    attends to that part with its query heads. So what a step appends and reads again
    never leaves the task.

    With n the number of positions of sequence b after this step and
    c = 8 * ceildiv(n, 8 S), part s is the positions s c .. min(n, (s + 1) c) - 1. Of a
    token at position p, with x_i = scale * q . k_i over the i <= p of the part and m
    their maximum: partial[..., d] = sum_i exp(x_i - m) v_i[d] for d < D,
    partial[..., D] = m, partial[..., D + 1] = sum_i exp(x_i - m). No such i: zeros,
    with m = -3e38. `task.merge_splits` makes the output of them.

    qkv: [T, (H + 2 G) D]; cos, sin: [T, D]; seq, pos: [T] i64; block_table: [B, M] i64;
    q_norm, k_norm: [D], both or none; cache: [pages, G, 2, P, D] with P a multiple of 8;
    partial: [T, H, S, D + 2] f32, S = `parts`. cache is in place. `at`: the sequence,
    the key/value head and the part with which a task begins, 0 for the whole operator.
    `stream`: what earlier steps left of the part (`task.stream_part`).
  }];
  let extraClassDeclaration = [{
    mlir::MutableOperandRange getDpsInitsMutable() {
      return mlir::MutableOperandRange(getOperation(), getNumOperands() - 2, 2);
    }
    /// Whether `part` are the operands of a hint at the part that this attends to.
    bool attendsTo(mlir::OperandRange part);
    std::optional<unsigned> getOriginDim(unsigned operandNumber) {
      if (operandNumber < 6 || operandNumber > 8)
        return std::nullopt;
      return operandNumber - 6;
    }
  }];
  let assemblyFormat = [{
    `ins` `(` $qkv `,` $cos `,` $sin `,` $seq `,` $pos `,` $block_table `:` type($qkv) `,`
    type($cos) `,` type($sin) `,` type($seq) `,` type($pos) `,` type($block_table) `)`
    `at` `(` $sequence `,` $head `,` $part `)` `of` $parts
    (`norms` `(` $q_norm^ `,` $k_norm `:` type($q_norm) `,` type($k_norm) `)` `eps` $eps)?
    (`stream` `(` $stream^ `:` qualified(type($stream)) `)`)?
    `outs` `(` $cache `,` $partial `:` type($cache) `,` type($partial) `)` `scale` $scale
    attr-dict (`->` type($results)^)?
  }];
}

def Task_MergeSplitsOp : Task_TileOp<"merge_splits", "Output",
    (ins Task_Shaped:$partial, Task_Shaped:$output)> {
  let summary = "The attention of all positions from that of their parts";
  let description = [{
    With o, m and l of part s of `task.split_attention` and M the maximum of m:
    output[t, h, d] = sum_s exp(m_s - M) o_s[d] / sum_s exp(m_s - M) l_s.
    partial: [T, H, S, D + 2] f32; output: [T, H, D].
  }];
  let assemblyFormat = [{
    `ins` `(` $partial `:` type($partial) `)`
    `outs` `(` $output `:` type($output) `)` attr-dict (`->` type($results)^)?
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
    (ins Task_Shaped:$input, Task_Shaped:$output, OptionalAttr<I64Attr>:$of)> {
  let summary = "output[r] = the lowest index of the largest input[r, :]";
  let description = [{
    input: [R, V]; output: [R] i64. `of` n: input is the `best` of `task.linear`, i32, of n
    outputs each.
  }];
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)` (`of` $of^)?
    `outs` `(` $output `:` type($output) `)` attr-dict (`->` type($results)^)?
  }];
}

#endif // ETC_DIALECTS_TASK_TASKTILEOPS_TD
