#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <lockstep/connection.hpp>
#include <lockstep/explain.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/x509.hpp>

#include "hello_text.hpp"

namespace lockstep {
namespace {

using explaining::Hello;
using explaining::Octets;

/// Bytes that mean nothing: no key that is made of them is used for anything.
class Filler final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    for (std::uint8_t& byte : out) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      byte = static_cast<std::uint8_t>(state_ >> 56U);
    }
    return true;
  }

 private:
  std::uint64_t state_ = 1;
};

/// A ticket that the engine had looked up.
struct LookedUp {
  bool opened = false;
  std::string why;  ///< it was not
  Session session;
};

/// What the engine came to.
struct Outcome {
  std::shared_ptr<const ServerConfig> config;  ///< that it went by in the end (`SelectConfig`)
  std::shared_ptr<const AnswerSetup> answers;  ///< the same
  std::string unsuitable;                      ///< the only certificate that there is: why it will not do
  std::optional<Error> failure;
  std::optional<ProtocolVersion> version;
  std::optional<CipherSuite> suite;
  std::optional<NamedGroup> group;
  std::optional<SignatureScheme> scheme;
  std::shared_ptr<const Credential> credential;
  std::string alpn;
  bool retried = false;
  bool resumed = false;
  std::vector<LookedUp> tickets;
};

/// RFC 9846 4.2.4: what a HelloRetryRequest asks for.
struct RetryRequest {
  std::optional<NamedGroup> group;
  Octets cookie;
};

std::size_t number_at(Bytes bytes, std::size_t at, std::size_t width) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < width && at + i < bytes.size(); ++i) value = value << 8U | bytes[at + i];
  return value;
}

RetryRequest retry_request(Bytes record) {
  // Record and message have headers of five and four bytes, then come version, random, session id, suite, compression.
  constexpr std::size_t kSessionId = 5 + 4 + 2 + 32;
  RetryRequest request;
  std::size_t at = kSessionId + 1 + number_at(record, kSessionId, 1) + 3;
  const std::size_t end = std::min(record.size(), at + 2 + number_at(record, at, 2));
  for (at += 2; at + 4 <= end;) {
    const auto type = static_cast<ExtensionType>(number_at(record, at, 2));
    const std::size_t size = number_at(record, at + 2, 2);
    at += 4;
    if (size > end - at) break;
    if (type == ExtensionType::key_share) request.group = static_cast<NamedGroup>(number_at(record, at, 2));
    if (type == ExtensionType::cookie)
      request.cookie.assign(record.begin() + static_cast<std::ptrdiff_t>(at),
                            record.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
  }
  return request;
}

Octets records_of(Bytes message) {
  constexpr std::size_t kMost = std::size_t{1} << 14U;
  Octets out;
  while (!message.empty()) {
    const Bytes fragment = message.first(std::min(message.size(), kMost));
    for (const std::size_t byte :
         {std::size_t{22}, std::size_t{3}, std::size_t{1}, fragment.size() >> 8U, fragment.size() & 0xffU})
      out.push_back(static_cast<std::uint8_t>(byte));
    out.insert(out.end(), fragment.begin(), fragment.end());
    message = message.subspan(fragment.size());
  }
  return out;
}

Octets transmitted(Connection& connection, Time now) {
  Octets out;
  std::array<std::uint8_t, 4096> buffer;
  while (const std::size_t size = connection.transmit(buffer, now))
    out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  return out;
}

/// A share that a client would send for this group; empty when none can be made.
Octets share_of(const Config& server, NamedGroup group, Time now) {
  ClientConfigBuilder builder = ConfigBuilder::client(server.provider());
  builder.versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3)
      .groups({group})
      .key_shares({group})
      .grease(false);
  (void)builder.dangerous().skip_verification();
  (void)builder.dangerous().allow_insecure_provider();
  const auto config = builder.build();
  if (!config) return {};
  Filler random;
  Connection client = Connection::client(*config, {.name = x509::NoNameCheck{}}, random, now);
  const Octets records = transmitted(client, now);
  if (records.size() <= Connection::kRecordHeader) return {};
  const auto hello = Hello::read(Bytes(records).subspan(Connection::kRecordHeader));
  return hello ? hello->share(group) : Octets();
}

