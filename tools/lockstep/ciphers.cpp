// lockstep ciphers: what this build can do, by provider.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/capabilities.hpp>
#include <lockstep/config.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>

#include "commands.hpp"
#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

struct Settled {
  std::string name;
  std::string openssl_name;
  std::string made_of;  ///< the implementations
  std::string use;      ///< "default", "opt-in", "certificates"
};

struct Abilities {
  std::vector<Settled> suites;
  std::vector<Settled> groups;
  std::vector<Settled> schemes;
  std::vector<Settled> aeads;
  std::vector<Settled> keys;
};

/// What Lockstep knows and the provider lacks.
struct Missing {
  std::vector<std::string> suites;
  std::vector<std::string> groups;
  std::vector<std::string> schemes;
  std::vector<std::string> keys;
};

/// What a client offers when nothing is said.
Settings default_settings() {
  const auto config = ConfigBuilder::client(provider()).build();
  if (!config) throw Failure("the provider does not suffice for a client: " + config.error().front().text);
  return (*config)->settings();
}

std::string implementations(NamedGroup group) {
  const auto of_plain = [](NamedGroup plain) -> std::string {
    return std::string(provider().group(plain)->implementation);
  };
  const auto hybrid = parts(group);
  return hybrid ? of_plain(hybrid->first) + " + " + of_plain(hybrid->second) : of_plain(group);
}

Abilities abilities() {
  const Settings defaults = default_settings();
  const auto use = [](bool on) { return std::string(on ? "default" : "opt-in"); };
  Abilities found;
  for (const CipherSuite suite : suites(ProtocolVersion::tls_1_3)) {
    if (!provider().supports(suite)) continue;
    const SuiteParts made_of = *parts(suite);
    found.suites.push_back(
        {to_text(suite), std::string(openssl_name(suite)),
         std::string(provider().aead(*made_of.aead)->implementation) + " + " +
             std::string(provider().hash(made_of.hash)->implementation),
         use(std::ranges::find(defaults.suites, suite, &BoundSuite::suite) != defaults.suites.end())});
  }
  for (const NamedGroup group : known_groups()) {
    if (!provider().supports(group)) continue;
    const bool share = std::ranges::find(defaults.key_shares, group) != defaults.key_shares.end();
    const bool on = std::ranges::find(defaults.groups, group, &BoundGroup::id) != defaults.groups.end();
    found.groups.push_back({to_text(group), "", implementations(group), share ? "default, with key share" : use(on)});
  }
  for (const SignatureScheme scheme : known_schemes()) {
    if (!provider().supports(scheme)) continue;
    const SchemeParts made_of = *parts(scheme);
    const bool on = std::ranges::find(defaults.schemes, scheme) != defaults.schemes.end();
    found.schemes.push_back({to_text(scheme), "",
                             std::string(provider().verifier(made_of.algorithm, made_of.key)->implementation),
                             made_of.certificates_only ? "certificates" : use(on)});
  }
  for (const Aead* aead : provider().aeads) {
    const bool first = provider().aead(aead->id) == aead;
    found.aeads.push_back({to_text(aead->id), "", std::string(aead->implementation), first ? "in use" : "stands by"});
  }
  for (const KeyLoader* loader : provider().key_loaders) {
    for (const KeyType type : loader->types) {
      found.keys.push_back({to_text(type), "", std::string(loader->implementation),
                            loader->generate != nullptr ? "load, make" : "load"});
    }
  }
  return found;
}

Missing missing() {
  Missing found;
  const auto note = [](std::vector<std::string>& list, auto known) {
    for (const auto id : known) {
      if (!provider().supports(id)) list.push_back(to_text(id));
    }
  };
  note(found.suites, suites(ProtocolVersion::tls_1_3));
  note(found.groups, known_groups());
  note(found.schemes, known_schemes());
  for (const KeyType type : every::kKeys) {
    if (provider().key_loader(type) == nullptr) found.keys.push_back(to_text(type));
  }
  return found;
}

Json as_json(const std::vector<Settled>& list) {
  Json array = Json::array();
  for (const Settled& each : list) {
    Json object = {{"name", each.name}, {"implementation", each.made_of}, {"use", each.use}};
    if (!each.openssl_name.empty()) object["openssl_name"] = each.openssl_name;
    array.push_back(std::move(object));
  }
  return array;
}

void print_list(const std::string& title, const std::vector<Settled>& list) {
  const auto differs = [](const Settled& each) { return !each.openssl_name.empty() && each.openssl_name != each.name; };
  const bool with_openssl_name = std::ranges::any_of(list, differs);
  std::vector<std::string> heading = {title, "implementation", "use"};
  if (with_openssl_name) heading.insert(heading.begin() + 1, "OpenSSL's name");
  std::vector<std::vector<std::string>> lines;
  for (const Settled& each : list) {
    lines.push_back({each.name, each.made_of, each.use});
    if (with_openssl_name) lines.back().insert(lines.back().begin() + 1, differs(each) ? each.openssl_name : "");
  }
  print_table(out(), heading, lines);
  out().line();
}

int run(const OutputOptions& output) {
  const Abilities found = abilities();
  const Missing lacks = missing();
  if (output.json) {
    const Json report = {
        {"ok", true},
        {"provider", provider().name},
        {"version", to_text(ProtocolVersion::tls_1_3)},
        {"suites", as_json(found.suites)},
        {"groups", as_json(found.groups)},
        {"schemes", as_json(found.schemes)},
        {"aeads", as_json(found.aeads)},
        {"keys", as_json(found.keys)},
        {"missing",
         {{"suites", lacks.suites}, {"groups", lacks.groups}, {"schemes", lacks.schemes}, {"keys", lacks.keys}}}};
    out().line(report.dump(2));
    return kSuccess;
  }
  if (output.quiet) {  // names alone, for scripts
    for (const auto* list : {&found.suites, &found.groups, &found.schemes}) {
      for (const Settled& each : *list) out().line(each.name);
    }
    return kSuccess;
  }
  out().line("Provider " + out().styled(Style::bold, provider().name) + ", " + to_text(ProtocolVersion::tls_1_3) +
             "\n");
  print_list("cipher suite", found.suites);
  print_list("group", found.groups);
  print_list("signature scheme", found.schemes);
  print_list("AEAD", found.aeads);
  print_list("private key", found.keys);
  std::vector<Row> rows;
  for (const auto& [kind, names] : {std::pair("suites", &lacks.suites), std::pair("groups", &lacks.groups),
                                    std::pair("schemes", &lacks.schemes), std::pair("keys", &lacks.keys)}) {
    if (!names->empty()) rows.push_back({kind, joined(*names)});
  }
  if (!rows.empty()) {
    out().line("Missing with this provider:");
    print_rows(out(), rows);
  }
  return kSuccess;
}

}  // namespace

Command ciphers_command(CLI::App& program) {
  CLI::App* app =
      program.add_subcommand("ciphers", "List the suites, groups, schemes and keys of a provider, and what it lacks");
  const auto output = std::make_shared<OutputOptions>();
  add_output_options(*app, *output);
  app->footer(
      "Lists stand in order of preference. What is \"opt-in\" is used only when --suite, --group or --scheme names "
      "it.\n"
      "With --quiet: the names alone, one a line.");
  return {app, [output] { return run(*output); }};
}

}  // namespace lockstep::tool
