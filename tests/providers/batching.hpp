#pragma once
// Providers made of another one, for tests of what takes several jobs in one call.
//
//     struct Loops : Batching {
//       static Provider provider() { return fake::provider(); }
//     };
//     Provider batching = with_many<Loops>("fake, in loops");  // Loops::calls() and so on count
//
// - `with_many<Policy>` puts *_many over a provider that has none. Batching does the jobs one by one and counts;
//   Shuffling does them in another order, and fails those that it is told to.
// - `crowded<Of>` is for a provider that has them: it does what comes alone in lanes, among seven other jobs, good and
//   bad ones, and expects of each of them what it should be. So whatever tests single operations tests lanes.

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/capabilities.hpp>
#include <lockstep/provider.hpp>

#include "subject.hpp"

namespace lockstep::tests {

inline constexpr std::size_t kWidth = 8;

// --- policies --------------------------------------------------------------------------------------------------------

/// One by one, in order; counted, over everything that uses the policy.
struct Batching {
  struct Counted {
    std::atomic<std::size_t> calls = 0;
    std::atomic<std::size_t> jobs = 0;
    std::atomic<std::size_t> widest = 0;  ///< the most jobs in one call
  };
  static Counted& counted() {
    static Counted all;
    return all;
  }
  static void reset() { counted().calls = counted().jobs = counted().widest = 0; }

  template <class Job>
  static void run(std::span<Job> jobs, auto alone, auto /*fail*/) {
    ++counted().calls;
    counted().jobs += jobs.size();
    counted().widest = std::max<std::size_t>(counted().widest, jobs.size());
    for (Job& job : jobs) alone(job);
  }
};

/// In an order that changes with every call; `fails(n)` says of the n-th job of a call whether it fails.
struct Shuffling {
  static std::function<bool(std::size_t)>& fails() {
    static std::function<bool(std::size_t)> chosen = [](std::size_t) { return false; };
    return chosen;
  }

  template <class Job>
  static void run(std::span<Job> jobs, auto alone, auto fail) {
    static std::atomic<std::uint64_t> calls = 0;
    std::vector<std::size_t> order(jobs.size());
    std::iota(order.begin(), order.end(), 0U);
    SeededRandom random(++calls);
    for (std::size_t left = order.size(); left > 1; --left) {
      std::array<std::uint8_t, 2> drawn{};
      (void)random.fill(drawn);
      std::swap(order[left - 1], order[(drawn[0] + 256U * drawn[1]) % left]);
    }
    for (const std::size_t i : order) fails()(i) ? fail(jobs[i]) : alone(jobs[i]);
  }
};

// --- *_many over a provider without ----------------------------------------------------------------------------------

namespace batching {

template <class Of, NamedGroup id>
const Group& group() {
  static const Group& found = *Of::provider().group(id);
  return found;
}
template <class Of, Verification id>
const SignatureVerifier& verifier() {
  static const SignatureVerifier& found = *Of::provider().verifier(id.algorithm, id.key);
  return found;
}
template <class Of, KeyType id>
const KeyLoader& loader() {
  static const KeyLoader& found = *Of::provider().key_loader(id);
  return found;
}

constexpr auto kFailed = [](auto& job) { job.result = decltype(job.result)::failed; };

template <class Policy, NamedGroup id>
const Group& looped() {
  static const Group made = [] {
    Group all = group<Policy, id>();
    all.width = kWidth;
    all.generate_many = [](std::span<GenerateJob> jobs) noexcept {
      Policy::run(
          jobs,
          [](GenerateJob& job) { job.result = group<Policy, id>().generate(job.context, *job.random, job.share); },
          kFailed);
    };
    all.encapsulate_many = [](std::span<EncapsulateJob> jobs) noexcept {
      Policy::run(
          jobs,
          [](EncapsulateJob& job) {
            job.result = group<Policy, id>().encapsulate(job.client_share, *job.random, job.server_share, job.secret);
          },
          kFailed);
    };
    all.decapsulate_many = [](std::span<DecapsulateJob> jobs) noexcept {
      Policy::run(
          jobs,
          [](DecapsulateJob& job) {
            job.result = group<Policy, id>().decapsulate(job.context, job.server_share, job.secret);
          },
          kFailed);
    };
    return all;
  }();
  return made;
}

template <class Policy, Verification id>
const SignatureVerifier& looped() {
  static const SignatureVerifier made = [] {
    SignatureVerifier all = verifier<Policy, id>();
    all.width = kWidth;
    all.verify_many = [](std::span<VerifyJob> jobs) noexcept {
      Policy::run(
          jobs,
          [](VerifyJob& job) {
            job.result = verifier<Policy, id>().verify(job.subject_public_key_info, job.message, job.signature);
          },
          kFailed);
    };
    return all;
  }();
  return made;
}

/// A key that is another one but for how it signs several.
class Wrapped : public SigningKey {
 public:
  explicit Wrapped(std::shared_ptr<const SigningKey> inner) : inner_(std::move(inner)) {}
  [[nodiscard]] KeyType type() const noexcept override { return inner_->type(); }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return inner_->subject_public_key_info(); }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return inner_->schemes(); }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    return inner_->sign(scheme, message, random, out);
  }
  [[nodiscard]] std::size_t width() const noexcept override { return kWidth; }
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override {
    return inner_->decrypt(ciphertext, random, out);
  }

 protected:
  [[nodiscard]] const SigningKey& inner() const { return *inner_; }

 private:
  std::shared_ptr<const SigningKey> inner_;
};

