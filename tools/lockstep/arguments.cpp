#include "arguments.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include <lockstep/lists.hpp>

#include "words.hpp"

namespace lockstep::tool {
namespace {

std::vector<std::string> split(const std::string& list, std::string_view separators) {
  std::vector<std::string> words;
  std::size_t start = 0;
  while (start <= list.size()) {
    const std::size_t end = std::min(list.find_first_of(separators, start), list.size());
    if (end > start) words.push_back(list.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

template <class Value>
std::vector<Value> checked(std::expected<std::vector<Value>, ListError> list, std::string_view noun) {
  if (!list) {
    throw UsageError("unknown " + std::string(noun) + " '" + printable(list.error().item) +
                     "'; known: " + list.error().known);
  }
  if (list->empty()) throw UsageError("an empty list of " + std::string(noun) + "s");
  return *std::move(list);
}

constexpr std::array<std::pair<std::string_view, KeyType>, 13> kKeyTypes{{
    {"rsa", KeyType::rsa},
    {"rsa-pss", KeyType::rsa_pss},
    {"p256", KeyType::ec_p256},
    {"p384", KeyType::ec_p384},
    {"p521", KeyType::ec_p521},
    {"brainpool256", KeyType::ec_brainpoolP256r1},
    {"brainpool384", KeyType::ec_brainpoolP384r1},
    {"brainpool512", KeyType::ec_brainpoolP512r1},
    {"ed25519", KeyType::ed25519},
    {"ed448", KeyType::ed448},
    {"mldsa44", KeyType::mldsa44},
    {"mldsa65", KeyType::mldsa65},
    {"mldsa87", KeyType::mldsa87},
}};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "2026-11-21" and "20:31:36": numbers of fixed width at fixed places.
std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count ||
      !std::ranges::all_of(text.substr(at, count), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  return parse_number<unsigned>(text.substr(at, count));
}

std::optional<Time> parse_iso_time(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  const auto midnight = std::chrono::sys_days(date);
  if (text.size() == 10) return Time(midnight);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!hour || !minute || !second || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':' ||
      *hour > 23 || *minute > 59 || *second > 59 || (text.size() != 19 && (text.size() != 20 || text[19] != 'Z'))) {
    return std::nullopt;
  }
  return Time(midnight + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second));
}

}  // namespace

RankedSuites parse_suites(const std::string& list) { return checked(ranked_suites_from_text(list), "suite"); }

std::vector<NamedGroup> parse_groups(const std::string& list) { return checked(groups_from_text(list), "group"); }

std::vector<SignatureScheme> parse_schemes(const std::string& list) {
  return checked(schemes_from_text(list), "scheme");
}

std::vector<std::string> parse_alpn(const std::string& list) {
  std::vector<std::string> protocols = split(list, ",");
  if (protocols.empty()) throw UsageError("an empty list of protocols");
  return protocols;
}

KeyType parse_key_type(const std::string& word) {
  const auto found = std::ranges::find(kKeyTypes, word, &std::pair<std::string_view, KeyType>::first);
  if (found == kKeyTypes.end()) {
    throw UsageError("unknown key type '" + printable(word) + "'; known: " + joined(key_type_words()));
  }
  return found->second;
}

std::vector<std::string> key_type_words() {
  std::vector<std::string> words;
  for (const auto& [word, type] : kKeyTypes) words.emplace_back(word);
  return words;
}

Time parse_time(const std::string& text) {
  if (const auto seconds = parse_number<std::int64_t>(text);
      seconds && *seconds >= 0 && *seconds < 253'402'300'800) {  // the year 10000
    return Time(std::chrono::seconds(*seconds));
  }
  if (const auto time = parse_iso_time(text)) return *time;
  throw UsageError("'" + printable(text) +
                   "' is not a moment; write 2026-11-21, 2026-11-21T20:31:36Z or seconds since 1970 (UTC)");
}

Time time_now() { return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

HostAndPort parse_host_and_port(const std::string& text, std::uint16_t default_port) {
  std::string host = text;
  std::string port;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string::npos) throw UsageError("'" + printable(text) + "' lacks a closing bracket");
    host = text.substr(1, bracket - 1);
    if (bracket + 1 < text.size()) {
      if (text[bracket + 1] != ':') throw UsageError("'" + printable(text) + "': expected [ADDRESS]:PORT");
      port = text.substr(bracket + 2);
      if (port.empty()) throw UsageError("'" + printable(text) + "' names no port after the colon");
    }
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
    if (port.empty()) throw UsageError("'" + printable(text) + "' names no port after the colon");
  }
  if (host.empty()) throw UsageError("'" + printable(text) + "' names no host");
  if (port.empty()) return {host, default_port};
  const auto number = parse_number<std::uint16_t>(port);
  if (!number || *number == 0) throw UsageError("'" + printable(port) + "' is not a port (1 to 65535)");
  return {host, *number};
}

}  // namespace lockstep::tool
