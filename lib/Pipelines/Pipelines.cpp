//===- Pipelines.cpp - The phases of the compiler as named pipelines -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pipeline per arrow of docs/Architecture.md, in its order. Each ends in a
// form that has a verifier, so what one phase leaves is what the next requires.
// `etc_mlir.compile` runs these and nothing else.
//
//===----------------------------------------------------------------------===//

#include "lib/Pipelines/Pipelines.h"
#include "dialects/task/TaskOps.h"
#include "lib/Codegen/Passes.h"
#include "lib/Conversion/Passes.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace etc;

namespace {

struct ImportOptions : PassPipelineOptions<ImportOptions> {};

struct DecomposeOptions : PassPipelineOptions<DecomposeOptions> {
  Option<int64_t> workers{*this, "workers", llvm::cl::init(8),
                          llvm::cl::desc("workers that the tasks are to fill")};
  ListOption<std::string> tile{*this, "tile",
                               llvm::cl::desc("tiles per kind of operator")};
  Option<bool> fuse{*this, "fuse", llvm::cl::init(false),
                    llvm::cl::desc("fold into projections what is around them")};
  Option<bool> wideResiduals{*this, "wide-residuals", llvm::cl::init(false),
                             llvm::cl::desc("keep the residual stream in f32")};
  Option<int64_t> linearRows{*this, "linear-rows", llvm::cl::init(0),
                             llvm::cl::desc("rows of a weight per task; 0: choose")};
  Option<int64_t> tokens{*this, "tokens", llvm::cl::init(1),
                         llvm::cl::desc("of the steps that should be fast")};
  Option<int64_t> sharedBytes{
      *this, "shared-bytes", llvm::cl::init(0),
      llvm::cl::desc("shared memory of one block; 0: none")};
};

struct HandoffsOptions : PassPipelineOptions<HandoffsOptions> {
  Option<bool> data{*this, "data", llvm::cl::init(true),
                    llvm::cl::desc("hand values over as data where tiles can")};
  Option<bool> stage{*this, "stage", llvm::cl::init(true),
                     llvm::cl::desc("keep inputs in shared memory for a run")};
  Option<bool> parts{*this, "parts", llvm::cl::init(true),
                     llvm::cl::desc("hint at keys and values before attention")};
  Option<bool> streamParts{
      *this, "stream-parts", llvm::cl::init(true),
      llvm::cl::desc("let keys and values cross the ring with the weights")};
  Option<bool> pace{*this, "pace", llvm::cl::init(true),
                    llvm::cl::desc("ask for weights at a steady pace")};
  Option<int64_t> workers{*this, "workers", llvm::cl::init(1),
                          llvm::cl::desc("number of workers")};
  Option<int64_t> tokens{*this, "tokens", llvm::cl::init(1),
                         llvm::cl::desc("of the steps that should be fast")};
  Option<std::string> target{*this, "target", llvm::cl::init(""),
                             llvm::cl::desc("path of a target description")};
};

struct EventsOptions : PassPipelineOptions<EventsOptions> {
  Option<bool> reuse{*this, "reuse", llvm::cl::init(true),
                     llvm::cl::desc("let scratch buffers share memory")};
  Option<bool> barriers{*this, "barriers", llvm::cl::init(false),
                        llvm::cl::desc("one barrier per operator")};
  Option<bool> steps{*this, "steps", llvm::cl::init(false),
                     llvm::cl::desc("several steps in a launch of the kernel")};
};

struct ScheduleOptions : PassPipelineOptions<ScheduleOptions> {
  Option<int64_t> workers{*this, "workers", llvm::cl::init(8),
                          llvm::cl::desc("number of workers")};
  Option<std::string> policy{*this, "policy", llvm::cl::init("round-robin"),
                             llvm::cl::desc("round-robin or list")};
  Option<std::string> target{*this, "target", llvm::cl::init(""),
                             llvm::cl::desc("path of a target description")};
  ListOption<std::string> buckets{*this, "buckets",
                                  llvm::cl::desc("bounds of the symbols")};
  Option<bool> prefetch{*this, "prefetch", llvm::cl::init(true),
                        llvm::cl::desc("load weights before the events")};
};

struct PersistentOptions : PassPipelineOptions<PersistentOptions> {
  ListOption<std::string> roles{*this, "roles",
                                llvm::cl::desc("worker, loader or consumer")};
  Option<bool> trace{*this, "trace", llvm::cl::init(true),
                     llvm::cl::desc("let the kernel record its tasks")};
  Option<bool> marks{
      *this, "marks", llvm::cl::init(true),
      llvm::cl::desc("note the task a worker is at, for the watchdog")};
};

struct CpuOptions : PassPipelineOptions<CpuOptions> {};

struct WeightsOptions : PassPipelineOptions<WeightsOptions> {};

struct GpuOptions : PassPipelineOptions<GpuOptions> {
  Option<std::string> chip{*this, "chip", llvm::cl::init("sm_90a"),
                           llvm::cl::desc("the architecture, as LLVM names it")};
  Option<std::string> features{*this, "features", llvm::cl::init("+ptx90"),
                               llvm::cl::desc("version of the PTX instruction set")};
  Option<int64_t> sharedBytes{*this, "shared-bytes", llvm::cl::init(232448),
                              llvm::cl::desc("shared memory of one block")};
  Option<int64_t> tokens{*this, "tokens", llvm::cl::init(1),
                         llvm::cl::desc("of the steps that should be fast")};
  Option<bool> prefetch{*this, "prefetch", llvm::cl::init(true),
                        llvm::cl::desc("copy weights ahead of their tasks")};
};

} // namespace

