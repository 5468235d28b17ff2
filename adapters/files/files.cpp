#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
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

using Chain = std::vector<std::vector<std::uint8_t>>;

struct FoundKey {
  std::shared_ptr<const SigningKey> key;
  std::string path;
};

/// The keys and certificates of one file.
std::expected<void, FileError> collect(const Provider& provider, const std::string& path, std::string_view passphrase,
                                       std::vector<FoundKey>& keys, Chain& certificates) {
  const auto bytes = read_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  const std::size_t before = keys.size() + certificates.size();
  const auto take_key = [&](Bytes text) -> std::expected<void, FileError> {
    auto key = x509::load_private_key(provider, text, passphrase);
    if (!key) return refuse(path, std::move(key.error().text));
    keys.push_back({std::move(*key), path});
    return {};
  };
  constexpr std::uint8_t kDerSequence = 0x30;
  if (!bytes->empty() && bytes->view()[0] == kDerSequence) {
    auto chain = x509::load_chain(bytes->view());
    if (!chain) return take_key(bytes->view());
    std::ranges::move(*chain, std::back_inserter(certificates));
    return {};
  }
  x509::PemReader reader(as_text(bytes->view()));
  while (auto object = reader.next()) {
    if (!*object) return refuse(path, (*object).error().text());
    const auto& [label, der, line, encrypted] = **object;
    if (label == "CERTIFICATE" || label == "X509 CERTIFICATE") {
      auto chain = x509::load_chain(der.view());
      if (!chain) return refuse(path, "line " + std::to_string(line) + ": " + chain.error().text);
      std::ranges::move(*chain, std::back_inserter(certificates));
    } else if (label.ends_with("PRIVATE KEY")) {
      if (encrypted) {
        return refuse(path,
                      "line " + std::to_string(line) +
                          ": the private key has the encryption of traditional PEM (one round of MD5); convert it: "
                          "`openssl pkcs8 -topk8 -in FILE`");
      }
      if (auto taken = take_key(der.view()); !taken) return taken;
    }
  }
  if (keys.size() + certificates.size() == before) return refuse(path, "neither a certificate nor a private key in it");
  return {};
}

}  // namespace

std::expected<std::vector<std::shared_ptr<const Credential>>, FileError> load_credentials(
    const Provider& provider, std::span<const std::string> paths, std::string_view passphrase) {
  std::vector<FoundKey> keys;
  Chain certificates;
  for (const std::string& path : paths) {
    if (auto done = collect(provider, path, passphrase, keys, certificates); !done)
      return std::unexpected(std::move(done.error()));
  }
  std::vector<std::shared_ptr<const Credential>> credentials;
  const std::vector<Bytes> candidates(certificates.begin(), certificates.end());
  for (const auto& [key, path] : keys) {
    const std::size_t before = credentials.size();
    for (const Bytes leaf : candidates) {
      if (!x509::belongs_to(leaf, *key)) continue;
      Chain chain;
      for (const Bytes each : x509::build_chain(provider, leaf, candidates))
        chain.emplace_back(each.begin(), each.end());
      credentials.push_back(make_credential(std::move(chain), key));
    }
    if (credentials.size() == before)
      return refuse(path, "has a key that no certificate among these files is for; give the file with its certificate");
  }
  return credentials;
}

// --- a cache ---------------------------------------------------------------------------------------------------------

namespace {

/// What tells a file from what was there before.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  std::int64_t seconds = 0;
  long nanoseconds = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return {};
  return {file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
}

}  // namespace

struct CredentialCache::State {
  struct Entry {
    std::array<Stamp, 2> stamps;
    std::shared_ptr<const Credential> credential;
  };
  Provider provider;
  mutable std::mutex mutex;
  std::map<std::pair<std::string, std::string>, Entry> entries;
};

CredentialCache::CredentialCache(Provider provider) : state_(std::make_unique<State>()) {
  state_->provider = std::move(provider);
}
CredentialCache::~CredentialCache() = default;

std::expected<std::shared_ptr<const Credential>, FileError> CredentialCache::load(const std::string& chain_path,
                                                                                  const std::string& key_path,
                                                                                  std::string_view passphrase) {
  // Before they are read: what changes meanwhile is read again next time.
  const std::array stamps{stamp_of(chain_path), stamp_of(key_path)};
  const std::pair name{chain_path, key_path};
  {
    const std::scoped_lock lock(state_->mutex);
    const auto found = state_->entries.find(name);
    if (found != state_->entries.end() && found->second.stamps == stamps) return found->second.credential;
  }
  auto credential = load_credential(state_->provider, chain_path, key_path, passphrase);
  const std::scoped_lock lock(state_->mutex);
  if (credential) {
    state_->entries.insert_or_assign(name, State::Entry{stamps, *credential});
  } else {
    state_->entries.erase(name);
  }
  return credential;
}

void CredentialCache::clear() noexcept {
  const std::scoped_lock lock(state_->mutex);
  state_->entries.clear();
}

std::size_t CredentialCache::size() const noexcept {
  const std::scoped_lock lock(state_->mutex);
  return state_->entries.size();
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