/// A server's own source of configurations, and what it said last.
class Listening final : public ConfigSource {
 public:
  explicit Listening(std::shared_ptr<const ConfigSource> source) : source_(std::move(source)) {}
  [[nodiscard]] ConfigChoice select(const SelectConfig& question) const override {
    return last_ = source_->select(question);
  }
  [[nodiscard]] const ConfigChoice& last() const noexcept { return last_; }

 private:
  std::shared_ptr<const ConfigSource> source_;
  mutable ConfigChoice last_;
};

/// The setup with its source listened to; as it is where it has none.
std::shared_ptr<const AnswerSetup> listened_to(const std::shared_ptr<const AnswerSetup>& setup) {
  if (setup->options().configs == nullptr) return setup;
  AnswerOptions options = setup->options();
  options.configs = std::make_shared<Listening>(options.configs);
  const auto made = AnswerSetup::create(std::move(options));
  return made ? *made : setup;
}

/// The engine, with what it asks answered as the server would, and nothing spent by it.
class Run {
 public:
  Run(const HelloQuestion& question, std::shared_ptr<const AnswerSetup> setup)
      : question_(question),
        setup_(std::move(setup)),
        answers_(setup_, random_),
        connection_(Connection::server(question.config, random_, {}, {.verification = setup_->verification()})) {
    outcome_.config = question.config;
    outcome_.answers = setup_;
  }

  /// Why the engine takes no such message; nothing when it takes it.
  std::optional<Error> refusal_of(Bytes message) {
    inbound_ = records_of(message);
    (void)go_on();
    return outcome_.failure;
  }

  /// `message` is what it was read from, every bit of it.
  Outcome of(const Hello& hello, Bytes message) {
    inbound_ = records_of(message);
    while (go_on()) {
      if (!connection_.retried() || second_sent_) break;
      second_sent_ = true;
      if (!answer_retry(hello)) break;
    }
    if (!outcome_.failure && connection_.error() != nullptr) outcome_.failure = *connection_.error();
    outcome_.version = connection_.version();
    outcome_.suite = connection_.suite();
    outcome_.group = connection_.group();
    outcome_.alpn = std::string(connection_.alpn());
    outcome_.retried = connection_.retried();
    outcome_.resumed = connection_.resumed();
    return std::move(outcome_);
  }

