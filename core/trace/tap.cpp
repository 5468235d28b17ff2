#include "trace/tap.hpp"

#include <algorithm>
#include <array>

#include "codec/handshake_message.hpp"
#include "codec/server_hello.hpp"
#include "handshake/context.hpp"
#include "types/allocated.hpp"

namespace lockstep::trace {
namespace {

constexpr std::size_t kLeastJournal = 4096;

std::uint64_t hash_of(std::span<const Bytes> parts) noexcept {
  Hash64 hash;
  for (const Bytes part : parts) hash.add(part);
  return hash.value();
}

/// A session's bytes, wiped after use.
class Serialized {
 public:
  explicit Serialized(const Session& session) : bytes_(session.serialize()) {}
  Serialized(const Serialized&) = delete;
  Serialized& operator=(const Serialized&) = delete;
  ~Serialized() { wipe(MutableBytes(bytes_)); }
  [[nodiscard]] Bytes view() const noexcept { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

template <class List>
std::vector<std::uint64_t> sizes_of(const List& list) {
  std::vector<std::uint64_t> sizes;
  for (const auto& each : list) sizes.push_back(each.size());
  return sizes;
}

std::vector<SignatureScheme> copy_of(std::span<const SignatureScheme> schemes) {
  return {schemes.begin(), schemes.end()};
}

Bytes bytes_of(std::span<const SignatureScheme> schemes, std::vector<std::uint8_t>& room) {
  for (const SignatureScheme scheme : schemes) {
    room.push_back(static_cast<std::uint8_t>(static_cast<std::uint16_t>(scheme) >> 8U));
    room.push_back(static_cast<std::uint8_t>(scheme));
  }
  return room;
}

}  // namespace

// --- what the application was told -----------------------------------------------------------------------------------

namespace {

/// Turns events into entries.
struct Teller {
  Tap& tap;
  const handshake::Agreed& agreed;

