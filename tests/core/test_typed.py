from __future__ import annotations

import datetime as dt

import pytest

from wheeltarget.core import typed
from wheeltarget.core.typed import KeyPathError


class Text(str):
    """As tomlkit's strings are."""

    __slots__ = ()


class Table(dict[str, object]):
    """As tomlkit's tables are."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [("x", str), (["x"], list), ({"x": 1}, dict), (True, bool), (3, int), (0.5, float)],
)
def test_a_value_of_the_type_is_returned_as_it_is(value: object, expected: type) -> None:
    assert typed.as_type(value, expected, "p") is value


@pytest.mark.parametrize(("value", "expected"), [(Text("x"), str), (Table(), dict)])
def test_what_derives_from_the_type_is_of_the_type(value: object, expected: type) -> None:
    assert typed.as_type(value, expected, "p") is value


@pytest.mark.parametrize(
    ("value", "expected", "reason"),
    [
        (3, str, "must be a string, not a whole number"),
        ("x", list, "must be an array, not a string"),
        ([], dict, "must be a table, not an array"),
        ({}, bool, "must be true or false, not a table"),
        (True, int, "must be a whole number, not true or false"),
        (1, float, "must be a number, not a whole number"),
        (dt.date(2024, 1, 1), str, "must be a string, not date"),
        (None, str, "must be a string, not null"),
    ],
)
def test_a_value_of_another_type_is_refused_with_both_types(
    value: object, expected: type, reason: str
) -> None:
    with pytest.raises(KeyPathError) as caught:
        typed.as_type(value, expected, "a.b")
    assert caught.value.path == "a.b"
    assert caught.value.reason == reason
    assert str(caught.value) == f"a.b: {reason}"


def test_get_returns_the_value_or_none_and_complains_with_the_path_of_the_key() -> None:
    assert typed.get({"k": "v"}, "k", str, "p") == "v"
    assert typed.get({}, "k", str, "p") is None
    with pytest.raises(KeyPathError, match=r"^p\.k: must be a string, not an array$"):
        typed.get({"k": []}, "k", str, "p")


def test_need_complains_also_where_the_key_is_missing() -> None:
    assert typed.need({"k": False}, "k", bool, "p") is False
    with pytest.raises(KeyPathError, match=r"^p\.k: is missing$"):
        typed.need({}, "k", str, "p")
    with pytest.raises(KeyPathError, match=r"^p\.k: must be a string, not a table$"):
        typed.need({"k": {}}, "k", str, "p")


def read_number(text: str) -> int:
    if type(text) is not str or not text.isdecimal():
        raise ValueError(f"{text!r} is no number")
    return int(text)


def test_a_long_complaint_keeps_its_beginning_and_its_end() -> None:
    error = KeyPathError("k", f"{'x' * 1000} is not a thing")
    assert str(error).startswith("k: xxx")
    assert str(error).endswith("xxx is not a thing")
    assert " ... " in error.reason
    assert KeyPathError("k" * 450, "x").path == "k" * 450


def test_an_array_is_read_item_by_item() -> None:
    assert typed.get_array({"k": ["1", Text("2")]}, "k", read_number, "p") == (1, 2)
    assert typed.get_array({"k": []}, "k", read_number, "p") == ()
    assert typed.get_array({}, "k", read_number, "p") is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1", r"^p\.k: must be an array, not a string$"),
        (["1", 2], r"^p\.k\[1\]: must be a string, not a whole number$"),
        (["1", "x"], r"^p\.k\[1\]: 'x' is no number$"),
        (["1", "01"], r"^p\.k\[1\]: '01' stands twice$"),
    ],
)
def test_a_bad_item_of_an_array_is_named(value: object, message: str) -> None:
    with pytest.raises(KeyPathError, match=message):
        typed.get_array({"k": value}, "k", read_number, "p")


def test_a_string_is_read_with_the_path_in_the_complaint() -> None:
    assert typed.get_as({"k": Text("7")}, "k", read_number, "p") == 7
    assert typed.get_as({}, "k", read_number, "p") is None
    with pytest.raises(KeyPathError, match=r"^p\.k: 'x' is no number$") as caught:
        typed.get_as({"k": "x"}, "k", read_number, "p")
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_unknown_key_is_refused_with_a_suggestion() -> None:
    typed.check_keys({"python": 1}, ["python", "abis"], "p")
    with pytest.raises(KeyPathError, match=r"^p\.pyhton: unknown key; did you mean 'python'\?$"):
        typed.check_keys({"abis": 1, "pyhton": 1}, iter(["python", "abis"]), "p")
    with pytest.raises(KeyPathError, match=r"^p\.zzz: unknown key$"):
        typed.check_keys({"zzz": 1}, ["python"], "p")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("default-targets", "p.default-targets"),
        ("a_b2", "p.a_b2"),
        ("a.b", 'p."a.b"'),
        ("a b", 'p."a b"'),
        ("", 'p.""'),
        ("é", 'p."é"'),
    ],
)
def test_a_key_is_quoted_in_a_path_where_toml_asks_for_it(key: str, path: str) -> None:
    assert typed.join("p", key) == path
