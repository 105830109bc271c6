"""What an attacker appends to a sealed file: an archive revision as it should be, then anything in it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signer.domain.verdict import Code
from signer.seal import pdf, syntax, tail
from signer.seal.syntax import Name, Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from genuine import Genuine

    from signer.seal.timestamp import Timestamper

ROOM = 3000


@dataclass
class Draft:
    """A revision before it is written: values by object number, bytes that stand among them, the trailer's entries."""

    file: bytes
    state: tail.State
    objects: dict[int, syntax.Value] = field(default_factory=dict)
    streams: dict[int, tuple[syntax.Value, bytes]] = field(default_factory=dict)
    timestamps: list[int] = field(default_factory=list)
    trailer: dict[str, syntax.Value] = field(default_factory=dict)
    among: bytes = b""
    behind: bytes = b""
    unlisted: tuple[int, ...] = ()
    freed: tuple[int, ...] = ()
    covers_until: Callable[[int, int], int] = lambda table_at, end: end

    @property
    def root(self) -> dict[str, syntax.Value]:
        return self.objects[self.state.root.number]  # type: ignore[return-value]

    @property
    def page(self) -> int:
        return next(iter(self.state.pages))

    @property
    def field_number(self) -> int:
        return self.state.size

    @property
    def widget(self) -> dict[str, syntax.Value]:
        return self.objects[self.field_number]  # type: ignore[return-value]

    @property
    def free(self) -> int:
        """A number that no object has."""
        return max(*self.objects, *self.streams, *self.timestamps, self.state.size) + 1


def draft(file: bytes, *, sealed_length: int, name: str = "Archive-1") -> Draft:
    """Return a revision of exactly the grammar, without revocation data."""
    state, _ = tail.read(file, sealed_length, tail.state_of(pdf.open_strictly(file[:sealed_length])))
    made = Draft(file=file, state=state)
    form = dict(state.catalogue["AcroForm"])  # type: ignore[arg-type]
    form["Fields"] = [*form["Fields"], Reference(state.size, 0)]  # type: ignore[misc]
    made.objects[state.root.number] = {**state.catalogue, "AcroForm": form}
    add_widget(made, made.page, state.size, name)
    return made


def add_widget(made: Draft, page: int, number: int, name: str) -> None:
    known = made.objects.get(page) or dict(made.state.pages[page])
    assert isinstance(known, dict)
    made.objects[page] = {**known, "Annots": [*known.get("Annots", []), Reference(number, 0)]}  # type: ignore[misc]
    made.objects[number] = {
        **tail.WIDGET,
        "T": name.encode(),
        "F": 132,
        "Rect": [0, 0, 0, 0],
        "P": Reference(page, 0),
        "V": Reference(number + 1, 0),
    }
    made.timestamps.append(number + 1)


def written(made: Draft, timestamper: Timestamper, genuine: Genuine) -> bytes:
    """Write the revision and have it timestamped by an authority that everybody may ask."""
    out, places, gaps = bytearray(made.file), {}, []
    for number, value in made.objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, syntax.write(value))
    for number, (about, data) in made.streams.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, syntax.write(about), data)
    out += made.among
    for number in made.timestamps:
        places[number] = len(out)
        kinds = b" ".join(b"/%b %b" % (key.encode(), syntax.write(value)) for key, value in tail.TIMESTAMP.items())
        out += b"%d 0 obj\n<< %b /Contents " % (number, kinds)
        start = len(out)
        out += b"<" + b"00" * ROOM + b">"
        gaps.append((start, len(out), len(out) + len(b" /ByteRange ")))
        out += b" /ByteRange " + b" " * 48 + b" >>\nendobj\n"
    table_at = len(out)
    out += b"xref\n"
    for number in sorted({*places} - {*made.unlisted} | {*made.freed}):
        kind = b"0000000000 00001 f" if number in made.freed else b"%010d 00000 n" % places[number]
        out += b"%d 1\n%b \n" % (number, kind)
    identifier = made.state.trailer["ID"]
    trailer = {
        **made.state.trailer,
        "Size": max(*places, made.state.size - 1) + 1,
        "Root": made.state.root,
        "Prev": made.state.table_at,
        "ID": [identifier[0], b"0123456789abcdef"],  # type: ignore[index]
        **made.trailer,
    }
    out += b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (syntax.write(trailer), table_at)
    end = len(out)
    out += made.behind
    until = made.covers_until(table_at, end)
    for start, stop, place in gaps:
        numbers = b"[ 0 %d %d %d ]" % (start, stop, until - stop)
        out[place : place + len(numbers)] = numbers
    for start, stop, _ in gaps:
        token = timestamper.stamp(bytes(out[:start] + out[stop:until]), intended_at=genuine.world.at).token
        digits = token.hex().upper().encode()
        out[start + 1 : start + 1 + len(digits)] = digits
    return bytes(out)


def appended(genuine: Genuine, change: Callable[[Draft], None], *, file: bytes | None = None) -> bytes:
    """Append a revision that was changed by hand, timestamped by the listed authority."""
    made = draft(file or genuine.pdf, sealed_length=len(genuine.pdf))
    change(made)
    return written(made, genuine.ours.timestamper(genuine.trust), genuine)


def store(made: Draft, **more: syntax.Value) -> dict[str, syntax.Value]:
    """Give the revision a DSS of its own that holds what the sealed one held, and one new stream."""
    number = made.free
    made.streams[number] = ({"Length": 4}, b"0\x02\x05\x00")
    held = {**made.state.store, "Type": Name("DSS")}
    held["OCSPs"] = [*held.get("OCSPs", []), Reference(number, 0)]  # type: ignore[misc]
    held.update(more)
    made.objects[number + 1] = held
    made.root["DSS"] = Reference(number + 1, 0)
    return held


def extended(genuine: Genuine, file: bytes, number: int, *, checked: bool = True) -> bytes:
    """Append a revision of exactly the grammar; the service would have done no other."""
    made = draft(file, sealed_length=len(genuine.pdf), name=f"Archive-{number + 1}")
    store(made)
    pdf_ = written(made, genuine.ours.timestamper(genuine.trust), genuine)
    if checked:
        assert genuine.world.verify(pdf_).code is Code.VALID
    return pdf_
