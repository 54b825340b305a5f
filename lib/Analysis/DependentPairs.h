//===- DependentPairs.h - How many pairs of tasks depend on each other
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What event tensors save: an encoding with one event per dependency needs as
// many events as there are pairs of tasks of which the earlier one's launch
// comes first in the program, that touch the same elements, and of which one
// writes them.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_DEPENDENTPAIRS_H
#define ETC_LIB_ANALYSIS_DEPENDENTPAIRS_H

#include "lib/Analysis/EventGraph.h"

namespace etc {

/// Counted without enumerating pairs: the tasks of an earlier launch that a
/// given task depends on are a union of a few boxes of its grid.
int64_t countDependentPairs(const ConcreteGraph &graph);

/// The same by trying every pair; for small graphs, to check the above.
int64_t enumerateDependentPairs(const ConcreteGraph &graph);

} // namespace etc

#endif // ETC_LIB_ANALYSIS_DEPENDENTPAIRS_H
