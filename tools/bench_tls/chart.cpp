// A picture of the results: how many times as fast as the reference, by record size and by handshake.

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "results.hpp"

namespace lockstep::bench {
namespace {

struct Rgb {
  std::string_view seal;
  std::string_view open;
};

// One hue for each subject; the lighter tone is opening. They stay apart in greyscale and for the colour-blind.
constexpr Rgb kOurColours{"#0b5cad", "#7fb2e5"};
constexpr Rgb kOtherColours{"#8a5a00", "#e0b060"};

constexpr double kWidth = 1000;
constexpr double kLeft = 60;
constexpr double kPanelHeight = 190;
constexpr double kPlotHeight = 120;
constexpr double kTop = 92;

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  char text[256];
  va_list values;
  va_start(values, pattern);
  std::vsnprintf(text, sizeof text, pattern, values);
  va_end(values);
  return text;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    switch (character) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      default: result += character;
    }
  }
  return result;
}

std::string text_at(double x, double y, std::string_view words, std::string_view attributes = {}) {
  return format("<text x=\"%.1f\" y=\"%.1f\" ", x, y) + std::string(attributes) + ">" + escaped(words) + "</text>\n";
}

struct Bar {
  double value;
  std::string_view colour;
  bool labelled;
};

/// What stands together over one word on the axis.
struct Cluster {
  std::string word;
  std::vector<Bar> bars;
};

struct Panel {
  std::string title;
  std::vector<Cluster> clusters;
};

double top_of_axis(const Panel& panel) {
  double most = 1.5;
  for (const Cluster& cluster : panel.clusters) {
    for (const Bar& bar : cluster.bars) most = std::max(most, bar.value);
  }
  return std::ceil(most * 1.08);
}

std::string draw(const Panel& panel, double top) {
  const double most = top_of_axis(panel);
  const double bottom = top + 24 + kPlotHeight;
  const auto y_of = [&](double value) { return bottom - value / most * kPlotHeight; };
  std::string svg = text_at(kLeft, top + 8, panel.title, "class=\"title\"");
  const auto rule = [&](double mark, const char* kind) {
    svg += format("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", kLeft, kWidth - 20,
                  y_of(mark), y_of(mark), kind);
  };
  const double step = most > 4 ? 2 : 1;
  for (double mark = 0; mark <= most; mark += step) {
    rule(mark, "grid");
    svg += text_at(kLeft - 8, y_of(mark) + 4, format("%.0fx", mark), "class=\"axis\" text-anchor=\"end\"");
  }
  rule(1, "one");
  const double cluster_width = (kWidth - 20 - kLeft) / static_cast<double>(panel.clusters.size());
  for (std::size_t i = 0; i < panel.clusters.size(); ++i) {
    const Cluster& cluster = panel.clusters[i];
    const double middle = kLeft + (static_cast<double>(i) + 0.5) * cluster_width;
    const std::size_t comma = cluster.word.find(", ");
    svg += text_at(middle, bottom + 17, cluster.word.substr(0, comma), "class=\"axis\" text-anchor=\"middle\"");
    if (comma != std::string::npos)
      svg += text_at(middle, bottom + 31, cluster.word.substr(comma + 2), "class=\"axis\" text-anchor=\"middle\"");
    const double bar_width = std::min(30.0, cluster_width * 0.82 / static_cast<double>(cluster.bars.size()));
    double x = middle - bar_width * static_cast<double>(cluster.bars.size()) / 2;
    for (const Bar& bar : cluster.bars) {
      svg += format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" ", x, y_of(bar.value), bar_width - 2,
                    bottom - y_of(bar.value)) +
             "fill=\"" + std::string(bar.colour) + "\"/>\n";
      if (bar.labelled) {
        svg += text_at(x + bar_width / 2 - 1, y_of(bar.value) - 4, format("%.1f", bar.value),
                       "class=\"value\" text-anchor=\"middle\"");
      }
      x += bar_width;
    }
  }
  return svg;
}

