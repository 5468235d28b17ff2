#pragma once
// Characters and lists as HTTP has them (RFC 9110 5.6), for requests and responses alike.

#include <algorithm>
#include <string_view>

namespace lockstep::tool::http_words {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline bool is_token_character(char c) { return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").contains(c); }

/// RFC 9110 5.6.2.
inline bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_character); }

inline bool same_letters(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, {}, lower);
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes what stands before the separator off the front, and the separator with it.
inline std::string_view take(std::string_view& text, std::string_view separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + separator.size(), text.size()));
  return part;
}

/// The members of a comma-separated list; empty ones do not count (RFC 9110 5.6.1.2).
template <class Function>
void for_each_member(std::string_view list, Function&& function) {
  while (!list.empty()) {
    if (const std::string_view member = trimmed(take(list, ",")); !member.empty()) function(member);
  }
}

}  // namespace lockstep::tool::http_words
