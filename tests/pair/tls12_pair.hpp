#pragma once
// Ends that speak TLS 1.2, and what is expected of two that talk.

#include <array>

#include "pair.hpp"

namespace lockstep::testing {

inline constexpr auto kTls12 = ProtocolVersion::tls_1_2;
inline constexpr std::array kBothVersions{kTls12, ProtocolVersion::tls_1_3};

inline ClientConfigBuilder old_client() { return client_builder().versions(kTls12, kTls12); }
inline ServerConfigBuilder old_server() { return server_builder().versions(kTls12, kTls12); }

inline void expect_tls12(const Pair& pair) {
  expect_connected(pair);
  for (const End* end : {&pair.client, &pair.server}) EXPECT_EQ(end->connection.version(), kTls12);
}

/// How bytes come and go.
struct Cut {
  std::size_t outbound;
  std::size_t chunk;
};

}  // namespace lockstep::testing
