// Diffie-Hellman over finite fields that are known by their parameters alone.

#include <array>
#include <memory>

#include <botan/bigint.h>
#include <botan/dl_group.h>
#include <botan/numthry.h>
#include <botan/system_rng.h>

#include "context.hpp"
#include "descriptors.hpp"
#include "random.hpp"

namespace lockstep::botan {
namespace {

struct FieldKey {
  Botan::DL_Group group;
  Botan::BigInt exponent;

  /// Exponents have the length of p: a short one is safe where p - 1 has a large factor and small ones that nobody can
  /// use, which nothing says of these groups (Valenta et al., "Measuring small subgroup attacks against
  /// Diffie-Hellman", 2017).
  [[nodiscard]] std::size_t exponent_bits() const { return group.p_bits() - 1; }
};

constexpr std::size_t kPrimeErrorBits = 20;

bool is_prime(Bytes p) noexcept {
  try {
    return Botan::is_prime(Botan::BigInt::from_bytes(p), Botan::system_rng(), kPrimeErrorBits);
  } catch (...) {
    return false;
  }
}

GroupResult generate(void* context, const FieldParameters& parameters, RandomSource& random,
                     MutableBytes share) noexcept {
  if (share.size() != parameters.p.size()) return GroupResult::failed;
  try {
    SourceRng rng(random);
    auto key = std::make_unique<FieldKey>(
        Botan::DL_Group(Botan::BigInt::from_bytes(parameters.p), Botan::BigInt::from_bytes(parameters.g)),
        Botan::BigInt());
    key->exponent.randomize(rng, key->exponent_bits());
    key->group.power_g_p(key->exponent, key->exponent_bits()).serialize_to(share);
    hold(context, std::move(key));
    return GroupResult::ok;
  } catch (...) {
    return GroupResult::failed;
  }
}

bool within(const Botan::BigInt& number, const Botan::BigInt& p) { return number > 1 && number < p - 1; }

GroupResult agree(void* context, Bytes share, MutableBytes secret) noexcept {
  const FieldKey& key = *held<FieldKey>(context);
  if (share.size() != key.group.p_bytes()) return GroupResult::bad_share;
  if (secret.size() != key.group.p_bytes()) return GroupResult::failed;
  try {
    const auto y = Botan::BigInt::from_bytes(share);
    if (!within(y, key.group.get_p())) return GroupResult::bad_share;
    const Botan::BigInt z = key.group.power_b_p(y, key.exponent, key.exponent_bits());
    if (!within(z, key.group.get_p())) return GroupResult::bad_share;
    z.serialize_to(secret);
    return GroupResult::ok;
  } catch (...) {
    return GroupResult::failed;
  }
}

constexpr std::array kFields{
    FiniteField{kImplementation, sizeof(FieldKey*), is_prime, generate, agree, drop<FieldKey>}};

}  // namespace

std::vector<const FiniteField*> finite_fields() { return pointers(kFields); }

}  // namespace lockstep::botan
