#include <algorithm>
#include <utility>
#include <variant>

#include <unistd.h>

#include <lockstep/collector.hpp>

namespace lockstep {
namespace {

const SigningKey* key_of(const Sign& sign) noexcept {
  return sign.credential == nullptr ? nullptr : sign.credential->key.get();
}

}  // namespace

bool Collector::take(void* owner, Connection& connection, Event& event, RandomSource& random, Answers* answers) {
  const auto* const sign = std::get_if<Sign>(&event);
  const bool gains = sign != nullptr ? key_of(*sign) != nullptr && key_of(*sign)->width() > 1
                                     : std::holds_alternative<VerifyPeer>(event) && answers != nullptr &&
                                           answers->setup().verifies_together();
  if (!gains && !std::holds_alternative<Compute>(event)) return false;
  questions_.push_back({owner, &connection, std::move(event), &random, answers});
  return true;
}

void Collector::forget(const void* owner) noexcept {
  std::erase_if(questions_, [owner](const Question& question) { return question.owner == owner; });
}

bool Collector::holds(const void* owner) const noexcept {
  return std::ranges::find(questions_, owner, &Question::owner) != questions_.end();
}

void Collector::compute() {
  std::vector<ComputationJob*> jobs;
  std::vector<SignatureJob*> signatures;
  jobs.reserve(answering_.size());
  for (Question& question : answering_) {
    if (auto* const compute = std::get_if<Compute>(&question.event)) {
      jobs.push_back(&compute->job);
    } else if (const auto* const peer = std::get_if<VerifyPeer>(&question.event)) {
      for (SignatureJob& signature : question.answers->begin(*peer)) signatures.push_back(&signature);
    }
  }
  if (jobs.empty() && signatures.empty()) return;
  if (ahead_) {
    const pid_t process = ::getpid();
    if (std::exchange(process_, process) != process) ahead_->clear();
  }
  run_together(jobs, ahead_ ? &*ahead_ : nullptr, signatures);
}

// One call for each key.
void Collector::sign() {
  const auto sign_of = [](Question* question) -> Sign& { return std::get<Sign>(question->event); };
  std::vector<Question*> due;
  for (Question& question : answering_) {
    if (std::holds_alternative<Sign>(question.event)) due.push_back(&question);
  }
  std::ranges::sort(due, std::less<>(), [&](Question* question) { return key_of(sign_of(question)); });
  std::vector<SignJob> jobs;
  for (auto from = due.begin(); from != due.end();) {
    const SigningKey* const key = key_of(sign_of(*from));
    const auto to = std::find_if(from, due.end(), [&](Question* one) { return key_of(sign_of(one)) != key; });
    jobs.clear();
    for (auto it = from; it != to; ++it) {
      (*it)->signature.resize(kMaxSignatureSize);
      jobs.push_back({sign_of(*it).scheme, sign_of(*it).message, (*it)->random, (*it)->signature});
    }
    key->sign_many(jobs);
    for (const SignJob& job : jobs) (*from++)->signature.resize(job.size);
  }
}

void Collector::flush(const std::function<void(void* owner)>& answered) {
  answering_.clear();
  std::swap(answering_, questions_);
  compute();
  sign();
  for (Question& question : answering_) {
    Connection& connection = *question.connection;
    if (auto* const compute = std::get_if<Compute>(&question.event)) {
      (void)connection.answer(std::move(*compute));
    } else if (std::holds_alternative<VerifyPeer>(question.event)) {
      (void)question.answers->answer(connection, question.event);
    } else if (auto& asked = std::get<Sign>(question.event); question.signature.empty()) {
      (void)connection.answer(std::move(asked.token), SigningFailed{});
    } else {
      (void)connection.answer(std::move(asked.token), Bytes(question.signature));
    }
  }
  for (const Question& question : answering_) answered(question.owner);
  answering_.clear();
}

}  // namespace lockstep
