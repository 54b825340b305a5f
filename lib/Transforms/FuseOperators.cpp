//===- FuseOperators.cpp - What a projection has before and behind it
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On tensors, before anything is cut. Weights that are read together become one
// argument, a stack of them: one stream instead of two or three.
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"

namespace etc {
#define GEN_PASS_DEF_FUSEOPERATORSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
using namespace etc::task;

/// Rows of the gate, then rows of what it gates: a row tile holds both.
static constexpr int64_t kGatedRows = 8;
/// Outputs of a row tile, of which one is the best.
static constexpr int64_t kBestOf = 16;

namespace {
class Fuser {
public:
  Fuser(func::FuncOp step, int64_t workers) : step(step), workers(workers) {}
  void run();

private:
  void sinkNorm(GatherRowsOp gather);
  void foldNorm(LinearOp linear);
  void foldGate(linalg::GenericOp product);
  void foldAttention(AttentionOp attention);
  void foldResidual(linalg::GenericOp sum);
  void foldArgmax(ArgmaxOp argmax);
  /// The stack of these weights as a new argument; null if one is no weight of
  /// the step, or is read elsewhere.
  Value stack(ArrayRef<LinearOp> linears, int64_t rows);
  Value empty(OpBuilder &b, Location loc, Value like, ArrayRef<int64_t> inner,
              Type element);
  void eraseUnusedWeights();

  func::FuncOp step;
  int64_t workers;
};
} // namespace

//===----------------------------------------------------------------------===//
// What is matched
//===----------------------------------------------------------------------===//

/// The value before it was rounded to or extended from an element type.
static Value unrounded(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::TruncFOp, arith::ExtFOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// Whether the operator takes `inputs` tensors of the shape of its result,
/// element by element.
static bool isElementwise(linalg::GenericOp op, unsigned inputs) {
  return op && op.getNumDpsInputs() == inputs && op.getNumDpsInits() == 1 &&
         op.getNumResults() == 1 && op.getNumReductionLoops() == 0 &&
         llvm::all_of(op.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isIdentity(); });
}

static Value getYielded(linalg::GenericOp op) {
  return unrounded(op.getBody()->getTerminator()->getOperand(0));
}

/// Whether the operator combines its two inputs by `OpTy`.
template <typename OpTy> static bool combines(linalg::GenericOp op) {
  if (!isElementwise(op, 2))
    return false;
  auto combiner = getYielded(op).getDefiningOp<OpTy>();
  Block *body = op.getBody();
  if (!combiner)
    return false;
  Value x = unrounded(combiner.getLhs()), y = unrounded(combiner.getRhs());
  return (x == body->getArgument(0) && y == body->getArgument(1)) ||
         (x == body->getArgument(1) && y == body->getArgument(0));
}

/// x / (1 + exp(-x)).
static bool isSilu(linalg::GenericOp op) {
  if (!isElementwise(op, 1))
    return false;
  Value x = op.getBody()->getArgument(0);
  auto quotient = getYielded(op).getDefiningOp<arith::DivFOp>();
  if (!quotient || unrounded(quotient.getLhs()) != x)
    return false;
  auto sum = unrounded(quotient.getRhs()).getDefiningOp<arith::AddFOp>();
  if (!sum)
    return false;
  for (auto [one, other] : {std::pair(sum.getLhs(), sum.getRhs()),
                            std::pair(sum.getRhs(), sum.getLhs())}) {
    FloatAttr constant;
    auto exp = unrounded(other).getDefiningOp<math::ExpOp>();
    if (!exp || !matchPattern(one, m_Constant(&constant)) ||
        constant.getValueAsDouble() != 1.0)
      continue;
    auto negated = unrounded(exp.getOperand()).getDefiningOp<arith::NegFOp>();
    if (negated && unrounded(negated.getOperand()) == x)
      return true;
  }
  return false;
}

/// A projection that nothing has been folded into but a norm.
static LinearOp getPlainLinear(Value value) {
  auto linear = value.getDefiningOp<LinearOp>();
  if (!linear || !value.hasOneUse() || linear.getBias() ||
      linear.getResidual() || linear.getGated())
    return {};
  return linear;
}

static bool haveSameInput(ArrayRef<LinearOp> linears) {
  return llvm::all_of(linears, [&](LinearOp linear) {
    LinearOp first = linears.front();
    return linear.getInput() == first.getInput() &&
           linear.getNorm() == first.getNorm() &&
           linear.getEpsAttr() == first.getEpsAttr();
  });
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// A destination whose first extent is that of `like`.
Value Fuser::empty(OpBuilder &b, Location loc, Value like,
                   ArrayRef<int64_t> inner, Type element) {
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(b, loc, like, 0)};
  for (int64_t extent : inner)
    sizes.push_back(b.getIndexAttr(extent));
  return tensor::EmptyOp::create(b, loc, sizes, element);
}

Value Fuser::stack(ArrayRef<LinearOp> linears, int64_t rows) {
  Builder builder(step.getContext());
  SmallVector<Attribute> sources;
  std::string name;
  int64_t total = 0;
  Location loc = step.getLoc();
  for (LinearOp linear : linears) {
    auto argument = dyn_cast<BlockArgument>(linear.getWeight());
    if (!argument || !argument.hasOneUse())
      return {};
    unsigned number = argument.getArgNumber();
    auto role = step.getArgAttrOfType<StringAttr>(number, "task.role");
    auto source = step.getArgAttrOfType<StringAttr>(number, "task.name");
    auto type = cast<RankedTensorType>(argument.getType());
    if (!role || role.getValue() != "weight" || !type.hasStaticShape() ||
        step.getArgAttr(number, "task.stack"))
      return {};
    sources.push_back(source);
    name += (name.empty() ? "" : "+") + source.str();
    total += type.getDimSize(0);
    loc = argument.getLoc();
  }
  LinearOp first = linears.front();
  auto type = cast<RankedTensorType>(first.getWeight().getType());
  type = RankedTensorType::get({total, type.getDimSize(1)},
                               type.getElementType());
  auto symbols = step->getAttrOfType<ArrayAttr>("task.symbols");
  SmallVector<AffineExpr> shape;
  for (int64_t extent : type.getShape())
    shape.push_back(getAffineConstantExpr(extent, step.getContext()));
  auto attrs = builder.getDictionaryAttr(
      {builder.getNamedAttr("task.name", builder.getStringAttr(name)),
       builder.getNamedAttr("task.role", builder.getStringAttr("weight")),
       builder.getNamedAttr("task.shape",
                            AffineMapAttr::get(AffineMap::get(
                                0, symbols ? symbols.size() : 0, shape,
                                step.getContext()))),
       builder.getNamedAttr(
           "task.stack",
           StackAttr::get(step.getContext(), builder.getArrayAttr(sources),
                          rows))});
  unsigned number = step.getNumArguments();
  (void)step.insertArgument(number, type, attrs, loc);
  return step.getArgument(number);
}

void Fuser::eraseUnusedWeights() {
  llvm::BitVector unused(step.getNumArguments());
  for (BlockArgument argument : step.getArguments()) {
    auto role = step.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                  "task.role");
    if (argument.use_empty() && role && role.getValue() == "weight")
      unused.set(argument.getArgNumber());
  }
  (void)step.eraseArguments(unused);
}

