"""From locked files to links: one index page for each project, then what it says of the files."""

from __future__ import annotations

import re
import shlex
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheeltarget.core.errors import IntegrityError, NetworkError, Problem, WheeltargetError
from wheeltarget.core.links import (
    ACCEPT,
    Found,
    PageError,
    best_first,
    find_links,
    lists_project,
)
from wheeltarget.core.manifest import without_secrets
from wheeltarget.io.fetch import FetchError, ProxyAddressError, TlsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheeltarget.core.links import Link, Page
    from wheeltarget.core.model import Digest, LockedFile, LockedPackage
    from wheeltarget.core.plan import Chosen
    from wheeltarget.io.fetch import Client


@dataclass(slots=True)
class _Kept:
    """The only page of a flat index, or why it cannot be had, once it was asked for."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    outcome: Page | FetchError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One package index. ``url`` is that of its root, or of its only page if ``flat``."""

    name: str
    url: str
    client: Client
    flat: bool = False
    _kept: _Kept = field(default_factory=_Kept, init=False, repr=False, compare=False)

    def page_url(self, project: str) -> str:
        """Where the page of a project is (PEP 503: normalised name, trailing slash)."""
        return self.url if self.flat else f"{self.url.rstrip('/')}/{project}/"

    def page(self, project: str) -> Page:
        """The page of a project. Raises FetchError."""
        return self._only_page() if self.flat else self._asked(project)

    def _asked(self, project: str) -> Page:
        return self.client.page(self.page_url(project), ACCEPT)

    def _only_page(self) -> Page:
        """Asked for once: it may be large, and every project of the index stands on it."""
        with self._kept.lock:
            if self._kept.outcome is None:
                try:
                    self._kept.outcome = self._asked("")
                except FetchError as error:
                    self._kept.outcome = error
        if isinstance(self._kept.outcome, FetchError):
            raise self._kept.outcome
        return self._kept.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A locked wheel that has to be fetched: which file of which package, by which hash."""

    package: LockedPackage
    file: LockedFile
    digest: Digest

    @classmethod
    def of(cls, chosen: Chosen) -> Wanted:
        """The file of a plan's choice, whose hash has been found to be trusted."""
        assert chosen.file.digest is not None
        return cls(package=chosen.package, file=chosen.file, digest=chosen.file.digest)


def links_for(index: Index, wanted: Sequence[Wanted]) -> Found:
    """The links of locked files of one project, best first, and those that were refused.

    Raises NetworkError where the page cannot be had or does not list a file any more, and
    IntegrityError where the index names another hash than the lock. All files are named.
    """
    project = wanted[0].package.name
    url = index.page_url(project)
    try:
        page = index.page(project)
        found = find_links(page, [each.file.name for each in wanted])
    except (FetchError, PageError) as error:
        raise NetworkError(_page_problem(index, project, url, error)) from error
    gone = [each for each in wanted if each.file.name not in found.links]
    if gone:
        known = lists_project(page, gone[0].file.name)
        raise NetworkError(*(_gone_problem(index, each, known, found.refused) for each in gone))
    return replace(found, links=_checked(index, page.url, wanted, found))


def _page_problem(index: Index, project: str, url: str, error: Exception) -> Problem:
    hint = settings_hint(index, error)
    if hint is None and getattr(error, "status", None) == 404:
        hint = (
            "check the source's URL, and whether it has the project; only the source that the "
            "lock names is asked"
        )
    return Problem(
        what=f"the index {index.name} gives no page for {project}: {error} "
        f"({without_secrets(url)})",
        package=project,
        hint=hint
        or "check that the source is reachable; what is in the cache can be used with --offline",
    )


def settings_hint(index: Index, error: Exception) -> str | None:
    """Which setting helps against a failed request, where one does."""
    status = getattr(error, "status", None)
    if status in {401, 403}:
        return _credentials_hint(index, urlsplit(getattr(error, "url", index.url)).netloc)
    if status == 407:
        return "the proxy asks for credentials; write them into HTTP_PROXY or HTTPS_PROXY"
    if isinstance(error, ProxyAddressError):
        return "mend HTTP_PROXY, HTTPS_PROXY or ALL_PROXY; for SOCKS, Poetry needs PySocks"
    # Some servers let a client without a certificate in, to tell it so with 400.
    if isinstance(error, TlsError) or (status == 400 and index.url.startswith("https:")):
        certificates = _config("certificates", index.name)
        return (
            f"if the server's certificate is one of your own: {certificates}.cert CA.pem; "
            f"if it asks for yours: {certificates}.client-cert CERTIFICATE_AND_KEY.pem"
        )
    return None


