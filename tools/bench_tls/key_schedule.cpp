#include "key_schedule.hpp"

#include <array>
#include <initializer_list>
#include <stdexcept>

#include <lockstep/botan.hpp>

#include "key_schedule/tls13.hpp"

#ifdef LOCKSTEP_BENCH_OPENSSL
#include <memory>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#endif

namespace lockstep::bench {
namespace {

constexpr std::array<std::uint8_t, 32> kSharedSecret{0x5a};

template <class T>
T good(std::optional<T> made) {
  if (!made) throw std::runtime_error("the key schedule failed");
  return std::move(*made);
}

}  // namespace

void run_key_schedule(CipherSuite suite) {
  using namespace key_schedule;
  static const Provider provider = botan::provider();
  const SuiteParts made_of = *parts(suite);
  const Hash& hash = *provider.hash(made_of.hash);
  const std::size_t key_size = provider.aead(*made_of.aead)->key_size;
  const Digest transcript(hash.digest_size);

  auto handshake = good(HandshakeSecret::without_psk(hash, kSharedSecret));
  const auto [main, handshake_traffic] = good(std::move(handshake).derive(transcript));
  (void)good(traffic_keys(hash, handshake_traffic, key_size));
  (void)good(finished_verify_data(hash, handshake_traffic.server, transcript));
  const ApplicationSecrets application = good(main.application_secrets(transcript));
  (void)good(traffic_keys(hash, application.traffic, key_size));
  (void)good(finished_verify_data(hash, handshake_traffic.client, transcript));
  (void)good(main.resumption_secret(transcript));
}

#ifndef LOCKSTEP_BENCH_OPENSSL

bool run_openssl_key_schedule(CipherSuite /*suite*/) { return false; }

#else

namespace {

struct Kdf {
  const char* digest;
  std::size_t size;

  using Secret = std::array<std::uint8_t, 64>;

  void derive(int mode, std::initializer_list<OSSL_PARAM> more, Bytes key, std::uint8_t* out,
              std::size_t out_size) const {
    // libssl too fetches the function for each derivation.
    EVP_KDF* kdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_3_KDF, nullptr);
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    EVP_KDF_free(kdf);
    std::array<OSSL_PARAM, 8> parameters{};
    std::size_t count = 0;
    parameters[count++] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    parameters[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(digest), 0);
    parameters[count++] =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(key.data()), key.size());
    for (const OSSL_PARAM& each : more) parameters[count++] = each;
    parameters[count] = OSSL_PARAM_construct_end();
    const int result = context == nullptr ? 0 : EVP_KDF_derive(context, out, out_size, parameters.data());
    EVP_KDF_CTX_free(context);
    if (result != 1) throw std::runtime_error("OpenSSL's key derivation failed");
  }

  static OSSL_PARAM octets(const char* name, Bytes bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
  }

  /// HKDF-Expand-Label.
  void expand(const Secret& secret, std::string_view label, Bytes context, std::uint8_t* out,
              std::size_t out_size) const {
    const auto prefix = octets(OSSL_KDF_PARAM_PREFIX, as_bytes("tls13 "));
    const auto name = octets(OSSL_KDF_PARAM_LABEL, as_bytes(label));
    if (context.empty()) {
      derive(EVP_KDF_HKDF_MODE_EXPAND_ONLY, {prefix, name}, Bytes(secret).first(size), out, out_size);
    } else {
      derive(EVP_KDF_HKDF_MODE_EXPAND_ONLY, {prefix, name, octets(OSSL_KDF_PARAM_DATA, context)},
             Bytes(secret).first(size), out, out_size);
    }
  }

  /// HKDF-Extract; the function itself derives the salt from the secret before, as the RFC's figure has it.
  [[nodiscard]] Secret extract(const Secret* before, Bytes input) const {
    Secret made{};
    const auto prefix = octets(OSSL_KDF_PARAM_PREFIX, as_bytes("tls13 "));
    const auto label = octets(OSSL_KDF_PARAM_LABEL, as_bytes("derived"));
    if (before == nullptr) {
      derive(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, {prefix, label}, input, made.data(), size);
    } else {
      derive(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, {prefix, label, octets(OSSL_KDF_PARAM_SALT, Bytes(*before).first(size))},
             input, made.data(), size);
    }
    return made;
  }

  [[nodiscard]] Secret secret(const Secret& from, std::string_view label, Bytes transcript) const {
    Secret made{};
    expand(from, label, transcript, made.data(), size);
    return made;
  }

  void key_and_iv(const Secret& traffic, std::size_t key_size) const {
    Secret out{};
    expand(traffic, "key", {}, out.data(), key_size);
    expand(traffic, "iv", {}, out.data(), kAeadNonceSize);
  }

  void finished(const Secret& traffic, Bytes transcript) const {
    Secret key{};
    expand(traffic, "finished", {}, key.data(), size);
    Secret out{};
    std::size_t written = 0;
    if (EVP_Q_mac(nullptr, "HMAC", nullptr, digest, nullptr, key.data(), size, transcript.data(), transcript.size(),
                  out.data(), out.size(), &written) == nullptr) {
      throw std::runtime_error("OpenSSL's HMAC failed");
    }
  }
};

}  // namespace

bool run_openssl_key_schedule(CipherSuite suite) {
  const SuiteParts made_of = *parts(suite);
  const Kdf kdf = made_of.hash == HashAlgorithm::sha256 ? Kdf{"SHA256", 32} : Kdf{"SHA384", 48};
  const std::size_t key_size = made_of.aead == AeadAlgorithm::aes_128_gcm ? 16 : 32;
  const Kdf::Secret zeros{};
  const Bytes transcript = Bytes(zeros).first(kdf.size);

  const auto early = kdf.extract(nullptr, transcript);
  const auto handshake = kdf.extract(&early, kSharedSecret);
  const auto client_handshake = kdf.secret(handshake, "c hs traffic", transcript);
  const auto server_handshake = kdf.secret(handshake, "s hs traffic", transcript);
  kdf.key_and_iv(client_handshake, key_size);
  kdf.key_and_iv(server_handshake, key_size);
  const auto main = kdf.extract(&handshake, transcript);
  kdf.finished(server_handshake, transcript);
  kdf.key_and_iv(kdf.secret(main, "c ap traffic", transcript), key_size);
  kdf.key_and_iv(kdf.secret(main, "s ap traffic", transcript), key_size);
  (void)kdf.secret(main, "exp master", transcript);
  kdf.finished(client_handshake, transcript);
  (void)kdf.secret(main, "res master", transcript);
  return true;
}

#endif

}  // namespace lockstep::bench
