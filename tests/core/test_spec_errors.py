from __future__ import annotations

import re

import pytest

from core.lockmaker import target_for
from wheeltarget.core.platforms import ARCHITECTURES, PlatformError, parse_platform
from wheeltarget.core.presets import presets
from wheeltarget.core.spec import Draft, SpecError, complete, parse_spec
from wheeltarget.core.target import PythonVersion


def refused(spec: str, names: tuple[str, ...] = ()) -> str:
    with pytest.raises(SpecError) as caught:
        complete(parse_spec(spec, names), PythonVersion(3, 11))
    return str(caught.value)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("", "'' has an empty part"),
        ("cp311,,win32", "'cp311,,win32' has an empty part"),
        ("win32, ", "'win32, ' has an empty part"),
        (
            "cp311",
            "'cp311' names no platform; add one, for example cp311,manylinux_2_28_x86_64",
        ),
        ("py3,abi3", "'py3,abi3' names no platform"),
        ("x86_64", "x86_64 is an architecture; add a platform, for example manylinux_2_28"),
        (
            "manylinux2014,cp311",
            "manylinux2014 needs an architecture, for example manylinux2014,x86_64",
        ),
        ("any", "a target is one machine, so its platform cannot be 'any'"),
        ("py3-none-any", "a target is one machine, so its platform cannot be 'any'"),
        ("manylinux2010_aarch64", "manylinux2010_aarch64 never existed"),
        ("manylinux1,aarch64", "manylinux1_aarch64 never existed"),
        ("cp38-cp38-manylinux2010_aarch64", "manylinux2010_aarch64 never existed"),
        ("macosx_11_0,ppc64le", "unknown architecture 'ppc64le'"),
        ("win,x86_64", "unknown platform tag 'win_x86_64'"),
        ("manylinux2014_x86-64", "did you mean 'manylinux2014_x86_64'?"),
        ("win_amd46", "unknown platform tag 'win_amd46'; did you mean 'win_amd64'?"),
        ("cp27,win32", "there is no Python 2.7 to bundle for"),
        ("cp27mu,win32", "there is no Python 2.7 to bundle for"),
        ("3.1,win32", "there is no Python 3.1 to bundle for"),
        ("cp3,win32", "unknown part 'cp3'"),
        ("py2,win32", "unknown part 'py2'"),
        ("3,win32", "unknown part '3'"),
        ("311,win32", "unknown part '311'"),
        ("py2.py3-none-win32", "'py2.py3' in 'py2.py3-none-win32' is not a python tag"),
        ("cp311-foo-win32", "'foo' in 'cp311-foo-win32' is not an ABI tag"),
        ("cp311-py311-win32", "'py311' in 'cp311-py311-win32' is not an ABI tag"),
        ("cp311-cp311x-win32", "'cp311x' in 'cp311-cp311x-win32' is not an ABI tag"),
        ("cp313tx,win32", "unknown part 'cp313tx'"),
        ("pypy39_pp73x,win32", "unknown part 'pypy39_pp73x'"),
        ("cp311-cp311-nonsense", "unknown platform tag 'nonsense'"),
        ("cp311-cp311-", "unknown platform tag ''"),
        ("cp311-cp311", "unknown target 'cp311-cp311'"),
        ("a-b-c-d", "unknown target 'a-b-c-d'"),
    ],
)
def test_what_is_no_target_is_refused_with_the_reason(spec: str, reason: str) -> None:
    message = refused(spec)
    assert message.startswith(reason) or message.endswith(f"; {reason}")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("cp311,cp312,win32", "Python 3.11 and Python 3.12 contradict each other"),
        ("cp311-cp310-win32", "Python 3.11 and Python 3.10 contradict each other"),
        ("cp311,cp313t,win32", "Python 3.11 and Python 3.13 contradict each other"),
        ("py39,pypy310_pp73,win32", "Python 3.9 and Python 3.10 contradict each other"),
        ("3.11.4,3.11.5,win32", "Python 3.11.4 and Python 3.11.5 contradict each other"),
        ("cp311,pp311,win32", "CPython and PyPy are two implementations"),
        ("pp311-cp311-win32", "PyPy and CPython are two implementations"),
        ("pp313,cp313t,win32", "PyPy and CPython are two implementations"),
        (
            "manylinux1,manylinux2014,x86_64",
            "manylinux1 and manylinux2014 are two platforms without an architecture",
        ),
        ("win,x86,amd64", "x86 and amd64 are two architectures"),
        (
            "manylinux2014_x86_64,manylinux2014_aarch64",
            "manylinux_2_17_x86_64 and manylinux_2_17_aarch64 are of two architectures",
        ),
        (
            "manylinux2014_x86_64,musllinux_1_2_x86_64",
            "no machine is all of manylinux_2_17_x86_64, musllinux_1_2_x86_64",
        ),
        (
            "linux_x86_64,macosx_11_0_x86_64",
            "no machine is all of linux_x86_64, macosx_11_0_x86_64",
        ),
        (
            "linux_x86_64,manylinux1_x86_64,musllinux_1_1_x86_64",
            "no machine is all of linux_x86_64, manylinux_2_5_x86_64, musllinux_1_1_x86_64",
        ),
        ("win32,linux_i686", "win32 and linux_i686 are of two architectures"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(spec: str, reason: str) -> None:
    assert refused(spec) == reason


# --- declared targets -------------------------------------------------------------------------


def test_a_misspelled_declared_target_is_suggested() -> None:
    assert refused("prdo", ("prod", "staging")) == (
        "unknown target 'prdo'; did you mean 'prod' (declared)?"
    )


def test_a_declared_target_stands_alone() -> None:
    assert refused("win_amd64, prod", ("prod",)) == (
        "prod is a declared target, which stands alone; give --target for each"
    )


def test_an_unknown_target_is_quoted_as_written_with_what_there_is() -> None:
    assert refused("Prod", ("prod",)) == "unknown target 'Prod'; did you mean 'prod' (declared)?"
    assert refused("xyz", ("prod", "edge")) == (
        "unknown target 'xyz'; `poetry wheeltarget list` shows declared targets and presets"
    )


@pytest.mark.parametrize(
    ("spec", "first"),
    [
        ("debian-12-amd64", "'debian-12-x86_64' (a preset), "),
        ("debian-12-arm64", "'debian-12-aarch64' (a preset), "),
        ("aws-lambda-python3.12-aarch64", "'aws-lambda-python3.12-arm64' (a preset), "),
        ("ubuntu-22.04", "'ubuntu-22.04-x86_64' (a preset), "),
        ("Debian-12-x86_46", "'debian-12-x86_64' (a preset), "),
        ("debian-12-x86_46,cp311", "'debian-12-x86_64' (a preset), "),
        ("andriod_24_x86", "'android_24_x86' (a tag), "),
        ("lambda", "'aws-lambda-python3.6-x86_64' (a preset), "),
        ("debian", "'debian-box' (declared), 'debian-9-x86_64' (a preset) or "),
        ("debian_box", "'debian-box' (declared)"),
    ],
)
def test_an_unknown_name_lists_the_closest_of_all_kinds(spec: str, first: str) -> None:
    message = refused(spec, ("debian-box",))
    assert message.startswith(f"unknown {'part' if ',' in spec else 'target'} ")
    assert f"; did you mean {first}" in message
    assert message.count(" (") <= 3
    assert message.endswith("?") or re.search(
        r"\? `poetry wheeltarget list \S+` shows all ", message
    )


def test_where_more_names_hold_a_word_than_are_named_it_is_said_how_to_see_them() -> None:
    fitting = [name for name in presets() if "lambda" in name]
    assert refused("LAMBDA").endswith(
        f"? `poetry wheeltarget list lambda` shows all {len(fitting)}"
    )
    assert refused("android").endswith("?")


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("manylinux_2_34_x86-64", "did you mean 'manylinux_2_34_x86_64'?"),
        ("manylinux2014", "'manylinux2014' lacks an architecture, as in manylinux2014_x86_64"),
    ],
)
def test_a_suggestion_is_of_the_same_machine(tag: str, reason: str) -> None:
    with pytest.raises(PlatformError, match=re.escape(reason)):
        parse_platform(tag)