  void operator()(const Nothing& /*event*/) const {}
  void operator()(const ApplicationData& event) const { tell_data(event, DataTold()); }
  void operator()(const EarlyData& event) const { tell_data(event, EarlyDataTold()); }
  template <class Told>
  void tell_data(const ApplicationData& event, Told told) const {
    Hash64 hash;
    for (const MutableBytes segment : event.segments()) {
      told.segments.push_back(segment.size());
      hash.add(segment);
    }
    told.hash = hash.value();
    tap.write(told);
  }
  void operator()(const SelectCredential& event) const {
    Hash64 hash;
    for (const Bytes name : event.certificate_authorities) hash.add(name);
    hash.add(event.ec_point_formats);
    for (const OidFilter& filter : event.oid_filters) {
      hash.add(filter.oid);
      hash.add(filter.values);
    }
    tap.write(CredentialAsked{.token = number(event.token),
                              .server_name = as_bytes(event.server_name),
                              .schemes = copy_of(event.schemes),
                              .schemes_cert = copy_of(event.schemes_cert),
                              .authorities = event.certificate_authorities.size(),
                              .alpn = as_bytes(event.alpn),
                              .hash = hash.value(),
                              .ocsp_requested = event.ocsp_requested,
                              .scts_requested = event.scts_requested,
                              .oid_filters = event.oid_filters.size()});
  }
  void operator()(const Sign& event) const {
    const Bytes message = event.message;
    tap.write(SignatureAsked{.token = number(event.token),
                             .scheme = event.scheme,
                             .size = event.message.size(),
                             .hash = hash_of({&message, 1})});
  }
  void operator()(const Decrypt& event) const {
    const Bytes ciphertext = event.ciphertext;
    tap.write(
        DecryptionAsked{.token = number(event.token), .size = ciphertext.size(), .hash = hash_of({&ciphertext, 1})});
  }
  void operator()(const Compute& event) const {
    tap.write(ComputationAsked{.token = number(event.token), .what = event.job.what()});
  }
  void operator()(const SelectConfig& event) const {
    tap.write(ConfigAsked{
        .token = number(event.token), .server_name = as_bytes(event.server_name), .alpn = event.alpn.size()});
  }
  void operator()(const SelectPsk& event) const {
    tap.write(PskAsked{.token = number(event.token),
                       .version = event.version,
                       .server_name = as_bytes(event.server_name),
                       .identity_hint = event.identity_hint});
  }
  void operator()(const FindPsk& event) const {
    tap.write(PskLookupAsked{.token = number(event.token),
                             .version = event.version,
                             .server_name = as_bytes(event.server_name),
                             .identity = event.identity,
                             .imported = event.imported,
                             .context = event.context});
  }
  void operator()(const VerifyPeer& event) const {
    const std::string name = event.name.text();
    const PeerCertificates& shown = *event.shown;
    Hash64 hash;
    for (const Bytes certificate : shown.chain) hash.add(certificate);
    hash.add(shown.ocsp_response).add(shown.sct_list);
    tap.write(VerdictAsked{.token = number(event.token),
                           .peer = event.peer,
                           .chain = sizes_of(shown.chain),
                           .name = as_bytes(name),
                           .now = event.now,
                           .hash = hash.value(),
                           .ocsp_response = shown.ocsp_response.size(),
                           .sct_list = shown.sct_list.size(),
                           .resumed = event.resumed});
  }
  void operator()(const OpenTicket& event) const {
    tap.write(TicketOpeningAsked{
        .token = number(event.token), .size = event.ticket.size(), .hash = hash_of({&event.ticket, 1})});
  }
  void operator()(const AcceptEarlyData& event) const {
    tap.write(
        EarlyDataAsked{.token = number(event.token), .size = event.ticket.size(), .hash = hash_of({&event.ticket, 1})});
  }
  void operator()(const SealTicket& event) const {
    const Serialized session(event.session);
    const Bytes bytes = session.view();
    tap.write(TicketSealingAsked{.token = number(event.token), .size = bytes.size(), .hash = hash_of({&bytes, 1})});
  }
  void operator()(const HandshakeComplete& event) const {
    std::vector<std::uint8_t> schemes;
    Hash64 hash;
    for (const Bytes certificate : event.peer_chain) hash.add(certificate);
    hash.add(event.own_finished).add(event.peer_finished).add(bytes_of(event.shared_schemes, schemes));
    hash.add(event.ocsp_response).add(event.sct_list);
    tap.write(Completed{.resumed = event.resumed,
                        .retried = agreed.retried,
                        .server_name = as_bytes(event.server_name),
                        .chain = sizes_of(event.peer_chain),
                        .version = agreed.version,
                        .suite = agreed.suite == nullptr ? CipherSuite{} : agreed.suite->suite,
                        .group = agreed.group,
                        .own_scheme = agreed.own_scheme,
                        .peer_scheme = agreed.peer_scheme,
                        .alpn = as_bytes(agreed.protocol()),
                        .hash = hash.value(),
                        .ocsp_response = event.ocsp_response.size(),
                        .sct_list = event.sct_list.size(),
                        .early_data = event.early_data,
                        .peer_identity = event.peer_identity,
                        .application_data = event.application_data,
                        .renegotiation = event.renegotiation,
                        .dh_bits = agreed.dh_bits,
                        .unverified = event.unverified});
  }
  void operator()(const SessionReceived& event) const {
    const Serialized session(event.session);
    const Bytes bytes = session.view();
    tap.write(SessionTold{.size = bytes.size(), .hash = hash_of({&bytes, 1})});
  }
  void operator()(const PeerClosed& /*event*/) const { tap.write(PeerClosedTold{}); }
  void operator()(const PeerKeyUpdated& /*event*/) const { tap.write(PeerKeysTold{}); }
  void operator()(const RenegotiationRefused& /*event*/) const { tap.write(RefusalTold{}); }
  void operator()(const TrafficKeys& event) const { tap.write(TrafficKeysTold{event.direction, event.sequence}); }
  void operator()(const SecretLogged& event) const {
    tap.write(SecretTold{event.label, Content(event.client_random), Content(event.secret)});
  }
  void operator()(const Failed& event) const { tap.write(FailureTold{event.error}); }