static void buildImport(OpPassManager &pm, const ImportOptions &) {
  pm.addPass(createConvertTorchToTaskPass());
  // Extents are `tensor.dim` of operands: one for each symbol is enough.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static void buildDecompose(OpPassManager &pm, const DecomposeOptions &options) {
  if (options.fuse) {
    FuseOperatorsPassOptions fuse;
    fuse.workers = options.workers;
    pm.addPass(createFuseOperatorsPass(fuse));
    if (options.wideResiduals)
      pm.addPass(createWidenResidualsPass());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
  }
  DecomposeToTasksPassOptions decompose;
  decompose.linearRows = options.linearRows;
  decompose.workers = options.workers;
  decompose.tokens = options.tokens;
  if (options.sharedBytes) {
    decompose.keptBytes = getMostKeptBytes(options.sharedBytes);
    // A ring takes what inputs leave; most of them leave that much.
    decompose.streamedBytes = getMostKeptBytes(options.sharedBytes);
  }
  llvm::append_range(decompose.tile, options.tile);
  pm.addPass(createDecomposeToTasksPass(decompose));
}

static void buildHandoffs(OpPassManager &pm, const HandoffsOptions &options) {
  // What streams takes its input word by word, so streams come first.
  PrefetchWeightsPassOptions prefetch;
  prefetch.parts = options.parts;
  pm.addPass(createPrefetchWeightsPass(prefetch));
  pm.addPass(createPackWeightsPass());
  StreamPartsPassOptions parts;
  parts.enabled = options.streamParts;
  pm.addPass(createStreamPartsPass(parts));
  StageActivationsPassOptions stage;
  stage.enabled = options.stage;
  stage.workers = options.workers;
  pm.addPass(createStageActivationsPass(stage));
  ChooseHandoffsPassOptions handoffs;
  handoffs.enabled = options.data;
  handoffs.tokens = options.tokens;
  handoffs.target = options.target;
  pm.addPass(createChooseHandoffsPass(handoffs));
  PaceStreamsPassOptions pace;
  pace.enabled = options.pace;
  pace.workers = options.workers;
  pace.target = options.target;
  pm.addPass(createPaceStreamsPass(pace));
}

