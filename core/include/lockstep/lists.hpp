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
  insecure,    ///< opt-in, and weaker than the rest: `is_insecure`
  anonymous,   ///< without authentication: none here
};

/// In the default order of preference. For a version that this build does not speak: nothing.
[[nodiscard]] LOCKSTEP_API std::vector<CipherSuite> suites(ProtocolVersion version, ListKind kind = ListKind::all);
[[nodiscard]] LOCKSTEP_API std::vector<NamedGroup> groups(ProtocolVersion version, ListKind kind = ListKind::all);
/// For the signatures of handshakes (PKCS#1 in TLS 1.2 alone). Those that only certificates may use are in
/// known_schemes().
[[nodiscard]] LOCKSTEP_API std::vector<SignatureScheme> schemes(ProtocolVersion version, ListKind kind = ListKind::all);
/// This library's own version as it was built, "1.2.3"; `lockstep/version.hpp` has it for the preprocessor.
[[nodiscard]] LOCKSTEP_API std::string_view library_version() noexcept;
/// The versions that this build speaks, newest first.
[[nodiscard]] LOCKSTEP_API std::vector<ProtocolVersion> versions();

/// What stands in a list and is not understood.
struct ListError {
  std::string item;
  std::string known;  ///< what could stand there

  [[nodiscard]] LOCKSTEP_API std::string text() const;
};

/// Lists as text: names separated by ':', ',', ';' or white space, in order of preference. "DEFAULT" ("auto") and "ALL"
/// stand for those lists, but for insecure schemes, which have to be named; "-NAME" takes out what came before. Names
/// are registered or OpenSSL's, without regard to case. What is there already is not added again.
///
/// Suites have the grammar of "openssl ciphers", too, for every version in one list. A word may choose many suites of
/// TLS 1.2: by key exchange (ECDHE, DHE, kRSA, PSK), authentication (aRSA, aECDSA, aPSK), cipher (AESGCM, AESCCM,
/// CHACHA20, AES128, AES256, AES, CBC), MAC (SHA1, SHA256, SHA384), version (TLSv1.2) or strength (HIGH, MEDIUM), or
/// those that meet several words: "ECDHE+AESGCM". "COMPLEMENTOFDEFAULT" is all that is not in "DEFAULT". They come in
/// our order of preference, AES-128 first. "-WORD" takes out, "!WORD" for good, "+WORD" moves to the end; "@STRENGTH"
/// sorts by length of key, "@SECLEVEL=0" to 5 leaves only what that level of OpenSSL admits. What OpenSSL excludes and
/// nobody can have here is understood: "!aNULL:!MD5:!RC4".
///
/// Suites of TLS 1.3 are named one by one, or as "TLSv1.3"; of the other words only "ALL", "DEFAULT" and its complement
/// touch them. A list that adds none of them begins with the defaults of TLS 1.3, as in OpenSSL.
[[nodiscard]] LOCKSTEP_API std::expected<std::vector<CipherSuite>, ListError> suites_from_text(std::string_view text);
/// Suites in order of preference, those of one rank as good as each other.
using RankedSuites = std::vector<std::vector<CipherSuite>>;
/// The same grammar, and brackets around what is of one rank, as BoringSSL has them: "[AESGCM+ECDHE|CHACHA20]:kRSA".
/// All others have ranks of their own. Behind the first bracket a list only adds, for ranks are neither sorted nor
/// moved:
/// "-", "!", "+WORD" and "@STRENGTH" stand before it.
[[nodiscard]] LOCKSTEP_API std::expected<RankedSuites, ListError> ranked_suites_from_text(std::string_view text);
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
