#include <algorithm>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>
#include <lockstep/session.hpp>

namespace lockstep {
namespace {

using Octets = std::vector<std::uint8_t>;

/// Counts up, so that no two draws are equal and every run is.
class CountingRandom final : public RandomSource {
 public:
  bool fill(MutableBytes out) noexcept override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next_++ * 167U >> 3U);
    return works;
  }
  bool works = true;

 private:
  unsigned next_ = 1;
};

const Provider& provider() {
  static const Provider botan = botan::provider();
  return botan;
}

TicketKey key(std::uint8_t number) {
  return *TicketKey::from_bytes(Octets(TicketKey::kNameSize + TicketKey::kSecretSize, number));
}

Octets seal(const TicketKeys& keys, Bytes session, RandomSource& random) {
  Octets ticket(TicketKeys::sealed_size(session.size()));
  EXPECT_EQ(keys.seal(session, random, ticket).value(), ticket.size());
  return ticket;
}

/// The session in a ticket, or the error's name.
std::string open(const TicketKeys& keys, Bytes ticket, bool* renew = nullptr) {
  Octets out(TicketKeys::opened_size(ticket.size()));
  const auto opened = keys.open(ticket, out);
  if (!opened) return std::string(name(opened.error()));
  if (renew != nullptr) *renew = opened->renew;
  return std::string(as_text(Bytes(out).first(opened->size)));
}

TEST(TicketKeys, OpenWhatTheySealed) {
  CountingRandom random;
  const auto keys = TicketKeys::create(provider(), key(1));
  ASSERT_TRUE(keys);
  const Octets ticket = seal(*keys, as_bytes("the session"), random);
  bool renew = true;
  EXPECT_EQ(open(*keys, ticket, &renew), "the session");
  EXPECT_FALSE(renew);
  EXPECT_EQ(open(*keys, seal(*keys, {}, random)), "");
  EXPECT_NE(seal(*keys, as_bytes("the session"), random), ticket);
}

TEST(TicketKeys, RefuseEveryChangedByte) {
  CountingRandom random;
  const auto keys = TicketKeys::create(provider(), key(1));
  const Octets ticket = seal(*keys, as_bytes("the session"), random);
  for (std::size_t i = 0; i < ticket.size(); ++i) {
    Octets changed = ticket;
    changed[i] ^= 0x40;
    EXPECT_EQ(open(*keys, changed), i < TicketKey::kNameSize ? "unknown_key" : "invalid") << i;
  }
}

TEST(TicketKeys, RefuseEveryTruncation) {
  CountingRandom random;
  const auto keys = TicketKeys::create(provider(), key(1));
  const Octets ticket = seal(*keys, as_bytes("the session"), random);
  for (std::size_t size = 0; size < ticket.size(); ++size) {
    EXPECT_EQ(open(*keys, Bytes(ticket).first(size)), size < TicketKeys::kOverhead ? "malformed" : "invalid") << size;
  }
}

TEST(TicketKeys, RefuseTheTicketsOfOthers) {
  CountingRandom random;
  const auto ours = TicketKeys::create(provider(), key(1));
  const auto theirs = TicketKeys::create(provider(), key(2));
  EXPECT_EQ(open(*ours, seal(*theirs, as_bytes("x"), random)), "unknown_key");
  // The same name with another secret.
  Octets forged(TicketKey::kNameSize + TicketKey::kSecretSize, 2);
  const TicketKey named = key(1);
  std::ranges::copy(named.name(), forged.begin());
  const auto forger = TicketKeys::create(provider(), *TicketKey::from_bytes(forged));
  EXPECT_EQ(open(*ours, seal(*forger, as_bytes("x"), random)), "invalid");
}

// Whose a ticket is says its name alone, so that nothing is taken for those of others.
TEST(TicketKeys, RecognizeTheirTicketsByName) {
  CountingRandom random;
  const auto ours = TicketKeys::create(provider(), key(1));
  const auto theirs = TicketKeys::create(provider(), key(2));
  Octets ticket = seal(*ours, as_bytes("x"), random);
  EXPECT_TRUE(ours->recognize(ticket));
  EXPECT_EQ(theirs->recognize(ticket).error(), TicketError::unknown_key);
  EXPECT_EQ(ours->recognize(Bytes(ticket).first(TicketKeys::kOverhead - 1)).error(), TicketError::malformed);
  EXPECT_EQ(ours->recognize({}).error(), TicketError::malformed);
  ticket.back() ^= 1U;
  EXPECT_TRUE(ours->recognize(ticket)) << "what it holds is for open to say";
}

