#pragma once
// One question to a server, in clear: a ClientHello that is made as wanted, and what the server says before anything is
// encrypted. No key is agreed on, so that suites and versions can be asked for which this program does not speak.

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/blocking.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

namespace lockstep::tool {

/// What a ClientHello offers. Its list of key shares is empty, so that a server of TLS 1.3 names the group that it
/// wants in a HelloRetryRequest. RFC 9846 4.3.8: "Clients MAY send an empty client_shares list to request group
/// selection from the server".
struct Offer {
  ProtocolVersion version{};
  std::vector<CipherSuite> suites{};
  std::vector<NamedGroup> groups{};
  std::vector<SignatureScheme> schemes{};
  std::string server_name{};
  bool compression = false;
};

/// What a server chose. Lists that it sends later, encrypted ones, are not here.
struct Choice {
  ProtocolVersion version{};
  CipherSuite suite{};
  std::optional<NamedGroup> group{};        ///< of a HelloRetryRequest, or of ECDHE
  std::optional<SignatureScheme> scheme{};  ///< of TLS 1.2, with which its key exchange is signed
  std::size_t dh_bits = 0;                  ///< of DHE in TLS 1.2 and before
  bool session_id = false;                  ///< it gave one of its own
  bool session_ticket = false;
  bool extended_main_secret = false;
  bool encrypt_then_mac = false;
  bool renegotiation_info = false;
  bool compression = false;
  bool asks_certificate = false;
};

/// Why there is no choice: an alert, or how the connection ended.
struct NoChoice {
  std::optional<Alert> alert{};
  bool timed_out = false;
  std::string text{};
};

[[nodiscard]] std::vector<std::uint8_t> client_hello_of(const Offer& offer);
/// Sends it, and reads as far as the choice goes: to a HelloRetryRequest or ServerHello, in TLS 1.2 to
/// ServerHelloDone.
[[nodiscard]] std::expected<Choice, NoChoice> ask(blocking::Socket& socket, const Offer& offer,
                                                  blocking::Deadline deadline);

/// The suites of TLS 1.2 and before that are worth asking for: those that this library knows, and those that nobody
/// should have any more.
[[nodiscard]] std::vector<CipherSuite> old_suites();
/// Its registered name, of suites also that the library does not know.
[[nodiscard]] std::string suite_text(CipherSuite suite);
/// Broken, or weaker than what could be asked for instead.
[[nodiscard]] bool is_weak(CipherSuite suite);

}  // namespace lockstep::tool
