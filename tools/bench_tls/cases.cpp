// Every case, in groups; the peers take turns in every round.

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>

#include <lockstep/kernels.hpp>
#include <lockstep/version.hpp>

#include "bench.hpp"
#include "chains.hpp"
#include "heap.hpp"
#include "key_schedule.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "memory_process.hpp"
#include "operations.hpp"
#include "progress.hpp"
#include "spent.hpp"

namespace lockstep::bench {
namespace {

struct Suite {
  CipherSuite suite;
  std::string_view label;
  std::string_view word;
};
constexpr Suite kSuites[] = {
    {CipherSuite::tls_aes_128_gcm_sha256, "AES-128-GCM", "aes128gcm"},
    {CipherSuite::tls_aes_256_gcm_sha384, "AES-256-GCM", "aes256gcm"},
    {CipherSuite::tls_chacha20_poly1305_sha256, "ChaCha20-Poly1305", "chacha20"},
    {CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, "TLS 1.2, AES-128-GCM", "tls12-aes128gcm"},
    {CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384, "TLS 1.2, AES-256-GCM", "tls12-aes256gcm"},
    {CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256, "TLS 1.2, ChaCha20-Poly1305", "tls12-chacha20"},
};
constexpr std::size_t kSizes[] = {64, 100, 256, 1024, 1350, 4096, 16384};
constexpr std::size_t kQuickSizes[] = {100, 16384};

struct Handshake {
  std::string_view word;
  std::string_view label;
  Shape shape;
};
constexpr Handshake kHandshakes[] = {
    {"x25519-p256", "X25519, P-256", {}},
    {"mlkem768-p256", "X25519MLKEM768, P-256", {.group = NamedGroup::x25519mlkem768}},
    {"x25519-ed25519", "X25519, Ed25519", {.key = KeyType::ed25519}},
    {"x25519-p256-mutual", "X25519, P-256, mutual", {.mutual = true}},
    {"x25519-p256-resume", "X25519, P-256, resumed", {.resume = true}},
    {"x25519-rsa2048", "X25519, RSA-2048", {.key = KeyType::rsa}},
    {"tls12-x25519-p256", "TLS 1.2, X25519, P-256", {.suite = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256}},
    {"tls12-x25519-p256-resume",
     "TLS 1.2, X25519, P-256, resumed",
     {.suite = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, .resume = true}},
};

// Many handshakes in flight: all clients have their turn, then all servers, as in an event loop under load.
constexpr Handshake kTogether[] = {
    {"x25519-p256", "X25519, P-256", {.together = true}},
    {"mlkem768-p256", "X25519MLKEM768, P-256", {.group = NamedGroup::x25519mlkem768, .together = true}},
    {"x25519-p256-mutual", "X25519, P-256, mutual", {.mutual = true, .together = true}},
    {"x25519-rsa2048", "X25519, RSA-2048", {.key = KeyType::rsa, .together = true}},
    {"tls12-x25519-p256",
     "TLS 1.2, X25519, P-256",
     {.suite = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, .together = true}},
};
constexpr std::size_t kInFlight = 16;
constexpr std::size_t kFlightsOfLatency[] = {1, 2, 4, 16, 64};

/// RSA keys take seconds to make.
bool slow(const Handshake& handshake) { return handshake.shape.key == KeyType::rsa; }

std::span<const std::size_t> sizes(bool quick) {
  return quick ? std::span<const std::size_t>(kQuickSizes) : std::span<const std::size_t>(kSizes);
}

std::string record_case(const Suite& suite, std::size_t size) {
  return "records-" + std::string(suite.word) + "-" + std::to_string(size);
}

/// The rounds of one row, by subject.
class Samples {
 public:
  void add(const std::string& subject, double value) {
    if (!samples_.contains(subject)) order_.push_back(subject);
    samples_[subject].push_back(value);
  }
  [[nodiscard]] std::vector<Figure> figures(bool more_is_better) {
    std::vector<Figure> figures;
    for (const std::string& subject : order_) figures.push_back(figure(subject, more_is_better));
    return figures;
  }

