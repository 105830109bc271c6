"""
Make an archive copy live on: add one revision behind a seal, with revocation data and a document timestamp over all.

The sealed prefix is not touched. What is written is exactly what `tail` reads; it is read back before it is returned.
Source: docs/adr/0018-archive-levels.md; ETSI EN 319 142-1, 5.5 (B-LTA).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pyhanko.pdf_utils.misc import PdfError

from signer.errors import CopyRefused, TimestampUnavailable
from signer.seal import dss, pdf, revocation, syntax, tail
from signer.seal.revocation import Evidence
from signer.seal.syntax import Name, Reference
from signer.seal.tail import TailRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.seal.certificates import Certificate
    from signer.seal.syntax import Value
    from signer.seal.tail import State
    from signer.seal.timestamp import Stamp, Timestamper

_MOST_TRIES: Final = 5
_SPARE_BYTES: Final = 64
_RANGE_WIDTH: Final = 48
_PRINTED_AND_LOCKED: Final = 132
_NOWHERE: Final[Value] = [-9999, -9999, -9999, -9999]
"""A box without size and off every page: PDF/UA asks for a tag of every other one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """A file with one more revision: its bytes, the new timestamp, and how many revisions now follow the seal."""

    pdf: bytes
    stamp: Stamp
    revisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What stays the same however often one begins again."""

    file: bytes
    sealed_length: int
    state: State
    revisions: int
    held: Evidence


def extend(
    file: bytes,
    *,
    sealed_length: int,
    timestamper: Timestamper,
    evidence: Callable[[Certificate | None], Evidence],
    at: datetime,
) -> Extended:
    """
    Add one revision to a sealed file or to an archive copy of it.

    Args:
        file: the file; what follows its seal already is of the grammar.
        sealed_length: the length of S.
        timestamper: who gives the timestamp.
        evidence: gives the revocation data that the revision shall hold, for the authority that is expected to
            answer; if another one answers, everything begins again with that one's. What the file holds already
            is not written twice.
        at: the intended time.

    Raises:
        CopyRefused: the file is not of the grammar, or twelve revisions follow its seal already.
        TimestampUnavailable: no authority answered rightly.

    """
    work = _begin(file, sealed_length)
    if work.revisions >= tail.MOST_REVISIONS:
        raise CopyRefused(f"{work.revisions} revisions follow the seal already; nothing reads more")
    room, witness = timestamper.most_bytes, timestamper.expected
    for _ in range(_MOST_TRIES):
        written = _written(work, _missing(evidence(witness), work.held), room=room)
        stamp = timestamper.stamp(written.covered, intended_at=at)
        if stamp.certificate != witness:
            witness, timestamper = stamp.certificate, timestamper.preferring(stamp.authority)
        elif len(stamp.token) > room:
            room = len(stamp.token) + _SPARE_BYTES
        else:
            return _read_back(work, written.filled(stamp.token), stamp)
    raise TimestampUnavailable("the authorities answer with another certificate each time")


def is_own(file: bytes, at: int, state: State, revision: tail.Revision, *, number: int) -> bool:
    """
    Tell whether a revision that was read is, byte for byte, what `extend` would have written in its place.

    It begins at `at`, behind a document that stands as `state` says, as the `number`-th after the seal.
    """
    work = _Work(file=file[:at], sealed_length=at, state=state, revisions=number - 1, held=Evidence())
    room = (revision.where.gap_end - revision.where.gap_start - 2) // 2
    written = _written(work, revision.evidence, room=room)
    return written.filled(revision.token) == file[: revision.end]


def held(file: bytes, *, sealed_length: int) -> Evidence:
    """Return all revocation data that a file holds, S's and what follows. Raises CopyRefused."""
    return _begin(file, sealed_length).held


def _begin(file: bytes, sealed_length: int) -> _Work:
    try:
        reader = pdf.open_strictly(file[:sealed_length])
        state, revisions = tail.read(file, sealed_length, tail.state_of(reader))
        held = dss.read(reader) or Evidence()
    except (PdfError, TailRefused, dss.DssRefused, ValueError, KeyError, TypeError) as error:
        raise CopyRefused(f"the file is not one that can be archived: {error}"[:300]) from error
    everything = (held, *(revision.evidence for revision in revisions))
    return _Work(
        file=file,
        sealed_length=sealed_length,
        state=state,
        revisions=len(revisions),
        held=revocation.union(everything),
    )


