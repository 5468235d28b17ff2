#!/usr/bin/env python3
"""Writes the figures of `lockstep bench --json` (standard input) into a page, between its heading "## Figures" and the end."""

import json
import sys

TITLES = {
    "records": ("Records, MB/s (10^6 bytes of plaintext)", ""),
    "handshakes": (
        "Full handshakes a second",
        "Public-key operations decide these, and they are Botan's in both Lockstep and Botan: its P-256 and RSA are slower than OpenSSL's.",
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
        "they are left out; OpenSSL, which does not have that, verifies them again. The handshakes above verify every signature.",
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
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def left_out(sentences):
    """"SUBJECT in CASE: REASON", gathered by subject and reason; cases that differ in their size alone as one."""
    gathered = {}
    for sentence in sentences:
        who, reason = sentence.rsplit(": ", 1)
        subject, case = who.rsplit(" in ", 1)
        stem, last = case.rsplit("-", 1)
        gathered.setdefault((subject, reason), {})[f"{stem}-*" if last.isdigit() else case] = None
    lines = ""
    for (subject, reason), cases in gathered.items():
        lines += f"\n{subject}, {reason}: {', '.join(cases)}."
    return lines


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: lockstep bench --json | tools/bench_tls/page.py PAGE")
    report = json.load(sys.stdin)
    machine = report["machine"]
    parts = [
        "## Figures",
        f"{machine['processor']} ({machine['processors']} processors, {machine['gigahertz']:.1f} GHz measured, load {machine['load']:.1f}), "
        f"{machine['compiler']}, {report['date']}.\n{machine['aeads']}."
        + left_out(report["left_out"]),
        "![Speed as a multiple of OpenSSL's](benchmarks.svg)",
    ]
    for group in dict.fromkeys(row["group"] for row in report["rows"]):
        title, words = TITLES[group]
        parts += [f"### {title}", table(report, group)] + [words] * bool(words)
    with open(sys.argv[1], encoding="utf-8") as page:
        method = page.read().split("## Figures\n")[0]
    with open(sys.argv[1], "w", encoding="utf-8") as page:
        page.write(method + "\n\n".join(parts) + "\n")


main()