 private:
  [[nodiscard]] Figure figure(const std::string& subject, bool more_is_better) {
    std::vector<double> values = samples_[subject];
    Figure made{.subject = subject};
    const auto reference = samples_.find(Results::kReference);
    if (reference != samples_.end() && reference->second.size() == values.size()) {
      std::vector<double> ratios;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double theirs = reference->second[i];
        ratios.push_back(more_is_better ? values[i] / theirs : theirs / values[i]);
      }
      made.ratio = median(std::move(ratios));
    }
    std::ranges::sort(values);
    made.value = values[values.size() / 2];
    made.low = values[values.size() / 4];
    made.high = values[values.size() * 3 / 4];
    return made;
  }

  std::map<std::string, std::vector<double>> samples_;
  std::vector<std::string> order_;
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}

  Results run() {
    results_.version = LOCKSTEP_VERSION;
    results_.date = today();
    results_.machine = describe_machine();
    results_.rounds = options_.effort.rounds;
    results_.slice_seconds = options_.effort.slice_seconds;
    peers_ = all_peers(results_.left_out);
    for (const auto& peer : peers_) results_.subjects.push_back({peer->key(), peer->title()});
    for (const NamedProvider& each : library_providers()) results_.subjects.push_back({each.key, each.title});
    expect_cases();

    measure_all_records();
    measure_all_handshakes();
    measure_all_together();
    measure_latency();
    measure_all_own_costs();
    measure_parts();
    measure_key_schedules();
    measure_kernels();
    measure_all_waking();
    measure_all_operations();
    measure_chains();
    measure_all_batches();
    if (wants("memory")) {
      progress_.begin("memory", "in a process of its own");
      for (Row& row : rows_of_memory_process(options_)) results_.rows.push_back(std::move(row));
    }
    return std::move(results_);
  }

  std::vector<Row> run_memory() {
    std::vector<std::string> unused;
    peers_ = all_peers(unused);
    if (!count_heap(true)) return {};
    Row idle = memory_row("idle connection", "server", "bytes");
    Row used = memory_row("idle connection after 1 KiB in, 16 KiB out", "server", "bytes");
    Row client = memory_row("a handshake, X25519, P-256", "client", "allocations");
    Row server = memory_row("a handshake, X25519, P-256", "server", "allocations");
    Row seal = memory_row("a record of 1024 bytes", "seal", "allocations");
    Row open = memory_row("a record of 1024 bytes", "open", "allocations");
    for (const auto& peer : peers_) {
      if (!prepare(*peer, {})) continue;
      const auto add = [&](Row& row, double value) { row.figures.push_back({peer->key(), value, value, value}); };
      const Sides handshake = count_handshake_allocations(*peer);
      const Sides record = count_record_allocations(*peer, 1024);
      add(idle, measure_idle_heap(*peer, false));
      add(used, measure_idle_heap(*peer, true));
      add(client, handshake.first);
      add(server, handshake.second);
      add(seal, record.first);
      add(open, record.second);
    }
    return {idle, used, client, server, seal, open};
  }

 private:
  static std::vector<std::unique_ptr<Peer>> all_peers(std::vector<std::string>& left_out) {
    std::vector<std::unique_ptr<Peer>> peers = make_lockstep_peers();
    if (auto openssl = make_openssl_peer()) {
      peers.push_back(std::move(openssl));
    } else {
      left_out.emplace_back("OpenSSL: this build found no libssl (Debian: libssl-dev)");
    }
    peers.push_back(make_botan_peer());
    return peers;
  }

