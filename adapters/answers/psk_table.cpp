#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

#include <lockstep/psk_table.hpp>

namespace lockstep {
namespace {

std::optional<unsigned> digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// Nothing for what is no hexadecimal text of a key.
std::optional<Secret<kMaxPskSize>> key_of(std::string_view text) noexcept {
  if (text.empty() || text.size() % 2 != 0 || text.size() / 2 > kMaxPskSize) return std::nullopt;
  Secret<kMaxPskSize> key(text.size() / 2);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto high = digit(text[2 * i]);
    const auto low = digit(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    key.writable()[i] = static_cast<std::uint8_t>(*high << 4U | *low);
  }
  return key;
}

PreSharedKey copy_of(const PreSharedKey& entry) { return {entry.identity, entry.key.clone(), entry.use}; }

}  // namespace

std::vector<PreSharedKey> PskSource::offer(const SelectPsk& question) const {
  std::vector<PreSharedKey> offered;
  if (auto chosen = select(question)) offered.push_back(std::move(*chosen));
  return offered;
}

PskTable::~PskTable() = default;

bool PskTable::add(std::string_view identity, Bytes key, PskUse use) {
  if (identity.size() > kMaxPskIdentity || key.empty() || key.size() > kMaxPskSize) return false;
  if (use.context.size() > kMaxPskContext) return false;
  const std::unique_lock lock(mutex_);
  if (places_.contains(identity)) return false;
  keys_.push_back({std::string(identity), Secret<kMaxPskSize>(key), std::move(use)});
  places_.emplace(keys_.back().identity, std::prev(keys_.end()));
  return true;
}

bool PskTable::remove(std::string_view identity) {
  const std::unique_lock lock(mutex_);
  const auto known = places_.find(identity);
  if (known == places_.end()) return false;
  const auto place = known->second;
  places_.erase(known);
  keys_.erase(place);
  return true;
}

std::size_t PskTable::size() const {
  const std::shared_lock lock(mutex_);
  return keys_.size();
}

std::expected<void, PskTable::Problem> PskTable::add_lines(std::string_view text, const PskUse& use) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto colon = line.rfind(':');
    if (colon == std::string_view::npos)
      return std::unexpected(Problem{number, "there is no colon between identity and key"});
    const std::string_view identity = line.substr(0, colon);
    if (identity.size() > kMaxPskIdentity)
      return std::unexpected(
          Problem{number, "the identity is longer than " + std::to_string(kMaxPskIdentity) + " bytes"});
    const auto key = key_of(line.substr(colon + 1));
    if (!key)
      return std::unexpected(Problem{
          number, "the key is not 1 to " + std::to_string(kMaxPskSize) + " bytes in hexadecimal, two digits for each"});
    if (!add(identity, key->view(), use)) return std::unexpected(Problem{number, "the identity is there already"});
  }
  return {};
}

std::optional<PreSharedKey> PskTable::select(const SelectPsk& /*question*/) const {
  const std::shared_lock lock(mutex_);
  if (keys_.empty()) return std::nullopt;
  return copy_of(keys_.front());
}

std::vector<PreSharedKey> PskTable::offer(const SelectPsk& /*question*/) const {
  const std::shared_lock lock(mutex_);
  std::vector<PreSharedKey> offered;
  for (const PreSharedKey& entry : keys_) {
    if (offered.size() == kMaxPsksOffered) break;
    if (!entry.identity.empty()) offered.push_back(copy_of(entry));
  }
  return offered;
}

std::optional<PreSharedKey> PskTable::find(const FindPsk& question) const {
  const std::shared_lock lock(mutex_);
  const auto known = places_.find(as_text(question.identity));
  if (known == places_.end()) return std::nullopt;
  const PskUse& use = known->second->use;
  const bool used = question.version == ProtocolVersion::tls_1_2 ||
                    (use.import == question.imported && (!use.import || use.context == as_text(question.context)));
  return used ? std::optional(copy_of(*known->second)) : std::nullopt;
}

}  // namespace lockstep
