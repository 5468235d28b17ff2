#!/usr/bin/env python3
"""Checks docs/features.md, the table of features.

    tests/docs/features.py ROOT [--write]

- What a row calls public is in the header that it names, or is an option of the command line, or a folder that is there.
- The tests that it names are there: by GoogleTest's name, by ctest's (`interop.go`, or with words of the test:
  `interop.tls12: every suite`), or by a flag of BoringSSL's runner (`bogo.tls: -export-label`).
- The words of its links stand where the links lead.
- A row that is done has all three. Every other says what is missing, or why it is not had.
- The table of counts is right; --write makes it so.

LOCKSTEP_FEATURES names the list that the rows are of. Without it, that part is left out.
"""

import functools
import os
import pathlib
import re
import sys

STATES = ("done", "partial", "not yet", "refused")
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`]+)`")
ROW = re.compile(r"\| ([BN]?\d+) \| (.*) \|")
COUNTS = re.compile(r"(?<=<!-- counted by tests/docs/features.py: begin -->\n).*?(?=<!-- end -->)", re.S)
# Who judges: another implementation, or results that somebody else has published.
KINDS = {"peer": r"interop\.|bogo\.|examples\.starttls|Openssl|RealKernelTls|adapters\.kernel_tls_machine",
         "vectors": r"Rfc\d|Wycheproof|Published|Nist|Fips|Limbo|Pkits", "own": ""}


def plain(text):
    """Words as they are read."""
    return " ".join(re.sub(r"[`*\\]", "", LINK.sub(r"\1", text)).replace("|", " ").lower().split())


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


class Tree:
    """What rows may name."""

    def __init__(self, root):
        self.root = root
        self.headers = {path.name: re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
                        for folder in ("core", "adapters", "providers", "fuzz")
                        for path in (root / folder).rglob("include/lockstep/*.hpp")}
        self.tool = self.text("tools/lockstep/*.cpp")
        self.tests = {".".join(names) for names in re.findall(r"\bTEST(?:_[FP])?\(\s*(\w+),\s*(\w+)", self.text("tests/**/*.cpp"))}
        self.listed = self.text("tests/*/CMakeLists.txt")
        self.runner = self.text("tests/bogo/options.cpp")

    def text(self, pattern):
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.root.glob(pattern)))

    @functools.cache
    def with_program(self, name):
        """A test with another program: its file, and those that it takes from its neighbours."""
        text = self.text(f"tests/interop/{name}.py") or self.text(f"tests/interop/{name}_peer.py")
        return "\n".join([text, *(self.text(f"tests/interop/{other}.py") for other in re.findall(r"^import (\w+)$", text, re.M))])

    @functools.cache
    def section(self, page, fragment):
        """The words below a heading, down to the next one of its rank; None where there is none. Without a fragment: the page's."""
        text = page.read_text(encoding="utf-8")
        if not fragment:
            return plain(text)
        headings = [(each.start(), len(each[1]), anchor(each[2])) for each in re.finditer(r"^(#+) +(.*)$", text, re.M)]
        for number, (start, rank, name) in enumerate(headings):
            if name == fragment:
                end = next((place for place, other, _ in headings[number + 1:] if other <= rank), len(text))
                return plain(text[start:end])
        return None

    def lacks_test(self, name):
        group, _, rest = name.partition(".")
        test, _, words = rest.partition(": ")
        if group == "interop":
            text = self.with_program(test)
            return not text or not re.search(rf"session\.case\(.*{re.escape(words)}|\"{re.escape(words)}", text)
        if words:
            return name.partition(": ")[0] != "bogo.tls" or f'"{words.removeprefix("-")}"' not in self.runner
        return name not in self.tests and f"NAME {name} " not in self.listed and not re.search(rf"\b{test}\b", self.text(f"tests/{group}/CMakeLists.txt"))


def problems_of_api(cell, tree):
    where = None
    for name in QUOTED.findall(cell):
        if "/" in name:
            if not (tree.root / name).exists():
                yield f"{name}: no such place"
        elif name == "lockstep" or name.endswith(".hpp"):
            where = name
            if name != "lockstep" and name not in tree.headers:
                yield f"{name}: no such public header"
        elif where is None:
            yield f"{name}: in which header?"
        elif where == "lockstep":
            if not re.search(rf'[",]{re.escape(name)}[",]', tree.tool):
                yield f"{name}: not of the command line"
        else:
            for part in re.findall(r"\w+", name):
                if not re.search(rf"\b{part}\b", tree.headers.get(where, part)):
                    yield f"{name}: not in {where}"


