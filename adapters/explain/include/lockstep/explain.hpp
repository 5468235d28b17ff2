#pragma once
// Why a server chooses what it chooses from a ClientHello: each version, suite, group, scheme, certificate, protocol
// and ticket with the reason why it was taken or was not.
//
// It negotiates nothing itself. The engine is given the ClientHello, with the configuration and the answers that a
// server has, as far as its signature; and once more for each thing that was not chosen, with that thing alone on offer
// beside what else there is. So it cannot say anything else than what a server does.
//
//     const auto explained = explain({.client_hello = message, .config = config, .answers = setup, .now = now});
//     if (explained) std::cout << explained->text();

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/error.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/time.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// A ClientHello, and the server that it comes to. Nothing is signed, and no session is taken out of a store.
struct HelloQuestion {
  Bytes client_hello;  ///< the whole message (RFC 9846 4.2.2), with its header of four bytes
  std::shared_ptr<const ServerConfig> config;
  std::shared_ptr<const AnswerSetup> answers;  ///< its credentials and ticket keys
  Time now{};                                  ///< what tickets are judged by
};

/// Something that the client offers, or that the server could show, and what became of it.
struct Weighed {
  std::string name;       ///< "TLS_AES_128_GCM_SHA256", "certificate 1: CN=example.com"
  bool chosen = false;    ///< it is what was agreed on
  bool possible = false;  ///< it would be, were nothing else of its kind there; so it is of what was chosen
  std::string why;        ///< one sentence without its point
};

/// What a server makes of a ClientHello, as far as it can tell before the client's next words.
struct Explained {
  /// The failure with which the handshake ends; none when it goes on.
  std::optional<Error> failure;
  std::optional<ProtocolVersion> version;
  std::optional<CipherSuite> suite;
  std::optional<NamedGroup> group;
  std::optional<SignatureScheme> scheme;         ///< that the server signs with; none when a session is resumed
  std::shared_ptr<const Credential> credential;  ///< null when there is none, or none is needed
  std::string alpn;                              ///< empty: none
  std::string server_name;                       ///< that the client asks for; empty: none
  bool retried = false;  ///< a HelloRetryRequest goes first; what is said of the rest is what a client gets that obeys
  bool resumed = false;

  // In the client's order; certificates in the server's.
  std::vector<Weighed> versions;
  std::vector<Weighed> suites;
  std::vector<Weighed> groups;
  std::vector<Weighed> schemes;
  std::vector<Weighed> certificates;
  std::vector<Weighed> protocols;
  std::vector<Weighed> tickets;  ///< pre-shared keys of TLS 1.3, the ticket or session id of TLS 1.2

  /// All of it in lines: the outcome, then each list with what was chosen in front.
  [[nodiscard]] LOCKSTEP_API std::string text() const;
};

/// The error is the one with which an engine refuses a message that is no ClientHello.
[[nodiscard]] LOCKSTEP_API std::expected<Explained, Error> explain(const HelloQuestion& question);

}  // namespace lockstep
