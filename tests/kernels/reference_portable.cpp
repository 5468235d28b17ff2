#include "reference.hpp"

namespace lockstep::kernels::test::reference {

Bytes seal(Algorithm algorithm, const Bytes& key, const Bytes& nonce, const Bytes& aad, const Bytes& text) {
  return Key(*find(algorithm, InstructionSet::portable), key).seal(nonce, aad, text);
}

Bytes digest(HashAlgorithm algorithm, std::span<const std::uint8_t> message) {
  const Hash& hash = *find(algorithm, InstructionSet::portable);
  Bytes context(hash.context_size);
  Bytes out(hash.digest_size);
  hash.init(context.data());
  hash.update(context.data(), message);
  hash.digest(context.data(), out.data());
  hash.destroy(context.data());
  return out;
}

Bytes hmac(HashAlgorithm algorithm, std::span<const std::uint8_t> key, std::span<const std::uint8_t> message) {
  const Hash& hash = *find(algorithm, InstructionSet::portable);
  Bytes prepared(hash.hmac_key_size);
  Bytes out(hash.digest_size);
  hash.prepare_hmac_key(prepared.data(), key);
  hash.hmac(prepared.data(), {&message, 1}, out.data());
  hash.destroy_hmac_key(prepared.data());
  return out;
}

Bytes sha3(Sha3Algorithm algorithm, std::span<const std::uint8_t> message, std::size_t size) {
  Bytes digest(size);
  const Sha3Job job{algorithm, message, digest};
  find_sha3(InstructionSet::portable)->run({&job, 1});
  return digest;
}

std::optional<Encapsulation> encapsulation(KemAlgorithm algorithm, const Bytes& seed, const Bytes& coins,
                                           const Bytes& other_ciphertext) {
  const KemRun run(*find(algorithm, InstructionSet::portable), seed, coins);
  return Encapsulation{run.encapsulation_key, run.ciphertext, run.secret, run.decapsulate(other_ciphertext)};
}

}  // namespace lockstep::kernels::test::reference
