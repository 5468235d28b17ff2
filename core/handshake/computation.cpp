#include "handshake/computation.hpp"

#include <algorithm>
#include <functional>
#include <memory>

#include "handshake/key_pairs.hpp"
#include "types/allocated.hpp"

namespace lockstep::handshake {
namespace {

/// What libraries take of the stack for a key exchange and leave as it is.
constexpr std::size_t kLibraryFrames = 32768;

}  // namespace

bool JobRandom::fill(MutableBytes out) noexcept {
  // RFC 5869 2.3: "length of output keying material in octets (<= 255*HashLen)".
  const std::size_t most = 255 * hash_->digest_size;
  while (!out.empty()) {
    const MutableBytes now = out.first(std::min(out.size(), most));
    const std::array<std::uint8_t, 5> info{
        number_, static_cast<std::uint8_t>(drawn_ >> 24U), static_cast<std::uint8_t>(drawn_ >> 16U & 0xffU),
        static_cast<std::uint8_t>(drawn_ >> 8U & 0xffU), static_cast<std::uint8_t>(drawn_ & 0xffU)};
    ++drawn_;
    const ExpandJob job{seed_, info, now};
    if (!hash_->expand({&job, 1})) return false;
    out = out.subspan(now.size());
  }
  return true;
}

namespace {

using detail::KeyPairStock;
using detail::Progress;
using detail::Work;

// A job is issued: it draws what it needs, and is the application's until it comes back.
template <class Job>
void issue(Context& context, Job job) {
  if (context.failure) return;
  std::unique_ptr<Work, detail::WorkDeleter> work(
      new Work{context.settings().suites.front().hash, context.place, std::move(job)});
  work->recorded = context.tap != nullptr;
  work->seed.resize(JobRandom::kSeedSize);
  if (!context.random.fill(work->seed.writable())) return context.stop(Reason::random_failed);
  context.ask(Compute{.token = {}, .job = ComputationJob(std::move(work))});
}

std::vector<std::uint8_t> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

void ask_to_generate(Context& context, std::span<const NamedGroup> groups) {
  GenerateWork work;
  work.pairs.reserve(groups.size());
  for (const NamedGroup id : groups) {
    const BoundGroup& group = *context.config().group(id);
    work.pairs.push_back({.group = group, .share = std::vector<std::uint8_t>(group.client_share_size())});
  }
  issue(context, std::move(work));
}

void ask_to_encapsulate(Context& context, const BoundGroup& group, Bytes client_share) {
  issue(context, EncapsulateWork{.group = group,
                                 .client_share = copy_of(client_share),
                                 .server_share = std::vector<std::uint8_t>(group.server_share_size())});
}

void ask_to_decapsulate(Context& context, KeyExchange&& exchange, Bytes server_share) {
  issue(context, DecapsulateWork{.exchange = std::move(exchange), .server_share = copy_of(server_share)});
}

void ask_to_verify(Context& context, const SignatureToCheck& signature) {
  issue(context, VerifyWork{.verifier = signature.verifier,
                            .prepared = signature.prepared,
                            .subject_public_key_info = copy_of(signature.job.subject_public_key_info),
                            .message = copy_of(signature.job.message),
                            .signature = copy_of(signature.job.signature)});
}

Status check(const Context& context, const SecretMade& made, NamedGroup group) noexcept {
  const auto detail = static_cast<std::uint16_t>(group);
  switch (made.result) {
    case GroupResult::ok: break;
    case GroupResult::bad_share: return context.fail(Reason::key_share_invalid, detail);
    case GroupResult::failed:
      return context.fail(made.random_failed ? Reason::random_failed : Reason::provider_failed, detail);
  }
  return {};
}

namespace {

// Jobs of many, sorted by who runs them.
template <class Descriptor, class Job, void (*kRun)(const Descriptor&, std::span<Job>) noexcept>
class Batch {
 public:
  // `job` lives until the batch has run.
  void add(const Descriptor& descriptor, Job& job) { entries_.push_back({&descriptor, &job}); }

  // What `run` needs, so that nothing fails between the first job and the last.
  void prepare() { jobs_.reserve(entries_.size()); }
  void run() noexcept {
    std::ranges::sort(entries_, std::less<>(), &Entry::descriptor);
    for (auto from = entries_.begin(); from != entries_.end();) {
      jobs_.clear();
      for (auto it = from; it != entries_.end() && it->descriptor == from->descriptor; ++it) jobs_.push_back(*it->job);
      kRun(*from->descriptor, jobs_);
      for (const Job& job : jobs_) (from++)->job->result = job.result;
    }
  }

