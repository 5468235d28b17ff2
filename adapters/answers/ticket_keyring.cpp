#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <limits>
#include <mutex>
#include <new>
#include <utility>

#include <pthread.h>
#include <sys/mman.h>

#include <lockstep/ticket_keyring.hpp>

namespace lockstep {

namespace {

constexpr Time kAlways = Time::max();
constexpr Time kAtOnce = Time::min();

/// A key in memory that processes share.
struct Slot {
  std::array<std::uint8_t, TicketKey::kNameSize + TicketKey::kSecretSize> bytes;
  std::int64_t since;  // milliseconds
  bool used;           // otherwise `since` is still to come

  [[nodiscard]] Time begin() const noexcept { return Time(std::chrono::milliseconds(since)); }
  void begin(Time now) noexcept {
    since = now.time_since_epoch().count();
    used = true;
  }
};

/// The keys, the current one first.
struct Keys {
  std::array<Slot, TicketKeys::kMaxKeys> slots;
  std::size_t count;
  bool rotate;  // as time goes by

  [[nodiscard]] std::span<Slot> all() noexcept { return std::span(slots).first(count); }
  [[nodiscard]] std::span<const Slot> all() const noexcept { return std::span(slots).first(count); }

  static void write(Slot& slot, const TicketKey& key) noexcept {
    slot = {};
    std::ranges::copy(key.secret(), std::ranges::copy(key.name(), slot.bytes.begin()).out);
  }
  void push_front(const TicketKey& key) noexcept {
    count = std::min(count + 1, slots.size());
    std::shift_right(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(count), 1);
    write(slots.front(), key);
  }
  void push_back(const TicketKey& key) noexcept {
    if (count < slots.size()) ++count;
    write(slots[count - 1], key);
  }
  void assign(std::span<const TicketKey> keys) noexcept {
    count = 0;
    for (const TicketKey& key : keys) push_back(key);
  }
  /// Whether something has changed.
  bool follow(Time now, const TicketRotation& rotation) noexcept {
    if (!rotate) return false;
    bool changed = false;
    for (Slot& slot : all()) {
      if (slot.used && slot.begin() <= now + kMaxClockSkew) continue;
      slot.begin(now);
      changed = true;
    }
    const auto ended = [&](const Slot& slot) { return now - slot.begin() >= rotation.life; };
    const auto rest = std::ranges::remove_if(all(), ended);
    count -= rest.size();
    return changed || !rest.empty();
  }
};

}  // namespace

/// Two places for the keys, of which one is in force: who ends in the midst of a change has changed nothing.
struct TicketKeyring::Shared {
  pthread_mutex_t mutex;
  std::atomic<std::uint64_t> changes;
  std::array<Keys, 2> places;
};

/// A change of the keys, alone among all processes.
class TicketKeyring::Change {
 public:
  explicit Change(Shared& shared) noexcept : shared_(shared) {
    if (::pthread_mutex_lock(&shared_.mutex) == EOWNERDEAD) (void)::pthread_mutex_consistent(&shared_.mutex);
    keys() = in_force();
  }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;
  ~Change() {
    Keys& old = keys();
    wipe({reinterpret_cast<std::uint8_t*>(&old), sizeof old});
    (void)::pthread_mutex_unlock(&shared_.mutex);
  }

  /// To be changed.
  [[nodiscard]] Keys& keys() noexcept { return shared_.places[(number() + 1) % 2]; }
  [[nodiscard]] const Keys& in_force() const noexcept { return shared_.places[number() % 2]; }
  [[nodiscard]] std::uint64_t number() const noexcept { return shared_.changes.load(std::memory_order_relaxed); }
  void commit() noexcept { shared_.changes.fetch_add(1, std::memory_order_release); }

