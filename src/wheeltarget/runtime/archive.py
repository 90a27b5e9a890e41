"""A bundle as a zip, read so strictly that no byte of it can change unnoticed.

``zipfile`` takes what programs disagree about: data around the archive or between members, headers
that contradict each other. A bundle has one form only: members without gaps, then the central
directory, then its end.
"""

import binascii
import os
from typing import Iterator

from wheeltarget.runtime.records import (
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    LOCATOR,
    LOCATOR_SIGNATURE,
    METHODS,
    PLAIN_MODE,
    PROGRAM_MODE,
    STORED,
    Entry,
    central_entry,
    central_forms,
    end_bytes,
    local_forms,
)
from wheeltarget.runtime.speech import DAMAGED, BundleError, counted, shown

CHUNK = 1024 * 1024
_LONGEST_COMMENT = 0xFFFF


class DamagedError(Exception):
    """The content of a member can't be what was written; the text says why."""


class Archive:
    """A zip that was opened; ``problems`` has what is wrong with its form, one line for each.

    Raises OSError, and BundleError where it has no members that could be told.
    """

    def __init__(self, path):
        # type: (str) -> None
        self._file = open(path, "rb")  # noqa: SIM115 - stays open
        self._length = self._file.seek(0, os.SEEK_END)
        self._entries = {}  # type: dict[str, Entry]
        # The time of all members, which is that of the first.
        self._moment = None  # type: tuple[int, int] | None
        self.problems = []  # type: list[str]
        try:
            self._read_form()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self):
        # type: () -> Archive
        return self

    def __exit__(self, *error):
        # type: (object) -> None
        self._file.close()

    def names(self):
        # type: () -> list[str]
        """The members, in their order."""
        return list(self._entries)

    def is_plain(self, name):
        # type: (str) -> bool
        """Whether a member is stored, and no program."""
        entry = self._entries[name]
        return entry.method == STORED and entry.mode == PLAIN_MODE

    def is_program(self, name):
        # type: (str) -> bool
        """Whether a member can be run."""
        return self._entries[name].mode == PROGRAM_MODE

    def size(self, name):
        # type: (str) -> int
        """The size of a member in bytes, as it says."""
        return self._entries[name].size

    def pieces(self, name):
        # type: (str) -> Iterator[bytes]
        """A member, piece by piece. Raises DamagedError, at the latest after the last one."""
        entry = self._entries[name]
        crc = size = 0
        packed = self._packed(entry)
        for piece in packed if entry.method == STORED else _inflated(packed, entry.size):
            crc = binascii.crc32(piece, crc)
            size += len(piece)
            yield piece
        if size != entry.size:
            raise DamagedError("it has {}, not {}".format(counted(size, "byte"), entry.size))
        if crc != entry.crc:
            raise DamagedError("its checksum (CRC) is wrong")

    def _packed(self, entry):
        # type: (Entry) -> Iterator[bytes]
        place, end = entry.data, entry.data + entry.packed
        while place < end:
            piece = self._at(place, min(end - place, CHUNK))
            if not piece:
                raise DamagedError("it is cut off")
            place += len(piece)
            yield piece

    def _at(self, place, size):
        # type: (int, int) -> bytes
        """What stands at a place, as much as there is; numbers of an archive may be absurd."""
        if not 0 <= place < self._length:
            return b""
        self._file.seek(place)
        return self._file.read(min(size, self._length - place))

    # --- form ---------------------------------------------------------------------------------

    def _read_form(self):
        # type: () -> None
        end, count, size, start = self._find_end()
        # Places count from the first byte, unless something was put before it.
        shift = end - size - start
        if shift:
            self.problems.append("it does not begin with its first member")
        entries = self._central_directory(start + shift, size, count)
        if self._at(end, END64.size + LOCATOR.size + END.size) != end_bytes(count, size, start):
            self.problems.append("its end is not as it must be, or something follows it")
        place = shift
        for entry in entries:
            place = self._add(entry._replace(offset=entry.offset + shift), place)
        if place != start + shift:
            self.problems.append("something stands between its members and their directory")

    def _find_end(self):
        # type: () -> tuple[int, int, int, int]
        """Where the end begins; how many members there are; the directory's size and place."""
        tail_size = min(self._length, END.size + _LONGEST_COMMENT)
        tail = self._at(self._length - tail_size, tail_size)
        found = tail.rfind(END_SIGNATURE, 0, max(0, len(tail) - END.size + 4))
        if found < 0:
            raise BundleError(DAMAGED, ["it is no zip, or cut off"], "Get the bundle anew.")
        place = self._length - tail_size + found
        record = END.unpack(self._at(place, END.size))
        before = place - LOCATOR.size - END64.size
        raw = self._at(before, END64.size)
        if self._at(place - LOCATOR.size, 4) == LOCATOR_SIGNATURE and raw[:4] == END64_SIGNATURE:
            record64 = END64.unpack(raw)
            return before, record64[7], record64[8], record64[9]
        return place, record[4], record[5], record[6]

    def _central_directory(self, start, size, count):
        # type: (int, int, int) -> list[Entry]
        raw = self._at(start, size)
        entries = []
        place = 0
        while place < len(raw):
            begin = place
            entry, place = central_entry(raw, begin)
            if entry is None:
                self.problems.append("its directory breaks off")
                break
            is_usual = entry.mode in (PLAIN_MODE, PROGRAM_MODE) and entry.method in METHODS
            if not is_usual or raw[begin:place] not in central_forms(entry):
                self.problems.append("{}: odd in the directory".format(shown(entry.name)))
            entries.append(entry)
        if len(entries) != count:
            told = "its directory has {}, its end says {}"
            self.problems.append(told.format(counted(len(entries), "member"), count))
        return entries

    def _add(self, entry, place):
        # type: (Entry, int) -> int
        """Take up a member that must begin at a place; where the next one must begin."""
        header = next(
            (form for form in local_forms(entry) if self._at(entry.offset, len(form)) == form), None
        )
        if header is None or entry.offset != place:
            told = "{}: its header is not where or what the directory says"
            self.problems.append(told.format(shown(entry.name)))
        if entry.name in self._entries:
            self.problems.append("{}: there are two of that name".format(shown(entry.name)))
        self._moment = self._moment or entry.moment
        if entry.moment != self._moment:
            self.problems.append("{}: it has another time".format(shown(entry.name)))
        length = len(local_forms(entry)[0] if header is None else header)
        entry = entry._replace(data=entry.offset + length)
        self._entries.setdefault(entry.name, entry)
        return entry.data + entry.packed


def _inflated(pieces, size):
    # type: (Iterator[bytes], int) -> Iterator[bytes]
    """Unpack, but hardly more than a member says that it has: the rest could be endless."""
    import zlib

    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    done = 0
    for piece in pieces:
        rest = piece
        while rest and not stream.eof and done <= size:
            try:
                unpacked = stream.decompress(rest, CHUNK)
            except zlib.error as error:
                raise DamagedError("it can't be unpacked: {}".format(error))
            rest = stream.unconsumed_tail
            done += len(unpacked)
            yield unpacked
    if not stream.eof or stream.unused_data:
        raise DamagedError("it does not end where it says")
