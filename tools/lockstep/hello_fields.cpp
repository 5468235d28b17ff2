#include "hello_fields.hpp"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <lockstep/types.hpp>

#include "cursor.hpp"
#include "fields.hpp"
#include "probe.hpp"

namespace lockstep::tool {
namespace {

template <class CodePoint>
std::string named(std::size_t number) {
  if (is_grease(static_cast<std::uint16_t>(number))) return "GREASE";
  return to_text(static_cast<CodePoint>(number));
}

template <class CodePoint>
Json code_points(Cursor list, std::size_t width = 2) {
  Json names = Json::array();
  while (list.more()) names.push_back(named<CodePoint>(list.number(width)));
  return names;
}

Json key_shares(Cursor list) {
  Json shares = Json::array();
  while (list.more()) {
    const std::size_t group = list.number(2);
    shares.push_back({{"group", named<NamedGroup>(group)}, {"key_exchange_bytes", list.prefixed(2).size()}});
  }
  return shares;
}

Json pre_shared_keys(Cursor data) {
  Json identities = Json::array();
  Cursor list(data.prefixed(2));
  while (list.more()) {
    const std::size_t size = list.prefixed(2).size();
    identities.push_back({{"identity_bytes", size}, {"obfuscated_ticket_age", list.number(4)}});
  }
  Json binders = Json::array();
  Cursor behind(data.prefixed(2));
  while (behind.more()) binders.push_back(behind.prefixed(1).size());
  return {{"identities", std::move(identities)}, {"binder_bytes", std::move(binders)}};
}

Json server_names(Cursor data) {
  Json names = Json::array();
  Cursor list(data.prefixed(2));
  while (list.more()) {
    list.skip(1);
    names.push_back(printable(as_text(list.prefixed(2))));
  }
  return names;
}

Json protocols(Cursor data) {
  Json names = Json::array();
  Cursor list(data.prefixed(2));
  while (list.more()) names.push_back(printable(as_text(list.prefixed(1))));
  return names;
}

Json value_of(ExtensionType type, Bytes bytes) {
  Cursor data(bytes);
  switch (type) {
    case ExtensionType::server_name: return server_names(data);
    case ExtensionType::supported_groups: return code_points<NamedGroup>(Cursor(data.prefixed(2)));
    case ExtensionType::signature_algorithms:
    case ExtensionType::signature_algorithms_cert: return code_points<SignatureScheme>(Cursor(data.prefixed(2)));
    case ExtensionType::application_layer_protocol_negotiation: return protocols(data);
    case ExtensionType::supported_versions: return code_points<ProtocolVersion>(Cursor(data.prefixed(1)));
    case ExtensionType::key_share: return key_shares(Cursor(data.prefixed(2)));
    case ExtensionType::pre_shared_key: return pre_shared_keys(data);
    case ExtensionType::psk_key_exchange_modes: {
      Json modes = Json::array();
      for (const std::uint8_t mode : data.prefixed(1))
        modes.push_back(mode == 0 ? "psk_ke" : mode == 1 ? "psk_dhe_ke" : std::to_string(mode));
      return modes;
    }
    case ExtensionType::record_size_limit: return data.number(2);
    case ExtensionType::session_ticket: return std::to_string(bytes.size()) + " bytes";
    default: return hex(bytes);
  }
}

}  // namespace

std::optional<Json> client_hello_fields(Bytes message) {
  Cursor outer(message);
  outer.skip(1);
  Cursor body(outer.prefixed(3));
  if (!outer.done()) return std::nullopt;
  Json fields = {{"legacy_version", named<ProtocolVersion>(body.number(2))}, {"random", hex(body.bytes(32), "")}};
  fields["legacy_session_id"] = hex(body.prefixed(1), "");
  fields["cipher_suites"] = Json::array();
  for (Cursor list(body.prefixed(2)); list.more();) {
    const std::size_t suite = list.number(2);
    fields["cipher_suites"].push_back(
        is_grease(static_cast<std::uint16_t>(suite)) ? "GREASE" : suite_text(static_cast<CipherSuite>(suite)));
  }
  fields["legacy_compression_methods"] = hex(body.prefixed(1));
  if (!body.more()) return fields;
  Cursor list(body.prefixed(2));
  Json extensions = Json::array();
  while (list.more()) {
    const std::size_t type = list.number(2);
    const Bytes data = list.prefixed(2);
    Json extension = {{"extension_type", named<ExtensionType>(type)}, {"bytes", data.size()}};
    if (!data.empty()) extension["extension_data"] = value_of(static_cast<ExtensionType>(type), data);
    extensions.push_back(std::move(extension));
  }
  if (!body.done() || !list.done()) return std::nullopt;
  fields["extensions"] = std::move(extensions);
  return fields;
}

}  // namespace lockstep::tool
