#pragma once
// Reads the vector files under tests/vectors: lines of "name = hex", comments that begin with '#'.

#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>

namespace lockstep::tests {

using Octets = std::vector<std::uint8_t>;

/// Bytes from hex digits; throws on anything else.
inline Octets from_hex(std::string_view hex) {
  const auto digit = [](char c) -> std::uint8_t {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    throw std::runtime_error("not a hex digit");
  };
  if (hex.size() % 2 != 0) throw std::runtime_error("half a byte");
  Octets bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(digit(hex[i]) << 4U | digit(hex[i + 1])));
  }
  return bytes;
}

inline std::string to_hex(Bytes bytes) {
  std::string hex;
  for (const std::uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4U];
    hex += "0123456789abcdef"[byte & 0xfU];
  }
  return hex;
}

/// One file of vectors. A missing file or name throws, and so fails the test that asks.
class Vectors {
 public:
  /// `path` is relative to tests/vectors.
  explicit Vectors(const std::string& path) {
    std::ifstream file(std::string(LOCKSTEP_SOURCE_DIR) + "/tests/vectors/" + path);
    if (!file) throw std::runtime_error("no vectors at " + path);
    for (std::string line; std::getline(file, line);) {
      const std::size_t equals = line.find(" = ");
      if (line.empty() || line[0] == '#' || equals == std::string::npos) continue;
      values_[line.substr(0, equals)] = from_hex(std::string_view(line).substr(equals + 3));
    }
  }

  [[nodiscard]] const Octets& operator[](const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw std::runtime_error("no vector named " + name);
    return found->second;
  }
  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }

 private:
  std::map<std::string, Octets> values_;
};

}  // namespace lockstep::tests
