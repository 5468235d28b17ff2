#pragma once
// From flags to what a connection needs: the configuration and the credentials.

#include <optional>

#include <lockstep/provider.hpp>

#include "endpoint.hpp"

namespace bogo {

/// Sets `shared.config` and `shared.candidates`; a stop when the flags ask for what cannot be had.
[[nodiscard]] std::optional<Stop> set_up(const Options& options, const lockstep::Provider& provider, Shared& shared);

}  // namespace bogo
