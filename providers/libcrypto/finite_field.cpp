// Diffie-Hellman over finite fields that are known at run time alone.

#include <array>

#include <openssl/dh.h>

#include "descriptors.hpp"
#include "random.hpp"

namespace lockstep::libcrypto {
namespace {

using NumberContext = Owned<BN_CTX, BN_CTX_free>;

// In our own library context: a FIPS module has the groups of its list alone.
const Library& in() noexcept { return library<0>(); }

Number public_number(Bytes bytes) noexcept {
  return Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

bool is_prime(Bytes p) noexcept {
  const Quiet quiet;
  const Number number = public_number(p);
  const NumberContext context(BN_CTX_new_ex(in().context));
  return number && context && BN_check_prime(number.get(), context.get(), nullptr) > 0;
}

Key group_of(const FieldParameters& field) noexcept {
  const Number p = public_number(field.p);
  const Number g = public_number(field.g);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!p || !g || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_FFC_P, p.get()) <= 0 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_FFC_G, g.get()) <= 0)
    return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context = in().named("DH");
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEY_PARAMETERS, parameters.get()) <= 0)
    return nullptr;
  return Key(made);
}

GroupResult generate(void* context, const FieldParameters& parameters, RandomSource& random,
                     MutableBytes share) noexcept {
  if (share.size() != parameters.p.size()) return GroupResult::failed;
  const Quiet quiet;
  const Drawing drawing(random);
  const Key group = group_of(parameters);
  const KeyContext making = group ? in().with(group.get()) : nullptr;
  EVP_PKEY* made = nullptr;
  if (!making || EVP_PKEY_keygen_init(making.get()) <= 0 || EVP_PKEY_generate(making.get(), &made) <= 0)
    return GroupResult::failed;
  Key key(made);
  if (!read_octets(key.get(), OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, share)) return GroupResult::failed;
  hold(context, key.release());
  return GroupResult::ok;
}

/// Whether 1 < number < p - 1.
bool within(const Key& key, Bytes number) noexcept {
  BIGNUM* read = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_FFC_P, &read) <= 0) return false;
  const Number less(read);
  const Number value = public_number(number);
  return value && BN_sub_word(less.get(), 1) > 0 && BN_cmp(value.get(), BN_value_one()) > 0 &&
         BN_cmp(value.get(), less.get()) < 0;
}

GroupResult agree(void* context, Bytes share, MutableBytes secret) noexcept {
  const Quiet quiet;
  EVP_PKEY* const own = held<EVP_PKEY>(context);
  const auto size = static_cast<std::size_t>(EVP_PKEY_get_size(own));
  if (share.size() != size) return GroupResult::bad_share;
  if (secret.size() != size) return GroupResult::failed;
  Key peer(EVP_PKEY_new());
  if (!peer || EVP_PKEY_copy_parameters(peer.get(), own) <= 0) return GroupResult::failed;
  if (!within(peer, share) || EVP_PKEY_set1_encoded_public_key(peer.get(), share.data(), size) <= 0)
    return GroupResult::bad_share;
  const KeyContext deriving = in().with(own);
  if (!deriving || EVP_PKEY_derive_init(deriving.get()) <= 0 || EVP_PKEY_CTX_set_dh_pad(deriving.get(), 1) <= 0 ||
      EVP_PKEY_derive_set_peer_ex(deriving.get(), peer.get(), 0) <= 0)
    return GroupResult::failed;
  std::size_t written = size;
  // OpenSSL refuses a secret of 0, 1 or p - 1.
  if (EVP_PKEY_derive(deriving.get(), secret.data(), &written) > 0 && written == size) return GroupResult::ok;
  wipe(secret);
  return GroupResult::bad_share;
}

void drop(void* context) noexcept {
  EVP_PKEY_free(held<EVP_PKEY>(context));
  std::memset(context, 0, sizeof(EVP_PKEY*));
}

constexpr FiniteField kField{kImplementation, sizeof(EVP_PKEY*), is_prime, generate, agree, drop};

}  // namespace

std::vector<const FiniteField*> finite_fields(std::size_t library) {
  return library == 0 ? std::vector{&kField} : std::vector<const FiniteField*>();
}

}  // namespace lockstep::libcrypto
