#pragma once
// One measurement each, of one peer, for a slice of time. A caller alternates slices of several peers.

#include <cstddef>
#include <memory>
#include <vector>

#include "peer.hpp"
#include "spent.hpp"

namespace lockstep::bench {

/// What the two sides of something cost, or what comes in and goes out: seconds, calls, bytes.
struct Sides {
  double first = 0;   ///< client; sealing
  double second = 0;  ///< server; opening
};

/// How long a slice lasts: at least `seconds`, and at least `least` times.
struct Slice {
  double seconds = 0.02;
  std::size_t least = 5;
};

struct Connected {
  std::unique_ptr<End> client;
  std::unique_ptr<End> server;
};

/// A handshake until neither side has anything to say. Throws std::runtime_error when it stalls.
[[nodiscard]] Connected connect(Peer& peer);

/// Makes sure that prepared connections are what the shape says, and warms up. Throws when they are not.
void rehearse(Peer& peer, const Shape& shape);

/// Seconds a side for one handshake, from making the connection to its end; the median.
[[nodiscard]] Sides measure_handshakes(Peer& peer, const Slice& slice);
/// Seconds a side for one handshake of `count` in flight: every client has its turn, then every server, and so on; the
/// median over rounds of that many. `done`, unless null: seconds from the beginning of a round to the end of each
/// handshake, all rounds.
[[nodiscard]] Sides measure_in_flight(Peer& peer, std::size_t count, const Slice& slice,
                                      std::vector<double>* done = nullptr);
/// The same without public-key operations; for the timed peer alone.
[[nodiscard]] Sides measure_own_cost(Peer& peer, const Slice& slice);

/// Seconds a side in one part of a handshake, and outside of all parts; for the timed peer while every part is timed.
[[nodiscard]] Sides measure_part(Peer& peer, Part part, const Slice& slice);
[[nodiscard]] Sides measure_rest(Peer& peer, const Slice& slice);

/// Seconds to seal and to open one record of `size` bytes; the median over batches of at most 128 records and 128 KiB,
/// which lie in L2.
[[nodiscard]] Sides measure_records(Connected& pair, std::size_t size, const Slice& slice);

/// Heap allocations a side for one handshake, from making the connection to its end.
[[nodiscard]] Sides count_handshake_allocations(Peer& peer);
/// Heap allocations to seal and to open one record.
[[nodiscard]] Sides count_record_allocations(Peer& peer, std::size_t size);
/// Bytes of heap that one connection holds on the server, when idle after the handshake; with `used` after it has also
/// received 1 KiB and sent 16 KiB.
[[nodiscard]] double measure_idle_heap(Peer& peer, bool used);

[[nodiscard]] double median(std::vector<double> values);

}  // namespace lockstep::bench
