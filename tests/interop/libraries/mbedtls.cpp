// Mbed TLS, 3.6.1 or later.

#include <algorithm>
#include <array>
#include <stdexcept>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>

#include "peer.hpp"

namespace peer {
namespace {

/// A structure of the library, which has two functions for its life.
template <class T, auto init, auto free_function>
class Held {
 public:
  Held() { init(&value_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { free_function(&value_); }
  T* get() { return &value_; }

 private:
  T value_;
};
using Certificate = Held<mbedtls_x509_crt, mbedtls_x509_crt_init, mbedtls_x509_crt_free>;
using Key = Held<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free>;
using Session = Held<mbedtls_ssl_session, mbedtls_ssl_session_init, mbedtls_ssl_session_free>;

void require(int result) {
  if (result >= 0) return;
  std::array<char, 256> text{};
  mbedtls_strerror(result, text.data(), text.size());
  throw std::runtime_error(std::string("Mbed TLS: ") + text.data());
}

std::string iana_name(std::string name) {
  if (name.starts_with("TLS1-3")) name.replace(0, 6, "TLS");
  std::ranges::replace(name, '-', '_');
  return name;
}

class MbedConnection final : public Connection {
 public:
  /// A client's session is kept in `session`, and resumed when there is one.
  MbedConnection(const mbedtls_ssl_config* config, int socket, std::unique_ptr<Session>* session) : session_(session) {
    require(mbedtls_ssl_setup(ssl_.get(), config));
    net_.fd = socket;
    mbedtls_ssl_set_bio(ssl_.get(), &net_, mbedtls_net_send, mbedtls_net_recv, nullptr);
    if (session != nullptr) {
      require(mbedtls_ssl_set_hostname(ssl_.get(), "localhost"));
      if (*session != nullptr) require(mbedtls_ssl_set_session(ssl_.get(), (*session)->get()));
    }
    require(mbedtls_ssl_handshake(ssl_.get()));
    if (session != nullptr && mbedtls_ssl_get_version_number(ssl_.get()) == MBEDTLS_SSL_VERSION_TLS1_2) keep_session();
  }

  Facts facts() override {
    Facts facts{.version = mbedtls_ssl_get_version(ssl_.get()),
                .suite = iana_name(mbedtls_ssl_get_ciphersuite(ssl_.get())),
                .peer = {}};
    if (const mbedtls_x509_crt* shown = mbedtls_ssl_get_peer_cert(ssl_.get())) {
      std::array<char, 256> text{};
      require(mbedtls_x509_dn_gets(text.data(), text.size(), &shown->subject));
      facts.peer = text.data();
    }
    return facts;
  }

  std::string read() override {
    std::array<unsigned char, 4096> data{};
    int count = MBEDTLS_ERR_SSL_WANT_READ;  // which it says of its own accord,
                                            // behind a message that is no data
    while (count == MBEDTLS_ERR_SSL_WANT_READ || count == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
      if (count == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) keep_session();
      count = mbedtls_ssl_read(ssl_.get(), data.data(), data.size());
    }
    if (count == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return {};
    require(count);
    return {data.begin(), data.begin() + count};
  }

  void write(const std::string& data) override {
    require(mbedtls_ssl_write(ssl_.get(), reinterpret_cast<const unsigned char*>(data.data()), data.size()));
  }

  void renegotiate() override { require(mbedtls_ssl_renegotiate(ssl_.get())); }

  void close() override { require(mbedtls_ssl_close_notify(ssl_.get())); }

 private:
  void keep_session() {
    *session_ = std::make_unique<Session>();
    require(mbedtls_ssl_get_session(ssl_.get(), (*session_)->get()));
  }

  Held<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free> ssl_;
  mbedtls_net_context net_{};
  std::unique_ptr<Session>* session_;
};

class MbedEndpoint final : public Endpoint {
 public:
  explicit MbedEndpoint(const Options& options) : options_(options) {
    require(mbedtls_ctr_drbg_seed(random_.get(), mbedtls_entropy_func, entropy_.get(), nullptr, 0));
    const int role = options.server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
    require(mbedtls_ssl_config_defaults(config_.get(), role, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT));
    const auto version = options.tls13 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2;
    mbedtls_ssl_conf_min_tls_version(config_.get(), version);
    mbedtls_ssl_conf_max_tls_version(config_.get(), version);
    mbedtls_ssl_conf_rng(config_.get(), mbedtls_ctr_drbg_random, random_.get());
    name_suites();
    load_certificates();
    trust();
    mbedtls_ssl_conf_extended_master_secret(config_.get(), options.extended_master_secret
                                                               ? MBEDTLS_SSL_EXTENDED_MS_ENABLED
                                                               : MBEDTLS_SSL_EXTENDED_MS_DISABLED);
    mbedtls_ssl_conf_encrypt_then_mac(config_.get(),
                                      options.encrypt_then_mac ? MBEDTLS_SSL_ETM_ENABLED : MBEDTLS_SSL_ETM_DISABLED);
    remember_sessions();
    if (options.renegotiate) mbedtls_ssl_conf_renegotiation(config_.get(), MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    if (!options.dh_parameters.empty()) {
      require(mbedtls_dhm_parse_dhmfile(dh_parameters_.get(), options.dh_parameters.c_str()));
      require(mbedtls_ssl_conf_dh_param_ctx(config_.get(), dh_parameters_.get()));
    }
    if (!options.psk.empty()) {
      require(mbedtls_ssl_conf_psk(
          config_.get(), reinterpret_cast<const unsigned char*>(options.psk.data()), options.psk.size(),
          reinterpret_cast<const unsigned char*>(options.psk_identity.data()), options.psk_identity.size()));
    }
  }

  std::unique_ptr<Connection> connection(int socket) override {
    return std::make_unique<MbedConnection>(config_.get(), socket, options_.server ? nullptr : &session_);
  }

 private:
  void name_suites() {
    for (const int* id = mbedtls_ssl_list_ciphersuites(); *id != 0; ++id) {
      if (std::ranges::contains(options_.suites, iana_name(mbedtls_ssl_get_ciphersuite_name(*id))))
        suites_.push_back(*id);
    }
    suites_.push_back(0);
    if (!options_.suites.empty()) mbedtls_ssl_conf_ciphersuites(config_.get(), suites_.data());
  }

  void load_certificates() {
    for (std::size_t i = 0; i < options_.certificates.size(); ++i) {
      chains_.push_back(std::make_unique<Certificate>());
      keys_.push_back(std::make_unique<Key>());
      require(mbedtls_x509_crt_parse_file(chains_.back()->get(), options_.certificates[i].c_str()));
      require(mbedtls_pk_parse_keyfile(keys_.back()->get(), options_.keys[i].c_str(), nullptr, mbedtls_ctr_drbg_random,
                                       random_.get()));
      require(mbedtls_ssl_conf_own_cert(config_.get(), chains_.back()->get(), keys_.back()->get()));
    }
  }

  void trust() {
    if (options_.authorities.empty()) {
      mbedtls_ssl_conf_authmode(config_.get(), MBEDTLS_SSL_VERIFY_NONE);
      return;
    }
    require(mbedtls_x509_crt_parse_file(authorities_.get(), options_.authorities.c_str()));
    mbedtls_ssl_conf_ca_chain(config_.get(), authorities_.get(), nullptr);
    mbedtls_ssl_conf_authmode(config_.get(), MBEDTLS_SSL_VERIFY_REQUIRED);
  }

  void remember_sessions() {
    if (!options_.server) {
      mbedtls_ssl_conf_session_tickets(
          config_.get(), options_.tickets ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
      mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(config_.get(),
                                                               MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
      return;
    }
    mbedtls_ssl_conf_session_cache(config_.get(), cache_.get(), mbedtls_ssl_cache_get, mbedtls_ssl_cache_set);
    if (!options_.tickets) return;
    constexpr std::uint32_t kLifetime = 3600;
    require(mbedtls_ssl_ticket_setup(tickets_.get(), mbedtls_ctr_drbg_random, random_.get(), MBEDTLS_CIPHER_AES_256_GCM,
                                     kLifetime));
    mbedtls_ssl_conf_session_tickets_cb(config_.get(), mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        tickets_.get());
  }

  const Options options_;
  Held<mbedtls_entropy_context, mbedtls_entropy_init, mbedtls_entropy_free> entropy_;
  Held<mbedtls_ctr_drbg_context, mbedtls_ctr_drbg_init, mbedtls_ctr_drbg_free> random_;
  Held<mbedtls_dhm_context, mbedtls_dhm_init, mbedtls_dhm_free> dh_parameters_;
  Certificate authorities_;
  std::vector<std::unique_ptr<Certificate>> chains_;
  std::vector<std::unique_ptr<Key>> keys_;
  std::vector<int> suites_;
  Held<mbedtls_ssl_cache_context, mbedtls_ssl_cache_init, mbedtls_ssl_cache_free> cache_;
  Held<mbedtls_ssl_ticket_context, mbedtls_ssl_ticket_init, mbedtls_ssl_ticket_free> tickets_;
  std::unique_ptr<Session> session_;
  Held<mbedtls_ssl_config, mbedtls_ssl_config_init, mbedtls_ssl_config_free> config_;
};

}  // namespace

std::unique_ptr<Endpoint> make_endpoint(const Options& options) {
  if (psa_crypto_init() != PSA_SUCCESS) throw std::runtime_error("Mbed TLS: no PSA");
  return std::make_unique<MbedEndpoint>(options);
}

std::vector<std::string> known_suites() {
  std::vector<std::string> names;
  for (const int* id = mbedtls_ssl_list_ciphersuites(); *id != 0; ++id)
    names.push_back(iana_name(mbedtls_ssl_get_ciphersuite_name(*id)));
  return names;
}

}  // namespace peer
