#include "connection/sending.hpp"

#include <span>

namespace lockstep::connection {

std::expected<std::size_t, Reason> Sending::write(ContentType type, Bytes content, MutableBytes out) noexcept {
  if (!clear() && !sealer.installed()) return std::unexpected(Reason::provider_failed);
  if (out.size() < content.size() + overhead()) return 0;
  switch (protection_) {
    case Protection::none:
    case Protection::elsewhere: return record::write_plaintext(type, ProtocolVersion::tls_1_2, content, out);
    case Protection::early_data:
    case Protection::keys: {
      const auto sealed = sealer.seal(type, std::span(&content, 1), {}, out);
      if (!sealed) return std::unexpected(sealed.error());
      return sealed->written;
    }
    case Protection::keys_due:
    case Protection::over: break;
  }
  return std::unexpected(Reason::provider_failed);
}

}  // namespace lockstep::connection
