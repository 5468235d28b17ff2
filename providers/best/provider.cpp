#include <algorithm>
#include <array>
#include <deque>
#include <iterator>

#include <lockstep/best.hpp>
#include <lockstep/capabilities.hpp>

#include "parts.hpp"

namespace lockstep::best {
namespace {

using ranking::Part;

constexpr std::string_view kName = "best";

/// The table, or what is left of it where nothing was built that has an algorithm.
template <class Descriptor, class Rank, std::size_t size, class Find>
std::vector<const Descriptor*> chosen(const std::array<Rank, size>& table, Find find) {
  std::vector<const Descriptor*> all;
  for (const Rank& rank : table) {
    const auto found = fastest(rank.order, [&](const Provider& part) { return find(part, rank.id); });
    if (found.descriptor != nullptr) all.push_back(found.descriptor);
  }
  return all;
}

/// A key pair stays with whoever made it. Answers need none, so that several can be another provider's than one.
Group in_company(const Group& alone, const Group& together) {
  Group both = alone;
  both.width = together.width;
  both.encapsulate_many = together.encapsulate_many;
  return both;
}

SignatureVerifier in_company(const SignatureVerifier& alone, const SignatureVerifier& together) {
  SignatureVerifier both = alone;
  both.width = together.width;
  both.verify_many = together.verify_many;
  return both;
}

/// What is fastest alone does what comes alone, what is fastest together the rest. What the latter does alone is
/// libcrypto's.
template <class Descriptor>
const Descriptor* of_both(const Found<Descriptor>& alone, const Descriptor* together, std::deque<Descriptor>& kept) {
  if (alone.descriptor == nullptr || together == nullptr) return alone.descriptor;
  if (alone.part == Part::libcrypto) return together;
  return &kept.emplace_back(in_company(*alone.descriptor, *together));
}

std::vector<const Group*> groups() {
  static std::deque<Group> kept;
  std::vector<const Group*> all;
  for (const auto& [id, order] : ranking::kGroups) {
    const auto find = [id = id](const Provider& part) { return part.group(id); };
    if (const Group* group = of_both(fastest(order, find), find(parts().together), kept)) all.push_back(group);
  }
  return all;
}

std::vector<const SignatureVerifier*> verifiers() {
  static std::deque<SignatureVerifier> kept;
  std::vector<const SignatureVerifier*> all;
  for (const Verification& each : every::kVerifications) {
    const auto& rank = *std::ranges::find(ranking::kVerifications, each.key, &ranking::Rank<KeyType>::id);
    const auto find = [&each](const Provider& part) { return part.verifier(each.algorithm, each.key); };
    if (const SignatureVerifier* verifier = of_both(fastest(rank.order, find), find(parts().together), kept))
      all.push_back(verifier);
  }
  return all;
}

/// Our own kernels, in every part alike.
std::vector<const RecordMac*> record_macs() {
  for (const Provider& part : parts().singles) {
    if (!part.record_macs.empty()) return part.record_macs;
  }
  return {};
}

Provider composed() {
  Provider best{.name = kName,
                .aeads = chosen<Aead>(ranking::kAeads, [](const Provider& part, auto id) { return part.aead(id); }),
                .hashes = chosen<Hash>(ranking::kHashes, [](const Provider& part, auto id) { return part.hash(id); }),
                .groups = groups(),
                .verifiers = verifiers(),
                .key_loaders = key_loaders(),
                .key_encryptors = chosen<KeyEncryptor>(
                    ranking::kKeyEncryptors, [](const Provider& part, auto id) { return part.key_encryptor(id); }),
                .cbc_ciphers = chosen<CbcCipher>(ranking::kCbcCiphers,
                                                 [](const Provider& part, auto id) { return part.cbc_cipher(id); }),
                .record_macs = record_macs()};
  const auto field = fastest(ranking::kFiniteFields, [](const Provider& part) { return part.finite_field(); });
  if (field.descriptor != nullptr) best.finite_fields.push_back(field.descriptor);
  const auto& aes = *std::ranges::find(ranking::kAeads, AeadAlgorithm::aes_128_gcm, &ranking::Rank<AeadAlgorithm>::id);
  const auto gcm = fastest(aes.order, [](const Provider& part) { return part.aead(AeadAlgorithm::aes_128_gcm); });
  if (gcm.descriptor != nullptr) best.fast_aes = parts()[gcm.part].fast_aes;
  return best;
}

}  // namespace

Provider provider() {
  static const Provider made = composed();
  return made;
}

}  // namespace lockstep::best
