from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from core.lockmaker import locked, quick
from wheeltarget.core.model import HASH_LENGTHS, Digest, Project

STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}


def test_the_trusted_hashes_are_those_of_the_contract() -> None:
    assert dict(HASH_LENGTHS) == STRONG


@quick
@given(st.sampled_from(sorted(STRONG)), st.data())
def test_a_strong_hash_keeps_its_text(algorithm: str, data: st.DataObject) -> None:
    length = STRONG[algorithm]
    digest = data.draw(st.text("0123456789abcdef", min_size=length, max_size=length))
    parsed = Digest.parse(f"{algorithm}:{digest}")
    assert (parsed.algorithm, parsed.hex) == (algorithm, digest)
    assert str(parsed) == f"{algorithm}:{digest}"
    assert Digest.parse(f"{algorithm}:{digest.upper()}") == parsed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is not of the form algorithm:digest"),
        ("a" * 64, f"'{'a' * 64}' is not of the form algorithm:digest"),
        ("md5:" + "a" * 32, "'md5' is not one of sha256, sha384, sha512"),
        ("sha1:" + "a" * 40, "'sha1' is not one of sha256, sha384, sha512"),
        ("SHA256:" + "a" * 64, "'SHA256' is not one of sha256, sha384, sha512"),
        ("sha256:md5:" + "a" * 60, "'md5:" + "a" * 60 + "' is not a sha256 digest"),
        (":" + "a" * 64, "'' is not one of sha256, sha384, sha512"),
        ("sha256:", "'' is not a sha256 digest"),
        ("sha256:" + "a" * 63, f"'{'a' * 63}' is not a sha256 digest"),
        ("sha256:" + "a" * 65, f"'{'a' * 65}' is not a sha256 digest"),
        ("sha256:" + "g" * 64, f"'{'g' * 64}' is not a sha256 digest"),
        ("sha256:" + "a" * 63 + "\n", "'" + "a" * 63 + "\\n' is not a sha256 digest"),
        ("sha256: " + "a" * 63, f"' {'a' * 63}' is not a sha256 digest"),
        ("sha384:" + "a" * 64, f"'{'a' * 64}' is not a sha384 digest"),
        ("sha512:" + "\u0663" * 128, "'" + "\u0663" * 128 + "' is not a sha512 digest"),
    ],
)
def test_a_weak_or_malformed_hash_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Digest.parse(text)
    assert str(caught.value) == reason


def test_a_package_is_named_by_name_and_version() -> None:
    assert str(locked("Foo.Bar", "1.0rc1")) == "foo-bar 1.0rc1"


def test_a_project_has_no_wheel_of_its_own_unless_that_is_said() -> None:
    assert not Project(name=canonicalize_name("foo"), version=Version("1.0")).packaged
