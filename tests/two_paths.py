"""
The fast path held against the full one: what it may say of a file, and files that try to part the two.

The sharpest files are signed anew by the listed key, or timestamped anew by the listed authority, after something in
them was changed: nothing but the two readers can then tell them from ours.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from signer.seal import cms, der, fast, precheck, validate

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from signer.domain.trust import TrustList
    from signer.seal.keys import FileKey
    from signer.seal.timestamp import Timestamper

ALPHABET = b"()<>[]{}/%#\\ \n\r\t\x000123456789-+.RobjfnEDABCSsx"
"""What means something in a PDF's syntax, and what looks as if it did."""
_CONTENTS = b"/Contents <"
_NUMBERS = re.compile(rb"/ByteRange ?\[ ?([0-9]+) ([0-9]+) ([0-9]+) ([0-9]+) ?\]")


class Parted(AssertionError):
    """The two paths say different things of one file."""


@dataclass
class Score:
    """How many files were asked about, and of how many the fast path knew the answer."""

    asked: int = 0
    answered: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def compare(self, file: bytes, trust: TrustList, at: datetime, told: str) -> bool:
        """Demand that the fast path says what the full one says, or nothing; tell whether it said something."""
        self.asked += 1
        if precheck.refusal(file) is not None:
            return False
        try:
            quick = validate.quickly(file, trust, at)
        except fast.NotMine as error:
            reason = str(error)[:60]
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
            return False
        self.answered += 1
        if (slow := validate.whole(file, trust, at)) != quick:
            mine, theirs = quick.model_dump(), slow.model_dump()
            parted = "; ".join(f"{key}: {mine[key]} != {theirs[key]}" for key in mine if mine[key] != theirs[key])
            raise Parted(f"{told}: {parted}")
        return True

    def tell(self, of: str) -> None:
        """Say what was asked, for whoever looks at the output."""
        sys.stdout.write(f"{of}: {self.asked} files, {self.answered} answered; not its own: {self.reasons}\n")


def gap_of(pdf: bytes) -> tuple[int, int]:
    """Return where the last value's hexadecimal digits begin and end."""
    start = pdf.rindex(_CONTENTS) + len(_CONTENTS)
    return start, pdf.index(b">", start)


def filled(pdf: bytes, gap: tuple[int, int], value: bytes) -> bytes:
    """Put a value into its gap, zeros behind it."""
    start, end = gap
    digits = value.hex().upper().encode().ljust(end - start, b"0")
    return pdf[:start] + digits[: end - start] + pdf[end:]


def sealed_anew(pdf: bytes, key: FileKey, timestamper: Timestamper | None, at: datetime) -> bytes:
    """Seal a changed file with a listed key, in the place where its seal stands: what that key's thief could do."""
    start, end = gap_of(pdf)
    covered = pdf[: start - 1] + pdf[end + 1 :]
    digest = hashlib.new(key.capabilities.scheme.digest, covered).digest()
    attributes, signature = cms.sign(key, content_type=cms.DATA, digest=digest)
    token = timestamper.stamp(signature, intended_at=at).token if timestamper else None
    return filled(pdf, (start, end), cms.assemble(key, attributes=attributes, signature=signature, timestamp=token))


def stamped_anew(pdf: bytes, timestamper: Timestamper, at: datetime) -> bytes:
    """Timestamp a changed archive revision, the last one, anew: anybody can ask a public authority to do that."""
    start, end = gap_of(pdf)
    token = timestamper.stamp(pdf[: start - 1] + pdf[end + 1 :], intended_at=at).token
    return filled(pdf, (start, end), token)


