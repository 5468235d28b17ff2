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

/// What is fastest alone does what comes alone, what is fastest together the rest. A key pair stays with whoever made
/// it: where that is not libcrypto, by which the others do what comes alone, answers go together and key pairs do not.
const Group* in_company(const Found<Group>& alone, const Group* together, std::deque<Group>& kept) {
  if (alone.descriptor == nullptr || together == nullptr) return alone.descriptor;
  if (alone.part == Part::libcrypto) return together;
  Group& both = kept.emplace_back(*alone.descriptor);
  both.width = together->width;
  both.encapsulate_many = together->encapsulate_many;
  return &both;
}

const SignatureVerifier* in_company(const Found<SignatureVerifier>& alone, const SignatureVerifier* together,
                                    std::deque<SignatureVerifier>& kept) {
  if (alone.descriptor == nullptr || together == nullptr) return alone.descriptor;
  SignatureVerifier& both = kept.emplace_back(*alone.descriptor);
  both.width = together->width;
  both.verify_many = together->verify_many;
  return &both;
}

std::vector<const Group*> groups() {
  static std::deque<Group> kept;
  std::vector<const Group*> all;
  for (const auto& [id, order] : ranking::kGroups) {
    const auto find = [group = id](const Provider& part) { return part.group(group); };
    if (const Group* each = in_company(fastest(order, find), find(parts().together), kept)) all.push_back(each);
  }
  return all;
}

std::vector<const SignatureVerifier*> verifiers() {
  static std::deque<SignatureVerifier> kept;
  std::vector<const SignatureVerifier*> all;
  for (const Verification& one : every::kVerifications) {
    const auto& rank = *std::ranges::find(ranking::kVerifications, one.key, &ranking::Rank<KeyType>::id);
    const auto find = [&one](const Provider& part) { return part.verifier(one.algorithm, one.key); };
    if (const SignatureVerifier* each = in_company(fastest(rank.order, find), find(parts().together), kept))
      all.push_back(each);
  }
  return all;
}

/// Our own kernels, in every part alike.
template <class Descriptor>
std::vector<const Descriptor*> ours(std::vector<const Descriptor*> Provider::* list) {
  for (const Provider& part : parts().singles) {
    if (!(part.*list).empty()) return part.*list;
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
                .record_macs = ours(&Provider::record_macs),
                .masks = ours(&Provider::masks)};
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
