// What `lockstep scan` asks, and in which order.

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include <lockstep/answers.hpp>
#include <lockstep/config.hpp>
#include <lockstep/lists.hpp>

#include "facts.hpp"
#include "provider.hpp"
#include "scan.hpp"

namespace lockstep::tool {
namespace {

/// Runs tasks in so many threads; the first failure is thrown again when all have ended.
void run_all(std::vector<std::function<void()>> tasks, std::size_t threads) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < tasks.size(); i = next++) {
      try {
        tasks[i]();
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!failure) failure = std::current_exception();
        next = tasks.size();
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 1; i < std::min(threads, tasks.size()); ++i) workers.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

/// Finds what a server takes of a list: whatever it chooses is left out of the next question. `choose` is given a list
/// and says what the server took of it.
template <class Each, class Choose>
Accepted<Each> discover(std::vector<Each> offered, Choose choose) {
  Accepted<Each> found;
  while (!offered.empty()) {
    const std::optional<Each> chosen = choose(offered);
    if (!chosen || std::erase(offered, *chosen) == 0) break;
    found.list.push_back(*chosen);
  }
  if (found.list.size() < 2) return found;
  // With the first one last: a server with an order of its own takes it all the same.
  std::vector<Each> turned = found.list;
  std::ranges::rotate(turned, std::next(turned.begin()));
  found.own_order = choose(turned) == found.list.front();
  return found;
}

/// The same where the server may want something beside what is asked about, as a group for its certificate's key: what
/// was found already stands behind the rest.
template <class Each, class Choose>
Accepted<Each> discover_beside(std::vector<Each> offered, Choose choose) {
  Accepted<Each> found = discover(offered, choose);
  for (const Each& each : found.list) std::erase(offered, each);
  while (!offered.empty() && !found.list.empty()) {
    std::vector<Each> question = offered;
    question.insert(question.end(), found.list.begin(), found.list.end());
    const std::optional<Each> chosen = choose(question);
    if (!chosen || std::erase(offered, *chosen) == 0) break;
    found.list.push_back(*chosen);
  }
  return found;
}

std::vector<CipherSuite> suites_for(ProtocolVersion version) {
  return version == ProtocolVersion::tls_1_3 ? suites(version, ListKind::all) : old_suites();
}

std::vector<SignatureScheme> all_schemes() {
  const std::span<const SignatureScheme> known = known_schemes();
  return {known.begin(), known.end()};
}

std::vector<NamedGroup> all_groups() {
  const std::span<const NamedGroup> known = known_groups();
  return {known.begin(), known.end()};
}

/// One whole handshake, and what came behind it.
struct Meeting {
  bool ok = false;
  Facts facts;
  std::optional<SignatureScheme> scheme;
  std::vector<Session> sessions;
  std::optional<Judgement> judgement;
  std::vector<std::vector<std::uint8_t>> chain;
  StaplesShown staples;
  bool asked_certificate = false;
  IoError error;
};

class Scanner {
 public:
  Scanner(const ScanOptions& options, const ScanSetup& setup, Gate& gate)
      : options_(options), setup_(setup), gate_(gate) {}

  Scan run() {
    find_versions();
    std::vector<std::function<void()>> tasks;
    for (const OldVersion& each : scan_.versions) {
      if (each.accepted) scan_.suites.push_back({each.version, {}});
    }
    for (SuitesOf& each : scan_.suites) tasks.emplace_back([this, &each] { find_suites(each); });
    if (accepts(ProtocolVersion::tls_1_3)) {
      tasks.emplace_back([this] { find_groups13(); });
      tasks.emplace_back([this] { find_schemes13(); });
    }
    if (accepts(ProtocolVersion::tls_1_2)) {
      tasks.emplace_back([this] { find_groups12(); });
      tasks.emplace_back([this] { find_schemes12(); });
      tasks.emplace_back([this] { find_dh(); });
      tasks.emplace_back([this] { find_compression(); });
    }
    tasks.emplace_back([this] { find_fallback(); });
    if (accepts(ProtocolVersion::tls_1_2) || accepts(ProtocolVersion::tls_1_3)) {
      tasks.emplace_back([this] { meet_server(); });
      tasks.emplace_back([this] { find_alpn(); });
      for (const ProtocolVersion version : {ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_2}) {
        if (accepts(version)) scan_.resumption.push_back({.version = version, .lifetime = {}, .failure = {}});
      }
      for (ResumptionOf& each : scan_.resumption) tasks.emplace_back([this, &each] { find_resumption(each); });
    }
    run_all(std::move(tasks), options_.parallel);
    scan_.asks_certificate = scan_.asks_certificate || asked_certificate_;
    return std::move(scan_);
  }

 private:
  // --- in clear ---