@pytest.mark.parametrize("abi", ["zzz", "cp_311"])
def test_an_abi_of_no_interpreter_is_refused(abi: str) -> None:
    draft = Draft(platforms=(parse_platform("win_amd64"),), abis=(abi,))
    with pytest.raises(SpecError, match=f"^unknown ABI tag '{abi}'"):
        complete(draft, PythonVersion(3, 11))


def test_a_description_file_stands_alone() -> None:
    assert refused("cp311,@x.json") == "@x.json is a description file, which stands alone"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("manylinux2014_x86_64,aarch64", "manylinux_2_17_x86_64 and aarch64 are of two"),
        ("debian-12-x86_64,aarch64", "manylinux_2_36_x86_64 and aarch64 are of two"),
        ("debian-12-x86_64,debian-13-x86_64", "debian-12-x86_64 and debian-13-x86_64 are two pre"),
        ("debian-12-x86_64,manylinux2014_x86_64", "debian-12-x86_64 has a platform already"),
        ("manylinux2014_x86_64,debian-12-x86_64", "debian-12-x86_64 has a platform already"),
        ("aws-lambda-python3.12-arm64,3.11", "Python 3.12 and Python 3.11 contradict each other"),
        ("aws-lambda-python3.12-arm64,pp", "unknown part 'pp'"),
        ("@x.json,cp311", "@x.json is a description file, which stands alone"),
        ("aws-lambda-python3.12-arm64,pp312", "CPython and PyPy are two implementations"),
    ],
)
def test_parts_that_contradict_a_preset_or_a_platform_are_refused(spec: str, reason: str) -> None:
    assert refused(spec).startswith(reason)


