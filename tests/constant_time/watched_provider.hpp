#pragma once
// The real provider, watched: private keys are read or made from secret bytes, shared secrets and keys of AEADs must
// arrive as secrets, and what leaves is public as far as it has to be.

#include <algorithm>
#include <expected>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>
#include LOCKSTEP_WATCHED_HEADER

#include "common/key_info.hpp"
#include "constant_time/secrets.hpp"

namespace lockstep::testing {

/// The same for records and for tickets, which differ in what the receiver may look at.
enum class Use : std::uint8_t { records, tickets };

namespace watched {

inline const Provider& real() {
  static const Provider provider = LOCKSTEP_WATCHED_PROVIDER;
  return provider;
}

/// Whether a record is one of TLS 1.2 (RFC 5246 6.2.3.3): its number, type, version and length are authenticated with
/// it.
inline bool of_tls12(Bytes aad) { return aad.size() == 13; }

/// RFC 9846 5.2: content, its type, and zeros. In TLS 1.2 the content is all there is, and its type is in the header.
inline void open_record(MutableBytes inner, Bytes aad) {
  if (of_tls12(aad)) {
    if (static_cast<ContentType>(aad[8]) != ContentType::application_data) declassify(Public::handshake_content, inner);
    return;
  }
  std::size_t size = inner.size();
  while (size > 0 && peek(inner[size - 1]) == 0) --size;
  if (size == 0) return declassify(Public::padding_and_type, inner);
  const auto type = static_cast<ContentType>(peek(inner[size - 1]));
  declassify(Public::padding_and_type, inner.subspan(size - 1));
  if (type != ContentType::application_data) declassify(Public::handshake_content, inner.first(size - 1));
}

/// docs/session-format.md: all but the secret.
inline void open_ticket(MutableBytes session) {
  constexpr std::size_t kName = 75;  // its length
  declassify(Public::ticket_frame, session.first(kName + 1));
  const std::size_t secret = kName + 1 + session[kName];
  declassify(Public::ticket_frame, session.subspan(kName + 1, secret - kName));
  declassify(Public::ticket_frame, session.subspan(secret + 1 + session[secret]));
}

template <Use use, std::size_t index>
struct WatchedAead {
  static const Aead& leader() { return *real().aeads[index]; }
  static bool init(void* context, Bytes key) noexcept {
    EXPECT_TRUE(all_secret(key)) << leader().implementation << ": a key is not known to be secret any more";
    return leader().init(context, key);
  }
  static bool seal(void* context, std::span<const SealJob> jobs) noexcept {
    if (!leader().seal(context, jobs)) return false;
    for (const SealJob& job : jobs) {
      // RFC 5288 3: the salt is secret, and what follows it stands in the record.
      EXPECT_TRUE(all_secret({job.nonce, use == Use::records && of_tls12(job.aad) ? 4 : kAeadNonceSize}));
      std::size_t size = job.tail.size() + leader().tag_size;
      for (const Bytes segment : job.source) size += segment.size();
      EXPECT_TRUE(all_secret({job.destination, size})) << leader().implementation << ": a secret got lost";
      declassify(Public::ciphertext, {job.destination, size});
      // A ticket's seed is a MAC under the ticket key, and stands in the ticket.
      if constexpr (use == Use::tickets) declassify(Public::ciphertext, job.aad);
    }
    return true;
  }
  static bool open(void* context, std::span<OpenJob> jobs) noexcept {
    const bool all = leader().open(context, jobs);
    for (const OpenJob& job : jobs) {
      if (!job.ok) continue;
      const MutableBytes opened(job.destination, job.source.size() - leader().tag_size);
      EXPECT_TRUE(all_secret(opened)) << leader().implementation << ": a secret got lost";
      if constexpr (use == Use::records) {
        open_record(opened, job.aad);
      } else {
        open_ticket(opened);
      }
    }
    return all;
  }
  static void destroy(void* context) noexcept { leader().destroy(context); }
  static const Aead* descriptor() {
    static const Aead aead{leader().id,
                           leader().implementation,
                           leader().key_size,
                           leader().tag_size,
                           leader().context_size,
                           init,
                           seal,
                           open,
                           destroy,
                           leader().insecure};
    return &aead;
  }
};

/// What is drawn for a key pair is its private key, or it follows from that.
class SecretRandom final : public RandomSource {
 public:
  explicit SecretRandom(RandomSource& source) noexcept : source_(source) {}
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    const bool filled = source_.fill(out);
    hide(out);
    return filled;
  }

