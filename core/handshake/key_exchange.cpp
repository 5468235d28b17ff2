#include "handshake/key_exchange.hpp"

namespace lockstep::handshake {

KeyExchange::~KeyExchange() {
  if (group_ == nullptr) return;
  group_->first->destroy(first_.data());
  if (group_->second != nullptr) group_->second->destroy(second_.data());
}

GroupResult KeyExchange::generate(const BoundGroup& group, RandomSource& random, MutableBytes share) noexcept {
  const std::size_t first_size = group.first->client_share_size;
  const GroupResult first = group.first->generate(first_.data(), random, share.first(first_size));
  if (first != GroupResult::ok) return first;
  if (group.second != nullptr) {
    const GroupResult second = group.second->generate(second_.data(), random, share.subspan(first_size));
    if (second != GroupResult::ok) {
      group.first->destroy(first_.data());
      return second;
    }
  }
  group_ = &group;
  return GroupResult::ok;
}

GroupResult KeyExchange::decapsulate(Bytes server_share, SharedSecret& secret) noexcept {
  const Group& first = *group_->first;
  secret.resize(group_->secret_size());
  const GroupResult result = first.decapsulate(first_.data(), server_share.first(first.server_share_size),
                                               secret.writable().first(first.secret_size));
  if (result != GroupResult::ok || group_->second == nullptr) return result;
  return group_->second->decapsulate(second_.data(), server_share.subspan(first.server_share_size),
                                     secret.writable().subspan(first.secret_size));
}

GroupResult encapsulate(const BoundGroup& group, Bytes client_share, RandomSource& random, MutableBytes server_share,
                        SharedSecret& secret) noexcept {
  const Group& first = *group.first;
  secret.resize(group.secret_size());
  const GroupResult result =
      first.encapsulate(client_share.first(first.client_share_size), random,
                        server_share.first(first.server_share_size), secret.writable().first(first.secret_size));
  if (result != GroupResult::ok || group.second == nullptr) return result;
  return group.second->encapsulate(client_share.subspan(first.client_share_size), random,
                                   server_share.subspan(first.server_share_size),
                                   secret.writable().subspan(first.secret_size));
}

bool KeyExchanges::allocate(Arena& arena, std::size_t count) noexcept {
  const MutableBytes memory = arena.allocate(count * sizeof(KeyExchange), alignof(KeyExchange));
  if (memory.data() == nullptr) return false;
  auto* first = reinterpret_cast<KeyExchange*>(memory.data());
  std::uninitialized_default_construct_n(first, count);
  exchanges_ = {first, count};
  return true;
}

KeyExchange* KeyExchanges::find(NamedGroup group) noexcept {
  const auto found = std::ranges::find_if(exchanges_, [group](const KeyExchange& exchange) {
    return exchange.group() != nullptr && exchange.group()->id == group;
  });
  return found == exchanges_.end() ? nullptr : &*found;
}

}  // namespace lockstep::handshake
