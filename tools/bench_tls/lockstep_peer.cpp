// Our engine, driven the way an adapter drives it: memory for handshakes from a pool, decisions answered in place.

#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include <lockstep/answers.hpp>
#ifdef LOCKSTEP_BENCH_BEST
#include <lockstep/best.hpp>
#endif
#include <lockstep/botan.hpp>
#include <lockstep/collector.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/key_cache.hpp>
#include <lockstep/version.hpp>
#include <lockstep/x509_pem.hpp>
#ifdef LOCKSTEP_BENCH_LIBCRYPTO
#include <lockstep/libcrypto.hpp>
#endif
#ifdef LOCKSTEP_BENCH_MULTIBUFFER
#include <lockstep/multibuffer.hpp>
#endif
#ifdef LOCKSTEP_BENCH_SODIUM
#include <lockstep/sodium.hpp>
#endif

#include "operations.hpp"
#include "peer.hpp"
#include "spent.hpp"

namespace lockstep::bench {
namespace {

/// Blocks for handshakes, used again and again.
class Pool {
 public:
  [[nodiscard]] MutableBytes take() {
    if (free_.empty()) {
      blocks_.push_back(std::make_unique<Block>());
      free_.reserve(blocks_.size());
      return *blocks_.back();
    }
    const MutableBytes block = free_.back();
    free_.pop_back();
    return block;
  }
  void give(MutableBytes block) noexcept { free_.push_back(block); }

 private:
  using Block = std::array<std::uint8_t, Connection::kHandshakeMemory>;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<MutableBytes> free_;
};

/// What the connections of one side share.
template <class ConfigType>
struct Side {
  std::shared_ptr<const ConfigType> config;
  std::shared_ptr<const AnswerSetup> answers;
};

struct Shared {
  RandomSource* random = nullptr;
  Time now{};
  bool resume = false;
  bool together = false;
  Pool pool;
  KeyCache keys{64};
  Side<ClientConfig> client;
  Side<ServerConfig> server;
  std::optional<x509::PeerName> name;
  std::vector<Session> sessions;  // the newest alone
  Collector collector;
};

class LockstepEnd final : public End {
 public:
  LockstepEnd(Shared& shared, Role role)
      : shared_(shared),
        memory_(shared.pool.take()),
        connection_(role == Role::client
                        ? Connection::client(shared.client.config, {.name = *shared.name, .sessions = shared.sessions},
                                             *shared.random, shared.now, memory_)
                        : Connection::server(shared.server.config, *shared.random, memory_)),
        answers_(std::make_unique<Answers>(role == Role::client ? shared.client.answers : shared.server.answers,
                                           *shared.random)) {
    connection_->use(&shared.keys);
    if (role == Role::client) shared.sessions.clear();
  }
  ~LockstepEnd() override {
    shared_.collector.forget(this);
    connection_.reset();
    if (!memory_.empty()) shared_.pool.give(memory_);
  }

  void advance(MutableBytes in, Wire& out) override {
    wire_ = &out;
    for (;;) {
      auto [consumed, event] = connection_->receive(in, shared_.now);
      in = in.subspan(consumed);
      if (std::holds_alternative<Nothing>(event)) break;
      treat(event);
    }
    // Nobody writes to the wire that they lie on before this side's turn is over.
    rest_ = in;
    if (!in.empty() && !connection_->awaiting_answer()) throw std::runtime_error("lockstep left bytes on the wire");
    while (const std::size_t size = connection_->transmit(out.room(), shared_.now)) out.commit(size);
    if (memory_.empty() || !connection_->connected()) return;
    if (const MutableBytes block = connection_->reclaim(); !block.empty()) {
      shared_.pool.give(block);
      memory_ = {};
      answers_.reset();
    }
  }

  /// Something that was asked for has been answered.
  void go_on() { advance(rest_, *wire_); }

  [[nodiscard]] bool connected() const override { return connection_->connected(); }
  [[nodiscard]] bool resumed() const override { return connection_->resumed(); }

  void send(Bytes plaintext, Wire& out) override {
    const auto sealed = connection_->seal(std::span(&plaintext, 1), out.room(), shared_.now);
    if (!sealed || sealed->consumed != plaintext.size()) throw std::runtime_error("lockstep did not seal all");
    out.commit(sealed->written);
  }

