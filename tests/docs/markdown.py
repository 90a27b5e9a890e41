"""The repository's Markdown, read as far as tests need: headings, tables, code blocks, links."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
#: All pages that a user reads.
PAGES = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (
        README,
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "examples").glob("*/README.md")),
        *sorted(DOCS.rglob("*.md")),
    )
)

_HEADING = re.compile(r"(#+) (.+)")
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_RUN = re.compile(r"<!-- run in (\S+) -->")


@dataclass(frozen=True)
class Block:
    """A fenced code block. ``folder`` is what a comment before it says that it was run in."""

    page: str
    line: int
    language: str
    text: str
    folder: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Section:
    """A heading, and what stands between it and the next one. The first one has no heading."""

    level: int
    title: str
    text: str


def read(page: str) -> str:
    """A page by its path from the repository's root."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    """The fenced code blocks of a page."""
    lines = read(page).splitlines()
    begin = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if begin is None:
            begin = number
            continue
        run = _RUN.fullmatch(lines[begin - 1]) if begin else None
        text = "\n".join(lines[begin + 1 : number]) + "\n"
        yield Block(page, begin + 1, lines[begin][3:], text, run[1] if run else None)
        begin = None
    assert begin is None, f"{page}: a code block does not end"


def sections(page: str) -> list[Section]:
    """A page cut at its headings."""
    found: list[tuple[int, str, list[str]]] = [(0, "", [])]
    fenced = False
    for line in read(page).splitlines():
        fenced ^= line.startswith("```")
        match = None if fenced else _HEADING.fullmatch(line)
        if match:
            found.append((len(match[1]), match[2], []))
        else:
            found[-1][2].append(line)
    return [Section(level, title, "\n".join(lines)) for level, title, lines in found]


def section(page: str, title: str) -> Section:
    """The one section with that title."""
    (found,) = (each for each in sections(page) if each.title == title)
    return found


def below(page: str, title: str) -> list[Section]:
    """The sections below a heading, down to the next heading of its level."""
    every = sections(page)
    (index,) = (index for index, each in enumerate(every) if each.title == title)
    result = []
    for each in every[index + 1 :]:
        if each.level <= every[index].level:
            break
        result.append(each)
    return result


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows in a text, without heads and rules."""
    lines = text.splitlines()
    table = [line.startswith("|") for line in lines]
    result = []
    for number, line in enumerate(lines):
        begins = number == 0 or not table[number - 1]
        if table[number] and not begins and not re.fullmatch(r"[|\-: ]+", line):
            result.append([cell.strip() for cell in line.strip("|").split("|")])
    return result


def codes(text: str) -> list[str]:
    """What stands in backticks."""
    return _CODE.findall(text)


def code(cell: str) -> str:
    """A cell that is nothing but code."""
    match = _CODE.fullmatch(cell)
    assert match, f"{cell!r} is not code"
    return match[1]


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as mkdocs makes them."""
    seen: Counter[str] = Counter()
    result = set()
    for each in sections(page):
        plain = unicodedata.normalize("NFKD", each.title).encode("ascii", "ignore").decode()
        slug = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())
        result.add(f"{slug}_{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return result


def links(page: str) -> list[str]:
    """The targets of a page's links, outside of code."""
    prose = "\n".join(each.text for each in sections(page))
    prose = re.sub(r"(?ms)^```.*?^```$", "", prose)
    return _LINK.findall(re.sub(r"`[^`]*`", "", prose))
