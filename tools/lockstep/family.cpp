#include "family.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <netdb.h>

#include "words.hpp"

namespace lockstep::tool {

void add_family_options(CLI::App& app, Family& family) {
  CLI::Option* ipv4 = app.add_flag_callback("-4,--ipv4", [&family] { family = Family::ipv4; }, "IPv4 addresses alone");
  app.add_flag_callback("-6,--ipv6", [&family] { family = Family::ipv6; }, "IPv6 addresses alone")->excludes(ipv4);
}

Resolve resolve_of(Family family) {
  if (family == Family::any) return {};
  return [family](std::string_view host, std::uint16_t port) -> IoResult<std::vector<Address>> {
    auto addresses = resolve(host, port);
    if (!addresses) return addresses;
    std::erase_if(*addresses, [family](const Address& address) {
      return address.is_unix() || (address.host.find(':') == std::string::npos) != (family == Family::ipv4);
    });
    if (!addresses->empty()) return addresses;
    return std::unexpected(IoError{.operation = Operation::resolve,
                                   .condition = IoCondition::resolver,
                                   .number = EAI_NONAME,
                                   .text = printable(host) + " has no address of " +
                                           (family == Family::ipv4 ? "IPv4" : "IPv6") + "; try without -" +
                                           (family == Family::ipv4 ? "4" : "6")});
  };
}

}  // namespace lockstep::tool
