//===- TaskInterfaces.cpp - Task interfaces of upstream operations
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/task/TaskInterfaces.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace etc::task;

#include "dialects/task/TaskInterfaces.cpp.inc"

namespace {
struct GenericTaskRegion
    : TaskRegionOpInterface::ExternalModel<GenericTaskRegion,
                                           linalg::GenericOp> {
  SmallVector<int64_t> getTaskDomain(Operation *op) const {
    auto generic = cast<linalg::GenericOp>(op);
    SmallVector<int64_t> ranges = generic.getStaticLoopRanges();
    SmallVector<int64_t> domain;
    for (auto [range, kind] :
         llvm::zip(ranges, generic.getIteratorTypesArray()))
      if (kind == utils::IteratorType::parallel)
        domain.push_back(range);
    return domain;
  }

  SmallVector<DimAccess> getOperandAccess(Operation *op,
                                          unsigned operandNumber) const {
    auto generic = cast<linalg::GenericOp>(op);
    // Position of each parallel iterator in the task domain.
    SmallVector<int64_t> domainDim;
    int64_t next = 0;
    for (utils::IteratorType kind : generic.getIteratorTypesArray())
      domainDim.push_back(kind == utils::IteratorType::parallel
                              ? next++
                              : DimAccess::kWhole);
    AffineMap map =
        generic.getMatchingIndexingMap(&op->getOpOperand(operandNumber));
    SmallVector<DimAccess> access;
    for (AffineExpr expr : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      access.push_back({dim ? domainDim[dim.getPosition()] : DimAccess::kWhole,
                        /*scale=*/1});
    }
    return access;
  }
};
} // namespace

void etc::task::registerLinalgTaskInterfaces(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, linalg::LinalgDialect *) {
    linalg::GenericOp::attachInterface<GenericTaskRegion>(*context);
  });
}