  std::size_t receive(MutableBytes in) override {
    std::size_t got = 0;
    while (!in.empty()) {
      auto [consumed, event] = connection_->receive(in, shared_.now);
      const auto* data = std::get_if<ApplicationData>(&event);
      if (data == nullptr) throw std::runtime_error("lockstep did not open all");
      got += data->size();
      in = in.subspan(consumed);
    }
    return got;
  }

 private:
  void treat(Event& event) {
    if (auto* session = std::get_if<SessionReceived>(&event)) {
      if (!shared_.resume) return;
      shared_.sessions.clear();
      shared_.sessions.push_back(std::move(session->session));
      return;
    }
    if (const auto* failed = std::get_if<Failed>(&event))
      throw std::runtime_error("lockstep: " + to_text(failed->error));
    if (!answers_) return;
    if (shared_.together && shared_.collector.take(this, *connection_, event, *shared_.random, answers_.get())) return;
    if (std::holds_alternative<VerifyPeer>(event)) {
      const Timed timer(Part::certificates);
      (void)answers_->answer(*connection_, event);
      return;
    }
    (void)answers_->answer(*connection_, event);
  }

  Shared& shared_;
  MutableBytes memory_;  // until it is handed back
  std::optional<Connection> connection_;
  std::unique_ptr<Answers> answers_;  // until the handshake is over
  Wire* wire_ = nullptr;
  MutableBytes rest_;
};

template <class T, class Error>
T built(std::expected<T, Error> result) {
  if (result) return std::move(*result);
  std::string text = "lockstep:";
  for (const ConfigProblem& problem : result.error()) text += " " + problem.setting + ": " + problem.text;
  throw std::runtime_error(text);
}

class LockstepPeer final : public Peer {
 public:
  struct Traits {
    std::string title;
    std::string key;
    bool timed = false;
  };
  LockstepPeer(Traits traits, const Provider& provider)
      : traits_(std::move(traits)), provider_(provider), random_(timed(botan::system_random())) {}

  [[nodiscard]] std::string title() const override { return traits_.title; }
  [[nodiscard]] std::string key() const override { return traits_.key; }

  bool prepare(const Shape& shape, const Certificates& certificates) override {
    if (!provider_.supports(shape.suite) || !provider_.supports(shape.group) ||
        provider_.key_loader(shape.key) == nullptr) {
      return false;
    }
    shared_ = std::make_unique<Shared>();
    shared_->random = traits_.timed ? random_.get() : &botan::system_random();
    shared_->now = std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
    shared_->resume = shape.resume;
    shared_->together = shape.together;
    shared_->name = x509::PeerName::dns(kServerName).value();

    const auto ticket_keys =
        shape.resume ? TicketKeyring::create(provider_, botan::system_random()) : std::shared_ptr<TicketKeyring>();
    const auto anchors = std::make_shared<x509::TrustAnchors>();
    anchors->add(certificates.root).value();
    const auto answers = [&](const Chain* chain, bool verifies) {
      AnswerOptions options{.provider = provider_, .ticket_keys = ticket_keys, .keep_peer_chain = false};
      // Other libraries verify every signature of every chain; what it is worth not to is a case of its own (chains),
      // and stays on where the product is shown as it serves many connections.
      if (!shape.together) options.verified_links = nullptr;
      if (chain != nullptr) options.credentials.push_back(credential(*chain));
      if (verifies) options.anchors = anchors;
      return built(AnswerSetup::create(std::move(options)));
    };
    shared_->client.answers = answers(shape.mutual ? &certificates.client : nullptr, true);
    shared_->server.answers = answers(&certificates.server, shape.mutual);
    // In TLS 1.2 the curve of a certificate's key is among the groups.
    std::vector<NamedGroup> groups{shape.group};
    if (shape.tls12()) groups.push_back(NamedGroup::secp256r1);
    shared_->client.config = built(ConfigBuilder::client(provider_)
                                       .suites({shape.suite})
                                       .groups(groups)
                                       .key_shares({shape.group})
                                       .resumption(shape.resume)
                                       .hand_out_computations(shape.together)
                                       .build());
    shared_->server.config = built(ConfigBuilder::server(provider_)
                                       .suites({shape.suite})
                                       .groups({shape.group})
                                       .client_auth(shape.mutual ? ClientAuth::require : ClientAuth::none)
                                       .resumption(shape.resume)
                                       .tickets(shape.resume ? 1 : 0)
                                       .hand_out_computations(shape.together)
                                       .build());
    return true;
  }

