// ML-KEM (FIPS 203 5 and 6) over ntt.inl, encoding.inl and sha3.inl.

template <const KemParameters& parameters>
struct MlKem {
  static constexpr std::size_t kRank = parameters.k;
  static constexpr std::size_t kPolynomialSize = 384;  ///< ByteEncode_12's
  static constexpr std::size_t kEncapsulationKeySize = kPolynomialSize * kRank + 32;
  static constexpr std::size_t kDecapsulationKeySize = kPolynomialSize * kRank + kEncapsulationKeySize + 64;
  static constexpr std::size_t kVectorSize =
      32 * kRank * static_cast<std::size_t>(parameters.d_u);  ///< of u in a ciphertext
  static constexpr std::size_t kCiphertextSize = kVectorSize + 32 * static_cast<std::size_t>(parameters.d_v);
  static constexpr std::size_t kNoiseSize = 64 * parameters.eta_1;

  /// What is public in a key, in the order of `ntt` and from 0 to q - 1.
  struct PublicKey {
    Polynomial matrix[kRank * kRank];
    Polynomial t[kRank];
    std::uint8_t rho[32];
    std::uint8_t hash[32];  ///< H(ek)
  };
  struct Key {
    PublicKey open;
    Polynomial s[kRank];
    std::uint8_t z[32];
  };

  /// The jobs of a call of SHA-3: as many as the matrix and every noise take.
  struct Jobs {
    std::array<Sha3Job, kRank * kRank + 2 * kRank + 2> jobs{};
    std::size_t count = 0;

    void add(Sha3Algorithm algorithm, std::span<const std::uint8_t> message, std::span<std::uint8_t> digest) {
      jobs[count++] = {algorithm, message, digest};
    }
    void run() const noexcept { run_sha3(std::span(jobs).first(count)); }
  };

  static void hash_one(Sha3Algorithm algorithm, std::span<const std::uint8_t> message, std::span<std::uint8_t> digest) {
    const Sha3Job job{algorithm, message, digest};
    run_sha3({&job, 1});
  }

  // --- the matrix ----------------------------------------------------------------------------------------------------

  /// SampleNTT(rho || j || i) for the row i and the column j.
  struct MatrixSampling {
    std::uint8_t seeds[kRank * kRank][34];
    std::uint8_t bytes[kRank * kRank][kSampleUsual];

    void add_to(Jobs& jobs, const std::uint8_t* rho) noexcept {
      for (std::size_t i = 0; i < kRank * kRank; ++i) {
        std::memcpy(seeds[i], rho, 32);
        seeds[i][32] = static_cast<std::uint8_t>(i % kRank);
        seeds[i][33] = static_cast<std::uint8_t>(i / kRank);
        jobs.add(Sha3Algorithm::shake128, seeds[i], bytes[i]);
      }
    }
    void finish(Polynomial (&matrix)[kRank * kRank]) noexcept {
      for (std::size_t i = 0; i < kRank * kRank; ++i) {
        if (!sample_ntt(matrix[i], bytes[i], kSampleUsual)) {
          std::uint8_t most[kSampleMost];
          hash_one(Sha3Algorithm::shake128, seeds[i], most);
          (void)sample_ntt(matrix[i], most, kSampleMost);
        }
        to_ntt_order(matrix[i]);
      }
    }
  };

  // --- noise ---------------------------------------------------------------------------------------------------------

  /// PRF_eta(seed, N) for N from 0 on: kRank polynomials of eta_1, then others.
  template <std::size_t kCount, std::size_t kLaterEta>
  struct NoiseSampling {
    std::uint8_t seeds[kCount][33];
    std::uint8_t bytes[kCount][kNoiseSize];

    static constexpr std::size_t eta_of(std::size_t i) { return i < kRank ? parameters.eta_1 : kLaterEta; }
    void add_to(Jobs& jobs, const std::uint8_t* seed) noexcept {
      for (std::size_t i = 0; i < kCount; ++i) {
        std::memcpy(seeds[i], seed, 32);
        seeds[i][32] = static_cast<std::uint8_t>(i);
        jobs.add(Sha3Algorithm::shake256, seeds[i], std::span(bytes[i]).first(64 * eta_of(i)));
      }
    }
    void finish(Polynomial (&noise)[kCount]) const noexcept {
      for (std::size_t i = 0; i < kRank; ++i) sample_cbd<parameters.eta_1>(noise[i], bytes[i]);
      for (std::size_t i = kRank; i < kCount; ++i) sample_cbd<kLaterEta>(noise[i], bytes[i]);
    }
  };

