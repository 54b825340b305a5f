//===- TaskWorkerOps.cpp - The program's tables and the ops that read them
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"

using namespace mlir;
using namespace etc::task;

/// T14: reads a word of a launch's row that is not its kind, and knows every
/// extent.
static LogicalResult verifyRowAccess(Operation *op, int64_t position,
                                     int64_t width, size_t numSizes,
                                     ArrayRef<int64_t> shape, Type type) {
  if (position <= 0 || position >= width)
    return op->emitOpError("T14: word ") << position << " of a launch row of "
                                         << width << " words is no operand";
  size_t numDynamic = llvm::count(shape, ShapedType::kDynamic);
  if (numSizes != numDynamic)
    return op->emitOpError("T14: expects ")
           << numDynamic << " dynamic sizes for " << type << ", got "
           << numSizes;
  return success();
}

LogicalResult OperandOp::verify() {
  MemRefType type = cast<MemRefType>(getBuffer().getType());
  return verifyRowAccess(*this, getPosition(), getWidth(),
                         getDynamicSizes().size(), type.getShape(), type);
}

LogicalResult EventOp::verify() {
  auto type = getTensor().getType();
  return verifyRowAccess(*this, getPosition(), getWidth(),
                         getDynamicSizes().size(), type.getShape(), type);
}

LogicalResult ProgramOp::verify() {
  int64_t rows = getLaunchNames().size(), width = getLaunchWidth();
  if (width < 1 || static_cast<int64_t>(getLaunches().size()) != rows * width)
    return emitOpError("T15: expects ")
           << rows << " launch rows of " << width << " words, got "
           << getLaunches().size() << " words";
  if (getEvents().size() != 4 * getEventNames().size())
    return emitOpError("T15: expects ")
           << getEventNames().size() << " event rows of four words, got "
           << getEvents().size() << " words";
  for (Operation &op : getSchedules().getOps()) {
    auto schedule = dyn_cast<ScheduleOp>(op);
    if (!schedule || schedule.getBucket().size() != getSymbols().size())
      return op.emitOpError("T15: a program holds task.schedules of ")
             << getSymbols().size() << " bounds";
    ArrayRef<int32_t> runs = schedule.getRuns();
    for (size_t i = 0; i < runs.size(); i += 4)
      if (runs[i] >= rows)
        return schedule.emitOpError("T15: run ")
               << i / 4 << " is of launch " << runs[i] << ", the program has "
               << rows;
  }
  return success();
}
