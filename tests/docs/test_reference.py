"""The reference says what the code has, and nothing else."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from core.lockmaker import a_project, locked, plan_for, target_for
from docs.markdown import DOCS, ROOT, below, code, codes, rows, section, sections
from wheeltarget.core import config, errors, wheelname
from wheeltarget.core.bundlecheck import Verified, verify_document
from wheeltarget.core.bundlediff import (
    Difference,
    FactChange,
    PackageChange,
    PartDifference,
    difference_document,
)
from wheeltarget.core.bundlefile import Manifest
from wheeltarget.core.description import description_document
from wheeltarget.core.document import json_document
from wheeltarget.core.errors import INTERRUPTED, Problem, WheeltargetError
from wheeltarget.core.explain import Axis
from wheeltarget.core.limits import DEFAULT_LIMITS
from wheeltarget.core.manifest import (
    MANIFEST_NAME,
    WHEELS_FOLDER,
    Contents,
    Member,
    Part,
)
from wheeltarget.core.markers import VARIABLES
from wheeltarget.core.members import text_members
from wheeltarget.core.model import Source, StoredWheel
from wheeltarget.core.plan import explain
from wheeltarget.core.platforms import ARCHITECTURES, parse_platform
from wheeltarget.core.presets import presets
from wheeltarget.core.report import (
    Explanation,
    PackageSize,
    Report,
    TargetReport,
    WrittenBundle,
)
from wheeltarget.core.target import IMPLEMENTATIONS, with_more_platforms
from wheeltarget.core.verify import Findings
from wheeltarget.plugin.commands.bundle_wheels import BundleWheelsCommand
from wheeltarget.plugin.commands.diff import DiffCommand
from wheeltarget.plugin.commands.list_targets import ListCommand
from wheeltarget.plugin.commands.lock_targets import LockTargetsCommand
from wheeltarget.plugin.commands.probe import ProbeCommand
from wheeltarget.plugin.commands.show_target import ShowCommand
from wheeltarget.plugin.commands.verify import VerifyCommand

if TYPE_CHECKING:
    from types import ModuleType

    from cleo.io.inputs.option import Option

    from wheeltarget.core.plan import Plan

COMMAND = "docs/reference/command.md"
TARGETS = "docs/reference/targets.md"
CONFIGURATION = "docs/reference/configuration.md"
BUNDLE = "docs/reference/bundle.md"
JSON = "docs/reference/json.md"
EXIT_CODES = "docs/reference/exit-codes.md"
LIMITS = "docs/reference/limits.md"
COMMANDS = "docs/reference/wheeltarget.md"
DESCRIPTION = "docs/reference/description.md"
PRESETS = "docs/reference/presets.md"

TABLE = "The table `[tool.wheeltarget]`"
TARGET = "A target `[tool.wheeltarget.targets.NAME]`"

#: ``-t``, ``--target SPEC`` as a heading.
_OPTION = re.compile(r"(?:`-(?P<short>\w)`, )?`--(?P<name>[a-z-]+)(?P<value> [A-Z]+)?`")


# --- command -------------------------------------------------------------------------------------


@cache
def options() -> dict[str, Option]:
    return {option.name: option for option in BundleWheelsCommand.options}


@cache
def documented_options() -> dict[str, tuple[re.Match[str], str]]:
    found = {}
    for each in sections(COMMAND):
        if match := _OPTION.fullmatch(each.title):
            found[match["name"]] = (match, each.text)
    return found


def test_every_option_is_documented_and_nothing_else() -> None:
    assert set(documented_options()) == set(options())


def test_shortcuts_are_those_of_the_code() -> None:
    documented = {name: match["short"] for name, (match, _) in documented_options().items()}
    assert documented == {name: option.shortcut for name, option in options().items()}


def test_an_option_is_shown_with_a_value_where_it_takes_one() -> None:
    documented = {name: bool(match["value"]) for name, (match, _) in documented_options().items()}
    assert documented == {name: option.accepts_value() for name, option in options().items()}


def test_options_that_may_be_repeated_are_said_to_be() -> None:
    documented = {
        name: "May be given several times" in text
        for name, (_, text) in documented_options().items()
    }
    assert documented == {name: option.is_list() for name, option in options().items()}


# --- commands about targets -----------------------------------------------------------------------

FURTHER = {
    "list": ListCommand,
    "show": ShowCommand,
    "probe": ProbeCommand,
    "lock": LockTargetsCommand,
    "verify": VerifyCommand,
    "diff": DiffCommand,
}


def test_every_command_about_targets_is_documented_with_what_it_takes() -> None:
    commands = {each.title: each.title for each in sections(COMMANDS) if each.level == 2}
    assert list(commands) == [f"`poetry wheeltarget {name}`" for name in FURTHER]
    for name, command in FURTHER.items():
        titles = [each.title for each in below(COMMANDS, f"`poetry wheeltarget {name}`")]
        assert [_taken(title) for title in titles] == [
            *((argument.name, None, False) for argument in command.arguments),
            *((o.name, o.shortcut, o.accepts_value()) for o in command.options),
        ]


def _taken(title: str) -> tuple[str, str | None, bool]:
    """What a heading says of an argument or an option: name, short name, and if it has a value."""
    match = _OPTION.fullmatch(title)
    return (
        (match["name"], match["short"], bool(match["value"]))
        if match
        else (code(title), None, False)
    )


def json_keys(command: str) -> list[str]:
    """The documented keys of what a command about bundles writes with ``--json``."""
    found = {each.title: each for each in below(COMMANDS, f"`poetry wheeltarget {command}`")}
    return [code(row[0]) for row in rows(found["`--json`"].text)]


def test_every_key_of_the_document_of_verify_is_documented() -> None:
    problem = Problem(what="what", package="package", target="target", file="file", hint="hint")
    manifest = Manifest(project=a_project())
    of_bundle = Verified(path="a.zip", manifest=manifest, findings=Findings(problems=(problem,)))
    document = json.loads(json.dumps(verify_document([of_bundle], [problem])))
    same = {key for key in keys_of(document) if key.startswith("errors[]")}
    assert_same_keys(json_keys("verify"), set(keys_of(document)) - same)


def test_every_key_of_the_document_of_diff_is_documented() -> None:
    fact = FactChange(name="x", before=1, after=2)
    package = PackageChange(name="x", kind="added", before=None, after=None)
    part = PartDifference(
        name="x", kind="changed", facts=(fact,), packages=(package,), excluded=(fact,)
    )
    found = Difference(facts=(fact,), targets=(part,))
    document = json.loads(json.dumps(difference_document(found, ["a", "b"])))
    same = {key for key in keys_of(document) if re.match(r"targets\[\]\.(facts|excluded)\[\]", key)}
    assert_same_keys(json_keys("diff"), set(keys_of(document)) - same)


def test_every_key_of_a_description_is_documented_in_its_order() -> None:
    document = description_document(target_for("win32"))
    assert documented_keys(DESCRIPTION, "Keys") == list(document)


# --- presets --------------------------------------------------------------------------------------


def script() -> ModuleType:
    """What makes the tables: ``python3 dev.py presets`` runs it."""
    spec = importlib.util.spec_from_file_location("preset_table", DOCS / "preset_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_presets_are_those_of_the_data_file() -> None:
    page = (ROOT / PRESETS).read_text(encoding="utf-8")
    assert page == script().filled(page), "run python3 dev.py presets"


def documented_presets() -> Iterator[tuple[str, str, str]]:
    """Name, newest tag and evidence of each preset, read from the tables alone."""
    for title in ("Runtimes", "Distributions"):
        for name, _, tag, archs, *more, evidence in rows(section(PRESETS, title).text):
            shown, *renamed = archs.split("; ")
            names = dict([codes(each) for each in renamed])
            pythons = more[0].split(", ") if more else [""]
            for arch, python in product(codes(shown), pythons):
                own = code(name).replace("ARCH", arch).replace("X.Y", python)
                yield own, code(tag).replace("ARCH", names.get(arch, arch)), evidence


def test_every_preset_stands_in_a_table_with_tag_evidence_and_date() -> None:
    documented = list(documented_presets())
    assert len(documented) == len(presets())
    assert set(documented) == {
        (preset.name, preset.platform.tag, f"{'; '.join(preset.evidence)} ({preset.date})")
        for preset in presets().values()
    }


# --- configuration -------------------------------------------------------------------------------


def keys_below(title: str) -> list[str]:
    return [code(each.title) for each in below(CONFIGURATION, title)]


def test_every_key_of_the_table_is_documented_in_the_order_of_the_code() -> None:
    assert keys_below(TABLE) == list(config.TABLE_KEYS)


def test_every_key_of_a_target_is_documented_in_the_order_of_the_code() -> None:
    assert keys_below(TARGET) == list(config.TARGET_KEYS)
    packages = section(CONFIGURATION, "`packages`").text
    assert all(f"`{key}`" in packages for key in config.PACKAGE_KEYS)


def test_every_key_has_a_type_a_default_and_an_example() -> None:
    for each in (*below(CONFIGURATION, TABLE), *below(CONFIGURATION, TARGET)):
        assert [row[0] for row in rows(each.text)] == ["type", "default", "example"], each.title
        assert code(each.title) in rows(each.text)[2][1]


def test_the_default_output_and_the_implementations_are_those_of_the_code() -> None:
    output, implementation = (
        dict(rows(section(CONFIGURATION, f"`{key}`").text)) for key in ("output", "implementation")
    )
    assert output["default"] == f'`"{config.DEFAULT_OUTPUT}"`'
    assert codes(implementation["type"]) == [f'"{name}"' for name in IMPLEMENTATIONS]


# --- targets -------------------------------------------------------------------------------------


def test_every_marker_variable_is_documented() -> None:
    table = rows(section(TARGETS, "Marker variables").text)
    assert [code(row[0]) for row in table] == list(VARIABLES)


def test_a_variable_is_documented_as_unknown_where_no_target_has_it() -> None:
    known = {
        name
        for spec in ("manylinux2014_x86_64", "win_amd64", "macosx_11_0_arm64", "pp310,linux_i686")
        for name in target_for(spec, "3.10.1").environment
    }
    table = rows(section(TARGETS, "Marker variables").text)
    assert {code(row[0]) for row in table if row[1] == "unknown"} == set(VARIABLES) - known


def test_every_kind_of_platform_is_documented_with_its_architectures() -> None:
    table = rows(section(TARGETS, "Platforms").text)
    documented = {row[0].lower(): tuple(codes(row[2])) for row in table}
    assert documented == {kind.value.lower(): of for kind, of in ARCHITECTURES.items()}


# --- exit codes ----------------------------------------------------------------------------------


def error_classes() -> Iterator[type[WheeltargetError]]:
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, WheeltargetError):
            yield value


def test_every_exit_code_is_documented_with_its_error_class() -> None:
    table = rows(section(EXIT_CODES, "Exit codes").text)
    documented = [(int(row[0]), row[1].strip("`")) for row in table]
    classes = sorted((each.exit_code, each.__name__) for each in error_classes())
    assert documented == [(0, ""), *classes, (INTERRUPTED, "")]


# --- limits --------------------------------------------------------------------------------------


def test_every_limit_is_documented_with_its_default() -> None:
    table = {code(row[0]): row[1] for row in rows(section(LIMITS, "Limits").text)}
    names = [field.name for field in fields(DEFAULT_LIMITS)]
    limits = {name: str(getattr(DEFAULT_LIMITS, name)) for name in names}
    fixed = {name: str(getattr(wheelname, name)) for name in ("MAX_NAME_BYTES", "MAX_TAGS")}
    assert table == limits | fixed


# --- manifest and JSON ---------------------------------------------------------------------------

TRIPLE = "cp311-cp311-manylinux_2_17_x86_64"
#: Keys whose value has keys that are data.
OPEN = {"target.markers"}
#: What has, in the manifest of a combined bundle, the keys that it has in others.
SAME = ("targets[].target.", "targets[].packages[].", "targets[].excluded[].")


def keys_of(value: object, path: str = "") -> Iterator[str]:
    """The paths of all keys in a JSON value: ``packages[].source.url``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            below_it = f"{path}.{key}" if path else key
            yield below_it
            if below_it not in OPEN:
                yield from keys_of(inner, below_it)
    elif isinstance(value, list):
        for item in value:
            yield from keys_of(item, f"{path}[]")


