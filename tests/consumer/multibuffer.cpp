// What a program on the multibuffer provider needs, and so libcrypto's, is installed and linked: several key exchanges
// in one call.

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include <lockstep/config.hpp>
#include <lockstep/libcrypto.hpp>
#include <lockstep/multibuffer.hpp>

int main() {
  using namespace lockstep;
  const Provider provider = compose("multibuffer", {multibuffer::provider(), libcrypto::provider()});
  if (!ConfigBuilder::client(provider).build() || !ConfigBuilder::server(provider).build()) return 1;
  const Group& x25519 = *provider.group(NamedGroup::x25519);
  struct KeyPair {
    alignas(64) std::array<std::uint8_t, kMaxGroupContextSize> context{};
    std::array<std::uint8_t, 32> share{};
  };
  std::array<KeyPair, 3> pairs;
  std::array<GenerateJob, 3> jobs{};
  for (std::size_t i = 0; i < pairs.size(); ++i)
    jobs[i] = {pairs[i].context.data(), &libcrypto::system_random(), pairs[i].share};
  generate(x25519, jobs);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (jobs[i].result != GroupResult::ok || pairs[i].share == std::array<std::uint8_t, 32>{}) return 1;
    x25519.destroy(pairs[i].context.data());
  }
  std::printf("configured with crypto_mb %s, of which this processor runs %s\n",
              std::string(multibuffer::library_version()).c_str(), multibuffer::available() ? "all" : "nothing");
  return 0;
}