//===----------------------------------------------------------------------===//
// Rewrites
//===----------------------------------------------------------------------===//

/// Rows of a norm are the norm of rows: only those that are wanted.
void Fuser::sinkNorm(GatherRowsOp gather) {
  auto norm = gather.getInput().getDefiningOp<RMSNormOp>();
  if (!norm || !norm->hasOneUse())
    return;
  OpBuilder b(gather);
  Location loc = gather.getLoc();
  Value rows = GatherRowsOp::create(b, loc, gather->getResultTypes(),
                                    norm.getInput(), gather.getRows(),
                                    gather.getOutput())
                   ->getResult(0);
  auto normed = RMSNormOp::create(b, loc, gather->getResultTypes(), rows,
                                  norm.getWeight(), gather.getOutput(),
                                  norm.getEpsAttr());
  gather->replaceAllUsesWith(normed->getResults());
  gather.erase();
  norm.erase();
}

void Fuser::foldNorm(LinearOp linear) {
  auto norm = linear.getInput().getDefiningOp<RMSNormOp>();
  if (!norm || linear.getNorm() || linear.getBias())
    return;
  if (cast<ShapedType>(norm.getInput().getType()).getRank() != 2)
    return;
  linear.getInputMutable().assign(norm.getInput());
  linear.getNormMutable().assign(norm.getWeight());
  linear.setEpsAttr(norm.getEpsAttr());
  if (norm->use_empty())
    norm.erase();
}

/// silu(x Wg) * (x Wu).
void Fuser::foldGate(linalg::GenericOp product) {
  if (!combines<arith::MulFOp>(product))
    return;
  for (unsigned side : {0, 1}) {
    auto silu = product.getInputs()[side].getDefiningOp<linalg::GenericOp>();
    LinearOp up = getPlainLinear(product.getInputs()[1 - side]);
    if (!silu || !silu->hasOneUse() || !isSilu(silu) || !up)
      continue;
    LinearOp gate = getPlainLinear(silu.getInputs()[0]);
    if (!gate || !haveSameInput({gate, up}) ||
        cast<ShapedType>(up.getOutput().getType()).getDimSize(1) % kGatedRows)
      continue;
    Value weight = stack({gate, up}, kGatedRows);
    if (!weight)
      continue;
    OpBuilder b(product);
    auto fused = LinearOp::create(
        b, product.getLoc(), product->getResultTypes(), gate.getInput(), weight,
        Value(), gate.getNorm(), Value(), Value(), product.getOutputs()[0],
        Value(), gate.getEpsAttr(), /*gated=*/true);
    product->replaceAllUsesWith(fused->getResults());
    for (Operation *op : SmallVector<Operation *>{product, silu, gate, up})
      op->erase();
    return;
  }
}

