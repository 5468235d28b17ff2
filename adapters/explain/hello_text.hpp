#pragma once
// A ClientHello taken apart, so that it can be put together again with something left out.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

namespace lockstep::explaining {

using Octets = std::vector<std::uint8_t>;

/// Each list as it was sent. What the engine makes of the message is not judged here: it must have been read by it.
struct Hello {
  /// Nothing when the lengths in it do not fit each other.
  [[nodiscard]] static std::optional<Hello> read(Bytes message);
  [[nodiscard]] Octets write() const;

  Octets head;  ///< legacy_version, random and legacy_session_id with its length
  std::vector<std::uint16_t> suites;
  Octets compression;  ///< with its length
  std::vector<std::pair<ExtensionType, Octets>> extensions;
  bool has_extensions = false;

  [[nodiscard]] const Octets* extension(ExtensionType type) const;
  void set(ExtensionType type, Octets data);  ///< in its place, or in front of all
  void remove(ExtensionType type);

  // What extensions hold; empty where they are not there.
  [[nodiscard]] std::vector<std::uint16_t> versions() const;  ///< without the extension, legacy_version
  [[nodiscard]] std::vector<std::uint16_t> groups() const;
  [[nodiscard]] std::vector<std::uint16_t> schemes() const;
  [[nodiscard]] std::vector<std::uint16_t> key_shares() const;  ///< their groups
  [[nodiscard]] std::vector<Octets> protocols() const;
  [[nodiscard]] std::vector<Octets> tickets() const;  ///< identities of pre_shared_key
  [[nodiscard]] Bytes session_id() const;

  void offer_versions(const std::vector<std::uint16_t>& list);
  void offer_groups(const std::vector<std::uint16_t>& list);  ///< shares of others go
  void offer_schemes(const std::vector<std::uint16_t>& list);
  void offer_protocols(const std::vector<Octets>& list);
  /// Without tickets and early data, whose binders would not be right any more.
  void offer_no_session();
  /// One share, of this group.
  void offer_share(NamedGroup group, Bytes share);
  /// The share of a group in it; empty when there is none.
  [[nodiscard]] Octets share(NamedGroup group) const;
};

}  // namespace lockstep::explaining
