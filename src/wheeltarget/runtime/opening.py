"""What ``__main__.py`` of a bundle does before it imports anything."""

import sys

#: Exit code where the interpreter is not the one that the bundle is for, or too old to tell.
UNFIT = 4

if __name__ == "__main__":
    if sys.version_info < (3, 6):
        _here = "Python {}.{}".format(*sys.version_info)
        sys.stderr.write("Error: {} is too old, this needs Python 3.6 or newer\n".format(_here))
        sys.exit(UNFIT)
    # Python looks for modules beside this file first, where the code of others may be: take that
    # place away. It is not there for a plain file if Python was asked to be safe (-I, -P).
    _is_file = sys.argv[0].replace("\\", "/").split("/")[-1] == "__main__.py"
    if not (_is_file and (sys.flags.isolated or getattr(sys.flags, "safe_path", False))):
        del sys.path[0]
    # A bundle, and what is installed from it, shall stay as they are. Of a folder, Python has
    # already written what it compiled of this file.
    sys.dont_write_bytecode = True
    _compiled = getattr(__spec__, "cached", None)
    if _compiled:
        import os

        try:
            os.unlink(_compiled)
            os.rmdir(os.path.dirname(_compiled))
        except OSError:
            pass
