"""Ready-made ways for :class:`support.index.IndexServer` to misbehave.

Each function makes a behaviour: a callable that gets the request handler and answers instead of
it. The honest answer is at hand as ``handler.reply``.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from support.server import Behaviour, IndexHandler, Reply

FILLER = bytes(64 * 1024)


def ok() -> Behaviour:
    """Answer honestly: the pause in a script of faults."""
    return IndexHandler.send_honest


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Behaviour:
    """Answer with a status, such as 503 with Retry-After, or a login page with 200."""

    def behave(handler: IndexHandler) -> None:
        _send(handler, Reply(code, headers or {}, body))

    return behave


def redirect(url: str, code: int = 302) -> Behaviour:
    """Send the client elsewhere."""
    return status(code, {"Location": url})


def with_headers(headers: Mapping[str, str]) -> Behaviour:
    """Answer honestly but for some headers, such as ``Content-Length: -1`` or another ETag."""

    def behave(handler: IndexHandler) -> None:
        _send(handler, replace(handler.reply, headers={**handler.reply.headers, **headers}))
        handler.hang_up()

    return behave


def flip_byte(position: int | None = None) -> Behaviour:
    """Answer with one wrong byte, in the middle if not said where."""

    def behave(handler: IndexHandler) -> None:
        body = bytearray(handler.reply.body)
        body[len(body) // 2 if position is None else position] ^= 0xFF
        _send(handler, replace(handler.reply, body=bytes(body)))

    return behave


def cut_short(n: int, announce_length: bool = True) -> Behaviour:
    """Hang up after ``n`` bytes of the body.

    Without an announced length the client cannot know that more was to come.
    """

    def behave(handler: IndexHandler) -> None:
        body = handler.reply.body
        handler.send_head(handler.reply, len(body) if announce_length else None)
        handler.send_body(body[:n])
        handler.hang_up()

    return behave


def oversized(
    extra: int, announce: Literal["original", "grown", "nothing"] = "original"
) -> Behaviour:
    """Send ``extra`` bytes more than the file has, and say so, deny it, or say nothing."""

    def behave(handler: IndexHandler) -> None:
        body = handler.reply.body
        length = {"original": len(body), "grown": len(body) + extra, "nothing": None}[announce]
        handler.send_head(handler.reply, length)
        handler.send_body(body)
        for sent in range(0, extra, len(FILLER)):
            handler.send_body(FILLER[: extra - sent])
        handler.hang_up()

    return behave


def gzip_encoded() -> Behaviour:
    """Encode the body although nobody asked for it, as some proxies do."""

    def behave(handler: IndexHandler) -> None:
        headers = {**handler.reply.headers, "Content-Encoding": "gzip"}
        body = gzip.compress(handler.reply.body, mtime=0)
        _send(handler, replace(handler.reply, headers=headers, body=body))

    return behave


def drip(seconds_per_chunk: float, chunk: int = 1) -> Behaviour:
    """Send the body in small pieces with a pause before each; no single read times out."""

    def behave(handler: IndexHandler) -> None:
        body = handler.reply.body
        handler.send_head(handler.reply, len(body))
        for start in range(0, len(body), chunk):
            if handler.listener.site.stopped.wait(seconds_per_chunk):
                break
            handler.send_body(body[start : start + chunk])
        handler.hang_up()

    return behave


def reset_connection(after: int | None = None) -> Behaviour:
    """Reset the connection (RST), at once or after ``after`` bytes of the body."""

    def behave(handler: IndexHandler) -> None:
        if after is not None:
            handler.send_head(handler.reply, len(handler.reply.body))
            handler.send_body(handler.reply.body[:after])
        handler.reset()

    return behave


def ignore_range() -> Behaviour:
    """Answer a resuming client with the whole file and 200, as a server may."""

    def behave(handler: IndexHandler) -> None:
        plain = {name: value for name, value in handler.seen.headers.items() if name != "range"}
        _send(handler, handler.honest_reply(replace(handler.seen, headers=plain)))

    return behave


def wrong_range(shift: int) -> Behaviour:
    """Answer a resuming client with 206 from another offset than it asked for."""

    def behave(handler: IndexHandler) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.seen.headers.get("range", "bytes=0-"))
        offset = max(0, int(wanted[1] if wanted else 0) + shift)
        headers = {**handler.seen.headers, "range": f"bytes={offset}-"}
        _send(handler, handler.honest_reply(replace(handler.seen, headers=headers)))

    return behave


def _send(handler: IndexHandler, reply: Reply) -> None:
    handler.reply = reply
    handler.send_honest()
