// Runs a tape again: every call is made as it was, with a recorder behind it, and what that writes is compared with the
// tape entry by entry.

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <lockstep/replay.hpp>
#include <lockstep/tape.hpp>

#include "handshake/context.hpp"
#include "trace/tap.hpp"

namespace lockstep::trace {
namespace {

/// Gives the draws of an operation back. One of another size, or beyond the last, fails; the recorder sees which.
class PlayedRandom final : public RandomSource {
 public:
  void load(const Draw& draw) { draws_.push_back(draw); }
  void clear() noexcept { draws_.clear(); }
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    if (draws_.empty() || draws_.front().bytes.size != out.size()) return false;
    const Draw draw = draws_.front();
    draws_.pop_front();
    std::ranges::copy(draw.bytes.bytes, out.begin());
    return draw.ok;
  }

 private:
  std::deque<Draw> draws_;
};

/// An entry of an operation, as it stands on a tape.
struct Raw {
  std::vector<std::uint8_t> bytes;
  std::string text;
  std::uint64_t offset = 0;
};

std::vector<std::uint8_t> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

std::vector<Bytes> views_of(const std::vector<Content>& contents) {
  std::vector<Bytes> views;
  for (const Content& content : contents) views.push_back(content.bytes);
  return views;
}

/// The configuration of a tape; a text with every problem when this provider or build cannot have it.
template <Role kRole>
std::expected<std::shared_ptr<const Config>, std::string> built(const Settings& settings, const Provider& provider) {
  // A recording says what was allowed; whoever replays it with a provider that protects nothing has chosen that.
  auto config = BasicConfigBuilder<kRole>::from(settings, provider).dangerous().allow_insecure_provider().build();
  if (config) return std::move(*config);
  std::string problems;
  for (const ConfigProblem& problem : config.error())
    problems += (problems.empty() ? "" : "; ") + problem.setting + ": " + problem.text;
  return std::unexpected(std::move(problems));
}

std::expected<std::shared_ptr<const Config>, std::string> built(const Configuration& configuration,
                                                                const Provider& provider,
                                                                std::span<const CertificateCodec> codecs) {
  Settings settings = configuration.settings;
  // Where there is none for an algorithm, the builder says so.
  for (CertificateCodec& codec : settings.certificate_codecs) {
    const auto found = std::ranges::find(codecs, codec.algorithm, &CertificateCodec::algorithm);
    if (found != codecs.end()) codec = *found;
  }
  for (const Content& protocol : configuration.alpn) settings.alpn.emplace_back(as_text(protocol.bytes));
  for (const Content& protocol : configuration.next_protocols)
    settings.next_protocols.emplace_back(as_text(protocol.bytes));
  for (const Content& authority : configuration.certificate_authorities)
    settings.certificate_authorities.push_back(copy_of(authority.bytes));
  return settings.role == Role::client ? built<Role::client>(settings, provider)
                                       : built<Role::server>(settings, provider);
}

/// Nothing for what has another size.
std::optional<SessionContext> context_of(const Content& content) {
  SessionContext context{};
  if (content.bytes.empty()) return context;
  if (content.bytes.size() != context.size()) return std::nullopt;
  std::ranges::copy(content.bytes, context.begin());
  return context;
}

}  // namespace

class Replay::Player {
 public:
  Player(const Reader& reader, Configuration configuration, std::shared_ptr<const Config> config,
         std::span<const CertificateCodec> codecs)
      : configuration_(std::move(configuration)),
        reader_(reader),
        config_(std::move(config)),
        codecs_(codecs.begin(), codecs.end()) {
    recorder_.tap_ = std::make_unique<Tap>(random_, RecorderOptions{}, true);
  }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;
  ~Player() {
    for (auto& bytes : secret_bytes_) wipe(MutableBytes(bytes));
    wipe(MutableBytes(unconsumed_));
    wipe(MutableBytes(scratch_));
  }

  ReplayRun run(std::uint64_t until);
  [[nodiscard]] const Connection* connection() const noexcept { return connection_ ? &*connection_ : nullptr; }
  [[nodiscard]] const Configuration& configuration() const noexcept { return configuration_; }
  [[nodiscard]] std::span<const SecretTold> secrets() const noexcept { return secrets_; }

