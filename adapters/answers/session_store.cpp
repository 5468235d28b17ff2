#include <utility>

#include <lockstep/session_store.hpp>

namespace lockstep {

bool SessionStore::put(Session session) {
  if (session.session_id.empty() || session.serialized_size() > kMaxSession || capacity_ == 0) return false;
  const std::scoped_lock lock(mutex_);
  if (const auto known = places_.find(as_text(session.session_id)); known != places_.end()) {
    const auto old = known->second;
    places_.erase(known);  // before the id that it is known by
    sessions_.erase(old);
  } else if (sessions_.size() == capacity_) {
    places_.erase(as_text(sessions_.back().session_id));
    sessions_.pop_back();
  }
  sessions_.push_front(std::move(session));
  places_.emplace(as_text(sessions_.front().session_id), sessions_.begin());
  return true;
}

std::optional<Session> SessionStore::find(Bytes session_id) {
  const std::scoped_lock lock(mutex_);
  const auto known = places_.find(as_text(session_id));
  if (known == places_.end()) return std::nullopt;
  sessions_.splice(sessions_.begin(), sessions_, known->second);
  return known->second->clone();
}

bool SessionStore::forget(Bytes session_id) {
  const std::scoped_lock lock(mutex_);
  const auto known = places_.find(as_text(session_id));
  if (known == places_.end()) return false;
  const auto place = known->second;
  places_.erase(known);
  sessions_.erase(place);
  return true;
}

std::size_t SessionStore::size() const {
  const std::scoped_lock lock(mutex_);
  return sessions_.size();
}

}  // namespace lockstep
