#pragma once
// What the command line computes by: one of the providers that this build has, and its codecs.

#include <string>
#include <string_view>
#include <vector>

#include <lockstep/certificate_compression.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::tool {

/// A provider of this build, and the library that it stands on.
struct ProviderLibrary {
  std::string_view provider;
  std::string_view library;  ///< "Botan"
  std::string_view version;  ///< of the library that runs, "3.7.1"
};
[[nodiscard]] std::vector<ProviderLibrary> provider_libraries();

/// The names that --provider understands; the first is used when nothing is said.
[[nodiscard]] std::vector<std::string> provider_names();
/// Chosen once, while the command line is read, before anything asks for `provider()`.
void choose_provider(std::string_view name);

/// The same unless something was chosen already, or this build does not have it.
void prefer_provider(std::string_view name);

[[nodiscard]] const Provider& provider();
/// Whether key exchanges of many connections in one call cost it less than one by one.
[[nodiscard]] bool computes_together();
/// How certificates are compressed, in order of preference: as far as this build can.
[[nodiscard]] std::vector<CertificateCodec> certificate_codecs();
/// The system's randomness; may be used from several threads.
[[nodiscard]] RandomSource& random_source();

}  // namespace lockstep::tool
