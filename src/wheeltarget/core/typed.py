"""Typed access to parsed TOML or JSON, with the path of the key in every complaint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from wheeltarget.core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")

_TYPE_NAMES: dict[type, str] = {
    str: "a string",
    list: "an array",
    dict: "a table",
    bool: "true or false",  # before int, of which it is a subclass
    int: "a whole number",
    float: "a number",
    type(None): "null",
}


class KeyPathError(ValueError):
    """A value that is not what its key asks for. ``path`` is the dotted path of the key.

    Both are shortened where what they quote is very long.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = _shortened(path)
        self.reason = _shortened(reason)
        super().__init__(f"{self.path}: {self.reason}")


#: So much of a text is shown from its beginning and from its end, if it is longer than both.
_BEGINNING, _ENDING = 300, 150


def _shortened(text: str) -> str:
    if len(text) <= _BEGINNING + _ENDING:
        return text
    return f"{text[:_BEGINNING]} ... {text[-_ENDING:]}"


def json_object(text: str) -> dict[str, object]:
    """An object of JSON in which no key stands twice. Raises ValueError, which says why."""
    try:
        raw = json.loads(text, object_pairs_hook=_distinct, parse_int=_integer)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"is not JSON: {error.msg} ({where})") from error
    if not isinstance(raw, dict):
        raise KeyPathError("(the whole)", f"must be an object, not {type_name(raw)}")
    return raw


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, value in pairs:
        if key in seen:
            raise KeyPathError(join("", key), "stands twice")
        seen[key] = value
    return seen


#: The digits of the largest number of 64 bits.
_DIGITS = 19


def _integer(digits: str) -> float:
    """A whole number; one that is too long for any key is made one of the wrong type.

    So whoever reads the key complains, with its path.
    """
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def type_name(value: object) -> str:
    """The name of a value's type in TOML, or in JSON where only that has it, for a message."""
    # tomlkit's values are subclasses of the plain ones; true is a whole number only to Python.
    named = (name for cls, name in _TYPE_NAMES.items() if isinstance(value, cls))
    return next(named, type(value).__name__)


def as_type(value: object, expected: type[T], path: str) -> T:
    """The value itself if it has the type, exactly: true is no whole number. KeyPathError."""
    if type(value) is not expected:
        # tomlkit's strings and containers are subclasses of the plain ones.
        if isinstance(value, expected) and not isinstance(value, bool):
            return value
        raise KeyPathError(path, f"must be {_TYPE_NAMES[expected]}, not {type_name(value)}")
    return value


def get(table: Mapping[str, object], key: str, expected: type[T], path: str) -> T | None:
    """The value at the key, None where the key is missing. Raises KeyPathError."""
    if key not in table:
        return None
    return as_type(table[key], expected, join(path, key))


def need(table: Mapping[str, object], key: str, expected: type[T], path: str) -> T:
    """The value at the key. Raises KeyPathError, also where the key is missing."""
    if key not in table:
        raise KeyPathError(join(path, key), "is missing")
    return as_type(table[key], expected, join(path, key))


def get_array(
    table: Mapping[str, object], key: str, read: Callable[[str], T], path: str
) -> tuple[T, ...] | None:
    """An array of distinct strings, each passed through ``read``, whose ValueError is located."""
    values = get(table, key, list, path)
    if values is None:
        return None
    result: dict[T, None] = {}
    for index, value in enumerate(values):
        item_path = f"{join(path, key)}[{index}]"
        item = convert(as_type(value, str, item_path), read, item_path)
        if item in result:
            raise KeyPathError(item_path, f"{value!r} stands twice")
        result[item] = None
    return tuple(result)


def get_as(table: Mapping[str, object], key: str, read: Callable[[str], T], path: str) -> T | None:
    """A string passed through ``read``, whose ValueError becomes a KeyPathError."""
    value = get(table, key, str, path)
    return None if value is None else convert(value, read, join(path, key))


def convert(text: str, read: Callable[[str], T], path: str) -> T:
    """``read(text)``, with its ValueError located."""
    try:
        return read(str(text))
    except ValueError as error:
        raise KeyPathError(path, str(error)) from error


def check_keys(table: Mapping[str, object], known: Iterable[str], path: str) -> None:
    """Raises KeyPathError for the first key that is not known."""
    names = list(known)
    for key in table:
        if key not in names:
            raise KeyPathError(join(path, key), f"unknown key{did_you_mean(key, names)}")


def join(path: str, key: str) -> str:
    """The path of a key below a path, "" for the root; quoted where TOML would ask for it."""
    plain = key.replace("-", "").replace("_", "").isalnum() and key.isascii()
    return f"{path}{'.' if path else ''}{key if plain else quoted(key)}"


def quoted(key: str) -> str:
    """A key in quotes, on one line whatever is in it."""
    return json.dumps(key, ensure_ascii=False)
