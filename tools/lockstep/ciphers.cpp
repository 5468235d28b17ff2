// lockstep ciphers: what this build can do, by provider.

#include <algorithm>
#include <iterator>
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

struct SettledSuite : Settled {
  ProtocolVersion version{};
  bool insecure = false;
};

struct Abilities {
  std::vector<SettledSuite> suites;  // by version, newest first
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

std::string implementations(CipherSuite suite) {
  const SuiteParts made_of = *parts(suite);
  const std::string hash(provider().hash(made_of.hash)->implementation);
  if (made_of.aead) return std::string(provider().aead(*made_of.aead)->implementation) + " + " + hash;
  return std::string(provider().cbc_cipher(made_of.cbc->cipher)->implementation) + " + " +
         std::string(provider().record_mac(made_of.cbc->mac)->implementation) + " + " + hash;
}

std::string implementations(NamedGroup group) {
  const auto of_plain = [](NamedGroup plain) -> std::string {
    return std::string(provider().group(as_listed(plain))->implementation);
  };
  const auto hybrid = parts(group);
  return hybrid ? of_plain(hybrid->first) + " + " + of_plain(hybrid->second) : of_plain(group);
}

Abilities abilities() {
  const Settings defaults = default_settings();
  const auto use = [](bool on) { return std::string(on ? "default" : "opt-in"); };
  Abilities found;
  for (const ProtocolVersion version : versions()) {
    for (const CipherSuite suite : suites(version)) {
      if (!provider().supports(suite)) continue;
      const bool on = std::ranges::find(defaults.suites, suite, &BoundSuite::suite) != defaults.suites.end();
      found.suites.push_back({{to_text(suite), std::string(openssl_name(suite)), implementations(suite), use(on)},
                              version,
                              is_insecure(suite)});
    }
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
  for (const ProtocolVersion version : versions()) note(found.suites, suites(version));
  note(found.groups, known_groups());
  note(found.schemes, known_schemes());
  for (const KeyType type : every::kKeys) {
    if (provider().key_loader(type) == nullptr) found.keys.push_back(to_text(type));
  }
  return found;
}

Json as_json(const Settled& each) {
  Json object = {{"name", each.name}, {"implementation", each.made_of}, {"use", each.use}};
  if (!each.openssl_name.empty()) object["openssl_name"] = each.openssl_name;
  return object;
}

Json as_json(const SettledSuite& each) {
  Json object = as_json(static_cast<const Settled&>(each));
  object["version"] = to_text(each.version);
  object["insecure"] = each.insecure;
  return object;
}

template <class Each>
Json as_json(const std::vector<Each>& list) {
  Json array = Json::array();
  for (const Each& each : list) array.push_back(as_json(each));
  return array;
}

std::vector<std::string> version_names() {
  std::vector<std::string> names;
  for (const ProtocolVersion version : versions()) names.push_back(to_text(version));
  return names;
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

/// Those of each version, then what is weaker than the rest.
void print_suites(const std::vector<SettledSuite>& suites) {
  const auto chosen = [&suites](auto keep) {
    std::vector<Settled> list;
    std::ranges::copy_if(suites, std::back_inserter(list), keep);
    return list;
  };
  for (const ProtocolVersion version : versions()) {
    print_list("suite of " + to_text(version),
               chosen([version](const SettledSuite& each) { return each.version == version && !each.insecure; }));
  }
  const auto insecure = chosen(&SettledSuite::insecure);
  if (!insecure.empty()) print_list("insecure suite", insecure);
}

int run(const OutputOptions& output) {
  const Abilities found = abilities();
  const Missing lacks = missing();
  if (output.json) {
    const Json report = {
        {"ok", true},
        {"provider", provider().name},
        {"version", to_text(versions().front())},
        {"versions", version_names()},
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
    for (const SettledSuite& each : found.suites) out().line(each.name);
    for (const auto* list : {&found.groups, &found.schemes}) {
      for (const Settled& each : *list) out().line(each.name);
    }
    return kSuccess;
  }
  out().line("Provider " + out().styled(Style::bold, provider().name) + ", " + joined(version_names()) + "\n");
  print_suites(found.suites);
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
      "Insecure suites, of TLS 1.2 but one, are opt-in as well: without forward secrecy, in CBC mode, or with a short "
      "tag.\n"
      "With --quiet: the names alone, one a line.");
  return {app, [output] { return run(*output); }};
}

}  // namespace lockstep::tool