 private:
  /// An operation of the tape: its call, and what followed.
  struct Operation {
    std::uint64_t number = 0;
    std::uint64_t offset = 0;
    Entry call;
    std::vector<Raw> outcome;
    bool complete = false;
    std::optional<Stopped> stopped;
  };
  [[nodiscard]] std::expected<std::optional<Operation>, TapeProblem> read_operation();
  [[nodiscard]] std::optional<TapeProblem> make(const Operation& operation);
  [[nodiscard]] std::optional<Difference> compare(const Operation& operation);
  void keep(const Secret& secret);

  // Every call that can be on a tape; what the tape alone cannot vouch for is refused.
  std::optional<TapeError> play(const StartClient& call);
  std::optional<TapeError> play(const StartServer& call);
  std::optional<TapeError> play(const Receive& call);
  std::optional<TapeError> play(const ReceiveEnd& call);
  std::optional<TapeError> play(const Transmit& call);
  std::optional<TapeError> play(const Seal& call);
  std::optional<TapeError> play(const SealEarly& call);
  std::optional<TapeError> play(const SealInPlace& call);
  std::optional<TapeError> play(const AnswerConfig& call);
  std::optional<TapeError> play(const AnswerCredential& call);
  std::optional<TapeError> play(const AnswerSignature& call);
  std::optional<TapeError> play(const AnswerDecryption& call);
  std::optional<TapeError> play(const AnswerComputation& call);
  std::optional<TapeError> play(const AnswerPsk& call);
  std::optional<TapeError> play(const AnswerPskLookup& call);
  std::optional<TapeError> play(const AnswerVerdict& call);
  std::optional<TapeError> play(const AnswerTicketOpened& call);
  std::optional<TapeError> play(const AnswerEarlyData& call);
  std::optional<TapeError> play(const AnswerTicketSealed& call);
  std::optional<TapeError> play(const Close& call);
  std::optional<TapeError> play(const Cancel& call);
  std::optional<TapeError> play(const UpdateKeys& call);
  std::optional<TapeError> play(const SetMaxSendFragment& call);
  std::optional<TapeError> play(const Renegotiate& call);
  std::optional<TapeError> play(const Offload& call);
  std::optional<TapeError> play(const ForgetExporter& call);
  template <class NotACall>
  std::optional<TapeError> play(const NotACall& /*entry*/) {
    return TapeError::out_of_order;
  }

  void tell(Event event);
  /// The token with this number, which stays here until its answer is taken; `none` when there is none.
  template <class Asked>
  Token<Asked>& token(TokenNumber number, Token<Asked>& none) noexcept;
  /// Null: there is none of this kind.
  template <class Asked>
  Asked* question(TokenNumber number) noexcept;
  void forget_answered() noexcept;
  MutableBytes room(std::uint64_t size);

  Configuration configuration_;
  Reader reader_;
  std::shared_ptr<const Config> config_;
  std::vector<CertificateCodec> codecs_;
  PlayedRandom random_;
  Recorder recorder_{random_};
  Reader played_;  // of what the recorder writes
  std::optional<Connection> connection_;
  std::vector<std::pair<TokenNumber, Event>> questions_;
  std::vector<std::uint8_t> unconsumed_;  // what the tape presented and the engine did not consume
  std::vector<std::uint8_t> scratch_;
  bool dropped_ = false;  // the operation at hand finds its token dropped
  bool differs_ = false;
  std::uint64_t operations_ = 0;
  std::deque<std::vector<std::uint8_t>> secret_bytes_;
  std::vector<SecretTold> secrets_;  // views into secret_bytes_
};

// --- the public face -------------------------------------------------------------------------------------------------

std::expected<Replay, TapeProblem> Replay::open(Bytes tape, const Provider& provider,
                                                std::span<const CertificateCodec> codecs) {
  Reader reader(tape);
  const auto first = reader.next();
  if (!first) return std::unexpected(first.error());
  if (reader.redacted()) return std::unexpected(TapeProblem{.error = TapeError::redacted});
  const auto* const read = *first ? std::get_if<Configuration>(&**first) : nullptr;
  if (read == nullptr) return std::unexpected(TapeProblem{TapeError::configuration_missing, reader.offset()});
  const Configuration& configuration = *read;

  auto config = built(configuration, provider, codecs);
  if (!config)
    return std::unexpected(TapeProblem{TapeError::configuration_refused, reader.offset() - reader.raw().size(),
                                       std::move(config.error())});
  return Replay(std::make_unique<Player>(reader, configuration, std::move(*config), codecs));
}

