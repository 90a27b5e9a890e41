"""The lines of ``poetry wheeltarget list`` and ``show``."""

from __future__ import annotations

import re

from core.lockmaker import Raw, target_for
from core.test_resolve import resolve
from core.test_resolve_presets import box, with_file
from wheeltarget.core.config import read_table
from wheeltarget.core.description import read_description
from wheeltarget.core.presets import presets
from wheeltarget.core.resolve import TargetSettings
from wheeltarget.core.targetinfo import list_lines, show_lines

TABLE: Raw = {
    "targets": {
        "fn": {"extends": "aws-lambda-python3.11-arm64", "exclude": ["boto3"]},
        "box": {"description-file": "box.json"},
        "old": {
            "python": "3.10",
            "platforms": ["manylinux2010_x86_64"],
            "packages": {"numpy": {"platforms": ["manylinux_2_17_x86_64"]}},
        },
        "debian-12-x86_64": {"platforms": ["win32"]},
    }
}
FUNCTION = "aws-lambda-python3.11-arm64"


def rows(*words: str, table: Raw | None = None, described: bool = True) -> list[list[str]]:
    read = read_table(TABLE if table is None else table)
    known = {"box.json": read_description(box())} if described else {}
    lines = list_lines(read, presets(), words, known)
    return [re.split(r" {3,}", line) for line in lines]


def test_declared_targets_come_before_presets() -> None:
    header, *declared = rows()[:5]
    assert header == ["NAME", "FROM", "PYTHON", "NEWEST TAG", "EVIDENCE"]
    assert declared == [
        ["fn", "pyproject.toml", "3.11", "manylinux_2_26_aarch64", f"extends {FUNCTION}"],
        ["box", "pyproject.toml", "3.11", "manylinux_2_26_x86_64", "described by box.json"],
        ["old", "pyproject.toml", "3.10", "manylinux2010_x86_64", "-"],
        ["debian-12-x86_64", "pyproject.toml", "-", "win32", "-"],
    ]
    # The preset whose name is declared cannot be reached by it.
    assert len(rows()) == 1 + 4 + len(presets()) - 1


def test_a_target_without_a_platform_is_listed_too() -> None:
    assert rows(table={"targets": {"x": {}}})[1] == ["x", "pyproject.toml", "-", "-", "-"]


def test_the_newest_tag_is_that_of_the_newest_platform_in_whatever_order() -> None:
    platforms = ["linux_armv7l", "manylinux_2_31_armv7l", "manylinux_2_36_armv7l"]
    (_, row, *_) = rows(table={"targets": {"pi": {"platforms": platforms}}})
    assert row[3] == "manylinux_2_36_armv7l"


def test_a_description_that_cannot_be_read_is_named_by_its_file() -> None:
    table: Raw = {
        "targets": {"x": {"description-file": "a\nb"}, "y": {"extends": "x", "markers": {}}}
    }
    for row, name in zip(rows(table=table, described=False)[1:], "xy", strict=False):
        assert row == [name, "pyproject.toml", "-", "-", r"described by a\nb"]


def test_a_preset_has_its_evidence_and_date() -> None:
    assert rows("alpine-3.12-x86_64")[1:] == [
        [
            "alpine-3.12-x86_64",
            "preset",
            "-",
            "musllinux_1_1_x86_64",
            "pypa/manylinux: musllinux_1_1 (2026-11-20)",
        ]
    ]
    assert rows("pyodide", "3.13")[1][2:4] == ["3.13", "pyodide_2025_0_wasm32"]


def test_words_narrow_the_list_whatever_their_case() -> None:
    names = [row[0] for row in rows("LAMBDA", "arm64")[1:]]
    assert names
    assert all(name.startswith("aws-lambda-") and name.endswith("-arm64") for name in names)
    assert rows("nothing-like-it") == []


def shown(settings: TargetSettings) -> str:
    return "\n".join(show_lines(settings)) + "\n"


def test_everything_about_a_target_is_shown() -> None:
    (settings,) = resolve("fn", table=TABLE)
    text = shown(settings)
    assert text.startswith("fn: Python 3.11, glibc 2.26, aarch64\n")
    for line in (
        "implementation    cp",
        "abis              cp311",
        "platforms         manylinux_2_26_aarch64 to manylinux2014_aarch64 (11)",
        "left out          boto3",
        "takes unpacked    262.1 MB (262144000 bytes)",
        f"preset            {FUNCTION}: AWS Lambda on Amazon Linux 2",
        "the runtime has   boto3, botocore, jmespath, s3transfer",
        "platform_machine                 aarch64",
        "platform_release                 unknown",
        "python_full_version              unknown",
    ):
        assert f"\n  {line}\n" in text
    assert "(2026-11-20)" in text


def test_all_tags_stand_in_their_order() -> None:
    target = target_for("cp38-cp38-manylinux1_x86_64")
    text = shown(TargetSettings(target=target))
    assert f"Tags, best first ({len(target.tags)}):" in text
    assert text.endswith("\n".join(f"  {tag}" for tag in target.tags) + "\n")
    assert "preset" not in text
    assert "takes unpacked" not in text


def test_a_single_platform_is_no_range_and_packages_are_named() -> None:
    (settings,) = resolve("debian-12-x86_64", table=TABLE)
    assert "\n  platforms        win32\n" in shown(settings)
    (settings,) = resolve("old", table=TABLE)
    assert "\n  for numpy also   manylinux_2_17_x86_64\n" in shown(settings)


def test_a_described_machine_is_shown_as_any_other() -> None:
    host = with_file(box(platform_release="5.10"), of_project=True)
    (settings,) = resolve("box", table=TABLE, host=host)
    text = shown(settings)
    assert "\n  platform_release                 5.10\n" in text
    assert "Tags, best first (2):" in text


def test_a_preset_that_provides_nothing_says_nothing_of_it() -> None:
    (settings,) = resolve("debian-12-i686")
    assert "the runtime has" not in shown(settings)
