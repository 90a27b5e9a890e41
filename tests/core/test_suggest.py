from __future__ import annotations

import pytest

from wheeltarget.core.suggest import did_you_mean


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