Replay::Replay(std::unique_ptr<Player> player) noexcept : player_(std::move(player)) {}
Replay::Replay(Replay&&) noexcept = default;
Replay& Replay::operator=(Replay&&) noexcept = default;
Replay::~Replay() = default;

ReplayRun Replay::run(std::uint64_t until) { return player_->run(until); }
const Connection* Replay::connection() const noexcept { return player_->connection(); }
const Configuration& Replay::configuration() const noexcept { return player_->configuration(); }
std::span<const SecretTold> Replay::secrets() const noexcept { return player_->secrets(); }

std::string Difference::text() const {
  return "operation " + std::to_string(operation) + " (" + call + "), at byte " + std::to_string(offset) +
         ":\n  on the tape   " + expected + "\n  in this run   " + found;
}

// --- operations ------------------------------------------------------------------------------------------------------

ReplayRun Replay::Player::run(std::uint64_t until) {
  ReplayRun result;
  while (!differs_ && operations_ <= until) {
    auto operation = read_operation();
    if (!operation) {
      result.problem = std::move(operation.error());
      break;
    }
    if (!*operation) break;
    const Operation& current = **operation;
    if (current.stopped) {
      result.stopped = current.stopped;
      // A recording that ended inside an operation says what was called, not what came of it.
      break;
    }
    if (auto problem = make(current)) {
      result.problem = std::move(problem);
      break;
    }
    ++operations_;
    result.unfinished = !current.complete;
    result.difference = compare(current);
    differs_ = result.difference.has_value();
    if (!current.complete) break;
  }
  result.operations = operations_;
  return result;
}

std::expected<std::optional<Replay::Player::Operation>, TapeProblem> Replay::Player::read_operation() {
  std::optional<Operation> operation;
  random_.clear();
  dropped_ = false;
  do {
    const std::uint64_t offset = reader_.offset();
    auto entry = reader_.next();
    if (!entry) return std::unexpected(std::move(entry.error()));
    if (!*entry) return operation;
    if (const auto* stopped = std::get_if<Stopped>(&**entry)) {
      if (!operation) operation.emplace();
      operation->stopped = *stopped;
      // Nothing is behind it, or the tape is damaged.
      if (auto behind = reader_.next(); !behind) return std::unexpected(std::move(behind.error()));
      return operation;
    }
    if (!operation) {
      operation.emplace();
      operation->number = reader_.operation();
      operation->offset = offset;
      operation->call = std::move(**entry);
      continue;
    }
    if (const auto* draw = std::get_if<Draw>(&**entry)) random_.load(*draw);
    if (std::holds_alternative<TokenDropped>(**entry)) dropped_ = true;
    operation->outcome.push_back({copy_of(reader_.raw()), to_text(**entry), offset});
  } while (reader_.inside());
  operation->complete = true;
  return operation;
}

/// Makes the call. A problem when the tape asks for what no recorder writes.
std::optional<TapeProblem> Replay::Player::make(const Operation& operation) {
  if (dropped_) questions_.clear();
  recorder_.taken();
  const auto error = std::visit([this](const auto& call) { return play(call); }, operation.call);
  forget_answered();
  if (error) return TapeProblem{*error, operation.offset};
  return std::nullopt;
}

