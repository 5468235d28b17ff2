// Code points as the IANA TLS registries name them, and the way back from a name.

#include <algorithm>
#include <array>

#include <lockstep/types.hpp>

namespace lockstep {
namespace {

template <class CodePoint>
struct Name {
  CodePoint value;
  std::string_view text;
};

constexpr std::array kVersions{
    Name{ProtocolVersion::ssl_3_0, "SSLv3"},   Name{ProtocolVersion::tls_1_0, "TLSv1.0"},
    Name{ProtocolVersion::tls_1_1, "TLSv1.1"}, Name{ProtocolVersion::tls_1_2, "TLSv1.2"},
    Name{ProtocolVersion::tls_1_3, "TLSv1.3"},
};

constexpr std::array kContentTypes{
    Name{ContentType::invalid, "invalid"},
    Name{ContentType::change_cipher_spec, "change_cipher_spec"},
    Name{ContentType::alert, "alert"},
    Name{ContentType::handshake, "handshake"},
    Name{ContentType::application_data, "application_data"},
};

constexpr std::array kHandshakeTypes{
    Name{HandshakeType::hello_request, "hello_request"},
    Name{HandshakeType::client_hello, "client_hello"},
    Name{HandshakeType::server_hello, "server_hello"},
    Name{HandshakeType::new_session_ticket, "new_session_ticket"},
    Name{HandshakeType::end_of_early_data, "end_of_early_data"},
    Name{HandshakeType::encrypted_extensions, "encrypted_extensions"},
    Name{HandshakeType::certificate, "certificate"},
    Name{HandshakeType::server_key_exchange, "server_key_exchange"},
    Name{HandshakeType::certificate_request, "certificate_request"},
    Name{HandshakeType::server_hello_done, "server_hello_done"},
    Name{HandshakeType::certificate_verify, "certificate_verify"},
    Name{HandshakeType::client_key_exchange, "client_key_exchange"},
    Name{HandshakeType::finished, "finished"},
    Name{HandshakeType::certificate_status, "certificate_status"},
    Name{HandshakeType::key_update, "key_update"},
    Name{HandshakeType::next_protocol, "next_protocol"},
    Name{HandshakeType::compressed_certificate, "compressed_certificate"},
    Name{HandshakeType::message_hash, "message_hash"},
};

constexpr std::array kExtensionTypes{
    Name{ExtensionType::server_name, "server_name"},
    Name{ExtensionType::max_fragment_length, "max_fragment_length"},
    Name{ExtensionType::status_request, "status_request"},
    Name{ExtensionType::supported_groups, "supported_groups"},
    Name{ExtensionType::ec_point_formats, "ec_point_formats"},
    Name{ExtensionType::signature_algorithms, "signature_algorithms"},
    Name{ExtensionType::use_srtp, "use_srtp"},
    Name{ExtensionType::application_layer_protocol_negotiation, "application_layer_protocol_negotiation"},
    Name{ExtensionType::signed_certificate_timestamp, "signed_certificate_timestamp"},
    Name{ExtensionType::client_certificate_type, "client_certificate_type"},
    Name{ExtensionType::server_certificate_type, "server_certificate_type"},
    Name{ExtensionType::padding, "padding"},
    Name{ExtensionType::encrypt_then_mac, "encrypt_then_mac"},
    Name{ExtensionType::extended_main_secret, "extended_main_secret"},
    Name{ExtensionType::compress_certificate, "compress_certificate"},
    Name{ExtensionType::record_size_limit, "record_size_limit"},
    Name{ExtensionType::delegated_credential, "delegated_credential"},
    Name{ExtensionType::session_ticket, "session_ticket"},
    Name{ExtensionType::pre_shared_key, "pre_shared_key"},
    Name{ExtensionType::early_data, "early_data"},
    Name{ExtensionType::supported_versions, "supported_versions"},
    Name{ExtensionType::cookie, "cookie"},
    Name{ExtensionType::psk_key_exchange_modes, "psk_key_exchange_modes"},
    Name{ExtensionType::certificate_authorities, "certificate_authorities"},
    Name{ExtensionType::oid_filters, "oid_filters"},
    Name{ExtensionType::post_handshake_auth, "post_handshake_auth"},
    Name{ExtensionType::signature_algorithms_cert, "signature_algorithms_cert"},
    Name{ExtensionType::key_share, "key_share"},
    Name{ExtensionType::ticket_request, "ticket_request"},
    Name{ExtensionType::next_protocol_negotiation, "next_protocol_negotiation"},
    Name{ExtensionType::renegotiation_info, "renegotiation_info"},
};

struct SuiteName {
  CipherSuite value;
  std::string_view text;
  std::string_view openssl;
};

constexpr std::array kCipherSuites{
    SuiteName{CipherSuite::tls_aes_128_gcm_sha256, "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
    SuiteName{CipherSuite::tls_aes_256_gcm_sha384, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
    SuiteName{CipherSuite::tls_chacha20_poly1305_sha256, "TLS_CHACHA20_POLY1305_SHA256",
              "TLS_CHACHA20_POLY1305_SHA256"},
    SuiteName{CipherSuite::tls_aes_128_ccm_sha256, "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_SHA256"},
    SuiteName{CipherSuite::tls_aes_128_ccm_8_sha256, "TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_8_SHA256"},
    SuiteName{CipherSuite::tls_rsa_with_aes_128_cbc_sha, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_128_cbc_sha, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA"},
    SuiteName{CipherSuite::tls_rsa_with_aes_256_cbc_sha, "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_256_cbc_sha, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA"},
    SuiteName{CipherSuite::tls_rsa_with_aes_128_cbc_sha256, "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"},
    SuiteName{CipherSuite::tls_rsa_with_aes_256_cbc_sha256, "TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_128_cbc_sha256, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
              "DHE-RSA-AES128-SHA256"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_256_cbc_sha256, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
              "DHE-RSA-AES256-SHA256"},
    SuiteName{CipherSuite::tls_psk_with_aes_128_cbc_sha, "TLS_PSK_WITH_AES_128_CBC_SHA", "PSK-AES128-CBC-SHA"},
    SuiteName{CipherSuite::tls_psk_with_aes_256_cbc_sha, "TLS_PSK_WITH_AES_256_CBC_SHA", "PSK-AES256-CBC-SHA"},
    SuiteName{CipherSuite::tls_dhe_psk_with_aes_128_cbc_sha, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA",
              "DHE-PSK-AES128-CBC-SHA"},
    SuiteName{CipherSuite::tls_dhe_psk_with_aes_256_cbc_sha, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA",
              "DHE-PSK-AES256-CBC-SHA"},
    SuiteName{CipherSuite::tls_rsa_psk_with_aes_128_cbc_sha, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA",
              "RSA-PSK-AES128-CBC-SHA"},
    SuiteName{CipherSuite::tls_rsa_psk_with_aes_256_cbc_sha, "TLS_RSA_PSK_WITH_AES_256_CBC_SHA",
              "RSA-PSK-AES256-CBC-SHA"},
    SuiteName{CipherSuite::tls_rsa_with_aes_128_gcm_sha256, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    SuiteName{CipherSuite::tls_rsa_with_aes_256_gcm_sha384, "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
              "DHE-RSA-AES128-GCM-SHA256"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_256_gcm_sha384, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
              "DHE-RSA-AES256-GCM-SHA384"},
    SuiteName{CipherSuite::tls_psk_with_aes_128_gcm_sha256, "TLS_PSK_WITH_AES_128_GCM_SHA256", "PSK-AES128-GCM-SHA256"},
    SuiteName{CipherSuite::tls_psk_with_aes_256_gcm_sha384, "TLS_PSK_WITH_AES_256_GCM_SHA384", "PSK-AES256-GCM-SHA384"},
    SuiteName{CipherSuite::tls_dhe_psk_with_aes_128_gcm_sha256, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256",
              "DHE-PSK-AES128-GCM-SHA256"},
    SuiteName{CipherSuite::tls_dhe_psk_with_aes_256_gcm_sha384, "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384",
              "DHE-PSK-AES256-GCM-SHA384"},
    SuiteName{CipherSuite::tls_rsa_psk_with_aes_128_gcm_sha256, "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256",
              "RSA-PSK-AES128-GCM-SHA256"},
    SuiteName{CipherSuite::tls_rsa_psk_with_aes_256_gcm_sha384, "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384",
              "RSA-PSK-AES256-GCM-SHA384"},
    SuiteName{CipherSuite::tls_psk_with_aes_128_cbc_sha256, "TLS_PSK_WITH_AES_128_CBC_SHA256", "PSK-AES128-CBC-SHA256"},
    SuiteName{CipherSuite::tls_psk_with_aes_256_cbc_sha384, "TLS_PSK_WITH_AES_256_CBC_SHA384", "PSK-AES256-CBC-SHA384"},
    SuiteName{CipherSuite::tls_dhe_psk_with_aes_128_cbc_sha256, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256",
              "DHE-PSK-AES128-CBC-SHA256"},
    SuiteName{CipherSuite::tls_dhe_psk_with_aes_256_cbc_sha384, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA384",
              "DHE-PSK-AES256-CBC-SHA384"},
    SuiteName{CipherSuite::tls_rsa_psk_with_aes_128_cbc_sha256, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256",
              "RSA-PSK-AES128-CBC-SHA256"},
    SuiteName{CipherSuite::tls_rsa_psk_with_aes_256_cbc_sha384, "TLS_RSA_PSK_WITH_AES_256_CBC_SHA384",
              "RSA-PSK-AES256-CBC-SHA384"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
              "ECDHE-ECDSA-AES128-SHA"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
              "ECDHE-ECDSA-AES256-SHA"},
    SuiteName{CipherSuite::tls_ecdhe_rsa_with_aes_128_cbc_sha, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
              "ECDHE-RSA-AES128-SHA"},
    SuiteName{CipherSuite::tls_ecdhe_rsa_with_aes_256_cbc_sha, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
              "ECDHE-RSA-AES256-SHA"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
              "ECDHE-ECDSA-AES128-SHA256"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha384, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
              "ECDHE-ECDSA-AES256-SHA384"},
    SuiteName{CipherSuite::tls_ecdhe_rsa_with_aes_128_cbc_sha256, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
              "ECDHE-RSA-AES128-SHA256"},
    SuiteName{CipherSuite::tls_ecdhe_rsa_with_aes_256_cbc_sha384, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
              "ECDHE-RSA-AES256-SHA384"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
              "ECDHE-ECDSA-AES128-GCM-SHA256"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
              "ECDHE-ECDSA-AES256-GCM-SHA384"},
    SuiteName{CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
              "ECDHE-RSA-AES128-GCM-SHA256"},
    SuiteName{CipherSuite::tls_ecdhe_rsa_with_aes_256_gcm_sha384, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
              "ECDHE-RSA-AES256-GCM-SHA384"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_aes_128_cbc_sha, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",
              "ECDHE-PSK-AES128-CBC-SHA"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_aes_256_cbc_sha, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA",
              "ECDHE-PSK-AES256-CBC-SHA"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_aes_128_cbc_sha256, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256",
              "ECDHE-PSK-AES128-CBC-SHA256"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_aes_256_cbc_sha384, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384",
              "ECDHE-PSK-AES256-CBC-SHA384"},
    SuiteName{CipherSuite::tls_rsa_with_aes_128_ccm, "TLS_RSA_WITH_AES_128_CCM", "AES128-CCM"},
    SuiteName{CipherSuite::tls_rsa_with_aes_256_ccm, "TLS_RSA_WITH_AES_256_CCM", "AES256-CCM"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_128_ccm, "TLS_DHE_RSA_WITH_AES_128_CCM", "DHE-RSA-AES128-CCM"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_256_ccm, "TLS_DHE_RSA_WITH_AES_256_CCM", "DHE-RSA-AES256-CCM"},
    SuiteName{CipherSuite::tls_rsa_with_aes_128_ccm_8, "TLS_RSA_WITH_AES_128_CCM_8", "AES128-CCM8"},
    SuiteName{CipherSuite::tls_rsa_with_aes_256_ccm_8, "TLS_RSA_WITH_AES_256_CCM_8", "AES256-CCM8"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_128_ccm_8, "TLS_DHE_RSA_WITH_AES_128_CCM_8", "DHE-RSA-AES128-CCM8"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_aes_256_ccm_8, "TLS_DHE_RSA_WITH_AES_256_CCM_8", "DHE-RSA-AES256-CCM8"},
    SuiteName{CipherSuite::tls_psk_with_aes_128_ccm, "TLS_PSK_WITH_AES_128_CCM", "PSK-AES128-CCM"},
    SuiteName{CipherSuite::tls_psk_with_aes_256_ccm, "TLS_PSK_WITH_AES_256_CCM", "PSK-AES256-CCM"},
    SuiteName{CipherSuite::tls_dhe_psk_with_aes_128_ccm, "TLS_DHE_PSK_WITH_AES_128_CCM", "DHE-PSK-AES128-CCM"},
    SuiteName{CipherSuite::tls_dhe_psk_with_aes_256_ccm, "TLS_DHE_PSK_WITH_AES_256_CCM", "DHE-PSK-AES256-CCM"},
    SuiteName{CipherSuite::tls_psk_with_aes_128_ccm_8, "TLS_PSK_WITH_AES_128_CCM_8", "PSK-AES128-CCM8"},
    SuiteName{CipherSuite::tls_psk_with_aes_256_ccm_8, "TLS_PSK_WITH_AES_256_CCM_8", "PSK-AES256-CCM8"},
    SuiteName{CipherSuite::tls_psk_dhe_with_aes_128_ccm_8, "TLS_PSK_DHE_WITH_AES_128_CCM_8", "DHE-PSK-AES128-CCM8"},
    SuiteName{CipherSuite::tls_psk_dhe_with_aes_256_ccm_8, "TLS_PSK_DHE_WITH_AES_256_CCM_8", "DHE-PSK-AES256-CCM8"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_128_ccm, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
              "ECDHE-ECDSA-AES128-CCM"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_256_ccm, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
              "ECDHE-ECDSA-AES256-CCM"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_128_ccm_8, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
              "ECDHE-ECDSA-AES128-CCM8"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_aes_256_ccm_8, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
              "ECDHE-ECDSA-AES256-CCM8"},
    SuiteName{CipherSuite::tls_ecdhe_rsa_with_chacha20_poly1305_sha256, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
              "ECDHE-RSA-CHACHA20-POLY1305"},
    SuiteName{CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256,
              "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    SuiteName{CipherSuite::tls_dhe_rsa_with_chacha20_poly1305_sha256, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
              "DHE-RSA-CHACHA20-POLY1305"},
    SuiteName{CipherSuite::tls_psk_with_chacha20_poly1305_sha256, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256",
              "PSK-CHACHA20-POLY1305"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_chacha20_poly1305_sha256, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
              "ECDHE-PSK-CHACHA20-POLY1305"},
    SuiteName{CipherSuite::tls_dhe_psk_with_chacha20_poly1305_sha256, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
              "DHE-PSK-CHACHA20-POLY1305"},
    SuiteName{CipherSuite::tls_rsa_psk_with_chacha20_poly1305_sha256, "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256",
              "RSA-PSK-CHACHA20-POLY1305"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_aes_128_gcm_sha256, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256",
              "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_aes_256_gcm_sha384, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384",
              "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_aes_128_ccm_8_sha256, "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256",
              "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256"},
    SuiteName{CipherSuite::tls_ecdhe_psk_with_aes_128_ccm_sha256, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256",
              "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256"},
    SuiteName{CipherSuite::empty_renegotiation_info_scsv, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
              "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"},
    SuiteName{CipherSuite::fallback_scsv, "TLS_FALLBACK_SCSV", "TLS_FALLBACK_SCSV"},
};

constexpr std::array kNamedGroups{
    Name{NamedGroup::secp256r1, "secp256r1"},
    Name{NamedGroup::secp384r1, "secp384r1"},
    Name{NamedGroup::secp521r1, "secp521r1"},
    Name{NamedGroup::x25519, "x25519"},
    Name{NamedGroup::x448, "x448"},
    Name{NamedGroup::brainpoolP256r1, "brainpoolP256r1"},
    Name{NamedGroup::brainpoolP384r1, "brainpoolP384r1"},
    Name{NamedGroup::brainpoolP512r1, "brainpoolP512r1"},
    Name{NamedGroup::brainpoolP256r1tls13, "brainpoolP256r1tls13"},
    Name{NamedGroup::brainpoolP384r1tls13, "brainpoolP384r1tls13"},
    Name{NamedGroup::brainpoolP512r1tls13, "brainpoolP512r1tls13"},
    Name{NamedGroup::ffdhe2048, "ffdhe2048"},
    Name{NamedGroup::ffdhe3072, "ffdhe3072"},
    Name{NamedGroup::ffdhe4096, "ffdhe4096"},
    Name{NamedGroup::ffdhe6144, "ffdhe6144"},
    Name{NamedGroup::ffdhe8192, "ffdhe8192"},
    Name{NamedGroup::mlkem512, "MLKEM512"},
    Name{NamedGroup::mlkem768, "MLKEM768"},
    Name{NamedGroup::mlkem1024, "MLKEM1024"},
    Name{NamedGroup::secp256r1mlkem768, "SecP256r1MLKEM768"},
    Name{NamedGroup::x25519mlkem768, "X25519MLKEM768"},
    Name{NamedGroup::secp384r1mlkem1024, "SecP384r1MLKEM1024"},
};

/// What OpenSSL and NIST call them besides.
constexpr std::array kGroupAliases{
    Name{NamedGroup::secp256r1, "P-256"},       Name{NamedGroup::secp256r1, "prime256v1"},
    Name{NamedGroup::secp384r1, "P-384"},       Name{NamedGroup::secp521r1, "P-521"},
    Name{NamedGroup::mlkem512, "ML-KEM-512"},   Name{NamedGroup::mlkem768, "ML-KEM-768"},
    Name{NamedGroup::mlkem1024, "ML-KEM-1024"},
};

constexpr std::array kSignatureSchemes{
    Name{SignatureScheme::rsa_pkcs1_sha1, "rsa_pkcs1_sha1"},
    Name{SignatureScheme::ecdsa_sha1, "ecdsa_sha1"},
    Name{SignatureScheme::rsa_pkcs1_sha256, "rsa_pkcs1_sha256"},
    Name{SignatureScheme::ecdsa_secp256r1_sha256, "ecdsa_secp256r1_sha256"},
    Name{SignatureScheme::rsa_pkcs1_sha384, "rsa_pkcs1_sha384"},
    Name{SignatureScheme::ecdsa_secp384r1_sha384, "ecdsa_secp384r1_sha384"},
    Name{SignatureScheme::rsa_pkcs1_sha512, "rsa_pkcs1_sha512"},
    Name{SignatureScheme::ecdsa_secp521r1_sha512, "ecdsa_secp521r1_sha512"},
    Name{SignatureScheme::rsa_pss_rsae_sha256, "rsa_pss_rsae_sha256"},
    Name{SignatureScheme::rsa_pss_rsae_sha384, "rsa_pss_rsae_sha384"},
    Name{SignatureScheme::rsa_pss_rsae_sha512, "rsa_pss_rsae_sha512"},
    Name{SignatureScheme::ed25519, "ed25519"},
    Name{SignatureScheme::ed448, "ed448"},
    Name{SignatureScheme::rsa_pss_pss_sha256, "rsa_pss_pss_sha256"},
    Name{SignatureScheme::rsa_pss_pss_sha384, "rsa_pss_pss_sha384"},
    Name{SignatureScheme::rsa_pss_pss_sha512, "rsa_pss_pss_sha512"},
    Name{SignatureScheme::ecdsa_brainpoolP256r1tls13_sha256, "ecdsa_brainpoolP256r1tls13_sha256"},
    Name{SignatureScheme::ecdsa_brainpoolP384r1tls13_sha384, "ecdsa_brainpoolP384r1tls13_sha384"},
    Name{SignatureScheme::ecdsa_brainpoolP512r1tls13_sha512, "ecdsa_brainpoolP512r1tls13_sha512"},
    Name{SignatureScheme::mldsa44, "mldsa44"},
    Name{SignatureScheme::mldsa65, "mldsa65"},
    Name{SignatureScheme::mldsa87, "mldsa87"},
};

/// OpenSSL's "algorithm+hash" spellings, and ML-DSA as FIPS 204 writes it.
constexpr std::array kSchemeAliases{
    Name{SignatureScheme::ecdsa_secp256r1_sha256, "ECDSA+SHA256"},
    Name{SignatureScheme::ecdsa_secp384r1_sha384, "ECDSA+SHA384"},
    Name{SignatureScheme::ecdsa_secp521r1_sha512, "ECDSA+SHA512"},
    Name{SignatureScheme::rsa_pss_rsae_sha256, "RSA-PSS+SHA256"},
    Name{SignatureScheme::rsa_pss_rsae_sha384, "RSA-PSS+SHA384"},
    Name{SignatureScheme::rsa_pss_rsae_sha512, "RSA-PSS+SHA512"},
    Name{SignatureScheme::rsa_pss_rsae_sha256, "PSS+SHA256"},
    Name{SignatureScheme::rsa_pss_rsae_sha384, "PSS+SHA384"},
    Name{SignatureScheme::rsa_pss_rsae_sha512, "PSS+SHA512"},
    Name{SignatureScheme::rsa_pkcs1_sha256, "RSA+SHA256"},
    Name{SignatureScheme::rsa_pkcs1_sha384, "RSA+SHA384"},
    Name{SignatureScheme::rsa_pkcs1_sha512, "RSA+SHA512"},
    Name{SignatureScheme::ecdsa_sha1, "ECDSA+SHA1"},
    Name{SignatureScheme::rsa_pkcs1_sha1, "RSA+SHA1"},
    Name{SignatureScheme::mldsa44, "ML-DSA-44"},
    Name{SignatureScheme::mldsa65, "ML-DSA-65"},
    Name{SignatureScheme::mldsa87, "ML-DSA-87"},
};

constexpr std::array kCertificateCompressionAlgorithms{
    Name{CertificateCompressionAlgorithm::zlib, "zlib"},
    Name{CertificateCompressionAlgorithm::brotli, "brotli"},
    Name{CertificateCompressionAlgorithm::zstd, "zstd"},
};

constexpr std::array kAeads{
    Name{AeadAlgorithm::aes_128_gcm, "AES-128-GCM"},
    Name{AeadAlgorithm::aes_256_gcm, "AES-256-GCM"},
    Name{AeadAlgorithm::chacha20_poly1305, "ChaCha20-Poly1305"},
    Name{AeadAlgorithm::aes_128_ccm, "AES-128-CCM"},
    Name{AeadAlgorithm::aes_128_ccm_8, "AES-128-CCM-8"},
    Name{AeadAlgorithm::aes_256_ccm, "AES-256-CCM"},
    Name{AeadAlgorithm::aes_256_ccm_8, "AES-256-CCM-8"},
};

constexpr std::array kCbcs{
    Name{CbcAlgorithm::aes_128_cbc, "AES-128-CBC"},
    Name{CbcAlgorithm::aes_256_cbc, "AES-256-CBC"},
};

constexpr std::array kMacs{
    Name{MacAlgorithm::hmac_sha1, "HMAC-SHA-1"},
    Name{MacAlgorithm::hmac_sha256, "HMAC-SHA-256"},
    Name{MacAlgorithm::hmac_sha384, "HMAC-SHA-384"},
};

constexpr std::array kMasks{
    Name{MaskAlgorithm::aes_128, "AES-128"},
    Name{MaskAlgorithm::aes_256, "AES-256"},
    Name{MaskAlgorithm::chacha20, "ChaCha20"},
};

/// As they stand in the names of suites.
constexpr std::array kKeyExchangeMethods{
    Name{KeyExchangeMethod::any, "any"},
    Name{KeyExchangeMethod::ecdhe, "ECDHE"},
    Name{KeyExchangeMethod::dhe, "DHE"},
    Name{KeyExchangeMethod::rsa, "RSA"},
    Name{KeyExchangeMethod::psk, "PSK"},
    Name{KeyExchangeMethod::dhe_psk, "DHE_PSK"},
    Name{KeyExchangeMethod::ecdhe_psk, "ECDHE_PSK"},
    Name{KeyExchangeMethod::rsa_psk, "RSA_PSK"},
};

constexpr std::array kSuiteAuthentications{
    Name{SuiteAuthentication::any, "any"},
    Name{SuiteAuthentication::ecdsa, "ECDSA"},
    Name{SuiteAuthentication::rsa, "RSA"},
    Name{SuiteAuthentication::psk, "PSK"},
};

constexpr std::array kHashes{
    Name{HashAlgorithm::sha256, "SHA-256"},
    Name{HashAlgorithm::sha384, "SHA-384"},
    Name{HashAlgorithm::sha512, "SHA-512"},
};

constexpr std::array kKeyTypes{
    Name{KeyType::rsa, "RSA"},
    Name{KeyType::rsa_pss, "RSA-PSS"},
    Name{KeyType::ec_p256, "EC P-256"},
    Name{KeyType::ec_p384, "EC P-384"},
    Name{KeyType::ec_p521, "EC P-521"},
    Name{KeyType::ec_brainpoolP256r1, "EC brainpoolP256r1"},
    Name{KeyType::ec_brainpoolP384r1, "EC brainpoolP384r1"},
    Name{KeyType::ec_brainpoolP512r1, "EC brainpoolP512r1"},
    Name{KeyType::ed25519, "Ed25519"},
    Name{KeyType::ed448, "Ed448"},
    Name{KeyType::mldsa44, "ML-DSA-44"},
    Name{KeyType::mldsa65, "ML-DSA-65"},
    Name{KeyType::mldsa87, "ML-DSA-87"},
};

constexpr std::array kSignatureAlgorithms{
    Name{SignatureAlgorithm::rsa_pkcs1_sha256, "rsa_pkcs1_sha256"},
    Name{SignatureAlgorithm::rsa_pkcs1_sha384, "rsa_pkcs1_sha384"},
    Name{SignatureAlgorithm::rsa_pkcs1_sha512, "rsa_pkcs1_sha512"},
    Name{SignatureAlgorithm::rsa_pss_sha256, "rsa_pss_sha256"},
    Name{SignatureAlgorithm::rsa_pss_sha384, "rsa_pss_sha384"},
    Name{SignatureAlgorithm::rsa_pss_sha512, "rsa_pss_sha512"},
    Name{SignatureAlgorithm::ecdsa_sha256, "ecdsa_sha256"},
    Name{SignatureAlgorithm::ecdsa_sha384, "ecdsa_sha384"},
    Name{SignatureAlgorithm::ecdsa_sha512, "ecdsa_sha512"},
    Name{SignatureAlgorithm::ed25519, "ed25519"},
    Name{SignatureAlgorithm::ed448, "ed448"},
    Name{SignatureAlgorithm::mldsa44, "mldsa44"},
    Name{SignatureAlgorithm::mldsa65, "mldsa65"},
    Name{SignatureAlgorithm::rsa_pkcs1_sha1, "rsa_pkcs1_sha1"},
    Name{SignatureAlgorithm::ecdsa_sha1, "ecdsa_sha1"},
    Name{SignatureAlgorithm::mldsa87, "mldsa87"},
};

template <class Row, std::size_t size>
std::string_view text_of(const std::array<Row, size>& table, decltype(Row::value) value,
                         std::string_view Row::* text = &Row::text) noexcept {
  const auto found = std::ranges::find(table, value, &Row::value);
  return found == table.end() ? std::string_view{} : (*found).*text;
}

constexpr char lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

template <class Row, std::size_t size>
std::optional<decltype(Row::value)> value_of(const std::array<Row, size>& table, std::string_view text,
                                             std::string_view Row::* column = &Row::text) noexcept {
  const auto found = std::ranges::find_if(
      table, [&](const Row& row) { return std::ranges::equal(row.*column, text, {}, lower, lower); });
  if (found == table.end()) return std::nullopt;
  return found->value;
}

}  // namespace

std::string_view name(ProtocolVersion value) noexcept { return text_of(kVersions, value); }
std::string_view name(ContentType value) noexcept { return text_of(kContentTypes, value); }
std::string_view name(HandshakeType value) noexcept { return text_of(kHandshakeTypes, value); }
std::string_view name(ExtensionType value) noexcept { return text_of(kExtensionTypes, value); }
std::string_view name(CipherSuite value) noexcept { return text_of(kCipherSuites, value); }
std::string_view name(NamedGroup value) noexcept { return text_of(kNamedGroups, value); }
std::string_view name(SignatureScheme value) noexcept { return text_of(kSignatureSchemes, value); }
std::string_view name(CertificateCompressionAlgorithm value) noexcept {
  return text_of(kCertificateCompressionAlgorithms, value);
}
std::string_view name(AeadAlgorithm value) noexcept { return text_of(kAeads, value); }
std::string_view name(CbcAlgorithm value) noexcept { return text_of(kCbcs, value); }
std::string_view name(MacAlgorithm value) noexcept { return text_of(kMacs, value); }
std::string_view name(MaskAlgorithm value) noexcept { return text_of(kMasks, value); }
std::string_view name(HashAlgorithm value) noexcept { return text_of(kHashes, value); }
std::string_view name(KeyExchangeMethod value) noexcept { return text_of(kKeyExchangeMethods, value); }
std::string_view name(SuiteAuthentication value) noexcept { return text_of(kSuiteAuthentications, value); }
std::string_view name(KeyType value) noexcept { return text_of(kKeyTypes, value); }
std::string_view name(SignatureAlgorithm value) noexcept { return text_of(kSignatureAlgorithms, value); }

std::string_view openssl_name(CipherSuite value) noexcept { return text_of(kCipherSuites, value, &SuiteName::openssl); }

std::optional<CipherSuite> suite_from_name(std::string_view text) noexcept {
  const auto registered = value_of(kCipherSuites, text);
  return registered ? registered : value_of(kCipherSuites, text, &SuiteName::openssl);
}

std::optional<NamedGroup> group_from_name(std::string_view text) noexcept {
  const auto registered = value_of(kNamedGroups, text);
  return registered ? registered : value_of(kGroupAliases, text);
}

std::optional<SignatureScheme> scheme_from_name(std::string_view text) noexcept {
  const auto registered = value_of(kSignatureSchemes, text);
  return registered ? registered : value_of(kSchemeAliases, text);
}

std::string unknown_code_point(std::uint32_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "unknown 0x";
  for (int shift = value > 0xffffU ? 28 : value > 0xffU ? 12 : 4; shift >= 0; shift -= 4)
    text += digits[(value >> shift) & 0xfU];
  return text;
}

}  // namespace lockstep
