"""Did you mean ...?"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: How alike two words must be, from 0 to 1.
_CUTOFF = 0.6


def did_you_mean(word: str, known: Iterable[str], limit: int = 1) -> str:
    """``; did you mean 'x'?`` with the known words that are close, else nothing."""
    return offer([repr(name) for name in closest(word, known, limit)])


def closest(word: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known words that are close, the closest first."""
    return get_close_matches(word, list(known), n=limit, cutoff=_CUTOFF)


def offer(names: Sequence[str]) -> str:
    """``; did you mean a, b or c?``, nothing where there is nothing to offer."""
    if not names:
        return ""
    *others, last = names
    return f"; did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