TEST(TicketKeys, RotateAndForget) {
  CountingRandom random;
  auto keys = TicketKeys::create(provider(), key(1));
  std::vector<Octets> tickets;
  for (std::uint8_t number = 1; number <= 10; ++number) {
    if (number > 1) {
      ASSERT_TRUE(keys->rotate(key(number)));
    }
    tickets.push_back(seal(*keys, as_bytes("x"), random));
  }
  EXPECT_EQ(keys->size(), TicketKeys::kMaxKeys);
  for (std::size_t i = 0; i < tickets.size(); ++i) {
    bool renew = false;
    EXPECT_EQ(open(*keys, tickets[i], &renew), i < 2 ? "unknown_key" : "x") << i;
    EXPECT_EQ(renew, i >= 2 && i < 9) << i;
  }
}

TEST(TicketKeys, OpenWithThePreviousKeysThatTheyAreGiven) {
  CountingRandom random;
  const auto other = TicketKeys::create(provider(), key(2));
  const Octets ticket = seal(*other, as_bytes("x"), random);
  auto keys = TicketKeys::create(provider(), key(1));
  ASSERT_TRUE(keys->add_previous(key(2)));
  EXPECT_EQ(keys->size(), 2U);
  bool renew = false;
  EXPECT_EQ(open(*keys, ticket, &renew), "x");
  EXPECT_TRUE(renew);
  for (std::uint8_t number = 3; number < 12; ++number) ASSERT_TRUE(keys->add_previous(key(number)));
  EXPECT_EQ(keys->size(), TicketKeys::kMaxKeys);
  EXPECT_EQ(open(*keys, seal(*keys, as_bytes("y"), random)), "y");
}

TEST(TicketKeys, AreReadAndSetAtOnce) {
  CountingRandom random;
  auto keys = TicketKeys::create(provider(), key(1));
  ASSERT_TRUE(keys->add_previous(key(2)));
  ASSERT_EQ(keys->keys().size(), 2U);
  EXPECT_TRUE(equal(keys->keys()[1].secret(), key(2).secret()));
  const Octets ticket = seal(*keys, as_bytes("x"), random);

  std::vector<TicketKey> others;
  for (std::uint8_t number = 3; number < 12; ++number) others.push_back(key(number));
  std::vector<TicketKey> incomplete;
  incomplete.push_back(key(3));
  const TicketKey moved = std::move(incomplete.front());
  EXPECT_EQ(keys->assign(std::move(incomplete)).error(), TicketError::no_secret);
  EXPECT_EQ(open(*keys, ticket), "x") << "what was there stays";
  ASSERT_TRUE(keys->assign(std::move(others)));
  EXPECT_EQ(keys->size(), TicketKeys::kMaxKeys);
  EXPECT_EQ(open(*keys, ticket), "unknown_key");
  ASSERT_TRUE(keys->assign({}));
  EXPECT_EQ(keys->seal(as_bytes("x"), random, {}).error(), TicketError::no_secret);
}

TEST(TicketKeys, CheckTheRoom) {
  CountingRandom random;
  const auto keys = TicketKeys::create(provider(), key(1));
  Octets out(TicketKeys::sealed_size(5));
  EXPECT_EQ(keys->seal(as_bytes("123456"), random, out).error(), TicketError::no_room);
  ASSERT_TRUE(keys->seal(as_bytes("12345"), random, out));
  Octets opened(4);
  EXPECT_EQ(keys->open(out, opened).error(), TicketError::no_room);
}

TEST(TicketKeys, NeedRandomness) {
  CountingRandom random;
  random.works = false;
  EXPECT_FALSE(TicketKey::generate(random));
  const auto keys = TicketKeys::create(provider(), key(1));
  Octets out(200);
  EXPECT_EQ(keys->seal(as_bytes("x"), random, out).error(), TicketError::failed);
}

