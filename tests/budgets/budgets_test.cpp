// What the engine allocates, and what a connection holds: counted, printed and bounded. What the provider allocates
// behind its descriptors is its own affair and not counted.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

#include <lockstep/key_cache.hpp>

#include "counted_memory.hpp"
#include "pair/pair.hpp"

namespace lockstep::testing {
namespace {

// Descriptors that call the provider's uncounted. A descriptor is plain functions, so each wrapper is a template of the
// place of the one that it wraps.
constexpr std::size_t kMost = 64;

template <class Descriptor>
std::array<const Descriptor*, kMost> wrapped{};

template <std::size_t place>
Aead silent(const Aead& from) {
  Aead aead = from;
  aead.init = [](void* context, Bytes key) noexcept {
    const Watching off(false);
    return wrapped<Aead>[place] -> init(context, key);
  };
  aead.seal = [](void* context, std::span<const SealJob> jobs) noexcept {
    const Watching off(false);
    return wrapped<Aead>[place] -> seal(context, jobs);
  };
  aead.open = [](void* context, std::span<OpenJob> jobs) noexcept {
    const Watching off(false);
    return wrapped<Aead>[place] -> open(context, jobs);
  };
  return aead;
}

template <std::size_t place>
Hash silent(const Hash& from) {
  Hash hash = from;
  hash.init = [](void* context) noexcept {
    const Watching off(false);
    return wrapped<Hash>[place] -> init(context);
  };
  hash.update = [](void* context, Bytes data) noexcept {
    const Watching off(false);
    wrapped<Hash>[place] -> update(context, data);
  };
  hash.digest = [](const void* context, MutableBytes out) noexcept {
    const Watching off(false);
    return wrapped<Hash>[place] -> digest(context, out);
  };
  hash.hmac = [](Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    const Watching off(false);
    return wrapped<Hash>[place] -> hmac(key, segments, out);
  };
  hash.expand = [](std::span<const ExpandJob> jobs) noexcept {
    const Watching off(false);
    return wrapped<Hash>[place] -> expand(jobs);
  };
  return hash;
}

template <std::size_t place>
Group silent(const Group& from) {
  Group group = from;
  group.generate = [](void* context, RandomSource& random, MutableBytes share) noexcept {
    const Watching off(false);
    return wrapped<Group>[place] -> generate(context, random, share);
  };
  group.encapsulate = [](Bytes client_share, RandomSource& random, MutableBytes server_share,
                         MutableBytes secret) noexcept {
    const Watching off(false);
    return wrapped<Group>[place] -> encapsulate(client_share, random, server_share, secret);
  };
  group.decapsulate = [](void* context, Bytes server_share, MutableBytes secret) noexcept {
    const Watching off(false);
    return wrapped<Group>[place] -> decapsulate(context, server_share, secret);
  };
  return group;
}

template <std::size_t place>
SignatureVerifier silent(const SignatureVerifier& from) {
  SignatureVerifier verifier = from;
  verifier.verify = [](Bytes key, Bytes message, Bytes signature) noexcept {
    const Watching off(false);
    return wrapped<SignatureVerifier>[place] -> verify(key, message, signature);
  };
  return verifier;
}

template <class Descriptor, std::size_t... places>
void silence(std::vector<const Descriptor*>& list, std::index_sequence<places...> /*places*/) {
  static std::array<Descriptor, kMost> copies{};
  ASSERT_LE(list.size(), kMost);
  std::ranges::copy(list, wrapped<Descriptor>.begin());
  ((places < list.size() ? static_cast<void>(copies[places] = silent<places>(*list[places])) : void()), ...);
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = &copies[i];
}

const Provider& silent_provider() {
  static const Provider made = [] {
    Provider copy = provider();
    constexpr auto places = std::make_index_sequence<kMost>();
    silence(copy.aeads, places);
    silence(copy.hashes, places);
    silence(copy.groups, places);
    silence(copy.verifiers, places);
    return copy;
  }();
  return made;
}

// One side, with its allocations.
struct Counted {
  std::optional<Connection> connection;
  std::size_t allocations = 0;

