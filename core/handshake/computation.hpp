#pragma once
// Public-key work of a handshake, done in place or handed out. A state that waits for a result is given it as an input,
// whoever computed it: in place at once, else with the answer.

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <lockstep/computation.hpp>
#include <lockstep/provider.hpp>

#include "handshake/context.hpp"
#include "handshake/identity.hpp"
#include "handshake/inputs.hpp"
#include "handshake/key_exchange.hpp"
#include "handshake/machine.hpp"

namespace lockstep::handshake {

/// Randomness of a job's own: HKDF-Expand (RFC 5869 2.3) of a seed that was drawn from the connection's when the job
/// was issued, so that a replay draws alike.
class JobRandom final : public RandomSource {
 public:
  static constexpr std::size_t kSeedSize = 32;

  JobRandom(const Hash& hash, Bytes seed, std::uint8_t number) noexcept : hash_(&hash), seed_(seed), number_(number) {}
  bool fill(MutableBytes out) noexcept override;

 private:
  const Hash* hash_;
  Bytes seed_;
  std::uint8_t number_;  // a seed serves several, each in its own way
  std::uint32_t drawn_ = 0;
};

struct GenerateWork {
  std::vector<MadeKeyPair> pairs;
};
struct EncapsulateWork {
  BoundGroup group;
  std::vector<std::uint8_t> client_share;
  std::vector<std::uint8_t> server_share;
  SharedSecret secret{};
  GroupResult result = GroupResult::failed;
};
struct DecapsulateWork {
  KeyExchange exchange;
  std::vector<std::uint8_t> server_share;
  SharedSecret secret{};
  GroupResult result = GroupResult::failed;
};
struct VerifyWork {
  const SignatureVerifier* verifier;
  std::shared_ptr<const PreparedKey> prepared;
  std::vector<std::uint8_t> subject_public_key_info;
  std::vector<std::uint8_t> message;
  std::vector<std::uint8_t> signature;
  VerifyResult result = VerifyResult::failed;
};

}  // namespace lockstep::handshake

namespace lockstep::detail {

/// How far a job has come.
enum class Progress : std::uint8_t {
  due,            ///< it has not been run
  out_of_memory,  ///< nor will it be
  ran,
};

struct Work {
  const Hash* hash;  ///< for its randomness
  Place place;       ///< what the result is held against
  std::variant<handshake::GenerateWork, handshake::EncapsulateWork, handshake::DecapsulateWork, handshake::VerifyWork>
      job;
  Secret<handshake::JobRandom::kSeedSize> seed{};
  const TokenControl* control = nullptr;  ///< with `number`: the token that it came with
  std::uint32_t number = 0;
  Progress progress = Progress::due;
  bool recorded = false;  ///< its connection is: it draws from the seed alone
};

}  // namespace lockstep::detail

namespace lockstep::handshake {

// Asking for a job. The state of the caller then waits for the input that its result comes as.

void ask_to_generate(Context& context, std::span<const NamedGroup> groups);              // SharesMade
void ask_to_encapsulate(Context& context, const BoundGroup& group, Bytes client_share);  // SecretMade
void ask_to_decapsulate(Context& context, KeyExchange&& exchange, Bytes server_share);   // SecretMade
void ask_to_verify(Context& context, const SignatureToCheck& signature);                 // SignatureChecked

/// What is wrong with a share, or with us.
[[nodiscard]] Status check(const Context& context, const SecretMade& made, NamedGroup group) noexcept;

/// A state that waits for an input, or where the input leads to from there.
template <class State, class Reached>
struct WaitsOrReached;
template <class State, class... Successors>
struct WaitsOrReached<State, Next<Successors...>> {
  using Type = Next<State, Successors...>;
};
template <class State, class Input>
using Awaiting = typename WaitsOrReached<State, NextOf<State, Input>>::Type;

/// From the peer's share to one of ours and the secret.
template <class State>
[[nodiscard]] Awaiting<State, SecretMade> encapsulate(State&& state, const BoundGroup& group, Bytes client_share,
                                                      Context& context) {
  if (context.settings().hand_out_computations) {
    ask_to_encapsulate(context, group, client_share);
    return std::forward<State>(state);
  }
  const auto share = context.scratch(group.server_share_size());
  if (!share) return std::unexpected(share.error());
  SharedSecret secret;
  WatchedRandom random(context.random);
  const GroupResult result = encapsulate(group, client_share, random, *share, secret);
  return on(std::forward<State>(state), SecretMade{result, *share, secret.view(), random.failed()}, context);
}

/// The secret that the peer's share leads to.
template <class State>
[[nodiscard]] Awaiting<State, SecretMade> decapsulate(State&& state, KeyExchange& exchange, Bytes server_share,
                                                      Context& context) {
  if (context.settings().hand_out_computations) {
    ask_to_decapsulate(context, std::move(exchange), server_share);
    return std::forward<State>(state);
  }
  SharedSecret secret;
  const GroupResult result = exchange.decapsulate(server_share, secret);
  return on(std::forward<State>(state), SecretMade{result, {}, secret.view()}, context);
}

/// Whether a signature is valid.
template <class State>
[[nodiscard]] Awaiting<State, SignatureChecked> check_signature(State&& state, const SignatureToCheck& signature,
                                                                Context& context) {
  if (context.settings().hand_out_computations) {
    ask_to_verify(context, signature);
    return std::forward<State>(state);
  }
  return on(std::forward<State>(state), check_in_place(signature), context);
}

}  // namespace lockstep::handshake