  Offer offer(ProtocolVersion version) const {
    return {.version = version,
            .suites = suites_for(version),
            .groups = all_groups(),
            .schemes = all_schemes(),
            .server_name = std::string(asked_name().host_name())};
  }

  void find_versions() {
    for (const ProtocolVersion version : {ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_1,
                                          ProtocolVersion::tls_1_0, ProtocolVersion::ssl_3_0})
      scan_.versions.push_back({.version = version, .refusal = {}, .choice = {}});
    std::vector<std::function<void()>> tasks;
    for (OldVersion& each : scan_.versions) tasks.emplace_back([this, &each] { find_version(each); });
    run_all(std::move(tasks), options_.parallel);
    for (const OldVersion& each : scan_.versions) {
      if (each.version == ProtocolVersion::tls_1_2) scan_.hello12 = each.choice;
      if (each.choice && each.choice->asks_certificate) scan_.asks_certificate = true;
    }
    if (std::ranges::none_of(scan_.versions, &OldVersion::accepted)) {
      throw Failure("the server takes no version of TLS: " + scan_.versions.front().refusal,
                    "Check the port, whether the protocol begins with --starttls, and the name (--name).");
    }
  }

  void find_version(OldVersion& each) {
    const auto answer = gate_.ask(offer(each.version));
    if (!answer) {
      each.refusal = answer.error().text;
    } else if (answer->version != each.version) {
      each.refusal = "it answers with " + to_text(answer->version);
    } else {
      each.accepted = true;
      each.choice = *answer;
    }
  }

  bool accepts(ProtocolVersion version) const {
    return std::ranges::any_of(scan_.versions,
                               [version](const OldVersion& each) { return each.version == version && each.accepted; });
  }

  void find_suites(SuitesOf& of) {
    Offer question = offer(of.version);
    of.suites = discover(question.suites, [&](const std::vector<CipherSuite>& list) -> std::optional<CipherSuite> {
      question.suites = list;
      const auto answer = gate_.ask(question);
      if (!answer || answer->version != of.version) return std::nullopt;
      return answer->suite;
    });
  }

  void find_groups13() {
    Offer question = offer(ProtocolVersion::tls_1_3);
    scan_.groups13 = discover(question.groups, [&](const std::vector<NamedGroup>& list) -> std::optional<NamedGroup> {
      question.groups = list;
      const auto answer = gate_.ask(question);
      return answer ? answer->group : std::nullopt;
    });
  }

  Offer offer12(std::string_view kind) const {
    Offer question = offer(ProtocolVersion::tls_1_2);
    std::erase_if(question.suites, [kind](CipherSuite suite) { return !suite_text(suite).starts_with(kind); });
    return question;
  }

  void find_groups12() {
    Offer question = offer12("TLS_ECDHE_");
    std::erase_if(question.groups, [](NamedGroup group) { return is_finite_field(group); });
    scan_.groups12 =
        discover_beside(question.groups, [&](const std::vector<NamedGroup>& list) -> std::optional<NamedGroup> {
          question.groups = list;
          const auto answer = gate_.ask(question);
          return answer ? answer->group : std::nullopt;
        });
  }

  void find_schemes12() {
    Offer question = offer12("TLS_ECDHE_");
    const Offer with_dh = offer12("TLS_DHE_");
    question.suites.insert(question.suites.end(), with_dh.suites.begin(), with_dh.suites.end());
    scan_.schemes12 =
        discover(question.schemes, [&](const std::vector<SignatureScheme>& list) -> std::optional<SignatureScheme> {
          question.schemes = list;
          const auto answer = gate_.ask(question);
          return answer ? answer->scheme : std::nullopt;
        });
  }

  void find_dh() {
    Offer question = offer12("TLS_DHE_");
    // RFC 7919 4: a client that lists none of its groups gets what the server has of its own.
    std::erase_if(question.groups, [](NamedGroup group) { return is_finite_field(group); });
    if (const auto answer = gate_.ask(question)) scan_.dh_bits = answer->dh_bits;
  }

  void find_compression() {
    Offer question = offer(ProtocolVersion::tls_1_2);
    question.compression = true;
    const auto answer = gate_.ask(question);
    scan_.compression = answer && answer->compression;
  }

  /// RFC 7507 3: with TLS_FALLBACK_SCSV a server that has a newer version refuses.
  void find_fallback() {
    const auto newest = std::ranges::find_if(scan_.versions, &OldVersion::accepted);
    const auto older = std::find_if(std::next(newest), scan_.versions.end(), std::mem_fn(&OldVersion::accepted));
    if (older == scan_.versions.end()) return;
    Offer question = offer(older->version);
    question.suites.push_back(CipherSuite::fallback_scsv);
    const auto answer = gate_.ask(question);
    scan_.fallback_scsv = !answer && answer.error().alert == Alert::inappropriate_fallback;
  }

