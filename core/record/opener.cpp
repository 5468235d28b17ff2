#include "record/opener.hpp"

#include <cstddef>
#include <cstring>

#include "record/limits.hpp"

namespace lockstep::record {

namespace {

/// The size of the content with its type, without the zeros that follow; 0 when there are only zeros.
std::size_t without_padding(Bytes inner) noexcept {
  // RFC 9846 5.4: "Implementations MUST limit their scanning to the cleartext returned from the AEAD decryption."
  std::size_t size = inner.size();
  // By words, so that long padding costs little.
  for (std::uint64_t word = 0; size >= sizeof word; size -= sizeof word) {
    std::memcpy(&word, inner.data() + size - sizeof word, sizeof word);
    if (word != 0) break;
  }
  while (size > 0 && inner[size - 1] == 0) --size;
  return size;
}

Reason judge(ContentType type, std::size_t content_size) noexcept {
  switch (type) {
    case ContentType::application_data: return Reason::none;
    case ContentType::handshake:
    case ContentType::alert:
      // RFC 9846 5.4: "Implementations MUST NOT send Handshake and Alert records that have a zero-length
      // TLSInnerPlaintext.content; if such a message is received, the receiving implementation MUST terminate the
      // connection with an "unexpected_message" alert."
      return content_size == 0 ? Reason::record_empty : Reason::none;
    case ContentType::change_cipher_spec:
      // RFC 9846 5: "An implementation which receives [...] a protected change_cipher_spec record MUST abort the
      // handshake with an "unexpected_message" alert."
      return Reason::change_cipher_spec_unexpected;
    case ContentType::invalid: break;
  }
  return Reason::record_type;
}

}  // namespace

std::expected<Content, Reason> Opener::open(MutableBytes record) noexcept {
  const MutableBytes fragment = record.subspan(kHeaderSize);
  const std::size_t tag_size = protection_.aead().tag_size;
  if (record[0] != static_cast<std::uint8_t>(ContentType::application_data)) {
    return std::unexpected(Reason::record_unprotected);
  }
  // RFC 9846 5.3: "If a TLS implementation would need to wrap a sequence number, it MUST either rekey (Section 4.7.3)
  // or terminate the connection."
  if (protection_.sequence() == kMaxSequence) return std::unexpected(Reason::record_limit);
  if (fragment.size() < tag_size) return std::unexpected(Reason::record_mac);

  const StackSlot slot(protection_);
  void* const context = protection_.context();
  if (context == nullptr) return std::unexpected(Reason::provider_failed);

  // RFC 9846 5.2: the additional data is the record header.
  const Nonce nonce = protection_.nonce();
  OpenJob job{.nonce = nonce.view().data(),
              .aad = record.first(kHeaderSize),
              .source = fragment,
              .destination = fragment.data()};
  // RFC 9846 5.2: "If the decryption fails, the receiver MUST terminate the connection with a "bad_record_mac" alert."
  if (!protection_.aead().open(context, {&job, 1}))
    return std::unexpected(job.failed ? Reason::provider_failed : Reason::record_mac);
  protection_.advance(1);

  // RFC 9846 5.4: "the receiving implementation scans the field from the end toward the beginning until it finds a
  // non-zero octet. This non-zero octet is the content type of the message."
  const MutableBytes inner = fragment.first(fragment.size() - tag_size);
  const auto refuse = [&](Reason reason) {
    wipe(inner);
    return std::unexpected(reason);
  };
  // RFC 9846 5.4: "The presence of padding does not change the overall record size limitations: the full encoded
  // TLSInnerPlaintext MUST NOT exceed 2^14 + 1 octets."
  if (inner.size() > kMaxInnerPlaintext) return refuse(Reason::record_too_long);
  const std::size_t size = without_padding(inner);
  // RFC 9846 5.4: "If a receiving implementation does not find a non-zero octet in the cleartext, it MUST terminate the
  // connection with an "unexpected_message" alert."
  if (size == 0) return refuse(Reason::record_all_padding);

  const Content content{.type = static_cast<ContentType>(inner[size - 1]), .content = inner.first(size - 1)};
  if (const Reason reason = judge(content.type, content.content.size()); reason != Reason::none) return refuse(reason);
  return content;
}

}  // namespace lockstep::record
