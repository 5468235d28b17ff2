// What a program on the libsodium provider alone needs is installed and linked.

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include <lockstep/config.hpp>
#include <lockstep/sodium.hpp>

int main() {
  const lockstep::Provider provider = lockstep::sodium::provider();
  const bool configured =
      lockstep::ConfigBuilder::client(provider).build() && lockstep::ConfigBuilder::server(provider).build();
  std::array<std::uint8_t, 16> bytes{};
  if (!configured || !lockstep::sodium::system_random().fill(bytes)) return 1;
  std::printf("configured with %s\n", std::string(provider.name).c_str());
  return 0;
}
