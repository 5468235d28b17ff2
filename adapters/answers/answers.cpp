#include <algorithm>
#include <array>
#include <mutex>
#include <utility>
#include <variant>

#include <lockstep/answers.hpp>

namespace lockstep {

/// A verdict that is due, and all that it refers to.
struct Answers::Judging {
  Judging(const AnswerOptions& options, std::span<const Bytes> chain, const VerifyPeer& peer)
      : request{.provider = options.provider,
                .anchors = options.anchors == nullptr ? no_anchors : *options.anchors,
                .chain = chain,
                .peer = peer.peer,
                .name = options.peer_rules == nullptr ? peer.name : x509::PeerName(x509::NoNameCheck{}),
                .time = std::chrono::floor<std::chrono::seconds>(peer.now).time_since_epoch().count(),
                .policy = options.policy,
                .use = peer.use,
                .verified = options.verified_links.get()} {
    if (options.peer_rules != nullptr) request.policy.offer_unknown_extensions = true;
  }

  x509::TrustAnchors no_anchors;
  x509::VerifyRequest request;
  std::optional<x509::Verification> begun{};
};

Answers::Answers(std::shared_ptr<const AnswerSetup> setup, RandomSource& random) noexcept
    : setup_(std::move(setup)), random_(&random) {}
Answers::Answers(Answers&&) noexcept = default;
Answers& Answers::operator=(Answers&&) noexcept = default;
Answers::~Answers() = default;

bool Answers::answer(Connection& connection, Event& event) {
  return std::visit(
      [&]<class T>(T& operation) {
        if constexpr (requires { operation.token; }) {
          reply(connection, operation);
          return true;
        } else {
          if constexpr (requires { settle(operation); }) settle(operation);
          return false;
        }
      },
      event);
}

// An answer can only be refused as misuse when the connection has failed meanwhile or the token is another's; the
// engine then says so itself, by the event that follows.

void Answers::reply(Connection& connection, SelectConfig& question) {
  const auto& configs = setup_->options().configs;
  ConfigChoice choice = configs == nullptr ? ConfigChoice() : configs->select(question);
  const AnswerSetup& setup = choice.setup != nullptr ? *choice.setup : *setup_;
  if (setup.options().refuse_unknown_names && !setup.has_name(question.server_name) && !choice.refused)
    choice.refused = ClientHelloRefused{Alert::unrecognized_name};
  if (choice.refused) return (void)connection.answer(std::move(question.token), *choice.refused);
  if (choice.setup != nullptr) {
    choice.selected.verification = choice.setup->verification();
    before_ = std::exchange(setup_, std::move(choice.setup));
  }
  if (connection.answer(std::move(question.token), std::move(choice.selected))) return;
  // The source wants a protocol that cannot be had. Nobody may take its configuration for decided on.
  (void)connection.answer(std::move(question.token), ClientHelloRefused{Alert::internal_error});
}

const TicketKeyring* Answers::ticket_keys() const noexcept {
  const AnswerOptions& now = setup_->options();
  const bool own = now.ticket_keys != nullptr || now.session_store != nullptr || before_ == nullptr;
  return own ? now.ticket_keys.get() : before_->options().ticket_keys.get();
}

void Answers::reply(Connection& connection, SelectCredential& wishes) {
  auto credential = setup_->select(wishes);
  if (credential == nullptr) {
    if (auto withheld = setup_->withheld(wishes)) withheld_ = std::make_unique<const Withheld>(*std::move(withheld));
    (void)connection.answer(std::move(wishes.token), NoCredential{});
    return;
  }
  const bool answered = connection.answer(std::move(wishes.token), std::move(credential)).has_value();
  // A client goes on without a certificate that its configuration lets it not sign for.
  if (answered && wishes.role == Role::client && connection.error() == nullptr && !connection.own_scheme()) {
    withheld_ = std::make_unique<const Withheld>(
        Withheld{Withheld::Because::own_schemes,
                 "No certificate of ours was sent: its key signs with no scheme that both the server verifies and our "
                 "configuration allows. Allow one of its schemes, or configure a certificate with another key."});
  }
}

void Answers::reply(Connection& connection, Sign& sign) {
  std::array<std::uint8_t, kMaxSignatureSize> signature;
  const SigningKey* key = sign.credential == nullptr ? nullptr : sign.credential->key.get();
  const std::size_t size = key == nullptr ? 0 : key->sign(sign.scheme, sign.message, *random_, signature);
  if (size != 0) {
    (void)connection.answer(std::move(sign.token), Bytes(signature).first(size));
  } else {
    (void)connection.answer(std::move(sign.token), SigningFailed{});
  }
}

void Answers::look_at(const VerifyPeer& peer) {
  judging_.reset();
  // The verdict refers to the certificates.
  verdict_.reset();
  shown_ = peer.shown;
  judged_ = peer.peer;
  expected_ = peer.name;
  chain_.assign(shown_->chain.begin(), shown_->chain.end());
}

std::span<SignatureJob> Answers::begin(const VerifyPeer& peer) {
  look_at(peer);
  judging_ = std::make_unique<Judging>(setup_->options(), chain_, peer);
  return judging_->begun.emplace(judging_->request).signatures();
}

void Answers::reply(Connection& connection, VerifyPeer& peer) {
  const PeerDecision decision = judge(peer);
  (void)connection.answer(std::move(peer.token), decision);
  // Of a peer that is not verified the verdict says why, and of whom.
  if (std::holds_alternative<PeerRejected>(decision) || !verdict_->ok() || setup_->options().keep_peer_chain) return;
  verdict_->chain = {};
  verdict_->other_chains = {};
  chain_ = {};
  shown_ = nullptr;
}

PeerDecision Answers::judge(const VerifyPeer& peer) {
  if (judging_ != nullptr && shown_ == peer.shown) {
    verdict_ = std::move(*judging_->begun).finish();
    judging_.reset();
  } else {
    look_at(peer);
    verdict_ = x509::verify(Judging(setup_->options(), chain_, peer).request);
  }
  if (setup_->options().peer_rules != nullptr) apply_rules();
  const PeerRejected objection = rejected();
  if (objection.reason == Reason::none) return accepted();
  // What could not be judged at all is nobody's fault, and no reserve.
  if (setup_->options().dangerous.accept_unverified_peers && objection.reason != Reason::provider_failed)
    return accepted_unverified();
  return objection;
}

// The application's rules have the last word on what the verdict leaves open.
void Answers::apply_rules() {
  const PeerRules& rules = *setup_->options().peer_rules;
  x509::Verdict& verdict = *verdict_;
  if (std::ranges::all_of(verdict.unhandled, [&](const x509::UnhandledExtension& each) {
        return rules.accepts(verdict.chain[each.depth], each.extension);
      }))
    verdict.accept_unhandled();
  verdict.name = expected_;
  if (expected_.kind() == x509::PeerName::Kind::any || verdict.chain.empty()) return;
  const x509::Certificate leaf = verdict.chain.front();
  if (rules.matches(leaf, expected_)) return;
  const x509::Code code =
      expected_.kind() == x509::PeerName::Kind::dns ? x509::Code::hostname_mismatch : x509::Code::ip_address_mismatch;
  if (!verdict.ok()) return verdict.further.push_back({.code = code, .depth = 0, .certificate = leaf});
  verdict.code = code;
  verdict.depth = 0;
  verdict.culprit = leaf;
  verdict.other_chains.clear();
}

// A reason that is none where there is nothing to object to.
PeerRejected Answers::rejected() const {
  if (!verdict_->ok())
    return {.reason = reason_of(verdict_->code), .detail = static_cast<std::uint16_t>(verdict_->code)};
  // RFC 6066 8: "Clients requesting an OCSP response and receiving an OCSP response in a "CertificateStatus" message
  // MUST check the OCSP response and abort the handshake if the response is not satisfactory".
  if (shown_ != nullptr && !shown_->ocsp_response.empty() && !setup_->options().ignore_stapled_responses)
    return {.reason = Reason::certificate_status};
  return {.reason = Reason::none};
}

PeerAccepted Answers::accepted() const {
  if (!verdict_) return {};
  PeerAccepted answer;
  // A server is known by the name that its client expects. A client's own certificate says who it is.
  if (judged_ == Role::client && !chain_.empty()) answer.identity = chain_.front();
  if (!verdict_->chain.empty()) {
    const auto first = std::ranges::min_element(verdict_->chain, {}, &x509::Certificate::not_after);
    answer.expires = Time(std::chrono::seconds(first->not_after() + 1));
  }
  return answer;
}

PeerAccepted Answers::accepted_unverified() const {
  if (!verdict_) return {};
  PeerAccepted answer = accepted();
  const PeerRejected objection = rejected();
  if (objection.reason == Reason::none) return answer;
  answer.unverified = {.reason = objection.reason, .detail = objection.detail};
  answer.expires = Time::max();  // it is judged again each time
  return answer;
}

bool PeerRules::matches(const x509::Certificate& leaf, const x509::PeerName& name) const {
  return x509::matches(leaf, name);
}

bool PeerRules::accepts(const x509::Certificate& /*certificate*/, const x509::Extension& /*extension*/) const {
  return false;
}

void Answers::reply(Connection& connection, Decrypt& decrypt) {
  Secret<48> premaster(48);
  const auto& key = decrypt.credential->key;
  if (key != nullptr && key->decrypt(decrypt.ciphertext, *random_, premaster.writable())) {
    (void)connection.answer(std::move(decrypt.token), premaster.view());
  } else {
    (void)connection.answer(std::move(decrypt.token), DecryptionFailed{});
  }
}

void Answers::reply(Connection& connection, Compute& compute) { (void)connection.answer(std::move(compute)); }

void Answers::reply(Connection& connection, SelectPsk& select) {
  const auto& psks = setup_->options().psks;
  if (psks != nullptr && select.version == ProtocolVersion::tls_1_3) return offer_psks(connection, select, *psks);
  const auto chosen = psks == nullptr ? std::nullopt : psks->select(select);
  if (!chosen) return (void)connection.answer(std::move(select.token), NoPsk{});
  (void)connection.answer(std::move(select.token),
                          PskChosen{.identity = as_bytes(chosen->identity), .key = chosen->key.view()});
}

void Answers::offer_psks(Connection& connection, SelectPsk& select, const PskSource& psks) {
  std::vector<PreSharedKey> keys = psks.offer(select);
  if (keys.empty()) return (void)connection.answer(std::move(select.token), NoPsk{});
  if (keys.size() > kMaxPsksOffered) keys.erase(keys.begin() + kMaxPsksOffered, keys.end());
  std::vector<PskChosen> chosen;
  for (const PreSharedKey& key : keys)
    chosen.push_back({.identity = as_bytes(key.identity),
                      .key = key.key.view(),
                      .hash = key.use.hash,
                      .import = key.use.import,
                      .context = as_bytes(key.use.context)});
  (void)connection.answer(std::move(select.token), chosen);
}

void Answers::reply(Connection& connection, FindPsk& find) {
  const auto& psks = setup_->options().psks;
  const auto found = psks == nullptr ? std::nullopt : psks->find(find);
  if (!found) return (void)connection.answer(std::move(find.token), PskUnknown{});
  (void)connection.answer(
      std::move(find.token),
      PskFound{.key = found->key.view(), .peer_identity = as_bytes(found->identity), .hash = found->use.hash});
}

void Answers::reply(Connection& connection, OpenTicket& open) {
  const TicketKeyring* const keys = ticket_keys();
  if (open.session_id || keys == nullptr) return reply_from_store(connection, open);
  if (auto session = keys->open(open.ticket, open.now)) {
    (void)connection.answer(std::move(open.token), std::move(*session));
  } else {
    (void)connection.answer(std::move(open.token), TicketDeclined{});
  }
}

void Answers::reply(Connection& connection, AcceptEarlyData& early) {
  const auto& guard = setup_->options().replay_guard;
  const bool remembered = guard != nullptr && guard->window() >= 2 * early.age_tolerance;
  // RFC 9846 8.1: "The simplest form of anti-replay defense is for the server to only allow each session ticket to be
  // used once." Whoever has taken the session out of the store is the first.
  const bool first = taken_ != nullptr || (remembered && guard->first_time(early.ticket, early.now));
  if (first) {
    (void)connection.answer(std::move(early.token), EarlyDataAccepted{});
  } else {
    (void)connection.answer(std::move(early.token), EarlyDataDeclined{});
  }
}

void Answers::reply(Connection& connection, SealTicket& seal) {
  const TicketKeyring* const keys = ticket_keys();
  if (!seal.session.session_id.empty() || keys == nullptr) return reply_from_store(connection, seal);
  // RFC 9846 4.7.1: "opaque ticket<1..2^16-1>": a session with a longer chain than that gets none.
  constexpr std::size_t kMaxTicket = 0xffff;
  if (const auto ticket = keys->seal(seal.session, *random_); ticket && ticket->size() <= kMaxTicket) {
    (void)connection.answer(std::move(seal.token), Bytes(*ticket));
  } else {
    (void)connection.answer(std::move(seal.token), TicketDeclined{});
  }
}

// The session is under its id, or under the bytes of its ticket.

void Answers::reply_from_store(Connection& connection, OpenTicket& open) {
  put_back();  // the client has offered several
  const auto& store = setup_->options().session_store;
  auto session = store == nullptr ? std::nullopt : store->find(open.ticket);
  const bool once = session && session->version == ProtocolVersion::tls_1_3;
  if (once) session = store->take(open.ticket);
  if (!session) return (void)connection.answer(std::move(open.token), TicketDeclined{});
  session_id_.assign(open.ticket.begin(), open.ticket.end());
  if (once) taken_ = std::make_unique<Session>(session->clone());
  (void)connection.answer(std::move(open.token), std::move(*session));
}

void Answers::reply_from_store(Connection& connection, SealTicket& seal) {
  constexpr std::size_t kTicketSize = 32;  // as hard to guess as a key
  const auto& store = setup_->options().session_store;
  const bool lasts = seal.session.version == ProtocolVersion::tls_1_2;
  std::vector<std::uint8_t> id = seal.session.session_id;
  if (id.empty()) {
    id.resize(kTicketSize);
    if (!random_->fill(id)) id.clear();
  }
  if (store == nullptr || !store->put(id, std::move(seal.session)))
    return (void)connection.answer(std::move(seal.token), TicketDeclined{});
  if (lasts) session_id_ = id;
  (void)connection.answer(std::move(seal.token), Bytes(id));
}

void Answers::settle(const HandshakeComplete& complete) {
  if (taken_ == nullptr) return;
  if (!complete.resumed) put_back();
  taken_.reset();
  session_id_.clear();
}

void Answers::settle(const Failed& failed) {
  if (taken_ == nullptr) {
    // RFC 5246 7.2.2: "Servers and clients MUST forget any session-identifiers, keys, and secrets associated with a
    // failed connection."
    if (!session_id_.empty()) (void)setup_->options().session_store->forget(session_id_);
  } else if (failed.error.reason == Reason::psk_binder) {
    // Whoever offers a ticket and cannot prove to hold its session takes it from nobody.
    put_back();
  }
  taken_.reset();
  session_id_.clear();
}

void Answers::put_back() {
  if (taken_ == nullptr) return;
  (void)setup_->options().session_store->put(session_id_, std::move(*taken_));
  taken_.reset();
  session_id_.clear();
}

// --- reasons ---------------------------------------------------------------------------------------------------------

Reason reason_of(x509::Code code) noexcept {
  using x509::Code;
  switch (code) {  // those whose group says less than they do
    case Code::cert_not_yet_valid: return Reason::certificate_not_yet_valid;
    case Code::depth_zero_self_signed_cert:
    case Code::self_signed_cert_in_chain: return Reason::certificate_self_signed;
    case Code::ee_key_too_small:
    case Code::ca_key_too_small:
    case Code::ca_md_too_weak: return Reason::certificate_weak;
    case Code::cert_chain_too_long: return Reason::certificate_chain_too_long;
    case Code::no_certificate: return Reason::certificate_missing;
    case Code::out_of_mem: return Reason::provider_failed;
    case Code::malformed_certificate: return Reason::certificate_malformed;
    default: break;
  }
  switch (x509::group(code)) {
    case x509::CodeGroup::ok: return Reason::none;
    case x509::CodeGroup::untrusted: return Reason::certificate_unknown_ca;
    case x509::CodeGroup::expired: return Reason::certificate_expired;
    case x509::CodeGroup::revoked: return Reason::certificate_revoked;
    case x509::CodeGroup::signature: return Reason::certificate_bad_signature;
    case x509::CodeGroup::purpose: return Reason::certificate_wrong_usage;
    case x509::CodeGroup::wrong_name: return Reason::certificate_name_mismatch;
    case x509::CodeGroup::internal: return Reason::certificate_rejected;
    case x509::CodeGroup::malformed:
    case x509::CodeGroup::unsupported:
    case x509::CodeGroup::constraint:
    case x509::CodeGroup::limit: break;
  }
  return Reason::certificate_invalid;
}

std::string to_text(const Error& error, const std::optional<x509::Verdict>& verdict) {
  const bool from_verdict = verdict && !verdict->ok() && error.origin != Origin::peer &&
                            error.reason == reason_of(verdict->code) &&
                            error.detail == static_cast<std::uint16_t>(verdict->code);
  return from_verdict ? to_text(error, verdict->text()) : to_text(error);
}

namespace {

/// Servers say in several ways that they got no certificate.
bool may_want_certificate(const Error& error) {
  if (error.reason != Reason::peer_alert) return false;
  switch (error.alert) {
    case Alert::certificate_required:
    case Alert::bad_certificate:
    case Alert::certificate_unknown:
    case Alert::access_denied:
    case Alert::handshake_failure: return true;
    default: return false;
  }
}

}  // namespace

std::string to_text(const Error& error, const Answers& answers) {
  if (answers.withheld() != nullptr && may_want_certificate(error)) return to_text(error, answers.withheld()->text);
  return to_text(error, answers.verdict());
}

}  // namespace lockstep
