#include "tls_options.hpp"

#include <cerrno>
#include <cstring>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "arguments.hpp"
#include "files.hpp"

namespace lockstep::tool {
namespace {

template <Role kRole>
void apply_to(const TlsOptions& options, BasicConfigBuilder<kRole>& builder) {
  if (!options.alpn.empty()) builder.alpn(parse_alpn(options.alpn));
  if (!options.suites.empty()) builder.suites(parse_suites(options.suites));
  if (!options.groups.empty()) builder.groups(parse_groups(options.groups));
  if (!options.schemes.empty()) builder.schemes(parse_schemes(options.schemes));
  if (options.max_fragment != 0) builder.max_send_fragment(static_cast<std::uint16_t>(options.max_fragment));
  if (options.max_message != 0) builder.max_handshake_message(options.max_message);
  if (options.padding != 0) builder.padding(PaddingPolicy::to_multiple_of(static_cast<std::uint16_t>(options.padding)));
  builder.key_log(!options.key_log.empty());
}

template <Role kRole>
std::shared_ptr<const ConfigOf<kRole>> built_by(const BasicConfigBuilder<kRole>& builder) {
  auto config = builder.build();
  if (config) return *config;
  std::vector<std::string> texts;
  for (const ConfigProblem& problem : config.error()) texts.push_back(problem.setting + ": " + problem.text);
  throw UsageError(joined(texts, "; "));
}

}  // namespace

void add_tls_options(CLI::App& app, TlsOptions& options) {
  constexpr const char* kGroup = "Protocol";
  app.add_option("--alpn", options.alpn, "Application protocols in order of preference, as \"h2,http/1.1\"")
      ->option_text("LIST")
      ->group(kGroup);
  app.add_option("--suite", options.suites, "Cipher suites in order of preference (`lockstep ciphers` lists them)")
      ->option_text("LIST")
      ->group(kGroup);
  app.add_option("--group", options.groups, "Key exchange groups in order of preference")
      ->option_text("LIST")
      ->group(kGroup);
  app.add_option("--scheme", options.schemes, "Signature schemes in order of preference")
      ->option_text("LIST")
      ->group(kGroup);
  app.add_option("--max-fragment", options.max_fragment, "The most plaintext in a record that is sent, 64 to 16384")
      ->check(CLI::Range(64, 16384))
      ->option_text("BYTES")
      ->group(kGroup);
  app.add_option(
         "--max-message", options.max_message,
         "The longest handshake message that is taken, or that a certificate of ours may need; 131072 by default")
      ->check(CLI::Range(4096, 16777215))
      ->option_text("BYTES")
      ->group(kGroup);
  app.add_option("--padding", options.padding, "Pad records to a multiple of so many bytes")
      ->check(CLI::Range(2, 16384))
      ->option_text("BYTES")
      ->group(kGroup);
  app.add_option("--keylog", options.key_log,
                 "Append the connection's secrets for Wireshark; whoever reads the file reads it")
      ->option_text("FILE")
      ->group(kGroup);
  app.add_flag("--keylog-failed", options.key_log_failed, "Only those of handshakes that fail")->group(kGroup);
}

void apply(const TlsOptions& options, ClientConfigBuilder& builder) { apply_to(options, builder); }
void apply(const TlsOptions& options, ServerConfigBuilder& builder) { apply_to(options, builder); }

std::shared_ptr<const ClientConfig> built(const ClientConfigBuilder& builder) { return built_by(builder); }
std::shared_ptr<const ServerConfig> built(const ServerConfigBuilder& builder) { return built_by(builder); }

KeyLog::KeyLog(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (!file_) {
    throw Failure("the key log " + path + " cannot be opened: " + std::strerror(errno),
                  "Give --keylog a file in a folder that you may write to.");
  }
  // Not refused: a group that may read it, say that of whoever runs Wireshark, can be meant.
  warn_of_readers(path, file_.number(), "secrets");
}

void KeyLog::append(std::string_view line) {
  const std::string whole = std::string(line) + "\n";
  const std::scoped_lock lock(mutex_);
  if (::write(file_.number(), whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()) && !warned_) {
    warned_ = true;
    print_warning(std::string("the key log is incomplete: ") + std::strerror(errno));
  }
}

std::function<void(std::string_view)> key_log_of(const TlsOptions& options) {
  if (options.key_log.empty()) return {};
  print_warning("secrets go to " + options.key_log + ": whoever reads that file can read these connections");
  return [log = std::make_shared<KeyLog>(options.key_log)](std::string_view line) { log->append(line); };
}

}  // namespace lockstep::tool
