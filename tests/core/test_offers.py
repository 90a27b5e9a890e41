"""Whether a version that an index offers is one for a target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from core.lockmaker import locked, quick, target_for
from wheeltarget.core.explain import Compatibility
from wheeltarget.core.offers import Offer, Suitability
from wheeltarget.core.plan import Chosen, choose
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.resolve import TargetSettings

NAME = canonicalize_name("fast")
VERSION = Version("1.0")
OLD = target_for("manylinux2010_x86_64", "3.8")
PLATFORMS = (
    *("any", "win_amd64", "manylinux2010_x86_64", "manylinux_2_12_x86_64.manylinux2010_x86_64"),
    *("manylinux_2_28_x86_64", "linux_x86_64", "macosx_11_0_arm64"),
)


def offers(*filenames: str, python: str | None = None) -> tuple[Offer, ...]:
    """Files of an index."""
    return tuple(Offer(filename, python) for filename in filenames)


def judge(**settings: object) -> Suitability:
    """A judge for an old machine."""
    return Suitability(TargetSettings(target=OLD, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("filenames", "fits"),
    [
        ([], False),
        (["fast-1.0-py3-none-any.whl"], True),
        (["fast-1.0-py2.py3-none-any.whl"], True),
        (["fast-1.0-1-cp38-cp38-manylinux2010_x86_64.whl"], True),
        (["fast-1.0-cp36-abi3-manylinux_2_5_x86_64.manylinux1_x86_64.whl"], True),
        (["fast-1.0-cp38-cp38-win_amd64.whl", "fast-1.0-cp38-cp38-manylinux1_x86_64.whl"], True),
        (["fast-1.0-cp38-cp38-manylinux_2_17_x86_64.whl"], False),
        (["fast-1.0.tar.gz"], False),
        (
            ["fast-1.0.zip", "fast-1.0-py3-none-any.egg", "x.whl", "a/../x-1-py3-none-any.whl"],
            False,
        ),
    ],
)
def test_a_file_has_to_fit(filenames: list[str], fits: bool) -> None:
    assert judge().fits(NAME, offers(*filenames)) is fits


def test_the_answer_is_the_same_each_time() -> None:
    suitability = judge()
    for version in ("1.0", "2.0"):
        assert suitability.fits(NAME, offers(f"fast-{version}-cp38-cp38-manylinux1_x86_64.whl"))
        assert not suitability.fits(NAME, offers(f"fast-{version}-cp38-cp38-win_amd64.whl"))


@quick
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["cp38-cp38", "cp39-cp39", "cp37-abi3", "py3-none", "py2-none"]),
            st.sampled_from(PLATFORMS),
        ),
        max_size=4,
    )
)
def test_it_agrees_with_the_plan(tags: list[tuple[str, str]]) -> None:
    files = dict.fromkeys(f"fast-1.0-{python}-{platform}.whl" for python, platform in tags)
    entry = choose(locked("fast", "1.0", *files), Compatibility(OLD))
    assert judge().fits(NAME, offers(*files)) is isinstance(entry, Chosen)


def test_a_package_that_may_be_built_or_is_provided_needs_no_wheel() -> None:
    archive = offers("fast-1.0.tar.gz")
    assert judge(build=frozenset([NAME])).fits(NAME, archive)
    assert not judge(build=frozenset(["other"])).fits(NAME, archive)
    assert not judge(build=frozenset([NAME])).fits(NAME, offers("fast-1.0-py2-none-any.whl"))
    assert judge(exclude=frozenset([NAME])).fits(NAME, ())


def test_a_package_may_take_more() -> None:
    more = {NAME: (parse_platform("manylinux_2_28_x86_64"),)}
    new = offers("fast-1.0-cp38-cp38-manylinux_2_28_x86_64.whl")
    suitability = judge(packages=more)
    assert not suitability.fits(canonicalize_name("other"), new)
    assert suitability.fits(NAME, new)
    assert not suitability.fits(canonicalize_name("other"), new)


@pytest.mark.parametrize(
    ("python", "requires", "fits"),
    [
        ("3.8", ">=3.8", True),
        ("3.8", ">=3.8.1", True),
        ("3.8", "!=3.8.1,>=3.8", True),
        ("3.8", ">=3.9", False),
        ("3.8", "<3.8", False),
        ("3.8", "nonsense", True),
        ("3.8", "", True),
        ("3.8.0", ">=3.8.1", False),
        ("3.8.1", ">=3.8.1", True),
    ],
)
def test_the_targets_python_has_to_be_allowed(python: str, requires: str, fits: bool) -> None:
    suitability = Suitability(TargetSettings(target=target_for("manylinux2010_x86_64", python)))
    for version in ("1.0", "2.0"):
        wheel = offers(f"fast-{version}-py3-none-any.whl", python=requires)
        assert suitability.fits(NAME, wheel) is fits


# --- why not --------------------------------------------------------------------------------------


def test_a_lack_says_what_would_be_needed() -> None:
    lack = judge().lack(
        NAME, VERSION, offers("fast-1.0-cp38-cp38-manylinux_2_17_x86_64.whl", "fast-1.0.tar.gz")
    )
    assert lack.reason == "needs glibc 2.17, the target has 2.12"
    assert lack.fits_from == parse_platform("manylinux2014_x86_64")
    assert (lack.source, lack.candidate) == (True, True)


@pytest.mark.parametrize(
    ("filenames", "source"),
    [([], False), (["fast-1.0.tar.gz"], True), (["fast-1.0-nonsense.whl"], False)],
)
def test_without_any_wheel(filenames: list[str], source: bool) -> None:
    lack = judge().lack(NAME, VERSION, offers(*filenames))
    assert lack.reason == "has no wheel at all"
    assert (lack.source, lack.fits_from) == (source, None)


def test_what_is_for_another_python_is_no_candidate() -> None:
    lack = judge().lack(NAME, VERSION, offers("fast-1.0-py3-none-any.whl", python=">=3.9"))
    assert (lack.reason, lack.candidate) == ("requires Python >=3.9", False)
