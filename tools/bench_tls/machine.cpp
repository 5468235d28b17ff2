#include "machine.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <sched.h>

#include <lockstep/kernels.hpp>

#include "spent.hpp"

namespace lockstep::bench {
namespace {

/// "AMD EPYC, family 25, model 1": names alone often do not tell the generation.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string name = "unknown processor";
  std::string generation;
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name")) {
      name = value;
    } else if (line.starts_with("cpu family")) {
      generation += ", family " + value;
    } else if (line.starts_with("model")) {
      generation += ", model " + value;
    }
  }
  return name + generation;
}

std::string chosen_kernels() {
  using kernels::Algorithm;
  std::string text = "kernels:";
  for (const Algorithm algorithm : {Algorithm::aes_128_gcm, Algorithm::aes_256_gcm, Algorithm::chacha20_poly1305}) {
    const kernels::Aead& best = kernels::best(algorithm);
    text += std::string(" ") + best.name + " " + kernels::name(best.instruction_set) + ",";
  }
  text.pop_back();
  return text;
}

}  // namespace

Machine describe_machine() {
  Machine machine;
  machine.processor = processor_name();
  machine.processors = std::thread::hardware_concurrency();
  machine.gigahertz = measure_gigahertz();
#ifdef __clang__
  machine.compiler = "clang " __clang_version__;
#else
  machine.compiler = "g++ " __VERSION__;
#endif
  machine.aeads = chosen_kernels();
  double load = 0;
  if (getloadavg(&load, 1) == 1) machine.load = load;
  return machine;
}

double measure_gigahertz() noexcept {
#if defined(__x86_64__) || defined(__aarch64__)
  double best = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    constexpr std::uint64_t kTurns = 4000;
    std::uint64_t sum = 1;
    const double start = seconds_now();
    for (std::uint64_t turn = 0; turn < kTurns; ++turn) {
#ifdef __x86_64__
      asm volatile(".rept 64\n add %1, %0\n .endr" : "+r"(sum) : "r"(turn) : "cc");
#else
      asm volatile(".rept 64\n add %0, %0, %1\n .endr" : "+r"(sum) : "r"(turn));
#endif
    }
    best = std::max(best, 64e-9 * kTurns / (seconds_now() - start));
  }
  return best;
#else
  return 0;
#endif
}

void pin(int number) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (number < 0) {
    if (sched_getaffinity(0, sizeof set, &set) != 0) return;
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(static_cast<std::size_t>(i), &set)) number = i;
    }
    CPU_ZERO(&set);
  }
  CPU_SET(static_cast<std::size_t>(number), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0)
    throw std::runtime_error("this process may not run on processor " + std::to_string(number));
}

}  // namespace lockstep::bench
