#pragma once
// Trust anchors, certificate chains and private keys from files: the only part of X.509 that does I/O. It reads and
// never writes.
//
//   x509::TrustAnchors anchors;
//   auto report = files::add_system_anchors(anchors);
//   auto more = files::add_anchors(anchors, "company-ca.pem");
//   if (!more) std::cerr << more.error().text() << '\n';
//   auto credential = files::load_credential(provider, "server.pem", "server.key");  // for AnswerOptions::credentials

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/finite_field.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/x509_pem.hpp>
#include <lockstep/x509_verify.hpp>

namespace lockstep::files {

/// No bundle in use has a hundredth of it.
inline constexpr std::size_t kMaxFileSize = std::size_t{64} << 20U;

/// Why a file did not yield what was asked of it.
struct FileError {
  std::string path;
  int system_error = 0;  ///< errno when the file could not be read, else 0
  std::string reason;    ///< what is wrong, where in it, and what to do

  /// "server.key: line 1: the private key is encrypted; give its passphrase"
  [[nodiscard]] std::string text() const { return path + ": " + reason; }
};

/// The bytes of a file, a pipe or a device of at most `limit` bytes. They are wiped when they die.
[[nodiscard]] LOCKSTEP_API std::expected<x509::SecretBytes, FileError> read_file(const std::string& path,
                                                                                 std::size_t limit = kMaxFileSize);

/// What became of anchors that were read.
struct AnchorReport {
  std::size_t added = 0;
  std::size_t duplicates = 0;
  std::vector<std::string> sources;  ///< files that were read
  std::vector<FileError> problems;   ///< at most kMaxReported; problem_count has them all
  std::size_t problem_count = 0;
  static constexpr std::size_t kMaxReported = 16;
};

/// Adds the anchors of a file (PEM with any number of certificates, or one in DER), or of every file of a directory.
/// Unusable certificates among others are reported as problems; a path that cannot be read, or without a single usable
/// certificate, is an error.
[[nodiscard]] LOCKSTEP_API std::expected<AnchorReport, FileError> add_anchors(x509::TrustAnchors& anchors,
                                                                              const std::string& path);

/// Adds the anchors that the system trusts: those of the file SSL_CERT_FILE and the directories SSL_CERT_DIR (separated
/// by colons) when the environment names them, else of the first usual place that exists. A file that the environment
/// names and that cannot be read or has no usable certificate is an error, and so are directories without one between
/// them. Nothing added and no source: there is no store.
[[nodiscard]] LOCKSTEP_API std::expected<AnchorReport, FileError> add_system_anchors(x509::TrustAnchors& anchors);

/// A certificate chain, leaf first, from PEM or DER.
[[nodiscard]] LOCKSTEP_API std::expected<std::vector<std::vector<std::uint8_t>>, FileError> load_chain(
    const std::string& path);

/// A private key from PEM or DER; see x509::load_private_key.
[[nodiscard]] LOCKSTEP_API std::expected<std::shared_ptr<const SigningKey>, FileError> load_private_key(
    const Provider& provider, const std::string& path, std::string_view passphrase = {});

/// Parameters of Diffie-Hellman from PEM or DER; see x509::load_dh_parameters.
[[nodiscard]] LOCKSTEP_API std::expected<DhParameters, FileError> load_dh_parameters(const std::string& path);

/// A chain and the key of its leaf; that they belong together is checked. Both may stand in one PEM file.
[[nodiscard]] LOCKSTEP_API std::expected<std::shared_ptr<const Credential>, FileError> load_credential(
    const Provider& provider, const std::string& chain_path, const std::string& key_path,
    std::string_view passphrase = {});

/// Every private key in these files with the certificate that is for it, in whatever order and files both stand, in the
/// order of the keys; a key with several certificates makes several. Each chain is completed with those of the other
/// certificates that lead on from it (x509::build_chain). A key without a certificate is an error, and so is a file
/// with neither. `passphrase` is for every key that needs one.
[[nodiscard]] LOCKSTEP_API std::expected<std::vector<std::shared_ptr<const Credential>>, FileError> load_credentials(
    const Provider& provider, std::span<const std::string> paths, std::string_view passphrase = {});

/// Credentials of files, parsed once, and again when a file has changed: for servers with many, and for those whose
/// certificates are renewed under them (`loop::Loop::replace`, `ConfigSource`). For any number of threads.
class LOCKSTEP_API CredentialCache {
 public:
  explicit CredentialCache(Provider provider);
  CredentialCache(const CredentialCache&) = delete;
  CredentialCache& operator=(const CredentialCache&) = delete;
  ~CredentialCache();

  /// As `load_credential`. The same object comes again as long as both files have the time, size and inode that they
  /// had, which the system is asked for each time. While what is there cannot be used, as in the middle of a renewal,
  /// it is an error; the one before is not given again. The passphrase is needed when the files are read, and
  /// not compared afterwards.
  [[nodiscard]] std::expected<std::shared_ptr<const Credential>, FileError> load(const std::string& chain_path,
                                                                                 const std::string& key_path,
                                                                                 std::string_view passphrase = {});
  /// Forgets all of them; who has one keeps it.
  void clear() noexcept;
  /// How many it has.
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep::files
