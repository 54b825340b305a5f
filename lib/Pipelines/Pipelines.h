//===- Pipelines.h - The phases of the compiler as named pipelines ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_PIPELINES_PIPELINES_H
#define ETC_LIB_PIPELINES_PIPELINES_H

namespace etc {

/// Registers --pipeline-import, --pipeline-decompose, --pipeline-events,
/// --pipeline-schedule, --pipeline-weights, --pipeline-persistent, --pipeline-cpu
/// and --pipeline-gpu.
void registerPipelines();

} // namespace etc

#endif // ETC_LIB_PIPELINES_PIPELINES_H
