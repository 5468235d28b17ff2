#include "handshake/key_exchange.hpp"

#include <algorithm>
#include <cstring>

namespace lockstep::handshake {
namespace {

bool failed(const auto& part) noexcept { return part.job.result != GroupResult::ok; }

// One after the other, and none behind one that failed.
template <class Job, class Run>
GroupResult run(Parts<Job>&& parts, Run run_one) noexcept {
  for (Part<Job>& part : parts.all()) {
    run_one(*part.group, std::span(&part.job, 1));
    if (failed(part)) return part.job.result;
  }
  return GroupResult::ok;
}

}  // namespace

template <class Job>
GroupResult together(std::span<const Part<Job>> parts) noexcept {
  const auto first_failed = std::ranges::find_if(parts, failed<Part<Job>>);
  return first_failed == parts.end() ? GroupResult::ok : first_failed->job.result;
}
template GroupResult together(std::span<const Part<GenerateJob>>) noexcept;
template GroupResult together(std::span<const Part<EncapsulateJob>>) noexcept;
template GroupResult together(std::span<const Part<DecapsulateJob>>) noexcept;

void KeyExchange::destroy() noexcept {
  if (group_.first == nullptr) return;
  group_.first->destroy(first_.data());
  if (group_.second != nullptr) group_.second->destroy(second_.data());
}

void KeyExchange::take_from(KeyExchange& other) noexcept {
  group_ = std::exchange(other.group_, {});
  const auto move = [](const Group* group, PrivateKey& from, PrivateKey& to) {
    if (group == nullptr) return;
    std::memcpy(to.data(), from.data(), group->context_size);
    wipe({reinterpret_cast<std::uint8_t*>(from.data()), group->context_size});
  };
  move(group_.first, other.first_, first_);
  move(group_.second, other.second_, second_);
}

Parts<GenerateJob> KeyExchange::generation(const BoundGroup& group, std::span<RandomSource* const, 2> random,
                                           MutableBytes share) noexcept {
  const std::size_t first_size = group.first->client_share_size;
  return {{{{group.first, {first_.data(), random[0], share.first(first_size)}},
            {group.second, {second_.data(), random[1], share.subspan(first_size)}}}},
          group.second == nullptr ? 1U : 2U};
}

GroupResult KeyExchange::take(const BoundGroup& group, std::span<const Part<GenerateJob>> parts) noexcept {
  const GroupResult result = together(parts);
  if (result == GroupResult::ok) {
    group_ = group;
    return result;
  }
  for (const auto& part : parts) {
    if (!failed(part)) part.group->destroy(part.job.context);
  }
  return result;
}

GroupResult KeyExchange::generate(const BoundGroup& group, RandomSource& random, MutableBytes share) noexcept {
  auto parts = generation(group, std::array{&random, &random}, share);
  for (auto& [part_group, job] : parts.all()) {
    lockstep::generate(*part_group, {&job, 1});
    if (job.result != GroupResult::ok) break;
  }
  return take(group, parts.all());
}

Parts<DecapsulateJob> KeyExchange::decapsulation(Bytes server_share, SharedSecret& secret) noexcept {
  const Group& first = *group_.first;
  secret.resize(group_.secret_size());
  return {{{{&first,
             {first_.data(), server_share.first(first.server_share_size), secret.writable().first(first.secret_size)}},
            {group_.second,
             {second_.data(), server_share.subspan(first.server_share_size),
              secret.writable().subspan(first.secret_size)}}}},
          group_.second == nullptr ? 1U : 2U};
}

GroupResult KeyExchange::decapsulate(Bytes server_share, SharedSecret& secret) noexcept {
  return run(decapsulation(server_share, secret),
             [](const Group& group, std::span<DecapsulateJob> job) { lockstep::decapsulate(group, job); });
}

Parts<EncapsulateJob> encapsulation(const BoundGroup& group, Bytes client_share,
                                    std::span<RandomSource* const, 2> random, MutableBytes server_share,
                                    SharedSecret& secret) noexcept {
  const Group& first = *group.first;
  secret.resize(group.secret_size());
  return {{{{&first,
             {client_share.first(first.client_share_size), random[0], server_share.first(first.server_share_size),
              secret.writable().first(first.secret_size)}},
            {group.second,
             {client_share.subspan(first.client_share_size), random[1], server_share.subspan(first.server_share_size),
              secret.writable().subspan(first.secret_size)}}}},
          group.second == nullptr ? 1U : 2U};
}

GroupResult encapsulate(const BoundGroup& group, Bytes client_share, RandomSource& random, MutableBytes server_share,
                        SharedSecret& secret) noexcept {
  return run(encapsulation(group, client_share, std::array{&random, &random}, server_share, secret),
             [](const Group& part, std::span<EncapsulateJob> job) { lockstep::encapsulate(part, job); });
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
