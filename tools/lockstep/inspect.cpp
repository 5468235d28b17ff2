// lockstep inspect: what a file holds, found out by its contents. It never prints what is secret: of private keys and
// sessions it tells what they are for.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/client_hello.hpp>
#include <lockstep/session.hpp>
#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "certificate_fields.hpp"
#include "commands.hpp"
#include "fields.hpp"
#include "files.hpp"
#include "hello_fields.hpp"
#include "hello_source.hpp"
#include "passphrase.hpp"
#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

/// No bundle in use has a hundredth of it.
constexpr std::size_t kLargestFile = std::size_t{64} << 20U;

struct Options {
  OutputOptions output;
  std::string file;
  std::string passphrase_file;
  std::string ticket_key;
};

/// Something that a file holds.
struct Found {
  std::string kind;
  Json fields;
  std::string error;                      ///< why it could not be read; empty: it could
  std::size_t line = 0;                   ///< of a PEM text
  std::vector<std::uint8_t> certificate;  ///< DER, of one
  std::shared_ptr<const SigningKey> key;  ///< of a private key that could be read
};

class Inspection {
 public:
  explicit Inspection(const Options& options) : options_(options) {
    if (!options.ticket_key.empty()) keys_ = ticket_keys();
  }

  std::vector<Found> of(Bytes bytes) {
    const std::string_view text = as_text(bytes);
    if (text.find("-----BEGIN ") != std::string_view::npos) return of_pem(text);
    if (const x509::SecretBytes decoded(from_hex(text)); !decoded.empty()) return of(decoded.view());
    if (auto hellos = client_hellos(bytes); !hellos.empty()) return hellos;
    return one(of_binary(bytes));
  }

 private:
  std::vector<Found> of_pem(std::string_view text) {
    std::vector<Found> found;
    x509::PemReader reader(text);
    while (auto object = reader.next()) {
      if (object->has_value()) {
        found.push_back(of_object(**object));
        found.back().line = (*object)->line;
      } else {
        found.push_back({.kind = "PEM", .fields = {}, .error = object->error().text(), .certificate = {}, .key = {}});
      }
    }
    return found;
  }

  Found of_object(const x509::PemObject& object) {
    const Bytes der = object.der.view();
    const std::string& label = object.label;
    if (label == "CERTIFICATE" || label == "X509 CERTIFICATE") return certificate(der);
    if (label == "CERTIFICATE REQUEST" || label == "NEW CERTIFICATE REQUEST") {
      if (auto fields = request_fields(der)) return done("certificate request", std::move(*fields));
      return failed("certificate request", "it is no CertificationRequest of RFC 2986");
    }
    if (label.ends_with("PRIVATE KEY")) {
      if (object.encrypted) return private_key(x509::pem(label, der), "its encryption is that of RFC 1421");
      return private_key(x509::pem(label, der), {});
    }
    if (label == "PUBLIC KEY") return public_key(der);
    if (label == "DH PARAMETERS" || label == "X9.42 DH PARAMETERS")
      return dh_parameters(as_bytes(x509::pem(label, der)));
    return failed(printable(label), "lockstep does not look into this kind of object");
  }

  /// Of a message, a tape or a capture; empty when it is none of them.
  static std::vector<Found> client_hellos(Bytes bytes) {
    std::vector<Found> found;
    for (const FoundHello& hello : client_hellos_of(bytes)) {
      auto fields = client_hello_fields(hello.message);
      found.push_back(fields ? done("ClientHello", std::move(*fields))
                             : failed("ClientHello", "the lengths in it do not fit each other"));
      if (const auto info = ClientHelloInfo::read(hello.message)) {
        found.back().fields["ja3_text"] = ja3_text(*info);
        found.back().fields["ja4"] = ja4(*info, provider());
      }
      if (!hello.from.empty()) found.back().fields["from"] = hello.from;
    }
    return found;
  }

  Found of_binary(Bytes bytes) {
    if (bytes.empty()) return failed("nothing", "the file is empty");
    if (bytes[0] == 0x30) return of_der(bytes);
    if (auto session = Session::parse(bytes)) return done("session", session_fields(*session));
    if (keys_) {
      if (auto opened = ticket(bytes)) return std::move(*opened);
    }
    return failed("unknown", "it is neither PEM nor DER, nor a session of this release" +
                                 std::string(keys_ ? ", nor a ticket that this key opens" : "") +
                                 (keys_ ? "" : "; a ticket is opened with --ticket-key FILE"));
  }

