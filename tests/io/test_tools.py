"""What backends need: found here, kept, or fetched by pip, into an environment of its own."""

from __future__ import annotations

import importlib
import io
import subprocess
import zipfile
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from build.env import DefaultIsolatedEnv
from packaging.requirements import InvalidRequirement

from support.wheels import build_wheel
from wheeltarget.io.cache import Cache
from wheeltarget.io.tools import NeedsNetworkError, Toolbox, beside

TWO = "acme-two; extra == 'more'"
NEVER = "; python_version < '3'"
CORE = distribution("poetry-core").version
BACKEND = build_wheel("acme-backend", "2.0", requires=["acme-helper"])
HELPER = build_wheel("acme-helper", "0.1")


LOOK = """
from importlib.metadata import distributions
for each in distributions():
    print(each.name, each.version)
"""


class Pip:
    """Stands in for pip where it looks for what is asked for; installing is pip's own."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, command: list[str]) -> None:
        at = command.index("--wheel-dir")
        self.asked.append(command[at + 2 :])
        for wheel in (BACKEND, HELPER):
            Path(command[at + 1], wheel.filename).write_bytes(wheel.data)


def toolbox(folder: Path, *, offline: bool = False) -> Toolbox:
    (folder / "scratch").mkdir(exist_ok=True)
    return Toolbox(cache=Cache(folder / "cache"), folder=folder / "scratch", offline=offline)


def inside(box: Toolbox, pip: Pip, *requires: str) -> dict[str, str]:
    """Furnish an environment. Gives what it has then, as its own Python sees it."""
    with DefaultIsolatedEnv() as environment:
        versions = box.furnish(environment, requires, pip)
        ended = subprocess.run(
            [environment.python_executable, "-Ic", LOOK],
            check=True,
            capture_output=True,
            text=True,
        )
        seen = dict(line.split() for line in ended.stdout.splitlines())
        seen.pop("pip", None)
        assert seen == versions
    return seen


# --- beside Poetry ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requires", "names"),
    [
        ([], set()),
        (["poetry-core"], {"poetry-core"}),
        ([f"Poetry.Core=={CORE}", "no-such-thing" + NEVER], {"poetry-core"}),
        (["cleo"], {"cleo", "crashtest", "rapidfuzz"}),
        (["no-such-thing"], None),
        (["poetry-core>=99"], None),
        (["poetry-core @ https://example.com/poetry-core.zip"], None),
    ],
)
def test_what_is_here(requires: list[str], names: set[str] | None) -> None:
    found = beside(requires)
    assert (None if found is None else set(found)) == names


def test_extras_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = build_wheel("acme-one", "1", requires=["acme-one[more]; extra == 'all'", TWO])
    for wheel in (one, build_wheel("acme-two", "1", requires=["no-such-thing; extra == 'x'"])):
        with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
            archive.extractall(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert set(beside(["acme-one"]) or ()) == {"acme-one"}
    assert set(beside(["acme-one", "acme-one[all]"]) or ()) == {"acme-one", "acme-two"}
    assert beside(["acme-one[all]", "acme-two[x]"]) is None


def test_what_has_programs_is_not_copied() -> None:
    with_program = next(
        each
        for each in distributions()
        if each.requires is None and any(path.parts[0] == ".." for path in each.files or ())
    )
    assert beside([with_program.name]) is None


def test_what_is_not_known_in_full_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(io.BytesIO(HELPER.data)) as archive:
        archive.extractall(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert set(beside(["acme-helper"]) or ()) == {"acme-helper"}
    (record,) = tmp_path.glob("*.dist-info/RECORD")
    record.unlink()
    importlib.invalidate_caches()
    assert beside(["acme-helper"]) is None


def test_what_is_no_requirement() -> None:
    with pytest.raises(InvalidRequirement):
        beside(["a >>> 1"])


def test_what_is_here_is_copied_and_nothing_else(tmp_path: Path) -> None:
    box, pip = toolbox(tmp_path, offline=True), Pip()
    assert inside(box, pip, "poetry-core", "poetry-core>=1") == {"poetry-core": CORE}
    assert box.versions(["poetry-core"]) == {"poetry-core": CORE}
    assert inside(box, pip) == box.versions([]) == {}
    assert pip.asked == []


# --- fetched, and kept ------------------------------------------------------------------------


def test_what_is_not_here_is_fetched_once_and_kept(tmp_path: Path) -> None:
    box, pip = toolbox(tmp_path), Pip()
    assert box.versions(["acme-backend", "poetry-core"]) is None
    expected = {"acme-backend": "2.0", "acme-helper": "0.1"}
    assert inside(box, pip, "poetry-core", "acme-backend") == expected
    assert pip.asked == [["acme-backend", "poetry-core"]]
    later = toolbox(tmp_path, offline=True)
    assert inside(later, pip, "acme-backend", "poetry-core") == expected
    assert later.versions(["acme-backend", "poetry-core"]) == expected
    assert len(pip.asked) == 1
    with pytest.raises(NeedsNetworkError, match=r"^acme-backend>=3$"):
        inside(later, pip, "acme-backend>=3", "poetry-core")


@pytest.mark.parametrize("damage", ["note", "name", "wheel", "nothing"])
def test_what_is_damaged_is_fetched_again(tmp_path: Path, damage: str) -> None:
    box, pip = toolbox(tmp_path), Pip()
    expected = inside(box, pip, "acme-backend")
    (note,) = (tmp_path / "cache" / "built").iterdir()
    wheel = tmp_path / "cache" / "sha256" / BACKEND.sha256[:2] / BACKEND.sha256[2:]
    if damage == "note":
        note.write_text("[]", encoding="utf-8")
    elif damage == "name":
        note.write_text('{"../x-1-py3-none-any.whl": "00"}', encoding="utf-8")
    elif damage == "wheel":
        wheel.write_bytes(b"other")
    else:
        wheel.unlink()
    assert box.versions(["acme-backend"]) is None
    assert inside(box, pip, "acme-backend") == expected
    assert len(pip.asked) == 2
    assert wheel.read_bytes() == BACKEND.data
