//===- VerifyEvents.cpp - Check the events of a graph by enumeration
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/BufferAccess.h"
#include "lib/Analysis/EventGraph.h"
#include "lib/Analysis/LaunchOrder.h"
#include "lib/Transforms/Passes.h"
#include "llvm/ADT/BitVector.h"

namespace etc {
#define GEN_PASS_DEF_VERIFYEVENTSPASS
#include "lib/Transforms/Passes.h.inc"
} // namespace etc

using namespace mlir;
using namespace etc;

namespace {
/// A half-open range of bytes.
struct ByteRange {
  int64_t begin, end;
};

/// What one task touches of one piece of memory.
struct Touch {
  unsigned launch, operand;
  int64_t task; // number in the launch
  bool isWrite;
  bool isTagged;   // each word says itself whether it was written
  bool isDisjoint; // from what other tasks of the launch write
  SmallVector<ByteRange, 1> ranges; // ascending
};

/// The checks at one assignment of the symbols.
class Checker {
public:
  explicit Checker(const ConcreteGraph &graph);
  LogicalResult run() {
    return success(succeeded(checkCounts()) && succeeded(order()) &&
                   succeeded(checkConflicts()) && succeeded(checkSteps()));
  }

private:
  LogicalResult checkCounts();
  LogicalResult order();
  LogicalResult checkConflicts();
  LogicalResult checkSteps();
  std::pair<llvm::BitVector, llvm::BitVector> getStepOrder() const;
  bool isOrdered(const Touch &earlier, const Touch &later) const;
  void emitConflict(const Touch &earlier, const Touch &later) const;
  void emitStepConflict(const Touch &earlier, const Touch &later) const;
  llvm::MapVector<Value, std::vector<Touch>>
  getTouches(llvm::function_ref<Value(Value)> memoryOf) const;
  Touch getTouch(unsigned launch, unsigned operand, int64_t task) const;
  /// The memory an operand lies in: null for the scratch memory.
  Value getMemory(const ConcreteGraph::Operand &operand) const;

  const ConcreteGraph &graph;
  std::vector<int64_t> firstTask; // number of each launch's first task
  int64_t numTasks = 0;
  /// For each task, the tasks that happen before it; of size 0 if none does.
  std::vector<llvm::BitVector> before;
};
} // namespace

Checker::Checker(const ConcreteGraph &graph) : graph(graph) {
  for (const ConcreteGraph::Launch &launch : graph.getLaunches()) {
    firstTask.push_back(numTasks);
    numTasks += launch.numTasks;
  }
}

static InFlightDiagnostic emitWrongCount(const ConcreteGraph::Event &event,
                                         int64_t entry) {
  event::CreateOp op = event.op;
  return op.emitError("E6: entry ")
         << entry << " of event tensor '" << op.getName() << "' has count "
         << event.count << " but is notified " << event.arrivals[entry]
         << " times in a step";
}

/// E6: the entries that somebody waits for, and all those of a monotonic tensor
/// of counters: what this step leaves out is missing from the targets of the
/// next one. A value carries its epoch, so a data tensor may have holes.
LogicalResult Checker::checkCounts() {
  for (auto [l, launch] : llvm::enumerate(graph.getLaunches()))
    for (auto [w, edge] : llvm::enumerate(launch.waits)) {
      const ConcreteGraph::Event &event = graph.getEvents()[edge.event];
      for (int64_t task = 0; task < launch.numTasks; ++task) {
        int64_t entry = graph.entryOf(l, w, task);
        if (event.arrivals[entry] == event.count)
          continue;
        InFlightDiagnostic diag = emitWrongCount(event, entry);
        diag.attachNote(ConcreteGraph::Launch(launch).op.getLoc())
            << graph.describe(l, task) << " waits for it";
        return diag;
      }
    }
  for (const ConcreteGraph::Event &event : graph.getEvents()) {
    event::CreateOp op = event.op;
    if (op.getReuse() == event::Reuse::banked ||
        op.getTensor().getType().getCarrier() == event::Carrier::data)
      continue;
    for (auto [entry, arrivals] : llvm::enumerate(event.arrivals))
      if (arrivals != event.count) {
        InFlightDiagnostic diag = emitWrongCount(event, entry);
        if (op.getReuse() == event::Reuse::monotonic)
          diag << "; one that is not notified alike in every step needs "
                  "reuse(banked)";
        return diag;
      }
  }
  return success();
}