  Found of_der(Bytes der) {
    const auto parsed = x509::Certificate::parse(der);
    if (parsed) return certificate(der);
    if (auto fields = request_fields(der)) return done("certificate request", std::move(*fields));
    if (const auto key = x509::PublicKey::parse(der)) return public_key(der);
    if (x509::load_dh_parameters(der)) return dh_parameters(der);
    Found key = private_key(std::string(as_text(der)), {});
    if (key.error.empty() || key.fields.contains("encrypted")) return key;
    return failed("DER", "no certificate (" + parsed.error().text() + "), and no request, key or parameters either");
  }

  static std::vector<Found> one(Found found) {
    std::vector<Found> list;
    list.push_back(std::move(found));
    return list;
  }
  static Found done(std::string kind, Json fields) {
    return {.kind = std::move(kind), .fields = std::move(fields), .error = {}, .certificate = {}, .key = {}};
  }
  static Found failed(std::string kind, std::string why) {
    return {.kind = std::move(kind), .fields = Json::object(), .error = std::move(why), .certificate = {}, .key = {}};
  }

  static Found certificate(Bytes der) {
    const auto parsed = x509::Certificate::parse(der);
    if (!parsed) return failed("certificate", parsed.error().text());
    Found found = done("certificate", certificate_fields(*parsed));
    found.certificate.assign(der.begin(), der.end());
    return found;
  }

  static Found public_key(Bytes der) {
    const auto parsed = x509::PublicKey::parse(der);
    return parsed ? done("public key", public_key_fields(*parsed)) : failed("public key", parsed.error().text());
  }

  static Found dh_parameters(Bytes pem_or_der) {
    const auto parameters = x509::load_dh_parameters(pem_or_der);
    if (!parameters) return failed("DH parameters", parameters.error().text);
    return done("DH parameters",
                {{"bits", parameters->p.size() * 8}, {"p", hex(parameters->p)}, {"g", hex(parameters->g)}});
  }

  /// Nobody is asked for a passphrase: that a key has one is what is to be told.
  Found private_key(std::string text, std::string encryption) {
    const x509::SecretBytes wiped(std::vector<std::uint8_t>(text.begin(), text.end()));
    wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
    std::optional<Passphrase> passphrase;
    if (!options_.passphrase_file.empty()) passphrase.emplace(options_.file, options_.passphrase_file);
    auto key = x509::load_private_key(provider(), wiped.view(), passphrase ? passphrase->view() : std::string_view());
    if (!key) {
      Found found = failed("private key", key.error().text + (encryption.empty() ? "" : "; " + encryption));
      if (key.error().code == x509::LoadCode::passphrase_needed || key.error().code == x509::LoadCode::passphrase_wrong)
        found.fields["encrypted"] = true;
      return found;
    }
    Json fields = {{"type", to_text((*key)->type())}, {"schemes", Json::array()}};
    for (const SignatureScheme scheme : (*key)->schemes()) fields["schemes"].push_back(to_text(scheme));
    if (const auto parsed = x509::PublicKey::parse((*key)->subject_public_key_info()))
      fields["subjectPublicKeyInfo"] = public_key_fields(*parsed);
    Found found = done("private key", std::move(fields));
    found.key = std::move(*key);
    return found;
  }