def _credentials_hint(index: Index, host: str) -> str:
    if host != urlsplit(index.url).netloc:
        return (
            f"the credentials of {index.name} are not for {host}; if Poetry shall have some for "
            f"it: poetry config repositories.NAME URL and http-basic.NAME USER PASSWORD"
        )
    command = f"set credentials for it: {_config('http-basic', index.name)} USER PASSWORD"
    if variable := _variable(index.name):
        return f"{command}, or POETRY_HTTP_BASIC_{variable}_USERNAME and ..._PASSWORD"
    return command


def _config(setting: str, name: str) -> str:
    return f"poetry config {setting}.{shlex.quote(name)}"


def _variable(name: str) -> str | None:
    """How Poetry writes the name of a source in variables; None where no shell can set those.

    Of a name with a dot, versions of Poetry make different names: it stays, or becomes ``_``.
    """
    variable = name.upper().replace("-", "_")
    return variable if re.fullmatch("[A-Z0-9_]+", variable) else None


def _gone_problem(index: Index, wanted: Wanted, known: bool, refused: Sequence[str]) -> Problem:
    if refused:
        names = ", ".join(map(repr, refused))
        what = f"the index {index.name} offers {wanted.file.name} only as {names}"
        hint = "a file name that is a path is an attack or a fault; ask whoever runs the index"
    elif known:
        what = f"the index {index.name} no longer offers {wanted.file.name}"
        hint = (
            "it was removed since it was locked, or this mirror never had it; only the source "
            "that the lock names is asked; add the file there, or run `poetry lock`"
        )
    else:
        what = (
            f"the index {index.name} answers for {wanted.package.name} with a page that lists no "
            f"file of it, so not {wanted.file.name} either"
        )
        hint = "a login page or a wrong URL may be the cause; check the source and its credentials"
    return Problem(what=what, package=str(wanted.package), file=wanted.file.name, hint=hint)


def _checked(
    index: Index, page_url: str, wanted: Sequence[Wanted], found: Found
) -> Mapping[str, tuple[Link, ...]]:
    """The links that may be followed, best first."""
    links = [(each, best_first(found.links[each.file.name], each.digest)) for each in wanted]
    replaced = [each for each, of in links if not of]
    if replaced:
        raise IntegrityError(*(_replaced_problem(index, each) for each in replaced))
    if urlsplit(page_url).scheme == "https":
        links = [
            (each, tuple(link for link in of if urlsplit(link.url).scheme == "https"))
            for each, of in links
        ]
        in_clear = [each for each, of in links if not of]
        if in_clear:
            raise NetworkError(*(_in_clear_problem(index, each) for each in in_clear))
    return {each.file.name: of[: index.client.limits.links] for each, of in links}


def _replaced_problem(index: Index, wanted: Wanted) -> Problem:
    return Problem(
        what=f"the index {index.name} names another hash for {wanted.file.name} than the lock "
        f"({wanted.digest})",
        package=str(wanted.package),
        file=wanted.file.name,
        hint="the file was replaced, or the index is not to be trusted; find out which before you "
        "lock anew",
    )


def _in_clear_problem(index: Index, wanted: Wanted) -> Problem:
    return Problem(
        what=f"the index {index.name} links {wanted.file.name} over plain http, which is not "
        "followed from https",
        package=str(wanted.package),
        file=wanted.file.name,
        hint="ask whoever runs the index to link over https",
    )


def problems_of(results: Sequence[object]) -> tuple[type[WheeltargetError], tuple[Problem, ...]]:
    """All problems among results, and the class to raise them as: the gravest one."""
    errors = [result for result in results if isinstance(result, WheeltargetError)]
    gravest = max((type(error) for error in errors), key=lambda cls: cls.exit_code)
    return gravest, tuple(problem for error in errors for problem in error.problems)
