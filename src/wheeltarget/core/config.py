"""``[tool.wheeltarget]``: what may stand there, and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from packaging.utils import InvalidName, canonicalize_name

from wheeltarget.core.errors import Problem, UsageError
from wheeltarget.core.markers import VARIABLES
from wheeltarget.core.platforms import Platform, parse_platform
from wheeltarget.core.presets import presets
from wheeltarget.core.sizes import parse_size
from wheeltarget.core.spec import Draft, draft_of
from wheeltarget.core.suggest import did_you_mean
from wheeltarget.core.target import IMPLEMENTATIONS, PythonVersion
from wheeltarget.core.tree import read_prefix
from wheeltarget.core.typed import (
    KeyPathError,
    as_type,
    check_keys,
    convert,
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
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from wheeltarget.core.manifest import Layout

ROOT = "tool.wheeltarget"
DEFAULT_OUTPUT = "dist/{name}-{version}-{target}.zip"

TABLE_KEYS = (
    "default-targets",
    "output",
    "layout",
    "prefix",
    "compile",
    "build",
    "exclude",
    "constrain-lock",
    "targets",
)
TARGET_KEYS = (
    "extends",
    "python",
    "implementation",
    "abis",
    "platforms",
    "markers",
    "description-file",
    "exclude",
    "build",
    "layout",
    "prefix",
    "compile",
    "max-unpacked-size",
    "packages",
)
PACKAGE_KEYS = ("platforms",)
WHEELHOUSE: Final = "wheelhouse"
SITE_PACKAGES: Final = "site-packages"
#: How a bundle can have its packages: as wheels, or installed.
LAYOUTS: tuple[Layout, ...] = (WHEELHOUSE, SITE_PACKAGES)
#: The keys that a description file stands instead of; an extending target can add markers to it.
_DESCRIBED_KEYS = ("extends", "python", "implementation", "abis", "platforms", "markers")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutKeys:
    """What is said of the form of a bundle, each None where it is not said.

    ``prefix`` is ``""`` or ends in a slash.
    """

    layout: Layout | None = None
    prefix: str | None = None
    compile: bool | None = None

    def over(self, base: LayoutKeys) -> LayoutKeys:
        """These, and those of the base where nothing is said here."""
        return LayoutKeys(
            layout=base.layout if self.layout is None else self.layout,
            prefix=base.prefix if self.prefix is None else self.prefix,
            compile=base.compile if self.compile is None else self.compile,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTarget:
    """One table of ``[tool.wheeltarget.targets]``, with all that it extends merged in.

    ``description_file`` is a path relative to the project, ``max_unpacked_size`` in bytes;
    ``packages`` are those that may take more platforms, with these.
    """

    draft: Draft
    description_file: str | None = None
    exclude: tuple[NormalizedName, ...] | None = None
    build: tuple[NormalizedName, ...] | None = None
    layout: LayoutKeys = LayoutKeys()
    max_unpacked_size: int | None = None
    packages: Mapping[NormalizedName, tuple[Platform, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``[tool.wheeltarget]`` as declared."""

    default_targets: tuple[str, ...] = ()
    output: str = DEFAULT_OUTPUT
    layout: LayoutKeys = LayoutKeys()
    build: tuple[NormalizedName, ...] = ()
    exclude: tuple[NormalizedName, ...] = ()
    constrain_lock: bool = False
    targets: Mapping[str, DeclaredTarget] = field(default_factory=dict)


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
        layout=_read_layout(raw, ROOT),
        build=get_array(raw, "build", read_package_name, ROOT) or (),
        exclude=get_array(raw, "exclude", read_package_name, ROOT) or (),
        constrain_lock=get(raw, "constrain-lock", bool, ROOT) or False,
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
    described = get_as(raw, "description-file", _path, path)
    for key in _DESCRIBED_KEYS if described is not None else ():
        if key in raw:
            raise KeyPathError(join(path, key), "cannot stand beside description-file")
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
            platforms=_platforms(raw, path) or (),
            markers={
                key: _marker_value(value, join(markers_path, key)) for key, value in markers.items()
            },
        ),
        description_file=described,
        exclude=get_array(raw, "exclude", read_package_name, path),
        build=get_array(raw, "build", read_package_name, path),
        layout=_read_layout(raw, path),
        max_unpacked_size=get_as(raw, "max-unpacked-size", parse_size, path),
        packages=_read_packages(raw, path),
    )


