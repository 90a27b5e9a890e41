"""Compiles modules with the Python that runs it. Standard library only, Python 3.7 and newer.

Reads a JSON array of paths from standard input; the source of the n-th is the file ``n.py`` in the
folder that is the only argument. Writes ``n.pyc`` beside it where it compiles, with ``unchecked``
hashes (PEP 552) and the path as the name of the source, and prints the tag of the cache.
"""

import json
import os
import py_compile
import sys
import warnings


def main(folder: str) -> None:
    """Compile all; what does not compile has no file."""
    warnings.simplefilter("ignore")  # they are for who writes the modules
    for number, path in enumerate(json.load(sys.stdin)):
        source = os.path.join(folder, "%d.py" % number)
        try:
            py_compile.compile(
                source,
                cfile=source + "c",
                dfile=path,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except Exception:  # noqa: BLE001, S112 - templates and sources for Python 2 are no modules
            continue
    print(sys.implementation.cache_tag)


if __name__ == "__main__":
    main(sys.argv[1])
