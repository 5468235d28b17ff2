#include "service.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "http.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

IoResult<void> send(blocking::Stream& stream, std::string_view text, Traffic& traffic) {
  const auto written = stream.write(as_bytes(text));
  traffic.sent += written ? *written : written.error().transferred;
  if (!written) return std::unexpected(written.error());
  return {};
}

IoResult<void> respond(blocking::Stream& stream, HttpStatus status, std::string_view content_type,
                       std::string_view body, bool with_body, Traffic& traffic) {
  traffic.status = status.number;
  std::string response = http_head(status, content_type, body.size());
  if (with_body) response += body;
  return send(stream, response, traffic);
}

/// Reads a request and refuses what is none; the rest is for `answer`.
class HttpService : public Service {
 public:
  using Service::Service;

  [[nodiscard]] IoResult<void> serve(blocking::Stream& stream, const Facts& facts, const PeerCheck& peer,
                                     Traffic& traffic) const final {
    stream.set_read_deadline(deadline());
    stream.set_write_deadline(deadline());
    const auto read = read_http_request(stream, traffic.received);
    if (!read) return std::unexpected(read.error());
    if (!*read) return refuse(stream, read->error(), true, traffic);
    if (!**read) return {};
    const HttpRequest& request = ***read;
    traffic.request = request.method + " " + request.target;
    if (request.method != "GET" && request.method != "HEAD") return refuse(stream, kMethodNotAllowed, true, traffic);
    return answer(stream, request, facts, peer, traffic);
  }

 protected:
  [[nodiscard]] virtual IoResult<void> answer(blocking::Stream& stream, const HttpRequest& request, const Facts& facts,
                                              const PeerCheck& peer, Traffic& traffic) const = 0;

  static IoResult<void> refuse(blocking::Stream& stream, HttpStatus status, bool with_body, Traffic& traffic) {
    const std::string body = std::to_string(status.number) + " " + std::string(status.text) + "\n";
    return respond(stream, status, "text/plain; charset=utf-8", body, with_body, traffic);
  }
};

// --- page ------------------------------------------------------------------------------------------------------------

std::string page_html(const std::vector<Row>& rows) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Lockstep</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\">\n<style>"
      "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 "
      "1rem;color:#1a1a1a;background:#fff}"
      "table{border-collapse:collapse;width:100%}td{padding:.35rem .8rem .35rem 0;border-bottom:1px solid #ddd;"
      "vertical-align:top;overflow-wrap:anywhere}td:first-child{color:#555;white-space:nowrap}"
      "@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}td{border-color:#333}td:first-child{color:#"
      "aaa}}"
      "</style></head>\n<body><h1>This connection</h1>\n<table>\n";
  for (const Row& row : rows) {
    html += "<tr><td>" + html_escaped(row.name) + "</td><td>" + html_escaped(row.value) + "</td></tr>\n";
  }
  return html + "</table>\n<p>Served by Lockstep, a TLS engine that does no I/O.</p></body></html>\n";
}

std::string page_text(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) text += row.name + ": " + row.value + "\n";
  return text;
}

class Page final : public HttpService {
 public:
  using HttpService::HttpService;

 protected:
  IoResult<void> answer(blocking::Stream& stream, const HttpRequest& request, const Facts& facts, const PeerCheck& peer,
                        Traffic& traffic) const override {
    const bool with_body = request.method == "GET";
    if (request.accepts("application/json")) {
      return respond(stream, kOk, "application/json", json_of(facts).dump(2) + "\n", with_body, traffic);
    }
    std::vector<Row> rows = rows_of(facts);
    // What the server signed is its own scheme; the client's, if any, is the peer's.
    for (Row& row : rows) {
      if (row.name == "we sign") row.name = "server signs";
      if (row.name == "peer signs") row.name = "client signs";
    }
    rows.push_back({"server name", facts.server_name.empty() ? "none" : printable(facts.server_name)});
    if (!peer.chain().empty()) {
      const auto leaf = x509::Certificate::parse(peer.chain().front());
      rows.push_back({"client certificate", leaf ? leaf->subject().text() : "does not parse"});
    }
    rows.push_back({"client address", facts.peer});
    rows.push_back({"request", printable(traffic.request)});
    return request.accepts("text/html")
               ? respond(stream, kOk, "text/html; charset=utf-8", page_html(rows), with_body, traffic)
               : respond(stream, kOk, "text/plain; charset=utf-8", page_text(rows), with_body, traffic);
  }
};

// --- directory -------------------------------------------------------------------------------------------------------

std::string_view content_type_of(std::string_view path) {
  struct Type {
    std::string_view ending;
    std::string_view type;
  };
  static constexpr std::array kTypes{
      Type{".html", "text/html; charset=utf-8"},
      Type{".htm", "text/html; charset=utf-8"},
      Type{".txt", "text/plain; charset=utf-8"},
      Type{".md", "text/plain; charset=utf-8"},
      Type{".css", "text/css; charset=utf-8"},
      Type{".js", "text/javascript; charset=utf-8"},
      Type{".json", "application/json"},
      Type{".svg", "image/svg+xml"},
      Type{".png", "image/png"},
      Type{".jpg", "image/jpeg"},
      Type{".jpeg", "image/jpeg"},
      Type{".gif", "image/gif"},
      Type{".webp", "image/webp"},
      Type{".ico", "image/x-icon"},
      Type{".pdf", "application/pdf"},
      Type{".wasm", "application/wasm"},
      Type{".mp4", "video/mp4"},
      Type{".woff2", "font/woff2"},
  };
  const auto found = std::ranges::find_if(kTypes, [path](const Type& each) { return path.ends_with(each.ending); });
  return found == kTypes.end() ? "application/octet-stream" : found->type;
}

