//===- TorchOperators.cpp - The operators of an imported step
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function per operator of docs/import.md. It reads every operand through
// `Call`, which emits an error for one that is not what the operator takes, and
// then makes one operation. Extents and element types that must agree are
// checked by the verifier of that operation.
//
//===----------------------------------------------------------------------===//

#include "lib/Conversion/TorchToTask/TorchOperators.h"
#include "dialects/task/TaskOps.h"
#include "dialects/torch/TorchDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace etc;

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

bool etc::isTorchOp(Operation *op) {
  return op->getName().getDialectNamespace() == "torch";
}

StringRef etc::getTorchName(Operation *op) {
  StringRef name = op->getName().getStringRef();
  if (name == "torch.operator")
    if (auto attr = op->getAttrOfType<StringAttr>("name"))
      name = attr.getValue();
  name.consume_front("torch.");
  return name;
}

bool etc::isTorchPlumbing(Operation *op) {
  StringRef name = getTorchName(op);
  return name.starts_with("constant.") || name == "prim.ListConstruct" ||
         name == "aten.size.int";
}

//===----------------------------------------------------------------------===//
// Call: one use of an operator
//===----------------------------------------------------------------------===//

namespace {
class Call;

struct Operator {
  StringRef name;
  SmallVector<StringRef> operands;
  unsigned numResults;
  LogicalResult (*convert)(Call &call);
};

class Call {
public:
  Call(const Operator &target, Operation *op, ArrayRef<Value> operands,
       ConversionPatternRewriter &rewriter, const TypeConverter &types)
      : rewriter(rewriter), target(target), op(op), operands(operands),
        types(types) {}

  LogicalResult verifyArity();

  // Operands. An error is emitted, and remembered, for what is not there.
  Value tensor(unsigned i);
  Value optionalTensor(unsigned i);
  int64_t integer(unsigned i);
  double number(unsigned i);
  bool flag(unsigned i);
  /// Static sizes, and kDynamic for the number of tokens.
  SmallVector<int64_t> sizes(unsigned i);

  RankedTensorType resultType(unsigned i = 0);
  /// The destination of result `i`; its first extent is that of `rowsOf`.
  Value empty(Value rowsOf, unsigned i = 0);

  InFlightDiagnostic error() {
    failed = true;
    return op->emitError() << "'" << target.name << "' ";
  }
  InFlightDiagnostic error(unsigned i) {
    return error() << "operand '" << target.operands[i] << "' ";
  }
  bool hasFailed() const { return failed; }
  Location loc() const { return op->getLoc(); }
  LogicalResult replace(ValueRange values) {
    rewriter.replaceOp(op, values);
    return success();
  }

  ConversionPatternRewriter &rewriter;

private:
  /// The constant that operand `i` is, as `AttrT`.
  template <typename AttrT>
  AttrT constant(unsigned i, StringRef opName, StringRef kind);

  const Operator &target;
  Operation *op;
  ArrayRef<Value> operands;
  const TypeConverter &types;
  bool failed = false;
};
} // namespace

LogicalResult Call::verifyArity() {
  if (operands.size() != target.operands.size())
    return error() << "takes " << target.operands.size() << " operands ("
                   << llvm::join(target.operands, ", ") << "), got "
                   << operands.size();
  if (op->getNumResults() != target.numResults)
    return error() << "has " << target.numResults << " results, got "
                   << op->getNumResults();
  for (Type type : op->getResultTypes())
    if (!isa<torch::VTensorType>(type))
      return error() << "gives tensors, got " << type;
  return success();
}

Value Call::tensor(unsigned i) {
  if (!isa<RankedTensorType>(operands[i].getType()))
    error(i) << "is a tensor, got " << operands[i].getType();
  return operands[i];
}

Value Call::optionalTensor(unsigned i) {
  return isa<torch::NoneType>(operands[i].getType()) ? Value() : tensor(i);
}

static bool isNamed(Operation *op, StringRef name) {
  return op && op->getName().getStringRef() == name;
}

template <typename AttrT>
AttrT Call::constant(unsigned i, StringRef opName, StringRef kind) {
  Operation *def = op->getOperand(i).getDefiningOp();
  auto value =
      isNamed(def, opName) ? def->getAttrOfType<AttrT>("value") : AttrT();
  if (!value)
    error(i) << "is not a constant " << kind;
  return value;
}

int64_t Call::integer(unsigned i) {
  auto value = constant<IntegerAttr>(i, "torch.constant.int", "int");
  return value ? value.getInt() : 0;
}