 private:
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  Shared& shared_;
};

TicketKeyring::TicketKeyring(TicketKeys keys) : TicketKeyring(std::move(keys), {}, false) {}

TicketKeyring::TicketKeyring(TicketKeys keys, TicketRotation rotation, bool rotates)
    : rotation_(rotation), keys_(std::move(keys)) {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  mapped_ = memory != MAP_FAILED;
  if (mapped_) {
    (void)::madvise(memory, sizeof(Shared), MADV_DONTDUMP);
  } else {
    memory = ::operator new(sizeof(Shared));
  }
  shared_ = new (memory) Shared{};
  pthread_mutexattr_t attributes;
  (void)::pthread_mutexattr_init(&attributes);
  (void)::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  (void)::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  (void)::pthread_mutex_init(&shared_->mutex, &attributes);
  (void)::pthread_mutexattr_destroy(&attributes);
  Change change(*shared_);
  change.keys().assign(keys_.keys());
  change.keys().rotate = rotates;
  change.commit();
  take_over(change);
}

TicketKeyring::~TicketKeyring() {
  // Others may go on with what is shared; the system wipes it behind the last of them.
  if (mapped_) {
    (void)::munmap(shared_, sizeof(Shared));
  } else {
    wipe({reinterpret_cast<std::uint8_t*>(shared_), sizeof(Shared)});
    ::operator delete(shared_);
  }
}

std::shared_ptr<TicketKeyring> TicketKeyring::create(const Provider& provider, RandomSource& random,
                                                     TicketRotation rotation) {
  auto key = TicketKey::generate(random);
  if (!key) return nullptr;
  auto keys = TicketKeys::create(provider, std::move(*key));
  if (!keys) return nullptr;
  constexpr std::chrono::seconds kLongest = std::chrono::hours(24 * 3650);  // beyond which times cannot be added
  rotation.every = std::clamp(rotation.every, std::chrono::seconds(1), kLongest);
  rotation.life = std::clamp(rotation.life, std::chrono::seconds(1), kLongest);
  return std::shared_ptr<TicketKeyring>(new TicketKeyring(std::move(*keys), rotation, true));
}

// --- changes ---------------------------------------------------------------------------------------------------------

std::expected<void, TicketError> TicketKeyring::rotate(TicketKey next) {
  if (next.secret().empty()) return std::unexpected(TicketError::no_secret);
  const std::unique_lock lock(mutex_);
  Change change(*shared_);
  change.keys().push_front(next);
  change.commit();
  take_over(change);
  return {};
}

std::expected<void, TicketError> TicketKeyring::add_previous(TicketKey previous) {
  const std::unique_lock lock(mutex_);
  Change change(*shared_);
  if (change.keys().count == 0 || previous.secret().empty()) return std::unexpected(TicketError::no_secret);
  change.keys().push_back(previous);
  change.commit();
  take_over(change);
  return {};
}

std::expected<void, TicketError> TicketKeyring::replace(TicketKeys keys) {
  if (keys.size() == 0) return std::unexpected(TicketError::no_secret);
  const std::unique_lock lock(mutex_);
  keys_ = std::move(keys);  // with its algorithms
  Change change(*shared_);
  change.keys().assign(keys_.keys());
  change.keys().rotate = false;
  change.commit();
  take_over(change);
  return {};
}

std::vector<TicketKey> TicketKeyring::keys() const {
  const std::unique_lock lock(mutex_);
  const Change change(*shared_);
  take_over(change);
  std::vector<TicketKey> copies;
  for (const TicketKey& key : keys_.keys()) copies.push_back(key.clone());
  return copies;
}

/// What others have changed, and what time does. Whoever seals gives the randomness for a new key; when that fails the
/// current key goes on.
void TicketKeyring::catch_up(Time now, RandomSource* random) const {
  const auto due = [&] {
    return seen_ != shared_->changes.load(std::memory_order_acquire) || now < opens_from_ || now >= opens_until_ ||
           (random != nullptr && now >= seals_until_);
  };
  {
    const std::shared_lock lock(mutex_);
    if (!due()) return;
  }
  const std::unique_lock lock(mutex_);
  Change change(*shared_);
  take_over(change);
  if (!due()) return;
  Keys& keys = change.keys();
  bool changed = keys.follow(now, rotation_);
  if (random != nullptr && keys.rotate && (keys.count == 0 || now - keys.slots.front().begin() >= rotation_.every)) {
    if (const auto next = TicketKey::generate(*random)) {
      keys.push_front(*next);
      keys.slots.front().begin(now);
      changed = true;
    }
  }
  if (!changed) return;
  change.commit();
  take_over(change);
}

void TicketKeyring::take_over(const Change& change) const {
  const Keys& shared = change.in_force();
  seen_ = change.number();
  std::vector<TicketKey> keys;
  opens_from_ = kAtOnce;
  opens_until_ = seals_until_ = kAlways;
  for (const Slot& slot : shared.all()) {
    keys.push_back(*TicketKey::from_bytes(slot.bytes));
    if (!shared.rotate) continue;
    opens_from_ = std::max(opens_from_, slot.used ? slot.begin() - kMaxClockSkew : kAlways);
    opens_until_ = std::min(opens_until_, slot.used ? slot.begin() + rotation_.life : kAtOnce);
  }
  if (shared.rotate) {
    const bool dated = shared.count != 0 && shared.slots.front().used;
    seals_until_ = dated ? shared.slots.front().begin() + rotation_.every : kAtOnce;
  }
  (void)keys_.assign(std::move(keys));  // every key here has a secret
}

// --- tickets ---------------------------------------------------------------------------------------------------------

namespace {

/// Serialized sessions hold secrets: whatever happens, they are wiped.
struct WipedBuffer {
  explicit WipedBuffer(std::size_t size) : bytes(size) {}
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;
  ~WipedBuffer() { wipe(bytes); }
  std::vector<std::uint8_t> bytes;
};

}  // namespace

std::expected<std::vector<std::uint8_t>, TicketError> TicketKeyring::seal(const Session& session,
                                                                          RandomSource& random) const {
  catch_up(session.issued_at, &random);
  WipedBuffer plain(session.serialized_size());
  if (session.serialize(plain.bytes) != plain.bytes.size()) return std::unexpected(TicketError::failed);
  std::vector<std::uint8_t> ticket(TicketKeys::sealed_size(plain.bytes.size()));
  const std::shared_lock lock(mutex_);
  const auto size = keys_.seal(plain.bytes, random, ticket);
  if (!size) return std::unexpected(size.error());
  ticket.resize(*size);
  return ticket;
}

std::expected<Session, TicketError> TicketKeyring::open(Bytes ticket, Time now) const {
  catch_up(now, nullptr);
  {
    const std::shared_lock lock(mutex_);
    // A ticket of somebody else costs no memory, whatever its size.
    if (auto known = keys_.recognize(ticket); !known) return std::unexpected(known.error());
  }
  WipedBuffer plain(TicketKeys::opened_size(ticket.size()));
  std::expected<TicketKeys::Opened, TicketError> opened;
  {
    const std::shared_lock lock(mutex_);
    opened = keys_.open(ticket, plain.bytes);
  }
  if (!opened) return std::unexpected(opened.error());
  auto session = Session::parse(Bytes(plain.bytes).first(opened->size));
  if (!session) return std::unexpected(TicketError::invalid);
  return std::move(*session);
}

}  // namespace lockstep
