from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from core.lockmaker import quick
from wheeltarget.core.wheelname import (
    MalformedWheelNameError,
    UnsafeFileNameError,
    WheelName,
    check_file_name,
    parse_wheel_name,
)

ALNUM = "abcXYZ019"
words = st.text(ALNUM, min_size=1, max_size=5)
names = st.lists(words, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from("._").map(lambda glue: "x" + glue.join(parts))
)
numbers = st.integers(0, 400).map(str)
versions = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["", "1!", "12!"]),
    st.lists(numbers, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["", "a1", "b2", "rc3", ".RC1"]),
    st.sampled_from(["", ".post4", "_post1"]),
    st.sampled_from(["", ".dev5"]),
    st.sampled_from(["", "+cu118", "+ubuntu.1", "+abc_2"]),
)
builds = st.none() | st.tuples(numbers, st.sampled_from(["", "a", "_local", ".x"]))


def tag_sets(tags: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(tags), min_size=1, max_size=3, unique=True)


pythons = tag_sets(["py3", "py2", "cp311", "pp39", "PY310"])
abis = tag_sets(["none", "abi3", "cp311", "cp313t", "pypy39_pp73"])
platforms = tag_sets(["any", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "Win_AMD64"])


@quick
@given(names, versions, builds, pythons, abis, platforms)
def test_a_legal_name_gives_back_its_parts(
    name: str,
    version: str,
    build: tuple[str, str] | None,
    pythons: list[str],
    abis: list[str],
    platforms: list[str],
) -> None:
    build_part = [] if build is None else ["".join(build)]
    sets = [".".join(tags) for tags in (pythons, abis, platforms)]
    filename = "-".join([name, version, *build_part, *sets]) + ".whl"

    wheel = parse_wheel_name(filename)

    assert wheel.filename == filename
    assert wheel.name == canonicalize_name(name)
    assert wheel.version == Version(version)
    assert wheel.build == (() if build is None else (int(build[0]), build[1]))
    assert wheel.pythons == tuple(map(str.lower, pythons))
    assert wheel.abis == tuple(map(str.lower, abis))
    assert wheel.platforms == tuple(map(str.lower, platforms))
    assert_packaging_agrees(wheel)


def assert_packaging_agrees(wheel: WheelName) -> None:
    try:
        name, version, build, tags = parse_wheel_filename(wheel.filename)
    except InvalidWheelFilename:
        return
    assert (wheel.name, wheel.version, wheel.build) == (name, version, build)
    assert set(wheel.tags()) == {str(tag) for tag in tags}


# --- what nobody would call a file ------------------------------------------------------------

PIECES = [
    *("foo", "Foo.Bar", "1.0", "1!2", "+cu118", "1", "py3", "none", "any", "abi3", "win32"),
    *("-", "-", "-", "-", ".", "_", "..", " ", "/", "\\", ":", "%2F", "\0", "\n", "\x1b", "~"),
    *("\u017f", "\u212a", "\u0130", "\u0661", "\u202e", "é", "*", "v", "0" * 60, ".whl"),
]
soups = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=14).map("".join)
legal = st.sampled_from(
    [
        "foo-1.0-py3-none-any.whl",
        "Foo.Bar_baz-1!2.0+cu118-7x-cp38.cp39-abi3-manylinux_2_17_x86_64.linux_x86_64.whl",
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A legal name of which a stretch was replaced by something else."""
    name = draw(legal)
    start = draw(st.integers(0, len(name)))
    end = draw(st.integers(start, min(len(name), start + 3)))
    return name[:start] + draw(st.sampled_from(PIECES) | st.characters()) + name[end:]


@settings(quick, max_examples=600)
@given(damaged() | soups | soups.map("foo-1.0-{}-py3-none-any.whl".format) | st.text())
def test_whatever_is_accepted_is_harmless(text: str) -> None:
    try:
        wheel = parse_wheel_name(text)
    except (UnsafeFileNameError, MalformedWheelNameError):
        return
    check_file_name(text)
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set("/\\:%\"<>|*? '`$&;(){}[]#@=,^~")
    assert text[0].isalnum()
    assert ".." not in text
    assert len(text) <= 255
    assert wheel.filename == text
    assert_packaging_agrees(wheel)