@pytest.mark.parametrize(
    ("spec", "abi", "python"),
    [
        ("cp38-cp38m-win_amd64", "cp38m", "3.8"),
        ("cp37-cp37mu-win_amd64", "cp37mu", "3.7"),
        ("cp312-cp312t-win_amd64", "cp312t", "3.12"),
    ],
)
def test_an_abi_that_no_build_of_that_version_had_is_refused(
    spec: str, abi: str, python: str
) -> None:
    with pytest.raises(SpecError, match=f"^ABI {abi} is not one of CPython {python}$"):
        complete(parse_spec(spec), PythonVersion(3, 11))


@pytest.mark.parametrize(
    "spec", ["cp37-cp37m-win_amd64", "cp32-cp32mu-win_amd64", "cp313-cp313t-win_amd64"]
)
def test_an_abi_that_a_build_of_that_version_had_is_taken(spec: str) -> None:
    assert complete(parse_spec(spec), PythonVersion(3, 11)).abis == (spec.split("-")[1],)


@pytest.mark.parametrize("tag", ["win_amd64", "linux_x86_64", "manylinux_2_28_x86_64"])
def test_a_platform_tag_is_taken_although_a_declared_target_has_a_similar_name(tag: str) -> None:
    similar = tag.replace("_", "-")
    assert parse_spec(tag, (similar,)) == parse_spec(tag)


def test_a_wrong_platform_tag_is_explained_although_a_declared_target_is_similar() -> None:
    reason = refused("manylinux2010_aarch64", ("manylinux2010-aarch64",))
    assert reason.startswith("manylinux2010_aarch64 never existed")


# --- completing a draft -----------------------------------------------------------------------

WINDOWS = parse_platform("win_amd64")


def completed(draft: Draft, python: PythonVersion) -> str:
    with pytest.raises(SpecError) as caught:
        complete(draft, python)
    return str(caught.value)


def test_a_draft_without_a_platform_is_no_target() -> None:
    reason = completed(Draft(), PythonVersion(3, 11))
    assert reason == "the target names no platform; set platforms"


@pytest.mark.parametrize(
    ("implementation", "abi", "reason"),
    [
        ("cp", "cp310", "ABI cp310 is not one of CPython 3.11"),
        ("cp", "cp313t", "ABI cp313t is not one of CPython 3.11"),
        ("cp", "pypy311_pp73", "ABI pypy311_pp73 is not one of CPython 3.11"),
        ("pp", "cp311", "ABI cp311 is not one of PyPy 3.11"),
        ("pp", "pypy310_pp73", "ABI pypy310_pp73 is not one of PyPy 3.11"),
    ],
)
def test_an_abi_of_another_interpreter_is_refused(
    implementation: str, abi: str, reason: str
) -> None:
    draft = Draft(platforms=(WINDOWS,), implementation=implementation, abis=(abi,))
    assert completed(draft, PythonVersion(3, 11)) == reason


