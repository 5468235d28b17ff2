#include "peer_lines.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <string_view>

#include <lockstep/version.hpp>

#include "heap.hpp"
#include "measure.hpp"

namespace lockstep::bench {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct Scenario {
  std::string_view name;
  Shape shape{};
  std::size_t size = 0;
};

constexpr auto kAes128 = CipherSuite::tls_aes_128_gcm_sha256;
constexpr auto kAes256 = CipherSuite::tls_aes_256_gcm_sha384;
constexpr auto kChaCha20 = CipherSuite::tls_chacha20_poly1305_sha256;

constexpr auto kAes128Tls12 = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256;
constexpr auto kAes128RsaTls12 = CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256;
constexpr auto kAes256Tls12 = CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384;
constexpr auto kChaCha20Tls12 = CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256;

constexpr Scenario kHandshakes[] = {
    {"hs13-x25519-p256"},
    {"hs13-x25519-rsa2048", {.key = KeyType::rsa}},
    {"hs13-mlkem768-p256", {.group = NamedGroup::x25519mlkem768}},
    {"hs13-x25519-p256-mutual", {.mutual = true}},
    {"hs13-x25519-resume", {.resume = true}},
    {"hs12-x25519-p256", {.suite = kAes128Tls12}},
    {"hs12-x25519-rsa2048", {.suite = kAes128RsaTls12, .key = KeyType::rsa}},
    {"hs12-x25519-resume", {.suite = kAes128Tls12, .resume = true}},
};
// Sixteen in flight.
constexpr std::size_t kInFlight = 16;
constexpr Scenario kHandshakesTogether[] = {
    {"hs13b-x25519-p256", {.together = true}},
    {"hs13b-x25519-rsa2048", {.key = KeyType::rsa, .together = true}},
    {"hs13b-mlkem768-p256", {.group = NamedGroup::x25519mlkem768, .together = true}},
    {"hs12b-x25519-p256", {.suite = kAes128Tls12, .together = true}},
};
constexpr Scenario kRecords[] = {
    {"bulk-aes128gcm-16k", {.suite = kAes128}, 16384},        {"bulk-aes128gcm-1k", {.suite = kAes128}, 1024},
    {"bulk-aes128gcm-100b", {.suite = kAes128}, 100},         {"bulk-aes256gcm-16k", {.suite = kAes256}, 16384},
    {"bulk-aes256gcm-1k", {.suite = kAes256}, 1024},          {"bulk-aes256gcm-100b", {.suite = kAes256}, 100},
    {"bulk-chacha20-16k", {.suite = kChaCha20}, 16384},       {"bulk-chacha20-1k", {.suite = kChaCha20}, 1024},
    {"bulk-chacha20-100b", {.suite = kChaCha20}, 100},        {"bulk12-aes128gcm-16k", {.suite = kAes128Tls12}, 16384},
    {"bulk12-aes128gcm-1k", {.suite = kAes128Tls12}, 1024},   {"bulk12-aes128gcm-100b", {.suite = kAes128Tls12}, 100},
    {"bulk12-aes256gcm-16k", {.suite = kAes256Tls12}, 16384}, {"bulk12-chacha20-16k", {.suite = kChaCha20Tls12}, 16384},
    {"bulk12-chacha20-1k", {.suite = kChaCha20Tls12}, 1024},  {"bulk12-chacha20-100b", {.suite = kChaCha20Tls12}, 100},
};

/// With the provider that the command line takes by itself: the best, where several were built.
std::unique_ptr<Peer> as_it_comes() {
  auto peers = make_lockstep_peers();
  const auto best = std::ranges::find(peers, "lockstep-best", &Peer::key);
  return std::move(best == peers.end() ? peers.front() : *best);
}

class Lines {
 public:
  explicit Lines(const PeerLines& wanted) : wanted_(wanted), peer_(as_it_comes()) {}

