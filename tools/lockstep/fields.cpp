#include "fields.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include <lockstep/provider.hpp>

#include "provider.hpp"

namespace lockstep::tool {
namespace {

std::string scalar_text(const Json& value) {
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.dump();
}

bool is_plain(const Json& value) {
  if (value.is_array()) return std::ranges::none_of(value, [](const Json& each) { return each.is_structured(); });
  return !value.is_object();
}

std::string plain_text(const Json& value) {
  if (!value.is_array()) return scalar_text(value);
  std::string text;
  for (const Json& each : value) text += (text.empty() ? "" : ", ") + scalar_text(each);
  return text.empty() ? "none" : text;
}

}  // namespace

void print_fields(const Printer& printer, const Json& fields, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::size_t width = 0;
  for (const auto& [name, value] : fields.items()) {
    if (is_plain(value)) width = std::max(width, name.size());
  }
  for (const auto& [name, value] : fields.items()) {
    if (is_plain(value)) {
      printer.line(margin + printer.styled(Style::dim, name) + std::string(width - name.size() + 2, ' ') +
                   plain_text(value));
    } else if (value.is_object()) {
      printer.line(margin + printer.styled(Style::dim, name));
      print_fields(printer, value, indent + 2);
    } else {
      std::size_t number = 0;
      for (const Json& each : value) {
        printer.line(margin + printer.styled(Style::dim, name + " " + std::to_string(++number)));
        print_fields(printer, each, indent + 2);
      }
    }
  }
}

std::string hex(Bytes bytes, std::string_view separator) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text += separator;
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
  }
  return text;
}

std::string sha256_text(Bytes bytes) {
  const Hash* const hash = provider().hash(HashAlgorithm::sha256);
  alignas(64) std::array<std::uint8_t, kMaxHashContextSize> context;
  if (hash == nullptr || !hash->init(context.data())) return {};
  std::array<std::uint8_t, 32> digest;
  hash->update(context.data(), bytes);
  const bool done = hash->digest(context.data(), digest);
  hash->destroy(context.data());
  return done ? hex(digest) : std::string();
}

}  // namespace lockstep::tool