/// What the recorder wrote just now, beside what the tape says. The call itself is the same by its nature.
std::optional<Difference> Replay::Player::compare(const Operation& operation) {
  const auto differs = [&](std::uint64_t offset, std::string expected, std::string found) {
    return Difference{operation.number, offset, to_text(operation.call), std::move(expected), std::move(found)};
  };
  constexpr const char* kNothing = "(nothing more)";
  played_.feed(recorder_.recorded());
  auto expected = operation.outcome.begin();
  for (;;) {
    const auto played = played_.next();
    // The recorder writes no tape that the reader refuses.
    if (!played) return differs(operation.offset, "(the operation)", played.error().text());
    if (!*played) break;
    const Entry& entry = **played;
    const Part what = part(entry);
    if (what == Part::stop) return differs(operation.offset, "(the operation)", to_text(entry));
    if (what != Part::note && what != Part::result) continue;
    if (const auto* secret = std::get_if<Secret>(&entry)) {
      keep(*secret);
      continue;
    }
    if (expected == operation.outcome.end()) {
      // Of an operation that the program did not survive the tape has what came before its end.
      if (!operation.complete) return std::nullopt;
      return differs(reader_.offset(), kNothing, to_text(entry));
    }
    if (!equal(played_.raw(), expected->bytes)) {
      std::string found = to_text(entry);
      // Some fields are too long for a line; that they differ is to be seen all the same.
      if (found == expected->text) {
        const auto at = std::ranges::mismatch(played_.raw(), expected->bytes).in1 - played_.raw().begin();
        found += ", which differs from its byte " + std::to_string(at) + " on";
      }
      return differs(expected->offset, expected->text, std::move(found));
    }
    ++expected;
  }
  if (expected != operation.outcome.end()) return differs(expected->offset, expected->text, kNothing);
  return std::nullopt;
}

void Replay::Player::keep(const Secret& secret) {
  const auto own = [this](Bytes bytes) { return Bytes(secret_bytes_.emplace_back(copy_of(bytes))); };
  SecretTold told;
  told.label = as_text(own(as_bytes(secret.label)));
  told.client_random = own(secret.client_random.bytes);
  told.secret = own(secret.secret.bytes);
  secrets_.push_back(told);
}

// --- calls -----------------------------------------------------------------------------------------------------------

