#include "handshake/finite_field.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lockstep::handshake {
FieldGroup field_group(const Config& config, const FieldParameters& parameters) noexcept {
  FieldGroup group{.parameters = parameters};
  const auto id = named_field(parameters);
  const BoundGroup* const known = id ? config.group(*id) : nullptr;
  if (known != nullptr) {
    group.named = known->first;
  } else {
    group.field = config.provider().finite_field();
  }
  return group;
}

std::expected<FieldGroup, Error> read_field_group(const Context& context,
                                                  const codec::ServerDhParams& params) noexcept {
  const FieldParameters parameters{without_leading_zeros(params.dh_p), without_leading_zeros(params.dh_g)};
  const std::size_t bits = bit_size(parameters.p);
  const auto detail = static_cast<std::uint16_t>(bits);
  // RFC 7919 3.1: "compatible clients that accept some custom groups from the server MUST do at least cursory checks on
  // group size and may take other properties into consideration as well."
  if (bits < context.settings().min_dh_bits) return context.fail(Reason::dh_group_weak, detail);
  if (bits > kMaxDhBits) return context.fail(Reason::dh_group_too_large, detail);
  // An even number is no prime. 1 and p - 1 generate one number and two.
  if (parameters.p.back() % 2 == 0 || !within_field(parameters.g, parameters.p))
    return context.fail(Reason::dh_group_invalid, detail);
  const FieldGroup group = field_group(context.config(), parameters);
  if (group.named != nullptr) return group;
  // RFC 7919 3: "If none of the offered groups match, the server is not compatible with this document. The client MAY
  // decide to continue the connection if the selected group is acceptable under local policy, or it MAY decide to
  // terminate the connection with a fatal insufficient_security(71) alert."
  if (!context.settings().unknown_dh_groups) return context.fail(Reason::dh_group_unknown, detail);
  return group;
}

GroupResult FieldKey::generate(const FieldGroup& group, RandomSource& random, MutableBytes share) noexcept {
  const GroupResult result = group.named != nullptr
                                 ? group.named->generate(key_.data(), random, share)
                                 : group.field->generate(key_.data(), group.parameters, random, share);
  if (result == GroupResult::ok) group_ = group;
  return result;
}

GroupResult FieldKey::agree(Bytes share, SharedSecret& secret) && noexcept {
  secret.resize(group_.size());
  const GroupResult result = group_.named != nullptr ? group_.named->decapsulate(key_.data(), share, secret.writable())
                                                     : group_.field->agree(key_.data(), share, secret.writable());
  destroy();
  return result;
}

void FieldKey::take(FieldKey& other) noexcept {
  if (!other.is_there()) return;
  group_ = std::exchange(other.group_, {});
  // Contexts may be moved so, and the old place is dead then (lockstep/provider.hpp).
  std::memcpy(key_.data(), other.key_.data(), key_.size());
  wipe({reinterpret_cast<std::uint8_t*>(other.key_.data()), other.key_.size()});
}

void FieldKey::destroy() noexcept {
  if (group_.named != nullptr) {
    group_.named->destroy(key_.data());
  } else if (group_.field != nullptr) {
    group_.field->destroy(key_.data());
  }
  group_ = {};
}

namespace {

// The peer's share, as long as p.
std::expected<Bytes, Error> read_share(Context& context, const FieldGroup& group, Bytes share) noexcept {
  share = without_leading_zeros(share);
  // RFC 7919 3: "the client MUST verify that dh_Ys is in the range 1 < dh_Ys < dh_p - 1. If dh_Ys is not in this range,
  // the client MUST terminate the connection with a fatal handshake_failure(40) alert."
  // RFC 7919 4: "the server MUST verify that 1 < dh_Yc < dh_p - 1. If dh_Yc is out of range, the server MUST terminate
  // the connection with a fatal handshake_failure(40) alert."
  if (!within_field(share, group.parameters.p)) return context.fail(Reason::dh_share_invalid, group.bits());
  const auto padded = context.scratch(group.size());
  if (!padded) return std::unexpected(padded.error());
  std::ranges::fill(*padded, std::uint8_t{0});
  std::ranges::copy_backward(share, padded->end());
  return *padded;
}

// RFC 5246 8.1.2: "Leading bytes of Z that contain all zero bits are stripped before it is used as the
// pre_master_secret." How many there are shows in time, which the key does not outlive.
std::expected<Bytes, Error> premaster_of(Context& context, const FieldGroup& group, GroupResult result,
                                         const SharedSecret& z) noexcept {
  switch (result) {
    case GroupResult::ok: return without_leading_zeros(z.view());
    case GroupResult::bad_share: return context.fail(Reason::dh_share_invalid, group.bits());
    case GroupResult::failed: break;
  }
  return context.fail(Reason::provider_failed, group.bits());
}

}  // namespace

std::expected<Bytes, Error> agree(Context& context, FieldKey&& key, Bytes theirs, SharedSecret& z) noexcept {
  const FieldGroup group = key.group();
  const auto share = read_share(context, group, theirs);
  if (!share) return std::unexpected(share.error());
  return premaster_of(context, group, std::move(key).agree(*share, z), z);
}

std::expected<Bytes, Error> answer_share(Context& context, const FieldGroup& group, Bytes theirs, MutableBytes ours,
                                         SharedSecret& z) noexcept {
  const auto share = read_share(context, group, theirs);
  if (!share) return std::unexpected(share.error());
  WatchedRandom random(context.random);
  z.resize(group.size());
  const auto result = [&] {
    if (group.named != nullptr) return group.named->encapsulate(*share, random, ours, z.writable());
    FieldKey key;
    const GroupResult made = key.generate(group, random, ours);
    return made == GroupResult::ok ? std::move(key).agree(*share, z) : made;
  }();
  if (random.failed()) return context.fail(Reason::random_failed);
  return premaster_of(context, group, result, z);
}

}  // namespace lockstep::handshake
