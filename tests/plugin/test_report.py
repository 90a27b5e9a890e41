"""What a person reads: the report's shape, explanations, warnings, colours, and quiet runs."""

from __future__ import annotations

import contextlib
import os
import re
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from plugin.projectmaker import Recipe, locked, stub
from support.wheels import build_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.harness import Cli, MakeCli
    from support.index import IndexServer

OLD = ("-t", "cp38,manylinux2010_x86_64", "--check")
ANY = "py3-none-any"


@pytest.fixture
def cli(make_cli: MakeCli) -> Cli:
    """Two packages that fit, two that need a newer glibc, and one that is only a source."""
    return make_cli(
        Recipe(
            name="legacy",
            packages=[
                stub("alpha", ANY),
                stub("beta-long-name", ANY, version="2.0.1"),
                stub(
                    "orjson", *(f"cp38-cp38-manylinux_2_17_{arch}" for arch in ("x86_64", "i686"))
                ),
                stub("ujson", "cp38-cp38-manylinux_2_24_x86_64", version="5.1.0", sdist=True),
            ],
        )
    )


def test_the_shape_of_a_report(cli: Cli) -> None:
    ended = cli(*OLD)
    assert ended.code == 4
    assert ended.out == dedent(
        """\
        legacy 0.1.0 for cp38-manylinux2010_x86_64: Python 3.8, glibc 2.12, x86_64

          2 of 4 packages have a wheel. Missing:

          orjson 1.0    needs glibc 2.17, the target has 2.12   (2 files, --explain orjson)
          ujson 5.1.0   needs glibc 2.24, the target has 2.12   (2 files, --explain ujson)

          All 4 would fit manylinux_2_24_x86_64.

        """
    )
    assert "no usable file for cp38-manylinux2010_x86_64 of orjson 1.0, ujson 5.1.0" in ended.err


def test_all_targets_are_reported_in_one_run(cli: Cli) -> None:
    ended = cli(*OLD, "-t", "cp38,manylinux_2_17_x86_64", "-t", "cp38,manylinux_2_24_x86_64")
    assert ended.code == 4
    first, second, third = ended.out.split("legacy 0.1.0 for ")[1:]
    assert "2 of 4" in first
    assert "3 of 4" in second
    assert "All 4 packages have a wheel." in third
    assert len([line for line in ended.err.splitlines() if line.startswith("Error:")]) == 2


def test_a_failing_plan_without_check_is_reported_on_stderr(cli: Cli) -> None:
    ended = cli(*OLD[:2])
    assert (ended.code, ended.out) == (4, "")
    assert "2 of 4 packages have a wheel. Missing:" in ended.err


def test_verbose_names_every_chosen_file(cli: Cli) -> None:
    assert "alpha-1.0-py3-none-any.whl" not in cli(*OLD).out
    assert "alpha 1.0              alpha-1.0-py3-none-any.whl" in cli(*OLD, "-v").out


def test_quiet_leaves_the_errors(cli: Cli) -> None:
    ended = cli(*OLD, "-q")
    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("Error: no usable file for cp38-manylinux2010_x86_64")


def test_quiet_says_nothing_when_all_is_well(cli: Cli) -> None:
    ended = cli("-t", "cp38,manylinux_2_28_x86_64", "--check", "-q", "--exclude", "nosuch")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


# --- explain --------------------------------------------------------------------------------


