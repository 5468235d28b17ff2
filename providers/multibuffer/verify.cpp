// Verification of signatures: what is left of a lane's job once its key and its signature are read is done together.

#include <algorithm>
#include <iterator>

#include <lockstep/multibuffer.hpp>

#include "common/key_info.hpp"
#include "common/signing.hpp"
#include "descriptors.hpp"
#include "ecdsa.hpp"
#include "rsa.hpp"

namespace lockstep::multibuffer {
namespace {

template <Verification row>
const SignatureVerifier& single() noexcept {
  static const SignatureVerifier& verifier = *singles().verifier(row.algorithm, row.key);
  return verifier;
}

template <Verification row>
void verify_alone(VerifyJob& job) noexcept {
  verify(single<row>(), job);
}

template <Verification row>
const Hash& hash() noexcept {
  static const Hash& found = *singles().hash(*hash_of(row.algorithm));
  return found;
}

/// The bits of a job's public key, when they are of the right type and for this algorithm.
template <Verification row>
std::optional<Bytes> key_bits(const VerifyJob& job) noexcept {
  const auto info = key_info::read_public(job.subject_public_key_info);
  const auto stated = info ? key_info::read_algorithm(info->algorithm_identifier) : std::nullopt;
  if (!stated || stated->type != row.key) return std::nullopt;
  if (stated->only_hash && stated->only_hash != hash_of(row.algorithm)) return std::nullopt;
  return info->bits;
}

/// How few cost less together than one by one. A call costs nearly the same for two as for eight; measured on a Zen 5,
/// microseconds of a call and of one alone (with its key prepared): P-256 93 and 45 (42), P-384 405 and 390, RSA-2048
/// 29 and 23 (15), RSA-3072 61 and 39 (30), RSA-4096 99 and 62 (49).
template <Verification row>
constexpr std::size_t kLeast = row.key == KeyType::ec_p256 ? 3 : 2;

// --- ECDSA -----------------------------------------------------------------------------------------------------------

template <class Curve>
struct EcdsaLane {
  Point<Curve> key;
  EcdsaSignature<Curve> signature;
  std::array<std::uint8_t, Curve::kSize> number;
};

template <Verification row, class Curve>
bool read_lane(VerifyJob& job, EcdsaLane<Curve>& lane) noexcept {
  job.result = VerifyResult::bad_key;
  const auto bits = key_bits<row>(job);
  if (!bits || !read_public_key<Curve>(*bits, lane.key)) return false;
  job.result = VerifyResult::invalid;
  if (!read_signature<Curve>(job.signature, lane.signature)) return false;
  job.result = VerifyResult::failed;
  std::array<std::uint8_t, kMaxDigestSize> digest_of_message;
  const MutableBytes made = MutableBytes(digest_of_message).first(hash<row>().digest_size);
  if (!digest(hash<row>(), {&job.message, 1}, made)) return false;
  lane.number = to_number<Curve>(made);
  return true;
}

template <Verification row, class Curve>
void verify_ecdsa(std::span<VerifyJob> jobs) noexcept {
  std::array<EcdsaLane<Curve>, kLanes> lanes;
  Lanes<const std::uint8_t> r{}, s{}, numbers{};
  Lanes<const int64u> x{}, y{};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!read_lane<row>(jobs[i], lanes[i])) continue;
    r[i] = lanes[i].signature.r.data();
    s[i] = lanes[i].signature.s.data();
    numbers[i] = lanes[i].number.data();
    x[i] = lanes[i].key.x.data();
    y[i] = lanes[i].key.y.data();
  }
  const mbx_status status = Curve::kVerify(r.data(), s.data(), numbers.data(), x.data(), y.data(), nullptr, nullptr);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (r[i] != nullptr) jobs[i].result = is_done(status, i) ? VerifyResult::valid : VerifyResult::invalid;
  }
}

// --- RSA -------------------------------------------------------------------------------------------------------------