def problems_of_tests(cell, tree):
    kind = None
    for word, name in re.findall(r"(\w+): (?=`)|`([^`]+)`", cell):
        if word:
            kind = word
        elif kind not in KINDS:
            yield f"{name}: by whom? ({', '.join(KINDS)})"
        elif not re.match(KINDS[kind] if kind == "peer" else ".*(?:" + KINDS[kind] + ")", name):
            yield f"{name}: no test of the kind {kind}"
        elif tree.lacks_test(name):
            yield f"{name}: no such test"


def problems_of_pages(cell, tree):
    for words, target in LINK.findall(cell):
        path, _, fragment = target.partition("#")
        page = (tree.root / "docs" / path).resolve()
        section = tree.section(page, fragment) if page.is_file() else None
        if section is None:
            yield f"{target}: no such page or heading"
        elif plain(words) not in section:
            yield f"{target}: does not say \"{words}\""


def problems_of_row(cells, tree):
    if len(cells) != 5:
        yield f"{len(cells) + 1} columns in place of 6"
        return
    if "|" in "".join(cells):
        yield "a bar within a column"
    _, api, tests, pages, state = cells
    yield from problems_of_api(api, tree)
    yield from problems_of_tests(tests, tree)
    yield from problems_of_pages(pages, tree)
    word, _, rest = state.partition(": ")
    if word not in STATES:
        yield f"{word}: no state ({', '.join(STATES)})"
    elif word == "done" and rest:
        yield "done, and something is left?"
    elif word in ("partial", "refused") and not rest:
        yield f"{word}: what is missing, or why?"
    elif word == "done":
        for what, found in (("API", QUOTED.search(api)), ("test", QUOTED.search(tests)), ("page", LINK.search(pages))):
            if not found:
                yield f"done without {what}"


def sections_of(text):
    """Headings with their rows: (id, cells)."""
    for part in re.split(r"^## +", text, flags=re.M)[1:]:
        rows = [(row[1], row[2].split(" | ")) for row in ROW.finditer(part)]
        if rows:
            yield part.splitlines()[0].strip(), rows


def counts_of(sections):
    """The table of counts."""
    lines = ["| section | rows | done | of these by our own tests alone | partial | not yet | refused |", "|---|--:|--:|--:|--:|--:|--:|"]
    every = [row for _, rows in sections for row in rows]
    for heading, rows in [*sections, ("**all**", every)]:
        states = [cells[-1].partition(":")[0] for _, cells in rows]
        own = sum(cells[-1] == "done" and not re.search("peer: |vectors: ", cells[2]) for _, cells in rows)
        title = heading if heading.startswith("*") else f"[{heading}](#{anchor(heading)})"
        numbers = [len(rows), states.count("done"), own, *(states.count(state) for state in STATES[1:])]
        lines.append(f"| {title} | {' | '.join(map(str, numbers))} |")
    return "\n".join(lines) + "\n"


def problems_of_list(sections, path):
    """Against the list: `ID feature|...` below headings in capitals."""
    wanted, heading = {}, None
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if row := re.match(r"([BN]?\d+) ([^|]+)", line):
            wanted[row[1]] = (plain(heading), row[2].strip())
        elif not line.startswith("#"):
            heading = re.sub(r" \(.*", "", line)
    found = {number: (plain(heading), cells[0]) for heading, rows in sections for number, cells in rows}
    for number in {**wanted, **found}:
        if wanted.get(number) != found.get(number):
            yield f"row {number}: the list has {wanted.get(number)}, the page {found.get(number)}"


def problems_of(text, tree):
    sections = list(sections_of(text))
    seen = set()
    for _, rows in sections:
        for number, cells in rows:
            if number in seen:
                yield f"row {number}: a second time"
            seen.add(number)
            yield from (f"row {number}: {problem}" for problem in problems_of_row(cells, tree))
    counts = COUNTS.search(text)
    if not counts or counts[0] != counts_of(sections):
        yield "the table of counts is stale: features.py ROOT --write"
    if not seen:
        yield "there are no rows"
    if "LOCKSTEP_FEATURES" in os.environ:
        yield from problems_of_list(sections, os.environ["LOCKSTEP_FEATURES"])


def main():
    tree = Tree(pathlib.Path(sys.argv[1]).resolve())
    page = tree.root / "docs" / "features.md"
    text = page.read_text(encoding="utf-8")
    if "--write" in sys.argv:
        counts = counts_of(list(sections_of(text)))
        text = COUNTS.sub(lambda _: counts, text)
        page.write_text(text, encoding="utf-8")
    found = list(problems_of(text, tree))
    for problem in found:
        print(f"docs/features.md: {problem}")
    print(f"docs/features.md: {len(found)} problems" + ("" if "LOCKSTEP_FEATURES" in os.environ else "; not held against the list"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
