//===- PersistentBodies.h - The bodies of tasks as functions
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_CONVERSION_PERSISTENTBODIES_H
#define ETC_LIB_CONVERSION_PERSISTENTBODIES_H

#include "dialects/task/TaskOps.h"
#include "mlir/IR/Builders.h"

namespace etc {

/// What a function of the persistent level does with a run.
enum class WorkerRole { worker, loader, consumer };

llvm::StringRef stringifyRole(WorkerRole role);
std::optional<WorkerRole> parseRole(llvm::StringRef name);

/// What `role` calls for one task of `kind`, one of the graph's `kinds`; a worker's
/// bodies keep their name. A body with data edges is written for every kind, whose
/// tensors it then knows.
std::string getBodyName(task::LaunchOp kind, llvm::ArrayRef<task::LaunchOp> kinds,
                        WorkerRole role);

/// Whether the role has something to do in a task with this body.
bool hasPart(task::FuncOp body, WorkerRole role);

/// Whether the body asks if its task is the first of the run.
bool hasFirst(task::FuncOp body);
/// Whether the body streams keys and values.
bool streamsParts(task::FuncOp body);
/// Whether a task with this body may end before its time: a receive can fail.
bool hasReceives(task::FuncOp body);

/// Writes the role's part of the body of `kind` as a private function, which returns
/// whether all of its receives were reached if it has any.
void createBody(mlir::OpBuilder &builder, task::LaunchOp kind, llvm::StringRef name,
                WorkerRole role);

} // namespace etc

#endif // ETC_LIB_CONVERSION_PERSISTENTBODIES_H
