"""Description files: our own form, and pex's complete platforms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import Raw, quick, target_for
from wheeltarget.core.description import (
    Description,
    described_target,
    description_document,
    read_description,
)
from wheeltarget.core.platforms import Kind
from wheeltarget.core.presets import presets
from wheeltarget.core.target import PythonVersion, Target

TAGS = [
    "cp311-cp311-manylinux_2_26_x86_64",
    "cp311-abi3-manylinux_2_26_x86_64",
    "py3-none-any",
]
MARKERS = {"platform_machine": "x86_64", "python_full_version": "3.11.9"}
#: As pex writes them from inside a container, kernel included.
PEX: Raw = {
    "path": "/var/lang/bin/python3.11",
    "compatible_tags": TAGS,
    "marker_environment": {
        "implementation_name": "cpython",
        "implementation_version": "3.11.9",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "5.15.0-1052-aws",
        "platform_system": "Linux",
        "platform_version": "#57~20.04.1-Ubuntu SMP",
        "python_full_version": "3.11.9",
        "python_version": "3.11",
        "sys_platform": "linux",
    },
}


def own(**keys: Any) -> Raw:
    return {"schema": 1, "tags": TAGS, "markers": MARKERS, **keys}


def read(raw: object) -> Description:
    return read_description(json.dumps(raw).encode())


def refused(raw: object) -> str:
    data = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        read_description(data)
    return str(caught.value)


# --- there and back ---------------------------------------------------------------------------

SPECS = st.sampled_from(
    [
        *(name for name in presets() if name.startswith(("aws", "pyodide", "debian", "alpine"))),
        "cp38-cp38-manylinux2010_x86_64",
        "cp37m,manylinux1,i686",
        "cp313t,manylinux_2_28_aarch64",
        "pp310,macosx_11_0_arm64",
        "macosx_12_0_universal2",
        "linux_armv7l",
        "manylinux_2_28_armv7l,linux_armv7l",
        "ios_13_0_arm64_iphoneos",
        "android_24_arm64_v8a",
        "win_arm64",
    ]
)


@quick
@given(SPECS, st.sampled_from(["3.11", "3.12.4", "3.13"]))
def test_a_target_is_what_its_description_describes(spec: str, python: str) -> None:
    target = target_for(spec, python)
    description = read(description_document(target))
    assert description.frozen == ()
    assert described_target(description, target.name) == target


def test_a_fact_that_was_given_is_kept_and_an_unknown_one_stays_unknown() -> None:
    target = target_for("manylinux2014_x86_64", markers={"platform_release": "5.10"})
    markers = read(description_document(target)).markers
    assert markers["platform_release"] == "5.10"
    assert "platform_version" not in markers


def test_the_form_in_full() -> None:
    target = target_for("win32", "3.11.9")
    document = description_document(target)
    assert list(document) == [
        "schema",
        "python",
        "implementation",
        "abis",
        "platforms",
        "markers",
        "tags",
    ]
    assert document["schema"] == 1
    assert document["python"] == "3.11.9"
    assert document["abis"] == ["cp311"]
    assert document["platforms"] == ["win32"]
    assert document["tags"] == list(target.tags)


# --- what is read -----------------------------------------------------------------------------


def test_tags_and_markers_are_enough() -> None:
    description = read(own())
    assert description.python == PythonVersion(3, 11, 9)
    assert description.implementation == "cp"
    assert description.abis == ("cp311",)
    assert description.platforms == ("manylinux_2_26_x86_64",)
    assert description.tags == tuple(TAGS)
    assert description.primary.tag == "manylinux_2_26_x86_64"


def test_what_follows_from_the_tags_is_known_without_being_said() -> None:
    markers = read(own(markers={})).markers
    assert markers["sys_platform"] == "linux"
    assert markers["python_version"] == "3.11"
    assert markers["implementation_name"] == "cpython"
    assert "python_full_version" not in markers
    assert "implementation_version" not in markers


def test_the_python_may_bring_the_patch_level() -> None:
    assert read(own(markers={}, python="3.11.4")).markers["python_full_version"] == "3.11.4"
    assert read(own(markers={}, python="3.11")).python == PythonVersion(3, 11)


def test_a_pre_release_has_no_patch_level_yet() -> None:
    description = read(own(markers={"python_full_version": "3.11.0b2"}, python="3.11"))
    assert description.python == PythonVersion(3, 11)
    assert description.markers["python_full_version"] == "3.11.0b2"


def test_the_marker_of_a_32_bit_python_may_be_that_of_its_kernel() -> None:
    tags = ["cp311-cp311-linux_armv7l"]
    markers = {"platform_machine": "aarch64"}
    assert read(own(tags=tags, markers=markers)).markers["platform_machine"] == "aarch64"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_be_written_by_powershell(encoding: str) -> None:
    assert read_description(json.dumps(own()).encode(encoding)) == read(own())


def test_a_plus_after_the_version_is_no_part_of_it() -> None:
    description = read(own(markers={"python_full_version": "3.11.9+"}))
    assert description.python == PythonVersion(3, 11, 9)
    assert description.markers["python_full_version"] == "3.11.9"


def test_bare_linux_tags_rank_last_of_the_platforms_wherever_they_stand() -> None:
    tags = [
        f"cp311-{abi}-{platform}"
        for abi in ("cp311", "abi3")
        for platform in ("linux_x86_64", "manylinux_2_17_x86_64")
    ]
    description = read(own(tags=tags, platforms=["linux_x86_64", "manylinux_2_17_x86_64"]))
    assert description.tags == (tags[1], tags[0], tags[3], tags[2])
    assert description.platforms == ("manylinux_2_17_x86_64", "linux_x86_64")


@pytest.mark.parametrize(
    "platforms",
    [
        ("linux_armv8l", "linux_armv7l", "manylinux_2_17_armv7l"),
        ("macosx_12_0_arm64", "macosx_12_0_universal2", "macosx_10_16_universal2"),
        ("macosx_12_0_x86_64", "macosx_12_0_intel", "macosx_12_0_fat64", "macosx_12_0_universal"),
        ("pyemscripten_2025_0_wasm32", "pyodide_2025_0_wasm32", "emscripten_4_0_9_wasm32"),
    ],
)
def test_what_one_machine_takes_under_several_names_is_no_contradiction(
    platforms: tuple[str, ...],
) -> None:
    found = of_tags(*(f"cp311-cp311-{platform}" for platform in platforms)).platforms
    assert sorted(found) == sorted(platforms)


def test_many_tags_are_read_in_no_time() -> None:
    tags = [f"cp311-cp311-x{number}" for number in range(60_000)]
    assert len(read(own(tags=tags, markers={})).tags) == 60_000


def test_an_empty_or_null_value_is_unknown() -> None:
    markers = {"platform_release": "", "platform_version": None, "implementation_version": "3.11.9"}
    known = read(own(markers=markers)).markers
    assert known["implementation_version"] == "3.11.9"
    assert not {"platform_release", "platform_version"} & known.keys()


def of_tags(*tags: str) -> Target:
    return described_target(read(own(tags=list(tags), markers={})), "x")


def test_the_platform_to_compare_by_has_a_known_c_library_where_there_is_one() -> None:
    tags = [f"cp311-cp311-{p}" for p in ("linux_x86_64", "manylinux_2_17_x86_64")]
    assert of_tags(*tags).primary.tag == "manylinux_2_17_x86_64"
    assert of_tags(tags[0]).primary.kind is Kind.LINUX


@pytest.mark.parametrize("platform", ["freebsd_14_1_release_amd64", "manylinux_2_17_mips64"])
def test_a_machine_of_another_kind_can_be_described(platform: str) -> None:
    target = of_tags(f"cp311-cp311-{platform}", "py3-none-any")
    assert target.primary.kind is Kind.OTHER
    assert target.primary.tag == platform
    assert "sys_platform" not in target.environment


def test_another_implementation_can_be_described() -> None:
    target = of_tags("graalpy311-graalpy240_311_native-manylinux_2_17_x86_64", "py3-none-any")
    assert (target.implementation, target.abis) == ("graalpy", ("graalpy240_311_native",))
    assert "implementation_name" not in target.environment


def test_several_abis_of_one_interpreter_are_its_own() -> None:
    tags = [f"cp311-{abi}-win32" for abi in ("cp311d", "cp311", "abi3", "none")]
    assert of_tags(*tags, "cp310-abi3-win32").abis == ("cp311d", "cp311")


# --- pex --------------------------------------------------------------------------------------


def test_a_complete_platform_of_pex_is_read_without_its_builders_kernel() -> None:
    description = read(PEX)
    assert description.python == PythonVersion(3, 11, 9)
    assert description.tags == tuple(TAGS)
    assert description.frozen == ("platform_release", "platform_version")
    assert description.markers["implementation_version"] == "3.11.9"
    assert not {"platform_release", "platform_version"} & description.markers.keys()


def pex(**markers: str | None) -> Raw:
    return {"compatible_tags": TAGS, "marker_environment": markers}


def test_a_complete_platform_without_a_kernel_has_nothing_frozen() -> None:
    assert read(pex(python_version="3.11", platform_release=None)).frozen == ()


def test_where_nothing_says_the_system_a_release_is_taken_for_a_kernels() -> None:
    assert read(pex(platform_release="5.10")).frozen == ("platform_release",)


def test_on_a_mac_the_release_is_a_part_of_the_system() -> None:
    raw = pex(platform_system="Darwin", platform_release="22.6.0")
    raw["compatible_tags"] = ["cp311-cp311-macosx_13_0_arm64"]
    description = read(raw)
    assert description.frozen == ()
    assert description.markers["platform_release"] == "22.6.0"


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"x", "is not JSON: Expecting value (line 1, column 1)"),
        (b'{"schema": 1,}', "is not JSON: "),
        (b"\xff", "is not UTF-8: invalid start byte at byte 0"),
        (b"\xff\xfex", "is not UTF-16: truncated data at byte 2"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"schema": 1, "schema": 1}', "schema: stands twice"),
        (b'{"a\\nb": 1, "a\\nb": 1}', '"a\\nb": stands twice'),
        (b'{"schema": ' + b"1" * 5000 + b"}", "schema: must be a whole number, not a number"),
        (b'{"schema": NaN}', "schema: must be a whole number, not a number"),
        ([1], "(the whole): must be an object, not an array"),
        ({"a\nb": 1}, '"a\\nb": unknown key'),
        ({}, "schema: is missing"),
        (own(schema=2), "schema: is 2; this version reads 1"),
        (own(schema="1"), "schema: must be a whole number, not a string"),
        (own(tag=[]), "unknown key; did you mean 'tags'?"),
        ({"schema": 1, "markers": {}}, "tags: is missing"),
        ({"schema": 1, "tags": TAGS}, "markers: is missing"),
        (own(tags="cp311"), "tags: must be an array, not a string"),
        (own(tags=[]), "tags: names no tag"),
        (own(tags=[*TAGS, 1]), "tags[3]: must be a string, not a whole number"),
        (own(tags=[*TAGS, "cp311"]), "tags[3]: 'cp311' is not a wheel tag such as"),
        (own(tags=["cp311-cp311-a b"]), "tags[0]: 'cp311-cp311-a b' is not a wheel tag"),
        (own(tags=[*TAGS, TAGS[0]]), f"tags[3]: '{TAGS[0]}' stands twice"),
        (own(tags=["cp311-cp311-any"]), "tags: none of the tags is of a platform"),
        (own(tags=[*TAGS, "cp311-cp311-win32"]), "tags: no machine is all of manylinux_2_26"),
        (own(tags=[*TAGS, "cp311-cp311-linux_aarch64"]), "tags: no machine is all of"),
        (own(tags=[*TAGS, "cp311-cp311-musllinux_1_2_x86_64"]), "tags: no machine is all of"),
        (
            own(tags=[f"cp313-cp313-pyodide_{year}_0_wasm32" for year in (2024, 2025)]),
            "tags: no machine is all of pyodide_2024_0_wasm32, pyodide_2025_0_wasm32",
        ),
        (own(tags=[*TAGS, "cp310-cp310-linux_x86_64"]), "of several interpreters: cp311, cp310"),
        (own(tags=[*TAGS, "cp312-abi3-linux_x86_64"]), "cp312-abi3-linux_x86_64 is not for Pyth"),
        (own(tags=[*TAGS, "py312-none-any"]), "tags: py312-none-any is not for Python 3.11"),
        (
            own(tags=["cp313-cp313-win32", "cp313-cp313t-win32"]),
            "tags: the ABIs cp313, cp313t are of two interpreters",
        ),
        (own(tags=["cp311-cp311-" + "a" * 61]), "tags[0]: 'cp311-cp311-aaaa"),
        (own(tags=["py3-none-win32"]), "tags: none of the tags is of an interpreter"),
        (own(tags=["py3-abi3-win32"]), "tags: none of the tags is of an interpreter"),
        (own(tags=["cp27-cp27m-win32"]), "tags: there is no Python 2.7 to bundle for"),
        (own(markers=[]), "markers: must be a table, not an array"),
        (own(markers={"os": "x"}), "markers.os: unknown key"),
        (own(markers={"os_name": 1}), "markers.os_name: must be a string, not a whole number"),
        (
            own(markers={"os_name": "nt"}),
            "os_name: contradicts the tags, which mean 'posix'",
        ),
        (own(markers={"python_version": "3.10"}), "markers.python_version: contradicts the tags"),
        (own(markers={"implementation_name": "pypy"}), "markers.implementation_name: contradicts"),
        (
            own(markers={"python_full_version": "3.10.4"}),
            "markers.python_full_version: '3.10.4' contradicts Python 3.11",
        ),
        *(
            (own(markers={"python_full_version": text}), f"{text!r} is no version of Python with")
            for text in ("3.11", "1!3.11.9", "3.11.9.1")
        ),
        (own(markers={"python_full_version": "3.11.99999"}), "is not a Python version such as"),
        (
            own(markers={"platform_machine": "aarch64"}),
            "markers.platform_machine: contradicts the tags, which mean 'x86_64'",
        ),
        (
            own(markers={"python_full_version": "3.11.x"}),
            "markers.python_full_version: '3.11.x' is not a version",
        ),
        (own(python="3.10"), "python: contradicts the tags, which are of Python 3.11"),
        (own(python="3.11.4"), "markers.python_full_version: '3.11.9' contradicts Python 3.11.4"),
        (own(python="x"), "python: 'x' is not a Python version"),
        (own(implementation="pp"), "implementation: contradicts the tags, which are of cp"),
        (own(abis=["cp311d"]), "abis: contradicts the tags, which are of cp311"),
        (own(platforms=["win32"]), "platforms: contradicts the tags, which are of manylinux_2_26"),
        ({"compatible_tags": TAGS}, "marker_environment: is missing"),
        ({"marker_environment": {}}, "compatible_tags: is missing"),
        (pex(python_version="3.10"), "marker_environment.python_version: contradicts the tags"),
        (pex(extra="x"), "marker_environment.extra: unknown key"),
    ],
)
def test_a_malformed_description_names_its_key(raw: object, reason: str) -> None:
    assert reason in refused(raw)


@pytest.mark.parametrize(
    "raw",
    [own(tags=["x" * 10**6]), own(python="x" * 10**6), {"x" * 10**6: 1}],
)
def test_what_is_very_long_is_not_quoted_in_full(raw: object) -> None:
    assert len(refused(raw)) < 1000


def test_a_long_list_is_named_by_its_beginning() -> None:
    tags = [f"cp311-cp311-manylinux_2_{minor}_x86_64" for minor in (26, 25, 24, 23)]
    message = refused(own(tags=tags, platforms=["win32"]))
    assert message.endswith(
        "manylinux_2_26_x86_64, manylinux_2_25_x86_64, manylinux_2_24_x86_64, ..."
    )


@quick
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["schema", "tags", "markers", "python", "abis", "compatible_tags"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_is_no_description_is_refused_and_nothing_else_happens(raw: object) -> None:
    refused(raw)
