// wolfSSL.

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "peer.hpp"

namespace peer {
namespace {

template <auto free_function>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};
using Context = std::unique_ptr<WOLFSSL_CTX, Freed<wolfSSL_CTX_free>>;
using Ssl = std::unique_ptr<WOLFSSL, Freed<wolfSSL_free>>;
using Session = std::unique_ptr<WOLFSSL_SESSION, Freed<wolfSSL_SESSION_free>>;

void require(int result, const char* what) {
  if (result != WOLFSSL_SUCCESS) throw std::runtime_error(std::string("wolfSSL: ") + what);
}

[[noreturn]] void fail(WOLFSSL* ssl, int result) {
  std::array<char, 256> text{};
  wolfSSL_ERR_error_string(static_cast<unsigned long>(wolfSSL_get_error(ssl, result)), text.data());
  throw std::runtime_error(std::string("wolfSSL: ") + text.data());
}

class WolfConnection final : public Connection {
 public:
  WolfConnection(Ssl ssl, Session& session) : ssl_(std::move(ssl)), session_(session) {}

  Facts facts() override {
    Facts facts{.version = wolfSSL_get_version(ssl_.get()),
                .suite = wolfSSL_get_cipher_name_iana_from_suite(first_byte(), second_byte()),
                .peer = {},
                .resumed = wolfSSL_session_reused(ssl_.get()) == 1};
    if (WOLFSSL_X509* shown = wolfSSL_get_peer_certificate(ssl_.get())) {
      std::array<char, 256> text{};
      wolfSSL_X509_NAME_oneline(wolfSSL_X509_get_subject_name(shown), text.data(), text.size());
      facts.peer = text.data();
      wolfSSL_X509_free(shown);
    }
    return facts;
  }

  std::string read() override {
    std::array<char, 4096> data{};
    const int count = wolfSSL_read(ssl_.get(), data.data(), data.size());
    if (count > 0) return {data.data(), static_cast<std::size_t>(count)};
    const int error = wolfSSL_get_error(ssl_.get(), count);
    if (error == WOLFSSL_ERROR_ZERO_RETURN) return {};
    fail(ssl_.get(), count);
  }

  void write(const std::string& data) override {
    const int count = wolfSSL_write(ssl_.get(), data.data(), static_cast<int>(data.size()));
    if (count != static_cast<int>(data.size())) fail(ssl_.get(), count);
  }

  void close() override {
    session_ = Session(wolfSSL_get1_session(ssl_.get()));
    wolfSSL_shutdown(ssl_.get());
  }

 private:
  // wolfSSL_get_current_cipher_suite gives the two bytes as one number.
  [[nodiscard]] unsigned char first_byte() const {
    return static_cast<unsigned char>(wolfSSL_get_current_cipher_suite(ssl_.get()) >> 8);
  }
  [[nodiscard]] unsigned char second_byte() const {
    return static_cast<unsigned char>(wolfSSL_get_current_cipher_suite(ssl_.get()));
  }

  Ssl ssl_;
  Session& session_;
};

class WolfEndpoint final : public Endpoint {
 public:
  explicit WolfEndpoint(const Options& options) : options_(options), context_(wolfSSL_CTX_new(method())) {
    require(context_ != nullptr ? WOLFSSL_SUCCESS : 0, "no context");
    std::string list;
    for (const std::string& suite : options.suites) list += (list.empty() ? "" : ":") + suite;
    if (!list.empty()) require(wolfSSL_CTX_set_cipher_list(context_.get(), list.c_str()), "suites");
    if (!options.certificates.empty()) {
      // It has room for one.
      require(wolfSSL_CTX_use_certificate_chain_file(context_.get(), options.certificates.front().c_str()),
              "certificate");
      require(wolfSSL_CTX_use_PrivateKey_file(context_.get(), options.keys.front().c_str(), WOLFSSL_FILETYPE_PEM),
              "key");
    }
    trust();
    if (!options.extended_master_secret) wolfSSL_CTX_DisableExtendedMasterSecret(context_.get());
    if (!options.encrypt_then_mac) wolfSSL_CTX_AllowEncryptThenMac(context_.get(), 0);
    if (options.server && !options.tickets) wolfSSL_CTX_NoTicketTLSv12(context_.get());
    if (!options.dh_parameters.empty())
      require(wolfSSL_CTX_SetTmpDH_file(context_.get(), options.dh_parameters.c_str(), WOLFSSL_FILETYPE_PEM), "DH");
    if (!options.psk.empty()) share_key();
  }

