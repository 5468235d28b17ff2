#include "measure.hpp"

#include <algorithm>

#include "heap.hpp"

namespace lockstep::bench {
namespace {

// NOLINTBEGIN: made once, so that no case finds them elsewhere in the cache than another
Wire to_server;
Wire to_client;
// NOLINTEND

/// Hands over what `meter` has advanced by since it was last asked.
template <class Meter>
class Laps {
 public:
  explicit Laps(Meter meter) : meter_(meter), last_(meter()) {}
  void add_to(double& side) {
    const double now = meter_();
    side += now - last_;
    last_ = now;
  }
  void skip() { last_ = meter_(); }

 private:
  Meter meter_;
  double last_;
};

enum class Afterwards : bool { keep, destroy };

template <class Meter>
Connected connect(Peer& peer, Sides& cost, Meter meter, Afterwards afterwards) {
  Connected pair;
  (void)to_server.take();
  (void)to_client.take();
  Laps laps(meter);
  pair.client = peer.client();
  pair.client->advance({}, to_server);
  peer.end_turn();
  laps.add_to(cost.first);
  pair.server = peer.server();
  laps.add_to(cost.second);
  while (!to_server.empty() || !to_client.empty()) {
    if (!to_server.empty()) {
      pair.server->advance(to_server.take(), to_client);
      peer.end_turn();
      laps.add_to(cost.second);
    } else {
      pair.client->advance(to_client.take(), to_server);
      peer.end_turn();
      laps.add_to(cost.first);
    }
  }
  if (!pair.client->connected() || !pair.server->connected()) throw std::runtime_error("the handshake stalled");
  if (afterwards == Afterwards::destroy) {
    laps.skip();
    pair.client.reset();
    laps.add_to(cost.first);
    pair.server.reset();
    laps.add_to(cost.second);
  }
  return pair;
}

/// The median single handshake counts, so that those which another process interrupts do not.
template <class Meter>
Sides median_handshake(Peer& peer, const Slice& slice, Meter meter) {
  std::vector<double> clients;
  std::vector<double> servers;
  const double end = seconds_now() + slice.seconds;
  while (clients.size() < slice.least || seconds_now() < end) {
    Sides cost;
    (void)connect(peer, cost, meter, Afterwards::destroy);
    clients.push_back(cost.first);
    servers.push_back(cost.second);
  }
  return {median(std::move(clients)), median(std::move(servers))};
}

void exchange(End& from, End& to, std::size_t size) {
  static const std::vector<std::uint8_t> bytes(16384, 0x61);
  Wire& wire = to_client;
  (void)wire.take();
  from.send(Bytes(bytes).first(size), wire);
  if (to.receive(wire.take()) != size) throw std::runtime_error("plaintext was lost");
}

}  // namespace

Connected connect(Peer& peer) {
  Sides unused;
  return connect(peer, unused, seconds_now, Afterwards::keep);
}

void rehearse(Peer& peer, const Shape& shape) {
  for (int i = 0; i < 3; ++i) (void)connect(peer);
  const Connected pair = connect(peer);
  if (pair.client->resumed() != shape.resume || pair.server->resumed() != shape.resume)
    throw std::runtime_error(shape.resume ? "the session was not resumed" : "the session was resumed");
}

Sides measure_handshakes(Peer& peer, const Slice& slice) { return median_handshake(peer, slice, seconds_now); }

Sides measure_in_flight(Peer& peer, std::size_t count, const Slice& slice, std::vector<double>* done) {
  struct Flight {
    Connected ends;
    Wire to_client;
    Wire to_server;
    bool done = false;
  };
  static std::vector<std::unique_ptr<Flight>> flights;  // their wires are kept
  while (flights.size() < count) flights.push_back(std::make_unique<Flight>());
  const std::span all = std::span(flights).first(count);
  std::vector<double> clients;
  std::vector<double> servers;
  const double end = seconds_now() + slice.seconds;
  while (clients.size() < slice.least || seconds_now() < end) {
    Sides cost;
    const double began = seconds_now();
    double lap = began;
    const auto add_to = [&lap](double& side) {
      const double now = seconds_now();
      side += now - std::exchange(lap, now);
    };
    for (const auto& flight : all) {
      flight->done = false;
      flight->ends.client = peer.client();
      flight->ends.client->advance({}, flight->to_server);
    }
    peer.end_turn();
    add_to(cost.first);
    for (const auto& flight : all) flight->ends.server = peer.server();
    add_to(cost.second);
    for (bool busy = true; busy;) {
      busy = false;
      for (const auto& flight : all) {
        if (flight->to_server.empty()) continue;
        busy = true;
        flight->ends.server->advance(flight->to_server.take(), flight->to_client);
      }
      peer.end_turn();
      add_to(cost.second);
      for (const auto& flight : all) {
        if (flight->to_client.empty()) continue;
        busy = true;
        flight->ends.client->advance(flight->to_client.take(), flight->to_server);
      }
      peer.end_turn();
      add_to(cost.first);
      for (const auto& flight : all) {
        if (flight->done || !flight->ends.client->connected() || !flight->ends.server->connected()) continue;
        flight->done = true;
        if (done != nullptr) done->push_back(lap - began);
      }
    }
    for (const auto& flight : all) {
      if (!flight->done) throw std::runtime_error("a handshake stalled");
    }
    lap = seconds_now();
    for (const auto& flight : all) flight->ends.client.reset();
    add_to(cost.first);
    for (const auto& flight : all) flight->ends.server.reset();
    add_to(cost.second);
    clients.push_back(cost.first / static_cast<double>(count));
    servers.push_back(cost.second / static_cast<double>(count));
  }
  return {median(std::move(clients)), median(std::move(servers))};
}

Sides measure_own_cost(Peer& peer, const Slice& slice) {
  return median_handshake(peer, slice, [] { return seconds_now() - spent().in(Part::public_key); });
}

Sides measure_part(Peer& peer, Part part, const Slice& slice) {
  return median_handshake(peer, slice, [part] { return spent().in(part); });
}

Sides measure_rest(Peer& peer, const Slice& slice) {
  return median_handshake(peer, slice, [] {
    double rest = seconds_now();
    for (const double part : spent().seconds) rest -= part;
    return rest;
  });
}

Sides measure_records(Connected& pair, std::size_t size, const Slice& slice) {
  // Short enough that most batches are not interrupted, long enough for the clock.
  const std::size_t count = std::clamp<std::size_t>((std::size_t{128} << 10U) / size, 1, 128);
  static const std::vector<std::uint8_t> plaintext(16384, 0x61);
  const Bytes content = Bytes(plaintext).first(size);
  std::vector<double> sealing;
  std::vector<double> opening;
  const double end = seconds_now() + slice.seconds;
  while (sealing.size() < slice.least || seconds_now() < end) {
    (void)to_client.take();
    const double start = seconds_now();
    for (std::size_t i = 0; i < count; ++i) pair.server->send(content, to_client);
    const double sealed = seconds_now();
    const std::size_t got = pair.client->receive(to_client.take());
    const double opened = seconds_now();
    if (got != count * size) throw std::runtime_error("plaintext was lost");
    sealing.push_back((sealed - start) / static_cast<double>(count));
    opening.push_back((opened - sealed) / static_cast<double>(count));
  }
  return {median(std::move(sealing)), median(std::move(opening))};
}

Sides count_handshake_allocations(Peer& peer) {
  constexpr int kTimes = 50;
  Sides total;
  for (int i = 0; i < kTimes; ++i) {
    (void)connect(peer, total, [] { return static_cast<double>(heap().allocations); }, Afterwards::destroy);
  }
  return {total.first / kTimes, total.second / kTimes};
}

Sides count_record_allocations(Peer& peer, std::size_t size) {
  constexpr int kTimes = 200;
  Connected pair = connect(peer);
  const std::vector<std::uint8_t> plaintext(size, 0x61);
  Sides total;
  for (int i = -5; i < kTimes; ++i) {  // the first ones may take what later ones use again
    Laps laps([] { return static_cast<double>(heap().allocations); });
    Sides cost;
    (void)to_client.take();
    pair.server->send(plaintext, to_client);
    laps.add_to(cost.first);
    const std::size_t got = pair.client->receive(to_client.take());
    laps.add_to(cost.second);
    if (got != size) throw std::runtime_error("plaintext was lost");
    if (i < 0) continue;
    total.first += cost.first;
    total.second += cost.second;
  }
  return {total.first / kTimes, total.second / kTimes};
}

double measure_idle_heap(Peer& peer, bool used) {
  constexpr std::size_t kConnections = 500;
  std::vector<std::unique_ptr<End>> kept;
  kept.reserve(kConnections);
  const Heap before = heap();
  for (std::size_t i = 0; i < kConnections; ++i) {
    Connected pair = connect(peer);
    if (used) {
      exchange(*pair.client, *pair.server, 1024);
      exchange(*pair.server, *pair.client, 16384);
    }
    kept.push_back(std::move(pair.server));
  }
  return static_cast<double>(heap().live_bytes - before.live_bytes) / static_cast<double>(kConnections);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace lockstep::bench