 private:
  /// To where the engine waits for more from the client; false when it has come to its end.
  bool go_on() {
    for (;;) {
      auto [consumed, event] = connection_.receive(inbound_, question_.now);
      inbound_.erase(inbound_.begin(), inbound_.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (std::holds_alternative<Nothing>(event)) return true;
      if (const auto* failed = std::get_if<Failed>(&event)) {
        outcome_.failure = failed->error;
        return false;
      }
      if (const auto* sign = std::get_if<Sign>(&event)) {
        outcome_.scheme = sign->scheme;
        return false;
      }
      answer(event);
    }
  }

  void answer(Event& event) {
    if (std::holds_alternative<SelectConfig>(event)) {
      answers_.answer(connection_, event);
      note_choice();
    } else if (auto* select = std::get_if<SelectCredential>(&event)) {
      const auto& credentials = outcome_.answers->options().credentials;
      if (credentials.size() == 1) {
        if (const auto withheld = unsuitable(credentials.front(), *select)) outcome_.unsuitable = withheld->text;
      }
      outcome_.credential = outcome_.answers->select(*select);
      if (outcome_.credential != nullptr) {
        (void)connection_.answer(std::move(select->token), outcome_.credential);
      } else {
        (void)connection_.answer(std::move(select->token), NoCredential{});
      }
    } else if (auto* open = std::get_if<OpenTicket>(&event)) {
      look_up(*open);
    } else if (auto* early = std::get_if<AcceptEarlyData>(&event)) {
      (void)connection_.answer(std::move(early->token), EarlyDataDeclined{});
    } else if (auto* seal = std::get_if<SealTicket>(&event)) {
      (void)connection_.answer(std::move(seal->token), TicketDeclined{});
    } else {
      answers_.answer(connection_, event);
    }
  }

  void note_choice() {
    const auto* const source = dynamic_cast<const Listening*>(setup_->options().configs.get());
    if (source == nullptr) return;
    if (source->last().selected.config != nullptr) outcome_.config = source->last().selected.config;
    if (source->last().setup != nullptr) outcome_.answers = source->last().setup;
  }

  /// Those of the setup before, where the one that was chosen has nothing of its own.
  const TicketKeyring* ticket_keys() const {
    const AnswerOptions& now = outcome_.answers->options();
    const bool own = now.ticket_keys != nullptr || now.session_store != nullptr;
    return own ? now.ticket_keys.get() : setup_->options().ticket_keys.get();
  }

  void look_up(OpenTicket& open) {
    LookedUp& looked_up = outcome_.tickets.emplace_back();
    const AnswerOptions& options = outcome_.answers->options();
    const TicketKeyring* const keys = ticket_keys();
    if (open.session_id || keys == nullptr) {
      looked_up.why = options.session_store != nullptr ? "it may name a session in the store, which was not looked into"
                                                       : "this server keeps no sessions";
    } else if (auto session = opened(*keys, open.ticket)) {
      looked_up.opened = true;
      looked_up.session = session->clone();
      (void)connection_.answer(std::move(open.token), std::move(*session));
      return;
    } else {
      looked_up.why = "no key here opens it (" + std::string(name(session.error())) + ")";
    }
    (void)connection_.answer(std::move(open.token), TicketDeclined{});
  }

  /// By copies of the keys: those of a server change with the time that they are asked at.
  std::expected<Session, TicketError> opened(const TicketKeyring& keyring, Bytes ticket) const {
    std::vector<TicketKey> all = keyring.keys();
    if (all.empty()) return std::unexpected(TicketError::unknown_key);
    auto keys = TicketKeys::dangerous().allow_insecure_provider(outcome_.config->provider(), std::move(all.front()));
    if (!keys) return std::unexpected(keys.error());
    for (std::size_t i = 1; i < all.size(); ++i) (void)keys->add_previous(std::move(all[i]));
    Octets room(TicketKeys::opened_size(ticket.size()));
    const auto size = keys->open(ticket, room);
    if (!size) return std::unexpected(size.error());
    auto session = Session::parse(Bytes(room).first(size->size));
    wipe(room);
    if (!session) return std::unexpected(TicketError::invalid);
    return std::move(*session);
  }

  /// The second ClientHello of a client that does what the HelloRetryRequest says.
  bool answer_retry(Hello hello) {
    const RetryRequest request = retry_request(transmitted(connection_, question_.now));
    hello.offer_no_session();
    if (!request.cookie.empty()) hello.set(ExtensionType::cookie, request.cookie);
    if (request.group) {
      const Octets share = share_of(*outcome_.config, *request.group, question_.now);
      if (share.empty()) return false;
      hello.offer_share(*request.group, share);
    }
    inbound_ = records_of(hello.write());
    return true;
  }

  const HelloQuestion& question_;
  std::shared_ptr<const AnswerSetup> setup_;
  Filler random_;
  Answers answers_;
  Connection connection_;
  Octets inbound_;
  Outcome outcome_;
  bool second_sent_ = false;
};

std::string sentence(Reason reason) {
  std::string text(explain(reason));
  if (text.ends_with('.')) text.pop_back();
  return text;
}

class Explainer {
 public:
  Explainer(const HelloQuestion& question, Hello hello)
      : question_(question), answers_(listened_to(question.answers)), hello_(std::move(hello)) {}

