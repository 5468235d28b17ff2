#include <chrono>
#include <iterator>
#include <utility>

#include <lockstep/session_store.hpp>

namespace lockstep {

namespace {

constexpr std::chrono::minutes kBetweenLooks{1};

}  // namespace

bool SessionStore::put(Session session) {
  const std::vector<std::uint8_t> id = session.session_id;
  return put(id, std::move(session));
}

bool SessionStore::put(Bytes name, Session session) {
  if (name.empty() || session.serialized_size() > kMaxSession || capacity_ == 0) return false;
  const std::scoped_lock lock(mutex_);
  remove_ended(session.issued_at);
  if (const auto known = places_.find(as_text(name)); known != places_.end()) {
    remove(known->second);
  } else if (sessions_.size() == capacity_) {
    remove(std::prev(sessions_.end()));
  }
  sessions_.push_front({std::string(as_text(name)), std::move(session)});
  places_.emplace(sessions_.front().name, sessions_.begin());
  return true;
}

std::optional<Session> SessionStore::find(Bytes name) {
  const std::scoped_lock lock(mutex_);
  const auto known = places_.find(as_text(name));
  if (known == places_.end()) return std::nullopt;
  sessions_.splice(sessions_.begin(), sessions_, known->second);
  return known->second->session.clone();
}

std::optional<Session> SessionStore::take(Bytes name) {
  const std::scoped_lock lock(mutex_);
  const auto known = places_.find(as_text(name));
  if (known == places_.end()) return std::nullopt;
  std::optional<Session> session = std::move(known->second->session);
  remove(known->second);
  return session;
}

bool SessionStore::forget(Bytes name) {
  const std::scoped_lock lock(mutex_);
  const auto known = places_.find(as_text(name));
  if (known == places_.end()) return false;
  remove(known->second);
  return true;
}

std::size_t SessionStore::size() const {
  const std::scoped_lock lock(mutex_);
  return sessions_.size();
}

void SessionStore::remove(Sessions::iterator place) {
  places_.erase(place->name);  // before the name that it is known by
  sessions_.erase(place);
}

void SessionStore::remove_ended(Time now) {
  if (now >= looked_at_ && now - looked_at_ < kBetweenLooks) return;
  looked_at_ = now;
  for (auto place = sessions_.begin(); place != sessions_.end();) {
    const auto next = std::next(place);
    if (!place->session.usable(now)) remove(place);
    place = next;
  }
}

}  // namespace lockstep
