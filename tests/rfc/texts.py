"""The texts of RFCs as sections of plain words: what a quotation is compared with."""

import pathlib
import re

MODAL = re.compile(r"\b(?:MUST|SHALL)\b")
HEADING = re.compile(r"(#+) +(.*?)(?: *\{#([\w-]+)\})?$")
PLAIN_HEADING = re.compile(r"(?:Appendix )?(\d+(?:\.\d+)*|[A-Z](?:\.\d+)*)\.? {1,3}\S")
SENTENCE_END = re.compile(r'(?:(?<=[.!?])|(?<=\.\)))(?<!e\.g\.)(?<!i\.e\.)\s+(?=["(\[]?[A-Z])')


def words(text):
    """White space does not count, and neither does a line's end behind a hyphen."""
    return re.sub(r"\s+", " ", text).strip()


class Section:
    def __init__(self, number, title):
        self.number = number
        self.title = title
        self.paragraphs = []

    def add(self, paragraph):
        if words(paragraph):
            self.paragraphs.append(words(paragraph))

    @property
    def text(self):
        return " ".join(self.paragraphs)

    def sentences(self):
        """Each sentence with the place in `text` where it begins."""
        begin = 0
        for paragraph in self.paragraphs:
            start = 0
            for end in [found.end() for found in SENTENCE_END.finditer(paragraph)] + [len(paragraph)]:
                yield begin + start, paragraph[start:end].strip()
                start = end
            begin += len(paragraph) + 1


def next_number(last, depth, in_appendix):
    parts = list(last[:depth]) + [0] * (depth - len(last))
    parts[depth - 1] += 1
    head = chr(ord("A") + parts[0] - 1) if in_appendix else str(parts[0])
    return parts, ".".join([head] + [str(part) for part in parts[1:]])


def markdown_lines(source):
    source = re.sub(r"<!--.*?-->", "", source, flags=re.S)
    body = re.split(r"^--- middle$", source, maxsplit=1, flags=re.M)[-1]
    return body.split("\n")


def markdown_sections(source):
    """The sections of an RFC as its editors write it, numbered by their order."""
    lines = markdown_lines(source)
    sections, anchors, raw = {}, {}, {}
    last, in_appendix, fenced, current = [], False, False, None
    for at, line in enumerate(lines):
        fenced ^= line.startswith("~~~")
        if line == "--- back":
            last, in_appendix = [], True
        heading = None if fenced else HEADING.match(line)
        if heading is None:
            if current is not None:
                raw[current].append(line)
            continue
        if '{:numbered="false"}' in lines[at + 1 : at + 2]:
            current = None
            continue
        last, current = next_number(last, len(heading[1]), in_appendix)
        title = heading[2]
        sections[current] = Section(current, title)
        raw[current] = []
        name = ("Appendix " if in_appendix else "Section ") + current
        anchors.setdefault(heading[3] or re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"), name)
    for number, section in sections.items():
        fill(section, raw[number], anchors)
    return sections


def fill(section, lines, anchors):
    """Paragraphs, list items and drawings, without what markdown adds to the words."""
    paragraph = []

    def flush():
        section.add(without_markup("\n".join(paragraph), anchors))
        paragraph.clear()

    for line in lines:
        if line.startswith("~~~") or line.startswith("{:"):
            flush()
        elif re.match(r" {0,3}(?:[-*]|\d+\.) +\S", line):
            flush()
            paragraph.append(re.sub(r"^ *(?:[-*]|\d+\.) +", "", line))
        elif line.startswith(": "):
            paragraph.append(line[2:])
        elif line.strip():
            paragraph.append(line)
        else:
            flush()
    flush()


def without_markup(text, anchors):
    def reference(found):
        target = found[1].lstrip("?!")
        section_of = re.match(r"(Section [\w.]+) of (.*)", target)
        comma = re.match(r"(\w+),\s*(Section [\w.]+)", target)
        if target in anchors:
            return anchors[target]
        if section_of:
            return f"{section_of[1]} of [{section_of[2]}]"
        if comma:
            return f"{comma[2]} of [{comma[1]}]"
        return f"[{target.split('=')[0]}]"

    text = re.sub(r"\{\{(.*?)\}\}", lambda found: reference([None, words(found[1])]), text, flags=re.S)
    text = re.sub(r"<sup>(.*?)</sup>", r"^\1", text)
    return re.sub(r"\\([\[\]*])", r"\1", text)


def plain_sections(source):
    """The sections of an RFC as it is published. Page breaks go; a heading is a line that begins with its number."""
    source = re.sub(r"\n[^\n]*\[Page \d+\]\n\f?\n?[^\n]*\n", "\n", source)
    sections, current, paragraph = {}, None, []
    for line in source.split("\n") + [""]:
        heading = PLAIN_HEADING.match(line)
        if heading and "....." not in line and ". . ." not in line:
            current = sections.setdefault(heading[1], Section(heading[1], line))
        elif current is None:
            continue
        elif line.strip():
            paragraph.append(re.sub(r"^ *(?:[-*o]|\d+\.) +(?=\S)", "", line))
            continue
        if current is not None:
            current.add("\n".join(paragraph))
            paragraph = []
    return sections


class Texts:
    """The folder of texts: rfcNNNN.md or rfcNNNN.txt, read when they are asked for."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.known = {}

    def sections(self, number):
        """The sections of an RFC by their numbers, or None when the folder has not got its text."""
        if number not in self.known:
            self.known[number] = self.read(number)
        return self.known[number]

    def read(self, number):
        for suffix, parse in ((".md", markdown_sections), (".txt", plain_sections)):
            file = self.folder / f"rfc{number}{suffix}"
            if file.exists():
                return parse(file.read_text(encoding="utf-8"))
        return None


def find_pieces(quotation, text):
    """Where the pieces of a quotation stand in a text, in order: a list of (begin, end), or None. Pieces are what stands between
    `...` or `[...]`."""
    spans, at = [], 0
    for piece in re.split(r"\s*(?:\[\.\.\.\]|\.\.\.)\s*", quotation):
        if not piece:
            continue
        found = re.compile(rf"(?<!\w){re.escape(piece)}(?!\w)" if piece[0].isalnum() and piece[-1].isalnum() else re.escape(piece))
        match = found.search(text, at)
        if match is None:
            return None
        spans.append(match.span())
        at = match.end()
    return spans or None
