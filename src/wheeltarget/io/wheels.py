"""Chosen wheels into the cache: from it where they are there, else from their index."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from wheeltarget.core.errors import (
    FileSystemError,
    IntegrityError,
    NetworkError,
    Problem,
    UsageError,
    WheeltargetError,
)
from wheeltarget.core.links import Link
from wheeltarget.core.report import one_line
from wheeltarget.io.cache import HashMismatchError, Stored, read_verified
from wheeltarget.io.fetch import CancelledError, FetchError
from wheeltarget.io.index import Index, Wanted, links_for, problems_of, settings_hint
from wheeltarget.io.parallel import run_all

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheeltarget.core.model import Digest, Source
    from wheeltarget.io.cache import Cache


_CHUNK = 1024 * 1024
#: Where one file can be had, best first; at least one.
_Links: TypeAlias = "tuple[Link, ...]"


class Progress(Protocol):
    """Is told what is being fetched. Called from several threads."""

    def begin(self, files: int) -> None:
        """That many files have to be fetched."""

    def advance(self, size: int) -> None:
        """So many further bytes have come."""

    def finish_file(self, name: str) -> None:
        """One file is there, verified."""

    def end(self) -> None:
        """All is there, or the run has failed."""


@dataclass(frozen=True, kw_only=True)
class Supply:
    """Gets wheels, and archives to build some from.

    ``index_for`` gives the index of a locked source, or raises UsageError; of a locked URL, what
    it is fetched with. ``root`` is the project's folder, which paths in the lock are relative to.
    """

    cache: Cache
    root: Path
    index_for: Callable[[Source], Index]
    progress: Progress
    warn: Callable[[Problem], None]
    cancelled: threading.Event
    workers: int
    offline: bool = False
    _known: dict[Digest, tuple[Index, _Links]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def obtain(self, wanted: Iterable[Wanted]) -> Mapping[Digest, Stored]:
        """All wanted wheels, from the cache or fetched into it.

        Entries of the cache are not yet verified: that happens when they are read.

        Raises NetworkError, IntegrityError, UsageError or FileSystemError, listing every file that
        cannot be had.
        """
        files = {each.digest: each for each in wanted}
        stored = {digest: self.cache.find(digest) for digest in files}
        missing = [files[digest] for digest, entry in stored.items() if entry is None]
        copied = self._copy([each for each in missing if each.package.source.kind == "file"])
        remote = [each for each in missing if each.digest not in copied]
        fetched = {**copied, **(self._fetch(remote) if remote else {})}
        return {**{d: entry for d, entry in stored.items() if entry is not None}, **fetched}

    def links_for(self, wanted: Iterable[Wanted]) -> Mapping[Digest, _Links]:
        """Where each wanted wheel can be fetched, best first, as its index says it now.

        Asks for pages, also of wheels in the cache, and fetches no wheel. A later ``obtain`` does
        not ask for them again. A file beside the project has no link.

        Raises NetworkError, IntegrityError or UsageError, listing every file without a link.
        """
        files = {each.digest: each for each in wanted if each.package.source.kind != "file"}
        self._known.update(self._look_up(list(files.values())))
        return {digest: self._known[digest][1] for digest in files}

    def _copy(self, missing: Sequence[Wanted]) -> Mapping[Digest, Stored]:
        """Files beside the project into the cache, which verifies them."""
        copied: dict[Digest, Stored] = {}
        problems: list[Problem] = []
        unreadable = False
        for each in missing:
            path = self.root / (each.package.source.url or "")
            try:
                with path.open("rb") as file:
                    chunks = iter(lambda: file.read(_CHUNK), b"")
                    copied[each.digest] = self.cache.add(each.digest, chunks)
            except HashMismatchError as error:
                problems.append(_changed_file_problem(each, error))
            except OSError as error:
                unreadable = True
                problems.append(_missing_file_problem(each, error))
        if problems:
            raise (FileSystemError if unreadable else IntegrityError)(*problems)
        return copied

    def _fetch(self, missing: Sequence[Wanted]) -> Mapping[Digest, Stored]:
        if self.offline:
            raise NetworkError(*(_offline_problem(each) for each in missing))
        links = self._links(missing)
        self.progress.begin(len(missing))
        try:
            results = run_all(
                missing,
                lambda each: self._download(each, links[each.digest]),
                workers=self.workers,
                cancelled=self.cancelled,
                fail_fast=True,
            )
        except BaseException:  # Ctrl-C, mostly: a thread may still wait for its server
            self.cache.sweep()
            raise
        finally:
            self.progress.end()
        _raise_problems(results)
        return {
            each.digest: result
            for each, result in zip(missing, results, strict=True)
            if isinstance(result, Stored)
        }

    def _links(self, missing: Sequence[Wanted]) -> Mapping[Digest, tuple[Index, _Links]]:
        """Where each file is. What is known is used once: a link can be good for a short time."""
        known = {each.digest: self._known.pop(each.digest, None) for each in missing}
        unknown = self._look_up([each for each in missing if known[each.digest] is None])
        return {**{digest: found for digest, found in known.items() if found}, **unknown}

    def _look_up(self, missing: Sequence[Wanted]) -> Mapping[Digest, tuple[Index, _Links]]:
        """Where each file is.

        Pages come first, so that all that is amiss is known before a long download begins.
        """
        by_page: dict[tuple[Source, str], list[Wanted]] = defaultdict(list)
        found: dict[Digest, tuple[Index, _Links]] = {}
        direct = [each for each in missing if each.package.source.kind == "url"]
        for each in missing:
            if each not in direct:
                by_page[each.package.source, each.package.name].append(each)
        indexes = self._indexes({each.package.source for each in missing})
        for each in direct:
            index = indexes[each.package.source]
            found[each.digest] = (index, (Link(url=index.url),))
        pages = [(indexes[source], of) for (source, _), of in by_page.items()]
        results = run_all(
            pages,
            lambda page: (page[0], links_for(*page)),
            workers=self.workers,
            cancelled=self.cancelled,
        )
        _raise_problems(results)
        for (_, of), result in zip(pages, results, strict=True):
            assert isinstance(result, tuple)
            index, page = result
            for name in page.refused:
                self.warn(
                    Problem(
                        what=f"the index {index.name} links {name!r}, which is not followed",
                        package=str(of[0].package),
                        hint="a file name that is a path is an attack or a fault",
                    )
                )
            for each in of:
                links = page.links[each.file.name]
                found[each.digest] = (index, links)
                if (yanked := links[0].yanked) is not None:
                    reason = f": {one_line(yanked)}" if yanked else ""
                    self.warn(
                        Problem(
                            what=f"{each.file.name} is yanked{reason}; it is used as locked",
                            package=str(each.package),
                            file=each.file.name,
                        )
                    )
        return found

    def _indexes(self, sources: Iterable[Source]) -> Mapping[Source, Index]:
        """The index of each source. Raises UsageError that names every source without one."""
        indexes: dict[Source, Index] = {}
        problems: dict[Problem, None] = {}
        for source in sources:
            try:
                indexes[source] = self.index_for(source)
            except UsageError as error:
                problems |= dict.fromkeys(error.problems)
        if problems:
            raise UsageError(*sorted(problems, key=lambda problem: problem.what))
        return indexes

    def _download(self, wanted: Wanted, found: tuple[Index, _Links]) -> Stored:
        index, links = found
        try:
            stored = self._download_any(wanted, index, links)
        except FetchError as error:
            raise NetworkError(_download_problem(wanted, index, error)) from error
        except HashMismatchError as error:
            raise IntegrityError(_mismatch_problem(wanted, index, error)) from error
        self.progress.finish_file(wanted.file.name)
        return stored

    def _download_any(self, wanted: Wanted, index: Index, links: _Links) -> Stored:
        """The file from the first link that leads to it; most files have one only.

        Raises the error of the last link, but a wrong hash is told before all else.
        """
        failures: list[FetchError | HashMismatchError] = []
        for link in links:
            try:
                return self._download_verified(wanted, index, link)
            except (FetchError, HashMismatchError) as error:
                failures.append(error)
        wrong = (error for error in failures if isinstance(error, HashMismatchError))
        raise next(wrong, failures[-1])

    def _download_verified(self, wanted: Wanted, index: Index, link: Link) -> Stored:
        def write(chunks: Iterator[bytes]) -> Stored:
            return self.cache.add(wanted.digest, self._counted(chunks))

        try:
            return index.client.download(link.url, write, size=link.size)
        except HashMismatchError:
            # A cache on the way may hold a damaged copy: ask once for a fresh one.
            return index.client.download(link.url, write, size=link.size, fresh=True)

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.progress.advance(len(chunk))
            yield chunk


def _raise_problems(results: Sequence[object]) -> None:
    failures = [result for result in results if isinstance(result, Exception)]
    unexpected = [
        failure
        for failure in failures
        if not isinstance(failure, (WheeltargetError, CancelledError))
    ]
    if unexpected:
        raise unexpected[0]
    if any(isinstance(failure, WheeltargetError) for failure in failures):
        gravest, problems = problems_of(failures)
        raise gravest(*problems)
    if failures:
        raise failures[0]


def _missing_file_problem(wanted: Wanted, error: OSError) -> Problem:
    path = wanted.package.source.url
    return Problem(
        what=f"cannot read {path} of {wanted.package}: {error.strerror or error}",
        package=str(wanted.package),
        file=path,
        hint="put it where pyproject.toml says, or correct the path and run `poetry lock`",
    )


def _changed_file_problem(wanted: Wanted, error: HashMismatchError) -> Problem:
    path = wanted.package.source.url
    return Problem(
        what=f"{path} is not the locked file: {error}",
        package=str(wanted.package),
        file=path,
        hint="run `poetry lock`, if you have replaced it on purpose",
    )


def _offline_problem(wanted: Wanted) -> Problem:
    return Problem(
        what=f"{wanted.file.name} is not in the cache, and --offline forbids the network",
        package=str(wanted.package),
        file=wanted.file.name,
        hint="run once without --offline",
    )


def _download_problem(wanted: Wanted, index: Index, error: FetchError) -> Problem:
    hint = settings_hint(index, error)
    if hint is None and error.status in {404, 410}:
        hint = "the index lists it but does not have it any more; run `poetry lock`"
    return Problem(
        what=f"cannot fetch {wanted.file.name} of the index {index.name}: {error} ({error.url})",
        package=str(wanted.package),
        file=wanted.file.name,
        hint=hint or "try again; check the network, proxy and credentials",
    )


def _mismatch_problem(wanted: Wanted, index: Index, error: HashMismatchError) -> Problem:
    return Problem(
        what=f"{wanted.file.name} from the index {index.name} is not the locked file: {error}",
        package=str(wanted.package),
        file=wanted.file.name,
        hint="it was replaced or damaged on the way; do not lock anew before you know which",
    )


def sha256_of(stored: Stored) -> str:
    """The entry's sha256 in hex, which is its name if it was locked by that.

    Raises HashMismatchError where the entry has to be read and is damaged.
    """
    if stored.digest.algorithm == "sha256":
        return stored.digest.hex
    hasher = hashlib.sha256()
    for chunk in read_verified(stored):
        hasher.update(chunk)
    return hasher.hexdigest()
