#include "record/cbc.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>

#include "record/limits.hpp"

namespace lockstep::record {

#if defined(LOCKSTEP_CHECK_HANDSHAKES)
void watched_padding(Bytes additional_data, Bytes text, std::uint64_t& good,
                     std::size_t& content_size) noexcept;  // the checking program's
#endif

namespace {

/// The compiler shall know nothing of a value: neither that it is 0 or 1, to make a branch of it, nor how it goes from
/// one turn of a loop to the next, to compute addresses from it.
std::uint64_t hidden(std::uint64_t value) noexcept {
  __asm__ volatile("" : "+r"(value));
  return value;
}

/// All ones where a < b, else zero. Both are below 2^63.
std::uint64_t less(std::uint64_t a, std::uint64_t b) noexcept { return 0 - hidden((hidden(a) - hidden(b)) >> 63U); }
std::uint64_t same(std::uint64_t a, std::uint64_t b) noexcept { return ~(less(a, b) | less(b, a)); }

/// What is left of a decrypted text without its padding: both are as secret as the text.
struct Unpadded {
  std::uint64_t good;  ///< all ones, or zero: then nothing was taken away
  std::size_t size;
};

/// At least `kept` bytes stand before the padding.
Unpadded without_padding(Bytes text, std::size_t kept) noexcept {
  // RFC 5246 6.2.3.2: "Each uint8 in the padding data vector MUST be filled with the padding length value. The receiver
  // MUST check this padding and MUST use the bad_record_mac alert to indicate padding errors."
  const std::uint64_t padding_length = text.back();
  std::uint64_t wrong = less(text.size() - kept, padding_length + 1) & 0xff;
  const std::size_t most = std::min(kMaxCbcPadding, text.size());
  for (std::size_t i = 0; i < most; ++i)
    wrong |= (text[text.size() - 1 - i] ^ padding_length) & ~less(padding_length, i);
  const std::uint64_t good = same(wrong, 0);
  return {good, text.size() - static_cast<std::size_t>((padding_length + 1) & good)};
}

/// What everybody may know of a record that is authentic, because its receiver acts on it: how much of the text is
/// content. The build that checks for branches on secrets (docs/constant-time.md) follows it no further.
Unpadded made_public(Unpadded unpadded, [[maybe_unused]] Bytes additional_data, [[maybe_unused]] Bytes text) noexcept {
#if defined(LOCKSTEP_CHECK_HANDSHAKES)
  watched_padding(additional_data, text, unpadded.good, unpadded.size);
#endif
  return unpadded;
}

/// Copies the MAC that stands at a secret place, at most kMaxCbcPadding bytes before where it stands without padding.
void copy_mac(Bytes text, std::size_t place, MutableBytes out) noexcept {
  const std::size_t size = out.size();
  const std::size_t start = text.size() - size - std::min(kMaxCbcPadding, text.size() - size);
  // Gathered as it comes by, which turns it by a secret number of bytes.
  Secret<kMaxRecordMacSize> turned(size);
  const MutableBytes bytes = turned.writable();
  std::uint64_t turn = 0;
  for (std::size_t i = start, at = 0; i < text.size(); ++i) {
    const std::uint64_t within = ~less(i, place) & less(i, place + size);
    bytes[at] |= static_cast<std::uint8_t>(text[i] & within);
    turn |= at & same(i, place);
    at = at + 1 == size ? 0 : at + 1;
  }
  for (std::size_t i = 0; i < size; ++i) {
    std::uint64_t from = hidden(turn) + i;
    from -= size & ~less(from, size);
    std::uint64_t byte = 0;
    for (std::size_t at = 0; at < size; ++at) byte |= bytes[at] & same(at, from);
    out[i] = static_cast<std::uint8_t>(byte);
  }
}

/// The additional data of TLS 1.2 with another length, which may be a secret.
struct Header {
  Header(Bytes additional_data, std::size_t length) noexcept {
    std::ranges::copy(additional_data.first(bytes.size() - 2), bytes.begin());
    bytes[bytes.size() - 2] = static_cast<std::uint8_t>(length >> 8U);
    bytes[bytes.size() - 1] = static_cast<std::uint8_t>(length);
  }
  std::array<std::uint8_t, kSequenceSize + kHeaderSize> bytes;
};

bool seal_all(void* context, std::span<const SealJob> jobs) noexcept {
  return std::ranges::all_of(jobs, [&](const SealJob& job) { return CbcKey::held(context).seal(job); });
}

void destroy(void* context) noexcept { std::default_delete<CbcKey>()(&CbcKey::held(context)); }

constexpr Aead make_descriptor(std::size_t mac_size) noexcept {
  return {.id = {},
          .implementation = "CBC",
          .key_size = 0,
          .tag_size = mac_size + kCbcBlockSize,
          .context_size = sizeof(CbcKey*),
          .init = [](void*, Bytes) noexcept { return false; },
          .seal = seal_all,
          .open = [](void*, std::span<OpenJob>) noexcept { return false; },
          .destroy = destroy};
}

static_assert(sizeof(CbcKey*) <= kKeptAeadContextSize);

}  // namespace

std::unique_ptr<CbcKey> CbcKey::make(const CbcCipher& cipher, const RecordMac& mac, Bytes key, Bytes mac_key,
                                     bool encrypt_then_mac) noexcept {
  std::unique_ptr<CbcKey> made(new (std::nothrow) CbcKey(cipher, mac, mac_key, encrypt_then_mac));
  if (made) made->prepared_ = cipher.init(made->context_.data(), key);
  if (made && !made->prepared_) made.reset();
  return made;
}

CbcKey::~CbcKey() {
  if (prepared_) cipher_.destroy(context_.data());
}

const Aead& CbcKey::descriptor(const RecordMac& mac) noexcept {
  static constexpr Aead kSha1 = make_descriptor(20);
  static constexpr Aead kSha256 = make_descriptor(32);
  static constexpr Aead kSha384 = make_descriptor(48);
  switch (mac.id) {
    case MacAlgorithm::hmac_sha1: return kSha1;
    case MacAlgorithm::hmac_sha256: return kSha256;
    case MacAlgorithm::hmac_sha384: break;
  }
  return kSha384;
}

void CbcKey::hold(void* context, std::unique_ptr<CbcKey> key) noexcept {
  CbcKey* const raw = key.release();
  std::memcpy(context, &raw, sizeof raw);
}

CbcKey& CbcKey::held(const void* context) noexcept {
  CbcKey* key = nullptr;
  std::memcpy(&key, context, sizeof key);
  return *key;
}

std::size_t CbcKey::trailer_size(std::size_t content_size) const noexcept {
  const std::size_t encrypted = content_size + (encrypt_then_mac_ ? 0 : mac_.size);
  return mac_.size + kCbcBlockSize - encrypted % kCbcBlockSize;
}

// RFC 5246 6.2.3.2: "The Initialization Vector (IV) SHOULD be chosen at random, and MUST be unpredictable."
// It is HMAC of the sequence number under the MAC key, which nobody but the two ends can tell from random, and which
// needs neither randomness, that a record layer has not, nor a second key. What is authenticated begins with sequence
// number, type and version and is longer, so that no IV tells of a MAC.
bool CbcKey::write_iv(Bytes sequence, MutableBytes out) noexcept {
  static constexpr std::array<std::uint8_t, 2> kLabel = {'I', 'V'};
  const std::array<Bytes, 2> segments = {kLabel, sequence};
  Secret<kMaxRecordMacSize> mac(mac_.size);
  if (!mac_.mac(mac_key_.view(), segments, mac.writable())) return false;
  std::ranges::copy(mac.view().first(kCbcBlockSize), out.begin());
  return true;
}

bool CbcKey::seal(const SealJob& job) noexcept {
  const MutableBytes iv(job.destination - kCbcBlockSize, kCbcBlockSize);
  std::size_t size = 0;
  for (const Bytes piece : job.source) {
    if (!piece.empty() && piece.data() != job.destination + size)
      std::memcpy(job.destination + size, piece.data(), piece.size());
    size += piece.size();
  }
  const MutableBytes record(job.destination, size + trailer_size(size));
  const auto authenticate = [&](Bytes header, Bytes content) {
    const std::array<Bytes, 2> segments = {header, content};
    return mac_.mac(mac_key_.view(), segments, MutableBytes(job.destination + size, mac_.size));
  };
  const auto pad = [&] {
    const std::size_t padding = kCbcBlockSize - size % kCbcBlockSize;
    std::memset(job.destination + size, static_cast<int>(padding - 1), padding);
    size += padding;
  };
  const auto encrypt = [&] { return cipher_.encrypt(context_.data(), iv, record.first(size)); };

  bool sealed = write_iv(job.aad.first(kSequenceSize), iv);
  if (encrypt_then_mac_) {
    pad();
    // RFC 7366 3: "with the MAC covering the entire packet up to the start of the MAC value": its length is that.
    const Header header(job.aad, iv.size() + size);
    sealed = sealed && encrypt() && authenticate(header.bytes, Bytes(iv.data(), iv.size() + size));
  } else {
    sealed = sealed && authenticate(job.aad, record.first(size));
    size += mac_.size;
    pad();
    sealed = sealed && encrypt();
  }
  if (!sealed) wipe(record);
  return sealed;
}

CbcKey::Opened CbcKey::open(Bytes additional_data, MutableBytes fragment, MutableBytes& content) noexcept {
  const Opened opened = encrypt_then_mac_ ? open_encrypted_then_mac(additional_data, fragment, content)
                                          : open_mac_then_encrypted(additional_data, fragment, content);
  if (opened != Opened::yes) wipe(fragment);
  return opened;
}

CbcKey::Opened CbcKey::open_encrypted_then_mac(Bytes additional_data, MutableBytes fragment,
                                               MutableBytes& content) noexcept {
  // RFC 7366 3: "The MAC SHALL be evaluated before any further processing such as decryption is performed, and if the
  // MAC verification fails, then processing SHALL terminate immediately."
  const std::size_t size = fragment.size();
  if (size < mac_.size + 2 * kCbcBlockSize || (size - mac_.size) % kCbcBlockSize != 0) return Opened::no;
  const MutableBytes encrypted = fragment.first(size - mac_.size);
  const Header header(additional_data, encrypted.size());
  const std::array<Bytes, 2> segments = {header.bytes, encrypted};
  Secret<kMaxRecordMacSize> mac(mac_.size);
  if (!mac_.mac(mac_key_.view(), segments, mac.writable())) return Opened::failed;
  if (!constant_time_equal(mac.view(), fragment.last(mac_.size))) return Opened::no;

  const MutableBytes text = encrypted.subspan(kCbcBlockSize);
  if (!cipher_.decrypt(context_.data(), encrypted.first(kCbcBlockSize), text)) return Opened::failed;
  // The peer itself has written it: how it is wrong is no secret.
  const Unpadded unpadded = made_public(without_padding(text, 0), additional_data, text);
  if (unpadded.good == 0) return Opened::no;
  content = text.first(unpadded.size);
  return Opened::yes;
}

CbcKey::Opened CbcKey::open_mac_then_encrypted(Bytes additional_data, MutableBytes fragment,
                                               MutableBytes& content) noexcept {
  const std::size_t size = fragment.size();
  if (size % kCbcBlockSize != 0 || size < kCbcBlockSize + mac_.size + 1) return Opened::no;
  const MutableBytes text = fragment.subspan(kCbcBlockSize);
  if (!cipher_.decrypt(context_.data(), fragment.first(kCbcBlockSize), text)) return Opened::failed;

  // RFC 5246 6.2.3.2: "In order to defend against this attack, implementations MUST ensure that record processing time
  // is essentially the same whether or not the padding is correct. In general, the best way to do this is to compute
  // the MAC even if the padding is incorrect, and only then reject the packet."
  // The timing channel that the RFC then leaves is the one of Lucky Thirteen: here neither branch nor address depends
  // on the padding, nor on where the MAC stands, until both are known to be right.
  const Unpadded unpadded = without_padding(text, mac_.size);
  const std::size_t content_size = unpadded.size - mac_.size;
  const Header header(additional_data, content_size);
  // Each with a last byte that says whether the padding is good.
  Secret<kMaxRecordMacSize + 1> computed(mac_.size + 1);
  Secret<kMaxRecordMacSize + 1> received(mac_.size + 1);
  if (!mac_.mac_of_secret_length(mac_key_.view(), header.bytes, text.first(text.size() - mac_.size), content_size,
                                 computed.writable().first(mac_.size)))
    return Opened::failed;
  copy_mac(text, content_size, received.writable().first(mac_.size));
  computed.writable().back() = 0xff;
  received.writable().back() = static_cast<std::uint8_t>(unpadded.good);
  if (!constant_time_equal(computed.view(), received.view())) return Opened::no;
  content = text.first(made_public(unpadded, additional_data, text).size - mac_.size);
  return Opened::yes;
}

}  // namespace lockstep::record
