#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <variant>

#include <lockstep/answers.hpp>
#include <lockstep/client_sessions.hpp>

namespace lockstep {

// --- the cache in memory ---------------------------------------------------------------------------------------------

void LruClientSessionCache::put(std::string_view key, Session session) {
  if (capacity_ == 0) return;
  const std::scoped_lock lock(mutex_);
  if (const auto known = map_.find(key); known != map_.end()) {
    places_.splice(places_.begin(), places_, known->second);
  } else {
    if (places_.size() == capacity_) {
      map_.erase(places_.back().key);
      places_.pop_back();
    }
    places_.push_front({std::string(key), {}});
    map_.emplace(places_.front().key, places_.begin());
  }
  std::vector<Session>& sessions = places_.front().sessions;
  if (sessions.size() == sessions_per_key_) sessions.erase(sessions.begin());
  sessions.push_back(std::move(session));
}

std::optional<Session> LruClientSessionCache::take(std::string_view key, Time now) {
  const std::scoped_lock lock(mutex_);
  const auto known = map_.find(key);
  if (known == map_.end()) return std::nullopt;
  const auto place = known->second;
  std::optional<Session> taken;
  while (!taken && !place->sessions.empty()) {
    if (place->sessions.back().usable(now)) taken = std::move(place->sessions.back());
    place->sessions.pop_back();
  }
  if (place->sessions.empty()) {
    map_.erase(known);  // before the key that it is known by
    places_.erase(place);
  } else {
    places_.splice(places_.begin(), places_, place);
  }
  return taken;
}

void LruClientSessionCache::forget(std::string_view key) {
  const std::scoped_lock lock(mutex_);
  const auto known = map_.find(key);
  if (known == map_.end()) return;
  const auto place = known->second;
  map_.erase(known);
  places_.erase(place);
}

std::size_t LruClientSessionCache::size() const {
  const std::scoped_lock lock(mutex_);
  return places_.size();
}

// --- one connection's ------------------------------------------------------------------------------------------------

ClientSessions::ClientSessions(std::shared_ptr<ClientSessionCache> cache, std::string key)
    : place_(std::make_unique<const Place>(std::move(cache), std::move(key))) {}

std::optional<Session> ClientSessions::take(Time now) {
  return place_ == nullptr ? std::nullopt : place_->cache->take(place_->key, now);
}

void ClientSessions::received(Session session) {
  if (place_ != nullptr) return place_->cache->put(place_->key, std::move(session));
  if (given_.size() == kMaxGiven) given_.erase(given_.begin());
  given_.push_back(std::move(session));
}

void ClientSessions::answered_by_application(const Event& event) noexcept {
  if (std::holds_alternative<SelectCredential>(event) || std::holds_alternative<SelectPsk>(event) ||
      std::holds_alternative<VerifyPeer>(event)) {
    place_.reset();
  }
}

void ClientSessions::failed(const Error& error) {
  // A transport that ends without close_notify has had no alert.
  if (place_ != nullptr && error.reason != Reason::truncated) place_->cache->forget(place_->key);
}

std::vector<Session> ClientSessions::given(Time now) {
  std::vector<Session> given = std::exchange(given_, {});
  while (given.size() < kMaxGiven) {
    auto session = take(now);
    if (!session) break;
    given.push_back(std::move(*session));
  }
  return given;
}

// --- the key ---------------------------------------------------------------------------------------------------------

namespace {

/// Numbers in two bytes, text behind its length: no two keys are written alike.
void add(std::string& key, std::size_t number) {
  key.push_back(static_cast<char>(number >> 8U));
  key.push_back(static_cast<char>(number));
}
void add(std::string& key, std::string_view text) {
  add(key, text.size());
  key += text;
}

}  // namespace

ClientSessions AnswerSetup::client_sessions(const Config& config, const ClientOptions& options, std::string_view host,
                                            std::uint16_t port) const {
  // Which pre-shared key a server knows its client by is not known here.
  const bool known = client_identity_ && options_.psks == nullptr;
  if (options_.client_sessions == nullptr || !known || !options.sessions.empty() || !config.settings().resumption)
    return {};
  const x509::PeerName& asked = options.server_name ? *options.server_name : options.name;
  std::string key;
  key += as_text(config.session_context(verification_));
  key += as_text(*client_identity_);
  for (const ProtocolVersion version : {ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_3})
    key.push_back(config.settings().speaks(version) ? '1' : '0');
  key.push_back(static_cast<char>(options.name.kind()));
  add(key, options.name.text());
  key.push_back(static_cast<char>(asked.kind()));
  add(key, asked.text());
  add(key, port);
  // One name may have several addresses; without a name they are all that tells servers apart.
  const bool nameless = options.name.kind() == x509::PeerName::Kind::any;
  add(key, nameless || port == 0 ? host : std::string_view());
  return {options_.client_sessions, std::move(key)};
}

}  // namespace lockstep
