"""The newest version on an index page that has a wheel where the locked one has none."""

from __future__ import annotations

import json

import pytest
from packaging.version import Version

from core.lockmaker import locked, target_for
from wheeltarget.core.links import Link, Page, PageError, wheel_links
from wheeltarget.core.offers import Suitability, newest_fitting
from wheeltarget.core.resolve import TargetSettings

URL = "https://index.example/simple/fast/"
JSON = "application/vnd.pypi.simple.v1+json"
OLD = Suitability(TargetSettings(target=target_for("manylinux2010_x86_64", "3.8")))


def page(text: str, content_type: str = "text/html") -> Page:
    return Page(url=URL, content_type=content_type, text=text)


def listed(of: Page) -> list[tuple[str, str | None, str | None]]:
    """Name, requires-python and reason for being yanked of each wheel on a page."""
    return [(name, link.requires_python, link.yanked) for name, link in wheel_links(of)]


def test_all_wheels_of_an_html_page() -> None:
    text = (
        '<a href="../../fast-1.0.tar.gz">fast-1.0.tar.gz</a>'
        '<a href="../../fast-1.0-py3-none-any.whl#sha256=0" data-requires-python="&gt;=3.8"'
        ' data-yanked="bad">fast-1.0-py3-none-any.whl</a>\n'
        '<a href="../../fast-1.0-py3-none-any.whl.metadata">fast-1.0-py3-none-any.whl.metadata</a>'
        '<a name="x.whl"></a><A HREF="/Fast-2.0%2Bcpu-py3-none-any.whl">x</A>'
    )
    assert listed(page(text)) == [
        ("fast-1.0-py3-none-any.whl", ">=3.8", "bad"),
        ("Fast-2.0+cpu-py3-none-any.whl", None, None),
    ]


def test_all_wheels_of_a_json_page() -> None:
    files = [
        {"filename": "fast-1.0.tar.gz", "url": "/fast-1.0.tar.gz"},
        {"filename": "fast-1.0-py3-none-any.whl", "url": "/1", "requires-python": ">=3.8"},
        {"filename": "fast-2.0-py3-none-any.whl", "url": "/2", "requires-python": 3},
    ]
    assert listed(page(json.dumps({"files": files}), JSON)) == [
        ("fast-1.0-py3-none-any.whl", ">=3.8", None),
        ("fast-2.0-py3-none-any.whl", None, None),
    ]


def test_what_is_no_page_is_told() -> None:
    with pytest.raises(PageError):
        list(wheel_links(page("nonsense", JSON)))
    assert listed(page("Please log in")) == []


def wheels(*names: str, yanked: str | None = None) -> list[tuple[str, Link]]:
    return [(name, Link(url=URL + name, yanked=yanked)) for name in names]


OFFERED = [
    *wheels("fast-1.0-cp38-cp38-manylinux1_x86_64.whl", "fast-2.0-cp38-cp38-win_amd64.whl"),
    *wheels("Fast-1.10-cp38-cp38-manylinux1_x86_64.whl", "slow-7-py3-none-any.whl", "x.whl"),
    *wheels("fast-3.0-py3-none-any.whl", yanked=""),
    *wheels("fast-4.0b1-py3-none-any.whl"),
]


def newest(version: str, limit: str = "99") -> str | None:
    found = newest_fitting(
        OFFERED, OLD, locked("fast", version), allows=lambda each: each < Version(limit)
    )
    return None if found is None else str(found)


def test_the_newest_that_fits_and_is_allowed() -> None:
    assert newest("2.0") == "1.10"
    assert newest("2.0", limit="1.5") == "1.0"
    assert newest("2.0", limit="1.0") is None


def test_early_versions_count_where_one_is_locked() -> None:
    assert newest("5.0b1") == "4.0b1"
