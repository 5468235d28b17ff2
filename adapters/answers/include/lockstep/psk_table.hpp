#pragma once
// Pre-shared keys (RFC 4279, RFC 5489), for `AnswerOptions::psks`.
//
//     auto psks = std::make_shared<PskTable>();  // one for all connections
//     psks->add("sensor 7", key);
//     const std::vector suites{CipherSuite::tls_ecdhe_psk_with_chacha20_poly1305_sha256};
//     auto config = ConfigBuilder::server(provider).suites(suites).build().value();
//     auto setup = AnswerSetup::create({.provider = provider, .psks = psks});

#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <lockstep/bytes.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>

namespace lockstep {

/// A key with its identity. The key wipes itself.
struct PreSharedKey {
  std::string identity;  ///< at most kMaxPskIdentity bytes
  Secret<kMaxPskSize> key;
};

/// Where keys come from. May be called from several threads at once, and has to answer at once: who must wait answers
/// the events `SelectPsk` and `FindPsk` by itself.
class LOCKSTEP_API PskSource {
 public:
  virtual ~PskSource() = default;
  /// Client: the key for this server; nothing when there is none.
  [[nodiscard]] virtual std::optional<PreSharedKey> select(const SelectPsk& question) const = 0;
  /// Server: the key that the client names; nothing when it is not known. `PreSharedKey::identity` becomes
  /// `PskFound::peer_identity`.
  [[nodiscard]] virtual std::optional<PreSharedKey> find(const FindPsk& question) const = 0;
};

/// Keys in memory. A client uses the one that was added first, whatever hint the server gives (RFC 4279 5.2). Keys may
/// be added and removed while connections use the table. How long looking an identity up takes may tell whether it is
/// there.
class LOCKSTEP_API PskTable final : public PskSource {
 public:
  PskTable() noexcept = default;
  PskTable(const PskTable&) = delete;
  PskTable& operator=(const PskTable&) = delete;
  ~PskTable() override;

  /// False, and nothing changed, when the identity or the key is too long, the key is empty, or the identity is there.
  bool add(std::string_view identity, Bytes key);
  /// Whether it was there.
  bool remove(std::string_view identity);
  [[nodiscard]] std::size_t size() const;

  /// Why a text holds no keys.
  struct Problem {
    std::size_t line = 0;  ///< from 1
    std::string text;      ///< without anything secret
  };
  /// Adds the keys of a text: a line for each, `identity:key`, the key in hexadecimal, as GnuTLS's psktool writes them.
  /// The identity ends at the last colon. Empty lines, and those that begin with '#', say nothing. What stands before
  /// the line of a problem has been added.
  [[nodiscard]] std::expected<void, Problem> add_lines(std::string_view text);

  [[nodiscard]] std::optional<PreSharedKey> select(const SelectPsk& question) const override;
  [[nodiscard]] std::optional<PreSharedKey> find(const FindPsk& question) const override;

 private:
  mutable std::shared_mutex mutex_;
  std::list<PreSharedKey> keys_;  // the one added first is in front
  std::unordered_map<std::string_view, std::list<PreSharedKey>::iterator>
      places_;  // the identities are those of the keys
};

}  // namespace lockstep
