#include "rsa.hpp"

#include <algorithm>
#include <new>

#include <crypto_mb/rsa.h>

#include "common/der.hpp"
#include "common/key_info.hpp"

namespace lockstep::multibuffer {
namespace {

constexpr std::uint32_t kExponent = 65537;

/// What crypto_mb works on. It would take it from the heap and leave it there unwiped.
class Workspace {
 public:
  explicit Workspace(const mbx_RSA_Method* method) noexcept
      // Its own account of the buffer for 4096 bits is too small by seven of eight numbers.
      : size_(method == nullptr ? 0 : static_cast<std::size_t>(mbx_RSA_Method_BufSize(method)) + kSlack),
        bytes_(size_ == 0 ? nullptr : new(std::nothrow) std::uint8_t[size_]) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    if (bytes_) wipe({bytes_.get(), size_});
  }

  [[nodiscard]] std::uint8_t* get() const noexcept { return bytes_.get(); }

 private:
  static constexpr std::size_t kSlack = kLanes * sizeof(int64u);

  std::size_t size_;
  std::unique_ptr<std::uint8_t[]> bytes_;
};

std::size_t bit_count(Bytes magnitude) noexcept {
  return magnitude.empty() ? 0 : 8 * (magnitude.size() - 1) + static_cast<std::size_t>(std::bit_width(magnitude[0]));
}

/// Where randomness for blinding comes from: a library context of our own, so that nothing an application does to
/// OpenSSL's changes it. It changes no result.
OSSL_LIB_CTX* context() noexcept {
  static OSSL_LIB_CTX* const made = OSSL_LIB_CTX_new();
  return made;
}

using Context = libcrypto::Owned<BN_CTX, BN_CTX_free>;

}  // namespace

std::optional<RsaPublicKey> read_rsa_public_key(Bytes bits) noexcept {
  const auto sequence = der::read_whole(bits, der::kSequence);
  if (!sequence) return std::nullopt;
  der::Reader reader(*sequence);
  const auto modulus = reader.read_unsigned();
  const auto exponent = reader.read_small();
  if (!modulus || exponent != kExponent || !reader.at_end() || !has_modulus(modulus->size()) ||
      bit_count(*modulus) != 8 * modulus->size() || modulus->back() % 2 == 0)
    return std::nullopt;
  return RsaPublicKey{*modulus};
}

bool apply_public(std::size_t size, const Lanes<const std::uint8_t>& moduli, const Lanes<const std::uint8_t>& in,
                  const Lanes<std::uint8_t>& out) noexcept {
  const mbx_RSA_Method* const method = mbx_RSA_pub65537_Method(static_cast<int>(8 * size));
  const Workspace workspace(method);
  if (workspace.get() == nullptr) return false;
  std::array<std::array<int64u, kMaxModulusSize / 8>, kLanes> limbs;
  Lanes<const int64u> pointers{};
  for (std::size_t i = 0; i < kLanes; ++i) {
    if (moduli[i] == nullptr) continue;
    to_limbs({moduli[i], size}, std::span(limbs[i]).first(size / 8));
    pointers[i] = limbs[i].data();
  }
  const mbx_status status =
      mbx_rsa_public_mb8(in.data(), out.data(), pointers.data(), static_cast<int>(8 * size), method, workspace.get());
  for (std::size_t i = 0; i < kLanes; ++i) {
    if (in[i] != nullptr && !is_done(status, i)) return false;
  }
  return true;
}

// --- the private key -------------------------------------------------------------------------------------------------

std::unique_ptr<RsaPrivateKey> RsaPrivateKey::read(Bytes der) noexcept {
  const auto sequence = der::read_whole(der, der::kSequence);
  if (!sequence) return nullptr;
  der::Reader reader(*sequence);
  const auto version = reader.read_small();
  const auto n = reader.read_unsigned();
  const auto e = reader.read_small();
  std::array<Bytes, 6> rest;  // d, p, q, dP, dQ, qInv
  for (Bytes& number : rest) {
    const auto magnitude = reader.read_unsigned();
    if (!magnitude) return nullptr;
    number = *magnitude;
  }
  if (version != 0U || !n || e != kExponent || !has_modulus(n->size()) || bit_count(*n) != 8 * n->size() ||
      bit_count(rest[1]) != 4 * n->size() || bit_count(rest[2]) != 4 * n->size())
    return nullptr;
  std::unique_ptr<RsaPrivateKey> key(new (std::nothrow) RsaPrivateKey);
  if (!key) return nullptr;
  key->size_ = n->size();
  std::ranges::copy(*n, key->modulus_.begin());
  SecretLimbs<kFactorLimbs>* const numbers[] = {&key->p_, &key->q_, &key->dp_, &key->dq_, &key->qi_};
  for (std::size_t i = 0; i < std::size(numbers); ++i) to_limbs(rest[i + 1], *numbers[i]);
  return key->prepare_blinding() ? std::move(key) : nullptr;
}