  // --- whole handshakes ---

  x509::PeerName asked_name() const { return setup_.server_name ? *setup_.server_name : setup_.name; }

  /// Who the peer is decides nothing here: it is told.
  ClientConfigBuilder builder() const {
    return builder(accepts(ProtocolVersion::tls_1_2) ? ProtocolVersion::tls_1_2 : ProtocolVersion::tls_1_3,
                   accepts(ProtocolVersion::tls_1_3) ? ProtocolVersion::tls_1_3 : ProtocolVersion::tls_1_2);
  }
  static ClientConfigBuilder builder(ProtocolVersion oldest, ProtocolVersion newest) {
    ClientConfigBuilder config = ConfigBuilder::client(provider());
    config.versions(oldest, newest);
    if (oldest == ProtocolVersion::tls_1_2)
      config.allow_no_extended_main_secret(true).allow_no_renegotiation_info(true).allow_unknown_dh_groups(true);
    std::vector<CipherSuite> every;
    std::vector<NamedGroup> groups;
    for (const ProtocolVersion version : versions()) {
      if (rank(version) < rank(oldest) || rank(version) > rank(newest)) continue;
      for (const CipherSuite suite : suites(version, ListKind::all)) {
        const auto made_of = parts(suite);
        if (provider().supports(suite) && made_of->authentication != SuiteAuthentication::psk &&
            made_of->key_exchange != KeyExchangeMethod::rsa_psk)
          every.push_back(suite);
      }
    }
    for (const ProtocolVersion version : {newest, oldest}) {
      for (const NamedGroup group : lockstep::groups(version)) {
        if (provider().supports(group) && std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
      }
    }
    config.suites(std::move(every)).groups(std::move(groups));
    config.dangerous().skip_verification();
    return config;
  }

  Meeting meet(const ClientConfigBuilder& config, std::span<Session> sessions = {}, bool wait_for_tickets = false) {
    Meeting meeting;
    const auto built = config.build();
    if (!built) {
      meeting.error.text = built.error().front().text;
      return meeting;
    }
    PeerCheck check(setup_.anchors, setup_.name, Role::server, {}, {}, true);
    blocking::Options options{.config = *built, .answers = setup_.answers};
    options.random = &random_source();
    options.handshake_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(options_.timeout * 1000));
    options.linger = std::chrono::milliseconds(0);
    options.intercept = [&](Connection& engine, Event& event) {
      if (std::holds_alternative<SelectCredential>(event)) meeting.asked_certificate = true;
      return check(engine, event);
    };
    auto socket = gate_.open();
    if (!socket) {
      meeting.error.text = "the server takes no connection";
      return meeting;
    }
    auto stream = blocking::wrap(std::move(*socket), options,
                                 {.name = setup_.name, .sessions = sessions, .server_name = setup_.server_name});
    if (!stream) {
      meeting.error = std::move(stream.error());
      return meeting;
    }
    if (auto shaken = stream->handshake(); !shaken) {
      meeting.error = std::move(shaken.error());
      if (meeting.error.condition == IoCondition::timeout) gate_.note_unanswered();
      return meeting;
    }
    meeting.ok = true;
    meeting.facts = facts_of(*stream);
    meeting.scheme = stream->connection().peer_scheme();
    if (wait_for_tickets) meeting.sessions = tickets_of(*stream);
    meeting.judgement = check.judgement();
    meeting.chain = check.chain();
    meeting.staples = check.staples();
    (void)stream->close();
    return meeting;
  }

  /// Tickets of TLS 1.3 come when the server likes, as a rule at once.
  static std::vector<Session> tickets_of(blocking::Stream& stream) {
    constexpr std::chrono::milliseconds kPatience{1000};
    constexpr std::chrono::milliseconds kForMore{50};
    std::vector<Session> all = stream.sessions();
    const blocking::Deadline end = blocking::after(kPatience);
    for (bool more = true; more;) {
      const blocking::Deadline next = blocking::after(kForMore);
      stream.set_read_deadline(std::min(*next, *end));
      const auto view = stream.read_view();
      std::vector<Session> came = stream.sessions();
      more = (view.has_value() && !view->empty()) || (!view && view.error().condition == IoCondition::timeout &&
                                                      blocking::Clock::now() < *end && all.empty() && came.empty());
      more = more || (!came.empty() && blocking::Clock::now() < *end);
      all.insert(all.end(), std::make_move_iterator(came.begin()), std::make_move_iterator(came.end()));
    }
    return all;
  }