TEST(TicketKeys, TakeWhatTheProviderHas) {
  CountingRandom random;
  Provider chacha = provider();
  std::erase_if(chacha.aeads, [](const Aead* aead) { return aead->id != AeadAlgorithm::chacha20_poly1305; });
  const auto keys = TicketKeys::create(chacha, key(1));
  ASSERT_TRUE(keys);
  const Octets ticket = seal(*keys, as_bytes("x"), random);
  EXPECT_EQ(open(*keys, ticket), "x");
  // The same key under another AEAD is another key.
  EXPECT_EQ(open(*TicketKeys::create(provider(), key(1)), ticket), "invalid");
  chacha.aeads.clear();
  EXPECT_EQ(TicketKeys::create(chacha, key(1)).error(), TicketError::unsupported);
  Provider hashless = provider();
  hashless.hashes.clear();
  EXPECT_EQ(TicketKeys::create(hashless, key(1)).error(), TicketError::unsupported);
}

static_assert(!std::is_default_constructible_v<TicketKey> && !std::is_copy_constructible_v<TicketKey>);

TEST(TicketKeys, TakeNoKeyWithoutASecret) {
  TicketKey given = key(1);
  auto keys = TicketKeys::create(provider(), std::move(given));
  ASSERT_TRUE(keys);
  EXPECT_TRUE(given.secret().empty());
  EXPECT_EQ(TicketKeys::create(provider(), std::move(given)).error(), TicketError::no_secret);
  EXPECT_EQ(TicketKeys::create(provider(), given.clone()).error(), TicketError::no_secret);
  EXPECT_EQ(TicketKeys::dangerous().allow_insecure_provider(provider(), std::move(given)).error(),
            TicketError::no_secret);
  EXPECT_EQ(keys->rotate(std::move(given)).error(), TicketError::no_secret);
  EXPECT_EQ(keys->add_previous(std::move(given)).error(), TicketError::no_secret);
  EXPECT_EQ(keys->size(), 1U) << "what is refused changes nothing";
  CountingRandom random;
  EXPECT_EQ(open(*keys, seal(*keys, as_bytes("x"), random)), "x");
}

TEST(TicketKeys, ThatWereMovedFromSealAndOpenNothing) {
  CountingRandom random;
  TicketKeys keys = TicketKeys::create(provider(), key(1)).value();
  const TicketKeys taken = std::move(keys);
  const Octets ticket = seal(taken, as_bytes("x"), random);
  Octets out(TicketKeys::sealed_size(1));
  EXPECT_EQ(keys.size(), 0U);
  EXPECT_EQ(keys.seal(as_bytes("x"), random, out).error(), TicketError::no_secret);
  EXPECT_EQ(open(keys, ticket), "unknown_key");
  EXPECT_EQ(keys.add_previous(key(1)).error(), TicketError::no_secret);
  ASSERT_TRUE(keys.rotate(key(1)));
  EXPECT_EQ(open(keys, ticket), "x") << "a key of their own makes them keys again";
}

TEST(TicketKeys, AreOfAnInsecureProviderOnlyBySayingSo) {
  CountingRandom random;
  Aead harmless_aead = *provider().aead(AeadAlgorithm::aes_256_gcm);
  harmless_aead.insecure = true;
  Hash harmless_hash = *provider().hash(HashAlgorithm::sha256);
  harmless_hash.insecure = true;
  for (const Provider& part :
       {Provider{.name = "part", .aeads = {&harmless_aead}}, Provider{.name = "part", .hashes = {&harmless_hash}}}) {
    const Provider composed = compose("composed", {part, provider()});
    EXPECT_EQ(TicketKeys::create(composed, key(1)).error(), TicketError::insecure);
    const auto keys = TicketKeys::dangerous().allow_insecure_provider(composed, key(1));
    ASSERT_TRUE(keys);
    EXPECT_EQ(open(*keys, seal(*keys, as_bytes("x"), random)), "x");
  }
  Group harmless_group = *provider().group(NamedGroup::x25519);
  harmless_group.insecure = true;
  EXPECT_TRUE(TicketKeys::create(
      compose("composed", {Provider{.name = "part", .groups = {&harmless_group}}, provider()}), key(1)))
      << "tickets are not made of it";
}