  [[nodiscard]] bool wants(std::string_view name) const { return name.starts_with(wanted_.only); }
  [[nodiscard]] Peer& prepared(const Shape& shape) {
    if (!peer_->prepare(shape, certificates(shape.key))) throw std::runtime_error("the provider lacks what it takes");
    rehearse(*peer_, shape);
    return *peer_;
  }
  [[nodiscard]] Slice slice() const { return {.seconds = wanted_.milliseconds / 1000}; }

  static void print(std::string_view scenario, const char* unit, double total, const Sides& sides) {
    std::printf("lockstep-%s %.*s %s %.6g %.6g %.6g\n", LOCKSTEP_VERSION, static_cast<int>(scenario.size()),
                scenario.data(), unit, total, sides.first, sides.second);
    std::fflush(stdout);
  }

 private:
  const Certificates& certificates(KeyType type) {
    auto found = read_.find(type);
    if (found == read_.end()) {
      const char* name = type == KeyType::rsa ? "rsa2048" : "p256";
      found = read_.emplace(type, read_certificates(wanted_.certificates / name)).first;
    }
    return found->second;
  }

  const PeerLines& wanted_;
  std::unique_ptr<Peer> peer_;
  std::map<KeyType, Certificates> read_;
};

void print_times(Lines& lines) {
  for (const Scenario& each : kHandshakes) {
    if (!lines.wants(each.name)) continue;
    const Sides cost = measure_handshakes(lines.prepared(each.shape), lines.slice());
    Lines::print(each.name, "hs/s", 1 / (cost.first + cost.second), {1 / cost.first, 1 / cost.second});
  }
  for (const Scenario& each : kHandshakesTogether) {
    if (!lines.wants(each.name)) continue;
    const Sides cost = measure_in_flight(lines.prepared(each.shape), kInFlight, lines.slice());
    Lines::print(each.name, "hs/s", 1 / (cost.first + cost.second), {1 / cost.first, 1 / cost.second});
  }
  for (const Scenario& each : kRecords) {
    if (!lines.wants(each.name)) continue;
    Connected pair = connect(lines.prepared(each.shape));
    const Sides cost = measure_records(pair, each.size, lines.slice());
    const double megabytes = static_cast<double>(each.size) * 1e-6;
    Lines::print(each.name, "MB/s", megabytes / (cost.first + cost.second),
                 {megabytes / cost.first, megabytes / cost.second});
  }
}

void print_memory(Lines& lines) {
  if (!count_heap(true)) throw std::runtime_error("this C library does not let the heap be counted");
  for (const bool used : {false, true}) {
    const char* name = used ? "mem-idle-io" : "mem-idle";
    if (!lines.wants(name)) continue;
    Lines::print(name, "bytes/conn", measure_idle_heap(lines.prepared({}), used), {kUnknown, kUnknown});
  }
  if (lines.wants("mem12-idle"))
    Lines::print("mem12-idle", "bytes/conn", measure_idle_heap(lines.prepared({.suite = kAes128Tls12}), false),
                 {kUnknown, kUnknown});
  for (const bool resume : {false, true}) {
    const char* name = resume ? "alloc-hs13-resume" : "alloc-hs13";
    if (!lines.wants(name)) continue;
    const Sides count = count_handshake_allocations(lines.prepared({.resume = resume}));
    Lines::print(name, "allocs/hs", count.first + count.second, count);
  }
  for (const std::size_t size : {std::size_t{16384}, std::size_t{1024}}) {
    const char* name = size == 1024 ? "alloc-rec-1k" : "alloc-rec-16k";
    if (!lines.wants(name)) continue;
    const Sides count = count_record_allocations(lines.prepared({}), size);
    Lines::print(name, "allocs/rec", count.first + count.second, count);
  }
}

}  // namespace

void print_peer_lines(const PeerLines& wanted) {
  Lines lines(wanted);
  if (wanted.memory) {
    print_memory(lines);
  } else {
    print_times(lines);
  }
}

}  // namespace lockstep::bench
