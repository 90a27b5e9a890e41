from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from wheeltarget.core.wheelname import (
    MalformedWheelNameError,
    UnsafeFileNameError,
    bundle_file_name,
    check_file_name,
    contradicts_package,
    is_wheel_name,
    parse_wheel_name,
)

# --- FAULTS 5: legal oddities are accepted and keep their spelling ---------------------------


@pytest.mark.parametrize(
    ("filename", "name", "version", "build", "tags"),
    [
        ("foo-1.0-py3-none-any.whl", "foo", "1.0", (), ["py3-none-any"]),
        ("Foo.Bar_baz-1.0-py3-none-any.whl", "foo-bar-baz", "1.0", (), ["py3-none-any"]),
        ("foo-1!2.0-py3-none-any.whl", "foo", "1!2.0", (), ["py3-none-any"]),
        ("torch-2.0+cu118-cp311-cp311-win_amd64.whl", "torch", "2.0+cu118", (), None),
        ("foo-1.0_post1-py3-none-any.whl", "foo", "1.0.post1", (), None),
        ("foo-1.0-1-py3-none-any.whl", "foo", "1.0", (1, ""), ["py3-none-any"]),
        ("foo-1.0-02_local.b-py3-none-any.whl", "foo", "1.0", (2, "_local.b"), None),
        (
            "foo-1.0-py2.py3-none-any.whl",
            "foo",
            "1.0",
            (),
            ["py2-none-any", "py3-none-any"],
        ),
        (
            "foo-1.0-cp38-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "foo",
            "1.0",
            (),
            ["cp38-abi3-manylinux_2_17_x86_64", "cp38-abi3-manylinux2014_x86_64"],
        ),
        (
            "foo-1.0-CP38-CP38.abi3-Win_AMD64.whl",
            "foo",
            "1.0",
            (),
            ["cp38-cp38-win_amd64", "cp38-abi3-win_amd64"],
        ),
        ("foo-1.0-py3.py3-none-any.any.whl", "foo", "1.0", (), ["py3-none-any"]),
    ],
)
def test_a_legal_name_is_read(
    filename: str,
    name: str,
    version: str,
    build: tuple[()] | tuple[int, str],
    tags: list[str] | None,
) -> None:
    wheel = parse_wheel_name(filename)
    assert wheel.filename == filename
    assert wheel.name == name
    assert wheel.version == Version(version)
    assert wheel.build == build
    if tags is not None:
        assert list(wheel.tags()) == tags


def test_pairs_are_every_python_with_every_abi() -> None:
    wheel = parse_wheel_name("foo-1-cp37.cp38-cp37m.abi3-win32.win_amd64.whl")
    assert list(wheel.pairs()) == [
        ("cp37", "cp37m"),
        ("cp37", "abi3"),
        ("cp38", "cp37m"),
        ("cp38", "abi3"),
    ]


def test_builds_compare_as_numbers_and_any_build_beats_none() -> None:
    builds = [
        parse_wheel_name(f"foo-1.0{part}-py3-none-any.whl").build
        for part in ("", "-1", "-1a", "-2", "-10")
    ]
    assert builds == sorted(builds)
    assert len(set(builds)) == len(builds)


# --- FAULTS 1 and 2: hostile names ------------------------------------------------------------

