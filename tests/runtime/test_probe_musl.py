"""Reading the interpreter's ELF header, and musl's version from its loader (PEP 656)."""

from __future__ import annotations

import io
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging import _manylinux, _musllinux
from packaging._elffile import ELFFile, ELFInvalid

from core.lockmaker import quick
from runtime.elfmaker import ARM, HARD_FLOAT, I386, MUSL, X86_64, elf, fake_loader, program
from wheeltarget.runtime import basics, linux
from wheeltarget.runtime.elf import parse_elf, read_elf

FORMS = [
    pytest.param(bits, little, id=f"{bits} bit {'little' if little else 'big'} endian")
    for bits in (32, 64)
    for little in (True, False)
]


# --- ELF ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "little"), FORMS)
def test_a_header_is_read(bits: int, little: bool) -> None:
    content = elf(b"/lib/ld.so", bits=bits, little=little, machine=ARM, flags=HARD_FLOAT)
    read = parse_elf(content)
    assert read is not None
    assert (read.bits, read.little) == (bits, little)
    assert (read.machine, read.flags, read.loader) == (ARM, HARD_FLOAT, "/lib/ld.so")
    theirs = ELFFile(io.BytesIO(content))
    assert (theirs.machine, theirs.flags, theirs.interpreter) == (ARM, HARD_FLOAT, "/lib/ld.so")


@pytest.mark.parametrize(("bits", "little"), FORMS)
def test_a_static_program_has_no_loader(bits: int, little: bool) -> None:
    content = elf(bits=bits, little=little)
    read = parse_elf(content)
    assert read is not None
    assert read.loader == ""
    assert ELFFile(io.BytesIO(content)).interpreter is None


def agree(content: bytes) -> None:
    """Both readings of a file say the same; ours has an answer even where packaging has none."""
    ours = parse_elf(content)
    try:
        theirs = ELFFile(io.BytesIO(content))
    except ELFInvalid:
        assert ours is None
        return
    assert ours is not None
    assert (ours.bits, ours.little) == (32 * theirs.capacity, theirs.encoding == 1)
    assert (ours.machine, ours.flags) == (theirs.machine, theirs.flags)
    try:
        loader = theirs.interpreter
    except OverflowError:  # an offset that no file has
        return
    assert ours.loader == (loader or "")


@pytest.mark.parametrize(("bits", "little"), FORMS)
def test_a_truncated_program_is_no_trouble(bits: int, little: bool) -> None:
    content = elf(b"/lib/ld-musl.so.1", bits=bits, little=little)
    for length in range(len(content)):
        agree(content[:length])
    assert parse_elf(content[:20]) is None


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"MZ" + bytes(200), b"\x7fELF"])
def test_what_is_no_program_is_not_read(content: bytes, tmp_path: Path) -> None:
    assert read_elf(program(tmp_path / "python", content)) is None
    agree(content)


@quick
@given(
    st.sampled_from(list(itertools.product((32, 64), (True, False)))),
    st.lists(st.tuples(st.integers(0, 250), st.binary(min_size=1, max_size=8)), max_size=4),
)
def test_damaged_programs(form: tuple[int, bool], damage: list[tuple[int, bytes]]) -> None:
    content = elf(b"/lib/ld-musl.so.1", bits=form[0], little=form[1])
    for place, garbage in damage:
        content = content[:place] + garbage + content[place + len(garbage) :]
    agree(content)


def test_an_offset_beyond_any_file() -> None:
    content = elf(b"/lib/ld-musl.so.1")
    beyond = content[:32] + b"\xff" * 8 + content[40:]
    read = parse_elf(beyond)
    assert read is not None
    assert read.loader == ""


@pytest.mark.parametrize("path", [None, "", "no/such/file", "\0"])
def test_no_program_at_all(path: str | None) -> None:
    assert read_elf(path) is None
    assert linux.musl_version(read_elf(path)) is None


def test_a_folder_is_no_program(tmp_path: Path) -> None:
    assert read_elf(str(tmp_path)) is None


