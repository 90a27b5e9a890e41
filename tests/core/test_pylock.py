"""``pylock.toml``: valid, for the target only, and the same as the requirements."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Environment, Marker
from packaging.pylock import Pylock, PylockSelectError
from packaging.tags import Tag
from packaging.utils import canonicalize_name

from core.lockmaker import a_project, quick, target_for
from wheeltarget.core.manifest import Contents, Member, Part
from wheeltarget.core.model import StoredWheel
from wheeltarget.core.pylock import environment_marker, pylock_names, pylock_text
from wheeltarget.core.target import Target

GLIBC = target_for("cp311,manylinux2014_x86_64")
MEMBER = Member(
    name=canonicalize_name("foo-bar"),
    version="1!2.0+local",
    tag="py3-none-any",
    wheel=StoredWheel(filename="Foo.Bar-1!2.0+local-py3-none-any.whl", sha256="ab" * 32, size=7),
)


def contents(*targets: Target, combined: bool = False) -> Contents:
    return Contents(
        generator=("poetry-plugin-wheeltarget", "0.1.0"),
        project=a_project(),
        content_hash="c0ffee",
        groups=("main",),
        extras=(),
        parts=tuple(Part(target=target, members=(MEMBER,)) for target in targets),
        combined=combined,
    )


def lock_for(target: Target) -> Pylock:
    """The lock, as packaging reads it."""
    bundle = contents(target)
    return Pylock.from_dict(tomlkit.loads(pylock_text(bundle, bundle.parts[0])).unwrap())


def environment(target: Target) -> Environment:
    """All marker variables of a target; those that are unknown have some value."""
    names = Environment.__required_keys__
    return {name: target.environment.get(name, "3.11.0") for name in names}  # type: ignore[return-value]


def test_the_lock_of_a_bundle_in_full() -> None:
    bundle = contents(GLIBC)
    assert pylock_text(bundle, bundle.parts[0]) == (
        'lock-version = "1.0"\n'
        "environments = [\"implementation_name == 'cpython' and platform_machine == 'x86_64' and "
        "python_version == '3.11' and sys_platform == 'linux'\"]\n"
        'requires-python = "==3.11.*"\n'
        'created-by = "poetry-plugin-wheeltarget"\n'
        "\n"
        "[[packages]]\n"
        'name = "foo-bar"\n'
        'version = "1!2.0+local"\n'
        "\n"
        "[[packages.wheels]]\n"
        'name = "Foo.Bar-1!2.0+local-py3-none-any.whl"\n'
        'path = "wheels/Foo.Bar-1!2.0+local-py3-none-any.whl"\n'
        "size = 7\n"
        f'hashes = {{ sha256 = "{"ab" * 32}" }}\n'
    )


def test_the_target_takes_every_wheel_of_it() -> None:
    ((package, wheel),) = lock_for(GLIBC).select(
        environment=environment(GLIBC), tags=[Tag("py3", "none", "any")]
    )
    assert (package.name, str(package.version)) == ("foo-bar", "1!2.0+local")
    assert wheel is package.wheels[0] if package.wheels else False


@pytest.mark.parametrize(
    "spec",
    ["cp312,manylinux2014_x86_64", "cp311,manylinux2014_aarch64", "cp311,win_amd64"],
)
def test_another_target_is_refused(spec: str) -> None:
    other = environment(target_for(spec))
    with pytest.raises(PylockSelectError):
        list(lock_for(GLIBC).select(environment=other, tags=[Tag("py3", "none", "any")]))


def test_what_is_not_known_of_a_target_is_not_asked() -> None:
    marker = environment_marker(target_for("cp311,ios_13_0_arm64_iphoneos"))
    assert "sys_platform == 'ios'" in marker
    with_quote = target_for("cp311,win_amd64", markers={"platform_machine": "it's"})
    assert 'platform_machine == "it\'s"' in environment_marker(with_quote)


def environment_with(machine: str) -> tuple[str, Target]:
    target = target_for("cp311,win_amd64", markers={"platform_machine": machine})
    return environment_marker(target), target


@pytest.mark.parametrize("value", ["x' or '1'==\"1", "a\\nb", "a\nb", "\ud800", "\0"])
def test_a_value_that_no_marker_can_hold_is_left_out(value: str) -> None:
    marker, _ = environment_with(value)
    assert marker == (
        "implementation_name == 'cpython' and python_version == '3.11' and sys_platform == 'win32'"
    )


@quick
@given(st.text(st.sampled_from("'\"\\ =ao#\n\u00e9\ud800"), min_size=1))
def test_whatever_a_machine_is_called_the_marker_holds_there_and_can_be_written(name: str) -> None:
    marker, target = environment_with(name)
    assert Marker(marker).evaluate({**target.environment})
    assert marker.encode()


NAMES = st.lists(st.text("ab.-", min_size=1, max_size=5), min_size=1, max_size=6, unique=True)


@quick
@given(NAMES)
def test_each_target_of_a_combined_bundle_has_a_lock_of_its_own_name(names: list[str]) -> None:
    targets = [target_for("cp311,win_amd64", name=name) for name in names]
    found = pylock_names(contents(*targets, combined=True))
    assert len(set(found)) == len(names)
    for name in found:
        start, stem, end = name.split(".")  # the specification allows no further dot
        assert (start, end) == ("pylock", "toml")
        assert stem


def test_text_is_escaped() -> None:
    odd = replace(contents(GLIBC), generator=('a"\\\n\x7f', "1"))
    read = tomlkit.loads(pylock_text(odd, odd.parts[0]))
    assert read["created-by"] == 'a"\\\n\x7f'
