// OpenSSL's libssl. Its records go through a BIO of ours that reads the wire where it lies and writes straight onto it,
// which costs libssl less than its own memory BIOs.

#include "chains.hpp"
#include "peer.hpp"

#ifndef LOCKSTEP_BENCH_OPENSSL

namespace lockstep::bench {
std::unique_ptr<Peer> make_openssl_peer() { return nullptr; }
std::function<void()> openssl_judge(const Certificates&, const Proof&) { return nullptr; }
}  // namespace lockstep::bench

#else

#include <array>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

namespace lockstep::bench {
namespace {

void require(bool good, const char* what) {
  if (good) return;
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  throw std::runtime_error(std::string("OpenSSL: ") + what + ": " + text.data());
}

template <auto free_function>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using SslSession = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;
struct FreedStack {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;

/// The two ends of the wire, as the BIO sees them.
struct Ends {
  Bytes in;
  Wire* out = nullptr;
};

int read_wire(BIO* bio, char* to, std::size_t size, std::size_t* read) {
  auto* ends = static_cast<Ends*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (ends->in.empty()) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *read = std::min(size, ends->in.size());
  std::memcpy(to, ends->in.data(), *read);
  ends->in = ends->in.subspan(*read);
  return 1;
}

int write_wire(BIO* bio, const char* from, std::size_t size, std::size_t* written) {
  auto* ends = static_cast<Ends*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ends->out->append(as_bytes({from, size}));
  *written = size;
  return 1;
}

const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    require(method != nullptr, "BIO_meth_new");
    BIO_meth_set_read_ex(method, read_wire);
    BIO_meth_set_write_ex(method, write_wire);
    BIO_meth_set_ctrl(method, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH ? 1 : 0; });
    BIO_meth_set_create(method, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    return method;
  }();
  return made;
}

class OpensslEnd final : public End {
 public:
  OpensslEnd(SSL_CTX* context, Role role, SSL_SESSION* session) : ssl_(SSL_new(context)) {
    BIO* bio = BIO_new(wire_method());
    BIO_set_data(bio, &ends_);
    SSL_set_bio(ssl_, bio, bio);
    if (role == Role::server) {
      SSL_set_accept_state(ssl_);
      return;
    }
    SSL_set_connect_state(ssl_);
    std::string name(kServerName);
    // SSL_set_tlsext_host_name, without the macro's casts.
    require(SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1, "SNI");
    require(SSL_set1_host(ssl_, name.c_str()) == 1, "name");
    if (session != nullptr) require(SSL_set_session(ssl_, session) == 1, "session");
  }
  ~OpensslEnd() override {
    // A connection that was not shut down would make its session unfit for resumption.
    SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl_);
  }

  void advance(MutableBytes in, Wire& out) override {
    ends_ = {in, &out};
    if (!connected_) {
      const int result = SSL_do_handshake(ssl_);
      connected_ = result == 1;
      require(connected_ || SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ, "handshake");
    }
    if (connected_ && !ends_.in.empty()) {  // tickets
      char none = 0;
      const int result = SSL_read(ssl_, &none, 1);
      require(SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ, "after the handshake");
    }
  }
  [[nodiscard]] bool connected() const override { return connected_; }
  [[nodiscard]] bool resumed() const override { return SSL_session_reused(ssl_) == 1; }

  void send(Bytes plaintext, Wire& out) override {
    ends_.out = &out;
    std::size_t written = 0;
    require(SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &written) == 1 && written == plaintext.size(),
            "SSL_write_ex");
  }
  std::size_t receive(MutableBytes in) override {
    ends_.in = in;
    std::size_t got = 0;
    std::size_t read = 0;
    while (SSL_read_ex(ssl_, plaintext_.data(), plaintext_.size(), &read) == 1) {
      got += read;
      if (ends_.in.empty() && SSL_has_pending(ssl_) == 0) break;
    }
    return got;
  }

 private:
  static inline std::array<std::uint8_t, 16384> plaintext_;  // NOLINT: warm, as a reader's buffer would be
  SSL* ssl_;
  Ends ends_;
  bool connected_ = false;
};

X509Ptr parse_certificate(const Der& der) {
  const std::uint8_t* at = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  require(certificate != nullptr, "d2i_X509");
  return certificate;
}