  template <class Operation>
  static TokenNumber number(const Token<Operation>& token) noexcept {
    return TokenAccess::number(token);
  }
};

}  // namespace

template <class Work>
void Tap::put_together(Work work) noexcept {
  if (!allocated(work)) stop(Stopped::Cause::memory);
}

void Tap::told(const Event& event, const handshake::Agreed& agreed) noexcept {
  if (stopped_) return;
  put_together([&] { std::visit(Teller{*this, agreed}, event); });
}

// --- how it begins ---------------------------------------------------------------------------------------------------

namespace {

Content verification_of(const SessionContext& verification) noexcept {
  return verification == SessionContext{} ? Content() : Content(Bytes(verification));
}

Configuration entry_of(const Config& config) {
  const Settings& settings = config.settings();
  Configuration entry;
  entry.settings = settings;
  entry.provider = config.provider().name;
  for (const std::string& protocol : settings.alpn) entry.alpn.emplace_back(as_bytes(protocol));
  for (const std::string& protocol : settings.next_protocols) entry.next_protocols.emplace_back(as_bytes(protocol));
  for (const auto& authority : settings.certificate_authorities) entry.certificate_authorities.emplace_back(authority);
  for (const BoundSuite& suite : settings.suites)
    entry.implementations.push_back(suite.aead != nullptr ? suite.aead->implementation : suite.cbc->implementation);
  for (const BoundGroup& group : settings.groups) entry.implementations.push_back(group.first->implementation);
  return entry;
}

}  // namespace

void Tap::start(const Config& config, const ClientOptions& options, Time now) noexcept {
  const std::string_view line = header_line(options_.contents);
  const MutableBytes room = journal_.extend(line.size());
  if (room.empty()) {
    stopped_ = true;
    return;
  }
  std::ranges::copy(as_bytes(line), room.begin());
  written_ = line.size();

  put_together([&] {
    write(entry_of(config));
    if (config.role() == Role::server) return write(StartServer{verification_of(options.verification)});
    start_client(options, now);
  });
}

void Tap::start_client(const ClientOptions& options, Time now) {
  const std::string text = options.name.text();
  const x509::PeerName& asked_for = options.server_name ? *options.server_name : options.name;
  StartClient entry{.now = now,
                    .kind = options.name.kind(),
                    .name = as_bytes(text),
                    .sessions = {},
                    .verification = verification_of(options.verification),
                    .server_name = as_bytes(asked_for.host_name())};
  std::vector<std::unique_ptr<Serialized>> serialized;
  for (const Session& session : options.sessions) {
    serialized.push_back(std::make_unique<Serialized>(session));
    entry.sessions.emplace_back(serialized.back()->view());
  }
  write(entry);
}

// --- calls -----------------------------------------------------------------------------------------------------------

void Tap::receive(Bytes inbound, Time now) noexcept {
  if (stopped_) return;
  if (inbound.size() > kMaxRoom) return stop(Stopped::Cause::too_large);
  const Bytes before = unconsumed_.view();
  const auto differing = std::ranges::mismatch(before, inbound).in2;
  const auto kept_size = static_cast<std::size_t>(differing - inbound.begin());
  // A caller that shows less than before has the rest still; one that shows other bytes has not.
  const Bytes added = inbound.subspan(kept_size);
  const std::size_t kept = added.empty() ? before.size() : kept_size;
  write(Receive{.now = now, .size = inbound.size(), .kept = kept, .added = added});
  unconsumed_.truncate(kept);
  if (added.empty()) return;
  const MutableBytes room = unconsumed_.extend(added.size());
  if (room.empty()) return stop(Stopped::Cause::memory);
  std::ranges::copy(added, room.begin());
}

void Tap::received(std::size_t consumed) noexcept {
  if (stopped_) return;
  unconsumed_.drop_front(consumed);
  write(Consumed{consumed});
}

void Tap::seal(std::span<const Bytes> plaintext, std::size_t room, Time now, bool early) noexcept {
  if (stopped_) return;
  if (room > kMaxRoom) return stop(Stopped::Cause::too_large);
  put_together([&] {
    std::vector<Content> contents(plaintext.begin(), plaintext.end());
    if (early) return write(SealEarly{.now = now, .room = room, .plaintext = std::move(contents)});
    write(Seal{.now = now, .room = room, .plaintext = std::move(contents)});
  });
}

void Tap::seal_in_place(const RecordSlot& slot, Time now) noexcept {
  if (stopped_) return;
  if (std::max({slot.buffer.size(), slot.headroom, slot.payload}) > kMaxRoom) return stop(Stopped::Cause::too_large);
  const Bytes behind = slot.buffer.subspan(std::min(slot.headroom, slot.buffer.size()));
  write(SealInPlace{.now = now,
                    .room = slot.buffer.size(),
                    .headroom = slot.headroom,
                    .size = slot.payload,
                    .payload = behind.first(std::min(slot.payload, behind.size()))});
}

void Tap::sealed(const std::expected<Sealed, Misuse>& result, Bytes outbound) noexcept {
  if (!result) return write(SealDone{.misuse = result.error(), .consumed = 0, .written = 0, .hash = 0});
  write(SealDone{.misuse = {},
                 .consumed = result->consumed,
                 .written = result->written,
                 .hash = Hash64().add(outbound.first(result->written)).value()});
}

void Tap::sealed(const std::expected<MutableBytes, Misuse>& result, std::size_t payload) noexcept {
  if (!result) return write(SealDone{.misuse = result.error(), .consumed = 0, .written = 0, .hash = 0});
  write(SealDone{.misuse = {}, .consumed = payload, .written = result->size(), .hash = Hash64().add(*result).value()});
}

void Tap::answer(TokenNumber token, const ConfigSelected& selected) noexcept {
  put_together([&] {
    AnswerConfig entry;
    entry.token = token;
    entry.selected = true;
    entry.by_application = selected.alpn.has_value();
    if (selected.alpn) entry.alpn = as_bytes(*selected.alpn);
    entry.warn_unrecognized_name = selected.warn_unrecognized_name;
    entry.verifies_otherwise = selected.verification.has_value();
    if (selected.verification) entry.verification = verification_of(*selected.verification);
    entry.another = selected.config != nullptr;
    if (entry.another) entry.configuration = entry_of(*selected.config);
    write(entry);
  });
}

void Tap::answer(TokenNumber token, const Credential* credential) noexcept {
  put_together([&] {
    AnswerCredential entry{.token = token,
                           .present = credential != nullptr,
                           .chain = {},
                           .schemes = {},
                           .ocsp_response = {},
                           .sct_list = {}};
    if (credential != nullptr) {
      for (const auto& certificate : credential->chain) entry.chain.emplace_back(certificate);
      entry.schemes = credential->schemes;
      entry.ocsp_response = Bytes(credential->ocsp_response);
      entry.sct_list = Bytes(credential->sct_list);
    }
    write(entry);
  });
}

void Tap::answer(TokenNumber token, const Session* session) noexcept {
  if (session == nullptr) return write(AnswerTicketOpened{.token = token, .opened = false, .session = {}});
  put_together([&] {
    const Serialized serialized(*session);
    write(AnswerTicketOpened{.token = token, .opened = true, .session = serialized.view()});
  });
}

// --- notes -----------------------------------------------------------------------------------------------------------

bool Tap::fill(MutableBytes out) noexcept {
  const bool ok = random_->fill(out);
  if (!ok) std::ranges::fill(out, std::uint8_t{0});  // who failed may have left anything there
  write(Draw{ok, out});
  return ok;
}

void Tap::message(Direction direction, Bytes message) noexcept {
  // The peer of a test may send several, or none, where we have one.
  if (message.size() < codec::kHandshakeHeaderSize) return;
  const auto type = static_cast<HandshakeType>(message[0]);
  const bool retry = type == HandshakeType::server_hello &&
                     codec::is_hello_retry_request(message.subspan(codec::kHandshakeHeaderSize));
  write(Message{direction, type, retry, static_cast<std::uint32_t>(message.size())});
}

void Tap::state(std::string_view name) noexcept {
  if (state_ == name) return;
  state_ = name;
  write(StateEntered{name});
}

void Tap::secret(std::string_view label, Bytes client_random, Bytes secret) noexcept {
  if (secrets_) write(Secret{label, client_random, secret});
}

// --- the tape itself -------------------------------------------------------------------------------------------------

std::string_view header_line(Contents contents) noexcept {
  return contents == Contents::all ? "LOCKSTEP TAPE 2 SECRET: whoever reads this file can read the connection\n"
                                   : "LOCKSTEP TAPE 2 REDACTED: sizes, types and times, no contents\n";
}

MutableBytes Tap::begin(std::uint8_t kind, std::size_t size) noexcept {
  std::array<std::uint8_t, 11> front{kind};
  std::size_t front_size = 1;
  std::size_t rest = size;
  for (; rest >= 0x80; rest >>= 7U) front[front_size++] = static_cast<std::uint8_t>(rest | 0x80U);
  front[front_size++] = static_cast<std::uint8_t>(rest);

  if (size > kMaxEntry) {
    stop(Stopped::Cause::too_large);
    return {};
  }
  if (written_ + front_size + size > options_.limit) {
    stop(Stopped::Cause::limit);
    return {};
  }
  const MutableBytes room = journal_.extend(front_size + size);
  if (room.empty()) {
    stop(Stopped::Cause::memory);
    return {};
  }
  written_ += room.size();
  std::ranges::copy(Bytes(front).first(front_size), room.begin());
  return room.subspan(front_size);
}

void Tap::stop(Stopped::Cause cause) noexcept {
  if (stopped_) return;
  stopped_ = true;
  unconsumed_.truncate(0);
  const MutableBytes room = journal_.extend(3);
  if (room.empty()) return;
  room[0] = kKind<Stopped>;
  room[1] = 1;
  room[2] = static_cast<std::uint8_t>(cause);
}

MutableBytes Journal::extend(std::size_t size) noexcept {
  if (size > capacity_ - size_) {
    const std::size_t capacity = std::max({kLeastJournal, 2 * capacity_, size_ + size});
    std::unique_ptr<std::uint8_t[]> larger(new (std::nothrow) std::uint8_t[capacity]);
    if (larger == nullptr) return {};
    std::ranges::copy(view(), larger.get());
    wipe({bytes_.get(), size_});
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  size_ += size;
  return {bytes_.get() + size_ - size, size};
}

void Journal::drop_front(std::size_t count) noexcept {
  std::copy(bytes_.get() + count, bytes_.get() + size_, bytes_.get());
  truncate(size_ - count);
}

void Journal::truncate(std::size_t size) noexcept {
  wipe({bytes_.get() + size, size_ - size});
  size_ = size;
}

// --- the recorder ----------------------------------------------------------------------------------------------------

Recorder::Recorder(RandomSource& random, RecorderOptions options) : tap_(std::make_unique<Tap>(random, options)) {}
Recorder::Recorder(Recorder&&) noexcept = default;
Recorder& Recorder::operator=(Recorder&&) noexcept = default;
Recorder::~Recorder() = default;

Bytes Recorder::recorded() const noexcept { return tap_->journal().view(); }
void Recorder::taken() noexcept { tap_->clear_journal(); }
bool Recorder::stopped() const noexcept { return tap_->stopped(); }

}  // namespace lockstep::trace
