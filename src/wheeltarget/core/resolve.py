"""The targets of a run: what is declared and what the command line says, completed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wheeltarget.core.config import (
    ROOT,
    SITE_PACKAGES,
    WHEELHOUSE,
    DeclaredTarget,
    LayoutKeys,
    read_layout,
    read_package_name,
)
from wheeltarget.core.description import Description, read_description
from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.guard import contradictions
from wheeltarget.core.markers import evaluate
from wheeltarget.core.spec import Draft, SpecError, check_one_machine, complete, parse_spec
from wheeltarget.core.target import PythonVersion, Target, with_more_platforms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.utils import NormalizedName

    from wheeltarget.core.config import Table
    from wheeltarget.core.manifest import Layout
    from wheeltarget.core.markers import BaseMarker
    from wheeltarget.core.platforms import Platform
    from wheeltarget.core.presets import Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSettings:
    """One target of this run.

    ``exclude`` are the packages that are left out because its platform provides them, ``build``
    those that may be built from a source archive where no wheel fits. ``packages`` are those that
    may take more platforms than the target promises, with these. The wheels of a bundle may have
    ``max_unpacked_size`` bytes at most. ``preset`` is the one that the target is, or extends.

    ``layout`` is ``wheelhouse`` or ``site-packages``. Only the latter has a ``prefix``, which is
    ``""`` or ends in a slash, and bytecode with ``compile``.
    """

    target: Target
    exclude: frozenset[NormalizedName] = frozenset()
    build: frozenset[NormalizedName] = frozenset()
    packages: Mapping[NormalizedName, tuple[Platform, ...]] = field(default_factory=dict)
    max_unpacked_size: int | None = None
    preset: Preset | None = None
    layout: Layout = WHEELHOUSE
    prefix: str = ""
    compile: bool = False

    def target_for(self, package: NormalizedName) -> Target:
        """The target as that package may see it."""
        more = self.packages.get(package)
        return with_more_platforms(self.target, more) if more else self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions:
    """What the command line says about targets; all empty where it says nothing."""

    specs: tuple[str, ...] = ()
    all_targets: bool = False
    python: str | None = None
    exclude: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    layout: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What completing targets asks of the world around.

    ``project`` is the project's ``requires-python`` as a marker, which every target must satisfy,
    and ``declared`` is how the project says it.
    ``active`` asks for the version of Poetry's active interpreter, called at most once, or raises
    ValueError; ``notice`` is then told, since a fact of the host has entered the plan, and of
    every contradiction between a target and the preset that it extends.
    ``remark`` is told what does not touch the content of a bundle.
    ``read_file`` gives the content of a description file; its second argument says whether the
    path stands in pyproject.toml, and so is relative to the project. It raises OSError or
    ValueError.
    """

    project: BaseMarker
    declared: str
    active: Callable[[], PythonVersion]
    notice: Callable[[Problem], None]
    remark: Callable[[Problem], None]
    read_file: Callable[[str, bool], bytes]


def resolve_targets(
    table: Table, options: TargetOptions, around: Surroundings
) -> tuple[TargetSettings, ...]:
    """The targets of this run, in the order asked for, without repetition.

    Raises UsageError that lists every target that cannot be.
    """
    names = dict.fromkeys(name.strip() for name in _requested(table, options))
    exclude = frozenset(_named("--exclude", options.exclude))
    build = frozenset(_named("--build", options.build))
    resolver = Resolver(table, options.python, around, layout=_asked_layout(options.layout))
    result: dict[str, TargetSettings] = {}
    problems = []
    for text in names:
        try:
            settings = resolver.resolve(text)
            _check_allowed(settings.target, around)
        except SpecError as error:
            problems.append(Problem(what=str(error), target=text))
            continue
        settings = replace(
            settings, exclude=settings.exclude | exclude, build=settings.build | build
        )
        name = settings.target.name
        if result.setdefault(name, settings) != settings:
            what = f"two different targets have the name {name}; declare one by another name"
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


def _parsed(python: str) -> PythonVersion:
    try:
        return PythonVersion.parse(python)
    except ValueError as error:
        raise SpecError(str(error)) from error


def _asked_python(python: str | None) -> PythonVersion | None:
    if python is None:
        return None
    try:
        return PythonVersion.parse(python)
    except ValueError as error:
        raise UsageError(Problem(what=f"--python: {error}")) from error


def _asked_layout(layout: str | None) -> Layout | None:
    try:
        return None if layout is None else read_layout(layout)
    except ValueError as error:
        raise UsageError(Problem(what=f"--layout: {error}")) from error


#: PEP 552: bytecode whose source has no time came with it.
_COMPILES_SINCE = PythonVersion(3, 7)


def _laid_out(settings: TargetSettings, keys: LayoutKeys, asked: Layout | None) -> TargetSettings:
    """The settings with the form of the bundle; ``asked`` is what the command line says of it.

    Raises SpecError for keys that would change nothing, or could not.
    """
    layout = asked or keys.layout or WHEELHOUSE
    if layout == SITE_PACKAGES:
        if keys.compile and settings.target.python[:2] < _COMPILES_SINCE[:2]:
            raise SpecError(f"compile needs a target with Python {_COMPILES_SINCE} or newer")
        return replace(
            settings, layout=layout, prefix=keys.prefix or "", compile=bool(keys.compile)
        )
    if asked is None and (keys.prefix or keys.compile):
        key = "prefix" if keys.prefix else "compile"
        raise SpecError(f'{key} needs layout = "{SITE_PACKAGES}": a wheelhouse has none')
    return settings


