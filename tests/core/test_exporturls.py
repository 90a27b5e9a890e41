"""Requirements files of URLs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lockmaker import a_project, locked, plan_for, quick, target_for
from core.test_manifest import member, part
from wheeltarget.core.exporturls import lacking_problems, public_url, secret_problems, urls_text
from wheeltarget.core.model import Source

TARGET = target_for("manylinux2014_x86_64", "3.11")
HASH = f"--hash=sha256:{'ab' * 32}"
WHEEL, OTHER = "a-1.0-py3-none-any.whl", "b-1.0-py3-none-any.whl"


def test_each_wheel_has_a_line_in_the_order_of_names() -> None:
    own = replace(member("demo"), built=True)
    file = member("c", source=Source(kind="file", url="c.whl"))
    urls = {WHEEL: f"https://host/{WHEEL}#sha256=x", OTHER: f"https://me:pw@host/{OTHER}?sig=y"}
    assert urls_text(part(member("b"), own, file, member("a")), urls) == (
        f"a @ https://host/{WHEEL} {HASH}\n"
        f"b @ https://host/{OTHER} {HASH}\n"
        "# c 1.0: a file beside the project, has no URL\n"
        "# demo 1.0: built, has no URL\n"
    )


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://host/a-1.0%2Bcpu.whl", "https://host/a-1.0%2Bcpu.whl"),
        ("https://host/a-1.0+cpu.whl", "https://host/a-1.0+cpu.whl"),
        ("http://me:secret@[::1]:8080/a.whl?t=secret#secret", "http://[::1]:8080/a.whl"),
        # Installers replace variables, and end the URL at white space.
        ("https://host/${HOME}/a b\\\u2028.whl", "https://host/$%7BHOME%7D/a%20b%5C%E2%80%A8.whl"),
    ],
)
def test_a_public_url_is_one_word_without_secrets(url: str, public: str) -> None:
    assert public_url(url) == public


@quick
@given(st.text(max_size=30))
def test_no_path_leads_out_of_its_line(path: str) -> None:
    public = public_url(f"https://host/{path}")
    assert public.isascii()
    assert len(public.split()) == 1
    assert "${" not in public


@pytest.mark.parametrize("packaged", [False, True])
def test_what_has_no_url_is_known_from_the_plan(packaged: bool) -> None:
    source = {"type": "file", "url": "../c-1.0-py3-none-any.whl"}
    plan = plan_for(
        TARGET,
        locked("a", "1.0", WHEEL),
        locked("b", "1.0", "b-1.0.tar.gz"),
        locked("c", "1.0", "c-1.0-py3-none-any.whl", source=source),
        build=["b"],
    )
    problems = list(lacking_problems(a_project(packaged=packaged), plan))
    own = ["demo 0.1.0"] if packaged else []
    assert [problem.package for problem in problems] == [*own, "b 1.0", "c 1.0"]
    assert all(TARGET.name in problem.what for problem in problems)
    assert [str(p.hint).split()[-1] for p in problems] == [
        *(["--no-root"] if packaged else []),
        "--exclude",
        "--exclude",
    ]


@pytest.mark.parametrize(
    ("url", "doubtful"),
    [
        (f"https://host/{WHEEL}", False),
        (f"https://host/{WHEEL}#sha256=ab", False),
        (f"https://host/{WHEEL}?sig=secret", True),
        (f"https://me:secret@host/{WHEEL}", True),
    ],
)
def test_a_url_that_may_need_what_was_taken_out_is_told_of(url: str, doubtful: bool) -> None:
    plan = plan_for(TARGET, locked("a", "1.0", WHEEL), locked("b", "1.0", OTHER))
    problems = list(secret_problems(plan, {WHEEL: url}))
    assert [problem.file for problem in problems] == ([WHEEL] if doubtful else [])
    assert "secret@" not in str(problems)
    assert "sig" not in str(problems)
