// lockstep cert: makes certificates and keys for tests, development and small authorities.

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "files.hpp"
#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

enum class Kind { ca, leaf, self_signed };

struct Options {
  OutputOptions output;
  Kind kind{};
  std::string subject;
  std::vector<std::string> names;
  std::string key_type;
  std::size_t bits = 0;
  std::string key_file;
  std::string passphrase_file;
  std::string ca_file;
  std::string ca_key_file;
  std::string ca_passphrase_file;
  std::optional<unsigned> days;
  std::string not_before;
  std::optional<std::uint32_t> path_length;
  std::string scheme;
  bool client = false;
  bool server = false;
  bool key_encipherment = false;
  std::string prefix;
  bool force = false;
};

std::string quoted_attribute(std::string_view value) {
  std::string text;
  for (const char character : value) {
    if (character == ',' || character == '\\' || character == '+' || character == '=') text += '\\';
    text += character;
  }
  return text;
}

std::string subject_of(const Options& options) {
  if (!options.subject.empty()) return options.subject;
  if (options.kind == Kind::ca) return "CN=Lockstep test CA";
  return options.names.empty() ? "CN=Lockstep test" : "CN=" + quoted_attribute(options.names.front());
}

/// Where this command wrote the key of a certificate that it made.
std::string key_beside(const std::string& certificate_path) {
  const std::string prefix = certificate_path.substr(0, certificate_path.rfind(".pem"));
  std::string path = prefix + ".key.pem";
  if (std::filesystem::exists(path)) return path;
  throw UsageError("the issuer's key is not beside its certificate, in " + printable(path) + ": say --ca-key FILE");
}

struct Issuer {
  std::vector<std::vector<std::uint8_t>> chain;
  std::shared_ptr<const SigningKey> key;
};

std::optional<Issuer> issuer_of(const Options& options) {
  if (options.ca_file.empty() && !options.ca_key_file.empty()) {
    throw UsageError("--ca-key is the key of the issuer, whose certificate is missing: say --ca FILE");
  }
  if (options.ca_file.empty()) {
    if (options.kind == Kind::leaf) {
      throw UsageError("a leaf needs its issuer: --ca FILE, and --ca-key FILE (or make a `self-signed` one)");
    }
    return std::nullopt;
  }
  if (options.kind == Kind::self_signed) throw UsageError("a self-signed certificate has no --ca");
  const std::string key_file = options.ca_key_file.empty() ? key_beside(options.ca_file) : options.ca_key_file;
  Issuer issuer{read_chain(options.ca_file), read_key(key_file, options.ca_passphrase_file)};
  if (!x509::belongs_to(issuer.chain.front(), *issuer.key)) {
    throw Failure("the key in " + key_file + " is not that of the certificate in " + options.ca_file,
                  "Give the CA's own key with --ca-key.");
  }
  return issuer;
}

struct NewKey {
  std::shared_ptr<const SigningKey> key;
  x509::SecretBytes pkcs8;  ///< empty for a key that was given
};

/// P-256, which everybody accepts, or Ed25519 where the provider has only that.
std::string default_key_type() { return provider().key_loader(KeyType::ec_p256) != nullptr ? "p256" : "ed25519"; }

NewKey key_for(const Options& options) {
  if (!options.key_file.empty()) return {read_key(options.key_file, options.passphrase_file), {}};
  const std::string word = options.key_type.empty() ? default_key_type() : options.key_type;
  const KeyType type = parse_key_type(word);
  if (options.bits != 0 && type != KeyType::rsa && type != KeyType::rsa_pss) {
    throw UsageError("--bits is for rsa and rsa-pss; " + word + " has one size");
  }
  if (options.bits != 0 && (options.bits < 2048 || options.bits > 16384 || options.bits % 8 != 0)) {
    throw UsageError("--bits must be a multiple of 8 from 2048 to 16384");
  }
  const KeyLoader* loader = provider().key_loader(type);
  if (loader == nullptr || loader->generate == nullptr) {
    throw Failure("provider '" + std::string(provider().name) + "' cannot make keys of type " + word,
                  "`lockstep ciphers` lists the types that it can make; --provider chooses another.");
  }
  auto made = loader->generate(type, options.bits, random_source());
  if (!made) throw Failure("making a key of type " + word + " failed", "");
  x509::SecretBytes pkcs8(std::move(*made));
  auto key = loader->load(pkcs8.view());
  if (!key) throw Failure("the provider does not read the key that it made", "");
  return {*key, std::move(pkcs8)};
}

