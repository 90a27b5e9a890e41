"""Whether a bundle's text members are exactly what its manifest's values give."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from wheeltarget.core.bundlefile import manifest_problem
from wheeltarget.core.manifest import (
    MAIN_NAME,
    MANIFEST_NAME,
    json_text,
    manifest_document,
)
from wheeltarget.core.members import text_members
from wheeltarget.core.pylock import pylock_names
from wheeltarget.core.typed import join

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheeltarget.core.errors import Problem
    from wheeltarget.core.manifest import Contents


def expected_texts(contents: Contents) -> Mapping[str, str]:
    """The sha256, in hex, of each text member that the manifest's values give, but its own."""
    return {
        name: hashlib.sha256(text.encode()).hexdigest()
        for name, text in text_members(contents, "").items()
        if name not in (MANIFEST_NAME, MAIN_NAME)
    }


def form_problems(contents: Contents, files: Mapping[str, str], text: bytes) -> Iterator[Problem]:
    """Where a manifest is written otherwise than its values are; ``files`` as it has them."""
    names = [*expected_texts(contents), MAIN_NAME]
    pylocks = pylock_names(contents) if contents.layout == "wheelhouse" else ()
    right = manifest_document(contents, {name: files.get(name, "") for name in names}, pylocks)
    expected = json_text(right)
    if text == expected.encode():
        return
    found = list(_differences(json.loads(text), json.loads(expected), ""))
    for reason in found or ["it is laid out otherwise than this version does"]:
        yield manifest_problem(reason)


def _differences(said: object, right: object, path: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(right, dict):
        yield from (f"{join(path, key)}: unknown key" for key in said if key not in right)
        yield from (f"{join(path, key)}: is missing" for key in right if key not in said)
        common = [key for key in right if key in said]
        if common != [key for key in said if key in right]:
            yield f"{path or '(the whole)'}: the keys are in another order"
        for key in common:
            yield from _differences(said[key], right[key], join(path, key))
    elif isinstance(said, list) and isinstance(right, list):
        if len(said) != len(right):
            yield f"{path}: has {len(said)} entries instead of {len(right)}"
        for index, (one, other) in enumerate(zip(said, right, strict=False)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif said != right or type(said) is not type(right):
        # What is there may be a secret that must not be there.
        yield f"{path}: must be {json.dumps(right)}"