def documented_keys(page: str, title: str) -> list[str]:
    return [code(row[0]) for row in rows(section(page, title).text)]


def assert_same_keys(documented: list[str], real: Iterable[str]) -> None:
    assert len(documented) == len(set(documented))
    assert set(documented) == set(real)


def a_plan() -> Plan:
    """A plan in which all can be seen that a plan can hold."""
    old, new = "python_full_version < '3.11.3'", "python_full_version >= '3.11.3'"
    target = target_for("manylinux2014_x86_64", "3.11")
    newer = (parse_platform("manylinux_2_28_x86_64"),)
    return plan_for(
        target,
        locked("beyond", "1.0", "beyond-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"),
        locked("chosen", "1.0", f"chosen-1.0-{TRIPLE}.whl"),
        locked("doubtful", "1.0", "doubtful-1.0-py3-none-any.whl", markers=old),
        locked("missing", "1.0", "missing-1.0-cp311-cp311-win_amd64.whl"),
        locked("provided", "1.0", "provided-1.0-py3-none-any.whl"),
        locked("twofold", "1.0", "twofold-1.0-py3-none-any.whl", markers=old),
        locked("twofold", "2.0", "twofold-2.0-py3-none-any.whl", markers=new),
        exclude=["provided"],
        variants={"beyond": with_more_platforms(target, newer)},
    )


