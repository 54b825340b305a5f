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
  problem.events = {"E"};
  problem.entries = {{0, 0, 1, /*hopNs=*/10}, {0, 1, 1, /*hopNs=*/10}};
  problem.launches.resize(2);
  for (Launch &launch : problem.launches)
    launch.numTasks = 2;
  problem.launches[0].name = "first";
  problem.launches[0].taskNs = 100;
  problem.launches[0].notifies = {{0, 1}};
  problem.launches[1].name = "second";
  problem.launches[1].taskNs = 1;
  problem.launches[1].waits = {{0, 1}};
  return problem;
}

static void checkByHand() {
  Problem problem = makeChain();
  print("chain", problem.check());
  Schedule schedule = scheduleRoundRobin(problem);
  print("round-robin", problem.verify(schedule));
  print("progress", problem.verifyProgress(schedule));

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

static void printMakespan(const char *what, const Problem &problem) {
  std::printf("%s: %.1f\n", what,
              problem.getMakespanNs(scheduleRoundRobin(problem)));
}

static void printSpan(const char *what, const Problem &problem) {
  Problem::Span span = problem.predict(scheduleRoundRobin(problem))[1];
  std::printf("%s: %.0f to %.0f\n", what, span.startNs, span.endNs);
}

static void checkCosts() {
  // 100 for the first task, 10 for the hop, 1 for the second.
  Problem problem = makeChain();
  printMakespan("chain", problem);
  problem.entries[1].hopNs = 25;
  printMakespan("slower hop", problem);
  // Dispatch delays the first task, and is over before the hop is.
  problem.dispatchNs = 3;
  printMakespan("dispatch", problem);
  problem = makeChain();
  problem.numWorkers = 1;
  problem.launches[0].runNs = 7; // once for both tasks
  printMakespan("run", problem);
  printSpan("span", problem);
}

/// Two workers have 2 bytes a ns together, one alone at most 1.5. The second
/// tasks may start at 10 and take 1 ns more than their bytes.
static void checkTimeline() {
  Problem problem = makeChain();
  problem.launches[0].taskNs = 0;
  problem.launches[1].streamBytes = 300;
  problem.loader = {/*ringBytes=*/1000, /*fetchNs=*/100, /*resumeNs=*/0,
                    /*fetchBytesPerNs=*/1, /*drainBytesPerNs=*/1000};
  problem.loader.together = 2;
  problem.loader.alone = 1.5;
  // 300 bytes at 1 a ns, and 100 on the way: 400.
  printSpan("together", problem);
  // Each may ask for half a byte a ns.
  problem.launches[1].paceBytesPerNs = 0.5;
  printSpan("paced", problem);
  problem.launches[1].paceBytesPerNs = 0;
  // The launch begins with its first task, also where the other begins later.
  problem.entries[1].hopNs = 30;
  printSpan("one later", problem);
  problem.entries[1].hopNs = 10;
  // The one that is served faster has all at 200 at the earliest; then the
  // other has 100, and 200 to come at 1.5: at 434 at the latest.
  problem.loader.spread = 1;
  printSpan("apart", problem);
  // Both tasks on one worker: 600 at 1.5 a ns, and 100.
  problem.loader.spread = 0;
  problem.numWorkers = 1;
  printSpan("alone", problem);
  // The ring has room for 90, which come once in 100 and a step of 20: 600 in
  // 800, and the first 60 later.
  problem.loader.ringBytes = 90;
  printSpan("small ring", problem);
  // Nothing that streams: 0 and the hop, as without a timeline.
  problem = makeChain();
  problem.loader.ringBytes = 1000;
  problem.loader.together = 2;
  printSpan("nothing", problem);
}

/// The second task takes 80 bytes, which arrive at 1 a ns and are taken at 10.
static void checkStream() {
  Problem problem = makeChain();
  problem.launches[1].streamBytes = 80;
  problem.loader = {/*ringBytes=*/1000, /*fetchNs=*/5, /*resumeNs=*/5,
                    /*fetchBytesPerNs=*/1, /*drainBytesPerNs=*/10};
  // All have arrived when the hop is over, at 110: 8 to take them, 1 besides.
  printMakespan("ahead", problem);
  // Asked for at 10, the last of 12 pieces arrives at 150; 1.25 to take it, 1.
  problem.launches[1].streamBytes = 150;
  problem.loader.ringBytes = 100;
  problem.loader.fetchNs = 0;
  problem.launches[0].taskNs = 0;
  printMakespan("late", problem);
  // 40 of 80 have room; each 5 of the others come 5 ns after the one before,
  // the first of them 5 after the first 5 left, at 110.5: 120.5 + 35, 0.5, 1.
  problem = makeChain();
  problem.launches[1].streamBytes = 80;
  problem.loader = {40, 5, 5, 1, 10};
  printMakespan("small ring", problem);
  // Idle since 40, the loader takes 15 more to begin again, once.
  problem.loader.resumeNs = 20;
  printMakespan("resumes", problem);
  // Asked for from 10 on, the stream never stops.
  problem.launches[0].taskNs = 0;
  printMakespan("busy", problem);
  problem.launches[0].taskNs = 100;
  problem.loader.ringBytes = 0;
  printMakespan("no ring", problem);
}

/// The order of a worker's stream is that of its tasks: what a task without a
/// wait streams delays what the next one needs.
static void checkOrder() {
  Problem problem = makeChain();
  problem.loader = {1000, 5, 5, 1, 10};
  problem.launches[0].streamBytes = 60;
  problem.launches[0].taskNs = 0;
  problem.launches[1].streamBytes = 80;
  problem.entries[0].hopNs = problem.entries[1].hopNs = 0;
  // The 80 arrive behind the 60, at 140; 8 to take them, 1.
  printMakespan("in order", problem);
}

/// Launches whose tasks wait for random entries that earlier ones notify.
static Problem makeRandom(std::mt19937 &random) {
  auto upTo = [&](int64_t last) { return int64_t(random() % (last + 1)); };
  Problem problem;
  problem.numWorkers = 1 + upTo(6);
  problem.loader = {double(upTo(1) * 64), double(upTo(50)), double(upTo(50)), 2,
                    4};
  problem.events = {"E"};
  size_t notified = 0; // entries of launches so far
  for (int64_t l = 0, e = 1 + upTo(5); l < e; ++l) {
    Launch launch;
    launch.name = "random";
    launch.numTasks = upTo(20);
    launch.streamBytes = upTo(100);
    launch.taskNs = 1 + upTo(50);
    launch.runNs = upTo(20);
    std::vector<int32_t> waits, notifies;
    int64_t mine = problem.entries.size(), numMine = 1 + upTo(4);
    for (int64_t i = 0; i < numMine; ++i)
      problem.entries.push_back({0, mine + i, 0, double(upTo(100))});
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
    work +=
        launch.numTasks *
        (launch.taskNs + launch.streamBytes / problem.loader.drainBytesPerNs);
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
  checkCosts();
  checkTimeline();
  checkStream();
  checkOrder();
  checkRandom();
}