def _read_layout(raw: Mapping[str, object], path: str) -> LayoutKeys:
    return LayoutKeys(
        layout=get_as(raw, "layout", read_layout, path),
        prefix=get_as(raw, "prefix", read_prefix, path),
        compile=get(raw, "compile", bool, path),
    )


def _marker_value(value: object, path: str) -> str:
    text = str(as_type(value, str, path))
    if not text:
        raise KeyPathError(path, "is empty; leave it out where the value is not known")
    return text


def _platforms(raw: Mapping[str, object], path: str) -> tuple[Platform, ...] | None:
    platforms = get_array(raw, "platforms", parse_platform, path)
    if platforms == ():
        raise KeyPathError(join(path, "platforms"), "names no platform")
    return platforms


def _read_packages(
    raw: Mapping[str, object], path: str
) -> Mapping[NormalizedName, tuple[Platform, ...]]:
    packages: dict[NormalizedName, tuple[Platform, ...]] = {}
    packages_path = join(path, "packages")
    for name, value in (get(raw, "packages", dict, path) or {}).items():
        own_path = join(packages_path, name)
        package = convert(name, read_package_name, own_path)
        if package in packages:
            raise KeyPathError(own_path, f"the package {package} stands twice")
        table = as_type(value, dict, own_path)
        check_keys(table, PACKAGE_KEYS, own_path)
        platforms = _platforms(table, own_path)
        if platforms is None:
            raise KeyPathError(join(own_path, "platforms"), "is missing")
        packages[package] = platforms
    return packages


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
        if base in seen and not (base == seen[-1] and base in presets()):
            raise KeyPathError(key, f"goes round in a circle: {' -> '.join([*seen, base])}")
        # A target may have the name of the preset that it extends.
        if base not in own or base == seen[-1]:
            if base not in presets():
                hint = did_you_mean(base, [*own, *presets()], limit=3)
                raise KeyPathError(key, f"unknown target {base!r}{hint}")
            result = _override(DeclaredTarget(draft=draft_of(presets()[base])), result)
            break
        result = _override(own[base], result)
        seen.append(base)
    draft = result.draft
    if result.description_file and any(
        (draft.python, draft.implementation, draft.abis, draft.platforms)
    ):
        raise KeyPathError(
            join(path, name),
            f"extends {seen[-1]}, whose description-file says all but markers; python, "
            "implementation, abis and platforms cannot be overridden",
        )
    return result


def _override(base: DeclaredTarget, top: DeclaredTarget) -> DeclaredTarget:
    draft = Draft(
        python=top.draft.python or base.draft.python,
        implementation=top.draft.implementation or base.draft.implementation,
        abis=top.draft.abis or base.draft.abis,
        platforms=top.draft.platforms or base.draft.platforms,
        markers={**base.draft.markers, **top.draft.markers},
        preset=base.draft.preset,
    )
    return DeclaredTarget(
        draft=draft,
        description_file=base.description_file,
        exclude=base.exclude if top.exclude is None else top.exclude,
        build=base.build if top.build is None else top.build,
        layout=top.layout.over(base.layout),
        max_unpacked_size=top.max_unpacked_size or base.max_unpacked_size,
        packages={**base.packages, **top.packages},
    )


def _path(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _output(text: str) -> str:
    if not bundle_file_name(text, name="n", version="v", target="t"):
        raise ValueError("is empty")
    return text


def read_layout(text: str) -> Layout:
    """A layout. Raises ValueError."""
    for layout in LAYOUTS:
        if layout == text:
            return layout
    raise ValueError(f"unknown layout {text!r}; there are {' and '.join(LAYOUTS)}")


def read_package_name(text: str) -> NormalizedName:
    """A package's normalised name. Raises ValueError."""
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
