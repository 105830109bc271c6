"""
A document in our own shape, read: a rendered revision and the seal's, each with a plain table, and its objects.

Nothing is guessed, mended or skipped: whatever is not as our writers write it is not ours (`NotMine`).
Source: docs/adr/0053-a-fast-path-for-our-own-files.md; ISO 32000-2, 7.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from signer.seal import syntax
from signer.seal.syntax import Name, Reference, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER: Final = re.compile(rb"%PDF-(?:1\.[0-9]|2\.0)\n")
_RUN: Final = re.compile(
    rb"([0-9]{1,6}) ([0-9]{1,6})\n(0000000000 65535 f(?: \n|\r\n))?((?:[0-9]{10} 00000 n(?: \n|\r\n))*)"
)
_END: Final = re.compile(rb"\nstartxref\n([0-9]{1,8})\n%%EOF\n")
_TEXT: Final = re.compile(rb"(?:[\n\x20-\x22\x24-\x5b\x5d-\x7e]++|\\(?:[0-3][0-7]{2}|[nrtbf()\\])|#2[fF])*+")
_TABLE: Final = b"xref\n"
_IDENTIFIER: Final = rb"(?:\([0-9A-Za-z+/=]*+\)|<(?:[0-9A-Fa-f]{2})*+>)"
_TRAILER: Final = re.compile(
    rb"[ \n]?/(?:(Size|Prev) ([0-9]{1,8})|(Root|Info) ([0-9]{1,6}) 0 R|(ID) ?\[ ?(%b) ?(%b) ?\])"
    % (_IDENTIFIER, _IDENTIFIER)
)
_BEFORE_TRAILER: Final = re.compile(rb"trailer[ \n]<<")
_BEHIND_TRAILER: Final = re.compile(rb"[ \n]?>>\nstartxref\n([0-9]{1,8})\n%%EOF\n")
_OBJECT: Final = re.compile(rb"([0-9]{1,6}) 0 obj\n")
_STREAM: Final = b"stream\n"
_END_OF_OBJECT: Final = b"endobj"
_END_OF_STREAM: Final = re.compile(rb"\n?endstream[ \n]*endobj")
_MOST_KEPT: Final = 2_000
_MOST_TABLES: Final = 16
_AT_END: Final = 40
_ENTRY: Final = 20
_TRAILERS: Final = ({"Size", "Root", "ID"}, {"Size", "Root", "ID", "Info"})


class NotMine(Exception):
    """A file is not, in every respect, of the shape that this path knows; it may be good all the same."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A cross-reference table: its runs (first number, count, where the entries stand), its trailer and its span."""

    runs: tuple[tuple[int, int, int], ...]
    trailer: Mapping[str, Value]
    start: int
    end: int

    def place(self, number: int, data: bytes) -> int | None:
        """Return where the table says that an object stands, or None if it does not list it."""
        for first, count, at in self.runs:
            if first <= number < first + count:
                entry = at + _ENTRY * (number - first)
                return int(data[entry : entry + 10])
        return None


class Document:
    """The sealed prefix: a rendered revision and the seal's, each with a plain table. Raises NotMine."""

    def __init__(self, file: bytes) -> None:
        demand(_HEADER.match(file) is not None, "another header")
        *_, self._newer, self._older = _sections(file)
        end = self._newer.end
        self.file = file
        self.sealed = file if end == len(file) else file[:end]
        newer, older = dict(self._newer.trailer), self._older.trailer
        demand(newer.pop("Prev", None) == self._older.start, "the seal's revision does not follow the rendered one")
        demand(set(newer) in _TRAILERS and set(older) == set(newer), "the trailers' entries differ")
        is_same = all(newer[key] == older[key] for key in set(newer) & {"Root", "Info"})
        demand(is_same and number(older["Size"]) <= number(newer["Size"]), "the trailers differ")
        (whole,) = self._older.runs
        demand(whole[:2] == (1, number(older["Size"]) - 1), "the rendered table is not whole")
        self.trailer = newer
        self.root = reference(newer["Root"])
        self.catalogue = self.dictionary(self.root)
        demand(self.catalogue.get("Type") == Name("Catalog"), "no catalogue")

    @property
    def table_at(self) -> int:
        """Where the table of the seal's revision begins."""
        return self._newer.start

    def place(self, named: Reference) -> tuple[int, int]:
        """Return where an object stands, in the newer revision if that has it, and where it must have ended."""
        at = self._newer.place(named.number, self.sealed)
        if at is not None:
            demand(at >= self._older.end, "the seal's revision lists an object of the rendered one")
            return at, self._newer.start
        at = self._older.place(named.number, self.sealed)
        if at is None:
            raise NotMine("no object where one must be")
        return at, self._older.start

    def dictionary(self, value: Value) -> Mapping[str, Value]:
        """Return a dictionary that is referred to."""
        named = reference(value)
        at, most = self.place(named)
        end = self.sealed.find(_END_OF_OBJECT, at, most)
        demand(end > 0, "an object does not end where it must")
        return dictionary(_value(self.sealed[at:end], named.number))

    def stream(self, value: Value) -> tuple[Mapping[str, Value], bytes]:
        """Return a stream that is referred to, as encoded."""
        named = reference(value)
        at, most = self.place(named)
        data, head = self.sealed, self.sealed.find(_STREAM, at, most)
        demand(head > 0, "no stream where one must be")
        about = dictionary(_value(data[at:head], named.number))
        start = head + len(_STREAM)
        end = start + number(about["Length"])
        ended = _END_OF_STREAM.match(data, end)
        demand(start <= end and ended is not None and ended.end() <= most, "a stream does not end where it says")
        return about, data[start:end]


