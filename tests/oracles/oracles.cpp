// Measures what a server takes to refuse each shape of a premaster secret and of a record in CBC mode, and says whether
// the times can be told apart. See docs/constant-time.md.
//
//     oracles [--rounds N] [--json] [--leaky]

#include "hostile/oracles.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::testing {
namespace {

/// As for leakage tests elsewhere (TVLA, dudect): of two samples of one distribution, one pair in 150,000 is further
/// apart than this many standard deviations.
constexpr double kThreshold = 4.5;

/// The times of one shape, in nanoseconds.
struct Series {
  std::string name;
  std::vector<double> times;

  [[nodiscard]] double quantile(double part) const {
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
  }
};

/// How far apart two sorted samples are, in standard deviations of what chance does (Mann and Whitney, 1947): the ranks
/// of all together, where equals share theirs.
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double rank_sum = 0;  // of a
  double ties = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    const double value = j == b.size() || (i < a.size() && a[i] < b[j]) ? a[i] : b[j];
    const std::size_t before = i + j;
    const std::size_t first = i;
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    const auto same = static_cast<double>(i + j - before);
    rank_sum += static_cast<double>(i - first) * (static_cast<double>(before) + (same + 1) / 2);
    ties += same * same * same - same;
  }
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  const double u = rank_sum - n * (n + 1) / 2;
  const double variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  return variance > 0 ? (u - n * m / 2) / std::sqrt(variance) : 0;
}

/// Shapes that must not be told apart. The last one is the first one once more: what the machine does by itself.
struct Group {
  std::string name;
  std::vector<Series> series;

  struct Pair {
    std::size_t a = 0;
    std::size_t b = 0;
    double distance = 0;
  };

  /// Every shape in every round, in an order of its own.
  template <class Measure>
  void measure(std::size_t rounds, Measure measure_one) {
    series.push_back({series.front().name + ", again", {}});
    std::mt19937_64 random(rounds);
    std::vector<std::size_t> order(series.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t round = 0; round < rounds; ++round) {
      std::ranges::shuffle(order, random);
      for (const std::size_t shape : order)
        series[shape].times.push_back(measure_one(shape + 1 == series.size() ? 0 : shape, round));
    }
    for (Series& each : series) std::ranges::sort(each.times);
  }
  [[nodiscard]] std::vector<Pair> pairs() const {
    std::vector<Pair> all;
    for (std::size_t a = 0; a < series.size(); ++a) {
      for (std::size_t b = a + 1; b < series.size(); ++b)
        all.push_back({a, b, distance(series[a].times, series[b].times)});
    }
    return all;
  }
};

/// What a connection or a record layer takes for one call.
class Stopwatch {
 public:
  [[nodiscard]] double elapsed() const {
    return static_cast<double>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count());
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "oracles: %s\n", what);
  std::exit(2);
}

// --- RSA -------------------------------------------------------------------------------------------------------------

/// A server that waits for the client's secret, to be sent in these bytes.
class RsaServer {
 public:
  explicit RsaServer(const Octets& ciphertext) {
    const std::vector suites{CipherSuite::tls_rsa_with_aes_128_gcm_sha256};
    const std::vector schemes{SignatureScheme::rsa_pss_rsae_sha256};
    duel_.client_config.suites(suites).schemes(schemes);
    duel_.server_config.suites(suites).schemes(schemes);
    duel_.client_forger.replace(HandshakeType::client_key_exchange,
                                message_of(HandshakeType::client_key_exchange, vector_of(ciphertext, 2)));
    duel_.server().credential = credential_of(KeyType::rsa);
    duel_.exchange_hellos();
    must(!duel_.to_server().empty(), "there is no second flight");
  }
  /// From the client's second flight to the alert that refuses it.
  double refuse() {
    Octets flight = duel_.to_server();
    Octets alert(100);
    End& end = duel_.server();
    Connection& server = end.connection;
    const Stopwatch watch;
    for (std::size_t at = 0; server.error() == nullptr;) {
      auto [consumed, event] = server.receive(MutableBytes(flight).subspan(at), kNow);
      at += consumed;
      if (auto* const question = std::get_if<Decrypt>(&event)) {
        std::array<std::uint8_t, 48> secret{};
        static_cast<void>(question->credential->key->decrypt(question->ciphertext, end.random, secret));
        must(server.answer(std::move(question->token), Bytes(secret)).has_value(), "an answer was refused");
      }
    }
    const std::size_t size = server.transmit(alert, kNow);
    const double taken = watch.elapsed();
    must(size == record::kHeaderSize + 2 && server.error()->reason == Reason::record_mac,
         "not refused as it should be");
    return taken;
  }

 private:
  OldDuel duel_;
};