std::optional<TapeError> Replay::Player::play(const StartClient& call) {
  auto config = as_client(config_);
  if (config == nullptr) return TapeError::value_out_of_range;
  const auto named = [&]() -> std::optional<x509::PeerName> {
    if (call.kind == x509::PeerName::Kind::any) return x509::NoNameCheck{};
    auto name = x509::PeerName::parse(as_text(call.name.bytes));
    if (!name || name->kind() != call.kind) return std::nullopt;
    return std::move(*name);
  };
  std::optional<x509::PeerName> name = named();
  if (!name) return TapeError::value_out_of_range;
  std::vector<Session> sessions;
  for (const Content& bytes : call.sessions) {
    auto session = Session::parse(bytes.bytes);
    if (!session) return TapeError::value_out_of_range;
    sessions.push_back(std::move(*session));
  }
  const auto verification = context_of(call.verification);
  if (!verification) return TapeError::value_out_of_range;
  x509::PeerName server_name = x509::NoNameCheck{};
  if (call.server_name.size != 0) {
    auto host = x509::PeerName::dns(as_text(call.server_name.bytes));
    if (!host) return TapeError::value_out_of_range;
    server_name = std::move(*host);
  }
  connection_.emplace(Connection::client(std::move(config),
                                         {.name = std::move(*name),
                                          .sessions = sessions,
                                          .verification = *verification,
                                          .server_name = std::move(server_name)},
                                         recorder_, call.now));
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const StartServer& call) {
  auto config = as_server(config_);
  const auto verification = context_of(call.verification);
  if (config == nullptr || !verification) return TapeError::value_out_of_range;
  connection_.emplace(Connection::server(std::move(config), recorder_, {}, {.verification = *verification}));
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const Receive& call) {
  if (call.kept > unconsumed_.size()) return TapeError::value_out_of_range;
  unconsumed_.resize(static_cast<std::size_t>(call.kept));
  unconsumed_.insert(unconsumed_.end(), call.added.bytes.begin(), call.added.bytes.end());
  if (call.size > unconsumed_.size()) return TapeError::value_out_of_range;
  // Records are opened in place: a copy, so that what is not consumed stays as it came.
  const MutableBytes inbound = room(call.size);
  std::ranges::copy(Bytes(unconsumed_).first(inbound.size()), inbound.begin());
  auto [consumed, event] = connection_->receive(inbound, call.now);
  unconsumed_.erase(unconsumed_.begin(), unconsumed_.begin() + static_cast<std::ptrdiff_t>(consumed));
  tell(std::move(event));
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const ReceiveEnd& /*call*/) {
  tell(connection_->receive_end());
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const Transmit& call) {
  (void)connection_->transmit(room(call.room), call.now);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const Seal& call) {
  const auto plaintext = views_of(call.plaintext);
  (void)connection_->seal(plaintext, room(call.room), call.now);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const SealEarly& call) {
  const auto plaintext = views_of(call.plaintext);
  (void)connection_->seal_early(plaintext, room(call.room), call.now);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const SealInPlace& call) {
  const MutableBytes buffer = room(call.room);
  const MutableBytes behind = buffer.subspan(std::min<std::size_t>(call.headroom, buffer.size()));
  if (call.payload.bytes.size() > behind.size()) return TapeError::value_out_of_range;
  std::ranges::copy(call.payload.bytes, behind.begin());
  (void)connection_->seal_in_place(
      {buffer, static_cast<std::size_t>(call.headroom), static_cast<std::size_t>(call.size)}, call.now);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerCredential& call) {
  Token<SelectCredential> none;
  auto& asked = token(call.token, none);
  if (!call.present) {
    (void)connection_->answer(std::move(asked), NoCredential{});
    return std::nullopt;
  }
  Credential credential;
  for (const Content& certificate : call.chain) credential.chain.push_back(copy_of(certificate.bytes));
  credential.schemes = call.schemes;
  credential.ocsp_response = copy_of(call.ocsp_response.bytes);
  credential.sct_list = copy_of(call.sct_list.bytes);
  (void)connection_->answer(std::move(asked), std::make_shared<const Credential>(std::move(credential)));
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerConfig& call) {
  Token<SelectConfig> none;
  auto& asked = token(call.token, none);
  if (!call.selected) {
    (void)connection_->answer(std::move(asked), ClientHelloRefused{call.alert});
    return std::nullopt;
  }
  ConfigSelected answer;
  if (call.by_application) answer.alpn = as_text(call.alpn.bytes);
  answer.warn_unrecognized_name = call.warn_unrecognized_name;
  if (call.verifies_otherwise) {
    answer.verification = context_of(call.verification);
    if (!answer.verification) return TapeError::value_out_of_range;
  }
  if (call.another) {
    auto config = built(call.configuration, config_->provider(), codecs_);
    if (!config) return TapeError::configuration_refused;
    answer.config = as_server(std::move(*config));
    if (answer.config == nullptr) return TapeError::value_out_of_range;
  }
  (void)connection_->answer(std::move(asked), std::move(answer));
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerSignature& call) {
  Token<Sign> none;
  auto& asked = token(call.token, none);
  if (call.made) {
    (void)connection_->answer(std::move(asked), call.signature.bytes);
  } else {
    (void)connection_->answer(std::move(asked), SigningFailed{});
  }
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerDecryption& call) {
  Token<Decrypt> none;
  auto& asked = token(call.token, none);
  if (call.made) {
    (void)connection_->answer(std::move(asked), call.premaster.bytes);
  } else {
    (void)connection_->answer(std::move(asked), DecryptionFailed{});
  }
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerComputation& call) {
  Compute answer;
  Compute* const asked = question<Compute>(call.token);
  if (asked != nullptr) answer.token = std::move(asked->token);
  if (asked != nullptr && call.own) answer.job = std::move(asked->job);
  if (connection_->answer(std::move(answer)) || asked == nullptr) return std::nullopt;
  asked->token = std::move(answer.token);
  if (call.own) asked->job = std::move(answer.job);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerPsk& call) {
  Token<SelectPsk> none;
  auto& asked = token(call.token, none);
  if (call.chosen) {
    std::vector<PskChosen> chosen{{.identity = call.identity.bytes,
                                   .key = call.key.bytes,
                                   .hash = call.hash,
                                   .import = call.import,
                                   .context = call.context.bytes}};
    for (const OfferedPsk& psk : call.others)
      chosen.push_back({.identity = psk.identity.bytes,
                        .key = psk.key.bytes,
                        .hash = psk.hash,
                        .import = psk.import,
                        .context = psk.context.bytes});
    (void)connection_->answer(std::move(asked), chosen);
  } else {
    (void)connection_->answer(std::move(asked), NoPsk{});
  }
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerPskLookup& call) {
  Token<FindPsk> none;
  auto& asked = token(call.token, none);
  if (call.found) {
    (void)connection_->answer(
        std::move(asked),
        PskFound{.key = call.key.bytes, .peer_identity = call.peer_identity.bytes, .hash = call.hash});
  } else {
    (void)connection_->answer(std::move(asked), PskUnknown{});
  }
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerVerdict& call) {
  Token<VerifyPeer> none;
  auto& asked = token(call.token, none);
  if (call.accepted) {
    (void)connection_->answer(
        std::move(asked),
        PeerAccepted{.identity = call.identity.bytes, .expires = call.expires, .unverified = call.unverified});
  } else {
    PeerRejected rejected{call.reason, call.detail};
    if (call.alert != Alert::close_notify) rejected.alert = call.alert;
    (void)connection_->answer(std::move(asked), rejected);
  }
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerTicketOpened& call) {
  Token<OpenTicket> none;
  auto& asked = token(call.token, none);
  if (!call.opened) {
    (void)connection_->answer(std::move(asked), TicketDeclined{});
    return std::nullopt;
  }
  auto session = Session::parse(call.session.bytes);
  if (!session) return TapeError::value_out_of_range;
  (void)connection_->answer(std::move(asked), std::move(*session));
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerEarlyData& call) {
  Token<AcceptEarlyData> none;
  auto& asked = token(call.token, none);
  if (call.accepted) {
    (void)connection_->answer(std::move(asked), EarlyDataAccepted{});
  } else {
    (void)connection_->answer(std::move(asked), EarlyDataDeclined{});
  }
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const AnswerTicketSealed& call) {
  Token<SealTicket> none;
  auto& asked = token(call.token, none);
  if (call.sealed) {
    (void)connection_->answer(std::move(asked), call.ticket.bytes);
  } else {
    (void)connection_->answer(std::move(asked), TicketDeclined{});
  }
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const Close& /*call*/) {
  connection_->close();
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const Cancel& call) {
  connection_->cancel(call.why);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const UpdateKeys& call) {
  (void)connection_->update_keys(call.request_peer);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const SetMaxSendFragment& call) {
  (void)connection_->set_max_send_fragment(static_cast<std::size_t>(call.bytes));
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const Renegotiate& call) {
  (void)connection_->renegotiate(call.now, call.asks ? std::optional(call.client_auth) : std::nullopt);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const Offload& call) {
  (void)connection_->offload(call.direction);
  return std::nullopt;
}

