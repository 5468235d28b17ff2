// Two channels with callbacks, whose transport is the other one: everything that is sent arrives inside the sender's
// own call, and each answers from inside a callback. The server's signature comes late.

#include "callbacks.hpp"

#include <array>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <lockstep/botan.hpp>
#include <lockstep/files.hpp>

#include "localhost.hpp"

using namespace lockstep;

namespace {

/// Prints what it is told; the answer goes out, and the connection ends, from inside the callback.
class Talker final : public Application {
 public:
  Talker(std::string_view who, std::string_view answer) : who_(who), answer_(answer) {}
  void join(Channel& own, Channel& other) {
    own_ = &own;
    other_ = &other;
  }
  void on_send(Bytes bytes) override { other_->arrive(bytes); }
  void on_data(std::string_view text) override {
    std::cout << who_ << " reads " << text << '\n';
    if (!answer_.empty()) own_->write(answer_);
    own_->close();
  }
  void on_sign(Sign question) override { question_ = std::move(question); }
  void on_failed(const Error& error) override { std::cout << who_ << ": " << to_text(error) << '\n'; }

  /// What a device or another thread would do.
  void sign_at_last() {
    std::array<std::uint8_t, kMaxSignatureSize> signature;
    const std::size_t size =
        question_->credential->key->sign(question_->scheme, question_->message, botan::system_random(), signature);
    own_->sign(std::move(question_->token), Bytes(signature).first(size));
  }

 private:
  std::string_view who_;
  std::string_view answer_;
  Channel* own_ = nullptr;
  Channel* other_ = nullptr;
  std::optional<Sign> question_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: callbacks CA_FILE\n";
    return 2;
  }
  const Provider provider = botan::provider();
  RandomSource& random = botan::system_random();
  const auto credential = localhost::new_credential(provider, argv[1]);
  auto anchors = std::make_shared<x509::TrustAnchors>();
  files::add_anchors(*anchors, argv[1]).value();
  const auto client_setup = AnswerSetup::create({.provider = provider, .anchors = anchors}).value();
  const auto server_setup = AnswerSetup::create({.provider = provider, .credentials = {credential}}).value();
  const auto name = x509::PeerName::dns("localhost").value();

  Talker client("the client", "");
  Talker server("the server", "welcome");
  Channel client_channel(
      Connection::client(ConfigBuilder::client(provider).build().value(), {.name = name}, random, system_time()),
      Answers(client_setup, random), client);
  Channel server_channel(Connection::server(ConfigBuilder::server(provider).build().value(), random),
                         Answers(server_setup, random), server);
  client.join(client_channel, server_channel);
  server.join(server_channel, client_channel);

  client_channel.run();
  server.sign_at_last();
  client_channel.write("hello");
}
