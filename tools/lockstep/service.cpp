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

Response text_response(HttpStatus status, std::string_view content_type, std::string body) {
  return {.status = status, .content_type = content_type, .body = std::move(body)};
}

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

class Page final : public Service {
 protected:
  [[nodiscard]] Response answer(const HttpRequest& request, const Visitor& visitor) const override {
    const Facts& facts = visitor.facts();
    if (request.accepts("application/json")) {
      return text_response(kOk, "application/json", json_of(facts).dump(2) + "\n");
    }
    std::vector<Row> rows = rows_of(facts);
    // What the server signed is its own scheme; the client's, if any, is the peer's.
    for (Row& row : rows) {
      if (row.name == "we sign") row.name = "server signs";
      if (row.name == "peer signs") row.name = "client signs";
    }
    rows.push_back({"server name", facts.server_name.empty() ? "none" : printable(facts.server_name)});
    if (!visitor.chain().empty()) {
      const auto leaf = x509::Certificate::parse(visitor.chain().front());
      rows.push_back({"client certificate", leaf ? leaf->subject().text() : "does not parse"});
    }
    rows.push_back({"client address", facts.peer});
    rows.push_back({"request", printable(request.method + " " + request.target)});
    return request.accepts("text/html") ? text_response(kOk, "text/html; charset=utf-8", page_html(rows))
                                        : text_response(kOk, "text/plain; charset=utf-8", page_text(rows));
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

class Directory final : public Service {
 public:
  explicit Directory(const std::string& path) : root_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!root_) {
      throw Failure("the folder " + path + " cannot be opened: " + std::strerror(errno),
                    "Give --dir a folder that you may read.");
    }
  }

 protected:
  [[nodiscard]] Response answer(const HttpRequest& request, const Visitor&) const override {
    const auto path = path_of(request.target);
    if (!path) return refusal({kBadRequest, "the path is malformed"});
    Descriptor file = open_below(*path);
    struct stat status{};
    if (!file || ::fstat(file.number(), &status) != 0) return refusal({kNotFound});
    if (S_ISDIR(status.st_mode)) {
      Descriptor index(::openat(file.number(), "index.html", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
      if (index && ::fstat(index.number(), &status) == 0 && S_ISREG(status.st_mode)) {
        return file_response(std::move(index), status, "index.html");
      }
      return text_response(kOk, "text/html; charset=utf-8", listing(std::move(file), *path));
    }
    if (!S_ISREG(status.st_mode)) return refusal({kNotFound});
    return file_response(std::move(file), status, *path);
  }

 private:
  static Response file_response(Descriptor file, const struct stat& status, std::string_view path) {
    return {.status = kOk,
            .content_type = content_type_of(path),
            .body = {},
            .file = std::move(file),
            .file_size = static_cast<std::uint64_t>(status.st_size)};
  }

  /// Walks down from the root one name at a time and follows no link, so that nothing outside can be reached, whatever
  /// the path says and whoever changes the folder meanwhile.
  [[nodiscard]] Descriptor open_below(std::string_view path) const {
    Descriptor at;
    int folder = root_.number();
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/'), path.size());
      const std::string part(path.substr(0, end));
      path.remove_prefix(std::min(end + 1, path.size()));
      if (part.empty()) continue;
      // Names that begin with a dot are "." and "..", and what people hide: keys, settings, histories.
      if (part.front() == '.') return Descriptor();
      at = Descriptor(::openat(folder, part.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
      if (!at) return at;
      folder = at.number();
    }
    return at ? std::move(at) : Descriptor(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
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

  Descriptor root_;
};

}  // namespace

Response refusal(const HttpRefusal& why) {
  std::string text = std::to_string(why.status.number) + " " + std::string(why.status.text);
  if (!why.reason.empty()) text += ": " + std::string(why.reason);
  Response response = text_response(why.status, "text/plain; charset=utf-8", text + "\n");
  response.with_body = !why.to_head;
  return response;
}

Response Service::respond(const HttpRequest& request, const Visitor& visitor) const {
  if (request.method != "GET" && request.method != "HEAD") return refusal({kMethodNotAllowed});
  Response response = answer(request, visitor);
  response.keep_alive = request.keep_alive;
  response.with_body = request.method == "GET";
  return response;
}

std::string Response::head() const {
  const std::uint64_t size = file ? file_size : body.size();
  return http_head(status, content_type, size, keep_alive);
}

bool is_end_of_transport(const IoError& error) noexcept {
  return (error.tls && error.tls->reason == Reason::truncated) ||
         (error.condition == IoCondition::system && (error.number == ECONNRESET || error.number == EPIPE));
}

IoResult<std::size_t> read_file_piece(const Descriptor& file, std::uint64_t left, MutableBytes out) {
  const auto broken = [](int number, const std::string& why) {
    return std::unexpected(IoError{.operation = Operation::write,
                                   .condition = number == 0 ? IoCondition::canceled : IoCondition::system,
                                   .number = number,
                                   .text = "the answer was broken off: the file " + why});
  };
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, out.size()));
  for (;;) {
    const ssize_t count = ::read(file.number(), out.data(), size);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) return broken(0, "has become shorter");
    if (errno != EINTR) return broken(errno, std::string("cannot be read: ") + std::strerror(errno));
  }
}

std::unique_ptr<const Service> make_page() { return std::make_unique<Page>(); }

std::unique_ptr<const Service> make_directory(const std::string& path) { return std::make_unique<Directory>(path); }

}  // namespace lockstep::tool