Group measure_rsa(std::size_t rounds) {
  constexpr std::size_t kSecrets = 32;
  Group group{"RSA key exchange: from ClientKeyExchange to the alert", {}};
  std::vector<std::vector<Octets>> ciphertexts;
  FixedRandom random(5);
  for (const RsaShape& shape : kRsaShapes) {
    group.series.push_back({std::string(shape.name), {}});
    auto& made = ciphertexts.emplace_back();
    for (std::size_t i = 0; i < kSecrets; ++i) {
      Octets secret(48);
      must(random.fill(secret), "no randomness");
      secret[0] = secret[1] = 3;
      made.push_back(encrypted_in_shape(shape, secret, key_of(KeyType::rsa)->subject_public_key_info()));
    }
  }
  group.measure(rounds, [&](std::size_t shape, std::size_t round) {
    return RsaServer(ciphertexts[shape][round % kSecrets]).refuse();
  });
  return group;
}

// --- CBC -------------------------------------------------------------------------------------------------------------

/// Records of one size under one key. With encrypt-then-MAC nobody but the peer can make one whose MAC is right.
Group measure_cbc(const RecordMac& mac, bool encrypt_then_mac, std::size_t rounds) {
  constexpr std::size_t kTextSize = 336;  // room for the longest padding and MAC
  FixedRandom random(6);
  const CbcCipher& cipher = *provider().cbc_cipher(CbcAlgorithm::aes_128_cbc);
  CbcSide side{.cipher = &cipher,
               .mac = &mac,
               .key = Octets(cipher.key_size),
               .mac_key = Octets(mac.key_size),
               .encrypt_then_mac = encrypt_then_mac};
  must(random.fill(side.key) && random.fill(side.mac_key), "no randomness");
  Group group{std::string(name(mac.id)) + (encrypt_then_mac ? ", encrypt-then-MAC" : ", MAC-then-encrypt") +
                  ": one record of " + std::to_string(kTextSize) + " bytes",
              {}};
  std::vector<Octets> records;
  for (const CbcShape& shape : std::span(kCbcShapes).subspan(1)) {
    const auto record = cbc_record(side, shape, 0, kTextSize);
    if (!record || (encrypt_then_mac && shape.mac_is_right)) continue;
    group.series.push_back({std::string(shape.name), {}});
    records.push_back(*record);
  }
  Octets record;
  group.measure(rounds, [&](std::size_t shape, std::size_t /*round*/) {
    record = records[shape];
    record::Opener opener;
    must(opener.install(cipher, mac, side.key, side.mac_key, encrypt_then_mac), "no keys");
    // The first record makes the cipher's key schedule.
    Octets first = records[shape];
    must(!opener.open(first), "a record opens");
    const Stopwatch watch;
    const auto opened = opener.open(record);
    const double taken = watch.elapsed();
    must(!opened && opened.error() == Reason::record_mac, "not refused as it should be");
    return taken;
  });
  return group;
}

/// A MAC whose time follows the secret length, as those had that Lucky Thirteen was found in.
bool leaky_mac(Bytes key, Bytes header, Bytes content_then_padding, std::size_t secret_length,
               MutableBytes out) noexcept {
  const std::array<Bytes, 2> segments{header, content_then_padding.first(secret_length)};
  return provider().record_mac(MacAlgorithm::hmac_sha1)->mac(key, segments, out);
}

/// The same at whole connections: from the record to the alert, which is a record as well.
Group measure_cbc_at_connections(CipherSuite suite, std::size_t rounds) {
  constexpr std::size_t kTextSize = 320;
  Group group{std::string(name(suite)) + ", MAC-then-encrypt: from a record of " + std::to_string(kTextSize) +
                  " bytes to the alert",
              {}};
  const CbcSide side = side_of_client(*connected_with_cbc(suite, false), false);
  std::vector<Octets> records;
  for (const CbcShape& shape : std::span(kCbcShapes).subspan(1)) {
    const auto record = cbc_record(side, shape, kBehindFinished, kTextSize);
    if (!record) continue;
    group.series.push_back({std::string(shape.name), {}});
    records.push_back(*record);
  }
  group.measure(rounds, [&](std::size_t shape, std::size_t /*round*/) {
    const auto duel = connected_with_cbc(suite, false);
    Connection& server = duel->server().connection;
    Octets record = records[shape];
    Octets alert(200);
    const Stopwatch watch;
    const auto received = server.receive(record, kNow);
    const std::size_t size = server.transmit(alert, kNow);
    const double taken = watch.elapsed();
    must(received.consumed == record.size() && size != 0 && server.error()->reason == Reason::record_mac,
         "not refused as it should be");
    return taken;
  });
  return group;
}

// --- the report ------------------------------------------------------------------------------------------------------

