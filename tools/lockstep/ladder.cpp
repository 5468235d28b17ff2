#include "ladder.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "story.hpp"

namespace lockstep::tool {
namespace {

using trace::Protection;
using Kind = LadderRow::Kind;

// Everything is laid out in whole pixels at the size in which it is read.
constexpr int kWidth = 1000;
constexpr int kGutter = 84;  // for times
constexpr int kSpan = 520;   // between the lifelines
constexpr int kAsideWidth = 280;
constexpr int kTitle = 44;
constexpr int kFactHeight = 20;
constexpr int kHeadHeight = 34;
constexpr int kArrowRow = 34;
constexpr int kArrowAt = 24;  // below the row's top
constexpr int kAsideHeight = 22;
constexpr int kBannerRow = 44;
constexpr int kPauseRow = 40;
constexpr int kLegend = 56;

// The light theme, and the dark one where the viewer asks for it.
constexpr std::string_view kStyle = R"(<style>
text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:13px;fill:#1f2328}
.paper{fill:#ffffff}.title{font-size:20px;font-weight:600}.fact,.time,.detail,.call{fill:#59636e}
.time,.detail,.call,.state,.question,.keys{font-size:12px}.name{font-weight:600}.trouble{fill:#b3202b}
.life{stroke:#b6bfc9;stroke-width:2}.ours{stroke:#0969da}.head{fill:#f3f5f7;stroke:#b6bfc9}.headours{fill:#ddeeff;stroke:#0969da}
.band{fill:#f5f7f9}.plain{stroke:#64748b;fill:#64748b}.handshake{stroke:#b45309;fill:#b45309}
.application{stroke:#15803d;fill:#15803d}.early{stroke:#7e3fb5;fill:#7e3fb5}.alert{stroke:#cf222e;fill:#cf222e}
.tick{stroke:#d8dee4}.pill{fill:#eaf2fc;stroke:#b9d4f2}.state{fill:#0550ae}
.good{fill:#e3f6e8;stroke:#7cc890}.bad{fill:#ffebe9;stroke:#f0a39c}.quiet{fill:#f3f5f7;stroke:#d1d9e0}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}.fact,.time,.detail,.call{fill:#9ba4ae}
.life{stroke:#4a525c}.ours{stroke:#4493f8}.head{fill:#1b2129;stroke:#4a525c}.headours{fill:#12253d;stroke:#4493f8}
.band{fill:#151b23}.plain{stroke:#94a3b8;fill:#94a3b8}.handshake{stroke:#f0a33a;fill:#f0a33a}
.application{stroke:#4ac26b;fill:#4ac26b}.early{stroke:#c297ee;fill:#c297ee}.alert{stroke:#ff7b72;fill:#ff7b72}
.trouble{fill:#ff938a}.tick{stroke:#2b323b}.pill{fill:#12253d;stroke:#29507f}.state{fill:#8cc0ff}
.good{fill:#11291a;stroke:#2f6f43}.bad{fill:#331a1b;stroke:#8e3a38}.quiet{fill:#1b2129;stroke:#3d444d}}
</style>
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    switch (character) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += character;
    }
  }
  return result;
}

// No font is at hand to measure with: letters of a sans-serif face, on the generous side.
int width_of(std::string_view text, int size) {
  int units = 0;  // hundredths of the size
  for (const char letter : text) {
    if ((static_cast<unsigned char>(letter) & 0xc0U) == 0x80U) continue;  // goes on with a character
    if (std::string_view("ijl|.,:;'()[]!ft ").find(letter) != std::string_view::npos) {
      units += 34;
    } else if ((letter >= 'A' && letter <= 'Z') || letter == 'm' || letter == 'w' || letter == '_') {
      units += 70;
    } else {
      units += 60;
    }
  }
  return units * size / 100;
}

std::string fitting(std::string text, int size, int room) {
  if (width_of(text, size) <= room) return text;
  while (!text.empty() && width_of(text, size) > room - size) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U) text.pop_back();
    if (!text.empty()) text.pop_back();
  }
  return text + "…";
}

std::string number(int value) { return std::to_string(value); }

std::string_view class_of(Protection protection) {
  switch (protection) {
    case Protection::none: return "plain";
    case Protection::handshake: return "handshake";
    case Protection::application: return "application";
    case Protection::early_data: return "early";
  }
  return {};
}
std::string_view class_of(const LadderRow& row) { return row.kind == Kind::alert ? "alert" : class_of(row.protection); }

class Drawing {
 public:
  explicit Drawing(const Story& story) : story_(story), client_side_(story.role == Role::client) {
    client_x_ = client_side_ ? kGutter + kAsideWidth + 20 : kGutter + 70;
    server_x_ = client_x_ + kSpan;
  }

  std::string draw() {
    const int top = kTitle + kFactHeight * static_cast<int>(story_.facts.size()) + 12;
    int y = top + kHeadHeight + 14;
    bands_and_rows(y);
    const int bottom = y + 10;
    const int height = bottom + kLegend;

    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " +
                      number(height) + "\" width=\"" + number(kWidth) + "\" height=\"" + number(height) +
                      "\" role=\"img\">\n<title>" + escaped(story_.title) + "</title>\n";
    svg += kStyle;
    svg += "<rect class=\"paper\" width=\"" + number(kWidth) + "\" height=\"" + number(height) + "\" rx=\"10\"/>\n";
    svg += text(24, kTitle - 10, "title", fitting(story_.title, 20, kWidth - 48));
    for (std::size_t i = 0; i < story_.facts.size(); ++i) {
      svg +=
          text(24, kTitle + kFactHeight * static_cast<int>(i) + 12, "fact", fitting(story_.facts[i], 13, kWidth - 48));
    }
    svg += bands_;
    svg += lifeline(client_x_, top + kHeadHeight, bottom, client_side_);
    svg += lifeline(server_x_, top + kHeadHeight, bottom, !client_side_);
    svg += head(client_x_, top, "Client", client_side_);
    svg += head(server_x_, top, "Server", !client_side_);
    svg += body_;
    svg += legend(bottom + 34);
    return svg + "</svg>\n";
  }

 private:
  // --- what the picture is made of

  static std::string text(int x, int y, std::string_view style, std::string_view words,
                          std::string_view anchor = "start") {
    std::string result = "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" class=\"" + std::string(style) + "\"";
    if (anchor != "start") result += " text-anchor=\"" + std::string(anchor) + "\"";
    return result + ">" + escaped(words) + "</text>\n";
  }
  static std::string box(int x, int y, int width, int height, std::string_view style, int radius) {
    return "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) + "\" height=\"" +
           number(height) + "\" rx=\"" + number(radius) + "\" class=\"" + std::string(style) + "\"/>\n";
  }
  static std::string line(int x1, int y1, int x2, int y2, std::string_view style, std::string_view more = {}) {
    return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" + number(y2) +
           "\" class=\"" + std::string(style) + "\"" + std::string(more) + "/>\n";
  }
  static std::string lifeline(int x, int top, int bottom, bool ours) {
    return line(x, top, x, bottom, ours ? "life ours" : "life");
  }
  static std::string head(int x, int top, std::string_view word, bool ours) {
    return box(x - 62, top, 124, kHeadHeight, ours ? "headours" : "head", 8) + "<text x=\"" + number(x) + "\" y=\"" +
           number(top + 22) + "\" text-anchor=\"middle\"><tspan class=\"name\">" + std::string(word) +
           "</tspan><tspan class=\"detail\">" + (ours ? ", recorded" : "") + "</tspan></text>\n";
  }

  // --- rows

  void bands_and_rows(int& y) {
    int band = 0;  // where the open one began, and where its last arrow ended
    int band_end = 0;
    const LadderRow* before = nullptr;  // the last arrow; none after a banner
    std::int64_t shown = -1;
    for (const LadderRow& row : story_.rows) {
      const bool flight = row.passes();
      if (flight && (before == nullptr || before->direction != row.direction)) {
        close_band(band, band_end);
        if (before != nullptr) y += 8;
        band = y;
      }
      if (row.kind != Kind::pause && row.time != shown) {
        body_ += text(kGutter - 14, y + kArrowAt - (row.kind == Kind::aside ? 8 : 4) + (row.passes() ? 4 : 0), "time",
                      time_text(row.time), "end");
        shown = row.time;
      }
      y += draw(row, y);
      if (flight) {
        before = &row;
        band_end = y;
      } else if (row.kind != Kind::aside) {
        close_band(band, band_end);
        before = nullptr;
      }
    }
    close_band(band, band_end);
  }

  void close_band(int& band, int y) {
    if (band == 0) return;
    bands_ += box(client_x_ + 1, band, kSpan - 2, y - band, "band", 0);
    band = 0;
  }

  static std::string time_text(std::int64_t milliseconds) {
    if (milliseconds < 10'000) return std::to_string(milliseconds) + " ms";
    return std::to_string(milliseconds / 1000) + "." + std::to_string(milliseconds % 1000 / 100) + " s";
  }

  /// The height that it takes.
  int draw(const LadderRow& row, int y) {
    switch (row.kind) {
      case Kind::success: return banner(row, y, "good");
      case Kind::failure: return banner(row, y, "bad");
      case Kind::remark: return banner(row, y, "quiet");
      case Kind::pause: return pause(row, y);
      case Kind::aside: return asides(row, y + 12) + 2;
      default: break;
    }
    arrow(row, y + kArrowAt);
    return std::max(kArrowRow, row.asides.empty() ? 0 : asides(row, y + kArrowAt) + kArrowAt - 10);
  }

  void arrow(const LadderRow& row, int y) {
    const bool from_client = (row.direction == Direction::send) == client_side_;
    const int from = from_client ? client_x_ + 6 : server_x_ - 6;
    const int to = from_client ? server_x_ - 6 : client_x_ + 6;
    const int back = from_client ? -9 : 9;
    const std::string style(class_of(row));
    const bool faint = row.kind == Kind::change_cipher_spec;
    const std::string_view width = faint                    ? " stroke-width=\"1\" stroke-dasharray=\"3 4\""
                                   : row.kind == Kind::data ? " stroke-width=\"3\""
                                                            : " stroke-width=\"1.6\"";
    body_ += line(from, y, to + back, y, style, width);
    body_ += "<path class=\"" + style + "\" d=\"M" + number(to) + " " + number(y) + "l" + number(back) + " -4.5v9z\"" +
             (faint ? " opacity=\".6\"" : "") + "/>\n";
    const std::string_view name = faint ? "detail" : row.kind == Kind::alert ? "name trouble" : "name";
    body_ += "<text x=\"" + number((client_x_ + server_x_) / 2) + "\" y=\"" + number(y - 6) +
             "\" text-anchor=\"middle\"><tspan class=\"" + std::string(name) + "\">" + escaped(row.label) + "</tspan>";
    if (!row.detail.empty()) body_ += "<tspan class=\"detail\" dx=\"8\">" + escaped(row.detail) + "</tspan>";
    body_ += "</text>\n";
  }

  int banner(const LadderRow& row, int y, std::string_view style) {
    const int room = kSpan - 40;
    std::string detail = row.detail;
    const int label = width_of(row.label, 13) + 16;
    detail = fitting(std::move(detail), 12, std::max(room - label - 20, 0));
    body_ += box(client_x_ + 20, y + 8, room, kBannerRow - 16, style, 14);
    body_ += "<text x=\"" + number((client_x_ + server_x_) / 2) + "\" y=\"" + number(y + 27) +
             "\" text-anchor=\"middle\"><tspan class=\"name\">" + escaped(row.label) + "</tspan>";
    if (!detail.empty()) body_ += "<tspan class=\"detail\" dx=\"8\">" + escaped(detail) + "</tspan>";
    body_ += "</text>\n";
    return kBannerRow;
  }

  int pause(const LadderRow& row, int y) {
    const int middle = y + kPauseRow / 2;
    for (const int x : {client_x_, server_x_}) {
      body_ += box(x - 3, middle - 11, 6, 22, "paper", 0);
      body_ += line(x, middle - 10, x, middle + 10, "life", " stroke-dasharray=\"2 5\"");
    }
    body_ += text((client_x_ + server_x_) / 2, middle + 4, "detail", row.label, "middle");
    return kPauseRow;
  }

  /// Beside our lifeline, the first at `y`.
  int asides(const LadderRow& row, int y) {
    const int x = client_side_ ? client_x_ : server_x_;
    const int away = client_side_ ? -1 : 1;
    const std::string_view anchor = client_side_ ? "end" : "start";
    int taken = 0;
    for (const Aside& aside : row.asides) {
      const int at = y + taken;
      const std::string words = fitting(aside.text, 12, kAsideWidth - 16);
      switch (aside.kind) {
        case Aside::Kind::state: {
          const int width = width_of(words, 12) + 18;
          body_ += box(client_side_ ? x - 12 - width : x + 12, at - 10, width, 19, "pill", 9);
          body_ += text(client_side_ ? x - 12 - width / 2 : x + 12 + width / 2, at + 4, "state", words, "middle");
          break;
        }
        case Aside::Kind::keys: {
          const std::string_view style = class_of(aside.protection);
          body_ += box(client_side_ ? x - 22 : x + 14, at - 4, 8, 8, style, 2);
          body_ += text(x + away * 30, at + 4, "keys", words, anchor);
          break;
        }
        case Aside::Kind::question:
          body_ += "<path class=\"ours\" fill=\"none\" stroke-width=\"1.5\" d=\"M" + number(x + away * 3) + " " +
                   number(at) + "h" + number(away * 8) + "\"/>\n";
          body_ += text(x + away * 16, at + 4, "question", words, anchor);
          break;
        case Aside::Kind::call: body_ += text(x + away * 16, at + 4, "call", words, anchor); break;
      }
      taken += kAsideHeight;
    }
    return taken;
  }

  [[nodiscard]] std::string legend(int y) const {
    struct Sample {
      std::string_view style;
      std::string_view words;
    };
    constexpr Sample kSamples[] = {{"plain", "unprotected"},
                                   {"handshake", "under handshake keys"},
                                   {"early", "under early data keys"},
                                   {"application", "under application keys"},
                                   {"alert", "alert"}};
    std::string svg = line(24, y - 22, kWidth - 24, y - 22, "tick");
    int x = 24;
    for (const Sample& sample : kSamples) {
      // Early data is rare, and TLS 1.2 has no keys for the handshake alone: only where there is some.
      if ((sample.style == "early" || sample.style == "handshake") && body_.find(sample.style) == std::string::npos)
        continue;
      svg += line(x, y - 4, x + 26, y - 4, sample.style, " stroke-width=\"2\"");
      svg += text(x + 34, y, "detail", sample.words);
      x += 34 + width_of(sample.words, 12) + 30;
    }
    return svg;
  }

  const Story& story_;
  bool client_side_;
  int client_x_;
  int server_x_;
  std::string bands_;
  std::string body_;
};

}  // namespace

std::string draw_ladder(Bytes tape, std::uint64_t until) {
  const Story story = tell_story(tape, until);
  return Drawing(story).draw();
}

}  // namespace lockstep::tool