template <class Policy>
class Looped final : public Wrapped {
 public:
  using Wrapped::Wrapped;
  void sign_many(std::span<SignJob> jobs) const noexcept override {
    Policy::run(
        jobs, [this](SignJob& job) { job.size = inner().sign(job.scheme, job.message, *job.random, job.out); },
        [](SignJob& job) { job.size = 0; });
  }
};

/// A loader of one type of key, which wraps what it loads.
template <class Of, KeyType id, class Key>
const KeyLoader& wrapping() {
  static constexpr std::array kTypes{id};
  static const KeyLoader made = [] {
    KeyLoader all = loader<Of, id>();
    all.types = kTypes;
    all.load = [](Bytes pkcs8) noexcept -> std::expected<std::shared_ptr<const SigningKey>, KeyError> {
      auto key = loader<Of, id>().load(pkcs8);
      if (!key) return key;
      return std::make_shared<const Key>(std::move(*key));
    };
    return all;
  }();
  return made;
}

/// Calls `visit.operator()<value>()` for all values of a list.
template <const auto& all>
void for_each(auto visit) {
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (visit.template operator()<all[i]>(), ...);
  }(std::make_index_sequence<std::size(all)>());
}

}  // namespace batching

/// `Policy::provider()` with *_many everywhere; `name` must live as long as the result.
template <class Policy>
Provider with_many(std::string_view name) {
  Provider all = Policy::provider();
  all.name = name;
  all.groups.clear();
  all.verifiers.clear();
  all.key_loaders.clear();
  const Provider behind = Policy::provider();
  batching::for_each<every::kGroups>([&]<NamedGroup id>() {
    if (behind.group(id) != nullptr) all.groups.push_back(&batching::looped<Policy, id>());
  });
  batching::for_each<every::kVerifications>([&]<Verification id>() {
    if (behind.verifier(id.algorithm, id.key) != nullptr) all.verifiers.push_back(&batching::looped<Policy, id>());
  });
  batching::for_each<every::kKeys>([&]<KeyType id>() {
    if (behind.key_loader(id) != nullptr)
      all.key_loaders.push_back(&batching::wrapping<Policy, id, batching::Looped<Policy>>());
  });
  return all;
}

// --- in company ------------------------------------------------------------------------------------------------------

namespace batching {

/// The lane of the next call: each in turn.
inline std::size_t next_lane() {
  static std::atomic<std::size_t> calls = 0;
  return calls++ % kWidth;
}

/// Keys of a group made together, with room for what else a job needs.
struct Crowd {
  const Group& group;
  SeededRandom random{0x10ca1};
  std::array<Storage<kMaxGroupContextSize>, kWidth> contexts{};
  std::array<Buffer, kWidth> shares{}, secrets{};