double Call::number(unsigned i) {
  auto value = constant<FloatAttr>(i, "torch.constant.float", "float");
  return value ? value.getValueAsDouble() : 0;
}

bool Call::flag(unsigned i) {
  auto value = constant<BoolAttr>(i, "torch.constant.bool", "bool");
  return value && value.getValue();
}

/// Is `value` the first extent of a tensor of one dimension?
static bool isTokenCount(Value value) {
  Operation *def = value.getDefiningOp();
  if (!isNamed(def, "torch.aten.size.int") || def->getNumOperands() != 2)
    return false;
  auto tensor = dyn_cast<torch::VTensorType>(def->getOperand(0).getType());
  Operation *dim = def->getOperand(1).getDefiningOp();
  auto zero = isNamed(dim, "torch.constant.int")
                  ? dim->getAttrOfType<IntegerAttr>("value")
                  : IntegerAttr();
  return tensor && tensor.getShape().size() == 1 && zero && zero.getInt() == 0;
}

SmallVector<int64_t> Call::sizes(unsigned i) {
  Operation *list = op->getOperand(i).getDefiningOp();
  SmallVector<int64_t> found;
  if (!isNamed(list, "torch.prim.ListConstruct")) {
    error(i) << "is not a torch.prim.ListConstruct";
    return found;
  }
  for (Value element : list->getOperands()) {
    Operation *def = element.getDefiningOp();
    auto constant = isNamed(def, "torch.constant.int")
                        ? def->getAttrOfType<IntegerAttr>("value")
                        : IntegerAttr();
    if (constant && constant.getInt() >= 0)
      found.push_back(constant.getInt());
    else if (isTokenCount(element))
      found.push_back(ShapedType::kDynamic);
    else
      error(i) << "holds neither a size nor aten.size.int of dimension 0 of a "
                  "vector, at position "
               << found.size();
    if (failed)
      break;
  }
  return found;
}

RankedTensorType Call::resultType(unsigned i) {
  return cast<RankedTensorType>(types.convertType(op->getResult(i).getType()));
}

Value Call::empty(Value rowsOf, unsigned i) {
  RankedTensorType type = resultType(i);
  auto source = cast<RankedTensorType>(rowsOf.getType());
  if (type.getRank() == 0 || source.getRank() == 0 ||
      type.getDimSize(0) != source.getDimSize(0) ||
      ShapedType::isDynamicShape(type.getShape().drop_front())) {
    error() << "cannot give " << op->getResult(i).getType()
            << ": its first extent is that of " << source
            << " and the others are numbers";
    return {};
  }
  SmallVector<OpFoldResult> extents =
      getAsIndexOpFoldResult(type.getContext(), type.getShape());
  extents[0] = tensor::getMixedSize(rewriter, loc(), rowsOf, 0);
  return tensor::EmptyOp::create(rewriter, loc(), extents,
                                 type.getElementType());
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

using Compute = function_ref<Value(OpBuilder &, Location, ValueRange)>;

/// All of one type. Computes in f32 (an f64 stays one) and rounds once.
static LogicalResult convertElementwise(Call &call, ValueRange inputs,
                                        Compute compute) {
  if (call.hasFailed())
    return failure();
  RankedTensorType type = call.resultType();
  for (Value input : inputs)
    if (input.getType() != type)
      return call.error() << "works on tensors of one type, got "
                          << input.getType() << " and " << type;
  Type element = type.getElementType();
  if (!isa<FloatType>(element) || type.getRank() == 0)
    return call.error() << "works on floating-point tensors with dimensions, "
                           "got "
                        << type;
  Value out = call.empty(inputs.front());
  if (call.hasFailed())
    return failure();
  bool isNarrow = element.getIntOrFloatBitWidth() < 32;
  SmallVector<AffineMap> maps(
      inputs.size() + 1, call.rewriter.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      call.rewriter, call.loc(), type, inputs, out, maps, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange values) {
        SmallVector<Value> wide(values.drop_back());
        if (isNarrow)
          for (Value &value : wide)
            value = arith::ExtFOp::create(builder, loc, builder.getF32Type(),
                                          value);
        Value result = compute(builder, loc, wide);
        if (isNarrow)
          result = arith::TruncFOp::create(builder, loc, element, result);
        linalg::YieldOp::create(builder, loc, result);
      });
  return call.replace(generic.getResults());
}

