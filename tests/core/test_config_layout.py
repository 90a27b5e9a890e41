"""The keys of the form of a bundle: layout, prefix and compile."""

from __future__ import annotations

import pytest

from core.lockmaker import Raw
from core.test_resolve import Host, resolve
from wheeltarget.core.config import LayoutKeys, read_table
from wheeltarget.core.errors import UsageError
from wheeltarget.core.markers import parse_marker
from wheeltarget.core.resolve import Surroundings, TargetOptions, TargetSettings, resolve_targets
from wheeltarget.core.target import PythonVersion

WINDOWS: Raw = {"platforms": ["win_amd64"], "python": "3.12"}
SITE: Raw = {"layout": "site-packages"}


def laid_out(table: Raw, target: Raw | None = None, layout: str | None = None) -> TargetSettings:
    """The settings of one target."""
    host = Host(PythonVersion(3, 13))
    (settings,) = resolve_targets(
        read_table({**table, "targets": {"prod": {**WINDOWS, **(target or {})}}}),
        TargetOptions(specs=("prod",), layout=layout),
        Surroundings(
            project=parse_marker(""),
            declared="",
            active=host.active,
            notice=host.notices.append,
            remark=host.remarks.append,
            read_file=host.read_file,
        ),
    )
    return settings


def form(settings: TargetSettings) -> tuple[str, str, bool]:
    return settings.layout, settings.prefix, settings.compile


def refused(table: Raw, target: Raw | None = None, layout: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        laid_out(table, target, layout)
    (problem,) = caught.value.problems
    return problem.what


def test_without_keys_there_is_a_wheelhouse() -> None:
    assert form(laid_out({})) == ("wheelhouse", "", False)
    assert form(laid_out({"layout": "wheelhouse"})) == ("wheelhouse", "", False)


def test_the_table_says_it_for_every_target_and_a_target_for_itself() -> None:
    table: Raw = {"layout": "site-packages", "prefix": "python", "compile": True}
    assert form(laid_out(table)) == ("site-packages", "python/", True)
    assert form(laid_out(table, {"prefix": "", "compile": False})) == ("site-packages", "", False)
    assert form(laid_out({}, SITE)) == ("site-packages", "", False)
    (spec,) = resolve("cp312,win_amd64", table=table)
    assert form(spec) == ("site-packages", "python/", True)


def test_a_target_takes_over_what_it_extends() -> None:
    table = read_table(
        {
            "targets": {
                "base": {**WINDOWS, **SITE, "prefix": "a/b", "compile": True},
                "top": {"extends": "base", "prefix": "c/", "compile": False},
            }
        }
    )
    assert table.targets["top"].layout == LayoutKeys(
        layout="site-packages", prefix="c/", compile=False
    )


def test_the_command_line_says_it_for_all() -> None:
    table: Raw = {"prefix": "python", "compile": True}
    assert form(laid_out(table, layout="site-packages")) == ("site-packages", "python/", True)
    # Then they do not apply, and that was asked for.
    assert form(laid_out(table, SITE, "wheelhouse")) == ("wheelhouse", "", False)
    assert refused({}, layout="site-package") == (
        "--layout: unknown layout 'site-package'; there are wheelhouse and site-packages"
    )


@pytest.mark.parametrize("key", ["prefix", "compile"])
def test_a_key_that_would_change_nothing_is_refused(key: str) -> None:
    value: object = "python" if key == "prefix" else True
    what = f'{key} needs layout = "site-packages": a wheelhouse has none'
    assert what in refused({key: value})
    assert what in refused({}, {key: value})
    assert what in refused({**SITE, key: value}, {"layout": "wheelhouse"})


def test_an_old_python_has_no_bytecode_that_can_be_carried() -> None:
    target: Raw = {**SITE, "compile": True, "python": "3.6"}
    assert "compile needs a target with Python 3.7 or newer" in refused({}, target)
    assert laid_out({}, {**target, "python": "3.7.9"}).compile
    assert laid_out({}, {**target, "python": "3.7"}).compile


@pytest.mark.parametrize(
    "prefix", ["/opt", "a/../b", "../a", "./a", "a//b", "a\\b", "C:", "a/", "nul/x", "a/.b", "//"]
)
def test_a_prefix_is_a_plain_relative_folder(prefix: str) -> None:
    if prefix == "a/":
        assert laid_out({**SITE, "prefix": prefix}).prefix == "a/"
        return
    with pytest.raises(UsageError, match=r"tool\.wheeltarget\.prefix: .* is not a relative folder"):
        read_table({"prefix": prefix})
