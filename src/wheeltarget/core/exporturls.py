"""A requirements file that names each wheel of a bundle by its URL (PEP 440, direct references).

For platforms that fetch by themselves. It holds no secret: whoever fetches has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urldefrag

from wheeltarget.core.errors import Problem
from wheeltarget.core.manifest import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheeltarget.core.manifest import Part
    from wheeltarget.core.model import Project, Source
    from wheeltarget.core.plan import Plan

#: Characters of a URL that stay. Not braces, since installers replace ``${NAME}`` in the file.
_SAFE = "%/:=&~+!$,;'@()*[]"

_BUILT = "built, has no URL"
_BESIDE = "a file beside the project, has no URL"


def urls_text(part: Part, urls: Mapping[str, str]) -> str:
    """One line for each wheel, sorted: ``name @ URL --hash=sha256:HEX``.

    ``urls`` are by file name, as they were found. A wheel that has none is named in a comment.
    """
    return "".join(
        f"# {m.name} {m.version}: {_BUILT if m.built else _BESIDE}\n"
        if m.wheel.filename not in urls
        else f"{m.name} @ {public_url(urls[m.wheel.filename])} --hash=sha256:{m.wheel.sha256}\n"
        for m in part.sorted_members()
    )


def public_url(url: str) -> str:
    """A URL without user, password, query and fragment, quoted so that it is one word."""
    return quote(without_secrets(url), safe=_SAFE)


def lacking_problems(project: Project, plan: Plan) -> Iterator[Problem]:
    """The wheels of a plan that have no URL."""
    lacking: list[tuple[str, Source | None]] = []
    if project.packaged:
        lacking.append((f"{project.name} {project.version}", None))
    lacking += [(str(entry.package), entry.package.source) for entry in plan.to_build]
    lacking += [
        (str(chosen.package), chosen.package.source)
        for chosen in plan.chosen
        if chosen.package.source.kind == "file"
    ]
    for package, source in lacking:
        leave_out = "--no-root" if source is None else "--exclude"
        yield Problem(
            what=f"the file of URLs for {plan.target.name} lacks {package}, which has no URL",
            package=package,
            target=plan.target.name,
            hint=f"install it from the bundle, or leave it out with {leave_out}",
        )


def secret_problems(plan: Plan, urls: Mapping[str, str]) -> Iterator[Problem]:
    """The wheels whose URL may not work without what was taken out of it."""
    for chosen in plan.chosen:
        url = urls.get(chosen.file.name)
        if url is not None and without_secrets(url) != urldefrag(url).url:
            yield Problem(
                what=f"the URL of {chosen.file.name} is written without its query and credentials, "
                "which may be secrets; it may not work without them",
                package=str(chosen.package),
                target=plan.target.name,
                file=chosen.file.name,
                hint="let what fetches it send its own credentials, or take a source whose links "
                "need none",
            )