/// Pairs further apart than the threshold; where the same shape differs from itself, nothing was learnt.
std::string_view verdict_of(const Group& group, double furthest) {
  if (furthest <= kThreshold) return "within noise";
  const double itself = std::abs(distance(group.series.front().times, group.series.back().times));
  return itself > kThreshold ? "too noisy to say" : "differs";
}

Group::Pair furthest_of(const std::vector<Group::Pair>& pairs) {
  return *std::ranges::max_element(pairs, {}, [](const Group::Pair& pair) { return std::abs(pair.distance); });
}

void print_text(const Group& group) {
  const Group::Pair furthest = furthest_of(group.pairs());
  std::printf("%s\n  %-42s %7s %10s %10s %10s\n", group.name.c_str(), "shape", "n", "quartile", "median", "quartile");
  for (const Series& series : group.series) {
    std::printf("  %-42s %7zu %10.0f %10.0f %10.0f ns\n", series.name.c_str(), series.times.size(),
                series.quantile(0.25), series.quantile(0.5), series.quantile(0.75));
  }
  const std::string_view verdict = verdict_of(group, std::abs(furthest.distance));
  std::printf("  %zu pairs, furthest apart: \"%s\" and \"%s\", z = %.2f (threshold %.1f): %.*s\n\n",
              group.pairs().size(), group.series[furthest.a].name.c_str(), group.series[furthest.b].name.c_str(),
              furthest.distance, kThreshold, static_cast<int>(verdict.size()), verdict.data());
}

void print_json(const std::vector<Group>& groups) {
  const char* outer = "";
  std::printf("{\"threshold\": %.1f, \"groups\": [", kThreshold);
  for (const Group& group : groups) {
    std::printf("%s\n {\"name\": \"%s\", \"shapes\": [", std::exchange(outer, ","), group.name.c_str());
    const char* inner = "";
    for (const Series& series : group.series) {
      std::printf(
          "%s\n  {\"name\": \"%s\", \"n\": %zu, \"first_quartile_ns\": %.0f, \"median_ns\": %.0f, "
          "\"third_quartile_ns\": %.0f}",
          std::exchange(inner, ","), series.name.c_str(), series.times.size(), series.quantile(0.25),
          series.quantile(0.5), series.quantile(0.75));
    }
    std::printf("], \"pairs\": [");
    const std::vector<Group::Pair> pairs = group.pairs();
    inner = "";
    for (const Group::Pair& pair : pairs)
      std::printf("%s{\"a\": %zu, \"b\": %zu, \"z\": %.3f}", std::exchange(inner, ", "), pair.a, pair.b, pair.distance);
    const std::string_view verdict = verdict_of(group, std::abs(furthest_of(pairs).distance));
    std::printf("],\n  \"verdict\": \"%.*s\"}", static_cast<int>(verdict.size()), verdict.data());
  }
  std::printf("]}\n");
}

int run(std::size_t rounds, bool json, bool leaky) {
  // A record takes a thousandth of what an RSA key does.
  constexpr std::size_t kRecordsPerSecret = 10;
  std::vector<Group> groups;
  if (leaky) {
    RecordMac mac = *provider().record_mac(MacAlgorithm::hmac_sha1);
    mac.mac_of_secret_length = leaky_mac;
    groups.push_back(measure_cbc(mac, false, rounds * kRecordsPerSecret));
  } else {
    groups.push_back(measure_rsa(rounds));
    for (const RecordMac* const mac : provider().record_macs) {
      for (const bool encrypt_then_mac : {false, true})
        groups.push_back(measure_cbc(*mac, encrypt_then_mac, rounds * kRecordsPerSecret));
    }
    for (const CipherSuite suite :
         {CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha, CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha384})
      groups.push_back(measure_cbc_at_connections(suite, rounds));
  }
  if (json) print_json(groups);
  bool differs = false;
  for (const Group& group : groups) {
    if (!json) print_text(group);
    differs = differs || verdict_of(group, std::abs(furthest_of(group.pairs()).distance)) != "within noise";
  }
  return differs ? 1 : 0;
}

}  // namespace
}  // namespace lockstep::testing

int main(int count, char** arguments) {
  ::testing::InitGoogleTest();
  std::size_t rounds = 2000;
  bool json = false;
  bool leaky = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = arguments[i];
    if (word == "--json") {
      json = true;
    } else if (word == "--leaky") {
      leaky = true;
    } else if (word == "--rounds" && i + 1 < count) {
      rounds = std::strtoul(arguments[++i], nullptr, 10);
    } else {
      rounds = 0;
    }
  }
  if (rounds == 0) {
    std::fputs("usage: oracles [--rounds N] [--json] [--leaky]\n", stderr);
    return 2;
  }
  return lockstep::testing::run(rounds, json, leaky);
}
