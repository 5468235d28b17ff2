#!/usr/bin/env python3
"""Writes the figures of `lockstep bench --json` (standard input) into a page, between its heading "## Figures" and the end, and
the chart of public-key operations beside it (operations.svg). Code sizes are those of the libraries below a build folder."""

import json
import os
import pathlib
import subprocess
import sys
from xml.sax.saxutils import escape

TITLES = {
    "records": ("Records, MB/s (10^6 bytes of plaintext)", ""),
    "handshakes": (
        "Full handshakes a second",
        "Public-key operations decide these: `Lockstep` has Botan's here, `best` of each algorithm the fastest of those that were built.",
    ),
    "together": (
        "Full handshakes a second, 16 in flight",
        "All clients have their turn, then all servers, as in an event loop under load. Lockstep hands its public-key work out and runs what is alike\n"
        "together (`hand_out_computations`, `Collector`), and remembers the signatures of certificates that it has verified before.",
    ),
    "latency": (
        "Latency, microseconds from the beginning of so many handshakes to the end of each (X25519, P-256)",
        "On one processor, which does both sides.",
    ),
    "own-cost": ("Our own cost, microseconds without public-key operations", ""),
    "parts": ("Where a handshake's time goes, microseconds (X25519, P-256)", ""),
    "key-schedule": ("Key schedule, microseconds", ""),
    "waking": (
        "Waking an idle connection, microseconds",
        "What the first record costs more than the next ones of a busy connection: an idle one keeps its keys alone, and has them expanded\n"
        "([embedding](embedding.md#memory)). ChaCha20-Poly1305 has nothing to expand.",
    ),
    "chains": (
        "A server's chain of three certificates, microseconds",
        "From DER to the verdict: two signatures, names, times, constraints. Where signatures are known from before (`AnswerOptions::verified_links`), only\n"
        "they are left out; OpenSSL, which does not have that, verifies them again. The handshakes above verify every signature.\n"
        "With the proof of the key: the signature of CertificateVerify as well, where ours is verified in one call with those of the chain, as an engine and a\n"
        "`Collector` do; of one server, and of eight.",
    ),
    "operations": (
        "Public-key operations, microseconds",
        "One at a time. A client's key pair, a server's answer (its key pair and the secret, or an encapsulation), a client's secret. ML-KEM is our own with\n"
        "every provider; the libraries' own stand beside it.",
    ),
    "batches": (
        "Public-key operations together, microseconds for each",
        "With crypto_mb, so many in one call (`generate_many` and its like); one alone goes to libcrypto.",
    ),
    "memory": (
        "Heap",
        "What Lockstep allocates in a handshake is Botan's (public keys, HMAC objects) and the certificate validation's; the engine itself makes "
        "at most four\nallocations in supplied memory, which a test asserts.",
    ),
    "kernels": (
        "AEADs alone, cycles a byte",
        "`tools/bench kernels` adds opening, more sizes, and how many times the machine's bound each kernel takes: the bound is a loop in registers "
        "with the AES\nrounds and GHASH multiplications, or the ChaCha20 rounds, that the algorithm cannot avoid, measured in the same run.",
    ),
}


# What the subjects are where providers are compared, and their colours.
PROVIDERS = {
    "lockstep": ("Botan", "#8a5a00"),
    "lockstep-libcrypto": ("libcrypto", "#0b5cad"),
    "lockstep-sodium": ("libsodium", "#3a8f5c"),
    "lockstep-multibuffer": ("crypto_mb", "#7a3e9d"),
    "lockstep-best": ("best", ""),
    "botan-own": ("Botan's own", ""),
    "libcrypto-own": ("libcrypto's own", ""),
}
# What the chart shows: the operations that most handshakes are made of.
CHARTED = [
    ("x25519", "key pair"), ("x25519", "secret"),
    ("ecdsa_secp256r1_sha256", "sign"), ("ecdsa_secp256r1_sha256", "verify"),
    ("ecdsa_secp384r1_sha384", "sign"), ("ecdsa_secp384r1_sha384", "verify"),
    ("rsa_pss_rsae_sha256", "sign"), ("rsa_pss_rsae_sha256", "verify"),
    ("ed25519", "sign"), ("ed25519", "verify"),
    ("MLKEM768", "key pair"), ("MLKEM768", "answer"), ("MLKEM768", "secret"),
]  # fmt: skip
OUR_KEM = ("ours, with every provider", "#c0392b")
TOGETHER = 8