/// Repeats itself, as after a restart from a copy.
class RepeatingRandom final : public RandomSource {
 public:
  bool fill(MutableBytes out) noexcept override {
    std::ranges::fill(out, std::uint8_t{7});
    return true;
  }
};

TEST(TicketKeys, NeverShareAKeystreamWhateverIsDrawn) {
  RepeatingRandom random;
  const auto keys = TicketKeys::create(provider(), key(1));
  const auto elsewhere = TicketKeys::create(provider(), key(1));
  const Octets one(64, 1);
  const Octets two(64, 2);
  const Octets first = seal(*keys, one, random);
  const Octets second = seal(*elsewhere, two, random);
  constexpr std::size_t kHeader = TicketKeys::kOverhead - 16;
  EXPECT_FALSE(equal(Bytes(first).subspan(TicketKey::kNameSize, 32), Bytes(second).subspan(TicketKey::kNameSize, 32)));
  std::size_t alike = 0;
  for (std::size_t i = 0; i < one.size(); ++i) alike += (first[kHeader + i] ^ second[kHeader + i]) == (1 ^ 2) ? 1U : 0U;
  EXPECT_LT(alike, 8U) << "the difference of two sessions shows";
  EXPECT_EQ(seal(*elsewhere, one, random), first) << "the same session is the same ticket then, and nothing else shows";
  CountingRandom sound;
  EXPECT_NE(seal(*keys, one, sound), seal(*keys, one, sound));
  EXPECT_EQ(open(*keys, second), std::string(64, '\x02'));
}

// docs/session-format.md: whoever opens a ticket takes its seed as it is, so that it may be made otherwise.
TEST(TicketKeys, OpenWhateverSeedATicketHas) {
  const auto keys = TicketKeys::create(provider(), key(1));
  const Hash& hash = *provider().hash(HashAlgorithm::sha256);
  const Aead& aead = *provider().aead(AeadAlgorithm::aes_256_gcm);
  const TicketKey ticket_key = key(1);
  const Octets seed(32, 9);
  const Bytes purpose = as_bytes("lockstep ticket 1");
  Octets info(purpose.begin(), purpose.end());
  info.push_back(static_cast<std::uint8_t>(AeadAlgorithm::aes_256_gcm));
  info.insert(info.end(), seed.begin(), seed.end());
  Octets material(44);
  const ExpandJob expand{.secret = ticket_key.secret(), .info = info, .out = material};
  ASSERT_TRUE(hash.expand({&expand, 1}));
  Octets ticket(ticket_key.name().begin(), ticket_key.name().end());
  ticket.insert(ticket.end(), seed.begin(), seed.end());
  ticket.resize(TicketKeys::sealed_size(5));
  alignas(16) std::array<std::uint8_t, kMaxAeadContextSize> context;
  ASSERT_TRUE(aead.init(context.data(), Bytes(material).first(32)));
  const Bytes session = as_bytes("older");
  const SealJob job{.nonce = material.data() + 32,
                    .aad = Bytes(ticket).first(48),
                    .source = {&session, 1},
                    .tail = {},
                    .destination = ticket.data() + 48};
  ASSERT_TRUE(aead.seal(context.data(), {&job, 1}));
  aead.destroy(context.data());
  EXPECT_EQ(open(*keys, ticket), "older");
}

TEST(TicketKey, ComesFromRandomnessOrRawBytes) {
  CountingRandom random;
  const auto first = TicketKey::generate(random);
  const auto second = TicketKey::generate(random);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(equal(first->name(), second->name()));
  EXPECT_FALSE(equal(first->secret(), second->secret()));
  EXPECT_EQ(first->secret().size(), TicketKey::kSecretSize);

  Octets raw(48);
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::uint8_t>(i);
  const auto key = TicketKey::from_bytes(raw);
  ASSERT_TRUE(key);
  EXPECT_TRUE(equal(key->name(), Bytes(raw).first(16)));
  EXPECT_TRUE(equal(key->secret(), Bytes(raw).subspan(16)));
  EXPECT_TRUE(equal(key->clone().secret(), key->secret()));
  EXPECT_FALSE(TicketKey::from_bytes(Bytes(raw).first(47)));
  raw.push_back(0);
  EXPECT_FALSE(TicketKey::from_bytes(raw));
}

}  // namespace
}  // namespace lockstep