  void meet_server() {
    const Meeting meeting = meet(builder().ocsp_stapling(true).signed_certificate_timestamps(true));
    if (!meeting.ok) {
      scan_.handshake_failure = meeting.error.text;
      return;
    }
    scan_.judgement = meeting.judgement;
    scan_.chain = meeting.chain;
    scan_.ocsp_response = meeting.staples.ocsp_response;
    scan_.scts = meeting.staples.scts;
    asked_certificate_ = meeting.asked_certificate;
  }

  void find_schemes13() {
    std::vector<SignatureScheme> offered;
    for (const SignatureScheme scheme : known_schemes()) {
      if (provider().supports(scheme) && !parts(scheme)->certificates_only) offered.push_back(scheme);
    }
    scan_.schemes13 =
        discover(offered, [&](const std::vector<SignatureScheme>& list) -> std::optional<SignatureScheme> {
          const Meeting meeting = meet(builder(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3).schemes(list));
          return meeting.ok ? meeting.scheme : std::nullopt;
        });
  }

  void find_alpn() {
    scan_.alpn =
        discover(parse_alpn(options_.alpn), [&](const std::vector<std::string>& list) -> std::optional<std::string> {
          const Meeting meeting = meet(builder().alpn(list));
          if (!meeting.ok || meeting.facts.alpn.empty()) return std::nullopt;
          return meeting.facts.alpn;
        });
  }

  void find_resumption(ResumptionOf& of) {
    constexpr std::uint32_t kMostEarlyData = 1U << 20U;
    ClientConfigBuilder config = builder(of.version, of.version);
    if (of.version == ProtocolVersion::tls_1_3) config.early_data(kMostEarlyData);
    Meeting first = meet(config, {}, true);
    if (!first.ok) {
      of.failure = first.error.text;
      return;
    }
    of.tickets = static_cast<std::size_t>(
        std::ranges::count_if(first.sessions, [](const Session& session) { return !session.ticket.empty(); }));
    if (first.sessions.empty()) return;
    const Session& newest = first.sessions.back();
    of.session_id = newest.ticket.empty();
    of.lifetime = newest.lifetime;
    of.max_early_data = newest.max_early_data;
    // None is sent; that it would have been taken is said all the same.
    const Meeting second = meet(config, {&first.sessions.back(), 1});
    of.resumed = second.ok && second.facts.resumed;
    if (of.max_early_data != 0 && second.ok) of.early_data = second.facts.early_data;
    if (!second.ok) of.failure = second.error.text;
  }

  const ScanOptions& options_;
  const ScanSetup& setup_;
  Gate& gate_;
  Scan scan_;
  bool asked_certificate_ = false;
};

}  // namespace

Gate::Gate(const ScanOptions& options, HostAndPort target, blocking::Canceller canceller)
    : options_(options), target_(std::move(target)), canceller_(std::move(canceller)) {
  progress_.emplace(!options.output.quiet && !options.output.json);
}

blocking::Deadline Gate::deadline() const {
  return blocking::after(std::chrono::milliseconds(static_cast<std::int64_t>(options_.timeout * 1000)));
}

void Gate::wait_for_turn() {
  const auto delay = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.delay));
  Clock::time_point turn;
  {
    const std::scoped_lock lock(mutex_);
    turn = std::max(next_, Clock::now());
    next_ = turn + delay;
  }
  while (Clock::now() < turn && !canceller_.canceled())
    std::this_thread::sleep_for(std::min<Clock::duration>(turn - Clock::now(), std::chrono::milliseconds(100)));
}

std::optional<blocking::Socket> Gate::open() {
  wait_for_turn();
  ++connections_;
  const blocking::Deadline end = deadline();
  const std::string& host = options_.address.empty() ? target_.host : options_.address;
  auto socket = blocking::Socket::connect(host, target_.port, end, canceller_, resolve_of(options_.family));
  {
    const std::scoped_lock lock(mutex_);
    if (!socket) {
      if (address_.empty()) throw Failure(socket.error().text);
      ++unanswered_;
      return std::nullopt;
    }
    if (address_.empty()) address_ = peer_address(socket->descriptor()).text();
    if (progress_) progress_->show(std::to_string(connections_) + " connections to " + address_);
  }
  start_tls(options_.starttls, *socket, end);
  return std::optional(std::move(*socket));
}

std::expected<Choice, NoChoice> Gate::ask(const Offer& offer) {
  std::optional<blocking::Socket> socket = open();
  if (!socket) return std::unexpected(NoChoice{.text = "the server takes no connection"});
  auto answer = tool::ask(*socket, offer, deadline());
  if (!answer && answer.error().timed_out) note_unanswered();
  return answer;
}

std::string Gate::address() const {
  const std::scoped_lock lock(mutex_);
  return address_;
}

Scan scan(const ScanOptions& options, const ScanSetup& setup, Gate& gate) {
  return Scanner(options, setup, gate).run();
}

}  // namespace lockstep::tool