def number(value):
    if value >= 1000:
        return f"{value:.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(report, group):
    rows = [row for row in report["rows"] if row["group"] == group]
    subjects = [s for s in report["subjects"] if any(s["key"] in row["figures"] for row in rows)]
    sized = any("bytes" in row for row in rows)
    units = len({row["unit"] for row in rows}) > 1
    ratios = any("ratio_to_openssl" in row["figures"].get("lockstep", {}) and "openssl" in row["figures"] for row in rows)

    head = ["", ""] + ["bytes"] * sized + ["unit"] * units + [s["title"] for s in subjects] + ["ratio to OpenSSL"] * ratios
    rule = ["---"] * (2 + sized + units) + ["---:"] * (len(subjects) + ratios)
    lines = [head, rule]
    for row in rows:
        line = [row["label"], row["measure"]] + [str(row.get("bytes", ""))] * sized + [row["unit"]] * units
        for subject in subjects:
            figure = row["figures"].get(subject["key"])
            line.append(number(figure["median"]) if figure else "-")
        if ratios:
            ratio = row["figures"].get("lockstep", {}).get("ratio_to_openssl")
            line.append(f"**{ratio:.1f}**" if ratio else "-")
        lines.append(line)
    return markdown(lines)


def markdown(lines):
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def operations_table(report):
    rows = [row for row in report["rows"] if row["group"] == "operations"]
    keys = [key for key in PROVIDERS if any(key in row["figures"] for row in rows)]
    lines = [["", ""] + [PROVIDERS[key][0] for key in keys], ["---", "---"] + ["---:"] * len(keys)]
    for row in rows:
        figures = [row["figures"].get(key) for key in keys]
        lines.append([row["label"], row["measure"]] + [number(figure["median"]) if figure else "-" for figure in figures])
    return markdown(lines)


def together(report):
    """{(algorithm, operation): {how many in a call: microseconds}}"""
    found = {}
    for row in report["rows"]:
        if row["group"] != "batches" or "lockstep-multibuffer" not in row["figures"]:
            continue
        operation, count = row["measure"].removesuffix(" in a call").rsplit(", ", 1)
        found.setdefault((row["label"], operation), {})[int(count)] = row["figures"]["lockstep-multibuffer"]["median"]
    return found


def batches_table(report):
    found = together(report)
    counts = sorted({count for by_count in found.values() for count in by_count})
    lines = [["", ""] + [str(count) for count in counts], ["---", "---"] + ["---:"] * len(counts)]
    for (algorithm, operation), by_count in found.items():
        lines.append([algorithm, operation] + [number(by_count[count]) if count in by_count else "-" for count in counts])
    return markdown(lines)


