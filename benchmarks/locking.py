"""How much longer `poetry lock` takes with `constrain-lock`: a ratio, measured in one run.

    python benchmarks/locking.py

Needs an environment with Poetry and the plugin, and no network: it serves an index of its own on
the loopback address. Both ways of locking take turns, each in a process of its own with an empty
cache. The ratio is that of the medians; above the limit the exit code is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path

#: The largest projects of an index have some hundred versions, with dozens of wheels each.
VERSIONS, LARGE_VERSIONS = 30, 120
PYTHONS = ("cp38-cp38", "cp39-cp39", "cp310-cp310", "cp311-cp311", "cp312-cp312", "cp313-cp313")
OLD_LINUX = "manylinux_2_17_x86_64.manylinux2014_x86_64"
NEW_LINUX = "manylinux_2_34_x86_64"
OTHERS = ("manylinux_2_28_aarch64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64")
#: Of a package with compiled parts, so many of the newest versions need a newer Linux.
TOO_NEW = 4

PYPROJECT = """\
[project]
name = "benchmark"
version = "1.0"
requires-python = ">=3.11,<3.13"
dependencies = {dependencies}

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "benchmark"
url = "{url}"

[tool.wheeltarget]
constrain-lock = {constrain}

[tool.wheeltarget.targets.old]
python = "3.11"
platforms = ["manylinux_2_17_x86_64"]

[tool.wheeltarget.targets.win]
python = "3.12"
platforms = ["win_amd64"]
"""

Pages = dict[str, tuple[str, bytes]]


def name_of(number: int) -> str:
    """The name of a package."""
    return f"package{number:03}"


def wheels_of(number: int, version: int, versions: int) -> list[str]:
    """The wheels of a version: one for all, or, of every second package, one for each machine."""
    stem = f"{name_of(number)}-1.{version}"
    if number % 2:
        return [f"{stem}-py3-none-any.whl"]
    held_back = number % 10 == 0 and version > versions - TOO_NEW
    platforms = [NEW_LINUX if held_back else OLD_LINUX, *OTHERS]
    return [f"{stem}-{python}-{platform}.whl" for python, platform in product(PYTHONS, platforms)]


def requires_of(number: int, packages: int) -> list[str]:
    """The packages that a package requires: some of those after it."""
    chosen = random.Random(number)
    later = range(number + 1, min(packages, number + 25))
    return [f"{name_of(each)} (>=1.1)" for each in chosen.sample(later, min(3, len(later)))]


def wanted_by_project(packages: int) -> list[str]:
    """What no package requires, so that all are locked."""
    required = {each for number in range(packages) for each in requires_of(number, packages)}
    return [
        name_of(number)
        for number in range(packages)
        if f"{name_of(number)} (>=1.1)" not in required
    ]


def index_pages(packages: int) -> Pages:
    """All that the index has, by path: a page for each package, METADATA for each wheel."""
    pages: Pages = {}
    for number in range(packages):
        name = name_of(number)
        versions = LARGE_VERSIONS if number % 20 == 0 else VERSIONS
        requires = "".join(f"Requires-Dist: {each}\n" for each in requires_of(number, packages))
        files = []
        for version in range(1, versions + 1):
            head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.{version}\n"
            metadata = f"{head}Requires-Python: >=3.8\n{requires}".encode()
            digest = {"sha256": hashlib.sha256(metadata).hexdigest()}
            for wheel in wheels_of(number, version, versions):
                pages[f"/files/{wheel}.metadata"] = "text/plain", metadata
                files.append(
                    {
                        "filename": wheel,
                        "url": f"/files/{wheel}",
                        "hashes": {"sha256": hashlib.sha256(wheel.encode()).hexdigest()},
                        "requires-python": ">=3.8",
                        "core-metadata": digest,
                    }
                )
        page = json.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": files})
        pages[f"/simple/{name}/"] = "application/vnd.pypi.simple.v1+json", page.encode()
        anchors = (
            f'<a href="{file["url"]}#sha256={file["hashes"]["sha256"]}" '  # type: ignore[index]
            f'data-requires-python="&gt;=3.8" data-core-metadata="true">{file["filename"]}</a>'
            for file in files
        )
        html = f"<!DOCTYPE html><html><body>{''.join(anchors)}</body></html>"
        pages[f"/html/{name}/"] = "text/html", html.encode()
    return pages


@contextmanager
def served(pages: Pages) -> Iterator[str]:
    """The URL of an index with these pages; in HTML for a Poetry that asks for no JSON."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path
            if "simple.v1+json" not in self.headers.get("Accept", ""):
                path = path.replace("/simple/", "/html/")
            kind, body = pages.get(path, ("text/plain", b""))
            self.send_response(200 if path in pages else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/"
    finally:
        server.shutdown()
        server.server_close()


def lock(folder: Path, url: str, packages: int, *, constrain: bool) -> tuple[float, str]:
    """Lock once in a new folder: seconds, and the lock."""
    folder.mkdir()
    text = PYPROJECT.format(
        dependencies=json.dumps(wanted_by_project(packages)),
        url=url,
        constrain="true" if constrain else "false",
    )
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    settings = {
        "POETRY_CACHE_DIR": str(folder / "cache"),
        "POETRY_CONFIG_DIR": str(folder / "config"),
        "POETRY_KEYRING_ENABLED": "false",
        "POETRY_VIRTUALENVS_CREATE": "false",
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith("POETRY_")}
    begin = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "poetry", "lock", "--no-interaction"],
        cwd=folder,
        env={**kept, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begin
    if ended.returncode:
        sys.exit(f"poetry lock failed:\n{ended.stdout}{ended.stderr}")
    return seconds, (folder / "poetry.lock").read_text(encoding="utf-8")


def measure(url: str, packages: int, rounds: int) -> dict[bool, list[float]]:
    """The seconds of each round, without and with the constraint."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as name:
        for number, constrain in product(range(rounds), (False, True)):
            folder = Path(name, f"{number}-{constrain}")
            took, text = lock(folder, url, packages, constrain=constrain)
            seconds[constrain].append(took)
            if number == 0:
                title = "with constrain-lock" if constrain else "plain"
                print(f"{title}: {text.count('[[package]]')} packages locked", flush=True)
    return seconds


def main() -> int:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--packages", type=int, default=100, help="how many the index has")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is measured")
    parser.add_argument("--limit", type=float, default=1.2, help="the highest ratio that is fine")
    asked = parser.parse_args()
    with served(index_pages(asked.packages)) as url:
        seconds = measure(url, asked.packages, asked.rounds)
    plain, constrained = (statistics.median(seconds[way]) for way in (False, True))
    print(f"plain:               {plain:.2f} s")
    print(f"with constrain-lock: {constrained:.2f} s")
    print(f"ratio:               {constrained / plain:.2f} (limit {asked.limit})")
    return 0 if constrained / plain <= asked.limit else 1


if __name__ == "__main__":
    sys.exit(main())
