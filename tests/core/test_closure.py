"""What packages require on a target, with extras and with what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from core.lockmaker import quick, target_for
from wheeltarget.core.closure import Need, RequirementError, closure, requirements_on

LINUX = target_for("manylinux2014_x86_64", "3.11").environment


def required(*requires: str, extras: Sequence[str] = ()) -> list[str]:
    """What one package requires; ``?`` and the variables where that is undecided."""
    needs = requirements_on(
        LINUX, map(Requirement, requires), frozenset(map(canonicalize_name, extras))
    )
    return [said(need) for need in needs]


def said(need: Need) -> str:
    doubt = "" if need.sure else f"? {' '.join(need.verdict.variables)}"
    return f"{need.name}{doubt}"


def closed(packages: Mapping[str, Sequence[str]], **wanted: Sequence[str]) -> dict[str, list[str]]:
    found = closure(
        LINUX,
        {canonicalize_name(name): [Requirement(r) for r in of] for name, of in packages.items()},
        {canonicalize_name(name): set(map(canonicalize_name, e)) for name, e in wanted.items()},
    )
    return {name: [said(need) for need in needs] for name, needs in found.items()}


# --- one package ------------------------------------------------------------------------------


def test_what_holds_on_the_target_is_required_in_order() -> None:
    assert required("Zeta.B>=1", 'win ; sys_platform == "win32"', "alpha") == ["zeta-b", "alpha"]


@pytest.mark.parametrize(
    ("marker", "extras", "expected"),
    [
        ('extra == "tls"', [], []),
        ('extra == "tls"', ["tls"], ["x"]),
        ('extra == "Tls_All"', ["tls-all"], ["x"]),
        ('extra == "tls" and sys_platform == "win32"', ["tls"], []),
        ('extra == "a" or extra == "b"', ["b"], ["x"]),
        ('platform_release >= "5"', [], ["x? platform_release"]),
        ('python_full_version < "3.11.3"', [], ["x? python_full_version"]),
        ('extra == "tls" and platform_release >= "5"', [], []),
        ('extra == "tls" and platform_release >= "5"', ["tls"], ["x? platform_release"]),
    ],
)
def test_extras_and_unknown_variables_decide(
    marker: str, extras: list[str], expected: list[str]
) -> None:
    assert required(f"x ; {marker}", extras=extras) == expected


@pytest.mark.parametrize("marker", ['extra in "a,b"', '"tls" == extra'])
def test_a_marker_that_cannot_be_evaluated_is_told(marker: str) -> None:
    with pytest.raises(RequirementError, match="cannot be evaluated"):
        required(f"x ; {marker}")


@pytest.mark.parametrize(
    ("requirement", "version", "met"),
    [
        ("x", "1.0", True),
        ("x>=2", "1.0", False),
        ("x>=1,<2", "1.5rc1", True),
        ("x==1.0", "1.0+cu118", True),
        ("x @ https://host/x.whl", "7", True),
    ],
)
def test_a_version_meets_a_requirement_or_not(requirement: str, version: str, met: bool) -> None:
    assert Need(requirement=Requirement(requirement)).met_by(Version(version)) is met


# --- all of them ------------------------------------------------------------------------------


def test_extras_that_one_package_wants_of_another_count() -> None:
    packages = {
        "app": ["client[TLS]"],
        "client": ['tls ; extra == "tls"', 'slow ; extra == "slow"'],
        "tls": [],
    }
    assert closed(packages) == {"app": ["client"], "client": ["tls"], "tls": []}


def test_extras_from_outside_count_and_lead_on() -> None:
    packages = {
        "app": ['client[tls] ; extra == "net"'],
        "client": ['tls ; extra == "tls"'],
    }
    assert closed(packages) == {"app": [], "client": []}
    assert closed(packages, app=["Net"]) == {"app": ["client"], "client": ["tls"]}


def test_extras_of_extras_of_one_package() -> None:
    packages = {"x": ['x[a,b] ; extra == "all"', 'y ; extra == "a"', 'z[x] ; extra == "b"']}
    assert closed(packages, x=["all"]) == {"x": ["x", "y", "z"]}


def test_packages_that_want_each_other_come_to_an_end() -> None:
    packages = {"x": ["y[b]", 'z ; extra == "a"'], "y": ['x[a] ; extra == "b"']}
    assert closed(packages) == {"x": ["y", "z"], "y": ["x"]}


def test_what_only_an_undecided_extra_requires_is_undecided() -> None:
    packages = {
        "app": ['client[tls] ; platform_release >= "5"'],
        "client": ['tls[x] ; extra == "tls"', 'old ; extra == "tls" and platform_version < "9"'],
        "tls": ['deep ; extra == "x"'],
    }
    assert closed(packages) == {
        "app": ["client? platform_release"],
        "client": ["tls? extra", "old? extra platform_version"],
        "tls": ["deep? extra"],
    }


def test_a_sure_wish_for_an_extra_beats_a_doubtful_one() -> None:
    packages = {
        "app": ['client[tls] ; platform_release >= "5"', "client[tls]"],
        "client": ['tls ; extra == "tls"', 'plain ; extra != "tls"'],
    }
    assert closed(packages)["client"] == ["tls"]


def test_what_holds_without_an_extra_that_may_be_wanted_is_kept() -> None:
    packages = {
        "app": ['client[tls] ; platform_release >= "5"'],
        "client": ['plain ; extra != "tls"'],
    }
    assert closed(packages)["client"] == ["plain"]


NAMES = st.sampled_from("abcd")
REQUIREMENTS = st.builds(
    lambda name, wants, needs: f"{name}[{wants}]" + (f' ; extra == "{needs}"' if needs else ""),
    NAMES,
    NAMES,
    st.sampled_from(["", *"abcd"]),
)


@quick
@given(st.dictionaries(NAMES, st.lists(REQUIREMENTS, max_size=4)))
def test_the_order_of_packages_does_not_count(packages: dict[str, list[str]]) -> None:
    forwards = closed(packages)
    backwards = closed({name: packages[name] for name in reversed(packages)})
    assert forwards == backwards
    # Whatever is required asks for its extras, and all of those are heard.
    for name, requires in packages.items():
        assert set(forwards[name]) >= {r.partition("[")[0] for r in requires if ";" not in r}