 private:
  RandomSource& source_;
};

template <std::size_t index>
struct WatchedGroup {
  static const Group& leader() { return *real().groups[index]; }
  static GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
    SecretRandom secret_random(random);
    const GroupResult result = leader().generate(context, secret_random, share);
    publish_share(share);
    return result;
  }
  static GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                                 MutableBytes secret) noexcept {
    SecretRandom secret_random(random);
    const GroupResult result = leader().encapsulate(client_share, secret_random, server_share, secret);
    publish_share(server_share);
    expect_secret(result, secret);
    return result;
  }
  static GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
    const GroupResult result = leader().decapsulate(context, server_share, secret);
    expect_secret(result, secret);
    return result;
  }
  static void expect_secret(GroupResult result, Bytes secret) {
    if (result != GroupResult::ok) return;
    EXPECT_TRUE(all_secret(secret)) << name(leader().id);
    if (!is_finite_field(leader().id)) return;
    const auto first = std::ranges::find_if(secret, [](const std::uint8_t& byte) { return peek(byte) != 0; });
    declassify(Public::leading_zeros, {secret.begin(), first + (first != secret.end() ? 1 : 0)});
  }
  static void publish_share(MutableBytes share) {
    EXPECT_TRUE(std::ranges::any_of(share, is_secret)) << name(leader().id) << ": not made from a secret key";
    declassify(Public::key_share, share);
  }
  static const Group* descriptor() {
    static const Group group{leader().id,
                             leader().implementation,
                             leader().client_share_size,
                             leader().server_share_size,
                             leader().secret_size,
                             leader().context_size,
                             generate,
                             encapsulate,
                             decapsulate,
                             leader().destroy,
                             leader().insecure};
    return &group;
  }
};

template <std::size_t index>
struct WatchedCbc {
  static const CbcCipher& leader() { return *real().cbc_ciphers[index]; }
  static bool init(void* context, Bytes key) noexcept {
    EXPECT_TRUE(all_secret(key)) << leader().implementation << ": a key is not known to be secret any more";
    return leader().init(context, key);
  }
  static bool encrypt(void* context, Bytes iv, MutableBytes blocks) noexcept {
    EXPECT_TRUE(all_secret(iv)) << "an IV that can be told from random bytes";
    declassify(Public::ciphertext, iv);
    if (!leader().encrypt(context, iv, blocks)) return false;
    EXPECT_TRUE(all_secret(blocks)) << leader().implementation << ": a secret got lost";
    declassify(Public::ciphertext, blocks);
    return true;
  }
  static bool decrypt(void* context, Bytes iv, MutableBytes blocks) noexcept {
    if (!leader().decrypt(context, iv, blocks)) return false;
    EXPECT_TRUE(all_secret(blocks)) << leader().implementation << ": a secret got lost";
    return true;
  }
  static const CbcCipher* descriptor() {
    static const CbcCipher cipher{leader().id,
                                  leader().implementation,
                                  leader().key_size,
                                  leader().block_size,
                                  leader().context_size,
                                  init,
                                  encrypt,
                                  decrypt,
                                  leader().destroy,
                                  leader().insecure};
    return &cipher;
  }
};

