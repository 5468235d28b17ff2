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
    Connection::State state;
    state.config = std::move(config);
    state.random = &random;
    state.supplied = memory;
    state.start(now, std::move(options), &rewriter);
    return Connection(std::move(state));
  }
  /// The same for a server.
  static Connection server(std::shared_ptr<const ServerConfig> config, RandomSource& random,
                           handshake::Rewriter& rewriter, MutableBytes memory = {}) {
    Connection::State state;
    state.config = std::move(config);
    state.random = &random;
    state.supplied = memory;
    state.start({}, {.name = x509::NoNameCheck{}}, &rewriter);
    return Connection(std::move(state));
  }

  /// The same, recorded. What the rewriter did is no input, so that such a tape can be looked at and not replayed.
  static Connection client(std::shared_ptr<const ClientConfig> config, ClientOptions options, trace::Recorder& recorder,
                           Time now, handshake::Rewriter& rewriter) {
    Connection::State state;
    state.config = std::move(config);
    state.random = recorder.tap_.get();
    state.start(now, std::move(options), &rewriter, recorder.tap_.get());
    return Connection(std::move(state));
  }
  static Connection server(std::shared_ptr<const ServerConfig> config, trace::Recorder& recorder,
                           handshake::Rewriter& rewriter) {
    Connection::State state;
    state.config = std::move(config);
    state.random = recorder.tap_.get();
    state.start({}, {.name = x509::NoNameCheck{}}, &rewriter, recorder.tap_.get());
    return Connection(std::move(state));
  }

  /// Null once its memory was handed back.
  static handshake::Handshake* handshake(Connection& connection) noexcept {
    Connection::State& state = connection.state();
    return state.run ? &state.run->handshake : nullptr;
  }
  static const handshake::ConnectionSecrets& secrets(Connection& connection) noexcept {
    return connection.state().secrets;
  }
  static record::Sealer& sealer(Connection& connection) noexcept { return connection.state().sealer; }
};

}  // namespace lockstep