bool RsaPrivateKey::prepare_blinding() noexcept {
  const libcrypto::Quiet quiet;
  const Context numbers(BN_CTX_secure_new_ex(context()));
  n_.reset(BN_bin2bn(modulus_.data(), static_cast<int>(size_), nullptr));
  montgomery_.reset(BN_MONT_CTX_new());
  if (!numbers || !n_ || !montgomery_ || BN_MONT_CTX_set(montgomery_.get(), n_.get(), numbers.get()) <= 0) return false;
  blinding_.reset(new_blinding(numbers.get()));
  return blinding_ != nullptr;
}

BN_BLINDING* RsaPrivateKey::new_blinding(BN_CTX* numbers) const noexcept {
  const libcrypto::Number e(BN_new());
  if (!e || BN_set_word(e.get(), kExponent) <= 0) return nullptr;
  BN_BLINDING* const made =
      BN_BLINDING_create_param(nullptr, e.get(), n_.get(), numbers, BN_mod_exp_mont, montgomery_.get());
  if (made != nullptr) BN_BLINDING_set_flags(made, BN_BLINDING_NO_RECREATE);
  return made;
}

bool RsaPrivateKey::blind(BIGNUM* number, BIGNUM* unblind, BN_CTX* numbers) const noexcept {
  // Each use squares it, which costs a hundredth of a new one. OpenSSL makes a new one after 32 uses, which would be a
  // fifth of a signature here; Mbed TLS never does.
  constexpr std::size_t kUses = 1024;
  const std::scoped_lock lock(blinding_mutex_);
  if (++blinded_ == kUses) {
    if (BN_BLINDING* const fresh = new_blinding(numbers)) blinding_.reset(fresh);
    blinded_ = 0;
  }
  return BN_BLINDING_convert_ex(number, unblind, blinding_.get(), numbers) > 0;
}

bool RsaPrivateKey::take_off(BIGNUM* number, const BIGNUM* unblind, BN_CTX* numbers) const noexcept {
  const std::scoped_lock lock(blinding_mutex_);
  return BN_BLINDING_invert_ex(number, unblind, blinding_.get(), numbers) > 0;
}

std::uint8_t RsaPrivateKey::apply(const Lanes<const std::uint8_t>& in, const Lanes<std::uint8_t>& out) const noexcept {
  const libcrypto::Quiet quiet;
  const mbx_RSA_Method* const method = mbx_RSA_private_crt_Method(static_cast<int>(8 * size_));
  const Workspace workspace(method);
  const Context numbers(BN_CTX_secure_new_ex(context()));
  const auto width = static_cast<int>(size_);
  std::array<Secret<kMaxModulusSize>, kLanes> blinded, result;
  std::array<libcrypto::Number, kLanes> unblind;
  Lanes<const std::uint8_t> from{};
  Lanes<std::uint8_t> to{};
  const libcrypto::Number number(BN_secure_new());
  if (workspace.get() == nullptr || !numbers || !number) return 0;

  for (std::size_t i = 0; i < kLanes; ++i) {
    if (in[i] == nullptr) continue;
    unblind[i].reset(BN_secure_new());
    blinded[i].resize(size_);
    result[i].resize(size_);
    if (!unblind[i] || BN_bin2bn(in[i], width, number.get()) == nullptr ||
        !blind(number.get(), unblind[i].get(), numbers.get()) ||
        BN_bn2binpad(number.get(), blinded[i].writable().data(), width) != width)
      continue;
    from[i] = blinded[i].view().data();
    to[i] = result[i].writable().data();
  }

  const auto all = [](const SecretLimbs<kFactorLimbs>& limbs) {
    Lanes<const int64u> pointers;
    pointers.fill(limbs.data());
    return pointers;
  };
  const auto p = all(p_), q = all(q_), dp = all(dp_), dq = all(dq_), qi = all(qi_);
  const mbx_status status = mbx_rsa_private_crt_mb8(from.data(), to.data(), p.data(), q.data(), dp.data(), dq.data(),
                                                    qi.data(), 8 * width, method, workspace.get());

  Lanes<const std::uint8_t> moduli{}, made{};
  for (std::size_t i = 0; i < kLanes; ++i) {
    if (from[i] == nullptr || !is_done(status, i)) continue;
    if (BN_bin2bn(to[i], width, number.get()) == nullptr || !take_off(number.get(), unblind[i].get(), numbers.get()) ||
        BN_bn2binpad(number.get(), to[i], width) != width)
      continue;
    made[i] = to[i];
    moduli[i] = modulus_.data();
  }

  // Boneh, DeMillo and Lipton, "On the Importance of Checking Cryptographic Protocols for Faults", 1997: one signature
  // that is right modulo one of the primes alone gives both away.
  std::array<std::array<std::uint8_t, kMaxModulusSize>, kLanes> checks;
  Lanes<std::uint8_t> check{};
  for (std::size_t i = 0; i < kLanes; ++i) check[i] = made[i] != nullptr ? checks[i].data() : nullptr;
  const bool checked = apply_public(size_, moduli, made, check);
  std::uint8_t done = 0;
  for (std::size_t i = 0; i < kLanes; ++i) {
    if (in[i] == nullptr) continue;
    const bool good = checked && made[i] != nullptr && constant_time_equal({check[i], size_}, {in[i], size_});
    if (good) {
      std::ranges::copy(result[i].view(), out[i]);
      done = static_cast<std::uint8_t>(done | 1U << i);
    } else {
      std::fill_n(out[i], size_, std::uint8_t{0});
    }
  }
  return done;
}

