#pragma once
// From the words of a command line to values: lists of suites, groups and schemes, key types, moments, addresses.
// Every function throws `UsageError` with the words that would have been understood.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/lists.hpp>
#include <lockstep/time.hpp>
#include <lockstep/types.hpp>

namespace lockstep::tool {

/// As lockstep/lists.hpp reads them: registered or OpenSSL names, and its words.
[[nodiscard]] RankedSuites parse_suites(const std::string& list);
[[nodiscard]] std::vector<NamedGroup> parse_groups(const std::string& list);
[[nodiscard]] std::vector<SignatureScheme> parse_schemes(const std::string& list);
/// "h2,http/1.1".
[[nodiscard]] std::vector<std::string> parse_alpn(const std::string& list);

[[nodiscard]] KeyType parse_key_type(const std::string& word);
/// "rsa", "p256", ... for help texts.
[[nodiscard]] std::vector<std::string> key_type_words();

/// "2026-11-21", "2026-11-21T20:31:36Z" or seconds since 1970, in UTC.
[[nodiscard]] Time parse_time(const std::string& text);
/// The system's clock.
[[nodiscard]] Time time_now();

struct HostAndPort {
  std::string host;
  std::uint16_t port;
};
/// "example.com", "example.com:8443", "192.0.2.1:443", "[2001:db8::1]:443", "2001:db8::1".
[[nodiscard]] HostAndPort parse_host_and_port(const std::string& text, std::uint16_t default_port);

}  // namespace lockstep::tool