  [[nodiscard]] std::unique_ptr<End> client() override { return std::make_unique<LockstepEnd>(*shared_, Role::client); }
  [[nodiscard]] std::unique_ptr<End> server() override { return std::make_unique<LockstepEnd>(*shared_, Role::server); }
  void end_turn() override {
    while (!shared_->collector.empty())
      shared_->collector.flush([](void* owner) { static_cast<LockstepEnd*>(owner)->go_on(); });
  }

 private:
  [[nodiscard]] std::shared_ptr<const Credential> credential(const Chain& chain) const {
    auto key = x509::load_private_key(provider_, chain.pkcs8);
    if (!key) throw std::runtime_error("lockstep: " + key.error().text);
    return make_credential({chain.leaf, chain.intermediate}, traits_.timed ? timed(std::move(*key)) : std::move(*key));
  }

  Traits traits_;
  Provider provider_;
  std::unique_ptr<RandomSource> random_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace

std::vector<NamedProvider> lockstep_providers() {
  std::vector<NamedProvider> providers;
  providers.push_back({"Lockstep " LOCKSTEP_VERSION, "lockstep", botan::provider()});
#ifdef LOCKSTEP_BENCH_BEST
  providers.push_back({"Lockstep, best", "lockstep-best", best::provider()});
#endif
#ifdef LOCKSTEP_BENCH_LIBCRYPTO
  providers.push_back({"Lockstep, libcrypto", "lockstep-libcrypto", libcrypto::provider()});
#endif
#ifdef LOCKSTEP_BENCH_MULTIBUFFER
  if (multibuffer::available()) {
    providers.push_back({"Lockstep, crypto_mb", "lockstep-multibuffer",
                         compose("crypto_mb before libcrypto", {multibuffer::provider(), libcrypto::provider()})});
  }
#endif
#ifdef LOCKSTEP_BENCH_SODIUM
  providers.push_back({"Lockstep, libsodium", "lockstep-sodium", sodium::provider()});
#endif
  return providers;
}

std::vector<NamedProvider> batching_providers() {
  std::vector<NamedProvider> pair = lockstep_providers();
  std::erase_if(pair, [](const NamedProvider& each) {
    return each.key != "lockstep-libcrypto" && each.key != "lockstep-multibuffer";
  });
  return pair.size() == 2 ? pair : std::vector<NamedProvider>();
}

std::vector<NamedProvider> ranked_providers() {
  std::vector<NamedProvider> providers;
#ifdef LOCKSTEP_BENCH_LIBCRYPTO
  providers.push_back({"OpenSSL " + std::string(libcrypto::library_version()), "libcrypto", libcrypto::provider()});
#endif
  providers.push_back({"Botan " + std::string(botan::library_version()), "botan", botan::provider()});
#ifdef LOCKSTEP_BENCH_SODIUM
  providers.push_back({"libsodium " + std::string(sodium::library_version()), "sodium", sodium::provider()});
#endif
  const auto ours = [](const auto* descriptor) { return descriptor->implementation.starts_with("kernels "); };
  for (NamedProvider& each : providers) {
    std::erase_if(each.provider.aeads, ours);
    std::erase_if(each.provider.hashes, ours);
    std::erase_if(each.provider.groups, ours);
  }
  return providers;
}

std::vector<NamedProvider> library_providers() {
  std::vector<NamedProvider> providers;
  providers.push_back({"Botan's own", "botan-own", botan::provider({.groups = botan::Choice::own})});
#ifdef LOCKSTEP_BENCH_LIBCRYPTO
  providers.push_back({"libcrypto's own", "libcrypto-own", libcrypto::provider({.groups = libcrypto::Choice::own})});
#endif
  return providers;
}

std::vector<std::unique_ptr<Peer>> make_lockstep_peers() {
  std::vector<std::unique_ptr<Peer>> peers;
  const auto add = [&peers](std::string title, std::string key, const Provider& provider) {
    peers.push_back(std::make_unique<LockstepPeer>(
        LockstepPeer::Traits{.title = std::move(title), .key = std::move(key)}, provider));
  };
  for (const NamedProvider& each : lockstep_providers()) add(each.title, each.key, each.provider);
  add("Lockstep, Botan's AEADs", "lockstep-botan", botan::provider({.aeads = botan::Choice::own}));
  return peers;
}

std::unique_ptr<Peer> make_timed_lockstep_peer() {
  return std::make_unique<LockstepPeer>(
      LockstepPeer::Traits{.title = "Lockstep, timed", .key = "lockstep-timed", .timed = true},
      timed(botan::provider()));
}

}  // namespace lockstep::bench