  // --- encoded keys --------------------------------------------------------------------------------------------------

  static void encode_vector(std::uint8_t* to, const Polynomial (&vector)[kRank]) noexcept {
    Polynomial f;
    for (std::size_t i = 0; i < kRank; ++i, to += kPolynomialSize) {
      f = vector[i];
      to_standard_order(f);
      byte_encode<12>(to, f);
    }
    wipe(&f, sizeof f);
  }
  /// False when a coefficient is not below q.
  static bool decode_vector(Polynomial (&vector)[kRank], const std::uint8_t* from) noexcept {
    bool below = true;
    for (std::size_t i = 0; i < kRank; ++i, from += kPolynomialSize) {
      byte_decode<12>(vector[i], from);
      below = all_below_modulus(vector[i]) && below;
      to_ntt_order(vector[i]);
    }
    return below;
  }
  static void encode_public(std::uint8_t* to, const PublicKey& key) noexcept {
    encode_vector(to, key.t);
    std::memcpy(to + kPolynomialSize * kRank, key.rho, 32);
  }
  /// The key's matrix and hash in one call: the hash of the encoded key is one long chain of blocks, beside which there
  /// is room for the matrix.
  static bool decode_public(PublicKey& key, const std::uint8_t* from) noexcept {
    if (!decode_vector(key.t, from)) return false;
    std::memcpy(key.rho, from + kPolynomialSize * kRank, 32);
    Jobs jobs;
    MatrixSampling matrix;
    jobs.add(Sha3Algorithm::sha3_256, {from, kEncapsulationKeySize}, key.hash);
    matrix.add_to(jobs, key.rho);
    jobs.run();
    matrix.finish(key.matrix);
    return true;
  }

  // --- K-PKE (FIPS 203 5) --------------------------------------------------------------------------------------------

  /// Algorithm 14. `message` is m, `coins` r.
  static void encrypt(const PublicKey& key, const std::uint8_t* message, const std::uint8_t* coins,
                      std::uint8_t* ciphertext) noexcept {
    struct {
      NoiseSampling<2 * kRank + 1, 2> sampling;
      Polynomial noise[2 * kRank + 1];  // y, e_1 and e_2
      Polynomial sum;
    } secret;
    Jobs jobs;
    secret.sampling.add_to(jobs, coins);
    jobs.run();
    secret.sampling.finish(secret.noise);
    for (std::size_t i = 0; i < kRank; ++i) ntt(secret.noise[i]);
    for (std::size_t i = 0; i < kRank; ++i) {
      sum_of_products<kRank, kRank>(secret.sum, key.matrix + i, secret.noise);  // a row of the transposed matrix
      inverse_ntt(secret.sum);
      add(secret.sum, secret.noise[kRank + i]);
      compress_and_encode<parameters.d_u>(ciphertext + kVectorSize / kRank * i, secret.sum);
    }
    sum_of_products<kRank, 1>(secret.sum, key.t, secret.noise);
    inverse_ntt(secret.sum);
    add(secret.sum, secret.noise[2 * kRank]);
    add_message(secret.sum, message);
    compress_and_encode<parameters.d_v>(ciphertext + kVectorSize, secret.sum);
    wipe(&secret, sizeof secret);
  }

  /// Algorithm 15.
  static void decrypt(const Key& key, const std::uint8_t* ciphertext, std::uint8_t* message) noexcept {
    struct {
      Polynomial u[kRank];
      Polynomial product;
      Polynomial v;
    } secret;
    for (std::size_t i = 0; i < kRank; ++i) {
      decode_and_decompress<parameters.d_u>(secret.u[i], ciphertext + kVectorSize / kRank * i);
      ntt(secret.u[i]);
    }
    decode_and_decompress<parameters.d_v>(secret.v, ciphertext + kVectorSize);
    sum_of_products<kRank, 1>(secret.product, key.s, secret.u);
    inverse_ntt(secret.product);
    for (std::size_t i = 0; i < kCoefficients; i += kWords16)
      store_words16(secret.v.coefficients + i, subtract_16(load_words16(secret.v.coefficients + i),
                                                           load_words16(secret.product.coefficients + i)));
    compress_and_encode<1>(message, secret.v);
    wipe(&secret, sizeof secret);
  }

