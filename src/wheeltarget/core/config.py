"""``[tool.wheeltarget]`` and the options about targets, turned into :class:`Settings`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.utils import InvalidName, canonicalize_name

from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.markers import VARIABLES, evaluate
from wheeltarget.core.platforms import parse_platform
from wheeltarget.core.spec import Draft, SpecError, complete, parse_spec
from wheeltarget.core.suggest import did_you_mean
from wheeltarget.core.target import IMPLEMENTATIONS, PythonVersion, Target
from wheeltarget.core.typed import (
    KeyPathError,
    as_type,
    check_keys,
    get,
    get_array,
    get_as,
    join,
)
from wheeltarget.core.wheelname import (
    UnsafeFileNameError,
    bundle_file_name,
    check_file_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.utils import NormalizedName

    from wheeltarget.core.markers import BaseMarker

ROOT = "tool.wheeltarget"
DEFAULT_OUTPUT = "dist/{name}-{version}-{target}.zip"

TABLE_KEYS = ("default-targets", "output", "exclude", "targets")
TARGET_KEYS = (
    "extends",
    "python",
    "implementation",
    "abis",
    "platforms",
    "markers",
    "exclude",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTarget:
    """One table of ``[tool.wheeltarget.targets]``, with all that it extends merged in."""

    draft: Draft
    exclude: tuple[NormalizedName, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``[tool.wheeltarget]`` as declared."""

    default_targets: tuple[str, ...] = ()
    output: str = DEFAULT_OUTPUT
    exclude: tuple[NormalizedName, ...] = ()
    targets: Mapping[str, DeclaredTarget] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSettings:
    """One target of this run, and the packages that its platform provides."""

    target: Target
    exclude: frozenset[NormalizedName] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions:
    """What the command line says about targets; all empty where it says nothing."""

    specs: tuple[str, ...] = ()
    all_targets: bool = False
    python: str | None = None
    exclude: tuple[str, ...] = ()


# --- the table ------------------------------------------------------------------------------


def read_table(raw: object) -> Table:
    """Read the value of ``tool.wheeltarget`` in pyproject.toml.

    Raises UsageError, with the path of the key, for anything that is not as documented.
    """
    try:
        return _read_table(as_type(raw, dict, ROOT))
    except KeyPathError as error:
        raise UsageError(
            Problem(
                what=f"pyproject.toml: {error}",
                hint=f"the keys of [{ROOT}] and their values stand in the configuration reference",
            )
        ) from error


def _read_table(raw: Mapping[str, object]) -> Table:
    check_keys(raw, TABLE_KEYS, ROOT)
    path = join(ROOT, "targets")
    tables = get(raw, "targets", dict, ROOT) or {}
    for name in tables:
        _check_target_name(name, join(path, name))
    own = {
        name: _read_target(as_type(value, dict, join(path, name)), join(path, name))
        for name, value in tables.items()
    }
    targets = {name: _extend(name, own, tables, path) for name in own}
    defaults = get_array(raw, "default-targets", str, ROOT)
    if defaults == ():
        raise KeyPathError(join(ROOT, "default-targets"), "names no target")
    for name in defaults or ():
        if name not in targets:
            raise KeyPathError(
                join(ROOT, "default-targets"),
                f"unknown target {name!r}{did_you_mean(name, targets)}",
            )
    return Table(
        default_targets=defaults or (),
        output=get_as(raw, "output", _output, ROOT) or DEFAULT_OUTPUT,
        exclude=get_array(raw, "exclude", _package, ROOT) or (),
        targets=targets,
    )


def _check_target_name(name: str, path: str) -> None:
    # The name becomes part of a file name, and must not read as a list of tags.
    try:
        check_file_name(f"{name}.zip")
    except UnsafeFileNameError as error:
        raise KeyPathError(path, f"cannot be the name of a target: {error}") from error
    if "," in name or name.startswith("@"):
        raise KeyPathError(path, "the name of a target cannot hold a comma or begin with @")