template <std::size_t index>
struct WatchedMac {
  static const RecordMac& leader() { return *real().record_macs[index]; }
  static bool mac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    EXPECT_TRUE(all_secret(key)) << "a MAC key is not known to be secret any more";
    if (!leader().mac(key, segments, out)) return false;
    EXPECT_TRUE(all_secret(out)) << leader().implementation << ": a secret got lost";
    // RFC 7366: that of a ciphertext is written behind it.
    const Bytes content = segments.back();
    if (content.data() + content.size() == out.data() && std::ranges::none_of(content, is_secret))
      declassify(Public::ciphertext, out);
    return true;
  }
  static bool mac_of_secret_length(Bytes key, Bytes header, Bytes content_then_padding, std::size_t secret_length,
                                   MutableBytes out) noexcept {
    EXPECT_TRUE(all_secret(key) && all_secret(content_then_padding));
    EXPECT_TRUE(is_secret(reinterpret_cast<const std::uint8_t&>(secret_length)))
        << "a length is not known to be secret";
    if (!leader().mac_of_secret_length(key, header, content_then_padding, secret_length, out)) return false;
    EXPECT_TRUE(all_secret(out)) << leader().implementation << ": a secret got lost";
    return true;
  }
  static const RecordMac* descriptor() {
    static const RecordMac mac{leader().id,     leader().implementation, leader().size,    leader().key_size,
                               WatchedMac::mac, mac_of_secret_length,    leader().insecure};
    return &mac;
  }
};

template <std::size_t index>
struct WatchedEncryptor {
  static const KeyEncryptor& leader() { return *real().key_encryptors[index]; }
  /// What is encrypted was drawn by the client, as other things are: from here on it is a secret, but for the version
  /// that it begins with.
  static std::size_t encrypt(Bytes subject_public_key_info, Bytes secret, RandomSource& random,
                             MutableBytes out) noexcept {
    hide(secret.subspan(2));
    const std::size_t size = leader().encrypt(subject_public_key_info, secret, random, out);
    EXPECT_TRUE(std::ranges::any_of(out.first(size), is_secret)) << "a secret got lost";
    declassify(Public::encrypted_secret, out.first(size));
    return size;
  }
  static const KeyEncryptor* descriptor() {
    static const KeyEncryptor encryptor{leader().key, leader().implementation, encrypt, leader().insecure};
    return &encryptor;
  }
};

inline std::vector<std::uint8_t> for_the_library(Bytes content) {
  std::vector<std::uint8_t> copy(content.begin(), content.end());
  declassify(Public::signed_content, copy);
  return copy;
}

template <std::size_t index>
struct WatchedVerifier {
  static const SignatureVerifier& leader() { return *real().verifiers[index]; }
  static VerifyResult verify(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
    return leader().verify(subject_public_key_info, for_the_library(message), signature);
  }
  static const SignatureVerifier* descriptor() {
    static const SignatureVerifier verifier{leader().algorithm, leader().key, leader().implementation, verify};
    return &verifier;
  }
};

/// Where a PKCS#8 has what only the owner of the key may know: the scalar, or the seed. Tags, lengths, versions and
/// names are public.
inline Bytes private_octets(Bytes pkcs8) {
  const key_info::PrivateKeyInfo info = key_info::read_private(pkcs8).value();
  // RFC 8410 7
  if (key_info::type_of(info.algorithm_identifier) == KeyType::ed25519)
    return der::read_whole(info.private_key, der::kOctetString).value();
  if (key_info::type_of(info.algorithm_identifier) == KeyType::rsa) return {};  // see WatchedKey
  // RFC 5915 3
  EXPECT_EQ(key_info::type_of(info.algorithm_identifier), KeyType::ec_p256);
  der::Reader reader(der::read_whole(info.private_key, der::kSequence).value());
  static_cast<void>(reader.read_small().value());
  return reader.read(der::kOctetString).value();
}

