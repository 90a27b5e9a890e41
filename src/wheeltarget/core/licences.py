"""The licence of a wheel, as its METADATA says it (core metadata specification, PEP 639)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheeltarget.core.metadata import headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: A longer value of the field License is the text of a licence, not its name.
_LONGEST_NAME = 80
#: What old backends write where nobody says a licence.
_UNSAID = {"", "UNKNOWN"}

_OSI = "License :: OSI Approved"
#: Classifiers that mean one licence of the SPDX list. Those that may mean several, such as
#: "BSD License" or "Apache Software License", are not here (PEP 639, appendix on deprecation).
_SPDX: Mapping[str, str] = {
    "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    f"{_OSI} :: Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    f"{_OSI} :: Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    f"{_OSI} :: Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    f"{_OSI} :: Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    f"{_OSI} :: European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    f"{_OSI} :: European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    f"{_OSI} :: GNU Affero General Public License v3": "AGPL-3.0-only",
    f"{_OSI} :: GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    f"{_OSI} :: GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    f"{_OSI} :: GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    f"{_OSI} :: GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    f"{_OSI} :: GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    f"{_OSI} :: GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    f"{_OSI} :: GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    f"{_OSI} :: GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    f"{_OSI} :: ISC License (ISCL)": "ISC",
    f"{_OSI} :: MIT License": "MIT",
    f"{_OSI} :: MIT No Attribution License (MIT-0)": "MIT-0",
    f"{_OSI} :: Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    f"{_OSI} :: Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    f"{_OSI} :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    f"{_OSI} :: Python Software Foundation License": "PSF-2.0",
    f"{_OSI} :: The Unlicense (Unlicense)": "Unlicense",
    f"{_OSI} :: Universal Permissive License (UPL)": "UPL-1.0",
    f"{_OSI} :: University of Illinois/NCSA Open Source License": "NCSA",
    f"{_OSI} :: Zero-Clause BSD (0BSD)": "0BSD",
}


@dataclass(frozen=True, slots=True, order=True)
class Licence:
    """A licence, by an SPDX expression where ``spdx``, else by a name.

    ``text`` is the licence itself where METADATA has that in the place of a name.
    """

    name: str
    spdx: bool = False
    text: str = ""


def licences_of(metadata: str, is_spdx: Callable[[str], bool]) -> tuple[Licence, ...]:
    """The licences that METADATA declares: one SPDX expression, or any number of licences.

    ``License-Expression`` comes first, then a ``License`` that is an SPDX expression, then what
    classifiers and ``License`` say together. Nothing is refused: what ``is_spdx`` does not know
    is a name.
    """
    values: dict[str, list[str]] = {}
    for name, value in headers(metadata):
        values.setdefault(name.lower(), []).append(value)
    expressions = [value for value in values.get("license-expression", []) if value]
    stated = [value for value in values.get("license", []) if value not in _UNSAID]
    certain = [*expressions, *filter(is_spdx, stated)]
    if certain:
        return (_named(certain[0], is_spdx),)
    classified = _classified(values.get("classifier", []))
    return tuple(sorted({*classified, *(_named(value, is_spdx) for value in stated)}))


def _named(value: str, is_spdx: Callable[[str], bool]) -> Licence:
    if is_spdx(value):
        return Licence(value, spdx=True)
    return Licence("declared licence", text=value) if len(value) > _LONGEST_NAME else Licence(value)


def _classified(classifiers: Iterable[str]) -> Iterator[Licence]:
    for classifier in classifiers:
        kind, _, name = classifier.rpartition(" :: ")
        if classifier in _SPDX:
            yield Licence(_SPDX[classifier], spdx=True)
        elif kind in {"License", _OSI} and classifier != _OSI:
            yield Licence(name)
