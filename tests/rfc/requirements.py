"""The requirements of an RFC, where they are quoted, and what shows that they are met."""

import re

import texts

# Failures of our own, which say nothing about a requirement of the protocol.
OWN_FAILURES = {"provider_failed", "memory", "random_failed", "handshake_too_large", "none"}
REASON = re.compile(r"Reason::(\w+)")
TEST = re.compile(r"^TEST(?:_F|_P)?\((\w+), (?:DISABLED_)?(\w+)\)")
LINES_BELOW = 20


class Requirement:
    """A sentence with MUST or SHALL."""

    def __init__(self, section, begin, sentence):
        self.section = section
        self.begin = begin
        self.sentence = sentence
        self.modals = [begin + found.start() for found in texts.MODAL.finditer(sentence)]
        self.quoted = set()  # those of the modals that somebody quotes
        self.places = []  # (file, line of the code below)
        self.reasons = []
        self.tests = []
        self.untested = None
        self.not_quoted = None

    def whole(self):
        return self.quoted == set(self.modals)

    def name(self):
        return f"{self.section}: {shortened(self.sentence)}"


def shortened(sentence, limit=150):
    if len(sentence) <= limit:
        return sentence
    return sentence[:limit].rsplit(" ", 1)[0] + " ..."


def requirements_of(sections, chapters):
    found = []
    for number, section in sections.items():
        if number.split(".")[0] in chapters:
            found += [
                Requirement(number, begin, sentence)
                for begin, sentence in section.sentences()
                if texts.MODAL.search(sentence)
            ]
    return found


def reasons_below(lines, end):
    """The reason for which the code below a quotation refuses: the first that it names, before it returns otherwise and
    before an empty line."""
    for line in lines[end : end + LINES_BELOW]:
        reasons = [reason for reason in REASON.findall(line) if reason not in OWN_FAILURES]
        if reasons or not line.strip() or "return " in line:
            return reasons
    return []


def note_quotation(requirements, quotation, spans, lines):
    for requirement in requirements:
        if requirement.section != quotation.section:
            continue
        quoted = {modal for modal in requirement.modals for begin, end in spans if begin <= modal < end}
        if not quoted:
            continue
        requirement.quoted |= quoted
        requirement.places.append((quotation.file, quotation.end + 1))
        requirement.reasons += [r for r in reasons_below(lines, quotation.end) if r not in requirement.reasons]


class Tests:
    """The names of the tests, and which reasons each names."""

    def __init__(self, root):
        self.names = set()
        self.naming = {}
        for file in sorted((root / "tests").rglob("*.cpp")):
            name = None
            for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
                found = TEST.match(line)
                if found:
                    name = f"{found[1]}.{found[2]}"
                    self.names.add(name)
                for reason in REASON.findall(line) if name else []:
                    self.naming.setdefault(reason, set()).add(name)


def table(file):
    """Rows of three columns, with the line that each stands in. Lines that begin with # are comments."""
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1) if file.exists() else []:
        if line.strip() and not line.startswith("#"):
            rows.append((number, [column.strip() for column in line.split(" | ")]))
    return rows


def rows_of(file, requirements, problem):
    """The rows of a table, each with the requirement that it names by its section and its first words."""
    for number, columns in table(file):
        where = f"{file.name}:{number}"
        if len(columns) != 3:
            problem(f"{where}: a row is: section | first words | text")
            continue
        section, beginning, text = columns
        meant = [r for r in requirements if r.section == section and r.sentence.startswith(beginning)]
        if len(meant) != 1:
            problem(f"{where}: {len(meant)} requirements of {section} begin so")
            continue
        yield where, meant[0], text
