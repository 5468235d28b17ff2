#include "signing_key.hpp"

#include <algorithm>

#include "common/key_info.hpp"
#include "common/signing.hpp"
#include "ecdsa.hpp"

namespace lockstep::multibuffer {
namespace {

// From how many on a call of crypto_mb, which costs the same for any number, costs less than signing one by one.
template <class Curve>
constexpr std::size_t kLeastEcdsa = Curve::kSize == P384::kSize ? 1 : 3;
constexpr std::size_t kLeastRsa = 3;

/// The digest that a job signs.
struct Digest {
  const Hash* hash = nullptr;
  std::array<std::uint8_t, kMaxDigestSize> bytes;

  [[nodiscard]] bool make(const SignJob& job) noexcept {
    hash = singles().hash(*hash_of(parts(job.scheme)->algorithm));
    return digest(*hash, {&job.message, 1}, MutableBytes(bytes).first(hash->digest_size));
  }
  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes).first(hash->digest_size); }
};

}  // namespace

// --- any key ---------------------------------------------------------------------------------------------------------

void BatchingKey::sign_many(std::span<SignJob> jobs) const noexcept {
  in_lanes(
      jobs, least_,
      [this](std::span<SignJob> some) {
        const Forgotten forgotten;
        sign_together(sort_out(some));
      },
      [this](SignJob& job) { sign_alone(job); });
}

void BatchingKey::sign_alone(SignJob& job) const noexcept {
  job.size = single_->sign(job.scheme, job.message, *job.random, job.out);
}

Lanes<SignJob> BatchingKey::sort_out(std::span<SignJob> jobs) const noexcept {
  Lanes<SignJob> lanes{};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    SignJob& job = jobs[i];
    job.size = 0;
    if (std::ranges::find(schemes(), job.scheme) == schemes().end()) continue;
    // Not SHA-1.
    if (hash_of(parts(job.scheme)->algorithm))
      lanes[i] = &job;
    else
      sign_alone(job);
  }
  return lanes;
}

// --- ECDSA -----------------------------------------------------------------------------------------------------------

template <class Curve>
EcdsaKey<Curve>::EcdsaKey(std::shared_ptr<const SigningKey> single, Bytes scalar) noexcept
    : BatchingKey(std::move(single), kLeastEcdsa<Curve>), scalar_(Curve::kSize) {
  std::ranges::copy_backward(scalar, scalar_.writable().end());
}

template <class Curve>
void EcdsaKey<Curve>::sign_together(const Lanes<SignJob>& jobs) const noexcept {
  Scalar<Curve> key;
  to_limbs(scalar_.view(), key);
  std::array<Scalar<Curve>, kLanes> nonces;
  std::array<std::array<std::uint8_t, Curve::kSize>, kLanes> numbers;
  std::array<EcdsaSignature<Curve>, kLanes> signatures;
  Lanes<const int64u> keys{}, nonce_pointers{};
  Lanes<const std::uint8_t> number_pointers{};
  Lanes<std::uint8_t> r{}, s{};
  for (std::size_t i = 0; i < kLanes; ++i) {
    Digest digest;
    Secret<Curve::kSize> nonce(Curve::kSize);
    if (jobs[i] == nullptr || !digest.make(*jobs[i]) ||
        !draw_nonce<Curve>(scalar_.view(), digest.view(), *jobs[i]->random, nonce.writable()))
      continue;
    to_limbs(nonce.view(), nonces[i]);
    numbers[i] = to_number<Curve>(digest.view());
    keys[i] = key.data();
    nonce_pointers[i] = nonces[i].data();
    number_pointers[i] = numbers[i].data();
    r[i] = signatures[i].r.data();
    s[i] = signatures[i].s.data();
  }
  const mbx_status status =
      Curve::kSign(r.data(), s.data(), number_pointers.data(), nonce_pointers.data(), keys.data(), nullptr);
  for (std::size_t i = 0; i < kLanes; ++i) {
    if (r[i] != nullptr && is_done(status, i)) jobs[i]->size = write_signature(signatures[i], jobs[i]->out);
  }
}

template class EcdsaKey<P256>;
template class EcdsaKey<P384>;

// --- RSA -------------------------------------------------------------------------------------------------------------

RsaKey::RsaKey(std::shared_ptr<const SigningKey> single, std::unique_ptr<const RsaPrivateKey> key) noexcept
    : BatchingKey(std::move(single), kLeastRsa), key_(std::move(key)) {}

namespace {

/// What a job signs, as long as the modulus.
bool encode(const SignJob& job, MutableBytes encoded) noexcept {
  Digest digest;
  if (!digest.make(job)) return false;
  if (!is_pss(parts(job.scheme)->algorithm)) return encode_pkcs1(*digest.hash, digest.view(), encoded);
  std::array<std::uint8_t, kMaxDigestSize> salt;
  const MutableBytes drawn = MutableBytes(salt).first(digest.hash->digest_size);
  return job.random->fill(drawn) && encode_pss(*digest.hash, digest.view(), drawn, encoded);
}

}  // namespace

void RsaKey::sign_together(const Lanes<SignJob>& jobs) const noexcept {
  std::array<std::array<std::uint8_t, kMaxModulusSize>, kLanes> encoded;
  Lanes<const std::uint8_t> in{};
  Lanes<std::uint8_t> out{};
  for (std::size_t i = 0; i < kLanes; ++i) {
    const std::size_t size = key_->size();
    if (jobs[i] == nullptr || jobs[i]->out.size() < size || !encode(*jobs[i], MutableBytes(encoded[i]).first(size)))
      continue;
    in[i] = encoded[i].data();
    out[i] = jobs[i]->out.data();
  }
  const std::uint8_t done = key_->apply(in, out);
  for (std::size_t i = 0; i < kLanes; ++i) {
    if ((done >> i & 1U) != 0) jobs[i]->size = key_->size();
  }
}

}  // namespace lockstep::multibuffer