void add_bars(Cluster& cluster, const Row& row, bool first_measure) {
  const auto add = [&](const char* subject, const Rgb& colours, bool labelled) {
    const Figure* figure = row.find(subject);
    if (figure == nullptr || figure->ratio == 0) return;
    cluster.bars.push_back({figure->ratio, first_measure ? colours.seal : colours.open, labelled});
  };
  add(Results::kOurs, kOurColours, true);
  add("botan", kOtherColours, false);
}

/// Ours first, then the other's: a cluster reads from left to right as the legend does.
void sort_bars(Cluster& cluster) {
  std::ranges::stable_sort(cluster.bars, {}, [](const Bar& bar) {
    return bar.colour == kOurColours.seal || bar.colour == kOurColours.open ? 0 : 1;
  });
}

/// One panel for each suite's records, with its sizes, and one for the handshakes.
std::vector<Panel> panels_of(const Results& results) {
  std::vector<Panel> panels;
  for (const Row& row : results.rows) {
    const bool records = row.group == "records";
    if (!records && row.group != "handshakes") continue;
    const std::string title =
        records ? row.label + ": records of application data, by bytes of plaintext" : "Full TLS 1.3 handshakes";
    if (panels.empty() || panels.back().title != title) panels.push_back({title, {}});
    const std::string word = records ? std::to_string(row.size) : row.label;
    auto& clusters = panels.back().clusters;
    if (clusters.empty() || clusters.back().word != word) clusters.push_back({word, {}});
    add_bars(clusters.back(), row, row.measure == "seal" || row.measure == "client");
    sort_bars(clusters.back());
  }
  std::erase_if(panels, [](const Panel& panel) {
    return std::ranges::all_of(panel.clusters, [](const Cluster& cluster) { return cluster.bars.empty(); });
  });
  return panels;
}

std::string legend(const Results& results, double y) {
  std::string svg;
  double x = kLeft;
  const auto entry = [&](std::string_view colour, const std::string& words) {
    svg += format("<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" ", x, y - 10) + "fill=\"" +
           std::string(colour) + "\"/>\n";
    svg += text_at(x + 17, y, words, "class=\"axis\"");
    x += 30 + 6.6 * static_cast<double>(words.size());
  };
  for (const Subject& subject : results.subjects) {
    const bool ours = subject.key == Results::kOurs;
    if (!ours && subject.key != "botan") continue;
    const Rgb& colours = ours ? kOurColours : kOtherColours;
    entry(colours.seal, subject.title + ", seal / client");
    entry(colours.open, "open / server");
  }
  return svg;
}

}  // namespace

std::string to_svg(const Results& results) {
  const std::vector<Panel> panels = panels_of(results);
  std::string reference = "the reference";
  for (const Subject& subject : results.subjects) {
    if (subject.key == Results::kReference) reference = subject.title;
  }
  const double height = kTop + kPanelHeight * static_cast<double>(panels.size()) + 10;
  std::string svg = format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" ", kWidth, height) +
                    "font-family=\"sans-serif\" font-size=\"13\">\n"
                    "<style>.title{font-size:14px;font-weight:bold;fill:#222}.axis{fill:#444}.value{font-size:11px;"
                    "fill:#222}.grid{stroke:#e4e4e4}.one{stroke:#c0392b;stroke-width:1.5}</style>\n" +
                    format("<rect width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n", kWidth, height);
  svg += text_at(kLeft, 28, "Speed as a multiple of " + reference + " in the same run (red line: as fast)",
                 "font-size=\"18\" font-weight=\"bold\" fill=\"#222\"");
  svg += text_at(kLeft, 48, results.machine.processor + "; one core, in memory; " + results.date, "class=\"axis\"");
  svg += legend(results, 72);
  for (std::size_t i = 0; i < panels.size(); ++i)
    svg += draw(panels[i], kTop + kPanelHeight * static_cast<double>(i) + 6);
  return svg + "</svg>\n";
}

}  // namespace lockstep::bench