  Explained run() {
    outcome_ = Run(question_, answers_).of(hello_, question_.client_hello);
    without_session_ = hello_;
    without_session_.offer_no_session();
    Explained out;
    out.failure = outcome_.failure;
    out.version = outcome_.version;
    out.suite = outcome_.suite;
    out.group = outcome_.group;
    out.scheme = outcome_.scheme;
    out.credential = outcome_.scheme || !outcome_.resumed ? outcome_.credential : nullptr;
    out.alpn = outcome_.alpn;
    out.server_name = server_name();
    out.retried = outcome_.retried;
    out.resumed = outcome_.resumed;
    out.versions = versions();
    if (!outcome_.version) return out;  // whatever else there is, nobody looks at it
    out.suites = suites();
    out.groups = groups();
    out.schemes = schemes();
    out.certificates = certificates();
    out.protocols = protocols();
    out.tickets = tickets();
    return out;
  }

 private:
  // What the ClientHello has led to: the configuration of the question, where nobody chose another.
  const ServerConfig& config() const { return *outcome_.config; }
  const Settings& settings() const { return config().settings(); }
  const Provider& provider() const { return config().provider(); }
  bool by_13() const { return outcome_.version == ProtocolVersion::tls_1_3; }

  Outcome ask(const Hello& hello) const { return Run(question_, answers_).of(hello, hello.write()); }

  /// Why something fails that is alone of its kind.
  std::string alone(const Error& error) const {
    if (outcome_.failure && outcome_.failure->reason == error.reason) return "with it alone the handshake fails alike";
    if (error.reason == Reason::no_credential) return "no certificate of this server will do for it";
    return "with it alone the handshake fails: " + sentence(error.reason) + " [" + std::string(name(error.reason)) +
           "]";
  }

  std::string server_name() const {
    // RFC 6066 3: a list with its length, of which each entry has its type and its own length.
    constexpr std::size_t kHead = 5;
    const Octets* const list = hello_.extension(ExtensionType::server_name);
    if (list == nullptr || list->size() <= kHead) return {};
    return std::string(as_text(Bytes(*list).subspan(kHead)));
  }

  /// Each of a list once: `excluded` says why one is not even looked at, `with_only` is what puts it to the engine by
  /// itself, `taken` is what the engine took of the kind, and `preferred` why something else was.
  template <class Id, class Excluded, class WithOnly, class Taken, class Preferred>
  std::vector<Weighed> weigh(const std::vector<std::uint16_t>& offered, Excluded excluded, WithOnly with_only,
                             Taken taken, Preferred preferred) const {
    std::vector<Weighed> list;
    std::vector<bool> seen(std::size_t{1} << 16U);
    for (const std::uint16_t number : offered) {
      if (seen[number]) continue;
      seen[number] = true;
      const auto id = static_cast<Id>(number);
      Weighed each{.name = to_text(id), .why = {}};
      if (!outcome_.failure && taken(outcome_) == id) {
        each.chosen = each.possible = true;
        each.why = "chosen";
      } else if (is_grease(number)) {
        each.why = "GREASE (RFC 8701), which nobody takes";
      } else if (std::string why = excluded(id); !why.empty()) {
        each.why = std::move(why);
      } else {
        const Outcome by_itself = ask(with_only(number));
        each.possible = !by_itself.failure && taken(by_itself) == id;
        each.why = each.possible       ? preferred(id, by_itself)
                   : by_itself.failure ? alone(*by_itself.failure)
                                       : "by itself it is not taken either";
      }
      list.push_back(std::move(each));
    }
    return list;
  }

  std::vector<Weighed> versions() const {
    return weigh<ProtocolVersion>(
        hello_.versions(),
        [&](ProtocolVersion version) -> std::string {
          if (settings().speaks(version)) return {};
          return "the configuration speaks " + to_text(settings().min_version) +
                 (settings().min_version == settings().max_version ? "" : " to " + to_text(settings().max_version));
        },
        [&](std::uint16_t version) {
          Hello hello = without_session_;
          hello.offer_versions({version});
          return hello;
        },
        [](const Outcome& outcome) { return outcome.version; },
        [&](ProtocolVersion /*version*/, const Outcome& /*by_itself*/) -> std::string {
          return outcome_.failure ? "it would do" : "it would do, and " + to_text(*outcome_.version) + " is newer";
        });
  }