def structure(pdf: bytes, since: int = 0) -> list[int]:
    """Return the places of bytes that are no content of streams and no value, from a place on."""
    dull = [match.span(1) for match in re.finditer(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]
    dull += [match.span(1) for match in re.finditer(rb"/Contents <([0-9A-F]*)>", pdf)]
    kept = bytearray(b"\1") * len(pdf)
    for start, end in dull:
        kept[start:end] = bytes(end - start)
    return [place for place in range(since, len(pdf)) if kept[place]]


def substituted(pdf: bytes, places: list[int], chance: random.Random) -> bytes:
    """Write one to three other bytes, side by side, of those that mean something."""
    place, data = chance.choice(places), bytearray(pdf)
    for more in range(chance.choice((1, 1, 1, 2, 3))):
        if place + more < len(data):
            data[place + more] = chance.choice(ALPHABET)
    return bytes(data)


GAMES: tuple[tuple[bytes, bytes], ...] = (
    (b"/P 1\n", b"/P 2\n"),
    (b"/P 1\n", b"/P 3\n"),
    (b"/SigFlags 3", b"/SigFlags 1"),
    (b"/Type /Sig\n", b"/Type /Doc\n"),
    (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached"),
    (b"/T (Seal)", b"/T (Sea\\l)"[:9]),
    (b"/T (Seal)", b"/T <5365>"),
    (b"/Data /EF", b"/Date /EF"),
    (b"/Root 1 0 R", b"/Root 4 0 R"),
    (b"0 2\n0000000000 65535 f", b"0 2\n0000000000 65535 n"),
    (b"0000000000 65535 f", b"0000000000 00000 f"),
    (b"0000000000 65535 f", b"0000000001 65535 f"),
    (b" 00000 n \n", b" 00001 n \n"),
    (b" 00000 n \n", b" 00000 f \n"),
    (b" 00000 n \n", b" 00000 n\r\n"),
    (b"startxref\n", b"startxref\r"),
    (b"%%EOF\n", b"%%EOF\r"),
    (b"trailer\n", b"trailer%"),
    (b"/Prev ", b"/prev "),
    (b"/AF [", b"/Af ["),
    (b"/Type /DSS\n", b"/Type /Dss\n"),
    (b"/Certs [", b"/certs ["),
    (b"/OCSPs [", b"/CRLs  ["),
    (b"%PDF-1.7\n", b"%PDF-1.7\r"),
    (b"%PDF-1.7\n", b"%PDF-9.9\n"),
    (b"/DocMDP", b"/UR3   "),
    (b"/Filter /FlateDecode", b"/Filter[/FlateDecode"),
    (b"endobj\n", b"endobj%"),
    (b"(zh\\055CN)", b"(zh\\777CN)"),
    (b"(zh\\055CN)", b"(zh\\400CN)"),
    (b"(zh\\055CN)", b"(zh\\ziiCN)"),
    (b"(zh\\055CN)", b"(zh\\89iCN)"),
    (b"/Direction", b"/Direct\x80on"[:10]),
    (b"/Direction", b"/Dir#ftion"),
    (b"/F 132\n", b"/F\x00132\n"),
    (b"/F 132\n", b"/F 1\x0b2\n"),
    (b" 0 R\n/Rect", b"\x000 R\n/Rect"),
    (b" 0 R\n/Rect", b" 0\x0cR\n/Rect"),
    (b"endobj\n", b"endob\n\n"),
)
"""Changes of one length: table, trailer, certification, names."""


def played(pdf: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file after each of the games, at its first and at its last place."""
    for old, new in GAMES:
        assert len(old) == len(new), old
        for place in {pdf.find(old), pdf.rfind(old)} - {-1}:
            yield f"{old!r} -> {new!r} at {place}", pdf[:place] + new + pdf[place + len(old) :]
    *_, one, other, _, _ = (found.span(1) for found in re.finditer(rb"([0-9]{10}) 00000 n", pdf))
    between = pdf[one[1] : other[0]]
    yield "two entries exchanged", pdf[: one[0]] + pdf[slice(*other)] + between + pdf[slice(*one)] + pdf[other[1] :]


def respelt(pdf: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file whose last value is spelt otherwise: DER in other lengths and orders, other padding, more of it."""
    start, end = gap_of(pdf)
    inside = bytes.fromhex(pdf[start:end].decode())
    value = der.read(inside).whole
    for place in range(min(len(value), 300)):
        longer = _longer(value, place)
        if longer is not None:
            yield f"length at {place} spelt longer", filled(pdf, (start, end), longer)
    for told, other in (
        ("indefinite", b"\x30\x80" + der.read(value).body + b"\0\0"),
        ("a byte behind", value + b"\1"),
        ("twice", value + value),
        ("a null behind", value + b"\5\0"),
    ):
        yield told, filled(pdf, (start, end), other)
    yield "small letters", pdf[:start] + pdf[start:end].lower() + pdf[end:]
    yield "a blank inside", pdf[: end - 2] + b"  " + pdf[end:]
    yield "other padding", pdf[: end - 2] + b"01" + pdf[end:]


def _longer(value: bytes, place: int) -> bytes | None:
    """Spell one length, if one stands there, with a zero more; those around it stay as they are."""
    if place + 2 > len(value) or value[place] not in (0x30, 0x31, 0x04, 0xA0, 0xA1, 0x02):
        return None
    try:
        node = der.read(value, place)
    except der.NotDer:
        return None
    size = len(node.body).to_bytes(4, "big")
    return value[:place] + bytes((node.tag, 0x84)) + size + node.body + value[place + len(node.whole) :]


def rewritten(pdf: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Change the last value as a whole."""
    start, end = gap_of(pdf)
    return filled(pdf, (start, end), change(der.read(bytes.fromhex(pdf[start:end].decode())).whole))
