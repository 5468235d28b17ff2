#pragma once
// The parts of `lockstep scan`: what it asks a server, how fast, and what it found.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/blocking.hpp>
#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "family.hpp"
#include "probe.hpp"
#include "progress.hpp"
#include "starttls.hpp"
#include "terminal.hpp"
#include "verdict.hpp"

namespace lockstep::tool {

struct ScanOptions {
  OutputOptions output;
  std::string target;
  std::string address;
  Family family = Family::any;
  std::string name;
  std::string server_name;
  std::vector<std::string> ca;
  Starttls starttls = Starttls::none;
  std::string alpn = "h2,http/1.1,acme-tls/1,dot,postgresql,imap,pop3,ftp";
  std::size_t parallel = 4;
  double delay = 0;
  double timeout = 5;
};

/// Connections to the server, no more of them than was asked for.
class Gate {
 public:
  Gate(const ScanOptions& options, HostAndPort target, blocking::Canceller canceller);

  /// A socket whose next byte is TLS, once it is time for another one; nothing when the server takes no connection any
  /// more. Throws `Failure` when it has never taken one, or does not begin TLS.
  [[nodiscard]] std::optional<blocking::Socket> open();
  /// The same question put in a connection of its own.
  [[nodiscard]] std::expected<Choice, NoChoice> ask(const Offer& offer);

  [[nodiscard]] blocking::Deadline deadline() const;
  [[nodiscard]] std::size_t connections() const noexcept { return connections_; }
  /// Connections that the server did not take, or answered nothing on in time.
  [[nodiscard]] std::size_t unanswered() const noexcept { return unanswered_; }
  void note_unanswered() noexcept { ++unanswered_; }
  [[nodiscard]] std::string address() const;
  /// Takes the line away that tells how far the work is.
  void end_progress() noexcept { progress_.reset(); }
  [[nodiscard]] const blocking::Canceller& canceller() const noexcept { return canceller_; }

 private:
  using Clock = std::chrono::steady_clock;
  void wait_for_turn();

  const ScanOptions& options_;
  HostAndPort target_;
  blocking::Canceller canceller_;
  mutable std::mutex mutex_;
  Clock::time_point next_{};
  std::string address_;
  std::optional<Progress> progress_;
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<std::size_t> unanswered_ = 0;
};

/// What the server takes of something, in the order in which it prefers them, or the client's where it follows that.
template <class Each>
struct Accepted {
  std::vector<Each> list;
  bool own_order = false;  ///< the server's order decides
};

struct OldVersion {
  ProtocolVersion version{};
  bool accepted = false;
  std::string refusal;  ///< how it said no
  std::optional<Choice> choice;
};

struct SuitesOf {
  ProtocolVersion version{};
  Accepted<CipherSuite> suites;
};

/// Resumption in one version.
struct ResumptionOf {
  ProtocolVersion version{};
  std::size_t tickets = 0;  ///< that came after the first handshake
  bool session_id = false;  ///< TLS 1.2: by a session id, without a ticket
  std::chrono::seconds lifetime{0};
  bool resumed = false;
  std::uint32_t max_early_data = 0;
  std::string early_data = "none";
  std::string failure;
};

struct Scan {
  std::vector<OldVersion> versions;
  std::vector<SuitesOf> suites;
  Accepted<NamedGroup> groups13;
  Accepted<NamedGroup> groups12;
  Accepted<SignatureScheme> schemes13;
  Accepted<SignatureScheme> schemes12;
  Accepted<std::string> alpn;
  std::size_t dh_bits = 0;
  std::vector<ResumptionOf> resumption;
  std::optional<Choice> hello12;  ///< the first of TLS 1.2
  std::optional<bool> fallback_scsv;
  bool compression = false;
  bool asks_certificate = false;
  std::optional<Judgement> judgement;
  std::vector<std::vector<std::uint8_t>> chain;
  std::size_t ocsp_response = 0;
  std::size_t scts = 0;
  std::string handshake_failure;  ///< why no whole handshake could be made
};

/// What a whole handshake is made with.
struct ScanSetup {
  x509::PeerName name;
  std::optional<x509::PeerName> server_name;
  std::shared_ptr<const x509::TrustAnchors> anchors;
  std::shared_ptr<const AnswerSetup> answers;
};

/// Asks everything. Throws `Failure` when the server cannot be reached, or speaks no TLS at all.
[[nodiscard]] Scan scan(const ScanOptions& options, const ScanSetup& setup, Gate& gate);

}  // namespace lockstep::tool
