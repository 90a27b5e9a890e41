"""What is known of targets, for people: the lines of ``poetry wheeltarget list`` and ``show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheeltarget.core.markers import VARIABLES
from wheeltarget.core.report import aligned, one_line, target_title
from wheeltarget.core.sizes import human_size
from wheeltarget.core.target import primary_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheeltarget.core.config import DeclaredTarget, Table
    from wheeltarget.core.description import Description
    from wheeltarget.core.presets import Preset
    from wheeltarget.core.resolve import TargetSettings

_HEADER = ("NAME", "FROM", "PYTHON", "NEWEST TAG", "EVIDENCE")


def list_lines(
    table: Table,
    presets: Mapping[str, Preset],
    words: Iterable[str],
    described: Mapping[str, Description],
) -> list[str]:
    """Declared targets, then presets: those whose name holds every one of the words.

    ``described`` are the descriptions by the path of their file, as far as they can be read.
    """
    rows = [
        *(_declared_row(name, declared, described) for name, declared in table.targets.items()),
        # A declared name wins over a preset, so that one cannot be reached by it.
        *(_preset_row(preset) for preset in presets.values() if preset.name not in table.targets),
    ]
    wanted = [word.lower() for word in words]
    found = [row for row in rows if all(word in row[0].lower() for word in wanted)]
    return aligned([_HEADER, *found]) if found else []


def _declared_row(
    name: str, declared: DeclaredTarget, described: Mapping[str, Description]
) -> tuple[str, ...]:
    draft, file = declared.draft, declared.description_file
    if file is not None:
        description = described.get(file)
        python = str(description.python) if description else "-"
        newest = description.primary.familiar_tag if description else "-"
        return name, "pyproject.toml", python, newest, f"described by {one_line(file)}"
    python = str(draft.python) if draft.python else "-"
    newest = primary_of(draft.platforms).familiar_tag if draft.platforms else "-"
    evidence = f"extends {draft.preset.name}" if draft.preset else "-"
    return name, "pyproject.toml", python, newest, evidence


def _preset_row(preset: Preset) -> tuple[str, ...]:
    python = str(preset.python) if preset.python else "-"
    evidence = f"{preset.evidence[0]} ({preset.date})"
    return preset.name, "preset", python, preset.platform.familiar_tag, evidence


def show_lines(settings: TargetSettings) -> Iterator[str]:
    """Everything that a target is: facts, marker values, what is unknown, and its ordered tags."""
    target = settings.target
    yield f"{target.name}: {target_title(target)}"
    yield ""
    yield from _indented(aligned(_facts(settings)))
    yield ""
    yield "Marker values:"
    yield ""
    unknown = [name for name in VARIABLES if name not in target.environment]
    known = [
        (name, one_line(target.environment[name])) for name in VARIABLES if name not in unknown
    ]
    yield from _indented(aligned([*known, *((name, "unknown") for name in unknown)]))
    yield ""
    yield f"Tags, best first ({len(target.tags)}):"
    yield ""
    yield from _indented(target.tags)


def _facts(settings: TargetSettings) -> Iterator[tuple[str, str]]:
    target, preset = settings.target, settings.preset
    yield "python", str(target.python)
    yield "implementation", target.implementation
    yield "abis", ", ".join(target.abis)
    yield "platforms", _range(target.platforms)
    if settings.exclude:
        yield "left out", ", ".join(sorted(settings.exclude))
    for name, platforms in settings.packages.items():
        yield f"for {name} also", ", ".join(platform.tag for platform in platforms)
    if settings.max_unpacked_size is not None:
        size = settings.max_unpacked_size
        yield "takes unpacked", f"{human_size(size)} ({size} bytes)"
    if preset is not None:
        yield "preset", f"{preset.name}: {preset.runtime}"
        if preset.provides:
            yield "the runtime has", ", ".join(preset.provides)
        yield "evidence", f"{'; '.join(preset.evidence)} ({preset.date})"


def _range(platforms: tuple[str, ...]) -> str:
    if len(platforms) == 1:
        return platforms[0]
    return f"{platforms[0]} to {platforms[-1]} ({len(platforms)})"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)
