#include "answers/verification.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace lockstep {

namespace {

constexpr std::string_view kPurpose = "lockstep verification 2";

using Digest = SessionContext;

std::optional<Digest> sha256(const Hash& hash, Bytes content) {
  alignas(64) std::array<std::byte, kMaxHashContextSize> context;
  Digest digest{};
  if (!hash.init(context.data())) return std::nullopt;
  hash.update(context.data(), content);
  const bool done = hash.digest(context.data(), digest);
  hash.destroy(context.data());
  if (!done) return std::nullopt;
  return digest;
}

/// Numbers in eight bytes, lists behind their length: no two policies are written alike.
class Content {
 public:
  void number(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes_.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  void bytes(Bytes value) {
    number(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  template <class List>
  void numbers(const List& list) {
    number(list.size());
    for (const auto value : list) number(static_cast<std::uint64_t>(value));
  }
  [[nodiscard]] Bytes view() const noexcept { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

void write(Content& content, const x509::Policy& policy) {
  content.number(policy.max_intermediates);
  content.number(policy.min_rsa_bits);
  content.numbers(policy.signature_algorithms);
  content.numbers(policy.key_types);
  content.number(policy.handled_extensions.size());
  for (const std::string_view extension : policy.handled_extensions) content.bytes(as_bytes(extension));
  for (const bool rule : {policy.require_key_usage,
                          policy.any_purpose_on_ca,
                          policy.any_purpose_on_leaf,
                          policy.accept_partial_chain,
                          policy.require_key_identifiers,
                          policy.refuse_ca_as_leaf,
                          policy.refuse_bad_serial_number,
                          policy.refuse_odd_rsa_size,
                          policy.require_critical_basic_constraints,
                          policy.refuse_critical_alt_name,
                          policy.require_critical_name_constraints,
                          policy.require_purpose,
                          policy.refuse_purpose_on_root,
                          policy.require_common_name_in_alt_names,
                          policy.require_anchor_form,
                          policy.require_version_3,
                          policy.require_critical_alt_name,
                          policy.refuse_underscores,
                          policy.refuse_leading_dot,
                          policy.refuse_ca_fields_in_leaf,
                          policy.require_critical_policy_constraints}) {
    content.number(rule ? 1 : 0);
  }
  if (policy.profile != Profile::none) content.number(static_cast<std::uint64_t>(policy.profile));
  // The limits of work tell nobody else to be trusted; how many chains are looked for neither.
}

}  // namespace

std::optional<SessionContext> digest_of(const AnswerOptions& options) {
  const bool any_peer = options.dangerous.accept_unverified_peers;
  const bool none_trusted = options.anchors == nullptr || options.anchors->empty();
  if (none_trusted && !any_peer) return SessionContext{};
  const Hash* const hash = options.provider.hash(HashAlgorithm::sha256);
  if (hash == nullptr) return std::nullopt;
  std::vector<Digest> anchors;
  const std::size_t count = none_trusted ? 0 : options.anchors->size();
  anchors.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto anchor = sha256(*hash, (*options.anchors)[i].der());
    if (!anchor) return std::nullopt;
    anchors.push_back(*anchor);
  }
  std::ranges::sort(anchors);
  Content content;
  content.bytes(as_bytes(kPurpose));
  content.number(anchors.size());
  for (const Digest& anchor : anchors) content.bytes(anchor);
  write(content, options.policy);
  content.number(options.ignore_stapled_responses ? 1 : 0);
  // What is rare is only written where it is so.
  if (any_peer) content.bytes(as_bytes("accepts unverified peers"));
  if (options.policy.offer_unknown_extensions) content.bytes(as_bytes("offers unknown extensions"));
  if (options.peer_rules != nullptr) {
    content.bytes(as_bytes("peer rules"));
    content.bytes(as_bytes(options.peer_rules->id()));
  }
  return sha256(*hash, content.view());
}

std::optional<SessionContext> digest_of_credentials(const AnswerOptions& options) {
  if (options.credentials.empty()) return SessionContext{};
  const Hash* const hash = options.provider.hash(HashAlgorithm::sha256);
  if (hash == nullptr) return std::nullopt;
  Content content;
  for (const auto& credential : options.credentials) {
    content.number(credential->chain.size());
    for (const auto& certificate : credential->chain) content.bytes(certificate);
  }
  return sha256(*hash, content.view());
}

}  // namespace lockstep
