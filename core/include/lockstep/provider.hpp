#pragma once
// What the engine asks of a cryptographic library: a provider is a plain value that lists descriptors, one per
// algorithm, in order of preference. Provider code knows no TLS, the engine names no library.
//
// Functions behind descriptors do not throw, keep no state but their context, and may be called from several threads
// at once on different contexts. Contexts are inline storage that the caller provides: they may be moved with memcpy
// (the old place is then dead and must not be destroyed).
//
// A descriptor that protects nothing says so itself (`insecure`), so that whatever is composed of it is known for what
// it is. One that wraps another says what that one says.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/finite_field.hpp>
#include <lockstep/jobs.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// The source of randomness of one connection. Injected, so that a handshake can be replayed.
class LOCKSTEP_API RandomSource {
 public:
  virtual ~RandomSource() = default;
  /// Fills with bytes that nobody can predict. False when that is not possible; the handshake then fails.
  [[nodiscard]] virtual bool fill(MutableBytes out) noexcept = 0;
};

// --- AEAD ------------------------------------------------------------------------------------------------------

/// Every AEAD of TLS 1.3 has a nonce of 12 bytes (RFC 9846 5.3).
inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kMaxAeadKeySize = 32;
inline constexpr std::size_t kMaxAeadTagSize = 16;
inline constexpr std::size_t kMaxAeadContextSize = 768;
/// A connection holds contexts up to this size inline, for as long as their keys last. Of a larger one it holds the key
/// alone, and has it made when records come (lockstep/key_cache.hpp): its `init` must be quick, well below a
/// microsecond, and allocate nothing.
inline constexpr std::size_t kKeptAeadContextSize = 32;

struct Aead {
  AeadAlgorithm id;
  std::string_view implementation;  ///< e.g. "botan", "kernels vaes-256"
  std::size_t key_size;
  std::size_t tag_size;
  std::size_t context_size;  ///< at most kMaxAeadContextSize, alignment at most 16
  /// Prepares a context. False when the library refuses (out of memory): nothing to destroy then.
  bool (*init)(void* context, Bytes key) noexcept;
  /// False when the library failed; destinations are then wiped.
  bool (*seal)(void* context, std::span<const SealJob> jobs) noexcept;
  /// True when every job is ok.
  bool (*open)(void* context, std::span<OpenJob> jobs) noexcept;
  /// Wipes the context.
  void (*destroy)(void* context) noexcept;
  bool insecure = false;  ///< protects nothing
};

// --- masks of record and packet numbers ------------------------------------------------------------------------

inline constexpr std::size_t kMaskSampleSize = 16;
/// A mask may be shorter: it is the first bytes of this many.
inline constexpr std::size_t kMaxMaskSize = 16;
inline constexpr std::size_t kMaxMaskKeySize = 32;
inline constexpr std::size_t kMaxMaskContextSize = 256;

/// What hides the numbers of records in DTLS 1.3 (RFC 9147 4.2.3, under `sn_key`) and the headers of packets in QUIC
/// (RFC 9001 5.4, under the header protection key) beside an AEAD of the same cipher: a function of a key and 16 bytes
/// of ciphertext. With AES it is the encrypted sample; with ChaCha20 the first bytes of the block whose counter is the
/// sample's first four bytes and whose nonce is the rest.
///
///     const Mask& mask = *provider.mask(mask_of(aead.id));
///     mask.init(context, sn_key);
///     const MaskJob job{.sample = ciphertext.data(), .mask = bytes};
///     mask.compute(context, {&job, 1});
struct Mask {
  MaskAlgorithm id;
  std::string_view implementation;
  std::size_t key_size;      ///< at most kMaxMaskKeySize
  std::size_t context_size;  ///< at most kMaxMaskContextSize, alignment at most 16
  /// Prepares a context. False when the key is not one, or the library refuses (out of memory): nothing to destroy
  /// then.
  bool (*init)(void* context, Bytes key) noexcept;
  /// One mask for each job, in no more time for one sample or key than for another. Several cost less than one by one.
  /// False when the library failed, or a mask is longer than kMaxMaskSize: no mask may be used then.
  bool (*compute)(void* context, std::span<const MaskJob> jobs) noexcept;
  /// Wipes the context.
  void (*destroy)(void* context) noexcept;
  bool insecure = false;  ///< hides nothing
};

/// The mask that goes with an AEAD (RFC 9147 4.2.3, RFC 9001 5.4.3 and 5.4.4): that of the cipher it is made of.
[[nodiscard]] LOCKSTEP_API MaskAlgorithm mask_of(AeadAlgorithm aead) noexcept;

