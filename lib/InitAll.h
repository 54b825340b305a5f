//===- InitAll.h - Registration of everything
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_INITALL_H
#define ETC_LIB_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace etc {
/// Every dialect, interface, pass and pipeline of the project, and what it uses
/// of upstream.
void registerAll(mlir::DialectRegistry &registry);
} // namespace etc

#endif // ETC_LIB_INITALL_H