void add_names(x509::CertificateBuilder& builder, const std::vector<std::string>& names) {
  for (const std::string& text : names) {
    if (text.find('@') != std::string::npos) {
      builder.email(text);
    } else if (text.find("://") != std::string::npos) {
      builder.uri(text);
    } else if (const auto address = x509::PeerName::ip(text)) {
      builder.ip(address->address());
    } else {
      builder.dns(text);
    }
  }
}

void refuse_to_overwrite(const Options& options, const std::string& path) {
  if (!options.force && std::filesystem::exists(path)) {
    throw Failure(path + " exists", "Choose another --out, or say --force to replace it.");
  }
}

int run(const Options& options) {
  if (options.kind != Kind::ca && options.names.empty()) {
    throw UsageError("nobody could accept it: give at least one --name (a host name or an address)");
  }
  const auto issuer = issuer_of(options);
  const std::string certificate_path = options.prefix + ".pem";
  const std::string key_path = options.prefix + ".key.pem";
  refuse_to_overwrite(options, certificate_path);
  if (options.key_file.empty()) refuse_to_overwrite(options, key_path);

  // An hour back, so that a peer whose clock is a little late accepts it.
  const Time start = options.not_before.empty() ? time_now() - std::chrono::hours(1) : parse_time(options.not_before);
  const auto not_before = std::chrono::floor<std::chrono::seconds>(start.time_since_epoch()).count();
  const unsigned days = options.days.value_or(options.kind == Kind::ca ? 3650 : 90);
  const std::int64_t not_after = not_before + std::int64_t{days} * 86400 - 1;

  const NewKey subject_key = key_for(options);
  if (options.key_encipherment && (options.kind == Kind::ca || subject_key.key->type() != KeyType::rsa))
    throw UsageError("--key-encipherment is for a leaf's key of type rsa");
  x509::CertificateBuilder builder(subject_of(options));
  builder.validity(not_before, not_after);
  add_names(builder, options.names);
  if (options.kind == Kind::ca) {
    builder.ca(options.path_length);
  } else {
    if (options.server || !options.client) builder.server();
    if (options.client) builder.client();
    if (options.key_encipherment)
      builder.key_usage({x509::KeyUsage::digital_signature, x509::KeyUsage::key_encipherment});
  }
  if (!options.scheme.empty()) builder.scheme(parse_schemes(options.scheme).front());
  const auto made = issuer ? builder.issued_by(provider(), issuer->chain.front(), *issuer->key,
                                               subject_key.key->subject_public_key_info(), random_source())
                           : builder.self_signed(provider(), *subject_key.key, random_source());
  if (!made) {
    const bool names = made.error() == x509::BuildError::name_malformed;
    throw Failure("the certificate cannot be made: " + std::string(name(made.error())) + ": " +
                      std::string(explanation(made.error())) + (names ? ": " + printable(joined(options.names)) : ""),
                  names ? "A name for people belongs to --subject \"CN=Our Authority\"." : "");
  }

  // What a server sends: the certificate and the intermediates above it, without the root (RFC 9846 4.5.1).
  std::string pem = x509::pem("CERTIFICATE", *made);
  if (issuer) {
    for (const auto& der : issuer->chain) {
      const auto parsed = x509::Certificate::parse(der);
      if (parsed && !parsed->is_self_issued()) pem += x509::pem("CERTIFICATE", der);
    }
  }
  if (!subject_key.pkcs8.empty()) {
    std::string key_pem = x509::pem("PRIVATE KEY", subject_key.pkcs8.view());
    write_secret(key_path, as_bytes(key_pem));
    wipe({reinterpret_cast<std::uint8_t*>(key_pem.data()), key_pem.size()});
  }
  write_file(certificate_path, as_bytes(pem));

  const auto certificate = x509::Certificate::parse(*made);
  if (!certificate) throw Failure("the certificate that was made does not parse: " + certificate.error().text());
  const std::string fingerprint = certificate->fingerprint_text(provider());
  if (options.output.json) {
    Json names = Json::array();
    for (const auto& each : certificate->alternative_names()) names.push_back(each.text());
    const Json report = {{"ok", true},
                         {"certificate", certificate_path},
                         {"key", options.key_file.empty() ? key_path : options.key_file},
                         {"subject", certificate->subject().text()},
                         {"issuer", certificate->issuer().text()},
                         {"names", names},
                         {"key_type", to_text(subject_key.key->type())},
                         {"not_before", x509::time_text(certificate->not_before())},
                         {"not_after", x509::time_text(certificate->not_after())},
                         {"sha256", fingerprint}};
    out().line(report.dump(2));
  } else if (!options.output.quiet) {
    std::vector<std::string> names;
    for (const auto& each : certificate->alternative_names()) names.push_back(each.text());
    std::vector<Row> rows = {{"subject", certificate->subject().text()}, {"issuer", certificate->issuer().text()}};
    if (!names.empty()) rows.push_back({"names", joined(names)});
    rows.push_back({"key", to_text(subject_key.key->type()) +
                               (certificate->public_key().bits != 0
                                    ? ", " + std::to_string(certificate->public_key().bits) + " bits"
                                    : "")});
    rows.push_back(
        {"valid", x509::time_text(certificate->not_before()) + " to " + x509::time_text(certificate->not_after())});
    rows.push_back({"sha256", fingerprint});
    rows.push_back({"written", certificate_path + (options.key_file.empty() ? ", " + key_path + " (secret)" : "")});
    print_rows(out(), rows);
  }
  return kSuccess;
}

}  // namespace