static LogicalResult convertAdd(Call &call) {
  Value a = call.tensor(0), b = call.tensor(1);
  int64_t alpha = call.integer(2);
  if (!call.hasFailed() && alpha != 1)
    return call.error(2) << "is 1, got " << alpha;
  return convertElementwise(
      call, {a, b}, [](OpBuilder &builder, Location loc, ValueRange values) {
        return arith::AddFOp::create(builder, loc, values[0], values[1])
            .getResult();
      });
}

static LogicalResult convertMul(Call &call) {
  return convertElementwise(
      call, {call.tensor(0), call.tensor(1)},
      [](OpBuilder &builder, Location loc, ValueRange values) {
        return arith::MulFOp::create(builder, loc, values[0], values[1])
            .getResult();
      });
}

/// x / (1 + exp(-x)), which is what the framework computes.
static LogicalResult convertSilu(Call &call) {
  return convertElementwise(
      call, call.tensor(0),
      [](OpBuilder &builder, Location loc, ValueRange values) -> Value {
        Value x = values[0];
        Value one = arith::ConstantOp::create(
            builder, loc, builder.getFloatAttr(x.getType(), 1.0));
        Value negated = arith::NegFOp::create(builder, loc, x);
        Value power = math::ExpOp::create(builder, loc, negated);
        Value below = arith::AddFOp::create(builder, loc, one, power);
        return arith::DivFOp::create(builder, loc, x, below);
      });
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// Which dimensions of `many` make each dimension of `few`; empty if the one is
/// not the other with dimensions split.
static SmallVector<ReassociationIndices> groupDims(ArrayRef<int64_t> few,
                                                   ArrayRef<int64_t> many) {
  SmallVector<ReassociationIndices> groups;
  size_t next = 0;
  for (int64_t size : few) {
    if (next == many.size())
      return {};
    ReassociationIndices &group = groups.emplace_back();
    group.push_back(next);
    int64_t product = many[next++];
    if (ShapedType::isDynamic(size) != ShapedType::isDynamic(product))
      return {};
    while (!ShapedType::isDynamic(size) && product < size &&
           next < many.size()) {
      product *= many[next];
      group.push_back(next++);
    }
    if (product != size)
      return {};
  }
  for (; next < many.size() && many[next] == 1; ++next)
    groups.back().push_back(next);
  return next == many.size() ? groups : SmallVector<ReassociationIndices>();
}

static LogicalResult convertView(Call &call) {
  Value x = call.tensor(0);
  SmallVector<int64_t> sizes = call.sizes(1);
  if (call.hasFailed())
    return failure();
  auto source = cast<RankedTensorType>(x.getType());
  RankedTensorType target = call.resultType();
  // The batch dimension is in the list, and not in the type.
  ArrayRef<int64_t> wanted(sizes);
  if (wanted.size() == static_cast<size_t>(target.getRank()) + 1 &&
      wanted.front() == 1)
    wanted = wanted.drop_front();
  if (wanted != target.getShape())
    return call.error(1) << "is not the shape of the result, " << target;
  if (source == target)
    return call.replace(x);
  bool joins = source.getRank() > target.getRank();
  auto groups = joins ? groupDims(target.getShape(), source.getShape())
                      : groupDims(source.getShape(), target.getShape());
  if (groups.empty())
    return call.error() << "splits or joins dimensions, it cannot turn "
                        << source << " into " << target;
  if (joins)
    return call.replace(tensor::CollapseShapeOp::create(
                            call.rewriter, call.loc(), target, x, groups)
                            .getResult());
  SmallVector<OpFoldResult> extents =
      getAsIndexOpFoldResult(target.getContext(), target.getShape());
  // A symbolic extent is never split.
  for (auto [dim, group] : llvm::enumerate(groups))
    if (source.isDynamicDim(dim))
      extents[group.front()] =
          tensor::getMixedSize(call.rewriter, call.loc(), x, dim);
  return call.replace(tensor::ExpandShapeOp::create(call.rewriter, call.loc(),
                                                    target, x, groups, extents)
                          .getResult());
}

/// Adds or removes the batch dimension, which tensors do not have.
static LogicalResult convertBatch(Call &call) {
  Value x = call.tensor(0);
  int64_t dim = call.integer(1);
  if (call.hasFailed())
    return failure();
  if (dim != 0)
    return call.error(1) << "is 0, got " << dim;
  RankedTensorType target = call.resultType();
  auto source = cast<RankedTensorType>(x.getType());
  if (source == target)
    return call.replace(x);
  // With one token, [1, 1] does not say whether its first dimension is the
  // batch.
  SmallVector<int64_t> expected = {1};
  llvm::append_range(expected, source.getShape());
  if (target.getShape() != ArrayRef(expected) || source.getRank() != 1)
    return call.error() << "adds or removes the batch dimension, got " << source
                        << " to " << target;
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  return call.replace(tensor::ExpandShapeOp::create(call.rewriter, call.loc(),
                                                    target, x, groups)
                          .getResult());
}

//===----------------------------------------------------------------------===//
// Tile operators
//===----------------------------------------------------------------------===//

static LogicalResult convertEmbedding(Call &call) {
  Value table = call.tensor(0), ids = call.tensor(1);
  call.integer(2); // padding_idx: only training asks.
  for (unsigned i : {3, 4})
    if (call.flag(i))
      return call.error(i) << "is false";
  if (call.hasFailed())
    return failure();
  auto idsType = cast<RankedTensorType>(ids.getType());
  if (idsType.getRank() == 2 && idsType.getDimSize(0) == 1)
    ids = call.rewriter.createOrFold<tensor::CollapseShapeOp>(
        call.loc(), ids, ArrayRef<ReassociationIndices>{{0, 1}});
  Value out = call.empty(ids);
  if (call.hasFailed())
    return failure();
  return call.replace(task::EmbeddingOp::create(call.rewriter, call.loc(),
                                                out.getType(), ids, table, out)
                          .getResults());
}

static LogicalResult convertLinear(Call &call) {
  Value x = call.tensor(0), weight = call.tensor(1);
  Value bias = call.optionalTensor(2);
  Value out = call.hasFailed() ? Value() : call.empty(x);
  if (call.hasFailed())
    return failure();
  return call.replace(task::LinearOp::create(
                          call.rewriter, call.loc(), out.getType(), x, weight,
                          bias, /*norm=*/Value(), /*residual=*/Value(),
                          /*first=*/Value(), out,
                          /*best=*/Value(), /*eps=*/FloatAttr(),
                          /*gated=*/false)
                          .getResults());
}

static LogicalResult convertIndexSelect(Call &call) {
  Value x = call.tensor(0), rows = call.tensor(2);
  int64_t dim = call.integer(1);
  if (!call.hasFailed() && dim != 1)
    return call.error(1) << "is 1, the tokens, got " << dim;
  Value out = call.hasFailed() ? Value() : call.empty(rows);
  if (call.hasFailed())
    return failure();
  return call.replace(task::GatherRowsOp::create(call.rewriter, call.loc(),
                                                 out.getType(), x, rows, out)
                          .getResults());
}

static LogicalResult convertRMSNorm(Call &call) {
  Value x = call.tensor(0), weight = call.tensor(1);
  double eps = call.number(2);
  Value out = call.hasFailed() ? Value() : call.empty(x);
  if (call.hasFailed())
    return failure();
  return call.replace(
      task::RMSNormOp::create(call.rewriter, call.loc(), out.getType(), x,
                              weight, out, call.rewriter.getF64FloatAttr(eps))
          .getResults());
}

/// The element type that c10::ScalarType `code` names, or null.
static Type getScalarType(Builder &builder, int64_t code) {
  switch (code) {
  case 5:
    return builder.getF16Type();
  case 6:
    return builder.getF32Type();
  case 15:
    return builder.getBF16Type();
  default:
    return {};
  }
}

static LogicalResult convertRopeTable(Call &call) {
  Value frequencies = call.tensor(0), pos = call.tensor(1);
  double scaling = call.number(2);
  int64_t dtype = call.integer(3);
  if (call.hasFailed())
    return failure();
  for (unsigned i : {0, 1})
    if (call.resultType(i).getElementType() !=
        getScalarType(call.rewriter, dtype))
      return call.error(3) << "is the c10::ScalarType of the results (5 f16, "
                              "6 f32, 15 bf16), got "
                           << dtype << " for " << call.resultType(i);
  Value cos = call.empty(pos, 0), sin = call.empty(pos, 1);
  if (call.hasFailed())
    return failure();
  Type types[] = {cos.getType(), sin.getType()};
  return call.replace(task::RopeTableOp::create(
                          call.rewriter, call.loc(), types, frequencies, pos,
                          cos, sin, call.rewriter.getF64FloatAttr(scaling))
                          .getResults());
}

static LogicalResult convertRope(Call &call) {
  Value x = call.tensor(0), cos = call.tensor(1), sin = call.tensor(2);
  Value out = call.hasFailed() ? Value() : call.empty(x);
  if (call.hasFailed())
    return failure();
  return call.replace(task::RopeOp::create(call.rewriter, call.loc(),
                                           out.getType(), x, cos, sin, out)
                          .getResults());
}

/// In place: the destination is the cache before the step.
static LogicalResult convertKVAppend(Call &call) {
  Value cache = call.tensor(0), key = call.tensor(1), value = call.tensor(2);
  Value seq = call.tensor(3), pos = call.tensor(4), table = call.tensor(5);
  if (call.hasFailed())
    return failure();
  if (cache.getType() != call.resultType())
    return call.error() << "gives the type of its cache, got "
                        << call.resultType();
  return call.replace(task::KVAppendOp::create(call.rewriter, call.loc(),
                                               cache.getType(), key, value, seq,
                                               pos, table, cache)
                          .getResults());
}

static LogicalResult convertAttention(Call &call) {
  Value query = call.tensor(0), cache = call.tensor(1), seq = call.tensor(2);
  Value pos = call.tensor(3), table = call.tensor(4);
  double scale = call.number(5);
  Value out = call.hasFailed() ? Value() : call.empty(query);
  if (call.hasFailed())
    return failure();
  return call.replace(
      task::AttentionOp::create(call.rewriter, call.loc(), out.getType(), query,
                                cache, seq, pos, table, out,
                                call.rewriter.getF64FloatAttr(scale))
          .getResults());
}

static LogicalResult convertArgmax(Call &call) {
  Value logits = call.tensor(0);
  Value out = call.hasFailed() ? Value() : call.empty(logits);
  if (call.hasFailed())
    return failure();
  return call.replace(task::ArgmaxOp::create(call.rewriter, call.loc(),
                                             out.getType(), logits, out, IntegerAttr())
                          .getResults());
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static ArrayRef<Operator> getOperators() {
  static const Operator operators[] = {
      {"aten.add.Tensor", {"a", "b", "alpha"}, 1, convertAdd},
      {"aten.embedding",
       {"weight", "ids", "padding_idx", "scale_grad_by_freq", "sparse"},
       1,
       convertEmbedding},
      {"aten.index_select", {"x", "dim", "rows"}, 1, convertIndexSelect},
      {"aten.linear", {"x", "weight", "bias"}, 1, convertLinear},
      {"aten.mul.Tensor", {"a", "b"}, 1, convertMul},
      {"aten.silu", {"x"}, 1, convertSilu},
      {"aten.squeeze.dim", {"x", "dim"}, 1, convertBatch},
      {"aten.unsqueeze", {"x", "dim"}, 1, convertBatch},
      {"aten.view", {"x", "size"}, 1, convertView},
      {"etc.argmax", {"logits"}, 1, convertArgmax},
      {"etc.kv_append",
       {"cache", "k", "v", "seq", "pos", "block_table"},
       1,
       convertKVAppend},
      {"etc.paged_attention",
       {"q", "cache", "seq", "pos", "block_table", "scale"},
       1,
       convertAttention},
      {"etc.rms_norm", {"x", "weight", "eps"}, 1, convertRMSNorm},
      {"etc.rope", {"x", "cos", "sin"}, 1, convertRope},
      {"etc.rope_table",
       {"inv_freq", "pos", "scaling", "dtype"},
       2,
       convertRopeTable},
  };
  return operators;
}

bool etc::isTorchOperatorKnown(StringRef name) {
  return llvm::any_of(getOperators(), [&](const Operator &target) {
    return target.name == name;
  });
}

namespace {
struct OperatorPattern : ConversionPattern {
  OperatorPattern(const TypeConverter &types, StringRef root,
                  const Operator &target, MLIRContext *context)
      : ConversionPattern(types, root, /*benefit=*/1, context), target(target) {
  }

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (getTorchName(op) != target.name)
      return rewriter.notifyMatchFailure(op, "another operator");
    Call call(target, op, operands, rewriter, *getTypeConverter());
    return failed(call.verifyArity()) ? failure() : target.convert(call);
  }

  const Operator &target;
};
} // namespace

void etc::populateTorchToTaskPatterns(const TypeConverter &types,
                                      RewritePatternSet &patterns) {
  for (const Operator &target : getOperators()) {
    // Operators of other namespaces than aten stand in a torch.operator.
    bool isPlain = target.name.starts_with("aten.");
    std::string root =
        isPlain ? ("torch." + target.name).str() : "torch.operator";
    patterns.add<OperatorPattern>(types, root, target, patterns.getContext());
  }
}