def test_explain_has_every_file_with_its_rank_or_its_axis(make_cli: MakeCli) -> None:
    cli = make_cli(
        Recipe(
            packages=[
                stub(
                    "native",
                    *("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp38-abi3-win32"),
                    *("cp311-cp311-musllinux_1_2_x86_64", "cp38-abi3-manylinux_2_5_x86_64"),
                    *("cp312-cp312-manylinux_2_17_x86_64", "cp311-cp311d-manylinux_2_17_x86_64"),
                    *("cp311-cp311-manylinux_2_28_x86_64", "not_a-tag"),
                    sdist=True,
                )
            ]
        )
    )
    ended = cli("-t", "cp311,manylinux2014_x86_64", "--check", "--explain", "Native")
    assert ended.code == 0
    title, *rows = [line.strip() for line in ended.out.split("\n\n", 2)[2].splitlines() if line]
    assert title == "native 1.0 for cp311-manylinux2014_x86_64: 2 of 9 files fit"
    found = {
        match[2]: match[1] for row in rows if (match := re.match(r"(rank \d+|\S+) +(\S+)", row))
    }
    assert len(found) == 9
    assert {name.removeprefix("native-1.0-"): axis for name, axis in found.items()} == {
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl": "rank 0",
        "cp38-abi3-manylinux_2_5_x86_64.whl": found[
            "native-1.0-cp38-abi3-manylinux_2_5_x86_64.whl"
        ],
        "cp38-abi3-win32.whl": "platform",
        "cp311-cp311-musllinux_1_2_x86_64.whl": "platform",
        "cp311-cp311-manylinux_2_28_x86_64.whl": "platform",
        "cp312-cp312-manylinux_2_17_x86_64.whl": "python",
        "cp311-cp311d-manylinux_2_17_x86_64.whl": "abi",
        "not_a-tag.whl": "malformed",
        "native-1.0.tar.gz": "build-only",
    }
    assert re.fullmatch(r"rank [1-9]\d*", found["native-1.0-cp38-abi3-manylinux_2_5_x86_64.whl"])
    assert "needs glibc 2.28, the target has 2.17" in ended.out


def test_explain_takes_several_names_and_targets(cli: Cli) -> None:
    ended = cli(*OLD, "-t", "cp38,win32", "--explain", "orjson,alpha", "--explain", "ujson")
    titles = re.findall(r"^(\S+) \S+ for (\S+): \d+ of \d+ files fit$", ended.out, re.MULTILINE)
    targets = ("cp38-manylinux2010_x86_64", "cp38-win32")
    assert titles == [(name, target) for target in targets for name in ("alpha", "orjson", "ujson")]


def test_explain_of_a_package_that_is_not_locked(cli: Cli) -> None:
    ended = cli(*OLD, "--explain", "orjsno", "--explain", "zzz")
    assert (ended.code, ended.out) == (2, "")
    assert "'orjsno'; did you mean 'orjson'?" in ended.err
    assert "'zzz'" in ended.err


# --- what is not sure -----------------------------------------------------------------------


@pytest.fixture
def unsure(make_cli: MakeCli, index: IndexServer) -> Cli:
    wheel = build_wheel("timeout", "1.0")
    index.add(wheel.filename, wheel.data)
    cli = make_cli(
        Recipe(packages=[locked(wheel, name="timeout", markers='python_full_version < "3.11.3"')])
    )
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    return cli


def test_an_undecided_package_is_included_and_reported(unsure: Cli) -> None:
    checked = unsure("-t", "cp311,win_amd64", "--check")
    assert checked.code == 0
    assert "Included, although the target does not decide its marker" in checked.out.replace(
        "their", "its"
    )
    assert 'python_full_version < "3.11.3"' in checked.out
    bundled = unsure("-t", "cp311,win_amd64")
    assert bundled.code == 0
    assert 'python_full_version < "3.11.3"' in bundled.err
    assert "1 wheel" in bundled.out


@pytest.mark.parametrize(("python", "count"), [("3.11.2", 1), ("3.11.3", 0)])
def test_the_patch_level_decides(unsure: Cli, python: str, count: int) -> None:
    ended = unsure("-t", "win_amd64", "--python", python, "--strict", "--check", "--json")
    assert (ended.code, len(ended.packages)) == (0, count)
    assert ended.document["targets"][0]["undecided"] == []


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_strict_makes_an_error_of_it(unsure: Cli, index: IndexServer, check: list[str]) -> None:
    ended = unsure("-t", "cp311,win_amd64", "--strict", *check)
    assert ended.code == 4
    assert "timeout 1.0" in ended.err
    assert "python_full_version" in ended.err
    assert index.requests == []


