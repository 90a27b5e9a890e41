"""Stands in for a company's servers: a private index and a git repository, on this machine.

    python serve.py poetry bundle-wheels

serves both while the command runs. All of it is made anew each time, always the same, so that the
hashes and the commit in poetry.lock hold. It needs dulwich, which Poetry brings: run it with the
Python that Poetry runs in.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

PORT = 18923
BACKEND = """
[build-system]
requires = ["poetry-core>=2.0"]
build-backend = "poetry.core.masonry.api"
"""
#: A package that its authors publish as source only.
SDIST_NAME = "phrases-1.0.tar.gz"
PHRASES = {
    "pyproject.toml": '[project]\nname = "phrases"\nversion = "1.0"\n' + BACKEND,
    "PKG-INFO": "Metadata-Version: 2.4\nName: phrases\nVersion: 1.0\n",
    "phrases/__init__.py": 'GREETING = "Hello"\n',
}
#: A package that is taken from its repository, where it lies in a folder.
GREETER = {
    "pyproject.toml": '[project]\nname = "greeter"\nversion = "0.3"\n' + BACKEND,
    "greeter.py": 'def greet(greeting, name):\n    return f"{greeting}, {name}!"\n',
}


def sdist() -> bytes:
    """The source archive. Not compressed: what a compressor writes differs between versions."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, text in PHRASES.items():
            info = tarfile.TarInfo(f"phrases-1.0/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=0, mtime=0) as file:
        file.write(plain.getvalue())
    return packed.getvalue()


def repository(folder: str) -> Repo:
    """A repository with one commit, on main."""
    repo = Repo.init_bare(folder)
    package, root = Tree(), Tree()
    for name, text in GREETER.items():
        blob = Blob.from_string(text.encode())
        repo.object_store.add_object(blob)
        package.add(name.encode(), 0o100644, blob.id)
    root.add(b"python", 0o040000, package.id)
    commit = Commit()
    commit.tree = root.id
    commit.author = commit.committer = b"A team <team@example.com>"
    commit.author_time = commit.commit_time = 1_700_000_000
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"The greeter\n"
    for item in (package, root, commit):
        repo.object_store.add_object(item)
    repo.refs[b"refs/heads/main"] = commit.id
    repo.refs.set_symbolic_ref(b"HEAD", b"refs/heads/main")
    return repo


class Quiet(WSGIRequestHandler):
    """Does not print every request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def application(repo: Repo):
    """The WSGI application: the repository below /greeter.git, the index below /simple."""
    git = make_wsgi_chain(DictBackend({"/greeter.git": repo}))
    data = sdist()
    digest = hashlib.sha256(data).hexdigest()
    page = f'<!DOCTYPE html><a href="/files/{SDIST_NAME}#sha256={digest}">{SDIST_NAME}</a>\n'
    answers = {
        "/simple/phrases/": ("text/html", page.encode()),
        f"/files/{SDIST_NAME}": ("application/octet-stream", data),
    }

    def answer(environ, start_response):
        path = environ["PATH_INFO"]
        if path.startswith("/greeter.git"):
            return git(environ, start_response)
        if path not in answers:
            start_response("404 Not Found", [("Content-Length", "0")])
            return []
        kind, body = answers[path]
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def main(command: list[str]) -> int:
    """Serve while the command runs, and return its exit code."""
    with tempfile.TemporaryDirectory() as folder, repository(folder) as repo:
        served = application(repo)
        with make_server("127.0.0.1", PORT, served, handler_class=Quiet) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                return subprocess.run(command, check=False).returncode
            finally:
                server.shutdown()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