/// Runs the graph as the events allow; a task that never becomes ready is E8.
LogicalResult Checker::order() {
  struct Entry {
    int64_t missing;
    llvm::BitVector before;
    SmallVector<std::pair<unsigned, int64_t>> waiters;
  };
  std::vector<std::vector<Entry>> entries;
  for (const ConcreteGraph::Event &event : graph.getEvents()) {
    entries.emplace_back();
    for (int64_t arrivals : event.arrivals)
      entries.back().push_back({arrivals, llvm::BitVector(), {}});
  }
  before.resize(numTasks);
  std::vector<unsigned> missing(numTasks);
  SmallVector<std::pair<unsigned, int64_t>> ready;
  for (auto [l, launch] : llvm::enumerate(graph.getLaunches()))
    for (int64_t task = 0; task < launch.numTasks; ++task) {
      missing[firstTask[l] + task] = launch.waits.size();
      for (auto [w, edge] : llvm::enumerate(launch.waits))
        entries[edge.event][graph.entryOf(l, w, task)].waiters.push_back(
            {unsigned(l), task});
      if (launch.waits.empty())
        ready.push_back({unsigned(l), task});
    }
  int64_t done = 0;
  while (!ready.empty()) {
    auto [l, task] = ready.pop_back_val();
    ++done;
    int64_t self = firstTask[l] + task;
    for (auto [n, edge] : llvm::enumerate(graph.getLaunches()[l].notifies)) {
      Entry &entry = entries[edge.event][graph.notifiedEntryOf(l, n, task)];
      // A published value orders nothing in memory beside itself.
      event::CreateOp event = graph.getEvents()[edge.event].op;
      if (!analysis::isDataEdge(event.getTensor())) {
        entry.before.resize(numTasks);
        entry.before |= before[self];
        entry.before.set(self);
      }
      if (--entry.missing > 0)
        continue;
      for (auto [wl, wt] : entry.waiters) {
        before[firstTask[wl] + wt] |= entry.before;
        if (--missing[firstTask[wl] + wt] == 0)
          ready.push_back({wl, wt});
      }
    }
  }
  if (done == numTasks)
    return success();
  for (auto [l, launch] : llvm::enumerate(graph.getLaunches()))
    for (int64_t task = 0; task < launch.numTasks; ++task)
      if (missing[firstTask[l] + task] > 0)
        return ConcreteGraph::Launch(launch).op.emitError("E8: ")
               << graph.describe(l, task)
               << " waits, directly or not, for itself";
  return success();
}

Value Checker::getMemory(const ConcreteGraph::Operand &operand) const {
  Value base = analysis::getBaseBuffer(operand.buffer);
  auto scratch = base.getDefiningOp<task::ScratchOp>();
  return scratch && scratch.getOffset() ? Value() : base;
}