// --- CBC with HMAC (TLS 1.2) -----------------------------------------------------------------------------------

inline constexpr std::size_t kMaxCbcKeySize = 32;
inline constexpr std::size_t kCbcBlockSize = 16;
inline constexpr std::size_t kMaxCbcContextSize = 512;

/// A block cipher in CBC mode, without padding. A context serves one direction.
struct CbcCipher {
  CbcAlgorithm id;
  std::string_view implementation;
  std::size_t key_size;      ///< at most kMaxCbcKeySize
  std::size_t block_size;    ///< kCbcBlockSize
  std::size_t context_size;  ///< at most kMaxCbcContextSize, alignment at most 16
  /// Prepares a context. False when the library refuses (out of memory): nothing to destroy then.
  bool (*init)(void* context, Bytes key) noexcept;
  /// In place, whole blocks; `iv` is one. False when the library failed. Decryption takes no longer for one text than
  /// for another.
  bool (*encrypt)(void* context, Bytes iv, MutableBytes blocks) noexcept;
  bool (*decrypt)(void* context, Bytes iv, MutableBytes blocks) noexcept;
  /// Wipes the context.
  void (*destroy)(void* context) noexcept;
  bool insecure = false;  ///< protects nothing
};

inline constexpr std::size_t kMaxRecordMacSize = 48;

/// The MAC of records (RFC 5246 6.2.3.1), which beside CBC has to hide how long what it is of was.
struct RecordMac {
  MacAlgorithm id;
  std::string_view implementation;
  std::size_t size;      ///< at most kMaxRecordMacSize
  std::size_t key_size;  ///< the same (RFC 5246 6.3 and the suites)
  /// HMAC (RFC 2104) over the concatenation of the segments. `out` has `size` bytes.
  bool (*mac)(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept;
  /// HMAC over the header and the first `secret_length` bytes of what follows, at most 256 less than there are. Neither
  /// time nor addresses depend on anything but the sizes of the spans (AlFardan and Paterson, "Lucky Thirteen", 2013).
  bool (*mac_of_secret_length)(Bytes key, Bytes header, Bytes content_then_padding, std::size_t secret_length,
                               MutableBytes out) noexcept;
  bool insecure = false;  ///< anybody can make one
};

// --- hashes, HMAC, HKDF ----------------------------------------------------------------------------------------

inline constexpr std::size_t kMaxHashContextSize = 256;

struct Hash {
  HashAlgorithm id;
  std::string_view implementation;
  std::size_t digest_size;
  std::size_t context_size;  ///< at most kMaxHashContextSize, alignment at most 64
  bool (*init)(void* context) noexcept;
  void (*update)(void* context, Bytes data) noexcept;
  /// Writes the digest of what came so far and leaves the context as it was. `out` has digest_size bytes.
  bool (*digest)(const void* context, MutableBytes out) noexcept;
  void (*destroy)(void* context) noexcept;
  /// HMAC (RFC 2104) over the concatenation of the segments; also HKDF-Extract with the salt as key.
  bool (*hmac)(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept;
  bool (*expand)(std::span<const ExpandJob> jobs) noexcept;
  bool insecure = false;  ///< anybody can find what has a digest, and make a HMAC
};

// --- key exchange ----------------------------------------------------------------------------------------------

enum class GroupResult : std::uint8_t {
  ok,
  bad_share,  ///< the peer's share is malformed, not on the curve, or yields the all-zero secret
  failed,     ///< randomness or the library failed
};

inline constexpr std::size_t kMaxGroupContextSize = 64;

// Several of one kind in one call, of one connection or of many: results are in the jobs, and no job's result depends
// on what another one holds. Jobs of one call may share a source of randomness: they draw one after the other.

/// One key pair to make; see Group::generate.
struct GenerateJob {
  void* context;  ///< uninitialised; nothing to destroy unless ok
  RandomSource* random;
  MutableBytes share;
  GroupResult result = GroupResult::failed;
};

/// One Group::encapsulate.
struct EncapsulateJob {
  Bytes client_share;
  RandomSource* random;
  MutableBytes server_share;
  MutableBytes secret;
  GroupResult result = GroupResult::failed;
};

/// One Group::decapsulate.
struct DecapsulateJob {
  void* context;
  Bytes server_share;
  MutableBytes secret;
  GroupResult result = GroupResult::failed;
};

/// A key exchange, seen as a key encapsulation: Diffie-Hellman groups encapsulate by making a key of their own.
/// Shares are those of RFC 9846 4.3.8: X9.62 uncompressed points, big-endian padded integers, raw X25519 and ML-KEM.
/// Hybrid groups are composed by the engine; a provider lists plain ones.
struct Group {
  NamedGroup id;
  std::string_view implementation;
  std::size_t client_share_size;
  std::size_t server_share_size;
  std::size_t secret_size;
  std::size_t context_size;  ///< the private key's; at most kMaxGroupContextSize
  /// Makes a key pair. Nothing to destroy unless ok.
  GroupResult (*generate)(void* context, RandomSource& random, MutableBytes share) noexcept;
  /// The server's half: from the client's share to a share of its own and the secret.
  GroupResult (*encapsulate)(Bytes client_share, RandomSource& random, MutableBytes server_share,
                             MutableBytes secret) noexcept;
  /// The client's half.
  GroupResult (*decapsulate)(void* context, Bytes server_share, MutableBytes secret) noexcept;
  void (*destroy)(void* context) noexcept;
  bool insecure = false;  ///< anybody can compute the secret