STORED = StoredWheel(filename=f"demo-1.0-{TRIPLE}.whl", sha256="0" * 64, size=3)


def contents() -> Contents:
    """A bundle in which all can be seen that a bundle can hold."""
    plan = a_plan()
    private = Source(url="https://user:secret@index.example.com/simple", reference="acme")
    doubt = ("python_full_version < '3.11.3'", ("python_full_version",))
    git = Source(kind="git", url="https://host/x.git", commit="c0ffee")
    own = Member(
        name=a_project().name, version="1.0", tag=TRIPLE, wheel=STORED, built=True, source=git
    )
    members = (
        own,
        *(
            Member(
                name=each.package.name,
                version="1.0",
                tag=each.tag,
                wheel=STORED,
                source=source,
                beyond=each.beyond,
                undecided=doubt,
                record=("x.dist-info/RECORD", "0" * 64),
            )
            for each, source in zip(plan.chosen, (Source(), private), strict=False)
        ),
    )
    part = Part(target=plan.target, members=members, excluded=plan.excluded)
    return Contents(
        generator=("poetry-plugin-wheeltarget", "0.1.0"),
        project=a_project(packaged=True),
        content_hash="c0ffee",
        groups=("main",),
        extras=("cli",),
        parts=(part,),
    )


def manifests() -> Iterator[object]:
    """The manifests of every kind of bundle."""
    single = contents()
    tree = replace(single, layout="site-packages", prefix="python/")
    for each in (single, tree, replace(single, combined=True)):
        yield json.loads(text_members(each, "")[MANIFEST_NAME])


