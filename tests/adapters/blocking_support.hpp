#pragma once
// Streams over socket pairs and loopback, for tests of the blocking adapter.

#include <array>
#include <cstdint>
#include <future>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lockstep/blocking.hpp>

#include "socket_support.hpp"
#include "support.hpp"

namespace lockstep::testing {

using namespace std::chrono_literals;
using blocking::after;
using blocking::Canceller;
using blocking::Options;
using blocking::Socket;
using blocking::Stream;

/// Runs in another thread; `get` hands over the result or what was thrown.
template <class Function>
auto in_background(Function function) {
  return std::async(std::launch::async, std::move(function));
}

inline std::string read_all(Stream& stream) {
  std::string all;
  for (;;) {
    const Bytes view = must(stream.read_view());
    if (view.empty()) return all;
    all += as_text(view);
  }
}

inline std::string read_exactly(Stream& stream, std::size_t size) {
  std::string all(size, '\0');
  const MutableBytes out(reinterpret_cast<std::uint8_t*>(all.data()), all.size());
  for (std::size_t done = 0; done < size;) {
    const std::size_t n = must(stream.read(out.subspan(done)));
    if (n == 0) throw std::runtime_error("the stream ended early");
    done += n;
  }
  return all;
}

inline std::string read_once(Stream& stream) { return std::string(as_text(must(stream.read_view()))); }

class BlockingTest : public ::testing::Test {
 protected:
  Options client_options() const {
    return {.config = built(client_config()),
            .answers = setup_of({.provider = provider(), .anchors = root_.anchors()}),
            .random = &random(),
            .clock = fixed_clock};
  }
  Options server_options() const {
    return {.config = built(server_config()),
            .answers = setup_of(
                {.provider = provider(), .credentials = {leaf_}, .anchors = root_.anchors(), .ticket_keys = keyring_}),
            .random = &random(),
            .clock = fixed_clock};
  }
  Stream client_over(Descriptor descriptor, const Options& options) const {
    return must(blocking::wrap(Socket(std::move(descriptor)), options, {.name = dns("example.com")}));
  }
  Stream client_over(Descriptor descriptor) const { return client_over(std::move(descriptor), client_options()); }
  Stream server_over(Descriptor descriptor, const Options& options) const {
    return must(blocking::wrap(Socket(std::move(descriptor)), options));
  }
  Stream server_over(Descriptor descriptor) const { return server_over(std::move(descriptor), server_options()); }

  struct Streams {
    Stream client;
    Stream server;
  };
  /// Both ends over a socket pair, the handshake done.
  Streams connected(const Options& client_side, const Options& server_side) const {
    auto [a, b] = socket_pair();
    Streams streams{client_over(std::move(a), client_side), server_over(std::move(b), server_side)};
    auto server = in_background([&] { must(streams.server.handshake()); });
    must(streams.client.handshake());
    server.get();
    return streams;
  }
  Streams connected() const { return connected(client_options(), server_options()); }

  /// The same with early data, of which so many bytes are sent and accepted.
  Options early_client_options(std::uint32_t most) const {
    Options options = client_options();
    options.config = built(client_config().early_data(most));
    return options;
  }
  Options early_server_options(std::uint32_t most) const {
    Options options = server_options();
    options.config = built(server_config().early_data(most));
    options.answers = setup_of(
        {.provider = provider(), .credentials = {leaf_}, .ticket_keys = keyring_, .replay_guard = replay_guard_});
    return options;
  }

  Authority root_;
  std::shared_ptr<const Credential> leaf_ = root_.issue({});
  std::shared_ptr<TicketKeyring> keyring_ = TicketKeyring::create(provider(), random());
  std::shared_ptr<ReplayGuard> replay_guard_ = ReplayGuard::create(provider(), random(), fixed_clock() - 1h).value();
};

}  // namespace lockstep::testing
