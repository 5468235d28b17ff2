// Records as an opener sees them, under a key, in any form.

#include <lockstep/fuzzing.hpp>

#include "record/framing.hpp"
#include "record/opener.hpp"
#include "record/sealer.hpp"

using namespace lockstep;
using fuzzing::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Provider provider = fake::provider();
  const Aead* const aead = provider.aead(AeadAlgorithm::aes_128_gcm);
  const std::uint8_t key[16] = {1};
  const std::uint8_t iv[12] = {2};
  fuzzing::Choices choices({data, size});

  record::Opener opener;
  record::Sealer sealer;
  const std::size_t form = choices.below(5);
  if (form < 3) {
    const auto format = static_cast<record::RecordFormat>(form);
    const Bytes format_iv = Bytes(iv).first(record::format_of(format).iv_size);
    require(opener.install(*aead, key, format_iv, format) && sealer.install(*aead, key, format_iv, format),
            "keys can be installed");
  } else {
    const CbcCipher& cipher = *provider.cbc_cipher(CbcAlgorithm::aes_128_cbc);
    const RecordMac& mac = *provider.record_mac(MacAlgorithm::hmac_sha1);
    const std::uint8_t mac_key[20] = {3};
    require(
        opener.install(cipher, mac, key, mac_key, form == 4) && sealer.install(cipher, mac, key, mac_key, form == 4),
        "keys can be installed");
  }
  while (!choices.empty()) {
    const std::uint8_t what = choices.byte();
    fuzzing::Octets content(choices.bytes(choices.below(512)).size(), 0x61);
    const std::size_t padding = choices.below(64);
    const auto type = static_cast<ContentType>(20U + what % 4U);
    fuzzing::Octets slot(sealer.headroom() + content.size() + sealer.trailer_size(padding));
    std::ranges::copy(content, slot.begin() + static_cast<std::ptrdiff_t>(sealer.headroom()));
    const auto sealed = sealer.seal_in_place(type, slot, content.size(), padding);
    require(sealed && *sealed <= slot.size(), "a record is sealed");
    slot.resize(*sealed);
    const bool altered = (what & 0x80U) != 0;
    if (altered) {
      // Any other bytes in its place never open.
      slot[choices.below(slot.size())] ^= static_cast<std::uint8_t>(1U << choices.below(8));
    }
    const auto header = record::parse_header(slot, opener.format().stream);
    if (!header || !*header || (*header)->record_size() != slot.size()) return 0;
    const auto opened = opener.open(slot);
    if (altered) {
      require(!opened.has_value(), "an altered record does not open");
      return 0;
    }
    if (!opened) {
      require(content.empty() || type == ContentType::change_cipher_spec,
              "only a record without content, or of a type that is never protected, is refused");
      return 0;
    }
    require(opened->type == type && opened->content.size() == content.size(), "what was sealed is opened");
  }
  return 0;
}
