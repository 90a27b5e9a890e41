from __future__ import annotations

import pytest

from wheeltarget.core.suggest import closest, did_you_mean, offer


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("manylinux2041", ["win", "manylinux2014"], "; did you mean 'manylinux2014'?"),
        ("prdo", ["staging", "prod"], "; did you mean 'prod'?"),
        ("prod", [], ""),
        ("zzz", ["prod", "staging"], ""),
    ],
)
def test_suggests_a_known_word_only_where_one_is_close(
    word: str, known: list[str], expected: str
) -> None:
    assert did_you_mean(word, known) == expected


def test_suggests_the_closest_of_several() -> None:
    assert did_you_mean("stagin", ["stage", "staging"]) == "; did you mean 'staging'?"


def test_suggests_several_where_several_are_wanted() -> None:
    known = ["staging", "stage", "prod"]
    assert did_you_mean("stag", known, limit=3) == "; did you mean 'stage' or 'staging'?"
    assert closest("stag", known, limit=1) == ["stage"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["a"], "; did you mean a?"),
        (["a", "b"], "; did you mean a or b?"),
        (["a", "b", "c"], "; did you mean a, b or c?"),
    ],
)
def test_an_offer_is_a_question(names: list[str], expected: str) -> None:
    assert offer(names) == expected
