#pragma once
// The chains that every peer uses: root, intermediate, and a leaf for each side, all with keys of one type.

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include <lockstep/types.hpp>

namespace lockstep::bench {

inline constexpr std::string_view kServerName = "bench.example";

using Der = std::vector<std::uint8_t>;

struct Chain {
  Der leaf;
  Der intermediate;
  Der pkcs8;  ///< the leaf's private key
};

struct Certificates {
  Der root;
  Chain server;
  Chain client;
};

/// Made anew, valid today. Throws std::runtime_error when the provider lacks the key type.
[[nodiscard]] Certificates make_certificates(KeyType type);

/// From a directory with root.pem, server.chain.pem, server.key.pem, client.chain.pem and client.key.pem. Throws
/// std::runtime_error that names the file.
[[nodiscard]] Certificates read_certificates(const std::filesystem::path& directory);

}  // namespace lockstep::bench