 private:
  struct Entry {
    const Descriptor* descriptor;
    Job* job;
  };
  std::vector<Entry> entries_;
  std::vector<Job> jobs_;
};

struct Batches {
  Batch<Group, GenerateJob, lockstep::generate> generations;
  Batch<Group, EncapsulateJob, lockstep::encapsulate> encapsulations;
  Batch<Group, DecapsulateJob, lockstep::decapsulate> decapsulations;
  Batch<SignatureVerifier, VerifyJob, lockstep::verify> verifications;

  void prepare() {
    generations.prepare();
    encapsulations.prepare();
    decapsulations.prepare();
    verifications.prepare();
  }
  void run() noexcept {
    generations.run();
    encapsulations.run();
    decapsulations.run();
    verifications.run();
  }
};

// A piece of work as jobs: it puts them into batches, and `settle` takes what they have come to. Until then it is one
// that had no memory.

class InJobs {
 public:
  /// `ahead` may be null.
  InJobs(Work& work, Batches& batches, KeyPairStock* ahead) : work_(work), ahead_(work.recorded ? nullptr : ahead) {
    work.progress = Progress::out_of_memory;
    std::visit([&](auto& job) { add(job, batches); }, work.job);
  }
  InJobs(InJobs&&) noexcept = default;

  void settle() noexcept {
    std::visit([&](auto& job) { take(job); }, work_.job);
    work_.progress = Progress::ran;
  }

 private:
  [[nodiscard]] JobRandom random(std::size_t number) const noexcept {
    return {*work_.hash, work_.seed.view(), static_cast<std::uint8_t>(number)};
  }

  void add(GenerateWork& work, Batches& batches) {
    randoms_.reserve(2 * work.pairs.size());
    generations_.reserve(work.pairs.size());
    for (MadeKeyPair& pair : work.pairs) {
      JobRandom* const first = &randoms_.emplace_back(random(randoms_.size()));
      JobRandom* const second = &randoms_.emplace_back(random(randoms_.size()));
      auto& parts = generations_.emplace_back(
          pair.exchange.generation(pair.group, std::array<RandomSource*, 2>{first, second}, pair.share));
      for (auto& part : parts.all()) {
        if (auto made = made_ahead(*part.group, part.job.share)) {
          made->generation = &part.job;
          made_ahead_.push_back(std::move(made));
        } else {
          batches.generations.add(*part.group, part.job);
        }
      }
    }
  }
  void take(GenerateWork& work) noexcept {
    for (const auto& made : made_ahead_) made->give();
    auto parts = generations_.begin();
    for (MadeKeyPair& pair : work.pairs) pair.result = pair.exchange.take(pair.group, (parts++)->all());
  }

  void add(EncapsulateWork& work, Batches& batches) {
    randoms_.reserve(2);
    JobRandom* const first = &randoms_.emplace_back(random(0));
    JobRandom* const second = &randoms_.emplace_back(random(1));
    encapsulation_ = std::make_unique<Parts<EncapsulateJob>>(encapsulation(
        work.group, work.client_share, std::array<RandomSource*, 2>{first, second}, work.server_share, work.secret));
    for (auto& part : encapsulation_->all()) {
      if (auto made = made_ahead(*part.group, part.job.server_share)) {
        made->encapsulation = &part.job;
        made->agreement = {made->context.data(), part.job.client_share, part.job.secret};
        batches.decapsulations.add(*part.group, made->agreement);
        made_ahead_.push_back(std::move(made));
      } else {
        batches.encapsulations.add(*part.group, part.job);
      }
    }
  }
  void take(EncapsulateWork& work) noexcept {
    for (const auto& made : made_ahead_) made->encapsulation->result = made->agreement.result;
    work.result = together<EncapsulateJob>(encapsulation_->all());
  }

  void add(DecapsulateWork& work, Batches& batches) {
    decapsulation_ =
        std::make_unique<Parts<DecapsulateJob>>(work.exchange.decapsulation(work.server_share, work.secret));
    for (auto& part : decapsulation_->all()) batches.decapsulations.add(*part.group, part.job);
  }
  void take(DecapsulateWork& work) noexcept { work.result = together<DecapsulateJob>(decapsulation_->all()); }

  void add(VerifyWork& work, Batches& batches) {
    verification_ = std::make_unique<VerifyJob>(VerifyJob{.subject_public_key_info = work.subject_public_key_info,
                                                          .message = work.message,
                                                          .signature = work.signature,
                                                          .prepared = work.prepared.get()});
    batches.verifications.add(*work.verifier, *verification_);
  }
  void take(VerifyWork& work) noexcept { work.result = verification_->result; }