  // Where several jobs in one call cost less than one by one; any number of them is taken. Null: they do not.
  std::size_t width = 1;  ///< how many make a call that costs least for each
  void (*generate_many)(std::span<GenerateJob> jobs) noexcept = nullptr;
  void (*encapsulate_many)(std::span<EncapsulateJob> jobs) noexcept = nullptr;
  void (*decapsulate_many)(std::span<DecapsulateJob> jobs) noexcept = nullptr;
};

// A span of jobs, by what the group has: together, or one after the other. A single one goes its own way.
LOCKSTEP_API void generate(const Group& group, std::span<GenerateJob> jobs) noexcept;
LOCKSTEP_API void encapsulate(const Group& group, std::span<EncapsulateJob> jobs) noexcept;
LOCKSTEP_API void decapsulate(const Group& group, std::span<DecapsulateJob> jobs) noexcept;

/// Diffie-Hellman over finite fields whose parameters are known at run time alone (TLS 1.2, RFC 5246 7.4.3). Whoever
/// calls has seen that p is odd and has at most kMaxDhBits, that 1 < g < p - 1, and that neither has leading zeros; of
/// what else they are, nothing is known: secret exponents are as long as p.
struct FiniteField {
  std::string_view implementation;
  std::size_t context_size;  ///< the private key's, with its group; at most kMaxGroupContextSize
  /// Whether p is a prime, with an error of at most one in a million. For parameters of one's own: it takes its time.
  bool (*is_prime)(Bytes p) noexcept;
  /// Makes a key pair, and a share as long as p. Nothing to destroy unless ok.
  GroupResult (*generate)(void* context, const FieldParameters& parameters, RandomSource& random,
                          MutableBytes share) noexcept;
  /// The secret, which like the peer's share is as long as p, with leading zeros. A bad share is one that is not
  /// between 1 and p - 1, or leads to a secret that is not (NIST SP 800-56A revision 3, 5.7.1.1).
  GroupResult (*agree)(void* context, Bytes share, MutableBytes secret) noexcept;
  void (*destroy)(void* context) noexcept;
  bool insecure = false;  ///< anybody can compute the secret
};

// --- signatures ------------------------------------------------------------------------------------------------

/// `failed`: the library did (out of memory), and nothing is known of the signature.
enum class VerifyResult : std::uint8_t { valid, invalid, bad_key, failed };

/// A public key made ready to verify with, once for many signatures. Calls may come from several threads at once.
class LOCKSTEP_API PreparedKey {
 public:
  virtual ~PreparedKey() = default;
  /// As SignatureVerifier::verify of the verifier that made it.
  [[nodiscard]] virtual VerifyResult verify(Bytes message, Bytes signature) const noexcept = 0;
};

/// One signature to check; see SignatureVerifier::verify.
struct VerifyJob {
  Bytes subject_public_key_info;
  Bytes message;
  Bytes signature;
  VerifyResult result = VerifyResult::failed;
  const PreparedKey* prepared = nullptr;  ///< the same key, made ready by the same verifier; where somebody has it
};

/// Verifies one algorithm with one type of key.
struct SignatureVerifier {
  SignatureAlgorithm algorithm;
  KeyType key;
  std::string_view implementation;
  /// `subject_public_key_info` is DER (RFC 5280 4.1.2.7); ECDSA signatures are DER (RFC 3279 2.2.3).
  /// A key of Ed25519 or Ed448 that is not canonical or has small order, and signs whatever it is said to, is a bad one
  /// (providers/common/edwards.hpp).
  VerifyResult (*verify)(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept;
  bool insecure = false;  ///< anybody can make a signature that is valid

  std::size_t width = 1;                                              ///< as Group::width
  void (*verify_many)(std::span<VerifyJob> jobs) noexcept = nullptr;  ///< any number; null: one by one

  /// Makes a key ready that will be used often; null when it is a bad one, or memory runs out. Null where that would
  /// save less than a twentieth.
  std::shared_ptr<const PreparedKey> (*prepare)(Bytes subject_public_key_info) noexcept = nullptr;
};

/// One job alone, by the prepared key if there is one.
LOCKSTEP_API void verify(const SignatureVerifier& verifier, VerifyJob& job) noexcept;
/// A span of jobs, by what the verifier has: together, or one after the other. A single one goes its own way.
LOCKSTEP_API void verify(const SignatureVerifier& verifier, std::span<VerifyJob> jobs) noexcept;

/// One signature to check, and by what: those of several kinds and of many peers are collected so, and verified by
/// `run_together` (lockstep/computation.hpp).
struct SignatureJob {
  const SignatureVerifier* verifier = nullptr;
  VerifyJob job{};
};

/// The longest signature of any scheme here (ML-DSA-87: 4627 bytes).
inline constexpr std::size_t kMaxSignatureSize = 4627;

/// One signature to make; see SigningKey::sign.
struct SignJob {
  SignatureScheme scheme;
  Bytes message;
  RandomSource* random;
  MutableBytes out;
  std::size_t size = 0;  ///< result
};

/// A private key that can sign. Implement it to keep keys elsewhere (a smart card, another process); calls may come
/// from several threads at once.
class LOCKSTEP_API SigningKey {
 public:
  virtual ~SigningKey() = default;
  [[nodiscard]] virtual KeyType type() const noexcept = 0;
  /// DER; lives as long as the key.
  [[nodiscard]] virtual Bytes subject_public_key_info() const noexcept = 0;
  /// What the key can do, in order of preference; PKCS#1 schemes (for certificates) come last. Lives as long as the
  /// key.
  [[nodiscard]] virtual std::span<const SignatureScheme> schemes() const noexcept = 0;
  /// Signs `message` (not a digest). The size of the signature written to `out` (kMaxSignatureSize bytes suffice),
  /// or 0 when the key cannot do it.
  [[nodiscard]] virtual std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                         MutableBytes out) const noexcept = 0;
  /// How many signatures in one call cost least for each. 1: it makes no difference.
  [[nodiscard]] virtual std::size_t width() const noexcept { return 1; }
  /// Several at once, any number and of any of its schemes. By default one after the other.
  virtual void sign_many(std::span<SignJob> jobs) const noexcept;
  /// RSA: decrypts what was encrypted to the key by RSAES-PKCS1-v1_5 (RFC 8017 7.2), when it is as long as `out`. What
  /// is not, or is padded wrongly, gives random bytes, in the same time: nobody must learn which it was. False only
  /// where the key cannot decrypt at all, or the library or randomness failed.
  [[nodiscard]] virtual bool decrypt(Bytes /*ciphertext*/, RandomSource& /*random*/,
                                     MutableBytes /*out*/) const noexcept {
    return false;
  }
};

/// The longest result of KeyEncryptor::encrypt: RSA with 16384 bits.
inline constexpr std::size_t kMaxEncryptedKeySize = 2048;

/// Encrypts a secret to a public key: RSAES-PKCS1-v1_5 (RFC 8017 7.2), which TLS 1.2's RSA key exchange uses.
struct KeyEncryptor {
  KeyType key;
  std::string_view implementation;
  /// `subject_public_key_info` is DER. The size of what is written to `out`, which has kMaxEncryptedKeySize bytes; 0
  /// when the key is no good, or randomness or the library failed.
  std::size_t (*encrypt)(Bytes subject_public_key_info, Bytes secret, RandomSource& random, MutableBytes out) noexcept;
  bool insecure = false;  ///< anybody can read the secret
};

enum class KeyError : std::uint8_t {
  malformed,         ///< not the PKCS#8 structure that it should be
  unsupported,       ///< a type, curve or encryption that the provider lacks
  wrong_passphrase,  ///< an encrypted key that does not open
  invalid,           ///< the numbers in it do not make a key
  failed,            ///< randomness or the library failed
};

/// Loads, decrypts and makes private keys of the listed types.
struct KeyLoader {
  std::string_view implementation;
  std::span<const KeyType> types;
  /// From PKCS#8 PrivateKeyInfo, DER (RFC 5958).
  std::expected<std::shared_ptr<const SigningKey>, KeyError> (*load)(Bytes pkcs8) noexcept;
  /// From EncryptedPrivateKeyInfo to PrivateKeyInfo (PBES2 of RFC 8018). May be null.
  std::expected<std::vector<std::uint8_t>, KeyError> (*decrypt)(Bytes encrypted_pkcs8,
                                                                std::string_view passphrase) noexcept;
  /// A new key as PKCS#8. `bits` is for RSA only (0: 2048). The caller wipes the result. May be null.
  std::expected<std::vector<std::uint8_t>, KeyError> (*generate)(KeyType type, std::size_t bits,
                                                                 RandomSource& random) noexcept;
  bool insecure = false;  ///< its keys sign nothing that only they could
};

// --- the provider ----------------------------------------------------------------------------------------------

/// The descriptors in order of preference; descriptors are constants that live as long as the program.
struct Provider {
  std::string_view name;
  std::vector<const Aead*> aeads{};
  std::vector<const Hash*> hashes{};
  std::vector<const Group*> groups{};
  std::vector<const SignatureVerifier*> verifiers{};
  std::vector<const KeyLoader*> key_loaders{};
  std::vector<const KeyEncryptor*> key_encryptors{};
  std::vector<const CbcCipher*> cbc_ciphers{};
  std::vector<const RecordMac*> record_macs{};
  std::vector<const FiniteField*> finite_fields{};
  std::vector<const Mask*> masks{};
  /// AES runs on instructions of its own here; where it does not, ChaCha20-Poly1305 leads the default order.
  bool fast_aes = true;