def test_every_member_of_a_bundle_is_documented() -> None:
    members = [code(row[0]) for row in rows(section(BUNDLE, "Members").text)]
    assert members == [*text_members(contents(), ""), f"{WHEELS_FOLDER}/*.whl"]


def real_keys() -> set[str]:
    keys = {key for manifest in manifests() for key in keys_of(manifest)}
    return {key for key in keys if not key.startswith(SAME)}


def test_every_key_of_the_manifest_is_documented_and_nothing_else() -> None:
    assert_same_keys(documented_keys(BUNDLE, "manifest.json"), real_keys())


def test_every_key_of_the_json_document_is_documented_and_nothing_else() -> None:
    plan = a_plan()
    document = json_document(
        Report(
            project=a_project(packaged=True),
            targets=(
                TargetReport(
                    plan=plan,
                    provided=(plan.chosen[0].package.name,),
                    bundle=WrittenBundle(path="x.zip", size=1, sha256="0" * 64, wheels=1),
                    built={a_project().name: (STORED, TRIPLE)},
                    sizes=(PackageSize(name=a_project().name, version="1", packed=1, unpacked=2),),
                ),
            ),
        ),
        [Problem(what="what", package="package", target="target", file="file", hint="hint")],
        [
            Explanation(
                target=plan.target, package=entry.package, rows=explain(entry.package, plan.target)
            )
            for entry in plan.entries
        ],
    )
    assert_same_keys(documented_keys(JSON, "JSON"), keys_of(json.loads(json.dumps(document))))


def test_every_outcome_of_a_package_is_documented() -> None:
    document = json_document(
        Report(project=a_project(packaged=True), targets=(TargetReport(plan=a_plan()),))
    )
    (target,) = json.loads(json.dumps(document))["targets"]
    cell = dict(rows(section(JSON, "JSON").text))["`targets[].packages[].outcome`"]
    assert set(codes(cell)) == {package["outcome"] for package in target["packages"]}


def test_every_axis_is_documented() -> None:
    cell = dict(rows(section(JSON, "JSON").text))["`targets[].packages[].rejected[].axis`"]
    assert codes(cell) == [axis.value for axis in Axis]
    table = rows(section("docs/how-to/missing-wheels.md", "Read the report").text)
    assert [code(row[0]) for row in table][-len(Axis) :] == [axis.value for axis in Axis]