WHEEL = "foo-1.0-py3-none-any.whl"
CONTROL = "it holds a control or invisible character"
EDGE = "it begins or ends with a character that file systems treat apart"
DEVICE = "it is the name of a device on Windows"


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("foo-1.0-1/../../../tmp/evil-py3-none-any.whl", "it holds /"),
        ("/etc/passwd", "it holds /"),
        (f"a/{WHEEL}", "it holds /"),
        (f"..\\{WHEEL}", "it holds \\"),
        (f"C:{WHEEL}", "it holds :"),
        ("foo-1.0-1\\x-py3-none-any.whl", "it holds \\"),
        ("foo-1.0-1%2F..-py3-none-any.whl", "it holds %"),
        ("foo*?.whl", "it holds * ?"),
        ('a"<>|b.whl', 'it holds " < > |'),
        ("foo\0.whl", CONTROL),
        (f"{WHEEL}\n", CONTROL),
        ("foo-1.0-1\n-py3-none-any.whl", CONTROL),
        ("foo\x1b[31m.whl", CONTROL),
        ("foo\x7f.whl", CONTROL),
        ("foo\x9b31m.whl", CONTROL),
        ("foo\u202elhw.gpj", CONTROL),
        ("foo\u200b.whl", CONTROL),
        ("foo\u00a0.whl", CONTROL),
        ("foo\ud800.whl", CONTROL),
        ("", "it is empty"),
        (".", EDGE),
        ("..", EDGE),
        (f".{WHEEL}", EDGE),
        (f"-{WHEEL}", EDGE),
        (f"~{WHEEL}", EDGE),
        (f" {WHEEL}", EDGE),
        (f"{WHEEL}.", EDGE),
        (f"{WHEEL} ", EDGE),
        ("foo-1..0.tar.gz", "it holds .."),
        ("con.whl", DEVICE),
        ("NUL", DEVICE),
        ("aux.tar.gz", DEVICE),
        ("Prn .zip", DEVICE),
        ("COM1.whl", DEVICE),
        ("lpt9.x.whl", DEVICE),
        ("com¹.whl", DEVICE),
        ("CONIN$.zip", DEVICE),
        ("conout$.x", DEVICE),
        ("f" * 252 + ".whl", "it is longer than 255 bytes"),
        ("é" * 126 + ".zip", "it is longer than 255 bytes"),
    ],
)
def test_a_hostile_name_is_refused_with_the_reason(filename: str, reason: str) -> None:
    for check in (check_file_name, parse_wheel_name):
        with pytest.raises(UnsafeFileNameError) as caught:
            check(filename)
        assert str(caught.value) == reason


@pytest.mark.parametrize(
    "filename",
    [
        WHEEL,
        "f" * 251 + ".whl",
        "é" * 125 + ".zip",
        "con-1.0-py3-none-any.whl",
        "com10.whl",
        "console.whl",
        "foo~-1.0.tar.gz",
        "foo 1.0.zip",
        "naïve-1.0.tar.gz",
        "XlsxWriter-3.0.X",
    ],
)
def test_a_harmless_name_passes(filename: str) -> None:
    check_file_name(filename)


# --- harmless, and yet no wheel's name --------------------------------------------------------


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("foo-1.0.tar.gz", "it does not end in .whl"),
        ("foo-1.0-py3-none-any.WHL", "it does not end in .whl"),
        ("foo-1.0-py3-none-any.whl.zip", "it does not end in .whl"),
        ("foo.whl", "it has 1 parts instead of 5 or 6"),
        ("foo-1.0-py3-none.whl", "it has 4 parts instead of 5 or 6"),
        ("foo-1.0-1-2-py3-none-any.whl", "it has 7 parts instead of 5 or 6"),
        ("_foo-1.0-py3-none-any.whl", "'_foo' is not a distribution name"),
        ("foo_-1.0-py3-none-any.whl", "'foo_' is not a distribution name"),
        ("f o-1.0-py3-none-any.whl", "'f o' is not a distribution name"),
        ("föo-1.0-py3-none-any.whl", "'föo' is not a distribution name"),
        ("foo-x-py3-none-any.whl", "'x' is not a version"),
        ("foo--py3-none-any.whl", "'' is not a version"),
        ("foo-1.0_1-py3-none-any.whl", "'1.0_1' is not a version"),
        ("foo- 1.0 -py3-none-any.whl", "' 1.0 ' is not a version"),
        ("foo-1.0 -py3-none-any.whl", "'1.0 ' is not a version"),
        ("foo-1.\u0660-py3-none-any.whl", "'1.\u0660' is not a version"),
        ("foo-1.0+\u212a-py3-none-any.whl", "'1.0+\u212a' is not a version"),
        ("foo-1.0-a1-py3-none-any.whl", "'a1' is not a build tag"),
        ("foo-1.0--py3-none-any.whl", "'' is not a build tag"),
        ("foo-1.0-1 x-py3-none-any.whl", "'1 x' is not a build tag"),
        ("foo-1.0-\u0661-py3-none-any.whl", "'\u0661' is not a build tag"),
        ("foo-1.0--none-any.whl", "'' is not a tag"),
        ("foo-1.0-py3-no ne-any.whl", "'no ne' is not a tag"),
        ("foo-1.0-py3.-none-any.whl", "'py3.' is not a tag"),
        ("foo-1.0-py3-none-.any.whl", "'.any' is not a tag"),
        ("foo-1.0-py3-none-a+b.whl", "'a+b' is not a tag"),
        # Letters that become ASCII ones only when case is ignored.
        ("foo-1.0-py3-none-linu\u017f.whl", "'linu\u017f' is not a tag"),
        ("foo-1.0-py3-none-\u212a.whl", "'\u212a' is not a tag"),
        ("foo-1.0-py3-none-w\u0130n32.whl", "'w\u0130n32' is not a tag"),
    ],
)
def test_a_malformed_wheel_name_is_refused_with_the_reason(filename: str, reason: str) -> None:
    with pytest.raises(MalformedWheelNameError) as caught:
        parse_wheel_name(filename)
    assert str(caught.value) == reason


