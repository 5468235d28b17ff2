#pragma once
// The handshake's public-key work as jobs that can be taken elsewhere: to another thread, or to others of their kind,
// where many in one call cost less than one by one. Engines do it in place unless the configuration hands it out
// (`ConfigBuilder::hand_out_computations`).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep {

class RandomSource;

namespace detail {

struct Work;
class KeyPairStock;
/// Wipes it.
struct LOCKSTEP_API WorkDeleter {
  void operator()(Work* work) const noexcept;
  void operator()(KeyPairStock* stock) const noexcept;
};

}  // namespace detail

/// What there is to compute.
enum class Computation : std::uint8_t {
  generate,     ///< key pairs of our own: a client's shares, or a TLS 1.2 server's
  encapsulate,  ///< from the peer's share to one of ours and the secret
  decapsulate,  ///< the secret, from the peer's share and the key pair that was generated before
  verify,       ///< the signature by which the peer proves who it is; what its certificates say is `VerifyPeer`'s
};
/// A name for messages: "encapsulate".
[[nodiscard]] LOCKSTEP_API std::string_view name(Computation what) noexcept;

class ComputationJob;

/// Key pairs made ahead of the jobs that use them, where several in one call cost less than one by one and as much as
/// what they are for: those of X25519, with a provider that makes them so (`Group::width`). A job that finds none has a
/// whole call made, for itself and for those to come, so that even handshakes that come one by one have theirs at the
/// price of many. At most 8 wait. Each is used once, and is wiped when it is taken and with those that are left.
///
/// They draw from a source of their own, and so are not for connections that are recorded, whose jobs draw from what
/// their connection drew. After a fork one of both processes has to `clear` them. It belongs to one thread; the groups
/// of the jobs have to live as long.
class LOCKSTEP_API KeyPairs {
 public:
  /// `random` has to live as long.
  explicit KeyPairs(RandomSource& random) noexcept : random_(&random) {}

  /// How many wait to be used.
  [[nodiscard]] std::size_t size() const noexcept;
  /// Wipes those.
  void clear() noexcept { stock_.reset(); }

 private:
  friend LOCKSTEP_API void run_together(std::span<ComputationJob* const> jobs, KeyPairs* ahead,
                                        std::span<SignatureJob* const> signatures) noexcept;
  RandomSource* random_;
  std::unique_ptr<detail::KeyPairStock, detail::WorkDeleter> stock_;
};

/// One job. It owns all that it needs, randomness of its own included, and may be moved to any thread and outlive its
/// connection; its secrets are wiped with it.
class LOCKSTEP_API ComputationJob {
 public:
  ComputationJob() noexcept = default;
  explicit ComputationJob(std::unique_ptr<detail::Work, detail::WorkDeleter> work) noexcept : work_(std::move(work)) {}

  /// What it is. Only for one that an event brought.
  [[nodiscard]] Computation what() const noexcept;
  /// Whether it has been run.
  [[nodiscard]] bool done() const noexcept;
  /// Runs it, once: later calls do nothing. What comes of it is for the engine.
  void run() noexcept;

 private:
  friend struct ComputationAccess;
  friend LOCKSTEP_API void run_together(std::span<ComputationJob* const> jobs, KeyPairs* ahead,
                                        std::span<SignatureJob* const> signatures) noexcept;
  std::unique_ptr<detail::Work, detail::WorkDeleter> work_;
};

/// Runs those that have not been run, of any connections and kinds: what is alike goes in one call of its provider. So
/// do signatures of certificates (`Answers::begin`, `x509::Verification`), with those by which peers prove who they
/// are.
///
///     std::vector<ComputationJob*> jobs;
///     for (Compute& asked : turn) jobs.push_back(&asked.job);
///     run_together(jobs);
///     for (Compute& asked : turn) connection_of(asked).answer(std::move(asked));
///
/// With `ahead`, jobs take their key pairs from there where that pays.
LOCKSTEP_API void run_together(std::span<ComputationJob* const> jobs, KeyPairs* ahead = nullptr,
                               std::span<SignatureJob* const> signatures = {}) noexcept;

}  // namespace lockstep
