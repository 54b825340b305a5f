//===- Problem.h - Which worker runs which task when
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scheduling problem and its check, independent of MLIR: `check()` before an
// algorithm of Algorithms.h, `verify()` after it.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_PROBLEM_H
#define ETC_LIB_SCHEDULING_PROBLEM_H

#include "lib/Scheduling/Schedule.h"
#include "lib/Scheduling/Stream.h"
#include <optional>
#include <string>

namespace etc::scheduling {

/// A counter; all that waits for it starts once `count` tasks have notified it.
struct Entry {
  unsigned event; // which event tensor, for messages
  int64_t number; // which entry of it, for messages
  int64_t count;
  double hopNs = 0; // from the last notify to the start of who waited for it
};

/// Tasks that do not depend on each other, of equal cost.
struct Launch {
  std::string name;
  int64_t numTasks = 0;
  double streamBytes = 0;    // of a task: what the loader fetches ahead
  double taskNs = 0;         // of a task: what is left once it has these
  double runNs = 0;          // of the first task of a run, besides
  double paceBytesPerNs = 0; // at which they are fetched at most; 0: no bound
  /// One list per edge: the entry of each task, or kNone.
  std::vector<std::vector<int32_t>> waits, notifies;
  /// The worker that must run each task; empty where any may.
  std::vector<int32_t> affinity;

  static constexpr int32_t kNone = -1;
};

/// A violation, in words that name both of its ends; none if all is well.
using Violation = std::optional<std::string>;

struct Problem {
  int64_t numWorkers = 0;
  double dispatchNs = 0; // of a task: what may run before its waits are over
  Loader loader;
  std::vector<std::string> events; // names
  std::vector<Entry> entries;
  std::vector<Launch> launches; // every worker runs them in this order

  int64_t getNumTasks() const;
  std::string describe(unsigned launch, int64_t task) const;
  std::string describe(const Entry &entry) const;

  /// Whether a schedule can exist: entries and affinities in range, and each
  /// entry notified often enough by launches before those that wait for it.
  Violation check() const;

  /// Whether `schedule` runs each task once, on the worker of its affinity,
  /// with ascending launches on each worker.
  Violation verify(const Schedule &schedule) const;

  /// Whether all workers reach the end of `schedule`: runs it in an order that
  /// its waits allow. Any such order ends the same way, as a task that may run
  /// stays so. A deadlock is told from wait to missing notify to wait.
  Violation verifyProgress(const Schedule &schedule) const;

  /// When the first task of a launch begins and the last one ends.
  struct Span {
    double startNs, endNs;
  };
  /// The span of each launch, by the costs above; of one without tasks, {0, 0}.
  /// Where the loader says what workers have together, they share it
  /// (Timeline).
  std::vector<Span> predict(const Schedule &schedule) const;

  /// When the last task ends, by the costs above; each worker has the same part
  /// of the memory at all times.
  double getMakespanNs(const Schedule &schedule) const;
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_PROBLEM_H
