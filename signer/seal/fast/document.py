"""
A document in our own shape, read: a rendered revision and the seal's, each with a plain table, and its objects.

Nothing is guessed, mended or skipped: whatever is not as our writers write it is not ours (`NotMine`).
Source: docs/adr/0053-a-fast-path-for-our-own-files.md; ISO 32000-2, 7.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.seal import syntax
from signer.seal.syntax import Name, Object, Reference, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER: Final = re.compile(rb"%PDF-(?:1\.[0-9]|2\.0)\n")
_RUN: Final = re.compile(
    rb"([0-9]{1,6}) ([0-9]{1,6})\n(0000000000 65535 f(?: \n|\r\n))?((?:[0-9]{10} 00000 n(?: \n|\r\n))*)"
)
_END: Final = re.compile(rb"\nstartxref\n([0-9]{1,8})\n%%EOF\n")
_TEXT: Final = re.compile(rb"(?:[\n\x20-\x22\x24-\x5b\x5d-\x7e]++|\\(?:[0-3][0-7]{2}|[nrtbf()\\])|#2[fF])*+")
_TABLE: Final = b"xref\n"
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

    def object(self, named: Reference) -> Object:
        """Return an object from the newer revision if that has it, else from the rendered one."""
        section = self._newer
        at = section.place(named.number, self.sealed)
        if at is None:
            section = self._older
            at = section.place(named.number, self.sealed)
        if at is None or (found := syntax.read_object(self.sealed, at)) is None:
            raise NotMine("no object where one must be")
        is_inside = found.end <= section.start and (section is self._older or at >= self._older.end)
        demand(found.number == named.number and is_inside, "another object where one is listed")
        if found.stream is None:
            _refuse_strange(self.sealed, found.start, found.end)
        else:
            _refuse_strange(self.sealed, found.start, found.stream_at)
            _refuse_strange(self.sealed, found.stream_at + len(found.stream), found.end)
        return found

    def dictionary(self, value: Value) -> Mapping[str, Value]:
        """Return a dictionary that is referred to."""
        found = self.object(reference(value))
        demand(found.stream is None, "a stream where a dictionary must be")
        return dictionary(found.value)

    def stream(self, value: Value) -> tuple[Mapping[str, Value], bytes]:
        """Return a stream that is referred to, as encoded."""
        found = self.object(reference(value))
        if found.stream is None:
            raise NotMine("no stream where one must be")
        return dictionary(found.value), found.stream


def _refuse_strange(data: bytes, start: int, end: int) -> None:
    """
    Refuse what our writers never write, and other readers may read otherwise than `syntax`.

    Only printable ASCII, blanks and new lines; of escapes in strings the plain ones; in names none but a slash.
    """
    demand(_TEXT.fullmatch(data, start, end) is not None, "a byte that is not written so here")


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
    demand(data.startswith(b"trailer", at) and runs != [], "no trailer follows the table")
    trailer, end = syntax.read(data, at + len(b"trailer"))
    ended, found = _END.match(data, end), dictionary(trailer)
    if ended is None or int(ended[1]) != start:
        raise NotMine("a revision does not end as ours do")
    _refuse_strange(data, at, ended.end())
    demand(following <= number(found.get("Size")), "the table lists more than it has")
    return _Section(tuple(runs), found, start, ended.end())


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
