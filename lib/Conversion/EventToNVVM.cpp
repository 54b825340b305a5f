//===- EventToNVVM.cpp - Events between blocks of one kernel
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Conversion/WorkerToLLVM.h"

using namespace mlir;
using namespace etc;

static WorkerNumber getWorkerNumber(OpBuilder &builder, Location loc,
                                    Value context) {
  return {gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x),
          gpu::GridDimOp::create(builder, loc, gpu::Dimension::x)};
}

void etc::populateEventToNVVMPatterns(const TypeConverter &converter,
                                      RewritePatternSet &patterns) {
  populateWorkerToLLVMPatterns(converter, getWorkerNumber, patterns);
}