namespace {
/// The way of one of the three projections of an attention to where it is used.
struct Head {
  LinearOp linear;
  RMSNormOp norm;
  RopeOp rope;
};
} // namespace

static std::optional<Head> getHead(Value value, bool isRotated) {
  Head head;
  if (isRotated) {
    head.rope = value.getDefiningOp<RopeOp>();
    if (!head.rope || !head.rope->hasOneUse())
      return std::nullopt;
    value = head.rope.getInput();
  }
  if ((head.norm = value.getDefiningOp<RMSNormOp>())) {
    if (!isRotated || !head.norm->hasOneUse())
      return std::nullopt;
    value = head.norm.getInput();
  }
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  if (!expand)
    return std::nullopt;
  // Its extents may be asked for; nothing else may.
  for (Operation *user : expand->getUsers())
    if (!isa<tensor::DimOp, RopeOp, RMSNormOp, KVAppendOp>(user))
      return std::nullopt;
  head.linear = expand.getSrc().getDefiningOp<LinearOp>();
  if (!head.linear || head.linear.getBias() || head.linear.getResidual() ||
      head.linear.getGated())
    return std::nullopt;
  return head;
}

/// Asks the input, which has as many rows, for the first extent of the views of
/// a linear.
static void replaceDims(LinearOp linear) {
  for (Operation *view : linear->getUsers())
    for (Operation *user : llvm::make_early_inc_range(view->getUsers())) {
      auto dim = dyn_cast<tensor::DimOp>(user);
      if (!dim || dim.getConstantIndex() != 0)
        continue;
      OpBuilder b(dim);
      Value rows = tensor::DimOp::create(b, dim.getLoc(), linear.getInput(), 0);
      dim.replaceAllUsesWith(rows);
      dim.erase();
    }
}

/// One projection to queries, keys and values, and one operator that norms,
/// rotates, appends and attends.
void Fuser::foldAttention(AttentionOp attention) {
  auto append = attention.getCache().getDefiningOp<KVAppendOp>();
  if (!append)
    return;
  std::optional<Head> q = getHead(attention.getQuery(), true);
  std::optional<Head> k = getHead(append.getKey(), true);
  std::optional<Head> v = getHead(append.getValue(), false);
  if (!q || !k || !v || bool(q->norm) != bool(k->norm) ||
      q->rope.getCos() != k->rope.getCos() ||
      q->rope.getSin() != k->rope.getSin() ||
      (q->norm && q->norm.getEpsAttr() != k->norm.getEpsAttr()) ||
      !haveSameInput({q->linear, k->linear, v->linear}))
    return;
  auto output = cast<RankedTensorType>(attention.getOutput().getType());
  auto cache = cast<RankedTensorType>(attention.getCache().getType());
  int64_t heads = output.getDimSize(1), width = output.getDimSize(2);
  int64_t sequences =
      cast<ShapedType>(attention.getBlockTable().getType()).getDimSize(0);
  if (cache.getDimSize(3) % 8 || (width != 32 && width % 64))
    return;
  Value weight = stack({q->linear, k->linear, v->linear}, 0);
  if (!weight)
    return;
  OpBuilder b(attention);
  Location loc = attention.getLoc();
  Type element = output.getElementType();
  int64_t columns = cast<ShapedType>(weight.getType()).getDimSize(0);
  int64_t parts = std::clamp<int64_t>(
      workers / (sequences * cache.getDimSize(1)), 1, 16);
  LinearOp first = q->linear;
  Value qkv = empty(b, loc, first.getInput(), {columns}, element);
  qkv = LinearOp::create(b, first.getLoc(), qkv.getType(), first.getInput(),
                         weight, Value(), first.getNorm(), Value(), Value(),
                         qkv, Value(), first.getEpsAttr(), false)
            ->getResult(0);
  Value partial = empty(b, loc, first.getInput(), {heads, parts, width + 2},
                        b.getF32Type());
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  auto split = SplitAttentionOp::create(
      b, loc, TypeRange{cache, partial.getType()}, qkv, q->rope.getCos(),
      q->rope.getSin(), append.getSeq(), append.getPos(),
      append.getBlockTable(), zero, zero, zero,
      q->norm ? q->norm.getWeight() : Value(),
      k->norm ? k->norm.getWeight() : Value(), /*stream=*/Value(),
      append.getCache(), partial,
      attention.getScaleAttr(), b.getI64IntegerAttr(parts),
      q->norm ? q->norm.getEpsAttr() : FloatAttr());
  auto merged =
      MergeSplitsOp::create(b, loc, output, split->getResult(1),
                            empty(b, loc, first.getInput(), {heads, width},
                                  element));
  // Extents of what goes are asked of what stays.
  for (Head *head : {&*q, &*k, &*v})
    replaceDims(head->linear);
  attention->replaceAllUsesWith(merged->getResults());
  append->getResult(0).replaceAllUsesWith(split->getResult(0));
  attention.erase();
  append.erase();
}