  static std::string today() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    char text[16] = "";
    if (const std::tm* utc = std::gmtime(&now)) std::strftime(text, sizeof text, "%Y-%m-%d", utc);
    return text;
  }

  static Row memory_row(std::string label, std::string measure, std::string unit) {
    return {.name = "memory",
            .group = "memory",
            .label = std::move(label),
            .size = 0,
            .measure = std::move(measure),
            .unit = std::move(unit),
            .more_is_better = false,
            .figures = {}};
  }

  [[nodiscard]] bool wants(std::string_view name) const {
    return options_.only.empty() ||
           std::ranges::any_of(options_.only, [&](const std::string& start) { return name.starts_with(start); });
  }

  void expect_cases() {
    std::size_t count = 0;
    for (const std::string& name : case_names(options_.quick)) count += wants(name) ? 1U : 0U;
    progress_.expect(count);
  }

  const Certificates& certificates(KeyType type) {
    auto found = certificates_.find(type);
    if (found == certificates_.end()) found = certificates_.emplace(type, make_certificates(type)).first;
    return found->second;
  }

  /// Whether the peer can do it; if not, it is said once.
  bool prepare(Peer& peer, const Shape& shape, const std::string& case_name = {}) {
    std::string why = "not supported";
    try {
      if (peer.prepare(shape, certificates(shape.key))) {
        rehearse(peer, shape);
        return true;
      }
    } catch (const std::exception& error) {
      why = error.what();
    }
    results_.left_out.push_back(peer.title() + " in " + case_name + ": " + why);
    return false;
  }

  [[nodiscard]] Slice slice() const { return {.seconds = options_.effort.slice_seconds, .least = 3}; }

  void add_row(Row row, Samples& samples) {
    row.figures = samples.figures(row.more_is_better);
    if (!row.figures.empty()) results_.rows.push_back(std::move(row));
  }

  /// A handshake's rows: a second when more is better, else microseconds.
  void add_sides(const char* group, const Handshake& handshake, bool more_is_better, Samples& client, Samples& server) {
    Row row{.name = std::string(group) + "-" + std::string(handshake.word),
            .group = group,
            .label = std::string(handshake.label),
            .size = 0,
            .measure = "client",
            .unit = more_is_better ? "1/s" : "us",
            .more_is_better = more_is_better,
            .figures = {}};
    add_row(row, client);
    row.measure = "server";
    add_row(row, server);
  }

  void measure_all_records() {
    for (const Suite& suite : kSuites) {
      for (const std::size_t size : sizes(options_.quick)) {
        if (wants(record_case(suite, size))) measure_record_case(suite, size);
      }
    }
  }

  void measure_record_case(const Suite& suite, std::size_t size) {
    const std::string name = record_case(suite, size);
    progress_.begin("records", std::string(suite.label) + ", " + std::to_string(size) + " bytes");
    std::vector<std::pair<Peer*, Connected>> pairs;
    for (const auto& peer : peers_) {
      if (prepare(*peer, {.suite = suite.suite}, name)) pairs.emplace_back(peer.get(), connect(*peer));
    }
    Samples seal;
    Samples open;
    const double megabytes = static_cast<double>(size) * 1e-6;
    for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
      for (auto& [peer, pair] : pairs) {
        const Sides cost = bench::measure_records(pair, size, slice());
        seal.add(peer->key(), megabytes / cost.first);
        open.add(peer->key(), megabytes / cost.second);
      }
    }
    Row row{.name = name,
            .group = "records",
            .label = std::string(suite.label),
            .size = size,
            .measure = "seal",
            .unit = "MB/s",
            .more_is_better = true,
            .figures = {}};
    add_row(row, seal);
    row.measure = "open";
    add_row(row, open);
  }

  void measure_all_handshakes() {
    for (const Handshake& handshake : kHandshakes) {
      const std::string name = "handshakes-" + std::string(handshake.word);
      if (!wants(name) || (options_.quick && slow(handshake))) continue;
      progress_.begin("handshakes", std::string(handshake.label));
      const std::vector<Peer*> able = able_to(handshake.shape, name);
      Samples client;
      Samples server;
      for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
        for (Peer* peer : able) {
          const Sides cost = measure_handshakes(*peer, slice());
          client.add(peer->key(), 1 / cost.first);
          server.add(peer->key(), 1 / cost.second);
        }
      }
      add_sides("handshakes", handshake, true, client, server);
    }
  }

  void measure_all_together() {
    for (const Handshake& handshake : kTogether) {
      const std::string name = "together-" + std::string(handshake.word);
      if (!wants(name) || (options_.quick && slow(handshake))) continue;
      progress_.begin("together", std::string(handshake.label));
      const std::vector<Peer*> able = able_to(handshake.shape, name);
      Samples client;
      Samples server;
      for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
        for (Peer* peer : able) {
          const Sides cost = measure_in_flight(*peer, kInFlight, slice());
          client.add(peer->key(), 1 / cost.first);
          server.add(peer->key(), 1 / cost.second);
        }
      }
      add_sides("together", handshake, true, client, server);
    }
  }

  /// From the beginning of a round of so many handshakes to the end of each.
  void measure_latency() {
    if (!wants("latency")) return;
    progress_.begin("latency", "X25519, P-256");
    const std::vector<Peer*> able = able_to({.together = true}, "latency");
    for (const std::size_t count : kFlightsOfLatency) {
      Samples middle;
      Samples late;
      for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
        for (Peer* peer : able) {
          std::vector<double> done;
          (void)measure_in_flight(*peer, count, slice(), &done);
          std::ranges::sort(done);
          middle.add(peer->key(), done[done.size() / 2] * 1e6);
          late.add(peer->key(), done[done.size() * 99 / 100] * 1e6);
        }
      }
      Row row{.name = "latency",
              .group = "latency",
              .label = std::to_string(count) + " in flight",
              .size = 0,
              .measure = "median",
              .unit = "us",
              .more_is_better = false,
              .figures = {}};
      add_row(row, middle);
      row.measure = "99th percentile";
      add_row(row, late);
    }
  }

  std::vector<Peer*> able_to(const Shape& shape, const std::string& name) {
    std::vector<Peer*> able;
    for (const auto& peer : peers_) {
      if (peer->key() == "lockstep-botan") continue;  // AEADs hardly matter here
      if (prepare(*peer, shape, name)) able.push_back(peer.get());
    }
    return able;
  }

  Peer& timed_peer() {
    if (!timed_peer_) timed_peer_ = make_timed_lockstep_peer();
    return *timed_peer_;
  }

  void measure_all_own_costs() {
    for (const Handshake& handshake : kHandshakes) {
      const std::string name = "own-cost-" + std::string(handshake.word);
      if (!wants(name) || (options_.quick && slow(handshake))) continue;
      progress_.begin("own cost", std::string(handshake.label));
      if (!prepare(timed_peer(), handshake.shape, name)) continue;
      Samples client;
      Samples server;
      for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
        const Sides cost = measure_own_cost(timed_peer(), slice());
        client.add(Results::kOurs, cost.first * 1e6);
        server.add(Results::kOurs, cost.second * 1e6);
      }
      add_sides("own-cost", handshake, false, client, server);
    }
  }

  /// Every part of the plainest handshake. The clock is read around each call of the provider, so that the sum is a
  /// little more than the handshake itself takes.
  void measure_parts() {
    if (!wants("parts")) return;
    progress_.begin("parts", "X25519, P-256");
    if (!prepare(timed_peer(), {}, "parts")) return;
    time_every_part(true);
    std::array<Samples, kParts + 1> client;
    std::array<Samples, kParts + 1> server;
    for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
      for (std::size_t part = 0; part <= kParts; ++part) {
        const Sides cost = part < kParts ? measure_part(timed_peer(), static_cast<Part>(part), slice())
                                         : measure_rest(timed_peer(), slice());
        client[part].add(Results::kOurs, cost.first * 1e6);
        server[part].add(Results::kOurs, cost.second * 1e6);
      }
    }
    time_every_part(false);
    for (std::size_t part = 0; part <= kParts; ++part) {
      Row row{.name = "parts",
              .group = "parts",
              .label = part < kParts ? std::string(bench::name(static_cast<Part>(part))) : "the engine itself",
              .size = 0,
              .measure = "client",
              .unit = "us",
              .more_is_better = false,
              .figures = {}};
      add_row(row, client[part]);
      row.measure = "server";
      add_row(row, server[part]);
    }
  }

  /// Seconds of one call, by as many as fit a slice.
  template <class Work>
  double seconds_of(Work work) {
    std::vector<double> times;
    const double end = seconds_now() + options_.effort.slice_seconds;
    while (times.size() < 3 || seconds_now() < end) {
      const double start = seconds_now();
      work();
      times.push_back(seconds_now() - start);
    }
    return median(std::move(times));
  }

  void measure_key_schedules() {
    for (const Suite& suite : std::span(kSuites).first(2)) {
      const std::string name = "key-schedule-" + std::string(suite.word);
      if (!wants(name)) continue;
      progress_.begin("key schedule", std::string(suite.label));
      Samples samples;
      for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
        samples.add(Results::kOurs, 1e6 * seconds_of([&] { run_key_schedule(suite.suite); }));
        if (make_openssl_peer() == nullptr) continue;
        samples.add(Results::kReference, 1e6 * seconds_of([&] { run_openssl_key_schedule(suite.suite); }));
      }
      add_row({.name = name,
               .group = "key-schedule",
               .label = std::string(suite.label),
               .size = 0,
               .measure = "both directions",
               .unit = "us",
               .more_is_better = false,
               .figures = {}},
              samples);
    }
  }

  void measure_kernels() {
    for (const kernels::Aead& aead : kernels::available()) {
      for (const std::size_t size : {std::size_t{256}, std::size_t{16384}}) measure_kernel(aead, size);
    }
  }

  void measure_kernel(const kernels::Aead& aead, std::size_t size) {
    const std::string name = "kernels-" + std::string(aead.name) + "-" + kernels::name(aead.instruction_set);
    if (!wants(name)) return;
    progress_.begin("kernels", std::string(aead.name) + " " + kernels::name(aead.instruction_set));
    const std::vector<std::uint8_t> plaintext(size, 0x61);
    std::vector<std::uint8_t> sealed(size + kernels::kTagSize);
    const std::vector<std::uint8_t> key(aead.key_size, 0x5a);
    const std::array<std::uint8_t, kernels::kNonceSize> nonce{};
    const std::array<std::uint8_t, 5> header{};
    alignas(64) std::array<std::byte, kernels::kMaxContextSize> context{};
    aead.init(context.data(), key.data());
    const std::span<const std::uint8_t> segments[] = {plaintext};
    const SealJob job{
        .nonce = nonce.data(), .aad = header, .source = segments, .tail = {}, .destination = sealed.data()};
    const std::size_t times = std::max<std::size_t>(1, 65536 / size);
    Samples samples;
    for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
      const double ghz = measure_gigahertz();
      const double each = seconds_of([&] {
                            for (std::size_t i = 0; i < times; ++i) aead.seal(context.data(), {&job, 1});
                          }) /
                          static_cast<double>(times);
      samples.add(Results::kOurs, each * 1e9 * ghz / static_cast<double>(size));
    }
    aead.destroy(context.data());
    add_row({.name = name,
             .group = "kernels",
             .label = std::string(aead.name),
             .size = size,
             .measure = kernels::name(aead.instruction_set),
             .unit = "cycles/byte",
             .more_is_better = false,
             .figures = {}},
            samples);
  }

  void measure_all_operations() {
    for (const std::string& algorithm : operation_names()) {
      if (wants("operations-" + algorithm)) measure_operations(algorithm);
    }
  }

  void measure_operations(const std::string& algorithm) {
    const std::string name = "operations-" + algorithm;
    progress_.begin("operations", algorithm);
    // One operation after the other, all providers in turns.
    std::vector<std::pair<std::string, std::vector<Operation>>> all;
    std::vector<NamedProvider> providers = lockstep_providers();
    if (algorithm.starts_with("MLKEM")) std::ranges::move(library_providers(), std::back_inserter(providers));
    for (const NamedProvider& each : providers) {
      if (auto made = operations(each.provider, algorithm); !made.empty()) all.emplace_back(each.key, std::move(made));
    }
    for (std::size_t i = 0; !all.empty() && i < all.front().second.size(); ++i) {
      Samples samples;
      for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
        for (const auto& [key, made] : all) samples.add(key, 1e6 * seconds_of(made[i].run));
      }
      add_row({.name = name,
               .group = "operations",
               .label = algorithm,
               .size = 0,
               .measure = all.front().second[i].what,
               .unit = "us",
               .more_is_better = false,
               .figures = {}},
              samples);
    }
  }

  void measure_chains() {
    const std::string name = "chains-p256";
    if (!wants(name)) return;
    progress_.begin("chains", "P-256");
    for (const auto& [help, measure] :
         {std::pair(Help::none, "every signature"), std::pair(Help::prepared, "anchor's key prepared"),
          std::pair(Help::remembered, "signatures known"), std::pair(Help::one_call, "with the proof of the key"),
          std::pair(Help::together, "eight with their proofs, each")}) {
      const std::vector<Judge> all = judges(certificates(KeyType::ec_p256), help);
      constexpr std::size_t kTimes = 16;  // chains
      Samples samples;
      for (const Judge& judge : all) judge.run();
      for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
        for (const auto& [key, run, chains] : all) {
          const std::size_t times = kTimes / chains;
          samples.add(key, 1e6 / static_cast<double>(times * chains) * seconds_of([&] {
                             for (std::size_t i = 0; i < times; ++i) run();
                           }));
        }
      }
      add_row({.name = name,
               .group = "chains",
               .label = "leaf, intermediate, root; P-256",
               .size = 0,
               .measure = measure,
               .unit = "us",
               .more_is_better = false,
               .figures = {}},
              samples);
    }
  }

  void measure_all_batches() {
    const std::vector<NamedProvider> providers = batching_providers();
    for (const std::string& algorithm : batch_names()) {
      if (!providers.empty() && wants("batches-" + algorithm)) measure_batches(algorithm, providers);
    }
  }

  /// Microseconds of each of several operations in one call.
  void measure_batches(const std::string& algorithm, const std::vector<NamedProvider>& providers) {
    progress_.begin("batches", algorithm);
    for (const std::size_t count : kBatches) {
      std::vector<std::vector<Operation>> made;
      for (const NamedProvider& each : providers) made.push_back(batches(each.provider, algorithm, count));
      for (std::size_t i = 0; i < made.front().size(); ++i) {
        Samples samples;
        for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
          for (std::size_t subject = 0; subject < providers.size(); ++subject)
            samples.add(providers[subject].key, 1e6 * seconds_of(made[subject][i].run) / static_cast<double>(count));
        }
        add_row({.name = "batches-" + algorithm,
                 .group = "batches",
                 .label = algorithm,
                 .size = 0,
                 .measure = made.front()[i].what + ", " + std::to_string(count) + " in a call",
                 .unit = "us",
                 .more_is_better = false,
                 .figures = {}},
                samples);
      }
    }
  }

  void measure_all_waking() {
    for (const kernels::Aead& aead : kernels::available()) measure_waking(aead);
  }

  /// What a record costs more when its connection was idle: the key is expanded in a slot whose old key is wiped.
  void measure_waking(const kernels::Aead& aead) {
    const std::string name = "waking-" + std::string(aead.name) + "-" + kernels::name(aead.instruction_set);
    if (!wants(name)) return;
    progress_.begin("waking", std::string(aead.name) + " " + kernels::name(aead.instruction_set));
    const std::vector<std::uint8_t> key(aead.key_size, 0x5a);
    alignas(64) std::array<std::byte, kernels::kMaxContextSize> context{};
    constexpr std::size_t kTimes = 100;
    Samples samples;
    for (std::size_t round = 0; round < options_.effort.rounds; ++round) {
      const double each = seconds_of([&] {
                            for (std::size_t i = 0; i < kTimes; ++i) {
                              aead.init(context.data(), key.data());
                              aead.destroy(context.data());
                            }
                          }) /
                          kTimes;
      samples.add(Results::kOurs, each * 1e6);
    }
    add_row({.name = name,
             .group = "waking",
             .label = std::string(aead.name),
             .size = 0,
             .measure = kernels::name(aead.instruction_set),
             .unit = "us",
             .more_is_better = false,
             .figures = {}},
            samples);
  }

  const Options& options_;
  Progress progress_;
  Results results_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::unique_ptr<Peer> timed_peer_;
  std::map<KeyType, Certificates> certificates_;
};

}  // namespace