def _value(text: bytes, named: int) -> Value:
    """Return the value of an object, given its text to where `endobj` or `stream` stands; it is not to be changed."""
    numbered, value = (_read if len(text) <= _MOST_KEPT else _read_once)(text)
    demand(numbered == named, "another object where one is listed")
    return value


def _read_once(text: bytes) -> tuple[int, Value]:
    """
    Read an object without its end, and refuse what our writers never write, and others may read otherwise.

    Only printable ASCII, blanks and new lines; of escapes in strings the plain ones; in names none but a slash.
    """
    begun = _OBJECT.match(text)
    if begun is None or _TEXT.fullmatch(text) is None:
        raise NotMine("an object that is not written so here")
    value, end = syntax.read(text, begun.end())
    demand(not text[end:].strip(b" \n"), "something follows a value")
    return int(begun[1]), value


_read = lru_cache(maxsize=512)(_read_once)
"""What a short text says depends on it alone, and the files of a house have many in common."""


def _sections(file: bytes) -> list[_Section]:
    """Read the table of every revision, the newest first, each named by the one behind it and in front of that."""
    ended = _END.search(file, max(0, len(file) - _AT_END))
    demand(ended is not None and ended.end() == len(file), "the file does not end as ours do")
    found: list[_Section] = []
    start: Value = int(ended[1]) if ended else 0
    while start is not None:
        section = _section(file, number(start))
        demand(len(found) <= _MOST_TABLES and section.end <= (found[-1].start if found else len(file)), "tables astray")
        found.append(section)
        start = section.trailer.get("Prev")
    return found


def _section(data: bytes, start: int) -> _Section:
    """Read the table that begins there, and its trailer: objects in use, of generation 0, and the one that is free."""
    demand(data.startswith(_TABLE, start), "no plain table")
    runs, at, following = [], start + len(_TABLE), 0
    while run := _RUN.match(data, at):
        first, count, free = int(run[1]), int(run[2]), run[3] is not None
        demand(free is (first == 0) and first >= following, "a run of the table has not the form")
        demand(len(run[4]) // _ENTRY + free == count > 0, "a run of the table has another length")
        runs.append((first + free, count - free, run.start(4)))
        at, following = run.end(), first + count
    demand(runs != [], "the table is empty")
    trailer, end = _trailer(data, at, start)
    demand(following <= number(trailer.get("Size")), "the table lists more than it has")
    return _Section(tuple(runs), trailer, start, end)


def _trailer(data: bytes, at: int, start: int) -> tuple[dict[str, Value], int]:
    """Read the trailer at a place, of a table that starts at another, and what ends the revision."""
    begun = _BEFORE_TRAILER.match(data, at)
    found: dict[str, Value] = {}
    at = begun.end() if begun else at
    while entry := _TRAILER.match(data, at):
        key = (entry[1] or entry[3] or entry[5]).decode()
        demand(begun is not None and key not in found, "an entry of the trailer stands twice")
        if entry[5]:
            found[key] = [_identifier(entry[6]), _identifier(entry[7])]
        else:
            found[key] = int(entry[2]) if entry[1] else Reference(int(entry[4]), 0)
        at = entry.end()
    ended = _BEHIND_TRAILER.match(data, at)
    if ended is None or int(ended[1]) != start:
        raise NotMine("a revision does not end as ours do")
    return found, ended.end()


def _identifier(written: bytes) -> bytes:
    return written[1:-1] if written.startswith(b"(") else bytes.fromhex(written[1:-1].decode())


def dictionary(value: Value) -> Mapping[str, Value]:
    """Return a dictionary as what it is, or refuse another value."""
    if not isinstance(value, dict):
        raise NotMine("no dictionary where one must be")
    return value


def listed(value: Value) -> list[Value]:
    """Return an array as what it is, or refuse another value."""
    if not isinstance(value, list):
        raise NotMine("no array where one must be")
    return value


def string(value: Value) -> bytes:
    """Return a string as what it is, or refuse another value."""
    if not isinstance(value, bytes):
        raise NotMine("no string where one must be")
    return value


def number(value: Value) -> int:
    """Return a whole number as what it is, or refuse another value."""
    if type(value) is not int:
        raise NotMine("no whole number where one must be")
    return value


def reference(value: Value) -> Reference:
    """Return a reference of generation 0 as what it is, or refuse another value."""
    if not isinstance(value, Reference) or value.generation:
        raise NotMine("no plain reference where one must be")
    return value


def demand(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - an assertion of this room
    """Refuse a file of which something is not so."""
    if not is_so:
        raise NotMine(otherwise)