std::optional<TapeError> Replay::Player::play(const ForgetExporter& /*call*/) {
  (void)connection_->forget_exporter();
  return std::nullopt;
}

// --- questions -------------------------------------------------------------------------------------------------------

void Replay::Player::tell(Event event) {
  const TokenNumber number = std::visit(
      [](const auto& told) -> TokenNumber {
        if constexpr (requires { told.token; }) return TokenAccess::number(told.token);
        return 0;
      },
      event);
  if (number != 0) questions_.emplace_back(number, std::move(event));
}

template <class Asked>
Token<Asked>& Replay::Player::token(TokenNumber number, Token<Asked>& none) noexcept {
  auto* const asked = question<Asked>(number);
  return asked != nullptr ? asked->token : none;
}

template <class Asked>
Asked* Replay::Player::question(TokenNumber number) noexcept {
  const auto found = std::ranges::find(questions_, number, &std::pair<TokenNumber, Event>::first);
  return number == 0 || found == questions_.end() ? nullptr : std::get_if<Asked>(&found->second);
}

// A token is spent when its answer is taken, and not by a call that is refused.
void Replay::Player::forget_answered() noexcept {
  std::erase_if(questions_, [](const auto& question) {
    return std::visit(
        [](const auto& told) {
          if constexpr (requires { told.token; }) return !told.token;
          return true;
        },
        question.second);
  });
}

MutableBytes Replay::Player::room(std::uint64_t size) {
  if (scratch_.size() < size) scratch_.resize(static_cast<std::size_t>(size));
  return MutableBytes(scratch_).first(static_cast<std::size_t>(size));
}

}  // namespace lockstep::trace