/// Whether a signature leads to what was to be signed.
template <Verification row>
VerifyResult judge(Bytes message, MutableBytes encoded) noexcept {
  std::array<std::uint8_t, kMaxDigestSize> digest_of_message;
  const MutableBytes made = MutableBytes(digest_of_message).first(hash<row>().digest_size);
  if (!digest(hash<row>(), {&message, 1}, made)) return VerifyResult::failed;
  if (is_pss(row.algorithm))
    return verify_pss(hash<row>(), made, encoded) ? VerifyResult::valid : VerifyResult::invalid;
  std::array<std::uint8_t, kMaxModulusSize> expected;
  const MutableBytes whole = MutableBytes(expected).first(encoded.size());
  return encode_pkcs1(hash<row>(), made, whole) && equal(whole, encoded) ? VerifyResult::valid : VerifyResult::invalid;
}

/// Lanes are of one size, so each size has its turn; what crypto_mb has no operation for goes alone.
template <Verification row>
void verify_rsa(std::span<VerifyJob> jobs) noexcept {
  Lanes<const std::uint8_t> moduli{};
  std::array<std::size_t, kLanes> sizes{};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto bits = key_bits<row>(jobs[i]);
    const auto key = bits ? read_rsa_public_key(*bits) : std::nullopt;
    if (!key) {
      verify_alone<row>(jobs[i]);
      continue;
    }
    // RFC 8017 8.1.2 and 8.2.2: "If the length of the signature S is not k octets, output "invalid signature" and
    // stop." 5.2.2: "If the signature representative s is not between 0 and n - 1, output "signature representative out
    // of range" and stop."
    jobs[i].result = VerifyResult::invalid;
    if (jobs[i].signature.size() != key->modulus.size() || !is_less(jobs[i].signature, key->modulus)) continue;
    moduli[i] = key->modulus.data();
    sizes[i] = key->modulus.size();
  }
  for (const std::size_t size : {256U, 384U, 512U}) {
    if (std::ranges::find(sizes, size) == sizes.end()) continue;
    std::array<std::array<std::uint8_t, kMaxModulusSize>, kLanes> encoded;
    Lanes<const std::uint8_t> of_size{}, in{};
    Lanes<std::uint8_t> out{};
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (sizes[i] != size) continue;
      of_size[i] = moduli[i];
      in[i] = jobs[i].signature.data();
      out[i] = encoded[i].data();
    }
    const bool done = apply_public(size, of_size, in, out);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (sizes[i] == size) jobs[i].result = done ? judge<row>(jobs[i].message, {out[i], size}) : VerifyResult::failed;
    }
  }
}

// --- descriptors -----------------------------------------------------------------------------------------------------

template <Verification row>
void verify_together(std::span<VerifyJob> jobs) noexcept {
  if constexpr (row.key == KeyType::ec_p256)
    verify_ecdsa<row, P256>(jobs);
  else if constexpr (row.key == KeyType::ec_p384)
    verify_ecdsa<row, P384>(jobs);
  else
    verify_rsa<row>(jobs);
}

template <Verification row>
void verify_many(std::span<VerifyJob> jobs) noexcept {
  in_lanes(jobs, kLeast<row>, verify_together<row>, verify_alone<row>);
}

/// The libcrypto provider's, which can do several at once.
template <Verification row>
const SignatureVerifier* descriptor() {
  if (singles().verifier(row.algorithm, row.key) == nullptr) return nullptr;
  static const SignatureVerifier made = [] {
    SignatureVerifier all = single<row>();
    all.implementation = kImplementation;
    all.width = kLanes;
    all.verify_many = verify_many<row>;
    return all;
  }();
  return &made;
}

}  // namespace

std::vector<const SignatureVerifier*> verifiers() {
  std::vector<const SignatureVerifier*> all;
  [&]<std::size_t... index>(std::index_sequence<index...>) {
    constexpr auto& kRows = detail::kVerifications;
    const auto add = [&](const SignatureVerifier* verifier) {
      if (verifier != nullptr) all.push_back(verifier);
    };
    (add(descriptor<kRows[index]>()), ...);
  }(std::make_index_sequence<std::size(detail::kVerifications)>());
  return all;
}

}  // namespace lockstep::multibuffer