  // A private key that was made ahead, until it is given to a generation, or as long as it takes to agree on the
  // secret, which is then all that there is to compute of an encapsulation.
  struct MadeAhead {
    explicit MadeAhead(const Group& of) noexcept : group(of) {}
    MadeAhead(const MadeAhead&) = delete;
    MadeAhead& operator=(const MadeAhead&) = delete;
    ~MadeAhead() {
      if (is_here) group.destroy(context.data());
    }
    void give() noexcept {
      detail::move_private_key(group, generation->context, context.data());
      is_here = false;
      generation->result = GroupResult::ok;
    }

    const Group& group;
    GenerateJob* generation = nullptr;
    EncapsulateJob* encapsulation = nullptr;
    DecapsulateJob agreement{};
    bool is_here = false;
    alignas(64) std::array<std::byte, kMaxGroupContextSize> context;
  };
  // Null where there is none, or where there are to be none.
  [[nodiscard]] std::unique_ptr<MadeAhead> made_ahead(const Group& group, MutableBytes share) {
    if (ahead_ == nullptr || !KeyPairStock::serves(group)) return nullptr;
    auto made = std::make_unique<MadeAhead>(group);
    made->is_here = ahead_->take(group, made->context.data(), share);
    return made->is_here ? std::move(made) : nullptr;
  }

  Work& work_;
  KeyPairStock* ahead_;
  std::vector<JobRandom> randoms_;
  std::vector<Parts<GenerateJob>> generations_;
  std::unique_ptr<Parts<EncapsulateJob>> encapsulation_;
  std::vector<std::unique_ptr<MadeAhead>> made_ahead_;
  std::unique_ptr<Parts<DecapsulateJob>> decapsulation_;
  std::unique_ptr<VerifyJob> verification_;
};

}  // namespace
}  // namespace lockstep::handshake

namespace lockstep {

std::string_view name(Computation what) noexcept {
  switch (what) {
    case Computation::generate: return "generate";
    case Computation::encapsulate: return "encapsulate";
    case Computation::decapsulate: return "decapsulate";
    case Computation::verify: return "verify";
  }
  return {};
}

void ComputationAccess::bind(ComputationJob& job, const Token<Compute>& token) noexcept {
  job.work_->control = TokenAccess::control(token);
  job.work_->number = TokenAccess::number(token);
}

bool ComputationAccess::belongs(const ComputationJob& job, const Token<Compute>& token) noexcept {
  return job.work_ != nullptr && job.work_->control == TokenAccess::control(token) &&
         job.work_->number == TokenAccess::number(token);
}

void detail::WorkDeleter::operator()(Work* work) const noexcept { delete work; }
void detail::WorkDeleter::operator()(KeyPairStock* stock) const noexcept { delete stock; }

std::size_t KeyPairs::size() const noexcept { return stock_ == nullptr ? 0 : stock_->size(); }

Computation ComputationJob::what() const noexcept { return static_cast<Computation>(work_->job.index()); }

bool ComputationJob::done() const noexcept { return work_ != nullptr && work_->progress != detail::Progress::due; }

void ComputationJob::run() noexcept {
  ComputationJob* const self = this;
  run_together({&self, 1});
}

void run_together(std::span<ComputationJob* const> jobs, KeyPairs* ahead,
                  std::span<SignatureJob* const> signatures) noexcept {
  using detail::Progress;
  const auto due = [](const ComputationJob* job) {
    return job->work_ != nullptr && job->work_->progress == Progress::due;
  };
  const bool ran = allocated([&] {
    if (ahead != nullptr && ahead->stock_ == nullptr) ahead->stock_.reset(new detail::KeyPairStock(*ahead->random_));
    handshake::Batches batches;
    std::vector<handshake::InJobs> in_jobs;
    in_jobs.reserve(jobs.size());
    for (const ComputationJob* const job : jobs) {
      if (due(job)) in_jobs.emplace_back(*job->work_, batches, ahead == nullptr ? nullptr : ahead->stock_.get());
    }
    for (SignatureJob* const signature : signatures) batches.verifications.add(*signature->verifier, signature->job);
    batches.prepare();
    batches.run();
    for (auto& one : in_jobs) one.settle();
  });
  // Here no connection ends that would do it: this may be another thread, with a stack of its own.
  wipe_stack<handshake::kLibraryFrames>();
  if (ran) return;
  // Without memory nothing has run, and nothing will: the answer says why.
  for (const ComputationJob* const job : jobs) {
    if (due(job)) job->work_->progress = Progress::out_of_memory;
  }
}

}  // namespace lockstep
