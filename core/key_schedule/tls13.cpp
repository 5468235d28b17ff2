#include "key_schedule/tls13.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "key_schedule/known.hpp"

namespace lockstep::key_schedule {

namespace {

// RFC 9846 7.1, 7.2, 7.3, 7.5, 4.5.3, 4.7.1: the labels, without the prefix.
constexpr std::string_view kDerived = "derived";
constexpr std::string_view kResumptionBinder = "res binder";
constexpr std::string_view kExternalBinder = "ext binder";
// RFC 9258 5.1, 5.2.
constexpr std::string_view kImportedBinder = "imp binder";
constexpr std::string_view kDerivedPsk = "derived psk";
constexpr std::string_view kClientEarlyTraffic = "c e traffic";
constexpr std::string_view kEarlyExporter = "e exp master";
constexpr std::string_view kClientHandshakeTraffic = "c hs traffic";
constexpr std::string_view kServerHandshakeTraffic = "s hs traffic";
constexpr std::string_view kClientApplicationTraffic = "c ap traffic";
constexpr std::string_view kServerApplicationTraffic = "s ap traffic";
constexpr std::string_view kExporter = "exp master";
constexpr std::string_view kResumption = "res master";
constexpr std::string_view kTicket = "resumption";
constexpr std::string_view kTrafficUpdate = "traffic upd";
constexpr std::string_view kFinished = "finished";
constexpr std::string_view kKey = "key";
constexpr std::string_view kIv = "iv";
constexpr std::string_view kExport = "exporter";

/// One HKDF-Expand-Label.
struct Expansion {
  Bytes secret;
  std::string_view label;
  Bytes context;
  MutableBytes out;
};

/// HMAC in the provider.
bool hmac(const Schedule& schedule, Bytes key, Bytes input, MutableBytes out) noexcept {
  const std::array<Bytes, 1> segments = {input};
  const bool done = schedule.hash().hmac(key, segments, out);
  wipe_stack<kHashFrames>();
  return done;
}

/// All of them in one call of the provider.
template <std::size_t N>
bool expand(const Schedule& schedule, const Expansion (&expansions)[N]) noexcept;

/// Derive-Secret(secret, label, "").
std::optional<DigestSecret> derive_from_nothing(const Schedule& schedule, const DigestSecret& secret,
                                                std::string_view label) noexcept {
  DigestSecret derived(schedule.digest_size());
  const Bytes context = digest_of_nothing(schedule.hash().id);
  if (!hkdf_expand_label(schedule, secret.view(), label, context, derived.writable())) return std::nullopt;
  return derived;
}

constexpr std::array<std::uint8_t, kMaxDigestSize> kZeros{};

Bytes zeros(const Schedule& schedule) noexcept { return Bytes(kZeros).first(schedule.digest_size()); }

}  // namespace

std::optional<EarlySecret> EarlySecret::from_psk(const Schedule& schedule, Bytes psk) noexcept {
  EarlySecret early(schedule);
  if (!hmac(schedule, zeros(schedule), psk, early.secret_.writable())) return std::nullopt;
  return early;
}

namespace {

constexpr std::string_view binder_label(PskKind kind) noexcept {
  switch (kind) {
    case PskKind::resumption: return kResumptionBinder;
    case PskKind::external: return kExternalBinder;
    case PskKind::imported: return kImportedBinder;
  }
  return {};
}

}  // namespace

std::optional<Digest> EarlySecret::binder(PskKind kind, const Digest& truncated_client_hello) const noexcept {
  const auto binder_key = derive_from_nothing(schedule_, secret_, binder_label(kind));
  if (!binder_key) return std::nullopt;
  // RFC 9846 4.3.11.2: "The PskBinderEntry is computed in the same way as the Finished message (Section 4.5.3) but
  // with the BaseKey being the binder_key".
  return finished_verify_data(schedule_, *binder_key, truncated_client_hello);
}

std::optional<DigestSecret> EarlySecret::client_early_traffic_secret(const Digest& client_hello) const noexcept {
  return derive_secret(schedule_, secret_, kClientEarlyTraffic, client_hello);
}

std::optional<DigestSecret> EarlySecret::early_exporter_secret(const Digest& client_hello) const noexcept {
  return derive_secret(schedule_, secret_, kEarlyExporter, client_hello);
}

std::optional<HandshakeSecret> EarlySecret::handshake_secret(Bytes shared_secret) && noexcept {
  const auto salt = derive_from_nothing(schedule_, secret_, kDerived);
  secret_.clear();
  if (!salt) return std::nullopt;
  HandshakeSecret handshake(schedule_);
  const Bytes input = shared_secret.empty() ? zeros(schedule_) : shared_secret;
  if (!hmac(schedule_, salt->view(), input, handshake.secret_.writable())) return std::nullopt;
  return handshake;
}

std::optional<HandshakeSecret> HandshakeSecret::without_psk(const Schedule& schedule, Bytes shared_secret) noexcept {
  HandshakeSecret handshake(schedule);
  // RFC 9846 7.1: "If a given secret is not available, then the 0-value consisting of a string of Hash.length bytes set
  // to zeros is used."
  if (!hmac(schedule, salt_without_psk(schedule), shared_secret, handshake.secret_.writable())) return std::nullopt;
  return handshake;
}

std::optional<HandshakeSecrets> HandshakeSecret::derive(const Digest& server_hello) && noexcept {
  const std::size_t size = schedule_.digest_size();
  HandshakeSecrets secrets{.main = MainSecret(schedule_),
                           .traffic = {.client = DigestSecret(size), .server = DigestSecret(size)}};
  DigestSecret salt(size);
  const Bytes context = server_hello.view();
  const Expansion expansions[] = {
      {secret_.view(), kClientHandshakeTraffic, context, secrets.traffic.client.writable()},
      {secret_.view(), kServerHandshakeTraffic, context, secrets.traffic.server.writable()},
      {secret_.view(), kDerived, digest_of_nothing(schedule_.hash().id), salt.writable()},
  };
  const bool expanded = expand(schedule_, expansions);
  secret_.clear();
  if (!expanded || !hmac(schedule_, salt.view(), zeros(schedule_), secrets.main.secret_.writable()))
    return std::nullopt;
  return secrets;
}

std::optional<ApplicationSecrets> MainSecret::application_secrets(const Digest& server_finished) const noexcept {
  const std::size_t size = schedule_.digest_size();
  ApplicationSecrets secrets{.traffic = {.client = DigestSecret(size), .server = DigestSecret(size)},
                             .exporter = DigestSecret(size)};
  const Bytes context = server_finished.view();
  const Expansion expansions[] = {
      {secret_.view(), kClientApplicationTraffic, context, secrets.traffic.client.writable()},
      {secret_.view(), kServerApplicationTraffic, context, secrets.traffic.server.writable()},
      {secret_.view(), kExporter, context, secrets.exporter.writable()},
  };
  if (!expand(schedule_, expansions)) return std::nullopt;
  return secrets;
}

std::optional<DigestSecret> MainSecret::resumption_secret(const Digest& client_finished) const noexcept {
  return derive_secret(schedule_, secret_, kResumption, client_finished);
}

std::optional<TrafficKey> traffic_key(const Schedule& schedule, const DigestSecret& secret,
                                      std::size_t key_size) noexcept {
  TrafficKey key{.key = Secret<kMaxAeadKeySize>(key_size), .iv = Secret<kAeadNonceSize>(kAeadNonceSize)};
  const Expansion expansions[] = {
      {secret.view(), kKey, {}, key.key.writable()},
      {secret.view(), kIv, {}, key.iv.writable()},
  };
  if (!expand(schedule, expansions)) return std::nullopt;
  return key;
}

std::optional<TrafficKeys> traffic_keys(const Schedule& schedule, const TrafficSecrets& secrets,
                                        std::size_t key_size) noexcept {
  const auto empty = [&] {
    return TrafficKey{.key = Secret<kMaxAeadKeySize>(key_size), .iv = Secret<kAeadNonceSize>(kAeadNonceSize)};
  };
  TrafficKeys keys{.client = empty(), .server = empty()};
  const Expansion expansions[] = {
      {secrets.client.view(), kKey, {}, keys.client.key.writable()},
      {secrets.client.view(), kIv, {}, keys.client.iv.writable()},
      {secrets.server.view(), kKey, {}, keys.server.key.writable()},
      {secrets.server.view(), kIv, {}, keys.server.iv.writable()},
  };
  if (!expand(schedule, expansions)) return std::nullopt;
  return keys;
}

std::optional<DigestSecret> next_traffic_secret(const Schedule& schedule, const DigestSecret& secret) noexcept {
  return derive_secret(schedule, secret, kTrafficUpdate, Digest());
}

std::optional<Digest> finished_verify_data(const Schedule& schedule, const DigestSecret& base_key,
                                           const Digest& transcript) noexcept {
  DigestSecret finished_key(schedule.digest_size());
  if (!hkdf_expand_label(schedule, base_key.view(), kFinished, {}, finished_key.writable())) return std::nullopt;
  Digest verify_data(schedule.digest_size());
  if (!hmac(schedule, finished_key.view(), transcript.view(), verify_data.writable())) return std::nullopt;
  return verify_data;
}

bool import_psk(const Hash& hash, Bytes external_psk, Bytes imported_identity, MutableBytes out) noexcept {
  // RFC 9258 5.1: "epskx = HKDF-Extract(0, epsk) ipskx = HKDF-Expand-Label(epskx, "derived psk",
  // Hash(ImportedIdentity), L)"
  const Schedule schedule(hash);
  Secret<kMaxDigestSize> extracted(hash.digest_size);
  const auto identity = digest_of(hash, {imported_identity});
  return identity && hmac(schedule, zeros(schedule), external_psk, extracted.writable()) &&
         hkdf_expand_label(schedule, extracted.view(), kDerivedPsk, identity->view(), out);
}

std::optional<DigestSecret> ticket_psk(const Schedule& schedule, const DigestSecret& resumption_secret,
                                       Bytes ticket_nonce) noexcept {
  DigestSecret psk(schedule.digest_size());
  if (!hkdf_expand_label(schedule, resumption_secret.view(), kTicket, ticket_nonce, psk.writable()))
    return std::nullopt;
  return psk;
}

bool export_keying_material(const Schedule& schedule, const DigestSecret& exporter_secret, std::string_view label,
                            Bytes context, MutableBytes out) noexcept {
  // RFC 9846 7.5: "Implementations MUST use the exporter_secret unless explicitly specified by the application."
  if (label.size() > kMaxExporterLabel || out.size() > 255 * schedule.digest_size()) return false;
  const std::optional<Digest> context_digest = digest_of(schedule.hash(), {context});
  if (!context_digest) return false;
  const auto secret = derive_from_nothing(schedule, exporter_secret, label);
  return secret && hkdf_expand_label(schedule, secret->view(), kExport, context_digest->view(), out);
}

bool hkdf_expand_label(const Schedule& schedule, Bytes secret, std::string_view label, Bytes context,
                       MutableBytes out) noexcept {
  if (schedule.prefix().size() + label.size() > 255 || context.size() > 255) return false;
  const Expansion expansions[] = {{secret, label, context, out}};
  return expand(schedule, expansions);
}

std::optional<DigestSecret> derive_secret(const Schedule& schedule, const DigestSecret& secret, std::string_view label,
                                          const Digest& transcript) noexcept {
  DigestSecret derived(schedule.digest_size());
  if (!hkdf_expand_label(schedule, secret.view(), label, transcript.view(), derived.writable())) return std::nullopt;
  return derived;
}

namespace {

/// The encoded HkdfLabel (RFC 9846 7.1). Label and context must fit their length bytes.
class HkdfLabel {
 public:
  void encode(std::string_view prefix, std::string_view label, Bytes context, std::size_t length) noexcept {
    put(static_cast<std::uint8_t>(length >> 8U));
    put(static_cast<std::uint8_t>(length));
    put(static_cast<std::uint8_t>(prefix.size() + label.size()));
    put(as_bytes(prefix));
    put(as_bytes(label));
    put(static_cast<std::uint8_t>(context.size()));
    put(context);
  }
  [[nodiscard]] Bytes view() const noexcept { return {bytes_.data(), size_}; }

 private:
  void put(std::uint8_t byte) noexcept { bytes_[size_++] = byte; }
  void put(Bytes bytes) noexcept {
    std::ranges::copy(bytes, bytes_.data() + size_);
    size_ += bytes.size();
  }
  std::array<std::uint8_t, 2 + 1 + 255 + 1 + 255> bytes_;  // as far as size_
  std::size_t size_ = 0;
};

template <std::size_t N>
bool expand(const Schedule& schedule, const Expansion (&expansions)[N]) noexcept {
  std::array<HkdfLabel, N> labels;
  std::array<ExpandJob, N> jobs;
  for (std::size_t i = 0; i < N; ++i) {
    const auto& [secret, label, context, out] = expansions[i];
    labels[i].encode(schedule.prefix(), label, context, out.size());
    jobs[i] = {.secret = secret, .info = labels[i].view(), .out = out};
  }
  const bool done = schedule.hash().expand(jobs);
  wipe_stack<kHashFrames>();
  return done;
}

}  // namespace

}  // namespace lockstep::key_schedule