  /// At most 0.56 q and two coefficients of noise: any word is reduced later.
  static void add(Polynomial& sum, const Polynomial& f) noexcept {
    for (std::size_t i = 0; i < kCoefficients; i += kWords16)
      store_words16(sum.coefficients + i, add_16(load_words16(sum.coefficients + i), load_words16(f.coefficients + i)));
  }
  /// Decompress_1(ByteDecode_1(m)): q / 2, rounded up, for a one.
  static void add_message(Polynomial& sum, const std::uint8_t* message) noexcept {
    for (std::size_t i = 0; i < kCoefficients; i += kWords16)
      store_words16(sum.coefficients + i,
                    add_16(load_words16(sum.coefficients + i), where_bits(message + i / 8, (kModulus + 1) / 2)));
  }

  // --- ML-KEM (FIPS 203 6) -------------------------------------------------------------------------------------------

  /// Algorithms 13 and 16.
  static void generate(void* storage, const std::uint8_t* seed, std::uint8_t* encapsulation_key) noexcept {
    Key& key = *::new (storage) Key;
    struct {
      std::uint8_t d_and_k[33];
      std::uint8_t rho_and_sigma[64];
      NoiseSampling<2 * kRank, parameters.eta_1> sampling;
      Polynomial noise[2 * kRank];  // s and e
    } secret;
    std::memcpy(secret.d_and_k, seed, 32);
    secret.d_and_k[32] = static_cast<std::uint8_t>(kRank);
    hash_one(Sha3Algorithm::sha3_512, secret.d_and_k, secret.rho_and_sigma);
    std::memcpy(key.open.rho, secret.rho_and_sigma, 32);
    make_public(key.open.rho, 32);

    Jobs jobs;
    MatrixSampling matrix;
    matrix.add_to(jobs, key.open.rho);
    secret.sampling.add_to(jobs, secret.rho_and_sigma + 32);
    jobs.run();
    matrix.finish(key.open.matrix);
    secret.sampling.finish(secret.noise);
    for (Polynomial& f : secret.noise) ntt(f);
    for (std::size_t i = 0; i < kRank; ++i) {
      sum_of_products<kRank, 1>(key.open.t[i], key.open.matrix + kRank * i, secret.noise);
      finish_t(key.open.t[i], secret.noise[kRank + i]);
      reduce_polynomial(key.s[i], secret.noise[i]);
    }
    wipe(&secret, sizeof secret);

    encode_public(encapsulation_key, key.open);
    hash_one(Sha3Algorithm::sha3_256, {encapsulation_key, kEncapsulationKeySize}, key.open.hash);
    std::memcpy(key.z, seed + 32, 32);
  }

  /// t = A s + e: the sum times R, at most 0.56 q, and e of at most 12582.
  static void finish_t(Polynomial& t, const Polynomial& e) noexcept {
    for (std::size_t i = 0; i < kCoefficients; i += kWords16) {
      const Words16 product = multiply(load_words16(t.coefficients + i), kRadixSquared);
      store_words16(t.coefficients + i, reduce_fully(add_16(product, load_words16(e.coefficients + i))));
    }
  }
  static void reduce_polynomial(Polynomial& to, const Polynomial& from) noexcept {
    for (std::size_t i = 0; i < kCoefficients; i += kWords16)
      store_words16(to.coefficients + i, reduce_fully(load_words16(from.coefficients + i)));
  }

  /// (K, r) = G(m || H(ek))
  struct Derived {
    std::uint8_t input[64];
    std::uint8_t key_and_coins[64];

    void derive(const std::uint8_t* hash) noexcept {
      std::memcpy(input + 32, hash, 32);
      hash_one(Sha3Algorithm::sha3_512, input, key_and_coins);
    }
  };