Touch Checker::getTouch(unsigned l, unsigned operand, int64_t task) const {
  const ConcreteGraph::Operand &access =
      graph.getLaunches()[l].operands[operand];
  Value base = analysis::getBaseBuffer(access.buffer);
  Touch touch{l,
              operand,
              task,
              access.isWritten,
              task::isTagged(access.buffer.getType()),
              access.isDisjoint,
              {}};
  auto type = cast<MemRefType>(base.getType());
  int64_t bytes = task::getElementBytes(type);
  int64_t offset = 0;
  if (auto scratch = base.getDefiningOp<task::ScratchOp>())
    offset = scratch.getOffset().value_or(0);
  Box box = graph.boxOf(l, operand, task);
  if (box.getVolume() == 0)
    return touch;
  if (box.begin.empty()) {
    touch.ranges.push_back({offset, offset + bytes});
    return touch;
  }
  // Trailing whole dimensions run on into the dimension before them, `lead`:
  // one range for each point of the dimensions before `lead`.
  unsigned lead = box.begin.size() - 1;
  int64_t inner = 1; // elements of one step along `lead`
  for (; lead > 0 && box.begin[lead] == 0 &&
         box.end[lead] == access.extents[lead];
       --lead)
    inner *= access.extents[lead];
  SmallVector<int64_t> outer, point;
  for (unsigned i = 0; i < lead; ++i)
    outer.push_back(box.end[i] - box.begin[i]);
  int64_t rows = 1;
  for (int64_t extent : outer)
    rows *= extent;
  for (int64_t row = 0; row < rows; ++row) {
    point = delinearize(row, outer);
    int64_t at = 0;
    for (unsigned i = 0; i <= lead; ++i)
      at = at * access.extents[i] + box.begin[i] + (i < lead ? point[i] : 0);
    int64_t size = (box.end[lead] - box.begin[lead]) * inner;
    touch.ranges.push_back(
        {offset + at * inner * bytes, offset + (at * inner + size) * bytes});
  }
  return touch;
}

/// What the tasks touch, by memory, in program order.
llvm::MapVector<Value, std::vector<Touch>>
Checker::getTouches(llvm::function_ref<Value(Value)> memoryOf) const {
  llvm::MapVector<Value, std::vector<Touch>> memories;
  for (auto [l, launch] : llvm::enumerate(graph.getLaunches()))
    for (auto [o, operand] : llvm::enumerate(launch.operands)) {
      std::vector<Touch> &touches = memories[memoryOf(getMemory(operand))];
      for (int64_t task = 0; task < launch.numTasks; ++task)
        touches.push_back(getTouch(l, o, task));
    }
  return memories;
}

using Pair = std::pair<unsigned, unsigned>; // numbers of touches

/// Calls `visit` for every two touches of the same bytes, one of them a write,
/// and for every write with itself: a sweep over the bytes, for most of the
/// pairs of a model have none in common. In one step, but for those that read
/// tagged memory after it was written: they wait for the words themselves.
static void forEachConflict(ArrayRef<Touch> touches, bool inOneStep,
                            llvm::function_ref<void(Pair)> visit) {
  struct Begin {
    ByteRange range;
    unsigned touch;
    bool isWrite, isAwaited;
  };
  std::vector<Begin> begins;
  for (auto [number, touch] : llvm::enumerate(touches))
    for (ByteRange range : touch.ranges)
      begins.push_back({range, unsigned(number), touch.isWrite,
                        inOneStep && touch.isTagged && touch.isWrite});
  llvm::sort(begins, [](const Begin &a, const Begin &b) {
    return std::tie(a.range.begin, a.touch) < std::tie(b.range.begin, b.touch);
  });
  std::vector<Begin> reads, writes; // that have begun, and may have ended
  for (const Begin &next : begins) {
    auto meet = [&](std::vector<Begin> &begun) {
      llvm::erase_if(begun, [&](const Begin &other) {
        return other.range.end <= next.range.begin;
      });
      for (const Begin &other : begun) {
        bool isNextLater = other.touch <= next.touch;
        const Begin &earlier = isNextLater ? other : next;
        const Begin &later = isNextLater ? next : other;
        if (later.isWrite || !earlier.isAwaited)
          visit({earlier.touch, later.touch});
      }
    };
    meet(writes);
    if (next.isWrite) {
      meet(reads);
      visit({next.touch, next.touch});
    }
    (next.isWrite ? writes : reads).push_back(next);
  }
}

bool Checker::isOrdered(const Touch &earlier, const Touch &later) const {
  const llvm::BitVector &tasks = before[firstTask[later.launch] + later.task];
  return !tasks.empty() && tasks.test(firstTask[earlier.launch] + earlier.task);
}

