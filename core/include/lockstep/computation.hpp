#pragma once
// The handshake's public-key work as jobs that can be taken elsewhere: to another thread, or to others of their kind,
// where many in one call cost less than one by one. Engines do it in place unless the configuration hands it out
// (`ConfigBuilder::hand_out_computations`).

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <lockstep/export.hpp>

namespace lockstep {

namespace detail {

struct Work;
/// Wipes it.
struct LOCKSTEP_API WorkDeleter {
  void operator()(Work* work) const noexcept;
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
  friend LOCKSTEP_API void run_together(std::span<ComputationJob* const> jobs) noexcept;
  std::unique_ptr<detail::Work, detail::WorkDeleter> work_;
};

/// Runs those that have not been run, of any connections and kinds: what is alike goes in one call of its provider.
///
///     std::vector<ComputationJob*> jobs;
///     for (Compute& asked : turn) jobs.push_back(&asked.job);
///     run_together(jobs);
///     for (Compute& asked : turn) connection_of(asked).answer(std::move(asked));
LOCKSTEP_API void run_together(std::span<ComputationJob* const> jobs) noexcept;

}  // namespace lockstep
