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
  StringRef missing;
  auto number = [&](StringRef key) {
    std::optional<double> value = object->getNumber(key);
    if ((!value || *value <= 0) && missing.empty())
      missing = key;
    return value.value_or(0);
  };
  std::optional<StringRef> name = object->getString("name");
  if (!name)
    missing = "name";
  target.name = name.value_or("").str();
  target.workers = number("workers");
  target.sharedMemoryBytes = number("shared_memory_bytes");
  target.bandwidthBytesPerNs = number("bandwidth_bytes_per_s") * 1e-9;
  target.workerBytesPerNs = number("worker_bytes_per_s") * 1e-9;
  target.l2LatencyNs = number("l2_latency_ns");
  target.hopNs = number("hop_ns");
  target.dispatchNs = number("dispatch_ns");
  if (!missing.empty())
    return emitError(loc) << "target description '" << path << "': '" << missing
                          << "' is missing or not positive";
  return target;
}