/// A private key that was read from secret octets. What it signs is public; verdicts_botan.cpp or
/// verdicts_libcrypto.cpp sees its signatures. An RSA
/// key is not marked, because memcheck would spend minutes in Botan's arithmetic; what it decrypts is, beside that.
class WatchedKey final : public SigningKey {
 public:
  explicit WatchedKey(std::shared_ptr<const SigningKey> key) : key_(std::move(key)), public_(octets(*key_)) {
    if (key_->type() == KeyType::rsa) return;
    EXPECT_TRUE(std::ranges::any_of(public_, is_secret)) << "the public key is not made from a secret one";
    declassify(Public::public_key, public_);
  }
  [[nodiscard]] KeyType type() const noexcept override { return key_->type(); }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return public_; }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return key_->schemes(); }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    SecretRandom secret_random(random);
    uses_unmarked_key = type() == KeyType::rsa;
    const std::size_t size = key_->sign(scheme, for_the_library(message), secret_random, out);
    uses_unmarked_key = false;
    return size;
  }
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override {
    const bool done = key_->decrypt(ciphertext, random, out);
    EXPECT_TRUE(!done || all_secret(out)) << "a secret got lost";
    return done;
  }

 private:
  static std::vector<std::uint8_t> octets(const SigningKey& key) {
    const Bytes info = key.subject_public_key_info();
    return {info.begin(), info.end()};
  }

  std::shared_ptr<const SigningKey> key_;
  std::vector<std::uint8_t> public_;
};

template <std::size_t index>
struct WatchedLoader {
  static const KeyLoader& leader() { return *real().key_loaders[index]; }
  static std::expected<std::shared_ptr<const SigningKey>, KeyError> load(Bytes pkcs8) noexcept {
    const std::vector<std::uint8_t> copy(pkcs8.begin(), pkcs8.end());
    hide(private_octets(copy));
    uses_unmarked_key = std::ranges::none_of(copy, is_secret);
    auto key = leader().load(copy);
    uses_unmarked_key = false;
    if (!key) return key;
    return std::make_shared<const WatchedKey>(std::move(*key));
  }
  static const KeyLoader* descriptor() {
    static const KeyLoader loader{leader().implementation, leader().types, load, leader().decrypt, leader().generate};
    return &loader;
  }
};

/// More than any provider lists.
constexpr auto kSlots = std::make_index_sequence<40>();

template <template <std::size_t> class Watched, class Descriptor, std::size_t... index>
std::vector<const Descriptor*> wrapped(const std::vector<const Descriptor*>& leaders, std::index_sequence<index...>) {
  std::vector<const Descriptor*> all;
  (static_cast<void>(index < leaders.size() && (all.push_back(Watched<index>::descriptor()), true)), ...);
  return all;
}

template <std::size_t index>
using RecordAead = WatchedAead<Use::records, index>;
template <std::size_t index>
using TicketAead = WatchedAead<Use::tickets, index>;

}  // namespace watched

inline Provider watched_provider(Use use = Use::records) {
  const Provider& real = watched::real();
  Provider provider = real;
  provider.name = "watched";
  provider.aeads = use == Use::records ? watched::wrapped<watched::RecordAead>(real.aeads, watched::kSlots)
                                       : watched::wrapped<watched::TicketAead>(real.aeads, watched::kSlots);
  provider.groups = watched::wrapped<watched::WatchedGroup>(real.groups, watched::kSlots);
  provider.verifiers = watched::wrapped<watched::WatchedVerifier>(real.verifiers, watched::kSlots);
  provider.key_loaders = watched::wrapped<watched::WatchedLoader>(real.key_loaders, watched::kSlots);
  provider.key_encryptors = watched::wrapped<watched::WatchedEncryptor>(real.key_encryptors, watched::kSlots);
  provider.cbc_ciphers = watched::wrapped<watched::WatchedCbc>(real.cbc_ciphers, watched::kSlots);
  provider.record_macs = watched::wrapped<watched::WatchedMac>(real.record_macs, watched::kSlots);
  return provider;
}

}  // namespace lockstep::testing
