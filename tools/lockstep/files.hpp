#pragma once
// Reading and writing files, with errors that name the file and what to do.

#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/event.hpp>
#include <lockstep/x509.hpp>

namespace lockstep::tool {

/// Who may read a file that we write.
enum class Access { everybody, owner };

/// The whole file, at most `limit` bytes, wiped when it dies. Throws `Failure`.
[[nodiscard]] x509::SecretBytes read_file(const std::string& path, std::size_t limit);
/// Writes a file anew; one for the owner has mode 0600 from the start. Throws `Failure`.
void write_file(const std::string& path, Bytes contents, Access access);
/// The first line of a file, without its end: passphrases.
[[nodiscard]] std::string read_first_line(const std::string& path);

/// The certificates of a PEM or DER file.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> read_chain(const std::string& path);
/// A private key, with the passphrase in another file when there is one.
[[nodiscard]] std::shared_ptr<const SigningKey> read_key(const std::string& path,
                                                         const std::string& passphrase_file = {});
/// A certificate chain with its key; checks that they belong together.
[[nodiscard]] std::shared_ptr<const Credential> read_credential(const std::string& certificates, const std::string& key,
                                                                const std::string& passphrase_file = {});
/// The credential with what is stapled to its leaf, from files: an OCSP response in DER, and a
/// SignedCertificateTimestampList with its length in front (RFC 6962 3.3). An empty path is none.
[[nodiscard]] std::shared_ptr<const Credential> with_staples(std::shared_ptr<const Credential> credential,
                                                             const std::string& ocsp_response,
                                                             const std::string& sct_list);
/// Anchors from files and directories; the system's when there are none. Warns about objects that could not be used.
[[nodiscard]] std::shared_ptr<const x509::TrustAnchors> read_anchors(const std::vector<std::string>& paths);

}  // namespace lockstep::tool