Command cert_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("cert", "Make a certificate and its key");
  const auto options = std::make_shared<Options>();
  const std::map<std::string, Kind> kinds = {
      {"ca", Kind::ca}, {"leaf", Kind::leaf}, {"self-signed", Kind::self_signed}};
  app->add_option("KIND", options->kind, "ca: an authority; leaf: issued by --ca; self-signed: its own issuer")
      ->required()
      ->transform(CLI::CheckedTransformer(kinds).description(""))
      ->option_text("ca|leaf|self-signed");
  app->add_option("--name", options->names, "A host name, address or mailbox it is for; may be repeated");
  app->add_option("--subject", options->subject, "As \"CN=example.com, O=Example\"; default: CN= the first --name");
  std::string key_types;
  for (const std::string& word : key_type_words()) key_types += (key_types.empty() ? "" : "|") + word;
  app->add_option("--key-type", options->key_type, "Make a key of this type")
      ->option_text(key_types + " [p256, or what the provider has]");
  app->add_option("--bits", options->bits, "Size of an RSA key [2048]")->option_text("N");
  app->add_option("--key", options->key_file, "Use this key instead of making one")->option_text("FILE");
  app->add_option("--passphrase-file", options->passphrase_file, "Its passphrase, on the first line")
      ->option_text("FILE");
  app->add_option("--ca", options->ca_file, "The issuer's certificate")->option_text("FILE");
  app->add_option("--ca-key", options->ca_key_file, "The issuer's key [PREFIX.key.pem beside PREFIX.pem]")
      ->option_text("FILE");
  app->add_option("--ca-passphrase-file", options->ca_passphrase_file, "The passphrase of --ca-key")
      ->option_text("FILE");
  app->add_option("--days", options->days, "How long it is valid [90; an authority 3650]")->option_text("N");
  app->add_option("--not-before", options->not_before, "When it becomes valid [an hour ago]")->option_text("TIME");
  app->add_option("--path-length", options->path_length, "Authorities allowed below this one")->option_text("N");
  app->add_option("--scheme", options->scheme, "Sign with this scheme [the issuer key's first for certificates]");
  app->add_flag("--client", options->client, "For a TLS client");
  app->add_flag("--server", options->server, "For a TLS server (the default without --client)");
  app->add_flag(
      "--key-encipherment", options->key_encipherment,
      "For suites of TLS 1.2 without forward secrecy too: clients encrypt to the key, which must be of type rsa");
  app->add_option("-o,--out", options->prefix, "Write PREFIX.pem and PREFIX.key.pem")
      ->required()
      ->option_text("PREFIX");
  app->add_flag("--force", options->force, "Replace files that exist");
  add_output_options(*app, options->output);
  app->footer(
      "PREFIX.pem holds the certificate and the intermediates above it, as a server sends them; PREFIX.key.pem the "
      "key\n"
      "(PKCS#8, not encrypted, readable by its owner alone).\n"
      "Example:\n"
      "  lockstep cert ca --out ca\n"
      "  lockstep cert leaf --ca ca.pem --name localhost --name 127.0.0.1 --out server");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
