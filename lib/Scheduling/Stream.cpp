//===- Stream.cpp - What a worker's loader fetches ahead
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Scheduling/Stream.h"
#include <algorithm>

using namespace etc::scheduling;

/// Room is given back in pieces of the ring, as a kernel does by stages.
static constexpr int kPiecesOfRing = 8;

double Stream::fetch(double bytes) {
  position += bytes;
  while (!ring.empty() && ring.front().end < position - loader.ringBytes)
    ring.pop_front();
  if (position > loader.ringBytes) {
    double roomNs = ring.front().drainedNs;
    bool isIdle = roomNs > arrivedNs;
    double latencyNs = isIdle ? loader.resumeNs : loader.fetchNs;
    arrivedNs = std::max(arrivedNs, roomNs + latencyNs);
  }
  return arrivedNs += bytes / loader.fetchBytesPerNs;
}

double Stream::drain(double startNs, double bytes) {
  if (loader.ringBytes <= 0)
    return startNs + bytes / loader.fetchBytesPerNs;
  double now = startNs;
  while (bytes > 0) {
    double piece = std::min(bytes, loader.ringBytes / kPiecesOfRing);
    now = std::max(now, fetch(piece)) + piece / loader.drainBytesPerNs;
    ring.push_back({position, now});
    bytes -= piece;
  }
  return now;
}
