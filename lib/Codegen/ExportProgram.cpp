//===- ExportProgram.cpp - A program's tables and PTX as JSON
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskOps.h"
#include "lib/Codegen/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ToolOutputFile.h"

namespace etc {
#define GEN_PASS_DEF_EXPORTPROGRAMPASS
#include "lib/Codegen/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;
namespace json = llvm::json;

static json::Value toJson(AffineExpr expr) {
  auto binary = [&](StringRef name) -> json::Value {
    auto op = cast<AffineBinaryOpExpr>(expr);
    return json::Object{
        {"op", name},
        {"args", json::Array{toJson(op.getLHS()), toJson(op.getRHS())}}};
  };
  switch (expr.getKind()) {
  case AffineExprKind::Constant:
    return cast<AffineConstantExpr>(expr).getValue();
  case AffineExprKind::SymbolId:
    return json::Object{{"symbol", cast<AffineSymbolExpr>(expr).getPosition()}};
  case AffineExprKind::Add:
    return binary("add");
  case AffineExprKind::Mul:
    return binary("mul");
  case AffineExprKind::Mod:
    return binary("mod");
  case AffineExprKind::FloorDiv:
    return binary("floordiv");
  case AffineExprKind::CeilDiv:
    return binary("ceildiv");
  case AffineExprKind::DimId:
    break; // Shapes have no dimensions (T1).
  }
  llvm_unreachable("a dimension in a shape");
}

template <typename T> static json::Array toJson(ArrayRef<T> values) {
  return json::Array(values);
}
static json::Array namesOf(ArrayAttr names) {
  json::Array array;
  for (StringRef name : names.getAsValueRange<StringAttr>())
    array.push_back(name);
  return array;
}
static std::string print(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

static json::Object toJson(task::BufferAttr buffer) {
  json::Array shape;
  for (AffineExpr extent : buffer.getShape().getResults())
    shape.push_back(toJson(extent));
  json::Object object{{"name", buffer.getName()},
                      {"role", task::stringifyRole(buffer.getRole())},
                      {"layout", task::stringifyLayout(buffer.getLayout())},
                      {"element", print(buffer.getType().getElementType())},
                      {"shape", std::move(shape)},
                      {"offset", buffer.getOffset()}};
  if (task::StackAttr stack = buffer.getStack())
    object["stack"] = json::Object{{"sources", namesOf(stack.getSources())},
                                   {"rows", stack.getRows()}};
  return object;
}

static json::Object toJson(task::ProgramOp program) {
  json::Array symbols, buffers, schedules;
  for (auto symbol : program.getSymbols().getAsRange<task::SymbolAttr>())
    symbols.push_back(json::Object{{"name", symbol.getName()},
                                   {"min", symbol.getMin()},
                                   {"max", symbol.getMax()}});
  for (auto buffer : program.getBuffers().getAsRange<task::BufferAttr>())
    buffers.push_back(toJson(buffer));
  for (auto schedule : program.getSchedules().getOps<task::ScheduleOp>())
    schedules.push_back(json::Object{{"bucket", toJson(schedule.getBucket())},
                                     {"policy", schedule.getPolicy()},
                                     {"offsets", toJson(schedule.getOffsets())},
                                     {"runs", toJson(schedule.getRuns())}});
  return json::Object{
      {"name", program.getSymName()},
      {"kernel", program.getWorker()},
      {"symbols", std::move(symbols)},
      {"buffers", std::move(buffers)},
      {"launch_names", namesOf(program.getLaunchNames())},
      {"launch_width", static_cast<int64_t>(program.getLaunchWidth())},
      {"launches", toJson(program.getLaunches())},
      {"event_names", namesOf(program.getEventNames())},
      {"events", toJson(program.getEvents())},
      {"counter_words", static_cast<int64_t>(program.getCounterWords())},
      {"scratch_bytes", static_cast<int64_t>(program.getScratchBytes())},
      {"many_steps", program.getManySteps()},
      {"traced", program.getTraced()},
      {"schedules", std::move(schedules)}};
}

namespace {
struct ExportProgram : etc::impl::ExportProgramPassBase<ExportProgram> {
  using ExportProgramPassBase::ExportProgramPassBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    auto programs = llvm::to_vector(getOperation().getOps<task::ProgramOp>());
    if (programs.size() != 1) {
      getOperation().emitError("expects one task.program to export, found ")
          << programs.size();
      return signalPassFailure();
    }
    json::Object root = toJson(programs.front());
    for (auto plan : getOperation().getOps<task::SharedMemoryOp>()) {
      root["threads"] = static_cast<int64_t>(plan.getThreads());
      root["shared_bytes"] = static_cast<int64_t>(plan.getBytes());
    }
    for (auto binary : getOperation().getOps<gpu::BinaryOp>()) {
      auto object = cast<gpu::ObjectAttr>(binary.getObjects()[0]);
      // The serializer ends the text with a zero.
      root["ptx"] = object.getObject().getValue().rtrim('\0');
    }
    std::string error;
    auto file = openOutputFile(output, &error);
    if (!file) {
      getOperation().emitError(error);
      return signalPassFailure();
    }
    file->os() << json::Value(std::move(root)) << "\n";
    file->keep();
  }
};
} // namespace
