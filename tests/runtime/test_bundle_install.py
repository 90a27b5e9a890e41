"""``install``: with pip and without it, into folders and environments, all or nothing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.bundlerig import ALPHA, BETA, WHEELS, Run, members, put, target
from support.bundles import bundle_bytes, tree_members, with_manifest
from support.wheels import build_wheel
from wheeltarget.runtime import environment, installing, journal, pip
from wheeltarget.runtime.contents import Package
from wheeltarget.runtime.placing import folder_places
from wheeltarget.runtime.speech import BundleError

Places = Callable[[], object]
ALPHA_2 = build_wheel("alpha", "2.0")
COMMANDS = build_wheel(
    "tool",
    "1.0",
    modules={"tool.py": "def main():\n    print('it runs')\n"},
    extra_members={"tool-1.0.dist-info/entry_points.txt": b"[console_scripts]\nt = tool:main\n"},
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder for temporary files that must be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture(params=["pip", "no pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the pip of the tests, and as if there were none."""
    if request.param == "no pip":
        monkeypatch.setattr(installing, "pip_version", lambda: None)
    return str(request.param)


def tree(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


# --- into a folder --------------------------------------------------------------------------


@pytest.mark.parametrize("as_folder", [False, True], ids=["zip", "folder"])
def test_into_a_folder(installer: str, as_folder: bool, tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, members(target("here", *WHEELS, COMMANDS)), as_folder=as_folder)
    out = tmp_path / "new/out"
    assert run(path, "install", "--target", out) == 0, run.err
    assert (run.out, run.err) == (f"installed 3 packages into {out}\n", "")
    assert {"alpha.py", "beta_two.py", "tool.py", "bin/t"} <= tree(out)
    told = (out / "alpha-1.0.dist-info/INSTALLER").read_text().strip()
    assert told == ("pip" if installer == "pip" else "wheeltarget")
    assert not any("__pycache__" in name or name.startswith(".") for name in tree(out))
    settings = {**os.environ, "PYTHONPATH": str(out)}
    ended = subprocess.run([out / "bin/t"], env=settings, capture_output=True, check=True)
    assert ended.stdout == b"it runs\n"


def test_the_same_once_more(installer: str, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    assert run(put(tmp_path, members(target("here", BETA))), "install", "--target", out) == 0
    before = {name: (out / name).stat() for name in tree(out)}
    path = put(tmp_path, members())
    assert run(path, "install", "--target", out) == 0
    assert run.out == f"installed 1 package into {out}; 1 package there already\n"
    assert run(path, "install", "--target", out) == 0
    assert run.out == f"installed 0 packages into {out}; 2 packages there already\n"
    assert {name: (out / name).stat() for name in before} == before


def test_another_version_is_there(installer: str, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    assert run(put(tmp_path, members(target("here", ALPHA_2))), "install", "--target", out) == 0
    before = tree(out)
    assert run(put(tmp_path, members()), "install", "--target", out) == 7
    assert run.errors == ["alpha 1.0: version 2.0 is installed already"]
    assert tree(out) == before


def test_a_file_is_in_the_way(installer: str, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "alpha.py").write_text("mine")
    assert run(put(tmp_path, members()), "install", "--target", out) == 7
    (error,) = run.errors
    assert error.endswith(f"{out / 'alpha.py'} is there already")
    assert (tree(out), (out / "alpha.py").read_text()) == ({"alpha.py"}, "mine")
    assert [path.name for path in out.iterdir()] == ["alpha.py"]


def test_a_damaged_bundle_installs_nothing(installer: str, tmp_path: Path, run: Run) -> None:
    found = members()
    found[f"wheels/{ALPHA.filename}"] = ALPHA_2.data
    assert run(put(tmp_path, found), "install", "--target", tmp_path / "out") == 6
    assert not (tmp_path / "out").exists()


def test_a_target_that_is_a_file(installer: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "out").touch()
    assert run(put(tmp_path, members()), "install", "--target", tmp_path / "out") == 7
    assert len(run.errors) == 1


def test_a_wheel_that_changes_after_its_check(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, members(), as_folder=True)
    real = pip.pip_version

    def change() -> tuple[int, int] | None:
        (path / f"wheels/{ALPHA.filename}").write_bytes(ALPHA_2.data)
        return real()

    monkeypatch.setattr(installing, "pip_version", change)
    assert run(path, "install", "--target", tmp_path / "out") == 6
    assert run.errors == [f"{ALPHA.filename}: it has changed since it was checked"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), None])
def test_a_failure_in_the_middle(
    failure: OSError | None,
    installer: str,
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "move" if installer == "pip" else "write"
    real = getattr(journal.Journal, name)
    calls = []

    def fail(self: object, *arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == 5:
            raise failure or KeyboardInterrupt
        return real(self, *arguments, **options)

    monkeypatch.setattr(journal.Journal, name, fail)
    out = tmp_path / "new/out"
    code = run(put(tmp_path, members()), "install", "--target", out)
    assert (code, run.out) == (7 if failure else 130, "")
    assert run.errors == [os.strerror(errno.ENOSPC) if failure else "interrupted"]
    assert len(calls) == 5
    assert not (tmp_path / "new").exists()


# --- an installed tree ----------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "python/"])
@pytest.mark.parametrize("as_folder", [False, True], ids=["zip", "folder"])
def test_a_tree(prefix: str, as_folder: bool, tmp_path: Path, run: Run) -> None:
    found = tree_members(target(), prefix)
    if as_folder:
        path = put(tmp_path, found, as_folder=True)
        (path / f"{prefix}alpha.py").chmod(0o755)
    else:
        path = tmp_path / "b.zip"
        path.write_bytes(bundle_bytes(found, programs=[f"{prefix}alpha.py"]))
    out = tmp_path / "out"
    assert run(path, "install", "--target", out) == 0, run.err
    assert run.out == f"installed 2 packages into {out}\n"
    assert "alpha.py" in tree(out)
    assert not {"manifest.json", "__main__.py", "requirements.txt"} & tree(out)
    runnable = {name for name in tree(out) if (out / name).stat().st_mode & 0o100}
    assert runnable == {"alpha.py"}
    assert run(path, "install", "--target", out) == 7
    assert len(run.errors) == len(tree(out))


@pytest.mark.parametrize("arguments", [[], ["--venv", "environment"]])
def test_a_tree_goes_into_folders_only(arguments: list[str], tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, tree_members(target()))
    if arguments:
        arguments = ["--venv", str(tmp_path / "environment")]
    assert run(path, "install", *arguments) == 2
    assert run.errors == ["this bundle is an installed tree, which goes into a folder only"]
    assert not (tmp_path / "environment").exists()


# --- an environment -------------------------------------------------------------------------


def test_a_system_that_manages_its_python(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(installing, "in_environment", lambda: False)
    assert run(put(tmp_path, members()), "install") == 2
    assert run.errors == ["this Python is managed by its system (PEP 668)"]
    assert "Use --venv DIR or --target DIR." in run.err


def test_a_python_that_does_not_look_there(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "own_places", lambda: folder_places(str(tmp_path / "x")))
    assert run(put(tmp_path, members()), "install") == 2
    told = f"this Python does not look into {tmp_path / 'x'}, where packages would go"
    assert run.errors == [told]


@pytest.mark.parametrize("place", ["file", "full folder"])
def test_a_place_that_is_no_environment(place: str, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "environment"
    if place == "file":
        path.touch()
    else:
        path.mkdir()
        (path / "mine").touch()
    assert run(put(tmp_path, members()), "install", "--venv", path) == 7
    assert run.errors == [f"{path} is neither empty nor a virtual environment"]


def test_no_environment_for_the_wrong_interpreter(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path, members(target("old", python="3.5")))
    assert run(path, "install", "--venv", tmp_path / "environment") == 4
    assert not (tmp_path / "environment").exists()


class NoPip:
    """An ``ensurepip`` as distributions cut it."""

    @staticmethod
    def version() -> str:
        raise ModuleNotFoundError


@pytest.mark.parametrize("was_there", [False, True])
def test_an_environment_is_removed_when_it_cannot_be_filled(
    was_there: bool, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", NoPip)
    broken = build_wheel("a", "1", extra_members={"a-1.data/nowhere/x": b""})
    path = put(tmp_path, members(target("here", broken)))
    folder = tmp_path / "environment"
    if was_there:
        folder.mkdir()
    assert run(path, "install", "--venv", folder) == 6
    assert folder.exists() == was_there
    assert not was_there or list(folder.iterdir()) == []


def test_ensurepip_that_fails(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import venv

    def fail(self: object, context: object) -> None:
        raise subprocess.CalledProcessError(1, "ensurepip")

    monkeypatch.setattr(venv.EnvBuilder, "_setup_pip", fail)
    folder = tmp_path / "environment"
    assert run(put(tmp_path, members()), "install", "--venv", folder) == 0, run.err
    assert any(name.endswith("/alpha.py") for name in tree(folder))
    assert not any("/pip" in name for name in tree(folder))


def test_a_python_without_venv(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    monkeypatch.setitem(sys.modules, "venv", None)
    assert run(put(tmp_path, members()), "install", "--venv", tmp_path / "environment") == 2
    assert run.errors == ["this Python can't make environments: it has no module venv"]


def test_an_interrupted_child_ends_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = tmp_path / "ready"
    script = tmp_path / "script.py"
    script.write_text(f"import time\nopen({str(ready)!r}, 'w').close()\ntime.sleep(60)\n")
    waited = []
    real = subprocess.Popen.wait

    def wait(self: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        waited.append(self)
        if len(waited) == 1:
            raise KeyboardInterrupt
        return real(self, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    with pytest.raises(KeyboardInterrupt):
        environment.run_inside(sys.executable, [str(script)])
    assert waited[0].returncode not in (None, 0)


# --- pip ------------------------------------------------------------------------------------


def package(file: str) -> Package:
    return Package(file.partition("-")[0], "1.0", file, "0" * 64, 1, False, False, "", "")


@pytest.mark.parametrize(
    ("platform", "version"),
    [
        ("any", (9, 0)),
        ("linux_x86_64", (9, 0)),
        ("manylinux1_x86_64", (9, 0)),
        ("manylinux2010_x86_64", (19, 0)),
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", (19, 3)),
        ("manylinux_2_28_x86_64", (20, 3)),
        ("musllinux_1_2_x86_64", (21, 2)),
        ("macosx_10_9_x86_64", (9, 0)),
        ("macosx_10_9_universal2", (20, 3)),
        ("macosx_11_0_arm64", (20, 3)),
        ("android_24_arm64_v8a", (25, 1)),
        ("pyodide_2025_0_wasm32", (26, 3)),
    ],
)
def test_the_first_pip_that_knows_a_wheel(platform: str, version: tuple[int, int]) -> None:
    known = [package(f"a-1.0-py3-none-{platform}.whl"), package("b-1.0-py3-none-any.whl")]
    fitting = frozenset(f"py3-none-{name}" for name in ("any", *platform.split(".")))
    assert pip.needed_pip(known, fitting) == version
    assert pip.needed_pip(known, frozenset()) == (9, 0)
    major, minor = version
    assert installing.wants_pip(known, fitting, f"{major}.{minor}.1")
    assert not installing.wants_pip(known, fitting, f"{major - 1}.9")
    assert not installing.wants_pip(known, fitting, "odd")


def test_a_pip_that_is_too_old_is_left_alone(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "pip_version", lambda: (18, 1))
    monkeypatch.setattr(installing, "needed_pip", lambda packages, tags: (20, 3))
    out = tmp_path / "out"
    assert run(put(tmp_path, members()), "install", "--target", out) == 0
    assert run.err == "Warning: pip 18.1 is not used: it takes 20.3 to know all of these wheels\n"
    assert (out / "alpha-1.0.dist-info/INSTALLER").read_text() == "wheeltarget\n"


def test_settings_of_pip_do_not_count(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TARGET", "PREFIX", "ROOT", "INDEX_URL", "CONFIG_FILE", "USER", "NO_BINARY"):
        monkeypatch.setenv(f"PIP_{name}", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    out = tmp_path / "out"
    assert run(put(tmp_path, members()), "install", "--target", out) == 0, run.err
    assert (out / "alpha-1.0.dist-info/INSTALLER").read_text().strip() == "pip"
    assert not (tmp_path / "elsewhere").exists()


def test_what_pip_says_when_it_fails(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = build_wheel("old", "1.0", requires_python="<3")
    out = tmp_path / "out"
    assert run(put(tmp_path, members(target("here", wheel))), "install", "--target", out) == 7
    assert run.errors == ["pip could not install it, see above"]
    assert "pip: ERROR: " in run.err
    assert not out.exists()


def test_no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    found = pip.pip_version()
    assert found is not None
    assert found > (20, 0)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert pip.pip_version() is None


# --- odds and ends --------------------------------------------------------------------------


def test_a_name_that_is_shown(tmp_path: Path, run: Run) -> None:
    found = with_manifest(members(), project={"name": "\x1b", "version": "1"})
    assert run(put(tmp_path, found), "install", "--target", tmp_path / "a\x1bb") == 0
    assert "\x1b" not in run.out


def test_free_places(tmp_path: Path) -> None:
    installing.check_free([str(tmp_path / "a")])
    (tmp_path / "a").symlink_to(tmp_path / "nothing")
    with pytest.raises(BundleError, match="a is there already"):
        installing.check_free([str(tmp_path / "a")])
