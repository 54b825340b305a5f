//===- Stream.h - What a worker's loader fetches ahead
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_LIB_SCHEDULING_STREAM_H
#define ETC_LIB_SCHEDULING_STREAM_H

#include <deque>

namespace etc::scheduling {

/// The loader of each worker. Without a ring, bytes are fetched when asked for.
struct Loader {
  double ringBytes = 0;       // how far it may be ahead of the consumer
  double fetchNs = 0;         // from room in the ring to the first byte
  double resumeNs = 0;        // the same, where nothing was on its way
  double fetchBytesPerNs = 1; // a worker's share of the memory's bandwidth
  double drainBytesPerNs = 1; // how fast a worker takes what has arrived
  double together = 0;        // bytes per ns of all workers; 0: not shared
  double alone = 1;           // of one that the others leave room
  double spread = 0;          // how much more or less than its share one gets
};

/// The stream of one worker, across all of its tasks: bytes arrive in order,
/// from the start of the step, as far as the ring has room.
class Stream {
public:
  explicit Stream(const Loader &loader) : loader(loader) {}

  /// The worker takes the next `bytes` from `startNs`; when it has the last.
  double drain(double startNs, double bytes);

private:
  /// What was taken up to byte `end`, and when.
  struct Piece {
    double end, drainedNs;
  };
  /// When the next `bytes` have arrived.
  double fetch(double bytes);

  const Loader &loader;
  double position = 0;  // of the last byte that was fetched
  double arrivedNs = 0; // of that byte
  std::deque<Piece> ring;
};

} // namespace etc::scheduling

#endif // ETC_LIB_SCHEDULING_STREAM_H
