"""``pylock.toml``: a bundle as a lock of PEP 751, for pip, uv and other installers.

https://packaging.python.org/specifications/pylock-toml/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheeltarget.core.manifest import PYLOCK_NAME, WHEELS_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheeltarget.core.manifest import Contents, Member, Part
    from wheeltarget.core.target import Target

#: Version of the form of such a lock.
LOCK_VERSION = "1.0"
#: What tells targets apart for an installer; a lock for others must not be taken.
_TELLING = ("implementation_name", "platform_machine", "python_version", "sys_platform")


def pylock_names(contents: Contents) -> tuple[str, ...]:
    """The name of the lock of each part.

    One that has another name than ``pylock.toml`` is ``pylock.NAME.toml``, where NAME has no dot.
    """
    if not contents.combined:
        return (PYLOCK_NAME,)
    names: dict[str, None] = {}
    for part in contents.parts:
        stem = part.target.name.replace(".", "-")
        taken = (f"pylock.{stem}{suffix}.toml" for suffix in ("", *_counted(len(names))))
        names[next(name for name in taken if name not in names)] = None
    return tuple(names)


def _counted(number: int) -> Sequence[str]:
    return [f"-{count}" for count in range(2, number + 2)]


def pylock_text(contents: Contents, part: Part) -> str:
    """The lock of a part: its wheels by path, and the environment that they are for."""
    lines = [
        f"lock-version = {_string(LOCK_VERSION)}",
        f"environments = [{_string(environment_marker(part.target))}]",
        f"requires-python = {_string(_requires_python(part.target))}",
        f"created-by = {_string(contents.generator[0])}",
    ]
    for member in part.sorted_members():
        lines += ["", *_package_lines(member)]
    return "".join(f"{line}\n" for line in lines)


def environment_marker(target: Target) -> str:
    """A marker that holds on the target, and not on one of another Python or platform.

    A value that no marker can hold is not in it.
    """
    known: Mapping[str, str] = target.environment
    values = {name: known[name] for name in _TELLING if name in known}
    return " and ".join(f"{n} == {_quoted(v)}" for n, v in values.items() if _can_stand(v))


def _requires_python(target: Target) -> str:
    return f"=={target.python.minor_version}.*"


def _package_lines(member: Member) -> Sequence[str]:
    wheel = member.wheel
    return [
        "[[packages]]",
        f"name = {_string(member.name)}",
        f"version = {_string(member.version)}",
        "",
        "[[packages.wheels]]",
        f"name = {_string(wheel.filename)}",
        f"path = {_string(f'{WHEELS_FOLDER}/{wheel.filename}')}",
        f"size = {wheel.size}",
        f"hashes = {{ sha256 = {_string(wheel.sha256)} }}",
    ]


def _can_stand(value: str) -> bool:
    """Whether a string of a marker can hold it: on one line, with quotes of one kind only."""
    return value.isprintable() and "\\" not in value and not {"'", '"'} <= set(value)


def _quoted(value: str) -> str:
    """A string of a marker (PEP 508), which knows no escapes."""
    quote = '"' if "'" in value else "'"
    return f"{quote}{value}{quote}"


def _string(text: str) -> str:
    """A basic string of TOML 1.0."""
    escaped = re.sub(r'[\x00-\x1f"\\\x7f]', lambda match: f"\\u{ord(match[0]):04x}", text)
    return f'"{escaped}"'