/// r + x W.
void Fuser::foldResidual(linalg::GenericOp sum) {
  if (!combines<arith::AddFOp>(sum))
    return;
  for (unsigned side : {1, 0}) {
    LinearOp linear = getPlainLinear(sum.getInputs()[side]);
    if (!linear)
      continue;
    OpBuilder b(sum);
    auto fused = LinearOp::create(
        b, linear.getLoc(), sum->getResultTypes(), linear.getInput(),
        linear.getWeight(), Value(), linear.getNorm(),
        sum.getInputs()[1 - side], Value(), sum.getOutputs()[0], Value(),
        linear.getEpsAttr(), false);
    sum->replaceAllUsesWith(fused->getResults());
    sum.erase();
    linear.erase();
    return;
  }
}

/// The best of each row tile is found where the tile is made; what is left is to
/// find the best of these.
void Fuser::foldArgmax(ArgmaxOp argmax) {
  auto linear = argmax.getInput().getDefiningOp<LinearOp>();
  auto type = cast<RankedTensorType>(argmax.getInput().getType());
  if (!linear || argmax.getOf() || linear.getGated() || linear.getBest() ||
      type.getElementTypeBitWidth() != 16 || type.isDynamicDim(1) ||
      type.getDimSize(1) % kBestOf)
    return;
  OpBuilder b(linear);
  Location loc = linear.getLoc();
  SmallVector<OpFoldResult> sizes = {
      tensor::getMixedSize(b, loc, linear.getOutput(), 0),
      b.getIndexAttr(type.getDimSize(1) / kBestOf)};
  Value best = tensor::EmptyOp::create(b, loc, sizes, b.getI32Type());
  auto fused =
      LinearOp::create(b, loc, TypeRange{type, best.getType()},
                       linear.getInput(), linear.getWeight(), linear.getBias(),
                       linear.getNorm(), linear.getResidual(), Value(),
                       linear.getOutput(), best, linear.getEpsAttr(), false);
  linear->getResult(0).replaceAllUsesWith(fused->getResult(0));
  linear.erase();
  argmax.getInputMutable().assign(fused->getResult(1));
  argmax.setOf(kBestOf);
}

void Fuser::run() {
  // Of an operator's users and what makes its operands, some are erased.
  auto all = [&](auto type, auto rewrite) {
    using OpTy = decltype(type);
    for (OpTy op : llvm::to_vector(step.getBody().front().getOps<OpTy>()))
      rewrite(op);
  };
  all(GatherRowsOp(), [&](GatherRowsOp op) { sinkNorm(op); });
  all(LinearOp(), [&](LinearOp op) { foldNorm(op); });
  // A product erases a silu, which stands before it and is none itself.
  SmallVector<linalg::GenericOp> products;
  for (auto op : step.getBody().front().getOps<linalg::GenericOp>())
    if (combines<arith::MulFOp>(op))
      products.push_back(op);
  for (linalg::GenericOp op : products)
    foldGate(op);
  all(AttentionOp(), [&](AttentionOp op) { foldAttention(op); });
  all(linalg::GenericOp(), [&](linalg::GenericOp op) { foldResidual(op); });
  all(ArgmaxOp(), [&](ArgmaxOp op) { foldArgmax(op); });
  // What the old attention was made of, from its end.
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(step.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  eraseUnusedWeights();
}

namespace {
struct FuseOperators : etc::impl::FuseOperatorsPassBase<FuseOperators> {
  using FuseOperatorsPassBase::FuseOperatorsPassBase;

  void runOnOperation() override {
    if (workers < 1) {
      getOperation().emitError("fuse-operators: workers is positive");
      return signalPassFailure();
    }
    for (auto step : getOperation().getOps<func::FuncOp>())
      if (step->hasAttr("task.symbols") && step.getBody().hasOneBlock())
        Fuser(step, workers).run();
  }
};
} // namespace