# --- ARM and i686 ---------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("machine", [I386, ARM, X86_64])
@pytest.mark.parametrize("flags", [0, HARD_FLOAT, 0x05000200, 0x04000400, 0x05000600])
def test_manylinux_needs_the_right_abi(
    tmp_path: Path, bits: int, little: bool, machine: int, flags: int
) -> None:
    content = elf(bits=bits, little=little, machine=machine, flags=flags)
    path = program(tmp_path / "python", content)
    read = read_elf(path)
    assert read is not None
    for archs in (["armv8l", "armv7l"], ["armv7l"], ["i686"], ["x86_64"], ["ppc"], ["armv6l"]):
        assert linux.glibc_fits(read, archs) == _manylinux._have_compatible_abi(path, archs)
    fitting = (bits, little) == (32, True)
    assert linux.glibc_fits(read, ["i686"]) == (fitting and machine == I386)


@pytest.mark.parametrize("arch", ["armv7l", "i686", "x86_64", "riscv64", "mips"])
def test_without_a_program_only_unambiguous_architectures_fit(arch: str) -> None:
    assert linux.glibc_fits(None, [arch]) == _manylinux._have_compatible_abi("", [arch])
    assert linux.glibc_fits(None, [arch]) == (arch in {"x86_64", "riscv64"})


# --- musl -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "little"), FORMS)
def test_the_loader_tells_the_version(tmp_path: Path, bits: int, little: bool) -> None:
    loader = fake_loader(tmp_path)
    content = elf(os.fsencode(loader), bits=bits, little=little)
    path = program(tmp_path / "python", content)
    assert linux.musl_version(read_elf(path)) == (1, 2)
    assert _musllinux._get_musl_version(path) == (1, 2)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        (MUSL, (1, 2)),
        ("\n  musl libc\n\n  Version 2.30\n", (2, 30)),
        ("musl libc (armhf)\nVersion 1.1.24-git-4-g1b4e84c\n", (1, 1)),
        ("musl libc\n", None),
        ("musl libc\nversion 1.2\n", None),
        ("musl libc\nVersion unknown\n", None),
        ("usage: ld.so\nVersion 1.2.3\n", None),
        ("Version 1.2.3\nmusl\n", None),
        ("", None),
        ("musl \u00e9\nVersion 1.2\n", (1, 2)),
    ],
)
def test_what_a_loader_may_say(tmp_path: Path, said: str, version: tuple[int, int] | None) -> None:
    path = program(tmp_path / "python", elf(os.fsencode(fake_loader(tmp_path, said))))
    assert linux.musl_version(read_elf(path)) == version
    assert _musllinux._get_musl_version(path) == version


def test_the_loader_gets_none_of_our_streams(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    loader = fake_loader(tmp_path)
    loader.write_text("#!/bin/sh\necho noise\ncat >&2\n", encoding="utf-8")
    reading, writing = os.pipe()
    os.write(writing, MUSL.encode())
    os.close(writing)
    own = os.dup(0)
    os.dup2(reading, 0)
    try:
        read = parse_elf(elf(os.fsencode(loader)))
        assert linux.musl_version(read) is None
        assert os.read(reading, 4) == b"musl"
    finally:
        os.dup2(own, 0)
        os.close(own)
        os.close(reading)
    assert capfd.readouterr() == ("", "")


def test_another_loader_is_not_run(tmp_path: Path) -> None:
    loader = fake_loader(tmp_path, name="ld-linux.so.2")
    assert "musl" not in str(loader), "the temporary folder's name would spoil this test"
    path = program(tmp_path / "python", elf(os.fsencode(loader)))
    assert linux.musl_version(read_elf(path)) is None
    assert _musllinux._get_musl_version(path) is None


@pytest.mark.parametrize("loader", [b"/no/such/ld-musl-x86_64.so.1", b"/ld-musl\0x", b"musl"])
def test_a_loader_that_cannot_be_run(loader: bytes) -> None:
    with pytest.raises(basics.ProbeError, match="its musl does not tell its version: "):
        linux.musl_version(parse_elf(elf(loader)))


@pytest.mark.parametrize("version", [(1, 0), (1, 1), (1, 2), (2, 3)])
@pytest.mark.parametrize("archs", [["x86_64"], ["armv8l", "armv7l"]])
def test_musllinux_tags(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], archs: list[str]
) -> None:
    theirs = _musllinux._MuslVersion(*version)
    monkeypatch.setattr(_musllinux, "_get_musl_version", lambda executable: theirs)
    found = linux.musl_platforms(version, archs)
    assert found == list(_musllinux.platform_tags(archs))
    assert len(found) == len(archs) * (version[1] + 1)