static void buildEvents(OpPassManager &pm, const EventsOptions &options) {
  InferEventsPassOptions events;
  events.barriers = options.barriers;
  pm.addNestedPass<task::GraphOp>(createInferEventsPass(events));
  pm.addNestedPass<task::GraphOp>(createFuseEventsPass());
  // Renumbers tasks by the events they wait for, so it comes after fusion.
  pm.addPass(createLinearizeTasksPass());
  OpPassManager &graph = pm.nest<task::GraphOp>();
  // Sharing memory asks what the events order, so it comes after them; it adds
  // no order of its own.
  PlanGlobalMemoryPassOptions memory;
  memory.reuse = options.reuse;
  graph.addPass(createPlanGlobalMemoryPass(memory));
  OrderStepsPassOptions steps;
  steps.enabled = options.steps;
  graph.addPass(createOrderStepsPass(steps));
  // Last: it also asks whether buffers that share memory are kept apart.
  graph.addPass(createVerifyEventsPass());
}

static void buildSchedule(OpPassManager &pm, const ScheduleOptions &options) {
  // First: what is streamed overlaps a wait, which a policy may count on.
  PrefetchWeightsPassOptions prefetch;
  prefetch.enabled = options.prefetch;
  prefetch.parts = false; // for pipeline-handoffs to choose
  pm.addPass(createPrefetchWeightsPass(prefetch));
  ScheduleStaticPassOptions schedule;
  schedule.workers = options.workers;
  schedule.policy = options.policy;
  schedule.target = options.target;
  llvm::append_range(schedule.buckets, options.buckets);
  pm.addPass(createScheduleStaticPass(schedule));
  VerifySchedulePassOptions verify;
  verify.target = options.target;
  pm.addPass(createVerifySchedulePass(verify));
}

static void buildPersistent(OpPassManager &pm,
                            const PersistentOptions &options) {
  LowerToPersistentPassOptions lower;
  llvm::append_range(lower.roles, options.roles);
  lower.trace = options.trace;
  lower.marks = options.marks;
  pm.addPass(createJoinStepsPass());
  pm.addPass(createLowerToPersistentPass(lower));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createVerifyPersistentPass());
}

static void buildCpu(OpPassManager &pm, const CpuOptions &) {
  pm.addPass(createLowerTilesToLoopsPass());
  // Invariant loads and addresses leave the loops while they are loops.
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createCSEPass());
  buildCpuPipeline(pm);
}

static void buildWeights(OpPassManager &pm, const WeightsOptions &) {
  PrefetchWeightsPassOptions prefetch;
  prefetch.parts = false;
  pm.addPass(createPrefetchWeightsPass(prefetch));
  // Of what is streamed, what the tensor cores can take as it lies.
  pm.addPass(createPackWeightsPass());
}

static void buildGpu(OpPassManager &pm, const GpuOptions &options) {
  buildGpuPipeline(pm, {options.chip, options.features, options.sharedBytes,
                        options.tokens, options.prefetch});
}

void etc::registerPipelines() {
  PassPipelineRegistration<ImportOptions>(
      "pipeline-import", "An imported step to operators on tensors",
      buildImport);
  PassPipelineRegistration<DecomposeOptions>(
      "pipeline-decompose", "Operators on tensors to a graph of tasks",
      buildDecompose);
  PassPipelineRegistration<HandoffsOptions>(
      "pipeline-handoffs",
      "A graph of tasks to one that says what streams, what stays in shared "
      "memory and what is handed over as data, for a GPU",
      buildHandoffs);
  PassPipelineRegistration<EventsOptions>(
      "pipeline-events", "A graph of tasks to one ordered by events",
      buildEvents);
  PassPipelineRegistration<ScheduleOptions>(
      "pipeline-schedule", "Events to schedules, one per bucket",
      buildSchedule);
  PassPipelineRegistration<PersistentOptions>(
      "pipeline-persistent", "Schedules to the loop of a worker and its tables",
      buildPersistent);
  PassPipelineRegistration<CpuOptions>(
      "pipeline-cpu", "The loop of a worker to the LLVM dialect, for threads",
      buildCpu);
  PassPipelineRegistration<WeightsOptions>(
      "pipeline-weights",
      "Schedules to ones whose weights stream ahead of their tasks, for a GPU",
      buildWeights);
  PassPipelineRegistration<GpuOptions>(
      "pipeline-gpu",
      "The loader and the consumer of a worker to PTX, in a gpu.binary",
      buildGpu);
}