@pytest.mark.parametrize("abi", ["cp311", "cp311d", "abi3", "none"])
def test_an_abi_that_the_interpreter_may_have_is_taken(abi: str) -> None:
    draft = Draft(platforms=(WINDOWS,), abis=("cp311", abi))
    assert complete(draft, PythonVersion(3, 11)).abis == ("cp311", abi)


@pytest.mark.parametrize(
    ("markers", "reason"),
    [
        (
            {"python_version": "3.12"},
            "python_version '3.12' contradicts Python 3.11.4; set python",
        ),
        (
            {"python_full_version": "3.11"},
            "python_full_version '3.11' needs a patch level, such as 3.11.4",
        ),
        ({"python_full_version": "3.11.5"}, "Python 3.11.4 and Python 3.11.5 contradict"),
        ({"python_full_version": "3.12.1"}, "Python 3.11.4 and Python 3.12.1 contradict"),
        ({"python_full_version": "3.11.0rc1"}, "'3.11.0rc1' is not a Python version"),
        ({"python_full_version": ""}, "'' is not a Python version"),
    ],
)
def test_marker_values_that_cannot_be_are_refused(markers: dict[str, str], reason: str) -> None:
    with pytest.raises(SpecError) as caught:
        target_for("win_amd64", "3.11.4", markers=markers)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("spec", "example"),
    [
        ("cp311,win", "win,amd64"),
        ("cp311,linux", "linux,x86_64"),
        ("cp313,ios_13_0", "ios_13_0,arm64_iphoneos"),
        ("cp313,android_24", "android_24,arm64_v8a"),
        ("cp313,pyodide_2025_0", "pyodide_2025_0,wasm32"),
        ("cp313,macosx_11_0", "macosx_11_0,arm64"),
    ],
)
def test_an_example_of_an_architecture_is_one_of_the_platform(spec: str, example: str) -> None:
    assert refused(spec).endswith(f"needs an architecture, for example {example}")


@pytest.mark.parametrize("arch", sorted({arch for of in ARCHITECTURES.values() for arch in of}))
def test_an_example_of_a_platform_is_one_that_has_the_architecture(arch: str) -> None:
    example = refused(arch).removeprefix(f"{arch} is an architecture; add a platform, for example ")
    assert parse_spec(f"{example},{arch}").platforms[0].arch == arch


@pytest.mark.parametrize(
    ("spec", "tag"),
    [("win_x86_64", "win_amd64"), ("win,aarch64", "win_arm64"), ("win_x86", "win32")],
)
def test_what_linux_calls_an_architecture_is_understood_for_windows(spec: str, tag: str) -> None:
    assert refused(spec).endswith(f"did you mean {tag!r}?")


@pytest.mark.parametrize(
    ("abis", "reason"),
    [
        (("cp313", "cp313t"), "the ABIs cp313, cp313t are of two interpreters"),
        (("cp313t", "cp313d"), "the ABIs cp313t, cp313d are of two interpreters"),
        (("cp313tt",), "ABI cp313tt is not one of CPython 3.13"),
        (("abi3",), "the ABIs abi3 are shared; name one of the interpreter's own"),
    ],
)
def test_abis_that_no_interpreter_has_at_once(abis: tuple[str, ...], reason: str) -> None:
    draft = Draft(abis=abis, platforms=(parse_platform("win32"),))
    with pytest.raises(SpecError) as caught:
        complete(draft, PythonVersion(3, 13))
    assert str(caught.value) == reason


def test_debug_and_usual_abis_of_one_interpreter_go_together() -> None:
    draft = Draft(abis=("cp313td", "cp313t", "none"), platforms=(parse_platform("win32"),))
    assert complete(draft, PythonVersion(3, 13)).free_threaded


def test_two_abis_of_pyodide_are_two_machines() -> None:
    draft = parse_spec("cp313,pyodide_2025_0_wasm32,pyodide_2024_0_wasm32")
    with pytest.raises(SpecError, match="no machine is all of"):
        complete(draft, PythonVersion(3, 13))
