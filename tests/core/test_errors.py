from __future__ import annotations

import pytest

from wheeltarget.core import errors
from wheeltarget.core.errors import Problem, WheeltargetError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WheeltargetError, 1),
        (errors.UsageError, 2),
        (errors.LockError, 3),
        (errors.PlanError, 4),
        (errors.NetworkError, 5),
        (errors.IntegrityError, 6),
        (errors.FileSystemError, 7),
    ],
)
def test_each_class_has_the_exit_code_of_the_contract(
    error: type[WheeltargetError], code: int
) -> None:
    assert error.exit_code == code
    assert issubclass(error, WheeltargetError)


def test_an_interrupted_run_has_the_exit_code_of_the_contract() -> None:
    assert errors.INTERRUPTED == 130


def test_an_error_carries_all_its_problems_in_order() -> None:
    one = Problem(what="first", package="a 1", target="t", file="f", hint="h")
    two = Problem(what="second")
    error = errors.PlanError(one, two)
    assert error.problems == (one, two)
    assert str(error) == "first; second"
