#include "record/opener.hpp"

#include <cstddef>
#include <cstring>

#include "record/format12.hpp"
#include "record/format13.hpp"
#include "record/limits.hpp"

namespace lockstep::record {

template <class Records>
std::expected<Content, Reason> Opener::open_as(Opener& self, MutableBytes record) noexcept {
  Protection& protection = self.protection_;
  if (const Reason reason = Records::judge_header(record); reason != Reason::none) return std::unexpected(reason);
  // RFC 9846 5.3: "If a TLS implementation would need to wrap a sequence number, it MUST either rekey (Section 4.7.3)
  // or terminate the connection."
  if (protection.sequence() == kMaxSequence) return std::unexpected(Reason::record_limit);
  typename Records::Opening opening(protection, record);
  const std::size_t tag_size = protection.aead().tag_size;
  if (record.size() < opening.headroom() + tag_size) return std::unexpected(Reason::record_mac);

  const StackSlot slot(protection);
  void* const context = protection.context();
  if (context == nullptr) return std::unexpected(Reason::provider_failed);

  const MutableBytes fragment = record.subspan(opening.headroom());
  const MutableBytes inner = fragment.first(fragment.size() - tag_size);
  const Nonce nonce = opening.nonce();
  OpenJob job{.nonce = nonce.view().data(),
              .aad = opening.additional_data(inner.size()),
              .source = fragment,
              .destination = fragment.data()};
  // RFC 9846 5.2: "If the decryption fails, the receiver MUST terminate the connection with a "bad_record_mac" alert."
  // RFC 5246 6.2.3.3: "If the decryption fails, a fatal bad_record_mac alert MUST be generated."
  if (!protection.aead().open(context, {&job, 1}))
    return std::unexpected(job.failed ? Reason::provider_failed : Reason::record_mac);
  protection.advance(1);

  return Records::content(record, inner, self.limit_);
}

std::expected<Content, Reason> Opener::open_cbc(Opener& self, MutableBytes record) noexcept {
  Protection& protection = self.protection_;
  if (protection.sequence() == kMaxSequence) return std::unexpected(Reason::record_limit);

  const AdditionalData12 additional_data = additional_data12(protection.sequence(), record, 0);
  MutableBytes content;
  // RFC 5246 7.2.2: "This alert is returned if a record is received with an incorrect MAC. This alert also MUST be
  // returned if an alert is sent because a TLSCiphertext decrypted in an invalid way: either it wasn't an even multiple
  // of the block length, or its padding values, when checked, weren't correct."
  switch (CbcKey::held(protection.context()).open(additional_data, record.subspan(kHeaderSize), content)) {
    case CbcKey::Opened::yes: break;
    case CbcKey::Opened::no: return std::unexpected(Reason::record_mac);
    case CbcKey::Opened::failed: return std::unexpected(Reason::provider_failed);
  }
  protection.advance(1);
  return content12(record, content, self.limit_);
}

template std::expected<Content, Reason> Opener::open_as<Tls13Records>(Opener&, MutableBytes) noexcept;
template std::expected<Content, Reason> Opener::open_as<Tls12ExplicitNonceRecords>(Opener&, MutableBytes) noexcept;
template std::expected<Content, Reason> Opener::open_as<Tls12ImplicitNonceRecords>(Opener&, MutableBytes) noexcept;

}  // namespace lockstep::record
