"""The tables of presets in the reference, made from the data file: ``python3 dev.py presets``."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(__file__).parent / "reference" / "presets.md"
BEGIN, END = "<!-- made by dev.py presets -->\n", "<!-- end -->\n"

Family = dict[str, Any]


def document() -> dict[str, Any]:
    """The data file."""
    data: dict[str, Any] = json.loads(
        files("wheeltarget.core").joinpath("presets.json").read_bytes()
    )
    return data


def tables() -> list[str]:
    """The runtimes, which have a Python or a limit of their own, and the distributions."""
    data = document()
    runtimes: list[list[str]] = []
    distributions: list[list[str]] = []
    for family in data["families"]:
        if "pythons" in family or "max-unpacked-size" in family:
            runtimes += rows(family, runtime_cells(family))
        else:
            distributions += rows(family, [])
    heads = ["name", "what it is", "newest tag", "`ARCH`"]
    return [
        table([*heads, "`X.Y`", "takes unpacked", "has", "evidence"], runtimes),
        table([*heads, "evidence"], distributions),
    ]


def runtime_cells(family: Family) -> list[str]:
    """What only runtimes have: Pythons, a limit, and packages."""
    pythons, provides = family.get("pythons", ()), family.get("provides", ())
    return [", ".join(pythons), family.get("max-unpacked-size", ""), listed(provides)]


def rows(family: Family, more: list[str]) -> Iterator[list[str]]:
    """The cells of a family: a row for each name and release."""
    archs = family["archs"]
    if isinstance(archs, list):
        archs = dict(zip(archs, archs, strict=True))
    renamed = [f"`{arch}` is `{tag}` in tags" for arch, tag in archs.items() if arch != tag]
    evidence = f"{'; '.join(family['evidence'])} ({family['date']})"
    releases = family.get("releases") or {"": family["platform"]}
    for name, (release, tag) in product(family["names"], releases.items()):
        yield [
            f"`{name.format(release=release, python='X.Y', arch='ARCH')}`",
            family["runtime"].format(release=release),
            f"`{tag.format(arch='ARCH')}`",
            "; ".join([listed(archs), *renamed]),
            *more,
            evidence,
        ]


def listed(words: Iterable[str]) -> str:
    """Words as code."""
    return ", ".join(f"`{word}`" for word in words)


def table(heads: list[str], body: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *body]
    return "".join(
        "|" + "".join(f" {cell} |" if cell else " |" for cell in cells) + "\n" for cells in lines
    )


def filled(page: str) -> str:
    """The page with its tables made anew."""
    head, *parts = page.split(BEGIN)
    made = tables()
    assert len(parts) == len(made)
    for new, part in zip(made, parts, strict=True):
        head += f"{BEGIN}\n{new}\n{END}{part.split(END, 1)[1]}"
    return head


def main() -> None:
    """Write the page."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