class Directory final : public HttpService {
 public:
  Directory(std::chrono::milliseconds patience, const std::string& path)
      : HttpService(patience), root_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!root_) {
      throw Failure("the folder " + path + " cannot be opened: " + std::strerror(errno),
                    "Give --dir a folder that you may read.");
    }
  }

 protected:
  IoResult<void> answer(blocking::Stream& stream, const HttpRequest& request, const Facts&, const PeerCheck&,
                        Traffic& traffic) const override {
    const bool with_body = request.method == "GET";
    const auto path = path_of(request.target);
    if (!path) return refuse(stream, kBadRequest, with_body, traffic);
    Descriptor file = open_below(*path);
    struct stat status{};
    if (!file || ::fstat(file.number(), &status) != 0) return refuse(stream, kNotFound, with_body, traffic);
    if (S_ISDIR(status.st_mode)) {
      Descriptor index(::openat(file.number(), "index.html", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
      if (index && ::fstat(index.number(), &status) == 0 && S_ISREG(status.st_mode)) {
        return send_file(stream, index.number(), status, "index.html", with_body, traffic);
      }
      return respond(stream, kOk, "text/html; charset=utf-8", listing(std::move(file), *path), with_body, traffic);
    }
    if (!S_ISREG(status.st_mode)) return refuse(stream, kNotFound, with_body, traffic);
    return send_file(stream, file.number(), status, *path, with_body, traffic);
  }

 private:
  /// Walks down from the root one name at a time and follows no link, so that nothing outside can be reached, whatever
  /// the path says and whoever changes the folder meanwhile.
  [[nodiscard]] Descriptor open_below(std::string_view path) const {
    Descriptor at(::openat(root_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    while (at && !path.empty()) {
      const std::size_t end = std::min(path.find('/'), path.size());
      const std::string part(path.substr(0, end));
      path.remove_prefix(std::min(end + 1, path.size()));
      if (part.empty()) continue;
      // Names that begin with a dot are "." and "..", and what people hide: keys, settings, histories.
      if (part.front() == '.') return Descriptor();
      at = Descriptor(::openat(at.number(), part.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    }
    return at;
  }

  static std::string listing(Descriptor folder, const std::string& path) {
    std::vector<std::string> names;
    if (DIR* entries = ::fdopendir(folder.number()); entries != nullptr) {
      (void)folder.release();  // closedir closes it
      while (const dirent* entry = ::readdir(entries)) {
        if (entry->d_name[0] == '.') continue;
        names.emplace_back(std::string(entry->d_name) + (entry->d_type == DT_DIR ? "/" : ""));
      }
      ::closedir(entries);
    }
    std::ranges::sort(names);
    const std::string base = path.ends_with('/') ? path : path + "/";
    std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + html_escaped(path) +
                       "</title></head><body><h1>" + html_escaped(path) + "</h1>\n<ul>\n";
    for (const std::string& name : names) {
      html += "<li><a href=\"" + url_escaped(base + name) + "\">" + html_escaped(name) + "</a></li>\n";
    }
    return html + "</ul></body></html>\n";
  }

  static std::string url_escaped(std::string_view path) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string escaped;
    for (const char character : path) {
      const auto byte = static_cast<unsigned char>(character);
      const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                         std::string_view("-._~/").find(character) != std::string_view::npos;
      if (plain) {
        escaped += character;
      } else {
        escaped += '%';
        escaped += kDigits[byte >> 4U];
        escaped += kDigits[byte & 0xfU];
      }
    }
    return escaped;
  }

  IoResult<void> send_file(blocking::Stream& stream, int file, const struct stat& status, std::string_view path,
                           bool with_body, Traffic& traffic) const {
    traffic.status = kOk.number;
    auto left = static_cast<std::uint64_t>(status.st_size);
    if (auto sent = send(stream, http_head(kOk, content_type_of(path), left), traffic); !sent) return sent;
    std::vector<char> buffer(65536);
    while (with_body && left > 0) {
      const ssize_t count =
          ::read(file, buffer.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size())));
      if (count < 0 && errno == EINTR) continue;
      // A file that shrinks while it is sent cannot be finished; the length that was promised shows the client so.
      if (count <= 0) break;
      left -= static_cast<std::uint64_t>(count);
      stream.set_write_deadline(deadline());
      const std::string_view piece(buffer.data(), static_cast<std::size_t>(count));
      if (auto sent = send(stream, piece, traffic); !sent) return sent;
    }
    return {};
  }

  Descriptor root_;
};

// --- echo ------------------------------------------------------------------------------------------------------------

class Echo final : public Service {
 public:
  using Service::Service;

  IoResult<void> serve(blocking::Stream& stream, const Facts&, const PeerCheck&, Traffic& traffic) const override {
    for (;;) {
      stream.set_read_deadline(deadline());
      const auto view = stream.read_view();
      if (!view) return std::unexpected(view.error());
      if (view->empty()) return {};
      stream.set_write_deadline(deadline());
      traffic.received += view->size();
      const auto written = stream.write(*view);
      traffic.sent += written ? *written : written.error().transferred;
      if (!written) return std::unexpected(written.error());
    }
  }
};

}  // namespace

std::unique_ptr<const Service> make_page(std::chrono::milliseconds patience) {
  return std::make_unique<Page>(patience);
}

std::unique_ptr<const Service> make_directory(std::chrono::milliseconds patience, const std::string& path) {
  return std::make_unique<Directory>(patience, path);
}

std::unique_ptr<const Service> make_echo(std::chrono::milliseconds patience) {
  return std::make_unique<Echo>(patience);
}

}  // namespace lockstep::tool