@pytest.mark.parametrize(
    ("strict", "code", "label"), [([], 0, "Warning"), (["--strict"], 4, "Error")]
)
def test_excluding_what_is_not_locked_is_said_once(
    cli: Cli, strict: list[str], code: int, label: str
) -> None:
    args = ("-t", "cp38,manylinux_2_28_x86_64", "--check", "--exclude", "orjsno")
    ended = cli(*args, *strict)
    assert ended.code == code
    assert ended.err.splitlines()[0] == (
        f"{label}: exclude names orjsno, which is not in the lock; did you mean 'orjson'?"
    )
    assert ended.err.count("orjsno") == 1


# --- colours and markup ---------------------------------------------------------------------

EVIL = "<error>evil</error> <fg=red>x</>"


@pytest.mark.parametrize("decorated", [False, True])
@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["-t", EVIL], 2),
        (["-t", "cp311,win_amd64", "--explain", EVIL], 2),
        (["-t", "cp311,win_amd64", "-E", EVIL.replace(" ", "_")], 2),
        (["-t", "cp311,win_amd64", "--python", EVIL], 2),
        (["-t", "cp311,win_amd64", "-o", EVIL + "{x}"], 2),
    ],
)
def test_markup_in_options_is_printed_as_it_is(
    cli: Cli, args: list[str], code: int, decorated: bool
) -> None:
    ended = cli("--check", *args, decorated=decorated)
    assert ended.code == code
    assert "<error>evil</error>" in ended.err
    assert "<fg=red>x</>" in ended.err


@pytest.mark.parametrize("decorated", [False, True])
def test_markup_in_the_lock_is_printed_as_it_is(make_cli: MakeCli, decorated: bool) -> None:
    evil = {"type": "legacy", "url": "http://127.0.0.1:1/simple", "reference": EVIL}
    cli = make_cli(Recipe(packages=[stub("alpha", ANY, source=evil)]))
    ended = cli("-t", "cp311,win_amd64", decorated=decorated)
    assert ended.code == 2
    assert EVIL in ended.err


@pytest.mark.parametrize("decorated", [False, True])
def test_markup_in_a_marker_is_printed_as_it_is(make_cli: MakeCli, decorated: bool) -> None:
    marker = 'platform_version == "<error>evil</error>"'
    cli = make_cli(Recipe(packages=[stub("alpha", ANY, markers=marker)]))
    args = ("-t", "cp311,win_amd64", "--check", "--explain", "alpha")
    assert marker in cli(*args, decorated=decorated).out
    assert marker in cli(*args, "--json", decorated=decorated).err
    assert marker in cli(*args, "--strict", decorated=decorated).err


@pytest.mark.parametrize("decorated", [False, True])
def test_markup_in_the_table_is_printed_as_it_is(make_cli: MakeCli, decorated: bool) -> None:
    target = {"python": "3.11", "platforms": ["win32"]}
    recipe = Recipe(packages=[stub("alpha", ANY)], table={"targets": {"x": {**target, EVIL: 1}}})
    ended = make_cli(recipe)("--check", decorated=decorated)
    assert ended.code == 2
    assert EVIL in ended.err