  /// Algorithm 17.
  static bool encapsulate(const std::uint8_t* encapsulation_key, const std::uint8_t* coins, std::uint8_t* ciphertext,
                          std::uint8_t* secret) noexcept {
    PublicKey key;
    if (!decode_public(key, encapsulation_key)) return false;
    Derived derived;
    std::memcpy(derived.input, coins, 32);
    derived.derive(key.hash);
    encrypt(key, derived.input, derived.key_and_coins + 32, ciphertext);
    std::memcpy(secret, derived.key_and_coins, kKemSecretSize);
    wipe(&derived, sizeof derived);
    return true;
  }

  /// Algorithm 18. Both secrets are computed and one is taken by a mask, so that nothing tells which.
  static void decapsulate(const void* storage, const std::uint8_t* ciphertext, std::uint8_t* secret) noexcept {
    const Key& key = *static_cast<const Key*>(storage);
    struct {
      Derived derived;
      std::uint8_t rejected_input[32 + kCiphertextSize];  // z || c
      std::uint8_t rejected_key[32];
      std::uint8_t again[kCiphertextSize];
    } own;
    decrypt(key, ciphertext, own.derived.input);
    own.derived.derive(key.open.hash);
    encrypt(key.open, own.derived.input, own.derived.key_and_coins + 32, own.again);
    std::memcpy(own.rejected_input, key.z, 32);
    std::memcpy(own.rejected_input + 32, ciphertext, kCiphertextSize);
    hash_one(Sha3Algorithm::shake256, own.rejected_input, own.rejected_key);
    const std::uint64_t differ = hidden(mask_if_different(ciphertext, own.again));
    for (std::size_t i = 0; i < kKemSecretSize; i += 8) {
      const std::uint64_t right = load_le64(own.derived.key_and_coins + i);
      const std::uint64_t rejected = load_le64(own.rejected_key + i);
      store_le64(secret + i, (right & ~differ) | (rejected & differ));
    }
    wipe(&own, sizeof own);
  }

  /// All ones, or zero when they are equal.
  static std::uint64_t mask_if_different(const std::uint8_t* a, const std::uint8_t* b) noexcept {
    static_assert(kCiphertextSize % 8 == 0);
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < kCiphertextSize; i += 8) difference |= load_le64(a + i) ^ load_le64(b + i);
    difference = hidden(difference);
    return std::uint64_t{0} - ((difference | (std::uint64_t{0} - difference)) >> 63);
  }

  static bool load(void* storage, const std::uint8_t* decapsulation_key) noexcept {
    Key& key = *::new (storage) Key;
    const std::uint8_t* const encapsulation_key = decapsulation_key + kPolynomialSize * kRank;
    const std::uint8_t* const hash = encapsulation_key + kEncapsulationKeySize;
    // FIPS 203 7.3, hash check: what H makes of the encapsulation key in it is what stands behind that key.
    bool right = decode_vector(key.s, decapsulation_key) && decode_public(key.open, encapsulation_key);
    right = right && made_public(std::memcmp(key.open.hash, hash, 32) == 0);
    std::memcpy(key.z, hash + 32, 32);
    if (!right) destroy(storage);
    return right;
  }

  static void store(const void* storage, std::uint8_t* decapsulation_key) noexcept {
    const Key& key = *static_cast<const Key*>(storage);
    std::uint8_t* const encapsulation_key = decapsulation_key + kPolynomialSize * kRank;
    std::uint8_t* const hash = encapsulation_key + kEncapsulationKeySize;
    encode_vector(decapsulation_key, key.s);
    encode_public(encapsulation_key, key.open);
    std::memcpy(hash, key.open.hash, 32);
    std::memcpy(hash + 32, key.z, 32);
  }

  static void destroy(void* storage) noexcept { wipe(storage, sizeof(Key)); }

  static_assert(sizeof(Key) <= kMaxKemKeySize);

  static constexpr Kem descriptor() {
    return {parameters.algorithm,
            kInstructionSet,
            parameters.name,
            kEncapsulationKeySize,
            kDecapsulationKeySize,
            kCiphertextSize,
            sizeof(Key),
            generate,
            encapsulate,
            decapsulate,
            load,
            store,
            destroy};
  }
};

constinit const Kem kMlKem512 = MlKem<kParameters512>::descriptor();
constinit const Kem kMlKem768 = MlKem<kParameters768>::descriptor();
constinit const Kem kMlKem1024 = MlKem<kParameters1024>::descriptor();
