#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <lockstep/answers.hpp>
#include <lockstep/files.hpp>

namespace lockstep::files {

namespace {

/// Where systems keep the certificates that they trust, the most common first.
constexpr std::array<const char*, 9> kSystemFiles = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, older RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL 7 and later
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/ssl/cert.pem",                                  // Alpine, macOS, OpenBSD, FreeBSD
    "/usr/local/etc/ssl/cert.pem",                        // FreeBSD packages
    "/usr/local/share/certs/ca-root-nss.crt",             // FreeBSD packages
    "/etc/openssl/certs/ca-certificates.crt",             // NetBSD
    "/var/lib/ca-certificates/ca-bundle.pem",             // openSUSE
};
constexpr std::array<const char*, 3> kSystemDirectories = {
    "/etc/ssl/certs", "/etc/pki/tls/certs",
    "/system/etc/security/cacerts",  // Android
};

std::unexpected<FileError> refuse(const std::string& path, std::string reason, int system_error = 0) {
  return std::unexpected(FileError{path, system_error, std::move(reason)});
}

std::unexpected<FileError> refuse_unreadable(const std::string& path, int system_error) {
  std::string reason = "cannot be read: " + std::generic_category().message(system_error);
  if (system_error == EACCES) reason += "; let this user read it";
  if (system_error == ENOENT) reason += "; check the path";
  return refuse(path, std::move(reason), system_error);
}

void note(AnchorReport& report, FileError error) {
  ++report.problem_count;
  if (report.problems.size() < AnchorReport::kMaxReported) report.problems.push_back(std::move(error));
}

/// An error when nothing of what was read is a usable certificate.
std::expected<void, FileError> expect_anchors(const std::string& path, const AnchorReport& report);
std::expected<void, FileError> add_file(x509::TrustAnchors& anchors, const std::string& path, AnchorReport& report);
std::expected<void, FileError> add_directory(x509::TrustAnchors& anchors, const std::string& path,
                                             AnchorReport& report);
std::string environment(const char* name);

class Descriptor {
 public:
  explicit Descriptor(const char* path) noexcept : number_(::open(path, O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

}  // namespace

std::expected<x509::SecretBytes, FileError> read_file(const std::string& path, std::size_t limit) {
  const Descriptor file(path.c_str());
  if (file.number() < 0) return refuse_unreadable(path, errno);
  // A byte more than may come shows that more has come; no file has more than SIZE_MAX.
  const std::size_t most = limit == SIZE_MAX ? limit : limit + 1;
  std::vector<std::uint8_t> bytes(std::min<std::size_t>(most, 16384));
  for (std::size_t size = 0;;) {
    const ssize_t got = ::read(file.number(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int system_error = errno;
      wipe(bytes);
      return refuse_unreadable(path, system_error);
    }
    size += static_cast<std::size_t>(got);
    if (got == 0) {
      bytes.resize(size);
      return x509::SecretBytes(std::move(bytes));
    }
    if (size > limit) {
      wipe(bytes);
      return refuse(path, "has more than " + std::to_string(limit) + " bytes; this is not the right file");
    }
    if (size == bytes.size()) {
      // Grown by hand, so that the old bytes are wiped: they may be a key.
      std::vector<std::uint8_t> larger(std::min(most, 2 * size));
      std::ranges::copy(bytes, larger.begin());
      wipe(bytes);
      bytes.swap(larger);
    }
  }
}

std::expected<AnchorReport, FileError> add_anchors(x509::TrustAnchors& anchors, const std::string& path) {
  AnchorReport report;
  std::error_code ignored;
  const bool is_directory = std::filesystem::is_directory(path, ignored);
  const auto done = is_directory ? add_directory(anchors, path, report) : add_file(anchors, path, report);
  if (!done) return std::unexpected(done.error());
  if (auto found = expect_anchors(path, report); !found) return std::unexpected(std::move(found.error()));
  return report;
}

std::expected<AnchorReport, FileError> add_system_anchors(x509::TrustAnchors& anchors) {
  AnchorReport report;
  const auto take = [&](const std::expected<void, FileError>& done) {
    if (!done) note(report, done.error());
  };
  const auto named_by = [](std::string_view variable, FileError error) {
    error.reason += " (the environment names it: " + std::string(variable) + ")";
    return std::unexpected(std::move(error));
  };
  const std::string file = environment("SSL_CERT_FILE");
  const std::string directories = environment("SSL_CERT_DIR");
  if (!file.empty()) {
    auto done = add_file(anchors, file, report);
    if (done) done = expect_anchors(file, report);
    if (!done) return named_by("SSL_CERT_FILE", std::move(done.error()));
  }
  for (std::size_t start = 0; start < directories.size();) {
    const std::size_t end = std::min(directories.find(':', start), directories.size());
    if (end != start) take(add_directory(anchors, directories.substr(start, end - start), report));
    start = end + 1;
  }
  if (!directories.empty()) {
    if (auto found = expect_anchors(directories, report); !found)
      return named_by("SSL_CERT_DIR", std::move(found.error()));
  }
  if (!file.empty() || !directories.empty()) return report;

  for (const char* const path : kSystemFiles) {
    if (::access(path, F_OK) != 0) continue;
    take(add_file(anchors, path, report));
    if (report.added + report.duplicates != 0) return report;
  }
  for (const char* const path : kSystemDirectories) {
    if (::access(path, F_OK) != 0) continue;
    take(add_directory(anchors, path, report));
    if (report.added + report.duplicates != 0) return report;
  }
  return report;
}

std::expected<std::vector<std::vector<std::uint8_t>>, FileError> load_chain(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  auto chain = x509::load_chain(bytes->view());
  if (!chain) return refuse(path, std::move(chain.error().text));
  return std::move(*chain);
}

std::expected<std::shared_ptr<const SigningKey>, FileError> load_private_key(const Provider& provider,
                                                                             const std::string& path,
                                                                             std::string_view passphrase) {
  const auto bytes = read_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  auto key = x509::load_private_key(provider, bytes->view(), passphrase);
  if (!key) return refuse(path, std::move(key.error().text));
  return std::move(*key);
}

std::expected<DhParameters, FileError> load_dh_parameters(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  auto parameters = x509::load_dh_parameters(bytes->view());
  if (!parameters) return refuse(path, std::move(parameters.error().text));
  return std::move(*parameters);
}

std::expected<std::shared_ptr<const Credential>, FileError> load_credential(const Provider& provider,
                                                                            const std::string& chain_path,
                                                                            const std::string& key_path,
                                                                            std::string_view passphrase) {
  auto chain = load_chain(chain_path);
  if (!chain) return std::unexpected(std::move(chain.error()));
  auto key = load_private_key(provider, key_path, passphrase);
  if (!key) return std::unexpected(std::move(key.error()));
  if (!x509::belongs_to(chain->front(), **key)) {
    const bool elsewhere = std::ranges::any_of(*chain, [&](const auto& der) { return x509::belongs_to(der, **key); });
    return refuse(key_path, elsewhere ? "is the key of another certificate in " + chain_path + "; put that one first"
                                      : "is not the key of the certificate in " + chain_path +
                                            "; give the two that belong together");
  }
  return make_credential(std::move(*chain), std::move(*key));
}

namespace {

std::expected<void, FileError> expect_anchors(const std::string& path, const AnchorReport& report) {
  if (report.added + report.duplicates != 0) return {};
  if (!report.problems.empty()) return std::unexpected(report.problems.front());
  return refuse(path, "no certificate in it: neither DER nor PEM with a BEGIN CERTIFICATE line");
}

std::expected<void, FileError> add_file(x509::TrustAnchors& anchors, const std::string& path, AnchorReport& report) {
  const auto bytes = read_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  report.sources.push_back(path);
  constexpr std::uint8_t kDerSequence = 0x30;
  if (!bytes->empty() && bytes->view()[0] == kDerSequence) {
    const auto chain = x509::load_chain(bytes->view());
    if (!chain) {
      note(report, {path, 0, chain.error().text});
    } else if (const auto added = anchors.add(chain->front())) {
      ++(*added ? report.added : report.duplicates);
    }
    return {};
  }
  x509::AddedAnchors added = anchors.add_pem(as_text(bytes->view()));
  report.added += added.added;
  report.duplicates += added.duplicates;
  for (const x509::BadAnchor& bad : added.bad)
    note(report, {path, 0, "line " + std::to_string(bad.line) + ": " + bad.text});
  report.problem_count += added.bad_count - added.bad.size();
  return {};
}

/// Every file of the directory, in the order of their names. Those without a certificate are passed over: such
/// directories hold others too.
std::expected<void, FileError> add_directory(x509::TrustAnchors& anchors, const std::string& path,
                                             AnchorReport& report) {
  std::error_code error;
  std::filesystem::directory_iterator entries(path, error);
  if (error) return refuse_unreadable(path, error.value());
  std::vector<std::string> names;
  while (entries != std::filesystem::directory_iterator()) {
    std::error_code ignored;
    if (entries->is_regular_file(ignored)) names.push_back(entries->path().string());
    entries.increment(error);
    if (error) return refuse_unreadable(path, error.value());
  }
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (const auto added = add_file(anchors, name, report); !added) note(report, added.error());
  }
  return {};
}

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

}  // namespace lockstep::files