  template <class Work>
  auto count(Work work) {
    const std::size_t before = memory.requests;
    const Watching on;
    auto result = work();
    allocations += memory.requests - before;
    return result;
  }
};

class Budgets : public ::testing::Test {
 protected:
  void connect(ClientConfigBuilder client_config, ServerConfigBuilder server_config, MutableBytes client_memory = {},
               MutableBytes server_memory = {}) {
    const auto client_built = built(client_config);
    const auto server_built = built(server_config);
    x509::PeerName name = x509::PeerName::dns("example.com").value();
    client.count([&] {
      client.connection.emplace(
          Connection::client(client_built, {std::move(name), {}}, client_random_, kNow, client_memory));
      return 0;
    });
    server.count([&] {
      server.connection.emplace(Connection::server(server_built, server_random_, server_memory));
      return 0;
    });
    std::vector<std::uint8_t> to_server;
    std::vector<std::uint8_t> to_client;
    bool client_complete = false;
    bool server_complete = false;
    for (int turn = 0; turn < 10; ++turn) {
      move(client, to_server, to_client, client_complete);
      move(server, to_client, to_server, server_complete);
    }
    ASSERT_TRUE(client_complete);
    ASSERT_TRUE(server_complete);
  }

  void move(Counted& side, std::vector<std::uint8_t>& out, std::vector<std::uint8_t>& in, bool& complete) {
    std::array<std::uint8_t, 20'000> buffer{};
    for (;;) {
      const std::size_t size = side.count([&] { return side.connection->transmit(buffer, kNow); });
      if (size == 0) break;
      out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    }
    for (;;) {
      auto [consumed, event] = side.count([&] { return side.connection->receive(in, kNow); });
      if (auto* select = std::get_if<SelectCredential>(&event)) {
        side.count([&] { return side.connection->answer(std::move(select->token), credential_); });
      } else if (auto* sign = std::get_if<Sign>(&event)) {
        std::array<std::uint8_t, kMaxSignatureSize> signature{};
        const std::size_t size = credential_->key->sign(sign->scheme, sign->message, server_random_, signature);
        side.count([&] { return side.connection->answer(std::move(sign->token), Bytes(signature).first(size)); });
      } else if (auto* verify = std::get_if<VerifyPeer>(&event)) {
        side.count([&] { return side.connection->answer(std::move(verify->token), PeerAccepted{}); });
      } else if (auto* seal = std::get_if<SealTicket>(&event)) {
        side.count([&] { return side.connection->answer(std::move(seal->token), as_bytes("a ticket")); });
      } else if (std::holds_alternative<HandshakeComplete>(event)) {
        complete = true;
      }
      const bool nothing = std::holds_alternative<Nothing>(event);
      in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (nothing && consumed == 0) return;
    }
  }

  /// Before what they use.
  void end() {
    client.connection.reset();
    server.connection.reset();
  }

  Counted client;
  Counted server;
  std::shared_ptr<const Credential> credential_ = credential_of(KeyType::ec_p256);

