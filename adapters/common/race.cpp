#include "common/race.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "common/sockets.hpp"

namespace lockstep::sockets {

Race::Race(std::vector<SocketAddress> addresses, Moment now) : due_(now) {
  entrants_.reserve(addresses.size());
  std::vector<int> families;
  for (const SocketAddress& each : addresses) {
    if (std::ranges::find(families, each.family()) == families.end()) families.push_back(each.family());
  }
  std::vector<std::size_t> next(families.size(), 0);
  while (entrants_.size() < addresses.size()) {
    for (std::size_t turn = 0; turn < families.size(); ++turn) {
      std::size_t& at = next[turn];
      while (at < addresses.size() && addresses[at].family() != families[turn]) ++at;
      if (at < addresses.size()) entrants_.push_back({.address = addresses[at++]});
    }
  }
}

std::optional<std::size_t> Race::start(Moment now) noexcept {
  if (started_ == entrants_.size() || now < due_) return {};
  due_ = later(now, kConnectionAttemptDelay);
  ++running_;
  return started_++;
}

std::optional<Race::Moment> Race::due() const noexcept {
  if (started_ == entrants_.size()) return {};
  return due_;
}

void Race::failed(std::size_t entrant, int number) noexcept {
  entrants_[entrant].error = last_error_ = number;
  --running_;
  due_ = Moment::min();
}

IoError Race::failure(std::string_view what, IoCondition condition) const {
  IoError error{.operation = Operation::connect, .condition = condition, .number = last_error_};
  if (condition == IoCondition::timeout) error.number = ETIMEDOUT;
  if (condition == IoCondition::canceled) error.number = ECANCELED;
  error.text = std::string(name(error.operation)) + " to " + std::string(what) + ": ";
  for (std::size_t i = 0; i < started_; ++i) {
    if (i != 0) error.text += "; ";
    const Entrant& entrant = entrants_[i];
    error.text += entrant.address.address().text() + ": ";
    error.text += entrant.error != 0 ? std::system_category().message(entrant.error) : std::string(name(condition));
  }
  return error;
}

}  // namespace lockstep::sockets
