#pragma once
// What tests need to look into a connection and to play a hostile peer. Internal: never installed, never linked into
// anything but tests.

#include <memory>
#include <utility>

#include <lockstep/connection.hpp>
#include <lockstep/tape.hpp>

#include "connection/state.hpp"

namespace lockstep {

struct ConnectionAccess {
  /// Like `Connection::client`, with a rewriter of what the handshake sends.
  static Connection client(std::shared_ptr<const ClientConfig> config, ClientOptions options, RandomSource& random,
                           Time now, handshake::Rewriter& rewriter, MutableBytes memory = {}) {
    auto state = Connection::State::make(Role::client, std::move(config), &random, memory);
    state.start_client(std::move(options), now, nullptr, &rewriter);
    return Connection(std::move(state));
  }
  /// The same for a server.
  static Connection server(std::shared_ptr<const ServerConfig> config, RandomSource& random,
                           handshake::Rewriter& rewriter, MutableBytes memory = {}) {
    auto state = Connection::State::make(Role::server, std::move(config), &random, memory);
    state.start_server({}, nullptr, &rewriter);
    return Connection(std::move(state));
  }

  /// The same, recorded. What the rewriter did is no input, so that such a tape can be looked at and not replayed.
  static Connection client(std::shared_ptr<const ClientConfig> config, ClientOptions options, trace::Recorder& recorder,
                           Time now, handshake::Rewriter& rewriter) {
    auto state = Connection::State::make(Role::client, std::move(config), recorder.tap_.get(), {});
    state.start_client(std::move(options), now, recorder.tap_.get(), &rewriter);
    return Connection(std::move(state));
  }
  static Connection server(std::shared_ptr<const ServerConfig> config, trace::Recorder& recorder,
                           handshake::Rewriter& rewriter) {
    auto state = Connection::State::make(Role::server, std::move(config), recorder.tap_.get(), {});
    state.start_server({}, recorder.tap_.get(), &rewriter);
    return Connection(std::move(state));
  }

  /// Null once its memory was handed back, and before a server has received anything.
  static handshake::Handshake* handshake(Connection& connection) noexcept {
    connection::HandshakeRun* const run = connection.state().run();
    return run != nullptr ? &run->handshake : nullptr;
  }
  /// Only while the connection stands.
  static const handshake::Secrets13& secrets(Connection& connection) noexcept {
    return std::get<handshake::Secrets13>(*connection.state().secrets());
  }
  static record::Sealer& sealer(Connection& connection) noexcept { return connection.state().sending.sealer; }
};

}  // namespace lockstep
