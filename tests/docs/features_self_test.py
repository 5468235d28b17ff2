#!/usr/bin/env python3
"""Shows that the check of the features can fail: each fault must be named, and the right page passes."""

import os
import pathlib
import sys
import tempfile

import features

FILES = {
    "core/include/lockstep/thing.hpp": "struct Thing { void turn(); };  // spins\n",
    "tools/lockstep/client.cpp": 'option("--turn");\n',
    "tests/unit/CMakeLists.txt": "add_test(NAME unit.Counted COMMAND count)\n",
    "tests/unit/thing_test.cpp": "TEST(Thing, Turns) {}\nTEST_P(Rfc9999, IsReplayed) {}\n",
    "tests/interop/openssl_peer.py": 'import other\nwith session.case("turns"):\n',
    "tests/interop/other.py": 'with session.case("rests"):\n',
    "tests/bogo/options.cpp": '{"turn", &Options::turn}\n',
    "docs/things.md": "# Things\n\n## What turns\n\nA `thing` turns.\n\n## What rests\n\nNothing.\n",
}
LIST = "# A list.\nTHINGS (of all kinds)\n1 turning|Y|Y\n2 resting|-|Y\n"
API, TEST, PAGE = "`thing.hpp`: `Thing::turn`; `lockstep`: `--turn`", "peer: `interop.openssl: turns`", "[a thing turns](things.md#what-turns)"
ROW = f"| 1 | turning | {API} | {TEST} | {PAGE} | done |"
SECOND = "| 2 | resting | – | – | – | not yet |"
HEAD = "# Features\n\n<!-- counted by tests/docs/features.py: begin -->\n<!-- end -->\n\n## Things\n\n"

# What is wrong, in the place of what, and what is said of it; nothing: it is right.
CASES = [
    (ROW, ROW, None),
    (TEST, "peer: `interop.openssl`, `interop.openssl: rests`, `bogo.tls: -turn`; vectors: `Rfc9999.IsReplayed`; own: `Thing.Turns`, `unit.Counted`", None),
    ("| – | – | – | not yet |", "| – | own: `Thing.Turns` | – | refused: it would fall |", None),
    ("`Thing::turn`", "`Thing::fly`", "Thing::fly: not in thing.hpp"),
    ("`Thing::turn`", "`spins`", "spins: not in thing.hpp"),
    ("`thing.hpp`", "`other.hpp`", "other.hpp: no such public header"),
    ("`thing.hpp`: ", "", "Thing::turn: in which header?"),
    (API, "`tests/unit`", None),
    (API, "`tests/flight`", "tests/flight: no such place"),
    ("`--turn`", "`--fly`", "--fly: not of the command line"),
    (TEST, "own: `Thing.Flies`", "Thing.Flies: no such test"),
    (TEST, "own: `unit.Flies`", "unit.Flies: no such test"),
    (TEST, "peer: `interop.openssl: flies`", "interop.openssl: flies: no such test"),
    (TEST, "peer: `interop.gnutls`", "interop.gnutls: no such test"),
    (TEST, "peer: `bogo.tls: -fly`", "bogo.tls: -fly: no such test"),
    (TEST, "peer: `Thing.Turns`", "Thing.Turns: no test of the kind peer"),
    (TEST, "vectors: `Thing.Turns`", "Thing.Turns: no test of the kind vectors"),
    (TEST, "`Thing.Turns`", "Thing.Turns: by whom?"),
    ("things.md#what-turns", "things.md#what-flies", "things.md#what-flies: no such page or heading"),
    ("things.md#what-turns", "birds.md", "birds.md: no such page or heading"),
    ("things.md#what-turns", "things.md#what-rests", 'things.md#what-rests: does not say "a thing turns"'),
    (API, "–", "done without API"),
    (TEST, "–", "done without test"),
    (PAGE, "–", "done without page"),
    ("| done |", "| ready |", "ready: no state"),
    ("| done |", "| done: nearly |", "done, and something is left?"),
    ("| done |", "| partial |", "partial: what is missing, or why?"),
    ("| not yet |", "| refused |", "refused: what is missing, or why?"),
    (f"{PAGE} | ", "", "5 columns in place of 6"),
    ("| turning |", "| turn|ing |", "a bar within a column"),
    ("| 2 |", "| 1 |", "row 1: a second time"),
    ("| 2 |", "| 3 |", "row 2: the list has ('things', 'resting'), the page None"),
    ("resting", "sleeping", "row 2: the list has ('things', 'resting'), the page ('things', 'sleeping')"),
    ("## Things", "## Others", "row 1: the list has ('things', 'turning'), the page ('others', 'turning')"),
]


def problems(page, tree, counted=True):
    if counted:
        counts = features.counts_of(list(features.sections_of(page)))
        page = features.COUNTS.sub(lambda _: counts, page)
    return list(features.problems_of(page, tree))


def main():
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        for name, text in {**FILES, "list.txt": LIST}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        os.environ["LOCKSTEP_FEATURES"] = str(root / "list.txt")
        tree = features.Tree(root)
        right = HEAD + ROW + "\n" + SECOND + "\n"
        for old, new, expected in CASES:
            assert old in right, old
            found = problems(right.replace(old, new), tree)
            if any(expected in each for each in found) if expected else not found:
                continue
            failed.append(f"{new}: expected {expected or 'nothing'}, got {found}")
        if "the table of counts is stale" not in "".join(problems(right, tree, counted=False)):
            failed.append("a stale table of counts is not seen")
        if "there are no rows" not in "".join(problems(HEAD, tree)):
            failed.append("an empty page is not seen")
    print("\n".join(failed) or f"ok: {len(CASES) + 2} pages, each fault is named")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
