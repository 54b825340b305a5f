//===- Target.cpp - What the cost model knows of a machine
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/Target.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace etc;

namespace {
/// Reads members of an object, and notes the first that is not as it should be.
class Reader {
public:
  explicit Reader(const llvm::json::Object &object) : object(object) {}

  double number(StringRef key) {
    std::optional<double> value = object.getNumber(key);
    if (!value || *value <= 0)
      note(key);
    return value.value_or(0);
  }
  std::string text(StringRef key) {
    std::optional<StringRef> value = object.getString(key);
    if (!value)
      note(key);
    return value.value_or("").str();
  }
  void note(StringRef key) {
    if (wrong.empty())
      wrong = key.str();
  }
  /// The key of the first wrong member; empty if all is well.
  std::string wrong;

private:
  const llvm::json::Object &object;
};
} // namespace

/// The object that a member is, null without the member; else it is wrong.
static const llvm::json::Object *findObject(const llvm::json::Object &object,
                                            StringRef key, Reader &reader) {
  const llvm::json::Value *value = object.get(key);
  const llvm::json::Object *found = value ? value->getAsObject() : nullptr;
  if (value && !found)
    reader.note(key);
  return found;
}

/// The operators by name, without their dialect.
static void readOperators(const llvm::json::Object &object, Target &target,
                          Reader &reader) {
  const llvm::json::Object *operators =
      findObject(object, "operator_ns", reader);
  if (!operators)
    return;
  for (const auto &[name, ns] : *operators) {
    std::optional<double> number = ns.getAsNumber();
    if (!number || *number < 0)
      reader.note("operator_ns." + name.str());
    target.operatorNs[name.str()] = number.value_or(0);
  }
}

static void readRing(const llvm::json::Object &object, Target &target,
                     Reader &reader) {
  const llvm::json::Object *ring = findObject(object, "ring", reader);
  if (!ring)
    return;
  Reader members(*ring);
  target.ring.bytes = target.sharedMemoryBytes - members.number("kept_bytes");
  target.ring.fetchNs = members.number("fetch_ns");
  target.ring.resumeNs = members.number("resume_ns");
  target.ring.drainBytesPerNs = members.number("drain_bytes_per_s") * 1e-9;
  if (ring->get("alone_bytes_per_s"))
    target.ring.aloneBytesPerNs = members.number("alone_bytes_per_s") * 1e-9;
  if (ring->get("spread"))
    target.ring.spread = members.number("spread");
  // A worker that is served least is still served.
  if (target.ring.spread >= 1)
    members.note("spread");
  if (target.ring.bytes <= 0)
    members.note("kept_bytes");
  if (!members.wrong.empty())
    reader.note("ring." + members.wrong);
}

FailureOr<Target> Target::load(StringRef path, Location loc) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return emitError(loc) << "cannot read target description '" << path
                          << "': " << file.getError().message();
  llvm::Expected<llvm::json::Value> json =
      llvm::json::parse((*file)->getBuffer());
  if (!json)
    return emitError(loc) << "target description '" << path
                          << "': " << llvm::toString(json.takeError());
  const llvm::json::Object *object = json->getAsObject();
  if (!object)
    return emitError(loc) << "target description '" << path
                          << "' is not an object";

  Target target;
  Reader reader(*object);
  target.name = reader.text("name");
  target.workers = reader.number("workers");
  target.sharedMemoryBytes = reader.number("shared_memory_bytes");
  target.bandwidthBytesPerNs = reader.number("bandwidth_bytes_per_s") * 1e-9;
  target.workerBytesPerNs = reader.number("worker_bytes_per_s") * 1e-9;
  if (object->get("cache_bytes_per_s"))
    target.cacheBytesPerNs = reader.number("cache_bytes_per_s") * 1e-9;
  if (object->get("notify_ns"))
    target.notifyNs = reader.number("notify_ns");
  target.l2LatencyNs = reader.number("l2_latency_ns");
  target.counterHopNs = reader.number("counter_hop_ns");
  target.dataHopNs = reader.number("data_hop_ns");
  target.dispatchNs = reader.number("dispatch_ns");
  readOperators(*object, target, reader);
  readRing(*object, target, reader);
  if (!reader.wrong.empty())
    return emitError(loc) << "target description '" << path << "': '"
                          << reader.wrong << "' is missing or out of range";
  return target;
}