def _read_target(raw: Mapping[str, object], path: str) -> DeclaredTarget:
    check_keys(raw, TARGET_KEYS, path)
    platforms = get_array(raw, "platforms", parse_platform, path)
    if platforms == ():
        raise KeyPathError(join(path, "platforms"), "names no platform")
    abis = get_array(raw, "abis", _abi, path)
    if abis == ():
        raise KeyPathError(join(path, "abis"), "names no ABI")
    markers_path = join(path, "markers")
    markers = get(raw, "markers", dict, path) or {}
    check_keys(markers, VARIABLES, markers_path)
    return DeclaredTarget(
        draft=Draft(
            python=get_as(raw, "python", PythonVersion.parse, path),
            implementation=get_as(raw, "implementation", _implementation, path),
            abis=abis or (),
            platforms=platforms or (),
            markers={
                key: str(as_type(value, str, join(markers_path, key)))
                for key, value in markers.items()
            },
        ),
        exclude=get_array(raw, "exclude", _package, path),
    )


def _extend(
    name: str,
    own: Mapping[str, DeclaredTarget],
    tables: Mapping[str, Mapping[str, object]],
    path: str,
) -> DeclaredTarget:
    """The declared target with what it extends merged in, its own keys first."""
    result = own[name]
    seen = [name]
    while (base := get(tables[seen[-1]], "extends", str, join(path, seen[-1]))) is not None:
        key = join(join(path, seen[-1]), "extends")
        if base in seen:
            raise KeyPathError(key, f"goes round in a circle: {' -> '.join([*seen, base])}")
        if base not in own:
            raise KeyPathError(key, f"unknown target {base!r}{did_you_mean(base, own)}")
        result = _override(own[base], result)
        seen.append(base)
    return result


def _override(base: DeclaredTarget, top: DeclaredTarget) -> DeclaredTarget:
    draft = Draft(
        python=top.draft.python or base.draft.python,
        implementation=top.draft.implementation or base.draft.implementation,
        abis=top.draft.abis or base.draft.abis,
        platforms=top.draft.platforms or base.draft.platforms,
        markers={**base.draft.markers, **top.draft.markers},
    )
    exclude = base.exclude if top.exclude is None else top.exclude
    return DeclaredTarget(draft=draft, exclude=exclude)


def _output(text: str) -> str:
    if not bundle_file_name(text, name="n", version="v", target="t"):
        raise ValueError("is empty")
    return text


def _package(text: str) -> NormalizedName:
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName:
        raise ValueError(f"{text!r} is not the name of a package") from None


def _implementation(text: str) -> str:
    if text not in IMPLEMENTATIONS:
        known = ", ".join(IMPLEMENTATIONS)
        raise ValueError(f"unknown implementation {text!r}; there are {known}")
    return text


def _abi(text: str) -> str:
    if not text.replace("_", "").isalnum() or not text.isascii() or not text.islower():
        raise ValueError(f"{text!r} is not an ABI tag such as cp311")
    return text


# --- the targets of a run -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSource:
    """Where a target's Python comes from when the target does not say it.

    ``project`` is the project's ``requires-python`` as a marker, which every target must satisfy,
    and ``declared`` is how the project says it.
    ``active`` asks for the version of Poetry's active interpreter; it is called at most once, and
    ``notice`` is then told, since a fact of the host has entered the plan.
    """

    project: BaseMarker
    declared: str
    active: Callable[[], PythonVersion]
    notice: Callable[[Problem], None]


