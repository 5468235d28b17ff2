#pragma once
// Reading and writing files, with errors that name the file and what to do.

#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/event.hpp>
#include <lockstep/io.hpp>
#include <lockstep/x509.hpp>

namespace lockstep::tool {

/// The whole file, at most `limit` bytes, wiped when it dies. Throws `Failure`.
[[nodiscard]] x509::SecretBytes read_file(const std::string& path, std::size_t limit);
/// The same for what its owner alone should read; warns when others can.
[[nodiscard]] x509::SecretBytes read_secret(const std::string& path, std::size_t limit);
/// Writes a file that everybody may read. Throws `Failure`.
void write_file(const std::string& path, Bytes contents);

/// A file for its owner alone, mode 0600 from the start. It has a name of its own in the same folder until it takes the
/// one that was asked for, so that what had that name is whole until this is. Throws `Failure`.
///
/// Only a regular file is replaced, and no symbolic link is followed: as root, a device that is replaced is gone from
/// the machine, and a link in a folder of everybody's may lead anywhere.
class SecretFile {
 public:
  explicit SecretFile(std::string path);
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;
  /// What has not taken its name is removed.
  ~SecretFile();

  void write(Bytes bytes);
  /// What was written is on the disk first. More may be written behind it; once is enough.
  void take_name();

 private:
  std::string path_;
  std::string temporary_;  ///< empty: it has its name
  Descriptor file_;
};
/// The whole of a secret file. Throws `Failure`.
void write_secret(const std::string& path, Bytes contents);
/// Throws `Failure` when no secret file could be made there: to be known before there is a secret.
void check_secret_path(const std::string& path);

/// Warns when others than its owner can read this file, which holds `what`.
void warn_of_readers(const std::string& path, int descriptor, std::string_view what);

/// The certificates of a PEM or DER file.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> read_chain(const std::string& path);
/// A private key, with the passphrase in another file when there is one, or from the terminal. Warns when others can
/// read either.
[[nodiscard]] std::shared_ptr<const SigningKey> read_key(const std::string& path,
                                                         const std::string& passphrase_file = {});
/// A certificate chain with its key; checks that they belong together.
[[nodiscard]] std::shared_ptr<const Credential> read_credential(const std::string& certificates, const std::string& key,
                                                                const std::string& passphrase_file = {});
/// Parameters of Diffie-Hellman from a PEM or DER file.
[[nodiscard]] DhParameters read_dh_parameters(const std::string& path);
/// The credential with what is stapled to its leaf, from files: an OCSP response in DER, and a
/// SignedCertificateTimestampList with its length in front (RFC 6962 3.3). An empty path is none.
[[nodiscard]] std::shared_ptr<const Credential> with_staples(std::shared_ptr<const Credential> credential,
                                                             const std::string& ocsp_response,
                                                             const std::string& sct_list);
/// Anchors from files and directories; the system's when there are none. Warns about objects that could not be used.
[[nodiscard]] std::shared_ptr<const x509::TrustAnchors> read_anchors(const std::vector<std::string>& paths);

}  // namespace lockstep::tool
