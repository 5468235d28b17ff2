#pragma once
// Connections of every kind, recorded.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/replay.hpp>
#include <lockstep/tape.hpp>

#include "pair/pair.hpp"

namespace lockstep::testing {

using Octets = std::vector<std::uint8_t>;

/// Two ends that talk, both with a recorder.
class RecordedPair {
 public:
  explicit RecordedPair(ClientConfigBuilder client_side = client_builder(),
                        ServerConfigBuilder server_side = server_builder(), trace::RecorderOptions options = {},
                        std::span<Session> sessions = {})
      : client_recorder(client_random_, options),
        server_recorder(server_random_, options),
        client(Connection::client(built(client_side), {x509::PeerName::dns("example.com").value(), sessions},
                                  client_recorder, kNow),
               31),
        server(Connection::server(built(server_side), server_recorder), 32) {
    server.credential = credential_of(usual_key());
  }
  RecordedPair(const RecordedPair&) = delete;
  RecordedPair& operator=(const RecordedPair&) = delete;

  void run() {
    for (bool progress = true; progress;) {
      progress = step(client, to_server, to_client);
      progress = step(server, to_client, to_server) || progress;
    }
  }
  bool step(End& end, Octets& out, Octets& in) {
    bool progress = false;
    Octets buffer(65536);
    while (const std::size_t size = end.connection.transmit(buffer, now)) {
      out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
      progress = true;
    }
    for (;;) {
      auto [consumed, event] = end.connection.receive(in, now);
      const bool told = end.treat(std::move(event));
      in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(consumed));
      progress = progress || told || consumed != 0;
      if (!told && consumed == 0) return progress;
    }
  }
  void seal(End& end, std::string_view text) {
    Octets& out = &end == &client ? to_server : to_client;
    Octets buffer(65536);
    const Bytes plaintext = as_bytes(text);
    const auto sealed = end.connection.seal({&plaintext, 1}, buffer, now);
    ASSERT_TRUE(sealed);
    out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(sealed->written));
  }

  [[nodiscard]] Octets client_tape() const { return copy(client_recorder.recorded()); }
  [[nodiscard]] Octets server_tape() const { return copy(server_recorder.recorded()); }
  static Octets copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

 private:
  FixedRandom client_random_{21};
  FixedRandom server_random_{22};

 public:
  Time now = kNow;
  trace::Recorder client_recorder;
  trace::Recorder server_recorder;
  Octets to_server;
  Octets to_client;
  End client;
  End server;
};

inline std::shared_ptr<TicketKeys> some_ticket_keys() {
  FixedRandom random(11);
  return std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
}

/// All entries of a tape, with the place of each.
struct Found {
  trace::Entry entry;
  std::uint64_t operation;
  std::size_t begin;
  std::size_t end;
};
inline std::vector<Found> entries_of(Bytes tape) {
  std::vector<Found> found;
  trace::Reader reader(tape);
  for (;;) {
    auto entry = reader.next();
    EXPECT_TRUE(entry) << entry.error().text();
    if (!entry || !*entry) return found;
    const auto end = static_cast<std::size_t>(reader.offset());
    found.push_back({std::move(**entry), reader.operation(), end - reader.raw().size(), end});
  }
}

/// Runs a tape to its end; the text of what was wrong, empty when nothing was.
inline std::string replayed(Bytes tape) {
  auto replay = trace::Replay::open(tape, provider());
  if (!replay) return replay.error().text();
  const trace::ReplayRun run = replay->run();
  if (run.difference) return run.difference->text();
  if (run.problem) return run.problem->text();
  return {};
}

}  // namespace lockstep::testing
