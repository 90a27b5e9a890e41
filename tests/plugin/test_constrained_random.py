"""Whatever an index offers: what is locked for the targets has a wheel for each of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from plugin.harness import Sandbox
from plugin.locking import FITS_NEW, FITS_OLD, FITS_WINDOWS, PURE, Shop, Work, words
from support.index import IndexServer

NAMES = ("aa", "bb", "cc", "dd", "ee")
WHEELS = ([PURE], [FITS_OLD], [FITS_NEW], [FITS_WINDOWS], [FITS_OLD, FITS_NEW, FITS_WINDOWS])
MARKERS = (
    *("", "", ""),
    "; sys_platform == 'win32'",
    "; sys_platform != 'win32'",
    "; python_version < '3.10'",
    "; python_version >= '3.10'",
)
CONSTRAINTS = ("", "", "", ">=2", "<3", "!=2.0")


def stock(shop: Shop, chance: random.Random) -> None:
    """Offer versions of each package, of which each may require packages after it."""
    for place, name in enumerate(NAMES):
        for version in range(1, chance.randint(2, 5)):
            later = NAMES[place + 1 :]
            requires = [
                f"{each}{chance.choice(CONSTRAINTS)}{chance.choice(MARKERS)}"
                for each in chance.sample(later, min(len(later), chance.randint(0, 2)))
            ]
            tags = [*chance.choice(WHEELS), *chance.choice(WHEELS)]
            shop.offer(name, f"{version}.0", *dict.fromkeys(tags), requires=requires)


def wishes(chance: random.Random) -> list[str]:
    """What the project requires; some packages on two conditions."""
    wanted = []
    for name in chance.sample(NAMES, 3):
        if chance.random() < 0.3:
            wanted += [f"{name}<3; python_version < '3.10'", f"{name}; python_version >= '3.10'"]
        else:
            wanted.append(f"{name}{chance.choice(CONSTRAINTS)}{chance.choice(MARKERS)}")
    return wanted


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_what_is_locked_has_wheels(
    tmp_path: Path, sandbox: Sandbox, index: IndexServer, seed: int
) -> None:
    chance = random.Random(seed)
    stock(Shop(index), chance)
    work = Work(tmp_path / "project", sandbox, index)
    targets = chance.sample(["old", "new", "win"], chance.randint(1, 3))
    groups = {"dev": {chance.choice(NAMES): "*"}}
    work.write(*wishes(chance), targets=targets, groups=groups)
    ended = work.cli.poetry("lock")
    if ended.code != 0:
        said = words(ended.err)
        plain = work.cli.poetry("--no-plugins", "lock")
        assert plain.code != 0 or "no wheel for" in said or "is forbidden" in said
        return
    for target in targets:
        checked = work.cli("--check", "--target", target)
        assert checked.code == 0, checked.out
    before = work.lock_text
    assert work.cli.poetry("--no-plugins", "lock").code == 0
    # Poetry itself keeps not every lock: of two locked versions it may take one for both sides.
    if work.lock_text == before:
        work.lock()
        assert work.lock_text == before
