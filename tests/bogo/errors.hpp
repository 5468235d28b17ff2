#pragma once
// BoringSSL's names for our reasons: its test runner looks for them in what the shim prints.

#include <string>

#include <lockstep/error.hpp>

namespace bogo {

/// The names that BoringSSL may give to what `error` reports, each between colons, separated by spaces.
[[nodiscard]] std::string boring_names(const lockstep::Error& error);

}  // namespace bogo