def operations_chart(report):
    """Bars of microseconds, each operation on a scale of its own: shorter is better."""
    single = {(row["label"], row["measure"]): row["figures"] for row in report["rows"] if row["group"] == "operations"}
    many = together(report)
    drawn = []
    for operation in CHARTED:
        figures = single.get(operation, {})
        shown = {key: PROVIDERS[key] for key in ("lockstep", "lockstep-libcrypto", "lockstep-sodium")}
        if operation[0].startswith("MLKEM"):
            shown = {"botan-own": PROVIDERS["lockstep"], "libcrypto-own": PROVIDERS["lockstep-libcrypto"], "lockstep": OUR_KEM}
        bars = [(*shown[key], figures[key]["median"]) for key in shown if key in figures]
        if TOGETHER in many.get(operation, {}):
            name, colour = PROVIDERS["lockstep-multibuffer"]
            bars.append((f"{name}, {TOGETHER} in a call", colour, many[operation][TOGETHER]))
        if bars:
            drawn.append((operation, bars))
    left, width, line, gap, top = 250, 900, 15, 14, 92
    height = top + sum(len(bars) * line + gap for _, bars in drawn)
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        "<style>.page{fill:#fff}.words{fill:#222}.quiet{fill:#555}"
        "@media(prefers-color-scheme:dark){.page{fill:#15181c}.words{fill:#eee}.quiet{fill:#aaa}rect.bar{filter:brightness(1.5)}}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        '<text class="words" x="20" y="28" font-size="18" font-weight="bold">Microseconds of a public-key operation, by provider</text>',
        f'<text class="quiet" x="20" y="48">{escape(report["machine"]["processor"])}; {report["date"]}; shorter is better, and each operation has its own scale</text>',
    ]
    legend = {name: colour for _, bars in drawn for name, colour, _ in bars}
    x = 20
    for name, colour in legend.items():
        svg.append(f'<rect class="bar" x="{x}" y="62" width="12" height="12" fill="{colour}"/><text class="quiet" x="{x + 17}" y="72">{name}</text>')
        x += 40 + 7 * len(name)
    y = top
    for (algorithm, operation), bars in drawn:
        middle = y + len(bars) * line / 2 + 4
        svg.append(f'<text class="words" x="{left - 12}" y="{middle:.1f}" text-anchor="end">{algorithm}, {operation}</text>')
        most = max(value for _, _, value in bars)
        for _, colour, value in bars:
            size = (width - left - 70) * value / most
            svg.append(f'<rect class="bar" x="{left}" y="{y + 1}" width="{size:.1f}" height="{line - 3}" fill="{colour}"/>')
            svg.append(f'<text class="quiet" x="{left + size + 6:.1f}" y="{y + line - 4}" font-size="11">{number(value)}</text>')
            y += line
        y += gap
    return "\n".join(svg + ["</svg>"]) + "\n"


def code_sizes(build):
    """Bytes of code and constants of every library that a program may link, which takes of it what it uses."""
    lines = [["library", "KB"], ["---", "---:"]]
    for library in sorted(pathlib.Path(build).rglob("liblockstep_*.a")):
        if "fake" in library.stem:  # protects nothing
            continue
        listed = subprocess.run(["size", "--totals", str(library)], check=True, capture_output=True, text=True).stdout
        lines.append([library.stem.removeprefix("lib"), number(int(listed.splitlines()[-1].split()[0]) / 1000)])
    return markdown(lines)


def left_out(sentences):
    """"SUBJECT in CASE: REASON", gathered by subject and reason; cases that differ in their size alone as one."""
    gathered = {}
    for sentence in sentences:
        who, reason = sentence.rsplit(": ", 1)
        subject, case = who.rsplit(" in ", 1)
        stem, _, last = case.rpartition("-")
        gathered.setdefault((subject, reason), {})[f"{stem}-*" if last.isdigit() else case] = None
    lines = ""
    for (subject, reason), cases in gathered.items():
        lines += f"\n{subject}, {reason}: {', '.join(cases)}."
    return lines


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        sys.exit("usage: lockstep bench --json | tools/bench_tls/page.py PAGE BUILD")
    report = json.load(sys.stdin)
    machine = report["machine"]
    parts = [
        "## Figures",
        f"{machine['processor']} ({machine['processors']} processors, {machine['gigahertz']:.1f} GHz measured, load {machine['load']:.1f}), "
        f"{machine['compiler']}, {report['date']}.\n{machine['aeads']}."
        + left_out(report["left_out"]),
        "![Speed as a multiple of OpenSSL's](benchmarks.svg)",
    ]
    tables = {"operations": operations_table, "batches": batches_table}
    for group in dict.fromkeys(row["group"] for row in report["rows"]):
        title, words = TITLES[group]
        chart = ["![Microseconds of a public-key operation, by provider](operations.svg)"] * (group == "operations")
        parts += [f"### {title}"] + chart + [tables.get(group, lambda report: table(report, group))(report)] + [words] * bool(words)
    parts += [
        "### Code size",
        code_sizes(sys.argv[2]),
        "Code and constants of the static libraries, optimised for speed; a program links what it uses of them.",
    ]
    with open(sys.argv[1], encoding="utf-8") as page:
        method = page.read().split("## Figures\n")[0]
    with open(sys.argv[1], "w", encoding="utf-8") as page:
        page.write(method + "\n\n".join(parts) + "\n")
    with open(os.path.join(os.path.dirname(sys.argv[1]), "operations.svg"), "w", encoding="utf-8") as chart:
        chart.write(operations_chart(report))


main()
