"""Citations and quotations of RFCs in the files of this project."""

import re

NUMBER = r"(?:\d{1,2}|[A-Z])(?:\.\d+)*(?![\w^])"
CITATION = re.compile(rf"RFC (\d{{4}})(?: ({NUMBER}(?:(?:, | and |, and ){NUMBER})*))?")
COMMENT = re.compile(r"\s*(?:///?<?|#(?!include|if|else|end|define|pragma|elif))\s?(.*)")
TRAILING = re.compile(r"(?<![:\"])//+<?\s?(.*)")
STRING = re.compile(r'(?<!\')"((?:[^"\\]|\\.)*)"')
COMMENTED = {".cpp", ".hpp", ".h", ".py", ".txt", ".cmake", ""}
PLAIN_TEXT = {".md"}
STRINGS = {".json"}


class Block:
    """A comment, paragraph or string: its text in one line, and in which line of the file each character stands."""

    def __init__(self):
        self.text = ""
        self.lines = []

    def add(self, text, line):
        if self.text:
            text = " " + text
        self.text += text
        self.lines += [line] * len(text)

    @property
    def end(self):
        return self.lines[-1]


class Quotation:
    def __init__(self, file, line, end, rfc, section, text):
        self.file, self.line, self.end, self.rfc, self.section, self.text = file, line, end, rfc, section, text


class Citation:
    def __init__(self, file, line, rfc, section):
        self.file, self.line, self.rfc, self.section = file, line, rfc, section


def blocks_of(file, content):
    suffix = file.suffix
    if suffix in PLAIN_TEXT:
        return paragraphs(content)
    if suffix in STRINGS:
        return strings(content)
    if suffix in COMMENTED:
        return comments(content)
    return []


def paragraphs(content):
    block = Block()
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith(("|", "- ", "* ", "#")):
            if block.text:
                yield block
            block = Block()
        if line.strip():
            block.add(line.strip(), number)
            if line.startswith("|"):
                yield block
                block = Block()
    if block.text:
        yield block


def strings(content):
    for number, line in enumerate(content.split("\n"), 1):
        yield from strings_of(line, number)


def strings_of(line, number):
    for found in STRING.finditer(line):
        block = Block()
        block.add(found[1].replace('\\"', '"') or " ", number)
        yield block


def comments(content):
    block = Block()
    for number, line in enumerate(content.split("\n"), 1):
        whole = COMMENT.match(line)
        if whole and not whole[1].startswith("    "):
            block.add(whole[1].strip(), number)
            continue
        if block.text:
            yield block
        block = Block()
        if whole:
            continue  # code in a comment
        trailing = TRAILING.search(line)
        yield from strings_of(line[: trailing.start()] if trailing else line, number)
        if trailing:
            block.add(trailing[1].strip(), number)
    if block.text:
        yield block


def quoted(text):
    """What stands in double quotes, with the quotes within: (begin, quotation), one after another."""
    depth, begin = 0, 0
    for at, character in enumerate(text):
        if character != '"':
            continue
        before, after = text[at - 1 : at] if at else " ", text[at + 1 : at + 2]
        opens = (before in " ([" or (before == '"' and at - 1 == begin and depth == 1)) and after not in " " and after
        if opens:
            if depth == 0:
                begin = at
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield begin + 1, text[begin + 1 : at]
    if depth:
        yield begin + 1, text[begin + 1 :]


def read(file, relative):
    """The citations and the quotations of a file. A quotation belongs to the last citation before it in its block."""
    citations, quotations = [], []
    for block in blocks_of(file, file.read_text(encoding="utf-8", errors="replace")):
        found = list(CITATION.finditer(block.text))
        for at, citation in enumerate(found):
            line = block.lines[citation.start()]
            sections = re.findall(NUMBER, citation[2] or "")
            citations += [Citation(relative, line, citation[1], section) for section in sections]
            until = found[at + 1].start() if at + 1 < len(found) else len(block.text)
            for begin, text in quoted(block.text[citation.end() : until]) if sections else []:
                if text == "...":
                    continue  # how a quotation looks, not one
                where = block.lines[min(citation.end() + begin, len(block.lines) - 1)]
                quotations.append(Quotation(relative, where, block.end, citation[1], sections[-1], text))
    return citations, quotations
