#pragma once
// What was agreed on a connection, for a report: copied out of the stream, so that it outlives it.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <lockstep/blocking.hpp>

#include "terminal.hpp"
#include "verdict.hpp"

namespace lockstep::tool {

struct Facts {
  std::string peer;  ///< address
  std::string version;
  std::string suite;
  std::string group;
  std::optional<std::size_t> dh_bits;  ///< of a finite field, which may have no name
  std::string own_scheme;
  std::string peer_scheme;
  std::string alpn;
  std::string server_name;
  bool resumed = false;
  bool retried = false;
  std::optional<bool> extended_master_secret;  ///< of TLS 1.2
  std::optional<bool> encrypt_then_mac;        ///< of TLS 1.2 with a suite in CBC mode
  std::string early_data = "none";             ///< what became of it
  std::string peer_compression{};              ///< of the peer's certificate; empty: it came as it is, or did not
  std::string own_compression{};               ///< of ours
  std::string unverified{};                    ///< why the peer was accepted all the same; empty: it was not so
};

/// What stands beside the peer's certificate. Its form was checked, and nothing else.
struct StaplesShown {
  std::size_t ocsp_response = 0;  ///< bytes; 0: none came
  std::size_t scts = 0;           ///< how many
};

/// The group, and the size of a finite field.
[[nodiscard]] std::string group_of(const Facts& facts);
/// After the handshake, or as far as it came.
[[nodiscard]] Facts facts_of(const Connection& connection, const std::string& server_name, const Address& peer);
[[nodiscard]] Facts facts_of(const blocking::Stream& stream);

[[nodiscard]] std::vector<Row> rows_of(const Facts& facts);
/// Without fields that have no value.
[[nodiscard]] Json json_of(const Facts& facts);

/// Judges the peer's certificates and remembers what it saw, whether or not they are good. Made for
/// `blocking::Options::intercept`; one for each connection.
class PeerCheck {
 public:
  /// Throws nothing. `anchors` may be null: nobody is trusted.
  PeerCheck(std::shared_ptr<const x509::TrustAnchors> anchors, x509::PeerName name, Role peer,
            std::optional<Time> moment, const x509::Policy& policy, bool accept_anyway);

  /// Takes the events that concern certificates, and counts the peer's key updates and early data. True when it
  /// answered. The first argument is a Connection, or a stream that passes answers on to one.
  template <class Answerable>
  bool operator()(Answerable& connection, Event& event) {
    const auto decision = decide(event);
    if (!decision) return false;
    Token<VerifyPeer> token = std::move(std::get<VerifyPeer>(event).token);
    (void)connection.answer(std::move(token), *decision);
    return true;
  }

  /// The error, with what is wrong with the certificates when that is its cause.
  [[nodiscard]] IoError explained(IoError error) const;
  /// Nothing when the peer showed no certificate.
  [[nodiscard]] const std::optional<Judgement>& judgement() const noexcept { return judgement_; }
  /// As sent, leaf first, DER.
  [[nodiscard]] const std::vector<std::vector<std::uint8_t>>& chain() const noexcept { return chain_; }
  [[nodiscard]] const StaplesShown& staples() const noexcept { return staples_; }
  /// What a connection does not remember: how the certificates went.
  void add_to(Facts& facts) const;
  [[nodiscard]] unsigned peer_key_updates() const noexcept { return peer_key_updates_; }
  [[nodiscard]] unsigned renegotiations() const noexcept { return renegotiations_; }
  [[nodiscard]] std::uint64_t early_bytes() const noexcept { return early_bytes_; }

 private:
  /// The answer to a VerifyPeer event; nothing for others.
  [[nodiscard]] std::optional<PeerDecision> decide(const Event& event);
  void look_at(std::span<const Bytes> chain, Time now);
  void note_staples(Bytes ocsp_response, Bytes sct_list);

  std::shared_ptr<const x509::TrustAnchors> anchors_;
  x509::PeerName name_;
  Role peer_;
  std::optional<Time> moment_;
  x509::Policy policy_;
  bool accept_anyway_;
  std::vector<std::vector<std::uint8_t>> chain_;
  std::vector<Bytes> views_;
  StaplesShown staples_;
  std::optional<CertificateCompressionAlgorithm> peer_compression_;
  std::optional<CertificateCompressionAlgorithm> own_compression_;
  std::optional<Judgement> judgement_;
  unsigned peer_key_updates_ = 0;
  unsigned renegotiations_ = 0;
  std::uint64_t early_bytes_ = 0;
};

/// What went wrong, for machines. For people there is `IoError::text`.
[[nodiscard]] Json json_of(const IoError& error);

/// "1,234,567".
[[nodiscard]] std::string with_separators(std::uint64_t number);

}  // namespace lockstep::tool