// --- what is signed --------------------------------------------------------------------------------------------------

namespace {

/// RFC 8017 B.2.1, over what is there already.
bool mask(const Hash& hash, Bytes seed, MutableBytes out) noexcept {
  std::array<std::uint8_t, kMaxDigestSize> block;
  for (std::uint8_t counter = 0; !out.empty(); ++counter) {
    const std::array<std::uint8_t, 4> octets{0, 0, 0, counter};
    const Bytes parts[] = {seed, octets};
    if (!digest(hash, parts, MutableBytes(block).first(hash.digest_size))) return false;
    const std::size_t size = std::min(out.size(), hash.digest_size);
    for (std::size_t i = 0; i < size; ++i) out[i] ^= block[i];
    out = out.subspan(size);
  }
  return true;
}

/// RFC 8017 9.1.1, M': "a string of length 8 + hLen + sLen octets with eight initial zero octets".
bool salted_digest(const Hash& hash, Bytes digest_of_message, Bytes salt, MutableBytes out) noexcept {
  constexpr std::array<std::uint8_t, 8> kZeros{};
  const Bytes parts[] = {kZeros, digest_of_message, salt};
  return digest(hash, parts, out);
}

constexpr std::uint8_t kTrailer = 0xbc;
/// emBits is one less than the modulus has, which are whole bytes here.
constexpr std::uint8_t kTopBits = 0x7f;

}  // namespace

bool encode_pss(const Hash& hash, Bytes digest, Bytes salt, MutableBytes encoded) noexcept {
  if (encoded.size() < digest.size() + salt.size() + 2) return false;
  const MutableBytes block = encoded.first(encoded.size() - digest.size() - 1);
  const MutableBytes salted = encoded.subspan(block.size(), digest.size());
  std::ranges::fill(block, std::uint8_t{0});
  block[block.size() - salt.size() - 1] = 1;
  std::ranges::copy(salt, block.last(salt.size()).begin());
  encoded.back() = kTrailer;
  if (!salted_digest(hash, digest, salt, salted) || !mask(hash, salted, block)) return false;
  block.front() &= kTopBits;
  return true;
}

bool verify_pss(const Hash& hash, Bytes digest, MutableBytes encoded) noexcept {
  const std::size_t salt_size = digest.size();
  if (encoded.size() < digest.size() + salt_size + 2 || encoded.back() != kTrailer) return false;
  const MutableBytes block = encoded.first(encoded.size() - digest.size() - 1);
  const MutableBytes salted = encoded.subspan(block.size(), digest.size());
  if ((block.front() & ~kTopBits) != 0 || !mask(hash, salted, block)) return false;
  block.front() &= kTopBits;
  const Bytes padding = block.first(block.size() - salt_size - 1);
  if (!is_zero(padding) || block[padding.size()] != 1) return false;
  std::array<std::uint8_t, kMaxDigestSize> expected;
  const MutableBytes made = MutableBytes(expected).first(digest.size());
  return salted_digest(hash, digest, block.last(salt_size), made) && equal(made, salted);
}

bool encode_pkcs1(const Hash& hash, Bytes digest, MutableBytes encoded) noexcept {
  // DigestInfo (RFC 8017 A.2.4): the hash's AlgorithmIdentifier, with NULL, and the digest.
  const auto row = std::ranges::find(key_info::kHashIdentifiers, hash.id, &key_info::HashIdentifier::hash);
  const Bytes identifier = as_bytes(row->identifier);
  const auto size = [](std::size_t bytes) { return static_cast<std::uint8_t>(bytes); };
  const std::array<std::uint8_t, 4> outer{der::kSequence, size(identifier.size() + digest.size() + 6), der::kSequence,
                                          size(identifier.size() + 2)};
  const std::array<std::uint8_t, 4> inner{der::kNull, 0, der::kOctetString, size(digest.size())};
  const std::size_t info = outer.size() + identifier.size() + inner.size() + digest.size();
  // RFC 8017 9.2: EM = 0x00 || 0x01 || PS || 0x00 || T, with eight octets of PS or more.
  if (encoded.size() < info + 11) return false;
  std::ranges::fill(encoded, std::uint8_t{0xff});
  encoded[0] = 0;
  encoded[1] = 1;
  MutableBytes rest = encoded.last(info + 1);
  rest.front() = 0;
  rest = rest.subspan(1);
  for (const Bytes part : {Bytes(outer), identifier, Bytes(inner), digest}) {
    std::ranges::copy(part, rest.begin());
    rest = rest.subspan(part.size());
  }
  return true;
}

}  // namespace lockstep::multibuffer
