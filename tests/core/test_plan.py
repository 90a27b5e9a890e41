"""Which file of a package is taken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import parse_wheel_filename

from core.lockmaker import (
    Raw,
    locked,
    plan_for,
    quick,
    raw_file,
    raw_lock,
    raw_package,
    real_lock,
    target_for,
)
from wheeltarget.core.explain import Axis
from wheeltarget.core.lock import read_lock
from wheeltarget.core.plan import Chosen, Plan, ToBuild, Unavailable, explain
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.target import Target, with_more_platforms

LINUX = target_for("cp311,manylinux_2_28_x86_64")


def chosen(*files: str, target: Target = LINUX) -> Chosen:
    (entry,) = plan_for(target, locked("foo", "1.0", *files)).entries
    assert isinstance(entry, Chosen)
    return entry


def unavailable(*files: str, target: Target = LINUX, source: Raw | None = None) -> Unavailable:
    (entry,) = plan_for(target, locked("foo", "1.0", *files, source=source)).entries
    assert isinstance(entry, Unavailable)
    return entry


# --- rank -------------------------------------------------------------------------------------

BY_RANK = [
    "foo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    "foo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
    "foo-1.0-cp311-cp311-manylinux2014_x86_64.whl",
    "foo-1.0-cp311-cp311-manylinux_2_12_x86_64.whl",
    "foo-1.0-cp311-cp311-manylinux2010_x86_64.whl",
    "foo-1.0-cp311-cp311-manylinux1_x86_64.whl",
    "foo-1.0-cp311-abi3-manylinux_2_28_x86_64.whl",
    "foo-1.0-cp311-none-manylinux_2_28_x86_64.whl",
    "foo-1.0-cp310-abi3-manylinux_2_28_x86_64.whl",
    "foo-1.0-cp32-abi3-manylinux1_x86_64.whl",
    "foo-1.0-py311-none-manylinux_2_28_x86_64.whl",
    "foo-1.0-py3-none-manylinux1_x86_64.whl",
    "foo-1.0-py310-none-manylinux_2_28_x86_64.whl",
    "foo-1.0-cp311-none-any.whl",
    "foo-1.0-py311-none-any.whl",
    "foo-1.0-py2.py3-none-any.whl",
    "foo-1.0-py30-none-any.whl",
]


@pytest.mark.parametrize("place", range(len(BY_RANK)))
def test_the_wheel_with_the_best_rank_is_taken(place: int) -> None:
    remaining = [*reversed(BY_RANK[place:]), "foo-1.0.tar.gz"]
    assert chosen(*remaining).file.name == BY_RANK[place]


def test_ranks_rise_in_that_order_and_name_the_tag_that_has_them() -> None:
    entries = [chosen(name) for name in BY_RANK]
    ranks = [entry.rank for entry in entries]
    assert ranks == sorted(set(ranks))
    for entry in entries:
        assert entry.tag == LINUX.tags[entry.rank]


def test_a_wheel_counts_by_the_best_of_its_tags() -> None:
    both = "foo-1.0-cp39.cp311-abi3.cp311-manylinux1_x86_64.manylinux_2_28_x86_64.linux_x86_64.whl"
    entry = chosen("foo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", both)
    assert entry.file.name == both
    assert entry.rank == 0
    assert entry.tag == "cp311-cp311-manylinux_2_28_x86_64"


# --- build numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "native",
    [
        "foo-1.0-cp311-cp311-manylinux1_x86_64.whl",
        "foo-1.0-cp32-abi3-manylinux1_x86_64.whl",
        "foo-1.0-0-cp311-cp311-manylinux1_x86_64.whl",
        "foo-1.0-py3-none-manylinux1_x86_64.whl",
    ],
)
def test_the_rank_comes_before_any_build_number(native: str) -> None:
    assert chosen("foo-1.0-1-py3-none-any.whl", native).file.name == native


@pytest.mark.parametrize(
    ("less", "more"),
    [("", "-1"), ("", "-0"), ("-2", "-10"), ("-2", "-2a"), ("-1z", "-2"), ("-9_x", "-10_a")],
)
def test_of_one_rank_the_higher_build_number_is_taken(less: str, more: str) -> None:
    one, other = (f"foo-1.0{build}-py3-none-any.whl" for build in (less, more))
    assert chosen(one, other).file.name == other
    assert chosen(other, one).file.name == other


def test_of_one_rank_and_build_the_file_name_that_sorts_first_is_taken() -> None:
    names = [
        "Foo-1.0-1-py3-none-any.whl",
        "foo-1.0-01-py3-none-any.whl",
        "foo-1.0-1-py2.py3-none-any.whl",
    ]
    assert chosen(*names).file.name == "Foo-1.0-1-py3-none-any.whl"
    assert chosen(*reversed(names)).file.name == "Foo-1.0-1-py3-none-any.whl"
    assert chosen(*names[1:]).file.name == "foo-1.0-01-py3-none-any.whl"


# --- FAULTS 11: what fits and what does not ---------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "tag"),
    [
        # legacy only, PEP 600 only, both, asked for by either
        ("cp311,manylinux2014_x86_64", "cp311-cp311-manylinux_2_17_x86_64"),
        ("cp311,manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64"),
        ("cp311,manylinux2014_x86_64", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("cp311,manylinux_2_28_x86_64", "cp311-cp311-manylinux2010_x86_64"),
        ("cp37,manylinux2014_x86_64", "cp37-cp37m-manylinux1_x86_64"),
        ("cp311,linux_x86_64", "cp311-cp311-linux_x86_64"),
        ("cp311,musllinux_1_2_x86_64", "cp311-cp311-musllinux_1_1_x86_64"),
        ("cp311,macosx_14_0_arm64", "cp311-cp311-macosx_10_9_universal2"),
        ("cp311,win_amd64", "cp38-abi3-win_amd64"),
        ("cp313-cp313t-win_amd64", "cp313-cp313t-win_amd64"),
        ("cp315-cp315t-win_amd64", "cp315-abi3t-win_amd64"),
        ("cp313-cp313t-win_amd64", "py3-none-any"),
        ("pp310,win_amd64", "pp310-pypy310_pp73-win_amd64"),
        ("pp310,win_amd64", "pp3-none-any"),
    ],
)
def test_a_wheel_that_fits(spec: str, tag: str) -> None:
    assert chosen(f"foo-1.0-{tag}.whl", target=target_for(spec)).file.name == f"foo-1.0-{tag}.whl"


@pytest.mark.parametrize(
    ("spec", "tag"),
    [
        ("cp311,manylinux2014_x86_64", "cp311-cp311-manylinux_2_18_x86_64"),
        ("cp311,manylinux2010_x86_64", "cp311-cp311-manylinux2014_x86_64"),
        ("cp311,manylinux2014_x86_64", "cp311-cp311-linux_x86_64"),
        ("cp311,manylinux2014_x86_64", "cp311-cp311-musllinux_1_1_x86_64"),
        ("cp311,musllinux_1_2_x86_64", "cp311-cp311-manylinux2014_x86_64"),
        ("cp311,manylinux2014_aarch64", "cp311-cp311-manylinux2014_x86_64"),
        ("cp311,win_amd64", "cp312-abi3-win_amd64"),
        ("cp311,win_amd64", "cp310-cp310-win_amd64"),
        ("cp313,win_amd64", "cp313-cp313t-win_amd64"),
        ("cp313-cp313t-win_amd64", "cp313-cp313-win_amd64"),
        ("cp313-cp313t-win_amd64", "cp38-abi3-win_amd64"),
        ("cp315,win_amd64", "cp315-abi3t-win_amd64"),
        ("pp310,win_amd64", "cp310-cp310-win_amd64"),
        ("pp310,win_amd64", "cp38-abi3-win_amd64"),
        ("cp311,win_amd64", "py312-none-any"),
        ("cp311,win_amd64", "py2-none-any"),
    ],
)
def test_a_wheel_that_does_not_fit(spec: str, tag: str) -> None:
    entry = unavailable(f"foo-1.0-{tag}.whl", target=target_for(spec))
    assert [rejection.file for rejection in entry.rejections] == [f"foo-1.0-{tag}.whl"]


def test_nothing_is_built_silently() -> None:
    files = ["foo-1.0.tar.gz", "foo-1.0-py2-none-any.whl"]
    assert not plan_for(LINUX, locked("foo", "1.0", *files)).ok
    entry = unavailable(*files)
    assert [(each.file, each.axis) for each in entry.rejections] == [
        ("foo-1.0-py2-none-any.whl", Axis.PYTHON),
        ("foo-1.0.tar.gz", Axis.BUILD_ONLY),
    ]


SDIST, ZIP = "foo-1.0.tar.gz", "foo-1.0.zip"


@pytest.mark.parametrize("kind", ["directory", "git"])
@pytest.mark.parametrize("build", [(), ("foo",)])
def test_what_is_locked_as_a_tree_is_built(kind: str, build: tuple[str, ...]) -> None:
    source = {"type": kind, "url": "../foo", "resolved_reference": "1" * 40}
    package = locked("foo", "1.0", source=source)
    plan = plan_for(LINUX, package, build=build)
    assert plan.to_build == (ToBuild(package=package),)
    assert plan.ok


@pytest.mark.parametrize("kind", ["legacy", "file", "url"])
def test_an_archive_is_built_only_where_the_package_is_named(kind: str) -> None:
    package = locked("foo", "1.0", ZIP, SDIST, source={"type": kind, "url": "https://host/x"})
    assert plan_for(LINUX, package, build=["bar"]).to_build == ()
    (entry,) = plan_for(LINUX, package, build=["foo"]).to_build
    assert entry.file is not None
    assert entry.file.name == SDIST


@pytest.mark.parametrize("kind", ["legacy", "file", "url"])
def test_a_wheel_that_fits_is_taken_rather_than_built(kind: str) -> None:
    wheel = "foo-1.0-py3-none-any.whl"
    package = locked("foo", "1.0", SDIST, wheel, source={"type": kind, "url": "https://host/x"})
    plan = plan_for(LINUX, package, build=["foo"])
    assert [entry.file.name for entry in plan.chosen] == [wheel]
    assert plan.to_build == ()


def test_what_is_no_archive_is_not_built_and_a_trusted_one_comes_first() -> None:
    installer = "foo-1.0.win32.exe"
    assert plan_for(LINUX, locked("foo", "1.0", installer), build=["foo"]).to_build == ()
    files = [raw_file(SDIST, "md5:" + "a" * 32), raw_file(ZIP)]
    raw = {**raw_package("foo", "1.0"), "files": files}
    (entry,) = plan_for(LINUX, *read_lock(raw_lock(raw)).packages, build=["foo"]).to_build
    assert entry.file is not None
    assert entry.file.name == ZIP


def test_without_an_archive_there_is_nothing_to_build_from() -> None:
    package = locked("foo", "1.0", "foo-1.0-py2-none-any.whl", "foo-1.0.whl")
    plan = plan_for(LINUX, package, build=["foo"])
    assert len(plan.unavailable) == 1
    assert plan.to_build == ()


def test_an_archive_without_a_strong_hash_is_not_built() -> None:
    raw = {**raw_package("foo", "1.0"), "files": [raw_file(SDIST, "md5:" + "a" * 32)]}
    plan = plan_for(LINUX, *read_lock(raw_lock(raw)).packages, build=["foo"])
    assert [file.name for _, file in plan.untrusted] == [SDIST]
    assert not plan.ok


# --- trust ------------------------------------------------------------------------------------


def with_hashes(*hashes: object) -> Raw:
    files = [
        raw_file(f"foo-1.0-cp3{index}-abi3-manylinux1_x86_64.whl", digest)
        for index, digest in enumerate(hashes, start=5)
    ]
    return {**raw_package("foo", "1.0"), "files": files}


def test_a_chosen_file_without_a_strong_hash_is_no_plan() -> None:
    plan = plan_for(LINUX, *read_lock(raw_lock(with_hashes("md5:" + "a" * 32))).packages)
    assert plan.untrusted == tuple((entry.package, entry.file) for entry in plan.chosen)
    assert len(plan.untrusted) == 1
    assert not plan.ok


def test_a_file_that_is_not_chosen_needs_no_hash() -> None:
    raw = with_hashes("md5:" + "a" * 32, "sha256:" + "a" * 64)
    plan = plan_for(LINUX, *read_lock(raw_lock(raw)).packages)
    assert plan.untrusted == ()
    assert plan.ok


def test_a_package_of_an_index_without_any_file_is_told_apart() -> None:
    directory = {"type": "directory", "url": "../lib"}
    plan = plan_for(
        LINUX,
        locked("nofile", "1"),
        locked("lib", "1", source=directory),
        locked("sdist", "1", "sdist-1.tar.gz"),
    )
    assert [entry.package.name for entry in plan.unlisted] == ["nofile"]


# --- against packaging ------------------------------------------------------------------------

TARGETS = [
    LINUX,
    target_for("cp37-cp37m-manylinux2010_x86_64,linux_x86_64"),
    target_for("cp313-cp313t-macosx_14_0_arm64"),
    target_for("cp313,win_amd64"),
    target_for("pp310,musllinux_1_2_x86_64"),
]
PYTHONS = ["py3", "py2.py3", "py310", "cp37", "cp38", "cp310.cp311", "cp311", "cp313", "pp310"]
ABIS = ["none", "abi3", "cp37m", "cp311", "cp313", "cp313t", "abi3t", "pypy310_pp73"]
PLATFORMS = ["any", "linux_x86_64", "manylinux1_x86_64", "manylinux_2_17_x86_64", "win_amd64"]
PLATFORMS += ["manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_1_x86_64"]
PLATFORMS += ["macosx_11_0_arm64", "macosx_10_9_universal2", "manylinux_2_28_x86_64"]
wheel_names = st.builds(
    "foo-1.0{}-{}-{}-{}.whl".format,
    st.sampled_from(["", "", "-1", "-2", "-10", "-2b"]),
    st.sampled_from(PYTHONS),
    st.sampled_from(ABIS),
    st.sampled_from(PLATFORMS),
)


def expected_choice(files: list[str], target: Target) -> str | None:
    """The rule of the contract over what packaging reads from each name."""
    places = {tag: place for place, tag in enumerate(target.tags)}
    keys = []
    for file in files:
        _, _, build, tags = parse_wheel_filename(file)
        ranks = [places[str(tag)] for tag in tags if str(tag) in places]
        if ranks:
            keys.append((min(ranks), build, file))
    if not keys:
        return None
    best = min(rank for rank, _, _ in keys)
    newest = max(build for rank, build, _ in keys if rank == best)
    return min(file for rank, build, file in keys if (rank, build) == (best, newest))


@settings(quick, max_examples=300)
@given(st.lists(wheel_names, max_size=12, unique=True), st.sampled_from(TARGETS))
def test_the_choice_is_that_of_the_contract(files: list[str], target: Target) -> None:
    package = locked("foo", "1.0", *files)
    (entry,) = plan_for(target, package).entries
    expected = expected_choice(files, target)
    if isinstance(entry, Chosen):
        assert entry.file.name == expected
        assert target.tags[entry.rank] == entry.tag
        assert entry.wheel.filename == expected
    else:
        assert expected is None
    fitting = [row.file for row in explain(package, target) if row.rejection is None]
    assert set(fitting) == {file for file in files if expected_choice([file], target)}


# --- a real lock ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "file"),
    [
        (
            "cp38-cp38-manylinux2010_x86_64",
            "numpy-1.20.3-cp38-cp38-manylinux_2_12_x86_64.manylinux2010_x86_64.whl",
        ),
        ("cp37,manylinux1_x86_64", "numpy-1.19.5-cp37-cp37m-manylinux1_x86_64.whl"),
        (
            "cp310,manylinux_2_28_aarch64",
            "numpy-1.23.5-cp310-cp310-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
        ),
        ("cp39,win32", "numpy-1.20.3-cp39-cp39-win32.whl"),
    ],
)
def test_the_numpy_of_a_real_lock(spec: str, file: str) -> None:
    plan = plan_for(target_for(spec), *real_lock("legacy-glibc").packages)
    assert [e.file.name for e in plan.chosen if e.package.name == "numpy"] == [file]


# --- packages that may take more than the target promises -------------------------------------

OLD = "numpy-2.2.6-cp311-cp311-manylinux_2_17_x86_64.whl"
NEW = "numpy-2.2.6-cp311-cp311-manylinux_2_28_x86_64.whl"


def with_more(*files: str, name: str = "numpy") -> Plan:
    target = target_for("cp311,manylinux_2_17_x86_64")
    more = with_more_platforms(target, (parse_platform("manylinux_2_28_x86_64"),))
    return plan_for(target, locked("numpy", "2.2.6", *files), variants={name: more})


def test_a_named_package_takes_more_than_the_target_promises() -> None:
    (entry,) = with_more(OLD, NEW).chosen
    assert (entry.file.name, entry.beyond) == (NEW, True)
    assert with_more(OLD, NEW).beyond == (entry,)


def test_what_the_target_takes_anyway_is_not_beyond_it() -> None:
    plan = with_more(OLD)
    assert [entry.file.name for entry in plan.chosen] == [OLD]
    assert plan.beyond == ()


def test_other_packages_take_what_the_target_promises() -> None:
    (entry,) = with_more(OLD, NEW, name="scipy").chosen
    assert (entry.file.name, entry.beyond) == (OLD, False)


def test_what_a_named_package_lacks_is_said_of_what_it_may_take() -> None:
    (entry,) = with_more("numpy-2.2.6-cp311-cp311-manylinux_2_34_x86_64.whl").unavailable
    assert entry.hint == "needs glibc 2.34, the target has 2.28"
