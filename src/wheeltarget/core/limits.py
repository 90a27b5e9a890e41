"""Every limit in one value, so that no cap hides in a function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on what is taken from outside. Sizes are in bytes, times in seconds."""

    #: An index page; the largest on PyPI is about 30 MB, cryptography's about 1 MB.
    page_size: int = 64 * 1024 * 1024
    #: A description file; a real one has about 100 kB.
    description_size: int = 4 * 1024 * 1024
    #: One wheel; PyPI's largest files are a few GB.
    file_size: int = 8 * 1024 * 1024 * 1024
    #: METADATA of a wheel; the largest, with a book as their description, stay below 1 MB.
    metadata_size: int = 16 * 1024 * 1024
    #: manifest.json of a bundle, or one RECORD; a package takes about 500 bytes for each target.
    manifest_size: int = 32 * 1024 * 1024
    #: Members of an archive, and its central directory, which has about 100 bytes for each.
    archive_members: int = 250_000
    directory_size: int = 64 * 1024 * 1024
    #: All that an archive holds, unpacked; the largest trees, with a machine's CUDA, have 10 GB.
    unpacked_size: int = 32 * 1024 * 1024 * 1024
    #: Platforms of all targets in a manifest, times the ABIs; a target for Linux has about 40.
    platforms: int = 10_000
    #: What is read or written at a time.
    chunk_size: int = 256 * 1024
    #: Requests for one resource, the first one included.
    attempts: int = 4
    #: Links tried for one file, where a page lists it several times.
    links: int = 4
    #: Redirects followed for one request.
    redirects: int = 10
    #: Until a connection stands, and between two packets of an answer.
    connect_timeout: float = 15.0
    read_timeout: float = 60.0
    #: One answer as a whole may take this long, plus its size at the slowest rate.
    response_time: float = 300.0
    slowest_rate: float = 16 * 1024.0
    #: Before the second attempt; doubled before each further one.
    backoff: float = 0.5
    #: The longest wait that a server's ``Retry-After`` can cause.
    retry_after: float = 60.0
    #: Downloads and index pages under way at once.
    workers: int = 10


DEFAULT_LIMITS = Limits()
