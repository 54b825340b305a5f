//===- EventGraph.h - A task graph at given symbol values
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a step of a task.graph does once its symbols have values: the tasks of
// every launch, the event entries that they wait for and notify, and the parts
// of the buffers that they touch. Read only; verifiers and schedulers ask it.
//
// The tasks of a launch are numbered row major in its grid.
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_ANALYSIS_EVENTGRAPH_H
#define ETC_LIB_ANALYSIS_EVENTGRAPH_H

#include "dialects/event/EventOps.h"
#include "dialects/task/TaskOps.h"
#include <vector>

namespace etc {

/// The results of an affine map with positive divisors (see `isEvaluable`).
llvm::SmallVector<int64_t> evaluateMap(mlir::AffineMap map,
                                       llvm::ArrayRef<int64_t> dims,
                                       llvm::ArrayRef<int64_t> symbols);

/// Whether `evaluateMap` is defined: no division by a symbol or by less than 1,
/// and no more symbols than there are.
bool isEvaluable(mlir::AffineMap map, unsigned numSymbols);

/// The tasks of a launch where all symbols have this value.
int64_t countTasks(task::LaunchOp launch, int64_t symbolValue);

/// The number of a point in a row-major grid, and back.
int64_t linearize(llvm::ArrayRef<int64_t> point,
                  llvm::ArrayRef<int64_t> extents);
llvm::SmallVector<int64_t> delinearize(int64_t number,
                                       llvm::ArrayRef<int64_t> extents);

/// Half-open ranges, one per dimension of a buffer.
struct Box {
  llvm::SmallVector<int64_t, 4> begin, end;
  int64_t getVolume() const;
  bool overlaps(const Box &other) const;
};

class ConcreteGraph {
public:
  struct Edge {
    unsigned event; // position in getEvents()
    mlir::AffineMap map;
  };
  struct Operand {
    mlir::Value buffer;
    task::RegionAttr region;
    llvm::SmallVector<int64_t> extents; // of the buffer
    bool isWritten, isDisjoint;
  };
  struct Launch {
    task::LaunchOp op;
    llvm::SmallVector<int64_t> grid;
    int64_t numTasks;
    llvm::SmallVector<Edge, 2> waits, notifies; // within a step
    bool waitsForStep, notifiesStep;            // by a carried event
    llvm::SmallVector<Operand, 4> operands; // reads, then writes
  };
  struct Event {
    event::CreateOp op;
    llvm::SmallVector<int64_t> shape;
    int64_t numEntries;
    int64_t count;
    std::vector<int64_t> arrivals; // notifies of each entry in one step
  };

  /// Evaluates `graph`; emits an error where it has no meaning at these values:
  /// an entry outside of its event tensor, a negative extent, a map that is not
  /// affine. Does not check counts: that is for `verify-events`.
  static mlir::FailureOr<ConcreteGraph>
  build(task::GraphOp graph, llvm::ArrayRef<int64_t> symbolValues);

  task::GraphOp getGraph() const { return graph; }
  llvm::ArrayRef<int64_t> getSymbolValues() const { return symbols; }
  llvm::ArrayRef<Launch> getLaunches() const { return launches; }
  llvm::ArrayRef<Event> getEvents() const { return events; }
  int64_t getNumTasks() const;

  llvm::SmallVector<int64_t> getCoordinates(unsigned launch,
                                            int64_t task) const {
    return delinearize(task, launches[launch].grid);
  }
  /// The row-major number of the entry that wait `wait` of the task names.
  int64_t entryOf(unsigned launch, unsigned wait, int64_t task) const;
  /// The same for a notify.
  int64_t notifiedEntryOf(unsigned launch, unsigned notify, int64_t task) const;
  /// The part of operand `operand` that the task touches, clipped.
  Box boxOf(unsigned launch, unsigned operand, int64_t task) const;
  /// Sizes in bytes of what the task reads and writes.
  int64_t bytesOf(unsigned launch, int64_t task) const;
  bool hasAffinity(unsigned launch) const;
  /// The worker that must run the task of a launch with an affinity.
  int64_t affinityOf(unsigned launch, int64_t task, int64_t numWorkers) const;
  /// "launch 3 (@body) task 5 (1, 2)", for diagnostics.
  std::string describe(unsigned launch, int64_t task) const;

private:
  mlir::LogicalResult addEvent(event::CreateOp op);
  mlir::LogicalResult addLaunch(task::LaunchOp op);
  mlir::LogicalResult addEdges(Launch &launch, llvm::StringRef what,
                               mlir::OperandRange tensors, mlir::ArrayAttr maps,
                               llvm::SmallVectorImpl<Edge> &edges);
  mlir::LogicalResult addOperands(Launch &launch, mlir::OperandRange buffers,
                                  mlir::ArrayAttr regions, bool isWritten);
  int64_t entry(const Edge &edge, unsigned launch, int64_t task) const;

  task::GraphOp graph;
  llvm::SmallVector<int64_t> symbols;
  std::vector<Launch> launches;
  std::vector<Event> events;
  llvm::DenseMap<mlir::Operation *, unsigned> eventNumbers;
};

/// The extents of a buffer of the graph: an argument, a scratch or a reshaping
/// view of one.
mlir::FailureOr<llvm::SmallVector<int64_t>>
getExtents(mlir::Value buffer, llvm::ArrayRef<int64_t> symbolValues);

/// The bytes of such a buffer.
mlir::FailureOr<int64_t> getBufferBytes(mlir::Value buffer,
                                        llvm::ArrayRef<int64_t> symbolValues);

/// The greatest value of each symbol.
llvm::SmallVector<int64_t> getSymbolMaxima(task::GraphOp graph);

} // namespace etc

#endif // ETC_LIB_ANALYSIS_EVENTGRAPH_H