def many(prefix: str, count: int) -> str:
    return ".".join(f"{prefix}{index}" for index in range(count))


def test_a_tag_set_that_expands_too_far_is_refused() -> None:
    allowed = f"foo-1-{many('a', 10)}-{many('b', 10)}-{many('c', 20)}.whl"
    assert len(list(parse_wheel_name(allowed).tags())) == 2000
    with pytest.raises(MalformedWheelNameError, match=r"^its tags expand to 2200$"):
        parse_wheel_name(f"foo-1-{many('a', 11)}-{many('b', 10)}-{many('c', 20)}.whl")


@pytest.mark.parametrize(
    ("filename", "claims"),
    [("a.whl", True), ("A.WHL", True), ("a.whl.zip", False), ("whl", False), ("a.tar.gz", False)],
)
def test_what_claims_to_be_a_wheel(filename: str, claims: bool) -> None:
    assert is_wheel_name(filename) is claims


# --- FAULTS 4: a source archive of something else ---------------------------------------------


@pytest.mark.parametrize(
    ("filename", "contradicts"),
    [
        ("foo-bar-1.0.tar.gz", False),
        ("Foo.Bar-1.0.zip", False),
        ("foo_bar-1.0.0.tgz", False),
        ("foo-bar-1.0.tar.bz2", False),
        ("foo-bar-1.0.tar.xz", False),
        ("foo-bar-1.0.tar.Z", False),
        ("foo-bar-1.0.tar", False),
        ("foo-bar-1.1.tar.gz", True),
        ("evil-1.0.tar.gz", True),
        ("bar-1.0.zip", True),
        ("bar-1.0.tar.bz2", True),
        ("bar-1.0.tar.xz", True),
        ("bar-1.0.tar.Z", True),
        ("bar-1.0.tar", True),
        ("bar-1.0.tgz", True),
        ("foo-bar-2-1.0.tgz", True),
        # Nothing that can be read as project and version: no contradiction.
        ("foo-bar.tar.gz", False),
        ("snapshot.zip", False),
        ("foo-bar-1.0.linux-x86_64.tar.gz", False),
        # Of other kinds of files nothing is known.
        ("evil-1.0.exe", False),
        ("evil-1.0-py2.7.egg", False),
    ],
)
def test_a_source_archive_of_another_project_or_version_is_noticed(
    filename: str, contradicts: bool
) -> None:
    name, version = canonicalize_name("foo-bar"), Version("1.0")
    assert contradicts_package(filename, name, version) is contradicts


def test_a_version_with_a_dash_may_be_read_in_several_ways() -> None:
    foo = canonicalize_name("foo")
    assert not contradicts_package("foo-1.0-1.tar.gz", foo, Version("1.0.post1"))
    assert not contradicts_package("foo-1-1.tar.gz", canonicalize_name("foo-1"), Version("1"))
    assert contradicts_package("foo-1.0-1.tar.gz", foo, Version("1.0"))


# --- the name of a bundle ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("dist/{name}-{version}-{target}.zip", "dist/n-1.0-t.zip"),
        ("{target}/{target}{name}", "t/tn"),
        ("plain.zip", "plain.zip"),
        ("", ""),
    ],
)
def test_a_template_is_filled(template: str, expected: str) -> None:
    assert bundle_file_name(template, name="n", version="1.0", target="t") == expected


def test_what_is_filled_in_is_not_read_again() -> None:
    assert bundle_file_name("{name}{version}", name="{version}", version="{x", target="t") == (
        "{version}{x"
    )


@pytest.mark.parametrize(
    ("template", "bad"),
    [
        ("{nam}.zip", "{nam}"),
        ("{}.zip", "{}"),
        ("{name.zip", "{"),
        ("name}.zip", "}"),
        ("{{name}}", "{"),
        ("{name!r}", "{name!r}"),
        ("{name:>9}", "{name:>9}"),
    ],
)
def test_another_placeholder_is_refused(template: str, bad: str) -> None:
    with pytest.raises(ValueError, match="unknown placeholder") as caught:
        bundle_file_name(template, name="n", version="1.0", target="t")
    assert str(caught.value) == f"unknown placeholder {bad!r}"