def _missing(wanted: Evidence, known: Evidence) -> Evidence:
    return Evidence(
        certificates=tuple(one for one in wanted.certificates if one not in known.certificates),
        ocsps=tuple(one for one in wanted.ocsps if one not in known.ocsps),
        crls=tuple(one for one in wanted.crls if one not in known.crls),
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """A whole file with an empty place for its newest token, in front of `gap_end`'s bracket."""

    file: bytes
    gap_start: int
    gap_end: int

    @property
    def covered(self) -> bytes:
        return self.file[: self.gap_start] + self.file[self.gap_end :]

    def filled(self, token: bytes) -> bytes:
        digits = token.hex().upper().encode()
        start = self.gap_start + 1
        return self.file[:start] + digits + self.file[start + len(digits) :]


def _written(work: _Work, new: Evidence, *, room: int) -> _Written:
    """Write catalogue, page, field, DSS, timestamp, table and trailer; the byte range is known at the end."""
    out, state = _Revision(work.file), work.state
    page, field, stamp = next(iter(state.pages)), state.size, state.size + 1
    catalogue = {**state.catalogue, "AcroForm": _with_field(state, field)}
    if new.certificates or new.ocsps or new.crls:
        catalogue["DSS"] = Reference(stamp + 1, 0)
        out.store(state, new, number=stamp + 1)
    out.value(state.root.number, catalogue)
    annotations = state.pages[page].get("Annots", [])
    known = annotations if isinstance(annotations, list) else []
    out.value(page, {**state.pages[page], "Annots": [*known, Reference(field, 0)]})
    out.value(field, _field(work, page, Reference(stamp, 0)))
    gap = out.timestamp(stamp, room=room)
    out.end(state)
    return out.measured(*gap)


def _with_field(state: State, field: int) -> Value:
    form = state.catalogue.get("AcroForm")
    fields = form.get("Fields") if isinstance(form, dict) else None
    if not isinstance(form, dict) or not isinstance(fields, list):
        raise CopyRefused("the form does not stand in the catalogue")
    return {**form, "Fields": [*fields, Reference(field, 0)]}


def _field(work: _Work, page: int, value: Reference) -> Value:
    names = (f"Archive-{number}" for number in range(work.revisions + 1, work.revisions + 100))
    name = next(name for name in names if name.lower().encode() not in work.state.names)
    told = f"存档时间戳 Archive timestamp {work.revisions + 1}"
    return {
        **tail.WIDGET,
        "T": name.encode(),
        "TU": b"\xfe\xff" + told.encode("utf-16-be"),
        "F": _PRINTED_AND_LOCKED,
        "Rect": _NOWHERE,
        "P": Reference(page, 0),
        "V": value,
    }


class _Revision:
    """The bytes of a revision, as they are being written behind a file."""

    def __init__(self, file: bytes) -> None:
        self._out = bytearray(file if file.endswith(b"\n") else file + b"\n")
        self._before = hashlib.sha256(file).digest()[:16]
        self._places: dict[int, int] = {}
        self._range_at = 0

    def value(self, number: int, value: Value) -> None:
        """Write an object."""
        self._object(number, syntax.write(value))

    def store(self, state: State, new: Evidence, *, number: int) -> None:
        """Write a DSS that holds what there was, and new streams behind it."""
        store: dict[str, Value] = {"Type": Name("DSS")}
        highest = number
        for key, blobs in (("Certs", new.certificates), ("OCSPs", new.ocsps), ("CRLs", new.crls)):
            before = state.store.get(key, [])
            listed = list(before) if isinstance(before, list) else []
            for blob in blobs:
                highest += 1
                self._object(highest, b"<< /Length %d >>\nstream\n%b\nendstream" % (len(blob), blob))
                listed.append(Reference(highest, 0))
            if listed:
                store[key] = listed
        self.value(number, store)

    def timestamp(self, number: int, *, room: int) -> tuple[int, int]:
        """Write a document timestamp with an empty value, and return where the value begins and ends."""
        kinds = b" ".join(b"/%b %b" % (key.encode(), syntax.write(value)) for key, value in tail.TIMESTAMP.items())
        self._begin(number)
        self._out += b"<< " + kinds + b" /Contents "
        gap_start = len(self._out)
        self._out += b"<" + b"00" * room + b">"
        gap_end = len(self._out)
        self._out += b" /ByteRange "
        self._range_at = len(self._out)
        self._out += b" " * _RANGE_WIDTH + b" >>\nendobj\n"
        return gap_start, gap_end

    def end(self, state: State) -> None:
        """Write the table and the trailer."""
        table_at = len(self._out)
        self._out += b"xref\n"
        for _, run in groupby(enumerate(sorted(self._places)), key=lambda pair: pair[1] - pair[0]):
            numbers = [number for _, number in run]
            self._out += b"%d %d\n" % (numbers[0], len(numbers))
            self._out += b"".join(b"%010d 00000 n \n" % self._places[number] for number in numbers)
        identifier = state.trailer["ID"]
        first = identifier[0] if isinstance(identifier, list) else b""
        trailer = {
            **state.trailer,
            "Size": max(*self._places, state.size - 1) + 1,
            "Root": state.root,
            "Prev": state.table_at,
            "ID": [first, self._before],
        }
        self._out += b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (syntax.write(trailer), table_at)

    def measured(self, gap_start: int, gap_end: int) -> _Written:
        """Write the byte range into its place, and return the whole file."""
        numbers = b"[ 0 %d %d %d ]" % (gap_start, gap_end, len(self._out) - gap_end)
        self._out[self._range_at : self._range_at + len(numbers)] = numbers
        return _Written(bytes(self._out), gap_start, gap_end)

    def _object(self, number: int, body: bytes) -> None:
        self._begin(number)
        self._out += body + b"\nendobj\n"

    def _begin(self, number: int) -> None:
        self._places[number] = len(self._out)
        self._out += b"%d 0 obj\n" % number


def _read_back(work: _Work, file: bytes, stamp: Stamp) -> Extended:
    """Read what was written as everybody will: by the grammar, and as a PDF. Raises CopyRefused."""
    try:
        pdf.open_strictly(file)
        reader = pdf.open_strictly(file[: work.sealed_length])
        _, revisions = tail.read(file, work.sealed_length, tail.state_of(reader))
    except (PdfError, TailRefused, ValueError, KeyError, TypeError) as error:
        raise CopyRefused(f"the revision that was written is not of the grammar: {error}"[:300]) from error
    if len(revisions) != work.revisions + 1 or revisions[-1].token != stamp.token:
        raise CopyRefused("the revision that was written holds another timestamp")
    return Extended(pdf=file, stamp=stamp, revisions=len(revisions))
