//===- SchedulingTest.cpp - Problems and schedules that no graph makes
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints what the checks say of hand-made problems, then whether random ones
// are scheduled right by every policy. test/lit/Scheduling/problem.mlir reads
// it.
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Algorithms.h"
#include <algorithm>
#include <cstdio>
#include <random>

using namespace etc::scheduling;

static void print(const char *what, const Violation &violation) {
  std::printf("%s: %s\n", what, violation ? violation->c_str() : "none");
}

/// Two launches of two tasks; task i of the second waits for task i of the
/// first.
static Problem makeChain() {
  Problem problem;
  problem.numWorkers = 2;
  problem.hopNs = 10;
  problem.events = {"E"};
  problem.entries = {{0, 0, 1}, {0, 1, 1}};
  problem.launches.resize(2);
  for (Launch &launch : problem.launches)
    launch.numTasks = 2;
  problem.launches[0].name = "first";
  problem.launches[0].lateNs = 100;
  problem.launches[0].notifies = {{0, 1}};
  problem.launches[1].name = "second";
  problem.launches[1].earlyNs = 105;
  problem.launches[1].lateNs = 1;
  problem.launches[1].waits = {{0, 1}};
  return problem;
}

static void checkByHand() {
  Problem problem = makeChain();
  print("chain", problem.check());
  Schedule schedule = scheduleRoundRobin(problem);
  print("round-robin", problem.verify(schedule));
  print("progress", problem.verifyProgress(schedule));
  // 100 for the first task, 105 for the stream, 1 for the rest; the hop is
  // over.
  std::printf("makespan: %.0f\n", problem.getMakespanNs(schedule));

  problem.launches[0].notifies[0][1] = 2;
  print("entry", problem.check());
  problem = makeChain();
  problem.launches[1].affinity = {0, 2};
  print("affinity", problem.check());
  problem = makeChain();
  problem.entries[1].count = 2;
  print("count", problem.check());
  problem = makeChain();
  problem.numWorkers = 0;
  print("workers", problem.check());
  print("size", makeChain().verify(Schedule(3)));
}

/// Launches whose tasks wait for random entries that earlier ones notify.
static Problem makeRandom(std::mt19937 &random) {
  auto upTo = [&](int64_t last) { return int64_t(random() % (last + 1)); };
  Problem problem;
  problem.numWorkers = 1 + upTo(6);
  problem.hopNs = upTo(100);
  problem.events = {"E"};
  size_t notified = 0; // entries of launches so far
  for (int64_t l = 0, e = 1 + upTo(5); l < e; ++l) {
    Launch launch;
    launch.name = "random";
    launch.numTasks = upTo(20);
    launch.earlyNs = upTo(50);
    launch.lateNs = 1 + upTo(50);
    std::vector<int32_t> waits, notifies;
    int64_t mine = problem.entries.size(), numMine = 1 + upTo(4);
    for (int64_t i = 0; i < numMine; ++i)
      problem.entries.push_back({0, mine + i, 0});
    for (int64_t task = 0; task < launch.numTasks; ++task) {
      bool isFree = notified == 0 || upTo(3) == 0;
      waits.push_back(isFree ? Launch::kNone : upTo(notified - 1));
      notifies.push_back(mine + upTo(numMine - 1));
      ++problem.entries[notifies.back()].count;
      if (l % 2 == 1)
        launch.affinity.push_back(upTo(problem.numWorkers - 1));
    }
    notified = problem.entries.size();
    launch.waits = {waits};
    launch.notifies = {notifies};
    problem.launches.push_back(launch);
  }
  return problem;
}

/// What no schedule can beat: the work over the workers.
static double getBoundNs(const Problem &problem) {
  double work = 0;
  for (const Launch &launch : problem.launches)
    work += launch.numTasks * launch.lateNs;
  return work / problem.numWorkers;
}

static void checkRandom() {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    Problem problem = makeRandom(random);
    for (auto policy : {scheduleRoundRobin, scheduleList}) {
      Schedule schedule = policy(problem);
      Violation violation = problem.check();
      for (Violation more :
           {problem.verify(schedule), problem.verifyProgress(schedule)})
        if (!violation)
          violation = more;
      if (violation ||
          problem.getMakespanNs(schedule) < getBoundNs(problem) - 1e-6)
        return print("random", violation ? violation : "beats the bound");
    }
    // Backwards, a worker waits for what stands behind it.
    Schedule backwards = scheduleRoundRobin(problem);
    for (std::vector<Run> &runs : backwards.workers)
      std::reverse(runs.begin(), runs.end());
    bool ascends = !problem.verify(backwards);
    if (ascends && problem.verifyProgress(backwards))
      return print("random", "ascending launches stopped");
  }
  print("random", std::nullopt);
}

int main() {
  checkByHand();
  checkRandom();
}
