//===- GpuMath.cpp - math operations as instructions of the GPU
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A user's machine has no libdevice, so what has no instruction is an error
// here and not an unresolved symbol there. Errors: ex2.approx 2 ulp, so that
// exp(x) is within 2^-22 + |x| 2^-23 of its value; rsqrt.approx 2^-22.9.
//
//===----------------------------------------------------------------------===//

#include "lib/Codegen/GpuTiles.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace etc::codegen;

static Value callIntrinsic(GpuBuilder &b, StringRef name, Value x) {
  return b
      .make<LLVM::CallIntrinsicOp>(b.getF32Type(), b.getStringAttr(name),
                                   ValueRange(x))
      .getResult(0);
}
static Value emitExp2(GpuBuilder &b, Value x) {
  return callIntrinsic(b, "llvm.nvvm.ex2.approx.ftz.f32", x);
}
static Value emitExp(GpuBuilder &b, Value x) {
  return emitExp2(b, b.make<arith::MulFOp>(x, b.f32(1.4426950408889634)));
}
static Value emitRsqrt(GpuBuilder &b, Value x) {
  return callIntrinsic(b, "llvm.nvvm.rsqrt.approx.f", x);
}

/// sin or cos: the angle less a multiple of pi/2, subtracted in three parts, so
/// that it is exact to the last place up to 10^5; then sin.approx or cos.approx,
/// 2^-20.9 absolute there.
static Value emitTurn(GpuBuilder &b, Value x, bool isCosine) {
  Type i32 = b.getI32Type();
  Value turns = b.make<LLVM::RintOp>(
      b.make<arith::MulFOp>(x, b.f32(0.63661977236758134)).getResult());
  Value rest = x;
  for (double part : {-1.57079625129699707031e+00, -7.54978941586159635335e-08,
                      -5.39030252995776476554e-15})
    rest = b.make<math::FmaOp>(turns, b.f32(part), rest);
  Value quadrant = b.make<arith::FPToSIOp>(i32, turns);
  if (isCosine)
    quadrant = b.add(quadrant, b.i32(1));
  auto isSet = [&](int64_t bit) {
    return b.compare(arith::CmpIPredicate::ne,
                     b.make<arith::AndIOp>(quadrant, b.i32(bit)), b.i32(0));
  };
  Value result = b.make<arith::SelectOp>(
      isSet(1), callIntrinsic(b, "llvm.nvvm.cos.approx.f", rest),
      callIntrinsic(b, "llvm.nvvm.sin.approx.f", rest));
  return b.make<arith::SelectOp>(
      isSet(2), b.make<arith::NegFOp>(result).getResult(), result);
}
static Value emitSin(GpuBuilder &b, Value x) { return emitTurn(b, x, false); }
static Value emitCos(GpuBuilder &b, Value x) { return emitTurn(b, x, true); }

/// What LLVM has an instruction for.
static bool isNative(Operation *op) {
  return isa<math::AbsFOp, math::FmaOp, math::SqrtOp, math::FloorOp,
             math::CeilOp>(op);
}

LogicalResult etc::codegen::lowerMath(Operation *root) {
  SmallVector<Operation *> worklist;
  root->walk([&](Operation *op) {
    if (isa<math::MathDialect>(op->getDialect()) && !isNative(op))
      worklist.push_back(op);
  });
  for (Operation *op : worklist) {
    using Function = Value (*)(GpuBuilder &, Value);
    Function function = nullptr;
    if (isa<math::ExpOp>(op))
      function = emitExp;
    else if (isa<math::Exp2Op>(op))
      function = emitExp2;
    else if (isa<math::RsqrtOp>(op))
      function = emitRsqrt;
    else if (isa<math::SinOp>(op))
      function = emitSin;
    else if (isa<math::CosOp>(op))
      function = emitCos;
    Type type = op->getResult(0).getType();
    if (!function || !isa<Float32Type, Float16Type, BFloat16Type>(type))
      return op->emitOpError("has no instruction on a GPU for ") << type;
    GpuBuilder b(op->getLoc(), op);
    Value result = function(b, b.extend(op->getOperand(0)));
    op->getResult(0).replaceAllUsesWith(b.round(result, type));
    op->erase();
  }
  return success();
}