  explicit Crowd(const Group& its_group) : group(its_group) {
    std::vector<GenerateJob> jobs;
    for (std::size_t i = 0; i < kWidth; ++i) {
      shares[i].resize(group.client_share_size);
      secrets[i].resize(group.secret_size);
      jobs.push_back({contexts[i].get(), &random, shares[i]});
    }
    group.generate_many(jobs);
    for (const GenerateJob& job : jobs) EXPECT_EQ(job.result, GroupResult::ok);
  }
  ~Crowd() {
    for (auto& context : contexts) group.destroy(context.get());
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
};

/// Of seven, by their lanes: two that must fail, five that must not.
constexpr bool is_bad(std::size_t lane) { return lane % 4 == 1; }

template <class Of, NamedGroup id>
const Group& crowded() {
  static const Group made = [] {
    Group all = group<Of, id>();
    all.generate = [](void* context, RandomSource& random, MutableBytes share) noexcept {
      const Group& behind = group<Of, id>();
      const std::size_t lane = next_lane();
      SeededRandom seeded(lane);
      ScriptedRandom none({});
      std::array<Storage<kMaxGroupContextSize>, kWidth> contexts;
      std::array<Buffer, kWidth> shares;
      std::vector<GenerateJob> jobs;
      for (std::size_t i = 0; i < kWidth; ++i) {
        shares[i].resize(behind.client_share_size);
        RandomSource* const source = is_bad(i) ? static_cast<RandomSource*>(&none) : &seeded;
        jobs.push_back(i == lane ? GenerateJob{context, &random, share}
                                 : GenerateJob{contexts[i].get(), source, shares[i]});
      }
      behind.generate_many(jobs);
      for (std::size_t i = 0; i < kWidth; ++i) {
        if (i == lane) continue;
        EXPECT_EQ(jobs[i].result, is_bad(i) ? GroupResult::failed : GroupResult::ok);
        if (jobs[i].result == GroupResult::ok) behind.destroy(contexts[i].get());
      }
      return jobs[lane].result;
    };
    all.encapsulate = [](Bytes client_share, RandomSource& random, MutableBytes server_share,
                         MutableBytes secret) noexcept {
      const Group& behind = group<Of, id>();
      static Crowd crowd(behind);
      static const Buffer none(behind.client_share_size);  // leads to no secret
      const std::size_t lane = next_lane();
      std::vector<EncapsulateJob> jobs;
      std::array<Buffer, kWidth> answers;
      for (std::size_t i = 0; i < kWidth; ++i) {
        answers[i].resize(behind.server_share_size);
        jobs.push_back(i == lane ? EncapsulateJob{client_share, &random, server_share, secret}
                                 : EncapsulateJob{is_bad(i) ? none : crowd.shares[i], &crowd.random, answers[i],
                                                  crowd.secrets[i]});
      }
      behind.encapsulate_many(jobs);
      for (std::size_t i = 0; i < kWidth; ++i) {
        if (i == lane) continue;
        EXPECT_EQ(jobs[i].result, is_bad(i) ? GroupResult::bad_share : GroupResult::ok);
        Buffer again(behind.secret_size);
        if (is_bad(i)) continue;
        EXPECT_EQ(behind.decapsulate(crowd.contexts[i].get(), answers[i], again), GroupResult::ok);
        EXPECT_EQ(again, crowd.secrets[i]);
      }
      return jobs[lane].result;
    };
    all.decapsulate = [](void* context, Bytes server_share, MutableBytes secret) noexcept {
      const Group& behind = group<Of, id>();
      static Crowd crowd(behind);
      static const Buffer none(behind.server_share_size);
      const std::size_t lane = next_lane();
      std::vector<DecapsulateJob> jobs;
      for (std::size_t i = 0; i < kWidth; ++i)
        jobs.push_back(i == lane ? DecapsulateJob{context, server_share, secret}
                                 // Two of a pair, either of which has the other's share.
                                 : DecapsulateJob{crowd.contexts[i].get(), is_bad(i) ? none : crowd.shares[i ^ 2U],
                                                  crowd.secrets[i]});
      behind.decapsulate_many(jobs);
      for (std::size_t i = 0; i < kWidth; ++i) {
        if (i == lane) continue;
        EXPECT_EQ(jobs[i].result, is_bad(i) ? GroupResult::bad_share : GroupResult::ok);
        if (!is_bad(i) && !is_bad(i ^ 2U) && (i ^ 2U) != lane) {
          EXPECT_EQ(crowd.secrets[i], crowd.secrets[i ^ 2U]);
        }
      }
      return jobs[lane].result;
    };
    return all;
  }();
  return made;
}

/// A signature that was found valid once, for company.
struct Known {
  Buffer key, message, signature;
};

template <class Of, Verification id>
VerifyResult verify_in_company(Bytes subject_public_key_info, Bytes message, Bytes signature) {
  static std::mutex mutex;
  static Known known;
  const std::scoped_lock lock(mutex);
  const VerifyJob job{subject_public_key_info, message, signature};
  Buffer changed(signature.begin(), signature.end());
  if (!changed.empty()) changed[changed.size() / 2] ^= 0x55U;
  const std::size_t lane = next_lane();
  std::vector<VerifyJob> jobs(kWidth, job);
  for (std::size_t i = 0; i < kWidth; ++i) {
    if (i == lane) continue;
    if (i % 4 == 0) jobs[i].signature = changed;
    if (i % 4 == 1) jobs[i].subject_public_key_info = {};
    if (i % 4 == 2 && !known.key.empty()) jobs[i] = {known.key, known.message, known.signature};
  }
  verifier<Of, id>().verify_many(jobs);
  const VerifyResult result = jobs[lane].result;
  for (std::size_t i = 0; i < kWidth; ++i) {
    if (i == lane) continue;
    const VerifyResult found = jobs[i].result;
    if (i % 4 == 0) {
      EXPECT_NE(found, VerifyResult::valid);
    } else if (i % 4 == 1) {
      EXPECT_EQ(found, VerifyResult::bad_key);
    } else if (i % 4 == 2 && !known.key.empty()) {
      EXPECT_EQ(found, VerifyResult::valid);
    } else {
      EXPECT_EQ(found, result);
    }
  }
  if (result == VerifyResult::valid)
    known = {{subject_public_key_info.begin(), subject_public_key_info.end()},
             {message.begin(), message.end()},
             {signature.begin(), signature.end()}};
  return result;
}

template <class Of, Verification id>
const SignatureVerifier& crowded() {
  static const SignatureVerifier made = [] {
    SignatureVerifier all = verifier<Of, id>();
    all.verify = [](Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
      return verify_in_company<Of, id>(subject_public_key_info, message, signature);
    };
    return all;
  }();
  return made;
}

class Crowded final : public Wrapped {
 public:
  using Wrapped::Wrapped;
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    const std::size_t lane = next_lane();
    SeededRandom seeded(lane);
    const Buffer other(100, 0x6f);
    std::vector<Buffer> signatures(kWidth, Buffer(kMaxSignatureSize));
    std::vector<SignJob> jobs;
    for (std::size_t i = 0; i < kWidth; ++i)
      jobs.push_back(i == lane ? SignJob{scheme, message, &random, out}
                               : SignJob{inner().schemes().front(), other, &seeded,
                                         is_bad(i) ? MutableBytes() : MutableBytes(signatures[i])});
    inner().sign_many(jobs);
    for (std::size_t i = 0; i < kWidth; ++i) {
      if (i != lane) {
        EXPECT_EQ(jobs[i].size == 0, is_bad(i));
      }
    }
    return jobs[lane].size;
  }
  void sign_many(std::span<SignJob> jobs) const noexcept override { inner().sign_many(jobs); }
};

}  // namespace batching

/// `Of::provider()`, which does everything that it can do for several among others.
template <class Of>
Provider crowded(std::string_view name) {
  Provider all = Of::provider();
  all.name = name;
  batching::for_each<every::kGroups>([&]<NamedGroup id>() {
    const Group* const found = Of::provider().group(id);
    if (found != nullptr && found->generate_many != nullptr)
      std::ranges::replace(all.groups, found, &batching::crowded<Of, id>());
  });
  batching::for_each<every::kVerifications>([&]<Verification id>() {
    const SignatureVerifier* const found = Of::provider().verifier(id.algorithm, id.key);
    if (found != nullptr && found->verify_many != nullptr)
      std::ranges::replace(all.verifiers, found, &batching::crowded<Of, id>());
  });
  std::vector<const KeyLoader*> loaders;
  batching::for_each<every::kKeys>([&]<KeyType id>() {
    if (Of::provider().key_loader(id) != nullptr) loaders.push_back(&batching::wrapping<Of, id, batching::Crowded>());
  });
  all.key_loaders = std::move(loaders);
  return all;
}

}  // namespace lockstep::tests
