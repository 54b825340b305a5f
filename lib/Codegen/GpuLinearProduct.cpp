//===- GpuLinearProduct.cpp - The products of a streamed linear
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A warp waits for its chunk of the weight, multiplies it with the tokens, and
// gives the stage back.
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuLinear.h"
#include "lib/Codegen/GpuWords.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace etc;
using namespace etc::codegen;

void StreamedLinear::multiply(Value data, Value block,
                              ArrayRef<Value> activations, int64_t turn,
                              MutableArrayRef<Value> state) {
  Type i32 = b.getI32Type();
  Value offset =
      b.add(b.mul(block, b.i32(Ring::kBlockBytes)), b.mul(lane, b.i32(16)));
  Value fragment = b.load(VectorType::get(4, i32), b.advance(data, offset), 16);
  Values a;
  for (int64_t i = 0; i < 4; ++i)
    a.push_back(b.make<LLVM::ExtractElementOp>(fragment, b.i32(i)));
  for (int64_t group = 0; group < groups; ++group) {
    auto sums = state.slice(4 * (group * turns + turn), 4);
    Values next = b.mma(a, activations.slice(2 * group, 2), sums);
    llvm::copy(next, sums.begin());
  }
}

SmallVector<Ring::Stage> StreamedLinear::stagesOf(Value count) {
  SmallVector<Ring::Stage> stages;
  for (int64_t tile = 0; tile < steps.together; ++tile)
    stages.push_back(ring.getStage(b, warp, b.add(count, b.i32(tile))));
  return stages;
}

SmallVector<Value> StreamedLinear::chunk(Value first, int64_t blocks,
                                         ValueRange state) {
  Values next(state);
  SmallVector<Ring::Stage> stages = stagesOf(next.back());
  MutableArrayRef<Value> squares =
      MutableArrayRef(next).slice(squaresBegin(), groups);
  // All loads of activations are under way before the first is looked at; in
  // parts where registers would not do for all.
  int64_t most = source == Source::shared ? blocks : getBlocksAtOnce(blocks);
  for (int64_t begin = 0; begin < blocks; begin += most) {
    int64_t count = std::min(most, blocks - begin);
    Values activations =
        loadActivations(b.add(first, b.i32(begin)), count, squares);
    for (auto [tile, stage] : llvm::enumerate(stages)) {
      if (begin == 0)
        Ring::waitFull(b, stage);
      else if (tile == 0)
        b.warpBarrier(); // Lanes may have waited for different words.
      auto sums =
          MutableArrayRef(next).slice(tile * sumsOfTile(), sumsOfTile());
      for (int64_t i = 0; i < count; ++i)
        multiply(stage.data, b.i32(begin + i),
                 ArrayRef(activations).slice(2 * groups * i, 2 * groups),
                 i % turns, sums);
      if (begin + count == blocks)
        Ring::leave(b, stage);
    }
  }
  next.back() = b.add(next.back(), b.i32(steps.together));
  return next;
}

SmallVector<Value> StreamedLinear::shortChunk(Value first, Value blocks,
                                              ValueRange state) {
  SmallVector<Ring::Stage> stages = stagesOf(state.back());
  for (const Ring::Stage &stage : stages)
    Ring::waitFull(b, stage);
  Values next =
      b.loop(b.index(0), b.toIndex(blocks), b.index(1), state,
             [&](Value i, ValueRange carried) -> Values {
               Values sums(carried);
               Value block = b.toI32(i);
               Values activations = loadActivations(
                   b.add(first, block), 1,
                   MutableArrayRef(sums).slice(squaresBegin(), groups));
               if (source != Source::shared)
                 b.warpBarrier(); // Lanes may have waited for different words.
               for (auto [tile, stage] : llvm::enumerate(stages))
                 multiply(stage.data, block, activations, 0,
                          MutableArrayRef(sums).slice(tile * sumsOfTile(),
                                                      sumsOfTile()));
               return sums;
             });
  for (const Ring::Stage &stage : stages)
    Ring::leave(b, stage);
  next.back() = b.add(next.back(), b.i32(steps.together));
  return next;
}