  Json session_fields(const Session& session) const {
    const auto text_of = [](Time time) {
      if (time == Time::max()) return std::string("without end");
      return x509::time_text(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
    };
    Json fields = {{"version", to_text(session.version)},
                   {"cipher_suite", to_text(session.suite)},
                   {"server_name", session.name.text()},
                   {"application_protocol", session.alpn},
                   {"issued_at", text_of(session.issued_at)},
                   {"ticket_lifetime", session.lifetime.count()},
                   {"authenticated_at", text_of(session.authenticated_at)},
                   {"authentication_ends", text_of(session.authentication_ends())},
                   {"usable", session.usable(time_now())},
                   {"peer_verified", session.peer_verified},
                   {"max_early_data_size", session.max_early_data},
                   {"identity_bytes", session.identity.size()},
                   {"application_data_bytes", session.application_data.size()}};
    if (session.unverified) fields["unverified"] = name(session.unverified.reason);
    if (session.version == ProtocolVersion::tls_1_2) {
      fields["extended_master_secret"] = session.extended_master_secret;
      fields["session_id"] = hex(session.session_id);
    }
    fields["ticket_bytes"] = session.ticket.size();
    if (keys_ && !session.ticket.empty()) {
      if (const auto opened = ticket(session.ticket)) fields["ticket"] = opened->fields;
    }
    if (session.peer != nullptr) {
      fields["peer_certificates"] = Json::array();
      for (const auto& der : session.peer->chain) {
        const auto parsed = x509::Certificate::parse(der);
        fields["peer_certificates"].push_back(parsed ? parsed->subject().text() : parsed.error().text());
      }
    }
    return fields;
  }

  TicketKeys ticket_keys() const {
    auto key = TicketKey::from_bytes(read_secret(options_.ticket_key, 4096).view());
    if (!key) throw Failure(options_.ticket_key + " is no ticket key: it must hold exactly 48 bytes");
    auto keys = TicketKeys::create(provider(), std::move(*key));
    if (!keys) throw Failure("tickets cannot be opened: " + std::string(name(keys.error())));
    return std::move(*keys);
  }

  /// Nothing when it is none that the key opens.
  std::optional<Found> ticket(Bytes bytes) const {
    std::vector<std::uint8_t> room(TicketKeys::opened_size(bytes.size()));
    const auto opened = keys_->open(bytes, room);
    if (!opened) return std::nullopt;
    const auto session = Session::parse(Bytes(room).first(opened->size));
    wipe(room);
    if (!session)
      return failed("ticket", "what it seals is no session of this release: " + std::string(name(session.error())));
    Json fields = session_fields(*session);
    fields["key_name"] = hex(bytes.first(TicketKey::kNameSize));
    return done("ticket", std::move(fields));
  }

  const Options& options_;
  std::optional<TicketKeys> keys_;
};

/// Which certificates of the file belong to each other and to its keys, by their numbers.
void relate(std::vector<Found>& found) {
  const auto certificate_at = [&found](std::size_t i) { return *x509::Certificate::parse(found[i].certificate); };
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (std::size_t j = 0; j < found.size(); ++j) {
      if (found[j].certificate.empty()) continue;
      if (found[i].key != nullptr && x509::belongs_to(found[j].certificate, *found[i].key))
        found[i].fields["certificate"] = j + 1;
      if (found[i].certificate.empty() || i == j || found[i].fields.contains("issuer_certificate")) continue;
      if (certificate_at(i).issuer().matches(certificate_at(j).subject()))
        found[i].fields["issuer_certificate"] = j + 1;
    }
    if (!found[i].certificate.empty() && certificate_at(i).is_self_issued()) found[i].fields["self_issued"] = true;
  }
}

int run(const Options& options) {
  const std::string path = options.file == "-" ? "/dev/stdin" : options.file;
  const x509::SecretBytes file = read_file(path, kLargestFile);
  std::vector<Found> found = Inspection(options).of(file.view());
  if (found.empty()) throw Failure(options.file + ": there is a BEGIN line, and no object behind it");
  relate(found);
  const bool ok = std::ranges::all_of(found, [](const Found& each) { return each.error.empty(); });
  if (options.output.json) {
    Json objects = Json::array();
    for (Found& each : found) {
      Json object = {{"kind", each.kind}};
      if (each.line != 0) object["line"] = each.line;
      if (!each.error.empty()) object["error"] = printable(each.error);
      if (!each.fields.empty()) object["fields"] = std::move(each.fields);
      objects.push_back(std::move(object));
    }
    const Json report = {{"ok", ok}, {"file", options.file}, {"objects", std::move(objects)}};
    out().line(report.dump(2, ' ', false, Json::error_handler_t::replace));
    return ok ? kSuccess : kFailed;
  }
  std::size_t number = 0;
  for (const Found& each : found) {
    ++number;
    const std::string where = each.line != 0 ? "line " + std::to_string(each.line) : std::string();
    if (!options.output.quiet) {
      out().line(std::to_string(number) + "  " + out().styled(Style::bold, each.kind) +
                 (where.empty() ? "" : "  " + out().styled(Style::dim, where)));
      print_fields(out(), each.fields, 5);
    }
    if (!each.error.empty())
      print_failure(
          "inspect",
          options.file + (where.empty() ? "" : ", " + where) + ": " + each.kind + ": " + printable(each.error), "");
  }
  return ok ? kSuccess : kFailed;
}

}  // namespace

Command inspect_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "inspect", "Tell what a file holds: certificates, keys, requests, sessions, tickets, ClientHellos");
  const auto options = std::make_shared<Options>();
  app->add_option("FILE", options->file,
                  "PEM, DER, or what lockstep writes; as bytes or as hexadecimal digits; '-': standard input")
      ->required()
      ->option_text(" ");
  app->add_option("--passphrase-file", options->passphrase_file,
                  "The passphrase of an encrypted key, on the first line")
      ->option_text("FILE");
  app->add_option("--ticket-key", options->ticket_key, "Opens tickets that were sealed with it (48 secret bytes)")
      ->option_text("FILE");
  add_output_options(*app, options->output);
  app->footer(
      "What it is is found out by its contents, whatever the name says. Nothing secret is printed: of private keys "
      "and\n"
      "sessions only what they are for. Whether a chain is good tells `lockstep verify`.\n"
      "Example: lockstep inspect server.pem");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