void Checker::emitConflict(const Touch &earlier, const Touch &later) const {
  task::LaunchOp op = graph.getLaunches()[later.launch].op;
  StringRef what = !earlier.isWrite ? "reads" : "writes";
  auto diag = op.emitError("E9: ")
              << graph.describe(later.launch, later.task) << " "
              << (later.isWrite ? "writes" : "reads") << " what "
              << graph.describe(earlier.launch, earlier.task) << " " << what
              << ", and no event orders them";
  diag.attachNote(
      task::LaunchOp(graph.getLaunches()[earlier.launch].op).getLoc())
      << "the earlier launch is here";
}

LogicalResult Checker::checkConflicts() {
  for (auto &[memory, touches] : getTouches([](Value base) { return base; })) {
    std::optional<Pair> first; // in program order of the later task
    forEachConflict(touches, /*inOneStep=*/true, [&](Pair pair) {
      const Touch &earlier = touches[pair.first], &later = touches[pair.second];
      if (earlier.launch == later.launch &&
          (earlier.task == later.task ||
           (earlier.isDisjoint && earlier.operand == later.operand)))
        return;
      auto isBefore = [](Pair a, Pair b) {
        return std::tie(a.second, a.first) < std::tie(b.second, b.first);
      };
      if (!isOrdered(earlier, later) && (!first || isBefore(pair, *first)))
        first = pair;
    });
    if (!first)
      continue;
    emitConflict(touches[first->first], touches[first->second]);
    return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// E12: this step and the next
//===----------------------------------------------------------------------===//

/// The tasks that come before the next step, and those that come after the one
/// before, by the carried event.
std::pair<llvm::BitVector, llvm::BitVector> Checker::getStepOrder() const {
  llvm::BitVector ending(numTasks), waiting(numTasks);
  for (auto [l, launch] : llvm::enumerate(graph.getLaunches()))
    for (int64_t task = firstTask[l]; task < firstTask[l] + launch.numTasks;
         ++task) {
      if (launch.waitsForStep)
        waiting.set(task);
      if (!launch.notifiesStep)
        continue;
      ending.set(task);
      ending |= before[task];
    }
  llvm::BitVector following = waiting;
  for (int64_t task = 0; task < numTasks; ++task)
    if (before[task].anyCommon(waiting))
      following.set(task);
  return {ending, following};
}

/// An output's bytes may be those of any input of its element type in the next
/// step, and the other way round, so they are one memory here.
static Value getCarriedMemory(Value memory) {
  auto argument =
      memory ? memory.getDefiningOp<task::ArgumentOp>() : task::ArgumentOp();
  auto isPassedOn = [](task::ArgumentOp op) {
    return op.getRole() == task::Role::input ||
           op.getRole() == task::Role::output;
  };
  if (!argument || !isPassedOn(argument))
    return memory;
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  for (auto other :
       argument->getParentOfType<task::GraphOp>().getOps<task::ArgumentOp>())
    if (isPassedOn(other) &&
        cast<MemRefType>(other.getBuffer().getType()).getElementType() ==
            element)
      return other.getBuffer();
  return memory;
}

void Checker::emitStepConflict(const Touch &earlier, const Touch &later) const {
  task::LaunchOp op = graph.getLaunches()[later.launch].op;
  op.emitError("E12: in the next step, ")
      << graph.describe(later.launch, later.task) << " "
      << (later.isWrite ? "writes" : "reads") << " what "
      << graph.describe(earlier.launch, earlier.task) << " "
      << (earlier.isWrite ? "writes" : "reads")
      << " in this one, and the carried event does not order them";
}

/// Calls `visit` for every two touches that may be of the same bytes in steps
/// that follow each other, one of them a write: where in one argument another
/// lies is the caller's choice.
static void forEachStepConflict(ArrayRef<Touch> touches,
                                ArrayRef<Value> arguments,
                                llvm::function_ref<void(Pair)> visit) {
  forEachConflict(touches, /*inOneStep=*/false, visit);
  if (llvm::all_equal(arguments))
    return;
  for (unsigned a = 0; a < touches.size(); ++a)
    if (touches[a].isWrite && !touches[a].ranges.empty())
      for (unsigned b = 0; b < touches.size(); ++b)
        if (arguments[a] != arguments[b] && !touches[b].ranges.empty())
          visit(std::minmax(a, b));
}

LogicalResult Checker::checkSteps() {
  if (llvm::none_of(graph.getEvents(), [](const ConcreteGraph::Event &event) {
        return event::CreateOp(event.op).getReuse() == event::Reuse::carried;
      }))
    return success();
  auto [ending, following] = getStepOrder();
  auto numberOf = [&](const Touch &touch) {
    return firstTask[touch.launch] + touch.task;
  };
  auto memoryOf = [&](const Touch &touch) {
    return getMemory(graph.getLaunches()[touch.launch].operands[touch.operand]);
  };
  for (auto &[memory, touches] : getTouches(getCarriedMemory)) {
    std::vector<char> ends, follows;
    std::vector<Value> arguments;
    for (const Touch &touch : touches) {
      ends.push_back(ending.test(numberOf(touch)));
      follows.push_back(following.test(numberOf(touch)));
      arguments.push_back(memoryOf(touch));
    }
    // What every step does with it is ordered as a whole.
    if (!llvm::is_contained(ends, 0) && !llvm::is_contained(follows, 0))
      continue;
    std::optional<Pair> first; // the earlier step's, the later step's
    auto check = [&](Pair pair) {
      if (ends[pair.first] && follows[pair.second])
        return;
      // Readers of tagged memory wait for the words themselves.
      bool waits =
          touches[pair.first].isTagged && !touches[pair.second].isWrite;
      if (!waits && (!first || pair < *first))
        first = pair;
    };
    forEachStepConflict(touches, arguments, [&](Pair pair) {
      check(pair);
      check({pair.second, pair.first});
    });
    if (!first)
      continue;
    emitStepConflict(touches[first->first], touches[first->second]);
    return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// E11, which asks for no values: sizes are those at the symbols' maxima
//===----------------------------------------------------------------------===//

namespace {
/// The bytes of a placed scratch buffer and the launches that use it.
struct Placed {
  task::ScratchOp buffer;
  ByteRange bytes;
  unsigned first, last; // launches, in program order
};
} // namespace

static FailureOr<SmallVector<Placed>> getPlaced(task::GraphOp graph) {
  SmallVector<int64_t> maxima = getSymbolMaxima(graph);
  llvm::MapVector<Value, Placed> placed;
  for (auto [l, launch] : llvm::enumerate(graph.getLaunches()))
    for (const analysis::BufferAccess &access :
         analysis::getBufferAccesses(launch)) {
      auto scratch = access.buffer.getDefiningOp<task::ScratchOp>();
      if (!scratch || !scratch.getOffset())
        continue;
      FailureOr<int64_t> bytes = getBufferBytes(access.buffer, maxima);
      if (failed(bytes))
        return failure();
      int64_t begin = *scratch.getOffset();
      Placed use{scratch, {begin, begin + *bytes}, unsigned(l), unsigned(l)};
      placed.try_emplace(access.buffer, use).first->second.last = l;
    }
  return llvm::to_vector(llvm::make_second_range(placed));
}

/// Events that order two uses of the same bytes are no help if the second use
/// comes while the first buffer is still to be read.
static LogicalResult checkLifetimes(task::GraphOp graph) {
  FailureOr<SmallVector<Placed>> placed = getPlaced(graph);
  if (failed(placed))
    return failure();
  for (Placed &a : *placed)
    for (Placed &b : *placed) {
      if (a.first > b.first || a.buffer == b.buffer || b.first > a.last ||
          a.bytes.end <= b.bytes.begin || b.bytes.end <= a.bytes.begin)
        continue;
      auto diag = b.buffer.emitError("E11: scratch buffer '")
                  << b.buffer.getName() << "' is used from launch " << b.first
                  << " on, in bytes of '" << a.buffer.getName()
                  << "', which is used up to launch " << a.last;
      diag.attachNote(a.buffer.getLoc()) << "the other buffer is here";
      return diag;
    }
  return success();
}

//===----------------------------------------------------------------------===//
// T16: who writes tagged memory
//===----------------------------------------------------------------------===//

/// A reader takes the words of whoever wrote them, so one launch does, and it
/// stands before all readers: workers run launches in their order.
static LogicalResult checkTaggedWriters(task::GraphOp graph) {
  llvm::DenseMap<Value, task::LaunchOp> writers;
  for (task::LaunchOp launch : graph.getLaunches()) {
    for (Value buffer : launch.getReads())
      if (task::isTagged(buffer.getType()) &&
          !writers.contains(analysis::getBaseBuffer(buffer)))
        return launch.emitError(
            "T16: reads tagged memory that no launch before it writes");
    for (Value buffer : launch.getWrites()) {
      if (!task::isTagged(buffer.getType()))
        continue;
      auto [writer, isNew] =
          writers.try_emplace(analysis::getBaseBuffer(buffer), launch);
      if (isNew)
        continue;
      auto diag =
          launch.emitError("T16: writes tagged memory that another "
                           "launch writes: readers would take either's");
      diag.attachNote(writer->second.getLoc()) << "the other launch is here";
      return diag;
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct VerifyEvents : etc::impl::VerifyEventsPassBase<VerifyEvents> {
  using VerifyEventsPassBase::VerifyEventsPassBase;
  void runOnOperation() override;

private:
  /// Assignments of the symbols to try, without repetitions.
  SmallVector<SmallVector<int64_t>> getAssignments();
  bool isTooLarge(const ConcreteGraph &graph);
};
} // namespace

/// A task that waits has a bit for each of the others.
bool VerifyEvents::isTooLarge(const ConcreteGraph &graph) {
  int64_t waiting = 0;
  for (const ConcreteGraph::Launch &launch : graph.getLaunches()) {
    auto orders = [&](const ConcreteGraph::Edge &edge) {
      event::CreateOp event = graph.getEvents()[edge.event].op;
      return !analysis::isDataEdge(event.getTensor());
    };
    if (llvm::any_of(launch.waits, orders))
      waiting += launch.numTasks;
  }
  return waiting > maxTasks || graph.getNumTasks() > 4 * maxTasks;
}

SmallVector<SmallVector<int64_t>> VerifyEvents::getAssignments() {
  task::GraphOp graph = getOperation();
  SmallVector<int64_t> points(values.begin(), values.end());
  if (points.empty()) {
    points = {1, 2, 3};
    for (auto symbol : graph.getSymbols().getAsRange<task::SymbolAttr>())
      points.push_back(symbol.getMax());
  }
  SmallVector<SmallVector<int64_t>> assignments;
  for (int64_t point : points) {
    SmallVector<int64_t> assignment;
    for (auto symbol : graph.getSymbols().getAsRange<task::SymbolAttr>())
      assignment.push_back(std::clamp(point, symbol.getMin(), symbol.getMax()));
    if (!llvm::is_contained(assignments, assignment))
      assignments.push_back(assignment);
  }
  return assignments;
}

void VerifyEvents::runOnOperation() {
  std::string checked;
  llvm::raw_string_ostream os(checked);
  unsigned numChecked = 0;
  if (failed(checkTaggedWriters(getOperation())) ||
      failed(checkLifetimes(getOperation())))
    return signalPassFailure();
  for (ArrayRef<int64_t> assignment : getAssignments()) {
    FailureOr<ConcreteGraph> graph =
        ConcreteGraph::build(getOperation(), assignment);
    if (failed(graph))
      return signalPassFailure();
    os << " (";
    llvm::interleaveComma(assignment, os);
    os << "): " << graph->getNumTasks() << " tasks";
    if (isTooLarge(*graph)) {
      os << ", skipped;";
      continue;
    }
    os << ";";
    if (failed(Checker(*graph).run()))
      return signalPassFailure();
    ++numChecked;
  }
  if (numChecked == 0)
    getOperation().emitWarning("verify-events: checked nothing, for the graph "
                               "is too large for max-tasks = ")
        << maxTasks.getValue() << ":" << checked;
  if (report)
    getOperation().emitRemark("verify-events: checked at") << checked;
  markAllAnalysesPreserved();
}