Results run(const Options& options) { return Bench(options).run(); }

std::vector<Row> run_memory(const Options& options) { return Bench(options).run_memory(); }

std::vector<std::string> case_names(bool quick) {
  std::vector<std::string> names;
  for (const Suite& suite : kSuites) {
    for (const std::size_t size : sizes(quick)) names.push_back(record_case(suite, size));
  }
  for (const char* group : {"handshakes-", "own-cost-"}) {
    for (const Handshake& handshake : kHandshakes) {
      if (!quick || !slow(handshake)) names.push_back(group + std::string(handshake.word));
    }
  }
  for (const Handshake& handshake : kTogether) {
    if (!quick || !slow(handshake)) names.push_back("together-" + std::string(handshake.word));
  }
  names.emplace_back("latency");
  names.emplace_back("parts");
  for (const std::string& algorithm : operation_names()) names.push_back("operations-" + algorithm);
  names.emplace_back("chains-p256");
  for (const std::string& algorithm : batch_names()) names.push_back("batches-" + algorithm);
  for (const Suite& suite : std::span(kSuites).first(2)) names.push_back("key-schedule-" + std::string(suite.word));
  for (const kernels::Aead& aead : kernels::available())
    names.push_back("kernels-" + std::string(aead.name) + "-" + kernels::name(aead.instruction_set));
  for (const kernels::Aead& aead : kernels::available())
    names.push_back("waking-" + std::string(aead.name) + "-" + kernels::name(aead.instruction_set));
  names.emplace_back("memory");
  return names;
}

}  // namespace lockstep::bench
