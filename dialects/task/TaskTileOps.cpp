//===- TaskTileOps.cpp - Operators on tensors and on tiles
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"

using namespace mlir;
using namespace etc::task;

//===----------------------------------------------------------------------===//
// Shared pieces
//===----------------------------------------------------------------------===//

/// The shape, on a tensor, a memref or the tile of a stream.
static ShapedType shapeOf(Value value) {
  if (auto stream = dyn_cast<StreamType>(value.getType()))
    return stream.getTile();
  return cast<ShapedType>(value.getType());
}

/// Two extents that could be equal.
static bool compatible(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

/// T12: one result per tensor destination, none on memrefs.
static LogicalResult verifyResults(DestinationStyleOpInterface op) {
  SmallVector<Type> expected;
  for (OpOperand &init : op.getDpsInitsMutable())
    if (isa<TensorType>(init.get().getType()))
      expected.push_back(init.get().getType());
  if (op->getResultTypes() != TypeRange(expected))
    return op->emitOpError("T12: expects one result per tensor destination, "
                           "of its type");
  return success();
}

namespace {
/// T13, written as `Shapes(op).match(x, {"T", "K"}).match(w, {"K"}).result()`:
/// equal letters are equal extents; a missing value is skipped.
class Shapes {
public:
  explicit Shapes(Operation *op) : op(op) {}
  Shapes &match(Value value, ArrayRef<StringRef> letters) {
    if (!value || failed(state))
      return *this;
    ShapedType type = shapeOf(value);
    if (type.getRank() != static_cast<int64_t>(letters.size())) {
      state = op->emitOpError("T13: expects rank ")
              << letters.size() << ", got " << value.getType();
      return *this;
    }
    for (auto [letter, extent] : llvm::zip(letters, type.getShape())) {
      auto [it, inserted] = extents.try_emplace(letter, extent);
      if (!inserted && !compatible(it->second, extent)) {
        state = op->emitOpError("T13: extent ")
                << letter << " is " << it->second << " and " << extent;
        return *this;
      }
      if (ShapedType::isDynamic(it->second))
        it->second = extent;
    }
    return *this;
  }
  Shapes &sameElement(ValueRange values) {
    for (Value value : values)
      if (succeeded(state) && shapeOf(value).getElementType() !=
                                  shapeOf(values.front()).getElementType())
        state = op->emitOpError("T13: element types differ: ")
                << values.front().getType() << " and " << value.getType();
    return *this;
  }
  /// Rows that residuals are added to may be wider than what they come from.
  Shapes &sameElementOrF32(Value narrow, Value value) {
    if (value && !shapeOf(value).getElementType().isF32())
      sameElement({narrow, value});
    return *this;
  }
  Shapes &integer(ValueRange values) {
    for (Value value : values)
      if (succeeded(state) && !shapeOf(value).getElementType().isInteger(64))
        state = op->emitOpError("T13: expects i64 elements, got ")
                << value.getType();
    return *this;
  }
  Shapes &holds(bool condition, StringRef what) {
    if (succeeded(state) && !condition)
      state = op->emitOpError("T13: ") << what;
    return *this;
  }
  int64_t operator[](StringRef letter) const { return extents.lookup(letter); }
  LogicalResult result() {
    return failed(state) ? failure()
                         : verifyResults(cast<DestinationStyleOpInterface>(op));
  }

private:
  Operation *op;
  llvm::StringMap<int64_t> extents;
  LogicalResult state = success();
};
} // namespace

/// Reads every memref operand that is no destination, writes the destinations.
/// A stream's chunks are consumed: that is a write to the stream.
static void
addEffects(DestinationStyleOpInterface op,
           SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
               &effects,
           bool readsInits = false) {
  for (OpOperand &operand : op->getOpOperands()) {
    bool isInit = op.isDpsInit(&operand);
    if (isa<StreamType>(operand.get().getType())) {
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
      continue;
    }
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (!isInit || readsInits)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (isInit)
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

#define TILE_OP_EFFECTS(OP)                                                    \
  void OP::getEffects(                                                         \
      SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>      \
          &effects) {                                                          \
    addEffects(cast<DestinationStyleOpInterface>(getOperation()), effects);    \
  }
TILE_OP_EFFECTS(EmbeddingOp)
TILE_OP_EFFECTS(RMSNormOp)
TILE_OP_EFFECTS(LinearOp)
TILE_OP_EFFECTS(RopeTableOp)
TILE_OP_EFFECTS(RopeOp)
TILE_OP_EFFECTS(KVAppendOp)
TILE_OP_EFFECTS(AttentionOp)
TILE_OP_EFFECTS(SplitAttentionOp)
TILE_OP_EFFECTS(MergeSplitsOp)
TILE_OP_EFFECTS(GatherRowsOp)
TILE_OP_EFFECTS(ArgmaxOp)
#undef TILE_OP_EFFECTS

static DimAccess whole() { return {}; }
static DimAccess along(int64_t dim, int64_t scale = 1) { return {dim, scale}; }

//===----------------------------------------------------------------------===//
// EmbeddingOp: domain (T)
//===----------------------------------------------------------------------===//

LogicalResult EmbeddingOp::verify() {
  return Shapes(*this)
      .match(getIds(), {"T"})
      .match(getTable(), {"V", "K"})
      .match(getOutput(), {"T", "K"})
      .integer(getIds())
      .sameElementOrF32(getTable(), getOutput())
      .result();
}
SmallVector<int64_t> EmbeddingOp::getTaskDomain() {
  return {shapeOf(getOutput()).getDimSize(0)};
}
SmallVector<DimAccess> EmbeddingOp::getOperandAccess(unsigned operandNumber) {
  switch (operandNumber) {
  case 0:
    return {along(0)};
  case 1:
    return {whole(), whole()};
  default:
    return {along(0), whole()};
  }
}

//===----------------------------------------------------------------------===//
// RMSNormOp: domain (all dimensions but the last)
//===----------------------------------------------------------------------===//

LogicalResult RMSNormOp::verify() {
  SmallVector<StringRef> letters = {"T", "H", "K"};
  if (shapeOf(getInput()).getRank() == 2)
    letters.erase(letters.begin() + 1);
  return Shapes(*this)
      .match(getInput(), letters)
      .match(getWeight(), {"K"})
      .match(getOutput(), letters)
      .sameElement({getInput(), getWeight(), getOutput()})
      .result();
}
SmallVector<int64_t> RMSNormOp::getTaskDomain() {
  return SmallVector<int64_t>(shapeOf(getOutput()).getShape().drop_back());
}
SmallVector<DimAccess> RMSNormOp::getOperandAccess(unsigned operandNumber) {
  if (operandNumber == 1)
    return {whole()};
  SmallVector<DimAccess> access;
  for (int64_t dim = 0; dim + 1 < shapeOf(getOutput()).getRank(); ++dim)
    access.push_back(along(dim));
  access.push_back(whole());
  return access;
}

//===----------------------------------------------------------------------===//
// LinearOp: domain (T, N)
//===----------------------------------------------------------------------===//

/// Outputs that share a word of `best`.
static constexpr int64_t kBestOutputs = 16;

LogicalResult LinearOp::verify() {
  SmallVector<Value> narrow = {getWeight()}, wide = {getOutput()};
  for (Value value : {getBias(), getNorm()})
    if (value)
      narrow.push_back(value);
  // What is not normed is multiplied as it is.
  (getNorm() ? wide : narrow).push_back(getInput());
  if (getResidual())
    wide.push_back(getResidual());
  if (getNorm() && !getEps())
    return emitOpError("T17: a norm has an eps");
  if (getGated() && (getBias() || getResidual() || getBest()))
    return emitOpError(
        "T17: a gated linear has neither bias nor residual nor best");
  if (getFirst() && isa<TensorType>(getOutput().getType()))
    return emitOpError("T17: only a tile keeps its input in shared memory");
  int64_t runBytes = getRunBytes();
  if (runBytes < 0 || (runBytes && !getFirst()))
    return emitOpError("T17: a run has a first task, and streams something");
  Shapes shapes(*this);
  shapes.match(getInput(), {"T", "K"})
      .match(getWeight(), {"rows", "K"})
      .match(getBias(), {"N"})
      .match(getNorm(), {"K"})
      .match(getResidual(), {"T", "N"})
      .match(getOutput(), {"T", "N"})
      .match(getBest(), {"T", "tiles"})
      .sameElement(narrow)
      .holds(!getBest() ||
                 (shapeOf(getBest()).getElementType().isInteger(32) &&
                  shapeOf(getOutput()).getElementTypeBitWidth() == 16),
             "the best of outputs of 16 bits are words of 32")
      .holds(!getBest() || ShapedType::isDynamic(shapes["N"]) ||
                 compatible(shapes["tiles"] * kBestOutputs, shapes["N"]),
             "each 16 outputs have a best");
  for (Value value : wide)
    shapes.sameElementOrF32(getWeight(), value);
  int64_t rows = getRowsPerOutput() * shapes["N"];
  return shapes
      .holds(ShapedType::isDynamic(shapes["N"]) ||
                 compatible(shapes["rows"], rows),
             "the weight has a row for each output, two if it is gated")
      .result();
}
SmallVector<int64_t> LinearOp::getTaskDomain() {
  return SmallVector<int64_t>(shapeOf(getOutput()).getShape());
}
SmallVector<DimAccess> LinearOp::getOperandAccess(unsigned operandNumber) {
  Value operand = getOperand(operandNumber);
  if (operandNumber == 0)
    return {along(0), whole()};
  if (operandNumber == 1)
    return {along(1, getRowsPerOutput()), whole()};
  if (getBest() && operandNumber == getNumOperands() - 1)
    return {along(0), {/*dim=*/1, /*scale=*/1, /*points=*/kBestOutputs}};
  if (operandNumber == getOutputMutable().getOperandNumber())
    return {along(0), along(1)};
  if (operand == getNorm() && operandNumber == getNormPosition())
    return {whole()};
  if (shapeOf(operand).getRank() == 1)
    return {along(1)};
  return {along(0), along(1)};
}

//===----------------------------------------------------------------------===//
// RopeTableOp: domain (T)
//===----------------------------------------------------------------------===//

LogicalResult RopeTableOp::verify() {
  Shapes shapes(*this);
  shapes.match(getInvFreq(), {"D/2"})
      .match(getPos(), {"T"})
      .match(getCos(), {"T", "D"})
      .match(getSin(), {"T", "D"})
      .integer(getPos())
      .sameElement({getCos(), getSin()})
      .holds(shapeOf(getInvFreq()).getElementType().isF32(),
             "inv_freq has f32 elements");
  return shapes
      .holds(shapes["D"] == 2 * shapes["D/2"],
             "the tables are twice as wide as inv_freq")
      .result();
}
SmallVector<int64_t> RopeTableOp::getTaskDomain() {
  return {shapeOf(getCos()).getDimSize(0)};
}
SmallVector<DimAccess> RopeTableOp::getOperandAccess(unsigned operandNumber) {
  switch (operandNumber) {
  case 0:
    return {whole()};
  case 1:
    return {along(0)};
  default:
    return {along(0), whole()};
  }
}

//===----------------------------------------------------------------------===//
// RopeOp: domain (T, H)
//===----------------------------------------------------------------------===//

LogicalResult RopeOp::verify() {
  Shapes shapes(*this);
  shapes.match(getInput(), {"T", "H", "D"})
      .match(getCos(), {"T", "D"})
      .match(getSin(), {"T", "D"})
      .match(getOutput(), {"T", "H", "D"})
      .sameElement({getInput(), getCos(), getSin(), getOutput()});
  return shapes.holds(shapes["D"] % 2 == 0, "the head dimension is even")
      .result();
}
SmallVector<int64_t> RopeOp::getTaskDomain() {
  return SmallVector<int64_t>(shapeOf(getOutput()).getShape().drop_back());
}
SmallVector<DimAccess> RopeOp::getOperandAccess(unsigned operandNumber) {
  if (operandNumber == 1 || operandNumber == 2)
    return {along(0), whole()};
  return {along(0), along(1), whole()};
}

//===----------------------------------------------------------------------===//
// KVAppendOp: domain (T, G)
//===----------------------------------------------------------------------===//

LogicalResult KVAppendOp::verify() {
  return Shapes(*this)
      .match(getKey(), {"T", "G", "D"})
      .match(getValue(), {"T", "G", "D"})
      .match(getSeq(), {"T"})
      .match(getPos(), {"T"})
      .match(getBlockTable(), {"S", "M"})
      .match(getCache(), {"pages", "G", "2", "P", "D"})
      .integer({getSeq(), getPos(), getBlockTable()})
      .sameElement({getKey(), getValue(), getCache()})
      .holds(shapeOf(getCache()).getDimSize(2) == 2,
             "the cache holds a key and a value")
      .result();
}
SmallVector<int64_t> KVAppendOp::getTaskDomain() {
  return SmallVector<int64_t>(shapeOf(getKey()).getShape().drop_back());
}
SmallVector<DimAccess> KVAppendOp::getOperandAccess(unsigned operandNumber) {
  switch (operandNumber) {
  case 0:
  case 1:
    return {along(0), along(1), whole()};
  case 2:
  case 3:
    return {along(0)};
  case 4:
    return {whole(), whole()};
  default:
    return {whole(), along(1), whole(), whole(), whole()};
  }
}

//===----------------------------------------------------------------------===//
// AttentionOp: domain (T, G)
//===----------------------------------------------------------------------===//

LogicalResult AttentionOp::verify() {
  Shapes shapes(*this);
  shapes.match(getQuery(), {"T", "H", "D"})
      .match(getCache(), {"pages", "G", "2", "P", "D"})
      .match(getSeq(), {"T"})
      .match(getPos(), {"T"})
      .match(getBlockTable(), {"S", "M"})
      .match(getOutput(), {"T", "H", "D"})
      .integer({getSeq(), getPos(), getBlockTable()})
      .sameElement({getQuery(), getCache(), getOutput()});
  return shapes
      .holds(shapes["G"] > 0 && shapes["H"] % shapes["G"] == 0,
             "the query heads are a multiple of the key/value heads")
      .result();
}
SmallVector<int64_t> AttentionOp::getTaskDomain() {
  return {shapeOf(getQuery()).getDimSize(0), shapeOf(getCache()).getDimSize(1)};
}
SmallVector<DimAccess> AttentionOp::getOperandAccess(unsigned operandNumber) {
  int64_t group =
      shapeOf(getQuery()).getDimSize(1) / shapeOf(getCache()).getDimSize(1);
  switch (operandNumber) {
  case 1:
    return {whole(), along(1), whole(), whole(), whole()};
  case 2:
  case 3:
    return {along(0)};
  case 4:
    return {whole(), whole()};
  default:
    return {along(0), along(1, group), whole()};
  }
}

//===----------------------------------------------------------------------===//
// SplitAttentionOp: domain (B, G, S)
//===----------------------------------------------------------------------===//

LogicalResult SplitAttentionOp::verify() {
  if (bool(getQNorm()) != bool(getKNorm()) ||
      bool(getQNorm()) != bool(getEps()))
    return emitOpError("T13: queries and keys are both normed, with an eps, or "
                       "neither is");
  if (getStream() && !getStream().getDefiningOp<StreamPartOp>())
    return emitOpError("T9: takes its part from a task.stream_part");
  Shapes shapes(*this);
  shapes.match(getQkv(), {"T", "columns"})
      .match(getCos(), {"T", "D"})
      .match(getSin(), {"T", "D"})
      .match(getSeq(), {"T"})
      .match(getPos(), {"T"})
      .match(getBlockTable(), {"B", "M"})
      .match(getQNorm(), {"D"})
      .match(getKNorm(), {"D"})
      .match(getCache(), {"pages", "G", "2", "P", "D"})
      .match(getPartial(), {"T", "H", "S", "D+2"})
      .integer({getSeq(), getPos(), getBlockTable()})
      .sameElement({getQkv(), getCos(), getSin(), getCache()});
  return shapes
      .holds(shapes["D+2"] == shapes["D"] + 2 &&
                 shapeOf(getPartial()).getElementType().isF32(),
             "a part has D values, a maximum and a sum, of f32")
      .holds(shapes["G"] > 0 && shapes["H"] % shapes["G"] == 0,
             "the query heads are a multiple of the key/value heads")
      .holds(shapes["columns"] %
                     (shapes["D"] * (shapes["H"] / shapes["G"] + 2)) ==
                 0,
             "qkv holds the heads of queries, keys and values")
      .holds(shapes["P"] % 8 == 0, "a page holds a multiple of 8 tokens")
      .result();
}
bool SplitAttentionOp::attendsTo(OperandRange part) {
  Value mine[] = {getSeq(),      getPos(),  getBlockTable(), getCache(),
                  getSequence(), getHead(), getPart()};
  return llvm::equal(part, mine);
}
SmallVector<int64_t> SplitAttentionOp::getTaskDomain() {
  return {shapeOf(getBlockTable()).getDimSize(0),
          shapeOf(getCache()).getDimSize(1),
          shapeOf(getPartial()).getDimSize(2)};
}
SmallVector<DimAccess>
SplitAttentionOp::getOperandAccess(unsigned operandNumber) {
  unsigned numOperands = getNumOperands();
  if (operandNumber == numOperands - 1) {
    int64_t group =
        shapeOf(getPartial()).getDimSize(1) / shapeOf(getCache()).getDimSize(1);
    return {whole(), along(1, group), along(2), whole()};
  }
  if (operandNumber == numOperands - 2)
    return {whole(), along(1), whole(), whole(), whole()};
  if (operandNumber == 5)
    return {along(0), whole()};
  // The rows of a sequence's tokens are data.
  return SmallVector<DimAccess>(shapeOf(getOperand(operandNumber)).getRank(),
                                whole());
}

//===----------------------------------------------------------------------===//
// MergeSplitsOp: domain (T, H)
//===----------------------------------------------------------------------===//

LogicalResult MergeSplitsOp::verify() {
  Shapes shapes(*this);
  shapes.match(getPartial(), {"T", "H", "S", "D+2"})
      .match(getOutput(), {"T", "H", "D"});
  return shapes
      .holds(shapes["D+2"] == shapes["D"] + 2 &&
                 shapeOf(getPartial()).getElementType().isF32(),
             "a part has D values, a maximum and a sum, of f32")
      .result();
}
SmallVector<int64_t> MergeSplitsOp::getTaskDomain() {
  return SmallVector<int64_t>(shapeOf(getOutput()).getShape().drop_back());
}
SmallVector<DimAccess> MergeSplitsOp::getOperandAccess(unsigned operandNumber) {
  if (operandNumber == 0)
    return {along(0), along(1), whole(), whole()};
  return {along(0), along(1), whole()};
}

//===----------------------------------------------------------------------===//
// GatherRowsOp: domain (R)
//===----------------------------------------------------------------------===//

LogicalResult GatherRowsOp::verify() {
  return Shapes(*this)
      .match(getInput(), {"T", "K"})
      .match(getRows(), {"R"})
      .match(getOutput(), {"R", "K"})
      .integer(getRows())
      .sameElement({getInput(), getOutput()})
      .result();
}
SmallVector<int64_t> GatherRowsOp::getTaskDomain() {
  return {shapeOf(getOutput()).getDimSize(0)};
}
SmallVector<DimAccess> GatherRowsOp::getOperandAccess(unsigned operandNumber) {
  switch (operandNumber) {
  case 0:
    return {whole(), whole()};
  case 1:
    return {along(0)};
  default:
    return {along(0), whole()};
  }
}

//===----------------------------------------------------------------------===//
// ArgmaxOp: domain (R)
//===----------------------------------------------------------------------===//

LogicalResult ArgmaxOp::verify() {
  return Shapes(*this)
      .holds(!getOf() || shapeOf(getInput()).getElementType().isInteger(32),
             "the best of several outputs are words of 32 bits")
      .match(getInput(), {"R", "V"})
      .match(getOutput(), {"R"})
      .integer(getOutput())
      .result();
}
SmallVector<int64_t> ArgmaxOp::getTaskDomain() {
  return {shapeOf(getOutput()).getDimSize(0)};
}
SmallVector<DimAccess> ArgmaxOp::getOperandAccess(unsigned operandNumber) {
  if (operandNumber == 0)
    return {along(0), whole()};
  return {along(0)};
}
