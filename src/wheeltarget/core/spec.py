"""What a user may write for a target, read into a :class:`Draft`: facts not yet complete."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wheeltarget.core.description import Description, described_target
from wheeltarget.core.hints import a_platform, an_architecture, suggestion
from wheeltarget.core.platforms import (
    ARCHITECTURES,
    Kind,
    Platform,
    PlatformError,
    parse_platform,
    read_platform_tag,
)
from wheeltarget.core.presets import Preset, presets
from wheeltarget.core.suggest import did_you_mean
from wheeltarget.core.target import (
    IMPLEMENTATIONS,
    NEWEST_MINOR,
    SHARED_ABIS,
    PythonVersion,
    Target,
    default_abis,
    is_free_threaded,
    make_target,
    own_abis,
    tag_name,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PYTHON = re.compile(
    r"(?P<implementation>cp|pp|py|python)?(?:(?P<major>[0-9])(?P<minor>[0-9]{0,2})"
    r"|(?P<dotted>[0-9]+\.[0-9]+(?:\.[0-9]+)?))"
)
_CPYTHON_ABI = re.compile(r"cp([0-9])([0-9]{1,2})([dmut]*)")
_PYPY_ABI = re.compile(r"pypy([0-9])([0-9]{1,2})_pp[0-9]+")
_WITHOUT_ARCH = re.compile(
    r"(?:manylinux|musllinux|macosx|ios|pyodide|pyemscripten)_[0-9]+_[0-9]+"
    r"|manylinux(?:1|2010|2014)|android_[0-9]+|linux|win"
)
_ALL_ARCHITECTURES = frozenset(arch for of in ARCHITECTURES.values() for arch in of)


class SpecError(ValueError):
    """A target that cannot be read, or whose parts contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is said of a target; None or empty where nothing is said.

    ``label`` is the first platform as it was written, for the target's name. ``preset`` is the one
    that it is, or was made from. A ``description`` says all but marker values to be added.
    """

    python: PythonVersion | None = None
    implementation: str | None = None
    abis: tuple[str, ...] = ()
    platforms: tuple[Platform, ...] = ()
    label: str | None = None
    markers: Mapping[str, str] = field(default_factory=dict)
    preset: Preset | None = None
    description: Description | None = None


def draft_of(preset: Preset) -> Draft:
    """What a preset says. The runtimes among them are of CPython; a distribution has any."""
    return Draft(
        python=preset.python,
        implementation="cp" if preset.python else None,
        platforms=(preset.platform,),
        label=preset.platform.tag,
        preset=preset,
    )


def parse_spec(text: str, names: Collection[str] = ()) -> Draft:
    """Read a preset, a platform tag, a wheel tag triple, or such parts in any order.

    ``names`` are the declared targets, for a suggestion. Raises SpecError.
    """
    draft = Draft()
    open_platform = arch = None
    for part in text.split(","):
        if part.strip() in names:
            raise SpecError(
                f"{part.strip()} is a declared target, which stands alone; give --target for each"
            )
        word = part.strip().lower()
        if word.startswith("@"):
            raise SpecError(f"{part.strip()} is a description file, which stands alone")
        if not word:
            raise SpecError(f"{text!r} has an empty part")
        if _WITHOUT_ARCH.fullmatch(word):
            open_platform = _only_one(open_platform, word, "platforms without an architecture")
        elif word in _ALL_ARCHITECTURES:
            arch = _only_one(arch, word, "architectures")
        else:
            draft = _merge(draft, _parse_part(part.strip(), names, alone=part == text))
    draft = _with_open(draft, open_platform, arch)
    if not draft.platforms:
        raise SpecError(
            f"{text!r} names no platform; add one, for example {text},manylinux_2_28_x86_64"
        )
    return draft


def _with_open(draft: Draft, open_platform: str | None, arch: str | None) -> Draft:
    """The draft with a platform and an architecture that were said apart, or only one of them."""
    if open_platform is None and arch and draft.platforms:
        _check_arch(arch, draft.platforms)
        return draft
    if open_platform and arch is None and draft.platforms:
        arch = draft.platforms[0].arch
    return _merge(draft, _join(open_platform, arch)) if open_platform or arch else draft


def _only_one(seen: str | None, word: str, what: str) -> str:
    if seen is not None and seen != word:
        raise SpecError(f"{seen} and {word} are two {what}")
    return word


def _check_arch(arch: str, platforms: tuple[Platform, ...]) -> None:
    for platform in platforms:
        if platform.arch != arch:
            raise SpecError(f"{platform.tag} and {arch} are of two architectures")


def _join(open_platform: str | None, arch: str | None) -> Draft:
    if open_platform is None:
        assert arch is not None
        raise SpecError(
            f"{arch} is an architecture; add a platform, for example {a_platform(arch)}"
        )
    if arch is None:
        raise SpecError(
            f"{open_platform} needs an architecture, for example "
            f"{open_platform},{an_architecture(open_platform)}"
        )
    if (open_platform, arch) == ("win", "x86"):
        return _platform("win32")
    return _platform(f"{open_platform}_{arch}")


def _parse_part(part: str, names: Collection[str] = (), *, alone: bool = False) -> Draft:
    word = part.lower()
    if preset := presets().get(word):
        return draft_of(preset)
    if _is_triple(word):
        return _triple(word)
    if _is_name(word):
        python, platform = word.split("-")
        return _merge(_parse_part(python), _platform(platform))
    for read in (_python, _abi):
        draft = read(word)
        if draft is not None:
            return draft
    if word == "any":
        raise SpecError("a target is one machine, so its platform cannot be 'any'")
    if read_platform_tag(word) is None and not word.replace("-", "_").startswith(_PLATFORM_WORDS):
        what = "target" if alone else "part"
        raise SpecError(f"unknown {what} {part!r}{suggestion(part, names)}")
    return _platform(word)


#: What begins so was meant as a platform tag, and a message about tags helps best.
_PLATFORM_WORDS = ("manylinux", "musllinux", "macosx_", "linux_", "win_")


def _is_triple(word: str) -> bool:
    parts = word.split("-")
    return len(parts) == 3 and (
        _python(parts[0]) is not None
        or parts[2] == "any"
        or any(read_platform_tag(tag) for tag in parts[2].split("."))
    )


def _is_name(word: str) -> bool:
    """Whether it is the name that we give to a target: ``cp311-manylinux2014_x86_64``."""
    python, _, platform = word.partition("-")
    return read_platform_tag(platform) is not None and _python(python) is not None


def _triple(word: str) -> Draft:
    python, abi, platforms = word.split("-")
    draft = _python(python)
    if draft is None:
        raise SpecError(f"{python!r} in {word!r} is not a python tag such as cp311")
    abi_draft = _abi(abi)
    # A wheel's triple may name the ABI bare (cp38); as a part of its own that is a python tag.
    if abi_draft is None and (match := _CPYTHON_ABI.fullmatch(abi)):
        abi_draft = Draft(python=_version(match[1], match[2]), implementation="cp", abis=(abi,))
    if abi_draft is None:
        raise SpecError(f"{abi!r} in {word!r} is not an ABI tag such as cp311")
    draft = _merge(draft, abi_draft)
    for tag in platforms.split("."):
        draft = _merge(draft, _parse_part(tag) if tag == "any" else _platform(tag))
    return draft


def _python(word: str) -> Draft | None:
    match = _PYTHON.fullmatch(word)
    if match is None:
        return None
    implementation = match["implementation"]
    named = implementation if implementation in IMPLEMENTATIONS else None
    if match["dotted"]:
        return Draft(python=_checked(match["dotted"]), implementation=named)
    if not match["minor"]:
        # py3 fits every Python 3, so it says nothing more; a bare digit says nothing at all.
        return Draft() if (implementation, match["major"]) == ("py", "3") else None
    if implementation is None:
        return None
    return Draft(python=_version(match["major"], match["minor"]), implementation=named)


def _abi(word: str) -> Draft | None:
    if word in SHARED_ABIS:
        return Draft()
    if (match := _CPYTHON_ABI.fullmatch(word)) and match[3]:
        return Draft(python=_version(match[1], match[2]), implementation="cp", abis=(word,))
    if match := _PYPY_ABI.fullmatch(word):
        return Draft(python=_version(match[1], match[2]), implementation="pp", abis=(word,))
    return None


def _version(major: str, minor: str) -> PythonVersion:
    return _checked(f"{major}.{minor}")


def _checked(text: str) -> PythonVersion:
    try:
        return PythonVersion.parse(text)
    except ValueError as error:
        raise SpecError(str(error)) from error


def _platform(tag: str) -> Draft:
    try:
        return Draft(platforms=(parse_platform(tag),), label=tag)
    except PlatformError as error:
        raise SpecError(str(error)) from error


def _merge(one: Draft, other: Draft) -> Draft:
    """Both drafts together. Raises SpecError where they contradict each other."""
    preset = one.preset or other.preset
    if one.preset and other.preset and one.preset != other.preset:
        raise SpecError(f"{one.preset.name} and {other.preset.name} are two presets")
    new = tuple(p for p in other.platforms if p not in one.platforms)
    others = {*one.platforms, *new} - {preset.platform} if preset else set()
    if preset and any(platform.kind is not Kind.LINUX for platform in others):
        raise SpecError(
            f"{preset.name} has a platform already; declare a target that extends it to override it"
        )
    return Draft(
        python=_same_python(one.python, other.python),
        implementation=_same_implementation(one.implementation, other.implementation),
        abis=tuple(dict.fromkeys(one.abis + other.abis)),
        platforms=one.platforms + new,
        label=one.label or other.label,
        preset=preset,
    )


def _same_python(one: PythonVersion | None, other: PythonVersion | None) -> PythonVersion | None:
    if one is None or other is None:
        return one or other
    if one[:2] != other[:2] or (None not in (one.patch, other.patch) and one.patch != other.patch):
        raise SpecError(f"Python {one} and Python {other} contradict each other")
    return one if other.patch is None else other


def _same_implementation(one: str | None, other: str | None) -> str | None:
    if one and other and one != other:
        raise SpecError(
            f"{IMPLEMENTATIONS[one][1]} and {IMPLEMENTATIONS[other][1]} are two implementations"
        )
    return one or other


def complete(draft: Draft, python: PythonVersion, name: str | None = None) -> Target:
    """The target that a draft stands for once its Python is known.

    ``python`` holds where the draft says none; ``name`` is that of a declared target. Raises
    SpecError where facts contradict.
    """
    if draft.description is not None:
        return _complete_description(draft, draft.description, name)
    version = draft.python or python
    implementation = draft.implementation or "cp"
    if not draft.platforms:
        raise SpecError("the target names no platform; set platforms")
    _check_abis(draft.abis, implementation, version)
    check_one_machine(draft.platforms)
    markers, version = _check_markers(draft.markers, version)
    label = draft.label or draft.platforms[0].tag
    own_name = draft.preset.name if draft.preset else None
    return make_target(
        name=name or own_name or tag_name(implementation, version, draft.abis, label),
        python=version,
        implementation=implementation,
        abis=draft.abis,
        platforms=draft.platforms,
        markers=markers,
    )


def _complete_description(draft: Draft, described: Description, name: str | None) -> Target:
    full = described.markers.get("python_full_version")
    asked = draft.python.patch if draft.python else None
    if full is not None and described.python.patch is None and asked is not None:
        # A pre-release has no patch level; one that is asked for would be another version.
        raise SpecError(f"Python {draft.python} and Python {full} contradict each other")
    version = _same_python(draft.python, described.python) or described.python
    markers, version = _check_markers(draft.markers, version)
    if version.patch is not None:
        markers = {"python_full_version": str(version), **markers}
    tags = tag_name(described.implementation, version, described.abis, described.primary.tag)
    return described_target(replace(described, python=version), name or tags, markers)


def _check_abis(abis: tuple[str, ...], implementation: str, python: PythonVersion) -> None:
    if abis and not own_abis(abis):
        raise SpecError(f"the ABIs {', '.join(abis)} are shared; name one of the interpreter's own")
    if len({is_free_threaded([abi]) for abi in own_abis(abis)}) > 1:
        raise SpecError(f"the ABIs {', '.join(own_abis(abis))} are of two interpreters")
    for abi in abis:
        if not (_CPYTHON_ABI.fullmatch(abi) or _PYPY_ABI.fullmatch(abi) or abi in SHARED_ABIS):
            usual = default_abis(implementation, python)
            raise SpecError(f"unknown ABI tag {abi!r}{did_you_mean(abi, usual)}")
        for prefix, pattern in (("cp", _CPYTHON_ABI), ("pp", _PYPY_ABI)):
            match = pattern.fullmatch(abi)
            if match is None:
                continue
            own = (prefix, match[1] + match[2]) == (implementation, python.nodot)
            if not own or (prefix == "cp" and not _flags_exist(match[3], python)):
                long_name = IMPLEMENTATIONS[implementation][1]
                raise SpecError(f"ABI {abi} is not one of {long_name} {python.minor_version}")


def _flags_exist(flags: str, python: PythonVersion) -> bool:
    """Whether CPython had builds with these ABI flags (PEP 3149, PEP 393, bpo-36707, PEP 703)."""
    since = {"t": 13}
    until = {"u": 3, "m": 8}
    if len(set(flags)) < len(flags):
        return False
    return all(since.get(f, 0) <= python.minor < until.get(f, NEWEST_MINOR + 1) for f in flags)


def check_one_machine(platforms: tuple[Platform, ...]) -> None:
    """Raises SpecError where platforms are not those of one machine."""
    first = platforms[0]
    for other in platforms[1:]:
        if other.arch != first.arch:
            raise SpecError(f"{first.tag} and {other.tag} are of two architectures")
    # A bare linux tag says nothing of the C library, so it goes with any one of them.
    families = {platform.kind for platform in platforms} - {Kind.LINUX}
    mixed = any(p.kind is Kind.LINUX for p in platforms) and not families <= {
        Kind.GLIBC,
        Kind.MUSL,
    }
    # Versions of one kind are rungs of one ladder, except where each excludes the others.
    versions = {platform.version for platform in platforms if platform.kind is Kind.PYODIDE}
    if len(families) > 1 or mixed or len(versions) > 1:
        raise SpecError(f"no machine is all of {', '.join(p.tag for p in platforms)}")


def _check_markers(
    markers: Mapping[str, str], python: PythonVersion
) -> tuple[Mapping[str, str], PythonVersion]:
    """The markers, and the Python version refined by ``python_full_version`` if they give it."""
    if markers.get("python_version", python.minor_version) != python.minor_version:
        raise SpecError(
            f"python_version {markers['python_version']!r} contradicts Python {python}; set python"
        )
    full = markers.get("python_full_version")
    if full is None:
        return markers, python
    version = _checked(full)
    if version.patch is None:
        raise SpecError(f"python_full_version {full!r} needs a patch level, such as {full}.4")
    _same_python(python, version)
    return markers, version