  /// Why one is not chosen that would do, by where both stand.
  template <class Ours, class Id, class IdOf>
  std::string preferred_to(const Ours& ours, bool by_server, Id id, std::optional<Id> chosen, IdOf id_of) const {
    if (outcome_.failure || !chosen) return "it would do";
    const auto place_of = [&](Id of) {
      return static_cast<std::size_t>(std::ranges::find(ours, of, id_of) - ours.begin());
    };
    std::string text = "it would do, and " + to_text(*chosen) + " is preferred";
    if (!by_server) return text + ": the client's order decides";
    if (place_of(*chosen) < place_of(id))
      return text + ": the server has it as number " + std::to_string(place_of(*chosen) + 1) + ", and this as " +
             std::to_string(place_of(id) + 1);
    return text + ", which stands before it in the client's list";
  }

  std::vector<Weighed> suites() const {
    return weigh<CipherSuite>(
        hello_.suites,
        [&](CipherSuite suite) -> std::string {
          if (suite == CipherSuite::fallback_scsv || suite == CipherSuite::empty_renegotiation_info_scsv)
            return "a signal and no suite";
          if (config().suite(suite) == nullptr) return absent(suite);
          const ProtocolVersion version = config().suite(suite)->version;
          if (version != *outcome_.version)
            return "it is a suite of " + to_text(version) + ", and " + to_text(*outcome_.version) + " is spoken";
          return {};
        },
        [&](std::uint16_t suite) {
          Hello hello = without_session_;
          std::erase_if(hello.suites, [suite](std::uint16_t each) {
            return each != suite && each != static_cast<std::uint16_t>(CipherSuite::empty_renegotiation_info_scsv);
          });
          return hello;
        },
        [](const Outcome& outcome) { return outcome.suite; },
        [&](CipherSuite suite, const Outcome& /*by_itself*/) {
          return preferred_to(settings().suites, settings().server_preference, suite, outcome_.suite,
                              &BoundSuite::suite);
        });
  }

  template <class Id>
  std::string absent(Id id) const {
    if (name(id).empty()) return "nobody here knows it";
    return provider().supports(id) ? "the configuration does not have it"
                                   : "the configuration does not have it, nor does the provider";
  }

  std::vector<Weighed> groups() const {
    const std::vector<std::uint16_t> shares = hello_.key_shares();
    return weigh<NamedGroup>(
        hello_.groups(),
        [&](NamedGroup group) { return config().group(group) == nullptr ? absent(group) : std::string(); },
        [&](std::uint16_t group) {
          Hello hello = without_session_;
          hello.offer_groups({group});
          return hello;
        },
        [](const Outcome& outcome) { return outcome.group; },
        [&](NamedGroup group, const Outcome& by_itself) {
          if (by_itself.retried && !outcome_.retried && !outcome_.failure)
            return std::string("it would do after a HelloRetryRequest, and for ") + to_text(*outcome_.group) +
                   " the client has sent a share";
          return preferred_to(settings().groups, settings().server_preference_of_groups, group, outcome_.group,
                              &BoundGroup::id);
        });
  }

  std::vector<Weighed> schemes() const {
    const auto& ours = settings().own_schemes();
    return weigh<SignatureScheme>(
        hello_.schemes(),
        [&](SignatureScheme scheme) -> std::string {
          const auto made_of = parts(scheme);
          if (!made_of) return "nobody here knows it";
          if (by_13() && made_of->certificates_only) return "in TLS 1.3 it is for certificates alone";
          return std::ranges::find(ours, scheme) == ours.end() ? absent(scheme) : std::string();
        },
        [&](std::uint16_t scheme) {
          Hello hello = without_session_;
          hello.offer_schemes({scheme});
          return hello;
        },
        [](const Outcome& outcome) { return outcome.scheme; },
        [&](SignatureScheme /*scheme*/, const Outcome& by_itself) -> std::string {
          if (outcome_.failure) return "it would do";
          if (!outcome_.scheme)
            return outcome_.resumed ? "it would do, and nothing is signed where a session is resumed"
                                    : "it would do, and nothing is signed";
          return "it would do, and " + to_text(*outcome_.scheme) + " is preferred" +
                 (by_itself.credential == outcome_.credential ? ": the certificate's key puts it first"
                                                              : ", with another certificate");
        });
  }