 private:
  FixedRandom client_random_{1};
  FixedRandom server_random_{2};
};

constexpr auto kTls12 = ProtocolVersion::tls_1_2;

ClientConfigBuilder counted_client() { return ConfigBuilder::client(silent_provider()); }
ServerConfigBuilder counted_server() { return ConfigBuilder::server(silent_provider()); }

TEST_F(Budgets, AHandshakeAllocatesLittle) {
  connect(counted_client(), counted_server());
  std::printf("allocations per handshake without supplied memory: client %zu, server %zu (2 tickets)\n",
              client.allocations, server.allocations);
  EXPECT_LE(client.allocations, 40U);
  EXPECT_LE(server.allocations, 40U);
}

TEST_F(Budgets, AHandshakeInSuppliedMemoryAllocatesLess) {
  std::vector<std::uint8_t> client_memory(Connection::kHandshakeMemory);
  std::vector<std::uint8_t> server_memory(Connection::kHandshakeMemory);
  connect(counted_client().resumption(false), counted_server().tickets(0), client_memory, server_memory);
  std::printf("allocations per handshake in supplied memory, without tickets: client %zu, server %zu\n",
              client.allocations, server.allocations);
  EXPECT_LE(client.allocations, 4U);
  EXPECT_LE(server.allocations, 4U);
}

// TLS 1.2 takes no more.
TEST_F(Budgets, AHandshakeOfTls12AllocatesLittle) {
  connect(counted_client().versions(kTls12, kTls12), counted_server().versions(kTls12, kTls12));
  EXPECT_EQ(client.connection->version(), kTls12);
  std::printf("allocations per handshake of TLS 1.2 without supplied memory: client %zu, server %zu (1 ticket)\n",
              client.allocations, server.allocations);
  EXPECT_LE(client.allocations, 40U);
  EXPECT_LE(server.allocations, 40U);
}

TEST_F(Budgets, AHandshakeOfTls12InSuppliedMemoryAllocatesLess) {
  std::vector<std::uint8_t> client_memory(Connection::kHandshakeMemory);
  std::vector<std::uint8_t> server_memory(Connection::kHandshakeMemory);
  connect(counted_client().versions(kTls12, kTls12).resumption(false),
          counted_server().versions(kTls12, kTls12).tickets(0), client_memory, server_memory);
  std::printf("allocations per handshake of TLS 1.2 in supplied memory, without tickets: client %zu, server %zu\n",
              client.allocations, server.allocations);
  EXPECT_LE(client.allocations, 4U);
  EXPECT_LE(server.allocations, 4U);
}

// Whoever connects and says nothing costs the connection's own size.
TEST_F(Budgets, AServerTakesNothingForAClientThatSaysNothing) {
  const auto config = built(counted_server());
  FixedRandom random(3);
  server.count([&] {
    server.connection.emplace(Connection::server(config, random));
    return 0;
  });
  std::vector<std::uint8_t> nothing;
  server.count([&] { return server.connection->receive(nothing, kNow).consumed; });
  EXPECT_EQ(server.allocations, 0U);
  // Neither do four bytes of a record.
  std::vector<std::uint8_t> begun{22, 3, 1, 0};
  server.count([&] { return server.connection->receive(begun, kNow).consumed; });
  EXPECT_EQ(server.allocations, 0U);
}

// What a header announces is not there yet.
TEST_F(Budgets, MemoryGrowsWithWhatArrivedAndNotWithWhatWasAnnounced) {
  constexpr std::size_t kArrived = 4097;
  const auto config = built(counted_server());
  FixedRandom random(3);
  std::vector<std::uint8_t> record(5 + kArrived, 0);
  record[0] = 22;
  record[1] = record[2] = 3;
  record[3] = kArrived >> 8U;
  record[4] = kArrived & 0xffU;
  record[5] = 1;  // a ClientHello of 131,072 bytes
  record[6] = 2;
  const auto before = memory.bytes;
  server.count([&] {
    server.connection.emplace(Connection::server(config, random));
    return server.connection->receive(record, kNow).consumed;
  });
  ASSERT_EQ(server.connection->error(), nullptr) << to_text(*server.connection->error());
  const auto held = static_cast<std::size_t>(memory.bytes - before);
  std::printf("%zu bytes of a message that announces 131,072: %zu bytes held\n", kArrived, held);
  EXPECT_LE(held, Connection::kHandshakeMemory + 2 * kArrived);
}

TEST_F(Budgets, RecordsAllocateNothing) {
  connect(counted_client(), counted_server().tickets(0));
  KeyCache keys(2);
  server.connection->use(&keys);  // the client has none
  std::vector<std::uint8_t> wire(40'000);
  for (const std::size_t size : {1U, 100U, 1350U, 16'384U, 30'000U}) {
    const std::vector<std::uint8_t> plaintext(size, 0x61);
    const Bytes view = plaintext;
    client.allocations = server.allocations = 0;
    for (int round = 0; round < 20; ++round) {
      const auto sealed =
          client.count([&] { return client.connection->seal(std::span(&view, 1), wire, kNow).value(); });
      ASSERT_EQ(sealed.consumed, size);
      std::size_t received = 0;
      for (std::size_t done = 0; done < sealed.written;) {
        const auto result = server.count(
            [&] { return server.connection->receive(MutableBytes(wire).first(sealed.written).subspan(done), kNow); });
        ASSERT_NE(result.consumed, 0U);
        done += result.consumed;
        received += std::get<ApplicationData>(result.event).size();
      }
      ASSERT_EQ(received, size);
    }
    EXPECT_EQ(client.allocations, 0U) << size;
    EXPECT_EQ(server.allocations, 0U) << size;
  }
  end();
}

TEST_F(Budgets, AKeyUpdateAllocatesNothing) {
  connect(counted_client(), counted_server().tickets(0));
  KeyCache keys(4);
  server.connection->use(&keys);
  std::array<std::uint8_t, 1000> wire{};
  client.allocations = server.allocations = 0;
  const auto deliver = [&](Counted& from, Counted& to) {
    const std::size_t size = from.count([&] { return from.connection->transmit(wire, kNow); });
    ASSERT_NE(size, 0U);
    const auto [consumed, event] =
        to.count([&] { return to.connection->receive(MutableBytes(wire).first(size), kNow); });
    EXPECT_EQ(consumed, size);
    EXPECT_TRUE(std::holds_alternative<PeerKeyUpdated>(event));
  };
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(client.connection->update_keys(true));
    deliver(client, server);
    deliver(server, client);
  }
  EXPECT_EQ(client.allocations, 0U);
  EXPECT_EQ(server.allocations, 0U);
  end();
}

class IdleBudgets : public Budgets, public ::testing::WithParamInterface<CipherSuite> {};
INSTANTIATE_TEST_SUITE_P(Suites, IdleBudgets,
                         ::testing::Values(CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384,
                                           CipherSuite::tls_chacha20_poly1305_sha256,
                                           CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256,
                                           CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384,
                                           CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256));

TEST_P(IdleBudgets, AnIdleConnectionIsItsOwnSize) {
  KeyCache keys(4);
  const std::ptrdiff_t before = memory.bytes;
  connect(counted_client().resumption(false).suites({GetParam()}), counted_server().tickets(0).suites({GetParam()}));
  client.connection->use(&keys);
  server.connection->use(&keys);
  static_cast<void>(server.connection->reclaim());
  static_cast<void>(client.connection->reclaim());
  std::array<std::uint8_t, 1000> wire{};
  const Bytes text = as_bytes("data");
  const auto sealed = client.count([&] { return client.connection->seal({&text, 1}, wire, kNow).value(); });
  const auto received =
      server.count([&] { return server.connection->receive(MutableBytes(wire).first(sealed.written), kNow); });
  EXPECT_EQ(received.consumed, sealed.written);
  const auto heap = memory.bytes - before;
  std::printf("an idle connection with %s: %zu bytes, both keys included, and %td of heap\n",
              to_text(GetParam()).c_str(), sizeof(Connection), heap / 2);
  EXPECT_EQ(heap, 0) << "bytes of heap held by two connected, idle connections";
  // An adapter's own memory, and an allocator's for the object, come on top.
  EXPECT_LE(sizeof(Connection), 704U);
  end();
}

TEST(KeyCacheBudget, ACacheAllocatesOnceAndConnectionsNothing) {
  const std::size_t allocations = memory.requests;
  const std::ptrdiff_t bytes = memory.bytes;
  {
    const Watching on;
    const KeyCache keys(64);
    EXPECT_EQ(memory.requests, allocations + 1);
    EXPECT_LE(memory.bytes - bytes, static_cast<std::ptrdiff_t>((64 + 1) * KeyCache::kKeySize));
  }
  EXPECT_EQ(memory.bytes, bytes);
}

}  // namespace
}  // namespace lockstep::testing
