// Every system call of every adapter fails, one at a time, in every way that it may: the n-th call, for every n until a
// scene runs through without meeting the fault.

#include "faults.hpp"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scene.hpp"

namespace lockstep::testing {
namespace {

using faults::Call;

struct Fault {
  Call call;
  int number;    ///< an errno; 0: one byte instead of many
  bool passing;  ///< nobody may notice
};

const std::vector<Fault>& faults_of(std::string_view adapter) {
  static const std::vector<Fault> common = {
      {Call::recv, EINTR, true},
      {Call::recv, EAGAIN, true},
      {Call::recv, ENOBUFS, true},
      {Call::recv, 0, true},
      {Call::recv, ECONNRESET, false},
      {Call::recv, ENOMEM, false},
      {Call::accept4, EINTR, true},
      {Call::accept4, EAGAIN, true},
      {Call::accept4, ECONNABORTED, true},
      {Call::accept4, EMFILE, true},
      {Call::accept4, ENOBUFS, true},
      {Call::accept4, ENOMEM, true},
      {Call::connect, EINTR, true},
      {Call::connect, ENOBUFS, false},
      {Call::connect, ECONNREFUSED, false},
      {Call::connect, ENETUNREACH, false},
  };
  static const std::vector<Fault> blocking = [] {
    std::vector<Fault> all = common;
    for (const Fault& fault : std::initializer_list<Fault>{{Call::send, EINTR, true},
                                                           {Call::send, EAGAIN, true},
                                                           {Call::send, ENOBUFS, true},
                                                           {Call::send, 0, true},
                                                           {Call::send, ECONNRESET, false},
                                                           {Call::send, EPIPE, false},
                                                           {Call::send, ENOMEM, false},
                                                           {Call::poll, EINTR, true},
                                                           {Call::poll, ENOMEM, false}}) {
      all.push_back(fault);
    }
    return all;
  }();
  static const std::vector<Fault> epoll = [] {
    std::vector<Fault> all = common;
    for (const Fault& fault : std::initializer_list<Fault>{{Call::sendmsg, EINTR, true},
                                                           {Call::sendmsg, EAGAIN, true},
                                                           {Call::sendmsg, ENOBUFS, true},
                                                           {Call::sendmsg, 0, true},
                                                           {Call::sendmsg, ECONNRESET, false},
                                                           {Call::sendmsg, EPIPE, false},
                                                           {Call::sendmsg, ENOMEM, false},
                                                           {Call::epoll_wait, EINTR, true},
                                                           {Call::epoll_wait, 0, true},
                                                           {Call::epoll_ctl, ENOMEM, false},
                                                           {Call::epoll_ctl, ENOSPC, false}}) {
      all.push_back(fault);
    }
    return all;
  }();
  static const std::vector<Fault> uring = {
      {Call::uring_recv, EINTR, true},
      {Call::uring_recv, EAGAIN, true},
      {Call::uring_recv, ENOBUFS, true},
      {Call::uring_recv, ECONNRESET, false},
      {Call::uring_recv, ENOMEM, false},
      {Call::uring_recv, 0, true},
      {Call::uring_send, EINTR, true},
      {Call::uring_send, EAGAIN, true},
      {Call::uring_send, ENOBUFS, true},
      {Call::uring_send, 0, true},
      {Call::uring_send, ECONNRESET, false},
      {Call::uring_send, EPIPE, false},
      {Call::uring_send, ENOMEM, false},
      {Call::uring_accept, EINTR, true},
      {Call::uring_accept, ECONNABORTED, true},
      {Call::uring_accept, EMFILE, true},
      {Call::uring_accept, ENOBUFS, true},
      {Call::uring_accept, ENOMEM, true},
      {Call::uring_connect, ECONNREFUSED, false},
      {Call::uring_connect, ENOMEM, false},
      {Call::uring_submit, EINTR, true},
      {Call::uring_submit, EAGAIN, true},
      {Call::uring_submit, EBUSY, true},
      {Call::uring_submit, ENOMEM, true},
  };
  return adapter == "blocking" ? blocking : adapter == "epoll" ? epoll : uring;
}

std::string name_of(int number) { return number == 0 ? "one byte" : ::strerrorname_np(number); }

class EveryFault : public PartyTest, public ::testing::TestWithParam<Maker> {};
INSTANTIATE_TEST_SUITE_P(Adapters, EveryFault, ::testing::ValuesIn(makers()),
                         [](const auto& maker) { return std::string(maker.param.name); });

TEST_P(EveryFault, LosesNothingAndSaysWhat) {
  if (GetParam().name == "uring" && !faults::uring_results_can_be_set()) {
    GTEST_SKIP() << "this kernel cannot be told results of io_uring's operations (Linux 6.10)";
  }
  PartyOptions client_side = client_options();
  PartyOptions server_side = server_options();
  client_side.linger = server_side.linger = 50ms;
  int scenes = 0;
  int failed = 0;
  for (const Fault& fault : faults_of(GetParam().name)) {
    int struck = 0;
    int noticed = 0;
    for (int nth = 1;; ++nth) {
      SCOPED_TRACE(std::string(faults::name(fault.call)) + " " + name_of(fault.number) + ", call " +
                   std::to_string(nth));
      faults::arm(fault.call, fault.number, nth);
      const SceneResult result = play(GetParam(), client_side, server_side);
      const bool met = faults::disarm();
      ++scenes;
      expect_sound(result);
      if (fault.passing || !met) {
        EXPECT_TRUE(result.complete) << result.text();
      }
      if (!result.complete) ++noticed;
      if (HasFailure()) return;
      if (!met) break;
      ++struck;
      ASSERT_LT(nth, 2000) << "it never runs through";
    }
    EXPECT_GE(struck, 1) << faults::name(fault.call) << " was never called: the test tests nothing";
    failed += noticed;
    std::printf("[ faults  ] %-9s %-13s %-13s %4d calls, %3d scenes failed\n", std::string(GetParam().name).c_str(),
                std::string(faults::name(fault.call)).c_str(), name_of(fault.number).c_str(), struck, noticed);
  }
  std::printf("[ faults  ] %s: %d scenes, %d of them failed and said why\n", std::string(GetParam().name).c_str(),
              scenes, failed);
}

}  // namespace
}  // namespace lockstep::testing