def resolve_targets(
    table: Table, options: TargetOptions, source: PythonSource
) -> tuple[TargetSettings, ...]:
    """The targets of this run, in the order asked for, without repetition.

    Raises UsageError that lists every target that cannot be.
    """
    names = _requested(table, options)
    asked = _asked_python(options)
    everywhere = {*table.exclude, *_excluded(options)}
    fallback = _Fallback(source)
    result: dict[str, TargetSettings] = {}
    problems = []
    for text in names:
        try:
            declared = _declared(text, table, asked)
            target = _complete(text, declared, table, fallback)
            _check_allowed(target, source)
        except SpecError as error:
            problems.append(Problem(what=str(error), target=text))
            continue
        exclude = frozenset(everywhere.union(declared.exclude or ()))
        settings = TargetSettings(target=target, exclude=exclude)
        if result.setdefault(target.name, settings) != settings:
            what = f"two different targets have the name {target.name}; declare one by another name"
            problems.append(Problem(what=what, target=text))
    if problems:
        raise UsageError(*problems)
    return tuple(result.values())


def _requested(table: Table, options: TargetOptions) -> tuple[str, ...]:
    if options.specs and options.all_targets:
        raise UsageError(Problem(what="--target and --all-targets exclude each other"))
    if options.specs:
        return options.specs
    names = () if options.all_targets else table.default_targets
    names = names or tuple(table.targets)
    if not names:
        raise UsageError(
            Problem(
                what="no target is given and none is declared",
                hint="add --target, for example --target manylinux2014_x86_64, "
                f"or declare one under [{ROOT}.targets]",
            )
        )
    return names


def _asked_python(options: TargetOptions) -> PythonVersion | None:
    if options.python is None:
        return None
    try:
        return PythonVersion.parse(options.python)
    except ValueError as error:
        raise UsageError(Problem(what=f"--python: {error}")) from error


def _excluded(options: TargetOptions) -> list[NormalizedName]:
    try:
        return [_package(name) for name in options.exclude]
    except ValueError as error:
        raise UsageError(Problem(what=f"--exclude: {error}")) from error


def _declared(text: str, table: Table, asked: PythonVersion | None) -> DeclaredTarget:
    """The declared target of that name, else the spec; its Python overridden as documented."""
    if text in table.targets:
        declared = table.targets[text]
        # --python beats the table, and a spec beats --python.
        return replace(
            declared,
            draft=replace(declared.draft, python=asked or declared.draft.python),
        )
    draft = parse_spec(text, names=table.targets)
    return DeclaredTarget(draft=replace(draft, python=draft.python or asked))


def _complete(text: str, declared: DeclaredTarget, table: Table, fallback: _Fallback) -> Target:
    python = declared.draft.python or fallback.python(text)
    return complete(declared.draft, python, name=text if text in table.targets else None)


class _Fallback:
    """The Python of targets that do not say one: the project's only minor, else the active one."""

    def __init__(self, source: PythonSource) -> None:
        self._source = source
        self._active: PythonVersion | None = None
        self._project = only_python(source.project)

    def python(self, text: str) -> PythonVersion:
        if self._project is not None:
            return self._project
        if self._active is None:
            active = self._source.active()
            # The patch level of the host is no fact about the target.
            self._active = active._replace(patch=None)
            self._source.notice(
                Problem(
                    what=f"the target {text} does not say its Python; taking {self._active} from "
                    "the active environment",
                    target=text,
                    hint="say it with --python, or in the target",
                )
            )
        return self._active


#: Minor versions looked at for ``requires-python``: from the first of Python 3 to a far future.
_MINORS = range(30)


def only_python(requires_python: BaseMarker) -> PythonVersion | None:
    """The one Python minor version that ``requires-python`` admits, None if it admits several."""
    admitted = [
        minor
        for minor in _MINORS
        if evaluate(requires_python, {"python_version": f"3.{minor}"}).holds is not False
    ]
    return PythonVersion(3, admitted[0]) if len(admitted) == 1 else None


def _check_allowed(target: Target, source: PythonSource) -> None:
    if evaluate(source.project, target.environment).holds is False:
        raise SpecError(
            f"the project does not allow Python {target.python}; it requires {source.declared}"
        )
