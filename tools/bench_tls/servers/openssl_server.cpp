// The peer of `tools/bench server`: OpenSSL's libssl in one epoll loop, with nothing around it. Answers every request
// with the bytes of one file.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

struct Client {
  int descriptor;
  SSL* tls;
  std::string request;
  std::size_t sent = 0;
  bool sending = false;
  bool close_after = false;
};

std::string response;

void end(Client* client) {
  SSL_shutdown(client->tls);
  SSL_free(client->tls);
  close(client->descriptor);
  delete client;
}

/// False when the client has gone.
bool send_rest(Client& client) {
  while (client.sent < response.size()) {
    const int n = SSL_write(client.tls, response.data() + client.sent, static_cast<int>(response.size() - client.sent));
    if (n <= 0) return SSL_get_error(client.tls, n) == SSL_ERROR_WANT_WRITE;
    client.sent += static_cast<std::size_t>(n);
  }
  client.sending = false;
  return !client.close_after;
}

bool serve(Client& client) {
  if (client.sending && (!send_rest(client) || client.sending)) return client.sending;
  std::array<char, 16384> buffer;
  for (;;) {
    const int n = SSL_read(client.tls, buffer.data(), buffer.size());
    if (n <= 0) return SSL_get_error(client.tls, n) == SSL_ERROR_WANT_READ;
    client.request.append(buffer.data(), static_cast<std::size_t>(n));
    while (client.request.find("\r\n\r\n") != std::string::npos) {
      client.close_after = client.request.find("Connection: close") != std::string::npos;
      client.request.erase(0, client.request.find("\r\n\r\n") + 4);
      client.sent = 0;
      client.sending = true;
      if (!send_rest(client)) return false;
      if (client.sending) return true;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: openssl_server PORT CERTIFICATE KEY FILE\n");
    return EXIT_FAILURE;
  }
  std::ifstream file(argv[4], std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  response =
      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\nConnection: keep-alive\r\n\r\n" + body;

  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
      SSL_CTX_set1_groups_list(context, "X25519") != 1 || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
    std::fprintf(stderr, "openssl_server: the certificate, key or settings do not work\n");
    return EXIT_FAILURE;
  }

  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 4096) != 0) {
    std::perror("openssl_server");
    return EXIT_FAILURE;
  }
  const int loop = epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = epoll_wait(loop, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      if (auto* client = static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr); client != nullptr) {
        if (!serve(*client)) end(client);
        continue;
      }
      for (int descriptor; (descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto* client = new Client{.descriptor = descriptor, .tls = SSL_new(context), .request = {}};
        SSL_set_fd(client->tls, descriptor);
        SSL_set_accept_state(client->tls);
        epoll_event wanted{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = client}};
        epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &wanted);
      }
    }
  }
}
