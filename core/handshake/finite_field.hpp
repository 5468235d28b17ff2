#pragma once
// Key exchange over finite fields in TLS 1.2 (RFC 5246 7.4.3 and 8.1.2, RFC 7919): groups, and key pairs in them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>

#include <lockstep/config.hpp>
#include <lockstep/finite_field.hpp>
#include <lockstep/provider.hpp>

#include "codec/server_key_exchange.hpp"
#include "handshake/context.hpp"
#include "handshake/key_exchange.hpp"

namespace lockstep::handshake {

/// A group: its numbers, and what the provider computes in it with.
struct FieldGroup {
  FieldParameters parameters{};        ///< live as long as the program, the configuration or the handshake
  const Group* named = nullptr;        ///< of a group of RFC 7919 that the configuration has
  const FiniteField* field = nullptr;  ///< of any other

  /// The size of p, of shares and of the secret before it is stripped.
  [[nodiscard]] std::size_t size() const noexcept { return parameters.p.size(); }
  [[nodiscard]] std::uint16_t bits() const noexcept { return static_cast<std::uint16_t>(bit_size(parameters.p)); }
};

/// The group of these numbers.
[[nodiscard]] FieldGroup field_group(const Config& config, const FieldParameters& parameters) noexcept;
/// Client: the group that the server describes, if it is one that we take.
[[nodiscard]] std::expected<FieldGroup, Error> read_field_group(const Context& context,
                                                                const codec::ServerDhParams& params) noexcept;
/// Our key pair. RFC 5246 F.1.1.3: "Implementations SHOULD generate a new X for each handshake when using DHE cipher
/// suites." It is what makes small subgroups harmless, and the time that stripping the secret takes (RFC 5246 8.1.2):
/// who measures whether secrets of one key begin with zeros learns the secret of a recorded handshake (Merget et al.,
/// the Raccoon attack, 2021). A key that one secret is made of gives nothing to measure twice. So there is no way to
/// make one that is used again: it goes with the secret.
class FieldKey {
 public:
  FieldKey() noexcept = default;
  FieldKey(FieldKey&& other) noexcept { take(other); }
  FieldKey& operator=(FieldKey&& other) noexcept {
    destroy();
    take(other);
    return *this;
  }
  FieldKey(const FieldKey&) = delete;
  FieldKey& operator=(const FieldKey&) = delete;
  ~FieldKey() { destroy(); }

  /// Makes the key pair, and its share of group.size() bytes.
  [[nodiscard]] GroupResult generate(const FieldGroup& group, RandomSource& random, MutableBytes share) noexcept;
  [[nodiscard]] const FieldGroup& group() const noexcept { return group_; }
  /// Z, from the peer's share; both have group().size() bytes. The key is gone then.
  [[nodiscard]] GroupResult agree(Bytes share, SharedSecret& secret) && noexcept;

 private:
  [[nodiscard]] bool is_there() const noexcept { return group_.named != nullptr || group_.field != nullptr; }
  void take(FieldKey& other) noexcept;
  void destroy() noexcept;

  FieldGroup group_;
  alignas(64) std::array<std::byte, kMaxGroupContextSize> key_;
};

/// The premaster secret, in `z`, from the peer's share as it came: with a key pair whose share the peer has.
[[nodiscard]] std::expected<Bytes, Error> agree(Context& context, FieldKey&& key, Bytes theirs,
                                                SharedSecret& z) noexcept;
/// The same with a new key pair, whose share goes to `ours`, of group.size() bytes.
[[nodiscard]] std::expected<Bytes, Error> answer_share(Context& context, const FieldGroup& group, Bytes theirs,
                                                       MutableBytes ours, SharedSecret& z) noexcept;

}  // namespace lockstep::handshake