  std::unique_ptr<Connection> connection(int socket) override {
    Ssl ssl(wolfSSL_new(context_.get()));
    require(ssl != nullptr ? WOLFSSL_SUCCESS : 0, "no connection");
    require(wolfSSL_set_fd(ssl.get(), socket), "socket");
    if (!options_.server) prepare_client(ssl.get());
    const int result = options_.server ? wolfSSL_accept(ssl.get()) : wolfSSL_connect(ssl.get());
    if (result != WOLFSSL_SUCCESS) fail(ssl.get(), result);
    return std::make_unique<WolfConnection>(std::move(ssl), session_);
  }

 private:
  [[nodiscard]] WOLFSSL_METHOD* method() const {
    if (options_.tls13) return options_.server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method();
    return options_.server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method();
  }

  void trust() {
    if (options_.authorities.empty()) {
      wolfSSL_CTX_set_verify(context_.get(), WOLFSSL_VERIFY_NONE, nullptr);
      return;
    }
    require(wolfSSL_CTX_load_verify_locations(context_.get(), options_.authorities.c_str(), nullptr), "authorities");
    wolfSSL_CTX_set_verify(context_.get(), WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

  void share_key() {
    wolfSSL_CTX_set_psk_callback_ctx(context_.get(), const_cast<Options*>(&options_));
    if (options_.server) {
      wolfSSL_CTX_set_psk_server_callback(context_.get(), server_key);
    } else {
      wolfSSL_CTX_set_psk_client_callback(context_.get(), client_key);
    }
  }

  static unsigned client_key(WOLFSSL* ssl, const char* /*hint*/, char* identity, unsigned identity_room,
                             unsigned char* key, unsigned room) {
    const auto& options = *static_cast<const Options*>(wolfSSL_get_psk_callback_ctx(ssl));
    if (options.psk_identity.size() >= identity_room) return 0;
    std::strcpy(identity, options.psk_identity.c_str());
    return server_key(ssl, identity, key, room);
  }

  static unsigned server_key(WOLFSSL* ssl, const char* identity, unsigned char* key, unsigned room) {
    const auto& options = *static_cast<const Options*>(wolfSSL_get_psk_callback_ctx(ssl));
    if (identity != options.psk_identity || options.psk.size() > room) return 0;
    std::memcpy(key, options.psk.data(), options.psk.size());
    return static_cast<unsigned>(options.psk.size());
  }

  void prepare_client(WOLFSSL* ssl) {
    constexpr char kName[] = "localhost";
    require(wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, kName, sizeof kName - 1), "SNI");
    require(wolfSSL_check_domain_name(ssl, kName), "name");
    if (options_.tickets) require(wolfSSL_UseSessionTicket(ssl), "ticket");
    if (session_ != nullptr) require(wolfSSL_set_session(ssl, session_.get()), "session");
  }

  const Options options_;
  Context context_;
  Session session_;
};

}  // namespace

std::unique_ptr<Endpoint> make_endpoint(const Options& options) {
  require(wolfSSL_Init(), "initialization");
  return std::make_unique<WolfEndpoint>(options);
}

std::vector<std::string> known_suites() {
  require(wolfSSL_Init(), "initialization");
  std::array<char, 16384> text{};
  require(wolfSSL_get_ciphers_iana(text.data(), text.size()), "suites");
  std::vector<std::string> names;
  for (char* name = std::strtok(text.data(), ":"); name != nullptr; name = std::strtok(nullptr, ":"))
    names.emplace_back(name);
  return names;
}

}  // namespace peer
