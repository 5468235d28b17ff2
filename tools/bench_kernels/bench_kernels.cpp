// Sealing and opening with every kernel that this processor can run, by size: time, cycles for each byte, and how many
// times the machine's bound that is.

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <lockstep/kernels.hpp>

#include "bound.hpp"

namespace {

using namespace lockstep;

constexpr std::int64_t kSizes[] = {16, 64, 100, 256, 1024, 1350, 4096, 16384};

struct Message {
  explicit Message(const kernels::Aead& aead, std::size_t size)
      : plaintext(size, 0x61), sealed(size + kernels::kTagSize), opened(size), segments{plaintext} {
    const std::vector<std::uint8_t> key(aead.key_size, 0x5a);
    aead.init(context.data(), key.data());
  }

  [[nodiscard]] SealJob seal_job() {
    return {
        .nonce = nonce.data(), .aad = header, .source = segments, .tail = content_type, .destination = sealed.data()};
  }

  alignas(64) std::array<std::byte, kernels::kMaxContextSize> context{};
  std::array<std::uint8_t, kernels::kNonceSize> nonce{};
  std::array<std::uint8_t, 5> header{};  // a record's
  std::array<std::uint8_t, 0> content_type{};
  std::vector<std::uint8_t> plaintext;
  std::vector<std::uint8_t> sealed;
  std::vector<std::uint8_t> opened;
  std::array<std::span<const std::uint8_t>, 1> segments;
};

/// Measured once for each kernel: a machine's bound does not depend on the size.
double bound_of(const kernels::Aead& aead) {
  static std::map<std::pair<kernels::Algorithm, kernels::InstructionSet>, double> known;
  const auto [place, made] = known.try_emplace({aead.algorithm, aead.instruction_set});
  if (made) place->second = bench::bound(aead.algorithm, aead.instruction_set);
  return place->second;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void report(benchmark::State& state, const kernels::Aead& aead, double seconds) {
  const auto bytes = static_cast<double>(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0));
  if (const double cycles = bench::cycles_per_second(); cycles != 0)
    state.counters["cycles/byte"] = seconds * cycles / bytes;
  if (const double bound = bound_of(aead); bound != 0) state.counters["x_bound"] = seconds / bytes / bound;
}

void seal(benchmark::State& state, const kernels::Aead& aead) {
  Message message(aead, static_cast<std::size_t>(state.range(0)));
  const SealJob job = message.seal_job();
  const double start = now();
  for ([[maybe_unused]] auto _ : state) {
    aead.seal(message.context.data(), {&job, 1});
    benchmark::ClobberMemory();
  }
  report(state, aead, now() - start);
}

void open(benchmark::State& state, const kernels::Aead& aead) {
  Message message(aead, static_cast<std::size_t>(state.range(0)));
  const SealJob sealed = message.seal_job();
  aead.seal(message.context.data(), {&sealed, 1});
  OpenJob job{.nonce = message.nonce.data(),
              .aad = message.header,
              .source = message.sealed,
              .destination = message.opened.data()};
  const double start = now();
  for ([[maybe_unused]] auto _ : state) {
    if (aead.open(message.context.data(), {&job, 1}) != 1) {
      state.SkipWithError("what was sealed did not open");
      break;
    }
    benchmark::ClobberMemory();
  }
  report(state, aead, now() - start);
}

}  // namespace

int main(int argc, char** argv) {
  for (const kernels::Aead& aead : kernels::available()) {
    const std::string name = std::string(aead.name) + "/" + kernels::name(aead.instruction_set);
    for (const std::int64_t size : kSizes) {
      benchmark::RegisterBenchmark(name + "/seal", seal, aead)->Arg(size);
      benchmark::RegisterBenchmark(name + "/open", open, aead)->Arg(size);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
