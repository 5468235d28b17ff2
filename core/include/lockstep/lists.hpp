#pragma once
// Lists of suites, groups and schemes: what there is, what is on by default, and lists written as text.
//
//     auto suites = lockstep::suites_from_text("DEFAULT:-TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256");
//     if (!suites) std::cerr << suites.error().text() << '\n';

#include <algorithm>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/export.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// Which of the things that are known.
enum class ListKind : std::uint8_t {
  all,         ///< everything that this version of the protocol can use here
  by_default,  ///< what a configuration has that names none
  opt_in,      ///< what must be named to be had
  insecure,    ///< opt-in, and weaker than the rest: a tag of 8 bytes, SHA-1
  anonymous,   ///< without authentication: none in TLS 1.3
};

/// In the default order of preference. For a version that this build does not speak: nothing.
[[nodiscard]] LOCKSTEP_API std::vector<CipherSuite> suites(ProtocolVersion version, ListKind kind = ListKind::all);
[[nodiscard]] LOCKSTEP_API std::vector<NamedGroup> groups(ProtocolVersion version, ListKind kind = ListKind::all);
/// For CertificateVerify. Those that only certificates may use are in known_schemes().
[[nodiscard]] LOCKSTEP_API std::vector<SignatureScheme> schemes(ProtocolVersion version, ListKind kind = ListKind::all);
/// The versions that this build speaks, newest first.
[[nodiscard]] LOCKSTEP_API std::vector<ProtocolVersion> versions();

/// What stands in a list and is not understood.
struct ListError {
  std::string item;
  std::string known;  ///< what could stand there

  [[nodiscard]] LOCKSTEP_API std::string text() const;
};

/// Lists as text: names separated by ':', ',' or white space, in order of preference. "DEFAULT" and "ALL" stand for
/// those lists; "-NAME" takes out what came before. Names are registered or OpenSSL's, without regard to case. What is
/// there already is not added again.
[[nodiscard]] LOCKSTEP_API std::expected<std::vector<CipherSuite>, ListError> suites_from_text(std::string_view text);
[[nodiscard]] LOCKSTEP_API std::expected<std::vector<NamedGroup>, ListError> groups_from_text(std::string_view text);
[[nodiscard]] LOCKSTEP_API std::expected<std::vector<SignatureScheme>, ListError> schemes_from_text(
    std::string_view text);

/// The list with only those for which `keep` says yes: `filter(suites(v), [](CipherSuite s) { ... parts(s) ... })`.
template <class Id, class Keep>
[[nodiscard]] std::vector<Id> filter(std::vector<Id> list, Keep keep) {
  std::erase_if(list, [&](Id id) { return !keep(id); });
  return list;
}

/// The list with `first` put before it, or `last` behind it; what is there already moves.
template <class Id>
[[nodiscard]] std::vector<Id> prepend(std::vector<Id> first, std::span<const Id> list) {
  for (const Id id : list) {
    if (std::ranges::find(first, id) == first.end()) first.push_back(id);
  }
  return first;
}
template <class Id>
[[nodiscard]] std::vector<Id> append(std::vector<Id> list, std::span<const Id> last) {
  std::erase_if(list, [&](Id id) { return std::ranges::find(last, id) != last.end(); });
  list.insert(list.end(), last.begin(), last.end());
  return list;
}

}  // namespace lockstep