class OpensslPeer final : public Peer {
 public:
  [[nodiscard]] std::string title() const override { return "OpenSSL " + version(); }
  [[nodiscard]] std::string key() const override { return "openssl"; }

  bool prepare(const Shape& shape, const Certificates& certificates) override {
    session_.reset();
    client_ = context(Role::client, shape, certificates);
    server_ = context(Role::server, shape, certificates);
    return client_ != nullptr && server_ != nullptr;
  }
  [[nodiscard]] std::unique_ptr<End> client() override {
    return std::make_unique<OpensslEnd>(client_.get(), Role::client, session_.get());
  }
  [[nodiscard]] std::unique_ptr<End> server() override {
    return std::make_unique<OpensslEnd>(server_.get(), Role::server, nullptr);
  }

 private:
  static std::string version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

  Context context(Role role, const Shape& shape, const Certificates& certificates) {
    const bool client = role == Role::client;
    Context made(SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()));
    SSL_CTX* context = made.get();
    const int version = shape.tls12() ? TLS1_2_VERSION : TLS1_3_VERSION;
    require(
        SSL_CTX_set_min_proto_version(context, version) == 1 && SSL_CTX_set_max_proto_version(context, version) == 1,
        "version");
    const std::string suite(shape.tls12() ? openssl_name(shape.suite) : name(shape.suite));
    require((shape.tls12() ? SSL_CTX_set_cipher_list(context, suite.c_str())
                           : SSL_CTX_set_ciphersuites(context, suite.c_str())) == 1,
            "suite");
    std::string group(name(shape.group));
    // In TLS 1.2 the curve of a certificate's key is among the groups.
    if (shape.tls12() && client) group += ":P-256";
    // SSL_CTX_set1_groups_list, without the macro's casts.
    if (SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, group.data()) != 1) return nullptr;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    require(SSL_CTX_set_num_tickets(context, shape.resume ? 1 : 0) == 1, "tickets");

    if (client || shape.mutual) {
      const X509Ptr root = parse_certificate(certificates.root);
      require(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get()) == 1, "root");
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    if (!client || shape.mutual) use_chain(context, client ? certificates.client : certificates.server);
    if (client && shape.resume) {
      SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
      SSL_CTX_set_ex_data(context, 0, this);  // the slot that OpenSSL keeps for applications
      SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
        auto* peer = static_cast<OpensslPeer*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0));
        peer->session_.reset(session);
        return 1;  // it is ours now
      });
    }
    return made;
  }

  static void use_chain(SSL_CTX* context, const Chain& chain) {
    require(SSL_CTX_use_certificate(context, parse_certificate(chain.leaf).get()) == 1, "leaf");
    require(SSL_CTX_add1_chain_cert(context, parse_certificate(chain.intermediate).get()) == 1, "intermediate");
    const std::uint8_t* at = chain.pkcs8.data();
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(
        d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(chain.pkcs8.size())));
    require(key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1, "private key");
  }

  Context client_;
  Context server_;
  SslSession session_;  // the newest
};

}  // namespace

std::unique_ptr<Peer> make_openssl_peer() { return std::make_unique<OpensslPeer>(); }

std::function<void()> openssl_judge(const Certificates& certificates, const Proof& proof) {
  const std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  require(X509_STORE_add_cert(store.get(), parse_certificate(certificates.root).get()) == 1, "root");
  return [store, chain = certificates.server, proof] {
    const X509Ptr leaf = parse_certificate(chain.leaf);
    const X509Ptr intermediate = parse_certificate(chain.intermediate);
    const std::unique_ptr<STACK_OF(X509), FreedStack> others(sk_X509_new_null());
    const std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
    require(sk_X509_push(others.get(), intermediate.get()) == 1, "push");
    require(X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), others.get()) == 1, "init");
    require(X509_STORE_CTX_set_default(context.get(), "ssl_server") == 1, "purpose");
    require(X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context.get()), kServerName.data(),
                                        kServerName.size()) == 1,
            "name");
    require(X509_verify_cert(context.get()) == 1, "verify");
    if (proof.signature.empty()) return;
    const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> digest(EVP_MD_CTX_new());
    require(EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, X509_get0_pubkey(leaf.get())) == 1 &&
                EVP_DigestVerify(digest.get(), proof.signature.data(), proof.signature.size(), proof.message.data(),
                                 proof.message.size()) == 1,
            "proof");
  };
}

}  // namespace lockstep::bench

#endif