  /// Whether any descriptor here protects nothing, those that stand by included: for tests and fuzzing.
  /// `ConfigBuilder::build` refuses such a provider unless `dangerous().allow_insecure_provider()` was said.
  [[nodiscard]] LOCKSTEP_API bool insecure() const noexcept;
  /// Those that protect nothing, in words: "x25519 (fake)", or "every group" where none protects anything.
  [[nodiscard]] LOCKSTEP_API std::vector<std::string> insecure_parts() const;

  /// The first descriptor for an id, or null.
  [[nodiscard]] LOCKSTEP_API const Aead* aead(AeadAlgorithm id) const noexcept;
  [[nodiscard]] LOCKSTEP_API const Hash* hash(HashAlgorithm id) const noexcept;
  [[nodiscard]] LOCKSTEP_API const Group* group(NamedGroup id) const noexcept;
  [[nodiscard]] LOCKSTEP_API const SignatureVerifier* verifier(SignatureAlgorithm algorithm,
                                                               KeyType key) const noexcept;
  [[nodiscard]] LOCKSTEP_API const KeyLoader* key_loader(KeyType type) const noexcept;
  [[nodiscard]] LOCKSTEP_API const KeyEncryptor* key_encryptor(KeyType type) const noexcept;
  [[nodiscard]] LOCKSTEP_API const CbcCipher* cbc_cipher(CbcAlgorithm id) const noexcept;
  [[nodiscard]] LOCKSTEP_API const RecordMac* record_mac(MacAlgorithm id) const noexcept;
  [[nodiscard]] LOCKSTEP_API const FiniteField* finite_field() const noexcept;
  [[nodiscard]] LOCKSTEP_API const Mask* mask(MaskAlgorithm id) const noexcept;

  /// Whether everything that a suite, group (hybrids by their parts) or scheme needs is there.
  [[nodiscard]] LOCKSTEP_API bool supports(CipherSuite suite) const noexcept;
  [[nodiscard]] LOCKSTEP_API bool supports(NamedGroup group) const noexcept;
  [[nodiscard]] LOCKSTEP_API bool supports(SignatureScheme scheme) const noexcept;
};

/// One provider of several: for each id the first that lists it wins, the others stand by. A provider is a plain value,
/// so a part of one is a provider too:
///
///     Provider curves{.name = "sodium", .groups = sodium::provider().groups};
///     Provider both = compose("sodium's curves, Botan for the rest", {curves, botan::provider()});
///
/// `name` must live as long as the result. What protects nothing does so in the result too.
[[nodiscard]] LOCKSTEP_API Provider compose(std::string_view name, std::initializer_list<Provider> in_order);

}  // namespace lockstep
