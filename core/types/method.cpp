#include <algorithm>
#include <array>

#include <lockstep/method.hpp>

namespace lockstep {
namespace {

struct Family {
  std::string_view name;
  ProtocolVersion min;
  ProtocolVersion max;
};

constexpr std::array kFamilies = {
    Family{"TLS", ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_3},
    // OpenSSL's name of old for what TLS_method is now. Node keeps it to the versions that there were.
    Family{"SSLv23", ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2},
    Family{"TLSv1_2", ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2},
    Family{"TLSv1_1", ProtocolVersion::tls_1_1, ProtocolVersion::tls_1_1},
    Family{"TLSv1", ProtocolVersion::tls_1_0, ProtocolVersion::tls_1_0},
    Family{"SSLv3", ProtocolVersion::ssl_3_0, ProtocolVersion::ssl_3_0},
};

struct Ending {
  std::string_view text;
  std::optional<Role> role;
};

constexpr std::array kEndings = {Ending{"_client_method", Role::client}, Ending{"_server_method", Role::server},
                                 Ending{"_method", std::nullopt}};

}  // namespace

std::expected<VersionMethod, std::string> method_from_name(std::string_view name) {
  const auto* const ending =
      std::ranges::find_if(kEndings, [name](const Ending& each) { return name.ends_with(each.text); });
  if (ending != kEndings.end()) {
    const std::string_view family = name.substr(0, name.size() - ending->text.size());
    const auto* const known = std::ranges::find(kFamilies, family, &Family::name);
    if (known != kFamilies.end()) {
      if (rank(known->max) >= rank(ProtocolVersion::tls_1_2))
        return VersionMethod{known->min, known->max, ending->role};
      return std::unexpected(to_text(known->max) + " is not spoken; TLS_method and TLSv1_2_method are");
    }
  }
  return std::unexpected(
      "no method has this name; there are TLS_method, TLSv1_2_method and SSLv23_method, and each with "
      "client_method or server_method");
}

}  // namespace lockstep
