"""The licence of a wheel, as its METADATA says it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import quick
from wheeltarget.core.licences import Licence, licences_of

KNOWN = {"MIT", "Apache-2.0", "MIT OR Apache-2.0", "mit"}
LONG = "Permission is hereby granted, free of charge, to any person obtaining a copy of this, " * 2


def licences(*lines: str) -> tuple[Licence, ...]:
    text = "\n".join(["Metadata-Version: 2.4", "Name: a", "Version: 1", *lines, "", "License: no"])
    return licences_of(text, KNOWN.__contains__)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["License-Expression: MIT OR Apache-2.0"], [Licence("MIT OR Apache-2.0", spdx=True)]),
        (["License-Expression: Mine AND"], [Licence("Mine AND")]),
        (["License-Expression:"], []),
        (["License: mit"], [Licence("mit", spdx=True)]),
        (["License: MIT OR Apache-2.0"], [Licence("MIT OR Apache-2.0", spdx=True)]),
        (["License: Dual"], [Licence("Dual")]),
        (["License: UNKNOWN"], []),
        (["License:"], []),
        ([f"License: {LONG}"], [Licence("declared licence", text=LONG.strip())]),
        (["License: One", "        ", "        Two"], [Licence("One  Two")]),
        (["Classifier: License :: OSI Approved :: MIT License"], [Licence("MIT", spdx=True)]),
        (["Classifier: License :: OSI Approved :: BSD License"], [Licence("BSD License")]),
        (["Classifier: License :: Freeware"], [Licence("Freeware")]),
        (["Classifier: License :: OSI Approved"], []),
        (["Classifier: Topic :: Software Development"], []),
        # The new field beats the old ones; a name of the list beats classifiers.
        (
            ["License: BSD", "License-Expression: MIT", "Classifier: License :: Freeware"],
            [Licence("MIT", spdx=True)],
        ),
        (
            ["Classifier: License :: OSI Approved :: BSD License", "License: Apache-2.0"],
            [Licence("Apache-2.0", spdx=True)],
        ),
        # What classifiers leave open, a name may say: all of it is kept, once, in one order.
        (
            [
                "License: LGPL with exceptions",
                "Classifier: License :: OSI Approved :: MIT License",
                "Classifier: License :: OSI Approved :: BSD License",
                "Classifier: License :: OSI Approved :: BSD License",
            ],
            [Licence("BSD License"), Licence("LGPL with exceptions"), Licence("MIT", spdx=True)],
        ),
    ],
)
def test_licences_are_those_that_metadata_declares(
    lines: list[str], expected: list[Licence]
) -> None:
    assert list(licences(*lines)) == expected


LINES = st.builds(
    "{}: {}".format,
    st.sampled_from(["License", "License-Expression", "Classifier"]),
    st.text("MIT or:-\t\x00é()", max_size=8) | st.sampled_from(sorted(KNOWN)),
)


@quick
@given(st.lists(LINES, max_size=4))
def test_an_expression_of_several_licences_stands_alone(lines: list[str]) -> None:
    found = licences(*lines)
    assert all(each.name for each in found)
    if any(" OR " in each.name and each.spdx for each in found):
        assert len(found) == 1