  std::vector<Weighed> certificates() const {
    std::vector<Weighed> list;
    const auto& credentials = outcome_.answers->options().credentials;
    for (std::size_t i = 0; i < credentials.size(); ++i) list.push_back(certificate(i, credentials[i]));
    return list;
  }

  Weighed certificate(std::size_t number, const std::shared_ptr<const Credential>& credential) const {
    const auto leaf = x509::Certificate::parse(credential->chain.front());
    Weighed each{.name = "certificate " + std::to_string(number + 1) + (leaf ? ": " + leaf->subject().text() : ""),
                 .why = {}};
    const std::string asked = server_name();
    const auto wanted = x509::PeerName::parse(asked);
    const bool named = asked.empty() || !wanted || !leaf || x509::matches(*leaf, *wanted);
    const std::string but = named ? "" : ", though it is not for " + wanted->text();
    if (!outcome_.failure && outcome_.scheme && outcome_.credential == credential) {
      each.chosen = each.possible = true;
      each.why = "chosen" + but;
      return each;
    }
    AnswerOptions options = outcome_.answers->options();
    options.credentials = {credential};
    options.configs = nullptr;  // it has been chosen
    const auto setup = AnswerSetup::create(std::move(options));
    if (!setup) {
      each.why = "it cannot be used: " + setup.error().front().text;
      return each;
    }
    HelloQuestion question = question_;
    question.config = outcome_.config;
    const Outcome by_itself = Run(question, *setup).of(without_session_, without_session_.write());
    each.possible = !by_itself.failure && by_itself.credential == credential;
    if (by_itself.failure && by_itself.failure->reason == Reason::no_credential) {
      each.why = by_itself.unsuitable.empty() ? alone(*by_itself.failure) : by_itself.unsuitable;
    } else if (by_itself.failure) {
      each.why = alone(*by_itself.failure);
    } else if (!each.possible) {
      each.why = "no certificate is shown";
    } else if (outcome_.resumed) {
      each.why = "it would do, and none is shown where a session is resumed";
    } else if (outcome_.failure || !outcome_.credential) {
      each.why = "it would do" + but;
    } else {
      each.why = "it would do, and another fits better" + (named ? std::string() : ": it is not for " + wanted->text());
    }
    return each;
  }

  std::vector<Weighed> protocols() const {
    std::vector<Weighed> list;
    for (const Octets& protocol : hello_.protocols()) {
      const std::string text(as_text(protocol));
      Weighed each{.name = text, .why = {}};
      if (!outcome_.failure && !text.empty() && outcome_.alpn == text) {
        each.chosen = each.possible = true;
        each.why = "chosen";
      } else if (settings().alpn.empty()) {
        each.why = "the configuration has no application protocols";
      } else if (std::ranges::find(settings().alpn, text) == settings().alpn.end()) {
        each.why = "the configuration does not have it";
      } else {
        Hello hello = without_session_;
        hello.offer_protocols({protocol});
        const Outcome by_itself = ask(hello);
        each.possible = !by_itself.failure && by_itself.alpn == text;
        each.why = !each.possible && by_itself.failure ? alone(*by_itself.failure)
                   : outcome_.alpn.empty()             ? "it would do"
                                                       : "it would do, and the server prefers " + outcome_.alpn;
      }
      list.push_back(std::move(each));
    }
    return list;
  }

  std::vector<Weighed> tickets() const {
    std::vector<Weighed> list;
    std::vector<std::string> names;
    for (const Octets& ticket : by_13() ? hello_.tickets() : old_tickets())
      names.push_back("ticket " + std::to_string(names.size() + 1) + " of " + std::to_string(ticket.size()) + " bytes");
    for (std::size_t i = 0; i < names.size(); ++i) {
      Weighed each{.name = names[i], .why = {}};
      if (i >= outcome_.tickets.size()) {
        each.why = outcome_.resumed ? "one before it is resumed" : not_asked();
      } else if (const LookedUp& looked_up = outcome_.tickets[i]; !looked_up.opened) {
        each.why = looked_up.why;
      } else if (outcome_.resumed && i + 1 == outcome_.tickets.size()) {
        each.chosen = each.possible = true;
        each.why = "resumed";
      } else {
        each.why = against(looked_up.session);
      }
      list.push_back(std::move(each));
    }
    return list;
  }

