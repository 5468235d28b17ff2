"""docs/rfc9846.md, and the same with lines and tests for reading at the terminal."""

import requirements

HEAD = """# The requirements of RFC 9846

Every MUST and SHALL of chapters 4 to 8: the file that quotes it above the code that sees to it and what tests that, or why nothing here quotes it.
A reason in the last column is the one for which the engine refuses a peer that breaks the requirement; tests name it. `tests/rfc/check` writes this
page and fails when it is stale, when a quotation is not what the RFC says, and when a requirement is neither quoted nor listed;
`tests/rfc/check . --list` adds the lines.

{quoted} of {all} are quoted.
"""
CHAPTERS = {"4": "Handshake Protocol", "5": "Record Protocol", "6": "Alert Protocol", "7": "Cryptographic Computations",
            "8": "0-RTT and Anti-Replay"}


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace("_", "\\_").replace("*", "\\*")


def shown_by(requirement):
    if requirement.untested is not None:
        return cell(requirement.untested)
    return ", ".join(f"`{name}`" for name in requirement.tests or requirement.reasons)


def row(requirement):
    files = list(dict.fromkeys(file for file, _ in requirement.places))
    where = "; ".join(f"`{file}`" for file in files)
    reason = cell(requirement.not_quoted) if requirement.not_quoted else ""
    where = "; ".join(part for part in (where, reason) if part)
    sentence = cell(requirements.shortened(requirement.sentence))
    return f"| {requirement.section} | {sentence} | {where} | {shown_by(requirement)} |"


def write(must):
    lines = [HEAD.format(quoted=sum(bool(r.quoted) for r in must), all=len(must))]
    for chapter, title in CHAPTERS.items():
        own = [requirement for requirement in must if requirement.section.split(".")[0] == chapter]
        if own:
            lines += [f"## {chapter}. {title}", "", "| Section | Requirement | Where, or why not | Shown by |",
                      "|---|---|---|---|", *map(row, own), ""]
    return "\n".join(lines)


def listing(must, tests):
    lines = []
    for requirement in must:
        lines.append(requirement.name())
        lines += [f"    {file}:{line}" for file, line in requirement.places]
        lines += [f"    not quoted: {requirement.not_quoted}"] if requirement.not_quoted else []
        lines += [f"    test {name}" for name in requirement.tests]
        for reason in requirement.reasons:
            lines.append(f"    {reason}: " + ", ".join(sorted(tests.naming[reason])[:4]))
        lines += [f"    untested: {requirement.untested}"] if requirement.untested else []
    return "\n".join(lines)
