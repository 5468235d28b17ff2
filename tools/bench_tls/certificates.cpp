#include "certificates.hpp"

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <lockstep/botan.hpp>
#include <lockstep/x509_builder.hpp>
#include <lockstep/x509_pem.hpp>

namespace lockstep::bench {
namespace {

constexpr std::int64_t kDay = 86'400;

struct Key {
  Der pkcs8;
  std::shared_ptr<const SigningKey> key;
};

Key make_key(const Provider& provider, KeyType type) {
  const KeyLoader* loader = provider.key_loader(type);
  if (loader == nullptr || loader->generate == nullptr) throw std::runtime_error("no provider makes such keys");
  auto pkcs8 = loader->generate(type, 2048, botan::system_random());
  if (!pkcs8) throw std::runtime_error("making a key failed");
  auto key = loader->load(*pkcs8);
  if (!key) throw std::runtime_error("loading a new key failed");
  return {std::move(*pkcs8), std::move(*key)};
}

Der checked(x509::CertificateBuilder::Result result) {
  if (!result) throw std::runtime_error("making a certificate failed: " + std::string(name(result.error())));
  return std::move(*result);
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Der> read_chain(const std::filesystem::path& path, std::size_t count) {
  auto chain = x509::load_chain(as_bytes(read_text(path)));
  if (!chain) throw std::runtime_error(path.string() + ": " + chain.error().text);
  if (chain->size() != count) {
    throw std::runtime_error(path.string() + ": " + std::to_string(chain->size()) + " certificates, expected " +
                             std::to_string(count));
  }
  return std::move(*chain);
}

Chain read_side(const std::filesystem::path& directory, const std::string& side) {
  auto chain = read_chain(directory / (side + ".chain.pem"), 2);
  const std::filesystem::path key_path = directory / (side + ".key.pem");
  const auto key = x509::load_pkcs8(botan::provider(), as_bytes(read_text(key_path)));
  if (!key) throw std::runtime_error(key_path.string() + ": " + key.error().text);
  return {std::move(chain[0]), std::move(chain[1]), Der(key->view().begin(), key->view().end())};
}

}  // namespace

Certificates make_certificates(KeyType type) {
  const Provider provider = botan::provider();
  RandomSource& random = botan::system_random();
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
  const auto builder = [now](std::string_view subject) {
    return x509::CertificateBuilder(subject).validity(now - kDay, now + 30 * kDay);
  };

  const Key root_key = make_key(provider, type);
  const Key intermediate_key = make_key(provider, type);
  Key server_key = make_key(provider, type);
  Key client_key = make_key(provider, type);

  Certificates made;
  made.root = checked(builder("CN=Bench Root, O=Lockstep").ca(1).self_signed(provider, *root_key.key, random));
  const Der intermediate = checked(
      builder("CN=Bench Intermediate, O=Lockstep")
          .ca(0)
          .issued_by(provider, made.root, *root_key.key, intermediate_key.key->subject_public_key_info(), random));
  const auto leaf = [&](x509::CertificateBuilder shape, const Key& key) {
    return checked(
        shape.issued_by(provider, intermediate, *intermediate_key.key, key.key->subject_public_key_info(), random));
  };
  made.server = {leaf(builder("CN=bench.example").dns(kServerName).server(), server_key), intermediate,
                 std::move(server_key.pkcs8)};
  made.client = {leaf(builder("CN=client").dns("client.bench.example").client(), client_key), intermediate,
                 std::move(client_key.pkcs8)};
  return made;
}

Certificates read_certificates(const std::filesystem::path& directory) {
  Certificates read;
  read.root = std::move(read_chain(directory / "root.pem", 1).front());
  read.server = read_side(directory, "server");
  read.client = read_side(directory, "client");
  return read;
}

}  // namespace lockstep::bench
