// Botan's own TLS, which takes bytes and calls back, so that it needs no help to run in memory.

#include <array>
#include <optional>

#include <botan/certstor.h>
#include <botan/credentials_manager.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/system_rng.h>
#include <botan/tls_callbacks.h>
#include <botan/tls_client.h>
#include <botan/tls_policy.h>
#include <botan/tls_server.h>
#include <botan/tls_session_manager_memory.h>
#include <botan/tls_session_manager_noop.h>
#include <botan/tls_session_manager_stateless.h>
#include <botan/version.h>
#include <botan/x509cert.h>

#include "peer.hpp"

namespace lockstep::bench {
namespace {

namespace tls = Botan::TLS;

class Policy final : public tls::Policy {
 public:
  explicit Policy(const Shape& shape) : shape_(shape) {}
  [[nodiscard]] bool allow_tls12() const override { return false; }
  [[nodiscard]] bool allow_tls13() const override { return true; }
  [[nodiscard]] std::vector<std::string> allowed_ciphers() const override {
    switch (shape_.suite) {
      case CipherSuite::tls_aes_128_gcm_sha256: return {"AES-128/GCM"};
      case CipherSuite::tls_aes_256_gcm_sha384: return {"AES-256/GCM"};
      default: return {"ChaCha20Poly1305"};
    }
  }
  [[nodiscard]] std::vector<tls::Group_Params> key_exchange_groups() const override {
    return {tls::Group_Params(static_cast<std::uint16_t>(shape_.group))};
  }
  [[nodiscard]] bool require_cert_revocation_info() const override { return false; }
  [[nodiscard]] bool support_cert_status_message() const override { return false; }
  [[nodiscard]] bool require_client_certificate_authentication() const override { return shape_.mutual; }
  [[nodiscard]] std::size_t new_session_tickets_upon_handshake_success() const override {
    return shape_.resume ? 1 : 0;
  }

 private:
  Shape shape_;
};

class Credentials final : public Botan::Credentials_Manager {
 public:
  Credentials(const Der& root, const Chain* chain) {
    roots_.add_certificate(Botan::X509_Certificate(root));
    if (chain == nullptr) return;
    chain_.emplace_back(chain->leaf);
    chain_.emplace_back(chain->intermediate);
    Botan::DataSource_Memory source(chain->pkcs8);
    key_ = Botan::PKCS8::load_key(source);
  }
  std::vector<Botan::Certificate_Store*> trusted_certificate_authorities(const std::string& /*type*/,
                                                                         const std::string& /*context*/) override {
    return {&roots_};
  }
  std::vector<Botan::X509_Certificate> find_cert_chain(const std::vector<std::string>& /*types*/,
                                                       const std::vector<Botan::AlgorithmIdentifier>& /*schemes*/,
                                                       const std::vector<Botan::X509_DN>& /*authorities*/,
                                                       const std::string& /*type*/,
                                                       const std::string& /*context*/) override {
    return chain_;
  }
  std::shared_ptr<Botan::Private_Key> private_key_for(const Botan::X509_Certificate& /*certificate*/,
                                                      const std::string& /*type*/,
                                                      const std::string& /*context*/) override {
    return key_;
  }
  Botan::secure_vector<std::uint8_t> session_ticket_key() override {
    return Botan::secure_vector<std::uint8_t>(32, 0x5a);
  }

 private:
  Botan::Certificate_Store_In_Memory roots_;
  std::vector<Botan::X509_Certificate> chain_;
  std::shared_ptr<Botan::Private_Key> key_;
};

struct Side {
  std::shared_ptr<Policy> policy;
  std::shared_ptr<Credentials> credentials;
  std::shared_ptr<tls::Session_Manager> sessions;
};

class Callbacks final : public tls::Callbacks {
 public:
  void tls_emit_data(std::span<const std::uint8_t> data) override { out->append(data); }
  void tls_record_received(std::uint64_t /*sequence*/, std::span<const std::uint8_t> data) override {
    received += data.size();
  }
  void tls_alert(tls::Alert /*alert*/) override {}
  void tls_session_established(const tls::Session_Summary& session) override { resumed = session.was_resumption(); }

  Wire* out = nullptr;
  std::size_t received = 0;
  bool resumed = false;
};

class BotanEnd final : public End {
 public:
  BotanEnd(const Side& side, const std::shared_ptr<Botan::RandomNumberGenerator>& random, Role role)
      : callbacks_(std::make_shared<Callbacks>()) {
    callbacks_->out = &hello_;
    if (role == Role::client) {
      channel_ =
          std::make_unique<tls::Client>(callbacks_, side.sessions, side.credentials, side.policy, random,
                                        tls::Server_Information(kServerName, 443), tls::Protocol_Version::TLS_V13);
    } else {
      channel_ = std::make_unique<tls::Server>(callbacks_, side.sessions, side.credentials, side.policy, random);
    }
  }
  void advance(MutableBytes in, Wire& out) override {
    if (!hello_.empty()) out.append(hello_.take());
    callbacks_->out = &out;
    if (!in.empty()) channel_->received_data(in);
  }
  [[nodiscard]] bool connected() const override { return channel_->is_active(); }
  [[nodiscard]] bool resumed() const override { return callbacks_->resumed; }
  void send(Bytes plaintext, Wire& out) override {
    callbacks_->out = &out;
    channel_->send(plaintext);
  }
  std::size_t receive(MutableBytes in) override {
    callbacks_->received = 0;
    channel_->received_data(in);
    return callbacks_->received;
  }

 private:
  static inline Wire hello_;  // NOLINT: the constructor emits the ClientHello before there is a wire to write to
  std::shared_ptr<Callbacks> callbacks_;
  std::unique_ptr<tls::Channel> channel_;
};

class BotanPeer final : public Peer {
 public:
  [[nodiscard]] std::string title() const override { return "Botan " + Botan::short_version_string(); }
  [[nodiscard]] std::string key() const override { return "botan"; }

  bool prepare(const Shape& shape, const Certificates& certificates) override {
    if (shape.key == KeyType::ed25519) return false;  // Botan's TLS has no Ed25519
    if (shape.tls12()) return false;                  // TLS 1.2 is measured beside OpenSSL alone
    client_ = {
        .policy = std::make_shared<Policy>(shape),
        .credentials = std::make_shared<Credentials>(certificates.root, shape.mutual ? &certificates.client : nullptr),
        .sessions = std::make_shared<tls::Session_Manager_Noop>()};
    server_ = {.policy = std::make_shared<Policy>(shape),
               .credentials = std::make_shared<Credentials>(certificates.root, &certificates.server),
               .sessions = std::make_shared<tls::Session_Manager_Noop>()};
    if (shape.resume) {
      client_.sessions = std::make_shared<tls::Session_Manager_In_Memory>(random_);
      server_.sessions = std::make_shared<tls::Session_Manager_Stateless>(server_.credentials, random_);
    }
    return true;
  }
  [[nodiscard]] std::unique_ptr<End> client() override {
    return std::make_unique<BotanEnd>(client_, random_, Role::client);
  }
  [[nodiscard]] std::unique_ptr<End> server() override {
    return std::make_unique<BotanEnd>(server_, random_, Role::server);
  }

 private:
  // Its cheapest source: a draw costs a hundredth of what AutoSeeded_RNG takes.
  std::shared_ptr<Botan::RandomNumberGenerator> random_ = std::make_shared<Botan::System_RNG>();
  Side client_;
  Side server_;
};

}  // namespace

std::unique_ptr<Peer> make_botan_peer() { return std::make_unique<BotanPeer>(); }

}  // namespace lockstep::bench
