"""The walk against a reference that knows one environment and follows what holds there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from core.lockmaker import Raw, quick, target_for
from core.oldlockmaker import applying, old_lock, old_package, root
from wheeltarget.core.lock import read_lock
from wheeltarget.core.markers import evaluate, parse_marker

NAMES = "abcde"
EXTRAS = "xy"
MARKERS = [
    *("", 'python_version < "3.10"', 'python_version >= "3.10"', 'sys_platform == "win32"'),
    *('sys_platform != "win32" or python_version >= "3.12"', 'platform_machine == "arm64"'),
]
TARGETS = [
    target_for("manylinux2014_x86_64", "3.9.1"),
    target_for("win_amd64", "3.12.1"),
    target_for("macosx_11_0_arm64", "3.10.2"),
]

wanted_extras = st.lists(st.sampled_from([*EXTRAS, "all"]), max_size=2, unique=True)
needs = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "marker": st.sampled_from(MARKERS),
        "extras": wanted_extras,
        # The extra of the package that brings it; None for the package itself.
        "of": st.sampled_from([None, None, *EXTRAS]),
    }
)
packages = st.fixed_dictionaries({name: st.lists(needs, max_size=4) for name in NAMES})
roots = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(NAMES),
            "marker": st.sampled_from(MARKERS),
            "extras": wanted_extras,
            "of": st.sampled_from([None, None, "one", "two"]),
            "group": st.sampled_from(["main", "dev"]),
        }
    ),
    max_size=4,
)


def lock_of(graph: dict[str, list[Raw]]) -> Raw:
    """The graph as a lock of format 2.0."""
    raw = []
    for name, wanted in graph.items():
        dependencies: dict[str, list[Raw]] = {}
        extras: dict[str, list[str]] = {extra: [] for extra in EXTRAS}
        for need in wanted:
            own = [f"({need['marker']})"] if need["marker"] else []
            if need["of"]:
                own.append(f'extra == "{need["of"]}"')
                extras[str(need["of"])].append(str(need["name"]))
            entry: Raw = {"version": "*", "extras": need["extras"], "optional": bool(need["of"])}
            if own:
                entry["markers"] = " and ".join(own)
            dependencies.setdefault(str(need["name"]), []).append(entry)
        extras["all"] = [f"{name}[{','.join(EXTRAS)}]"]
        raw.append(old_package(name, needs=dependencies, extras=extras))
    return old_lock(*raw)


def reference(
    graph: dict[str, list[Raw]],
    wanted: list[Raw],
    target: int,
    groups: set[str],
    extras: set[str],
) -> set[str]:
    """The packages that apply: visit (package, extra) pairs until there are no new ones."""

    def holds(need: Raw) -> bool:
        marker = parse_marker(str(need["marker"]))
        return bool(evaluate(marker, TARGETS[target].environment).holds)

    def pairs(need: Raw) -> list[tuple[str, str | None]]:
        asked = need["extras"]
        assert isinstance(asked, list)
        every = {*asked, *(EXTRAS if "all" in asked else ())}
        return [(str(need["name"]), extra) for extra in (None, *every)]

    waiting = [
        pair
        for need in wanted
        if need["group"] in groups and need["of"] in (None, *extras) and holds(need)
        for pair in pairs(need)
    ]
    seen: set[tuple[str, str | None]] = set()
    while waiting:
        name, extra = pair = waiting.pop()
        if pair not in seen:
            seen.add(pair)
            waiting += [
                found
                for need in graph[name]
                if need["of"] == extra and holds(need)
                for found in pairs(need)
            ]
    return {f"{name} 1.0" for name, _ in seen}


@quick
@given(
    packages,
    roots,
    st.integers(0, len(TARGETS) - 1),
    st.sets(st.sampled_from(["main", "dev"])),
    st.sets(st.sampled_from(["one", "two"])),
)
def test_the_walk_and_the_reference_agree(
    graph: dict[str, list[Raw]],
    wanted: list[Raw],
    target: int,
    groups: set[str],
    extras: set[str],
) -> None:
    asked = [
        root(
            str(need["name"]),
            marker=str(need["marker"]),
            group=str(need["group"]),
            extras=need["extras"],  # type: ignore[arg-type]
            in_extras=[str(need["of"])] if need["of"] else None,
        )
        for need in wanted
    ]
    lock = read_lock(lock_of(graph), asked)
    assert lock.gaps == ()
    names = [canonicalize_name(extra) for extra in extras]
    found = applying(lock, TARGETS[target], groups=groups, extras=names)
    assert found == reference(graph, wanted, target, groups, extras)
