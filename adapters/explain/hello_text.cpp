#include "hello_text.hpp"

#include <algorithm>

namespace lockstep::explaining {
namespace {

class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}
  std::size_t number(std::size_t width) {
    std::size_t value = 0;
    for (const std::uint8_t byte : bytes(width)) value = value << 8U | byte;
    return value;
  }
  Bytes bytes(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
    }
    const Bytes taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  Bytes prefixed(std::size_t width) { return bytes(number(width)); }
  [[nodiscard]] bool more() const { return !rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  Bytes rest_;
  bool ok_ = true;
};

void put(Octets& out, std::size_t value, std::size_t width) {
  for (std::size_t i = width; i-- != 0;) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put(Octets& out, Bytes bytes) {
  const std::size_t before = out.size();
  out.resize(before + bytes.size());
  std::ranges::copy(bytes, out.begin() + static_cast<std::ptrdiff_t>(before));
}

Octets prefixed(Bytes bytes, std::size_t width) {
  Octets out;
  put(out, bytes.size(), width);
  put(out, bytes);
  return out;
}

Octets octets(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

Octets numbers(const std::vector<std::uint16_t>& list, std::size_t width) {
  Octets out;
  for (const std::uint16_t each : list) put(out, each, 2);
  return prefixed(out, width);
}

/// A list of numbers behind its length.
std::vector<std::uint16_t> numbers_of(const Octets* extension, std::size_t width) {
  std::vector<std::uint16_t> list;
  if (extension == nullptr) return list;
  for (Reader reader(Reader(*extension).prefixed(width)); reader.more();)
    list.push_back(static_cast<std::uint16_t>(reader.number(2)));
  return list;
}

}  // namespace

std::optional<Hello> Hello::read(Bytes message) {
  Reader outer(message);
  outer.number(1);
  Reader reader(outer.prefixed(3));
  if (!outer.ok() || outer.more()) return std::nullopt;
  Hello hello;
  hello.head = octets(reader.bytes(34));
  put(hello.head, prefixed(reader.prefixed(1), 1));
  for (Reader list(reader.prefixed(2)); list.more();)
    hello.suites.push_back(static_cast<std::uint16_t>(list.number(2)));
  hello.compression = prefixed(reader.prefixed(1), 1);
  hello.has_extensions = reader.more();
  if (hello.has_extensions) {
    Reader list(reader.prefixed(2));
    while (list.more()) {
      const auto type = static_cast<ExtensionType>(list.number(2));
      hello.extensions.emplace_back(type, octets(list.prefixed(2)));
    }
    if (!list.ok()) return std::nullopt;
  }
  if (!reader.ok() || reader.more()) return std::nullopt;
  return hello;
}

Octets Hello::write() const {
  Octets body = head;
  put(body, numbers(suites, 2));
  put(body, compression);
  if (has_extensions) {
    Octets list;
    for (const auto& [type, data] : extensions) {
      put(list, static_cast<std::size_t>(type), 2);
      put(list, prefixed(data, 2));
    }
    put(body, prefixed(list, 2));
  }
  Octets message;
  put(message, static_cast<std::size_t>(HandshakeType::client_hello), 1);
  put(message, prefixed(body, 3));
  return message;
}

const Octets* Hello::extension(ExtensionType type) const {
  const auto found = std::ranges::find(extensions, type, [](const auto& each) { return each.first; });
  return found == extensions.end() ? nullptr : &found->second;
}

void Hello::set(ExtensionType type, Octets data) {
  const auto found = std::ranges::find(extensions, type, [](const auto& each) { return each.first; });
  if (found != extensions.end()) {
    found->second = std::move(data);
  } else {
    extensions.emplace(extensions.begin(), type, std::move(data));
    has_extensions = true;
  }
}

void Hello::remove(ExtensionType type) {
  std::erase_if(extensions, [type](const auto& each) { return each.first == type; });
}

std::vector<std::uint16_t> Hello::versions() const {
  if (const Octets* const list = extension(ExtensionType::supported_versions)) return numbers_of(list, 1);
  return {static_cast<std::uint16_t>(head[0] << 8U | head[1])};
}

std::vector<std::uint16_t> Hello::groups() const { return numbers_of(extension(ExtensionType::supported_groups), 2); }

std::vector<std::uint16_t> Hello::schemes() const {
  return numbers_of(extension(ExtensionType::signature_algorithms), 2);
}

std::vector<std::uint16_t> Hello::key_shares() const {
  std::vector<std::uint16_t> list;
  const Octets* const shares = extension(ExtensionType::key_share);
  if (shares == nullptr) return list;
  for (Reader reader(Reader(*shares).prefixed(2)); reader.more(); reader.prefixed(2))
    list.push_back(static_cast<std::uint16_t>(reader.number(2)));
  return list;
}

std::vector<Octets> Hello::protocols() const {
  std::vector<Octets> list;
  const Octets* const names = extension(ExtensionType::application_layer_protocol_negotiation);
  if (names == nullptr) return list;
  for (Reader reader(Reader(*names).prefixed(2)); reader.more();) list.push_back(octets(reader.prefixed(1)));
  return list;
}

std::vector<Octets> Hello::tickets() const {
  std::vector<Octets> list;
  const Octets* const identities = extension(ExtensionType::pre_shared_key);
  if (identities == nullptr) return list;
  for (Reader reader(Reader(*identities).prefixed(2)); reader.more(); reader.number(4))
    list.push_back(octets(reader.prefixed(2)));
  return list;
}

Bytes Hello::session_id() const { return Bytes(head).subspan(35); }

void Hello::offer_versions(const std::vector<std::uint16_t>& list) {
  if (extension(ExtensionType::supported_versions) != nullptr) set(ExtensionType::supported_versions, numbers(list, 1));
}

void Hello::offer_groups(const std::vector<std::uint16_t>& list) {
  set(ExtensionType::supported_groups, numbers(list, 2));
  const Octets* const shares = extension(ExtensionType::key_share);
  if (shares == nullptr) return;
  Octets kept;
  for (Reader reader(Reader(*shares).prefixed(2)); reader.more();) {
    const auto group = static_cast<std::uint16_t>(reader.number(2));
    const Bytes share = reader.prefixed(2);
    if (std::ranges::find(list, group) == list.end()) continue;
    put(kept, group, 2);
    put(kept, prefixed(share, 2));
  }
  set(ExtensionType::key_share, prefixed(kept, 2));
}

void Hello::offer_schemes(const std::vector<std::uint16_t>& list) {
  // What certificates may be signed with stays as it is.
  if (extension(ExtensionType::signature_algorithms_cert) == nullptr) {
    if (const Octets* const all = extension(ExtensionType::signature_algorithms))
      set(ExtensionType::signature_algorithms_cert, Octets(*all));
  }
  set(ExtensionType::signature_algorithms, numbers(list, 2));
}

void Hello::offer_protocols(const std::vector<Octets>& list) {
  Octets names;
  for (const Octets& each : list) put(names, prefixed(each, 1));
  set(ExtensionType::application_layer_protocol_negotiation, prefixed(names, 2));
}

void Hello::offer_no_session() {
  remove(ExtensionType::pre_shared_key);
  remove(ExtensionType::early_data);
  if (extension(ExtensionType::session_ticket) != nullptr) set(ExtensionType::session_ticket, {});
}

void Hello::offer_share(NamedGroup group, Bytes share) {
  Octets entry;
  put(entry, static_cast<std::size_t>(group), 2);
  put(entry, prefixed(share, 2));
  set(ExtensionType::key_share, prefixed(entry, 2));
}

Octets Hello::share(NamedGroup group) const {
  const Octets* const shares = extension(ExtensionType::key_share);
  if (shares == nullptr) return {};
  for (Reader reader(Reader(*shares).prefixed(2)); reader.more();) {
    const auto id = static_cast<NamedGroup>(reader.number(2));
    const Bytes found = reader.prefixed(2);
    if (id == group) return octets(found);
  }
  return {};
}

}  // namespace lockstep::explaining