def _named(option: str, names: Iterable[str]) -> list[NormalizedName]:
    try:
        return [read_package_name(name) for name in names]
    except ValueError as error:
        raise UsageError(Problem(what=f"{option}: {error}")) from error


class Resolver:
    """Completes one target after another; the active interpreter is asked for once."""

    def __init__(
        self,
        table: Table,
        python: str | None,
        around: Surroundings,
        *,
        layout: Layout | None = None,
    ) -> None:
        self._table = table
        self._layout = layout
        self._asked = _asked_python(python)
        self._around = around
        self._active: PythonVersion | None = None

    def resolve(self, text: str) -> TargetSettings:
        """The target that a user calls so. Raises SpecError."""
        declared = self._declared(text)
        python = declared.draft.python or self._python(text, declared.draft)
        name = text if text in self._table.targets else None
        target = complete(declared.draft, python, name=name)
        preset = declared.draft.preset
        settings = TargetSettings(
            target=target,
            exclude=frozenset((*self._table.exclude, *(declared.exclude or ()))),
            build=frozenset((*self._table.build, *(declared.build or ()))),
            packages=declared.packages,
            max_unpacked_size=declared.max_unpacked_size
            or (preset.max_unpacked_size if preset else None),
            preset=preset,
        )
        keys = declared.layout.over(self._table.layout)
        settings = _laid_out(settings, keys, self._layout)
        # All that any package may take has to be of one machine.
        more: list[Platform] = []
        for package, platforms in declared.packages.items():
            more += platforms
            try:
                check_one_machine((target.primary, *more))
            except SpecError as error:
                raise SpecError(f"packages.{package}: {error}") from error
        self._guard(settings)
        return settings

    def _declared(self, text: str) -> DeclaredTarget:
        """The declared target of that name, else the spec; its Python overridden as documented."""
        if text in self._table.targets:
            declared = self._table.targets[text]
            draft = declared.draft
            if declared.description_file is not None:
                draft = replace(draft, description=self._describe(declared.description_file, True))
            # --python beats the table, and a spec beats --python.
            return replace(declared, draft=replace(draft, python=self._asked or draft.python))
        if text.startswith("@"):
            description = self._describe(text[1:], False)
            python = self._refined(text, description.python)
            return DeclaredTarget(draft=Draft(description=description, python=python))
        draft = parse_spec(text, names=self._table.targets)
        return DeclaredTarget(draft=replace(draft, python=self._refined(text, draft.python)))

    def _refined(self, text: str, said: PythonVersion | None) -> PythonVersion | None:
        """What a spec says of Python; ``--python`` may only add the patch level to it."""
        asked = self._asked
        if said is None or asked is None:
            return said or asked
        if said.patch is None and asked[:2] == said[:2]:
            return asked
        if asked != said:
            what = f"{text} says Python {said}, so --python {asked} is not for it"
            self._around.remark(Problem(what=what, target=text))
        return said

    def _describe(self, path: str, declared: bool) -> Description:
        if not path:
            raise SpecError("@ needs the path of a description file")
        try:
            description = read_description(self._around.read_file(path, declared))
        except OSError as error:
            raise SpecError(f"cannot read {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise SpecError(f"{path}: {error}") from error
        if description.frozen:
            self._around.remark(
                Problem(
                    what=f"{path} gives {' and '.join(description.frozen)}, the kernel of the "
                    "machine that it was written on; they are left unknown",
                    hint="if they are facts about the target, declare a target with this "
                    "description-file, and extend it with markers that say them",
                )
            )
        return description

    def _python(self, text: str, draft: Draft) -> PythonVersion:
        """The Python of a target that does not say one: the project's only minor, or the active."""
        if draft.description is not None:
            return draft.description.python
        full = draft.markers.get("python_full_version")
        if full is not None:
            return _parsed(full)
        only = only_python(self._around.project)
        if only is not None:
            return only
        if self._active is None:
            try:
                active = self._around.active()
            except ValueError as error:
                raise SpecError(str(error)) from error
            # The patch level of the host is no fact about the target.
            self._active = active._replace(patch=None)
            self._around.notice(
                Problem(
                    what=f"the target {text} does not say its Python; taking {self._active} from "
                    "the active environment",
                    target=text,
                    hint="say it with --python, or in the target",
                )
            )
        return self._active

    def _guard(self, settings: TargetSettings) -> None:
        if settings.preset is None:
            return
        name, preset = settings.target.name, settings.preset
        for contradiction in contradictions(
            settings.target, preset, max_unpacked_size=settings.max_unpacked_size
        ):
            self._around.notice(
                Problem(
                    what=f"the target {name} {contradiction} ({preset.name}, as of {preset.date})",
                    target=name,
                    hint="say what the runtime has, or do not extend the preset",
                )
            )


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


def _check_allowed(target: Target, around: Surroundings) -> None:
    if evaluate(around.project, target.environment).holds is False:
        raise SpecError(
            f"the project does not allow Python {target.python}; it requires {around.declared}"
        )