@pytest.mark.parametrize("decorated", [False, True])
def test_markup_in_an_index_is_printed_as_it_is(
    make_cli: MakeCli, index: IndexServer, decorated: bool
) -> None:
    wheel = build_wheel("alpha", "1.0")
    index.add(wheel.filename, wheel.data, yanked=EVIL)
    cli = make_cli(Recipe(packages=[locked(wheel)]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    ended = cli("-t", "cp311,win_amd64", decorated=decorated)
    assert ended.code == 0
    assert f"is yanked: {EVIL}" in ended.err


def test_colours_are_for_terminals_only(cli: Cli) -> None:
    assert "\x1b" not in cli(*OLD).err
    assert "\x1b" in cli(*OLD, decorated=True).err
    assert "\x1b" in cli(*OLD, "--ansi").err
    assert "\x1b" not in cli(*OLD, "--no-ansi", decorated=True).err


@pytest.mark.parametrize(
    ("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, False)]
)
def test_no_color_is_respected_on_a_terminal(
    cli: Cli, settings: Mapping[str, str], coloured: bool
) -> None:
    import pty  # not on Windows, whose consoles have other rules

    terminal, end = pty.openpty()
    process = cli.start(*OLD, settings={"TERM": "xterm", **settings}, output=end)
    os.close(end)
    shown = read_terminal(terminal)
    assert process.wait(timeout=60) == 4
    assert b"no usable file for" in shown
    assert (b"\x1b[" in shown) is coloured


def read_terminal(terminal: int) -> bytes:
    """All that comes until the other end is closed, which Linux reports as an error."""
    chunks = []
    with contextlib.suppress(OSError):
        while chunk := os.read(terminal, 4096):
            chunks.append(chunk)
    os.close(terminal)
    return b"".join(chunks)


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(
    make_cli: MakeCli, index: IndexServer
) -> None:
    wheels = [build_wheel(name, "1.0") for name in ("alpha", "beta")]
    for wheel in wheels:
        index.add(wheel.filename, wheel.data)
    cli = make_cli(Recipe(packages=[locked(wheel) for wheel in wheels]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    args = ("-t", "cp311,win_amd64", "--no-cache")
    plain = cli(*args)
    assert plain.err.splitlines()[0] == "Fetching 2 wheels"
    assert "Fetched 2 of 2" in plain.err
    assert "beta-1.0" not in plain.err
    assert "  beta-1.0-py3-none-any.whl" in cli(*args, "-v").err.splitlines()
    shown = cli(*args, decorated=True)
    assert "Fetching wheels 2/2" in shown.err
    assert "\x1b" not in shown.out
    assert cli(*args, "-q").err == ""


def test_a_report_on_many_packages_can_be_read(make_cli: MakeCli) -> None:
    fitting = [stub(f"package-{number:03}", "py3-none-any") for number in range(294)]
    newer = [stub(f"newer-{n}", "cp311-cp311-manylinux_2_28_x86_64") for n in range(3)]
    source = [stub(f"source-{n}", sdist=True) for n in range(3)]
    cli = make_cli(Recipe(packages=[*fitting, *newer, *source]))
    ended = cli("--check", "-t", "cp311,manylinux2014_x86_64")
    assert ended.code == 4
    lines = ended.out.splitlines()
    assert "  294 of 300 packages have a wheel. Missing:" in lines
    assert len(lines) < 15
    assert all(len(line) < 130 for line in lines)
    assert not any("package-" in line for line in lines)


def test_a_report_on_many_packages_that_are_missing_can_be_read(make_cli: MakeCli) -> None:
    source = [stub(f"source-{number:03}", sdist=True) for number in range(100)]
    cli = make_cli(Recipe(packages=[stub("pure", ANY), *source]))
    ended = cli("--check", "-t", "cp311,manylinux2014_x86_64")
    lines = ended.out.splitlines()
    assert sum(line.startswith("  source-") for line in lines) == 100
    assert all(len(line) < 130 for line in lines)
    (begin,) = [n for n, line in enumerate(lines) if "has no wheel of" in line]
    # A name and its version stay together.
    last = [line.strip() for line in lines[begin:] if line]
    assert last[0].endswith(" 1.0,")
    assert all(re.match(r"source-\d+ 1\.0,", line) for line in last[1:-1])


def test_a_run_on_many_packages_can_be_read(make_cli: MakeCli, index: IndexServer) -> None:
    wheels = [build_wheel(f"package{number:03}", "1.0") for number in range(300)]
    for wheel in wheels:
        index.add(wheel.filename, wheel.data)
    cli = make_cli(Recipe(packages=[locked(wheel) for wheel in wheels]))
    cli.sandbox.stand_in_for_pypi(index.index_url.removesuffix("simple/"))
    ended = cli("-t", "cp311,manylinux2014_x86_64")
    assert ended.code == 0
    (line,) = ended.out.splitlines()
    assert "  300 wheels  sha256:" in line
    lines = ended.err.splitlines()
    assert lines[0] == "Fetching 300 wheels"
    assert lines[1].startswith("Fetched 300 of 300, ")
    assert len(lines) <= 10
    assert all(len(line) < 130 for line in lines)
