#pragma once
// Pre-shared keys of TLS 1.2 (RFC 4279, RFC 5489) and 1.3 (RFC 9846 4.3.11), for `AnswerOptions::psks`.
//
//     auto psks = std::make_shared<PskTable>();  // one for all connections
//     psks->add("sensor 7", key);
//     const std::vector suites{CipherSuite::tls_ecdhe_psk_with_chacha20_poly1305_sha256};
//     auto config = ConfigBuilder::server(provider).suites(suites).build().value();
//     auto setup = AnswerSetup::create({.provider = provider, .psks = psks});
//
// In TLS 1.3 there are no such suites, but `ConfigBuilder::external_psks`:
//
//     psks->add("sensor 7", key, {.import = true, .context = "sensor 7 to hub"});
//     auto config = ConfigBuilder::client(provider).external_psks(ExternalPsks::allow).build().value();

#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>

namespace lockstep {

/// What goes with a key in TLS 1.3, at both ends: see `PskChosen`.
struct PskUse {
  HashAlgorithm hash = HashAlgorithm::sha256;
  bool import = false;
  std::string context{};  ///< at most kMaxPskContext bytes
};

/// A key with its identity. The key wipes itself.
struct PreSharedKey {
  std::string identity;  ///< at most kMaxPskIdentity bytes; in TLS 1.3 not empty
  Secret<kMaxPskSize> key;
  PskUse use{};
};

/// Where keys come from. May be called from several threads at once, and has to answer at once: who must wait answers
/// the events `SelectPsk` and `FindPsk` by itself.
class LOCKSTEP_API PskSource {
 public:
  virtual ~PskSource() = default;
  /// Client: the key for this server; nothing when there is none.
  [[nodiscard]] virtual std::optional<PreSharedKey> select(const SelectPsk& question) const = 0;
  /// Client, TLS 1.3: the keys to offer to this server, best first, of which kMaxPsksOffered are. By default the one
  /// that `select` gives.
  [[nodiscard]] virtual std::vector<PreSharedKey> offer(const SelectPsk& question) const;
  /// Server: the key that the client names; nothing when it is not known. `PreSharedKey::identity` becomes
  /// `PskFound::peer_identity`. Whoever knows keys that are imported and others compares with
  /// `FindPsk::imported` and `context`.
  [[nodiscard]] virtual std::optional<PreSharedKey> find(const FindPsk& question) const = 0;
};

/// Keys in memory. A client uses the one that was added first, whatever hint the server gives (RFC 4279 5.2); in
/// TLS 1.3 it offers all, as far as they go. A server finds an imported key only with its context. Keys may be added
/// and removed while connections use the table. How long looking an identity up takes may tell whether it is there.
class LOCKSTEP_API PskTable final : public PskSource {
 public:
  PskTable() noexcept = default;
  PskTable(const PskTable&) = delete;
  PskTable& operator=(const PskTable&) = delete;
  ~PskTable() override;

  /// False, and nothing changed, when the identity, the key or the context is too long, the key is empty, or the
  /// identity is there.
  bool add(std::string_view identity, Bytes key, PskUse use = {});
  /// Whether it was there.
  bool remove(std::string_view identity);
  [[nodiscard]] std::size_t size() const;

  /// Why a text holds no keys.
  struct Problem {
    std::size_t line = 0;  ///< from 1
    std::string text;      ///< without anything secret
  };
  /// Adds the keys of a text: a line for each, `identity:key`, the key in hexadecimal, as GnuTLS's psktool writes them.
  /// They are all used alike.
  /// The identity ends at the last colon. Empty lines, and those that begin with '#', say nothing. What stands before
  /// the line of a problem has been added.
  [[nodiscard]] std::expected<void, Problem> add_lines(std::string_view text, const PskUse& use = {});

  [[nodiscard]] std::optional<PreSharedKey> select(const SelectPsk& question) const override;
  [[nodiscard]] std::vector<PreSharedKey> offer(const SelectPsk& question) const override;
  [[nodiscard]] std::optional<PreSharedKey> find(const FindPsk& question) const override;

 private:
  mutable std::shared_mutex mutex_;
  std::list<PreSharedKey> keys_;  // the one added first is in front
  std::unordered_map<std::string_view, std::list<PreSharedKey>::iterator>
      places_;  // the identities are those of the keys
};

}  // namespace lockstep