  std::vector<Octets> old_tickets() const {
    const Octets* const ticket = hello_.extension(ExtensionType::session_ticket);
    if (ticket != nullptr && !ticket->empty()) return {*ticket};
    return {};
  }

  std::string not_asked() const {
    if (outcome_.failure) return "nobody looks at it: the handshake fails";
    if (!settings().resumption) return "the configuration resumes no sessions";
    if (outcome_.retried) return "nobody looks at it before the client has answered the HelloRetryRequest";
    return "nobody looks at it: without psk_dhe_ke it is of no use, and of many tickets the first ones are tried alone";
  }

  /// What there is to say against a session that the engine did not take; it is the engine that has judged it.
  std::string against(const Session& session) const {
    std::string text;
    const auto add = [&text](bool is, std::string_view what) {
      if (!is) return;
      text += text.empty() ? "it is not resumed: " : ", ";
      text += what;
    };
    const auto made_of = parts(session.suite);
    const auto agreed = outcome_.suite ? parts(*outcome_.suite) : std::nullopt;
    const std::string asked = server_name();
    add(session.version != *outcome_.version, "it is of another version");
    add(!session.usable(question_.now, std::chrono::seconds(settings().max_authentication_age)), "it has ended");
    add(config().suite(session.suite) == nullptr, "the configuration does not have its suite");
    add(by_13() && made_of && agreed && made_of->hash != agreed->hash, "its suite has another hash");
    add(session.name.host_name() != asked, "it was made for another name");
    add(session.context != config().session_context(outcome_.answers->verification()),
        "it was made where clients are verified by other rules");
    add(settings().client_auth == ClientAuth::require && !session.peer_verified && !session.unverified,
        "it has no client's certificate");
    return text.empty() ? "it is not resumed: it does not fit this ClientHello" : text;
  }

  const HelloQuestion& question_;
  std::shared_ptr<const AnswerSetup> answers_;
  Hello hello_;
  Hello without_session_;
  Outcome outcome_;
};

void add_list(std::string& text, std::string_view title, const std::vector<Weighed>& list) {
  if (list.empty()) return;
  text += std::string(title) + "\n";
  std::size_t width = 0;
  for (const Weighed& each : list) width = std::max(width, each.name.size());
  for (const bool chosen : {true, false}) {
    for (const Weighed& each : list) {
      if (each.chosen != chosen) continue;
      text += std::string(chosen ? "  * " : "    ") + each.name + std::string(width - each.name.size() + 2, ' ') +
              each.why + "\n";
    }
  }
}

}  // namespace

std::string Explained::text() const {
  std::string text;
  if (failure) {
    text = "fails: " + to_text(*failure) + "\n";
  } else {
    text = to_text(*version);
    if (suite) text += ", " + to_text(*suite);
    if (group) text += ", " + to_text(*group);
    if (retried) text += " (after HelloRetryRequest)";
    if (resumed) text += ", resumed";
    if (scheme) text += ", signed with " + to_text(*scheme);
    if (!alpn.empty()) text += ", " + alpn;
    text += "\n";
  }
  add_list(text, "versions", versions);
  add_list(text, "suites", suites);
  add_list(text, "groups", groups);
  add_list(text, "signature schemes", schemes);
  add_list(text, "certificates", certificates);
  add_list(text, "application protocols", protocols);
  add_list(text, "tickets", tickets);
  return text;
}

std::expected<Explained, Error> explain(const HelloQuestion& question) {
  auto hello = Hello::read(question.client_hello);
  if (!hello) {
    const auto refusal = Run(question, question.answers).refusal_of(question.client_hello);
    return std::unexpected(refusal.value_or(make_error(Reason::message_truncated, Place::client_hello)));
  }
  return Explainer(question, std::move(*hello)).run();
}

}  // namespace lockstep
