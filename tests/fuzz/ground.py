"""What fuzzing starts from, made anew each time: a PKI, a sealed file, its archive copy, and the recipes for others."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import pikepdf
import pki
import spliced

from signer.seal import archive, cms, der, revocation, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from signer.seal.revocation import Evidence, Link

BETWEEN = b"\xfe\xff"
"""Parts the objects of a recipe."""
REVISION, REWRITTEN, TAIL, RAW = range(4)
"""The first byte of a recipe: objects in an appended revision, in a file written anew; what follows S; the bytes."""
_OBJECT = re.compile(rb"(?<=\n)(\d+) 0 obj\b(.*?)endobj", re.DOTALL)


@dataclass(frozen=True)
class Ground:
    """A world with one sealed file of one page."""

    world: pki.World

    @property
    def at(self) -> datetime:
        return pki.AT + timedelta(days=2)

    @cached_property
    def sealed(self) -> bytes:
        made = sign.seal(
            pki.blank_pdf(),
            key=self.world.keys["hengyuan"],
            timestamper=self.world.timestamper(),
            at=pki.AT,
            evidence=self.world.evidence(),
        )
        return made.pdf

    @cached_property
    def archived(self) -> bytes:
        """The sealed file with one archive revision of the grammar."""
        at = pki.AT + timedelta(days=1)
        evidence: Callable[..., Evidence] = self.world.evidence(at=at)
        made = archive.extend(
            self.sealed,
            sealed_length=len(self.sealed),
            at=at,
            timestamper=self.world.timestamper(at),
            evidence=evidence,
        )
        return made.pdf

    @cached_property
    def objects(self) -> dict[int, bytes]:
        """The objects of the sealed file, the newest of each number."""
        return {int(found[1]): found[2].strip() for found in _OBJECT.finditer(self.sealed)}

    @cached_property
    def gap(self) -> tuple[int, int]:
        start = self.sealed.index(b"/Contents <") + len(b"/Contents <")
        return start, self.sealed.index(b">", start)

    @cached_property
    def value(self) -> bytes:
        start, end = self.gap
        return der.read(bytes.fromhex(self.sealed[start:end].decode())).whole

    @cached_property
    def token(self) -> bytes:
        return cms.read(self.value, content_type=cms.DATA).unsigned[cms.SIGNATURE_TIMESTAMP]

    @cached_property
    def link(self) -> Link:
        (entry,) = self.world.entries("hengyuan", None)
        return revocation.links_of(entry, self.world.trust)[0]

    def with_value(self, whole: bytes) -> bytes:
        """Put another CMS into the gap."""
        start, end = self.gap
        return self.sealed[:start] + whole.hex().upper().encode().ljust(end - start, b"0") + self.sealed[end:]

    def file(self, recipe: bytes) -> bytes:
        """Make the file that a recipe describes."""
        kind, rest = (recipe[0] & 3, recipe[1:]) if recipe else (RAW, b"")
        if kind == TAIL:
            return self.sealed + rest
        if kind == RAW:
            return rest
        numbers = sorted(self.objects)
        chosen = {numbers[part[0] % len(numbers)]: part[1:] for part in rest.split(BETWEEN) if part}
        if kind == REVISION:
            return spliced.updated(self.sealed, chosen)
        return self._rewritten({**self.objects, **chosen})

    def _rewritten(self, objects: dict[int, bytes]) -> bytes:
        """Write a file of these objects whose table, byte range and end are right."""
        at = spliced.places(self.sealed)
        what, found = spliced.written(objects, at=len(b"%PDF-1.7\n"))
        body = b"%PDF-1.7\n" + what
        named = b"trailer\n<< /Root %d 0 R /Size %d %b >>\nstartxref\n%d\n%%%%EOF\n"
        rows = spliced.table(found).replace(b"xref\n", b"xref\n0 1\n0000000000 65535 f \n", 1)
        whole = body + rows + named % (at.root, at.size, at.identifier, len(body))
        start = whole.find(b"/Contents <") + len(b"/Contents ")
        end = whole.find(b">", start) + 1
        ranged = re.compile(rb"/ByteRange \[[^]]*\] *").search(whole, end)
        if ranged is None:
            return whole
        told = (b"/ByteRange [0 %d %d %d]" % (start, end, len(whole) - end)).ljust(len(ranged.group()))
        return whole[: ranged.start()] + told + whole[ranged.end() :]

    def recipes(self) -> Iterator[bytes]:
        """Yield what to begin with: each object alone, the archive's tail, whole files of several writers."""
        for place, number in enumerate(sorted(self.objects)):
            for kind in (REVISION, REWRITTEN):
                yield bytes((kind, place)) + self.objects[number]
        yield bytes((TAIL,)) + self.archived[len(self.sealed) :]
        for file in (self.sealed, self.archived, pki.blank_pdf(), pki.blank_pdf(field=None, content=None)):
            yield bytes((RAW,)) + file
        with pikepdf.open(io.BytesIO(self.sealed)) as opened:
            for how in (
                {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
                {"linearize": True},
                {"encryption": pikepdf.Encryption(owner="", user="")},
            ):
                out = io.BytesIO()
                opened.save(out, **how)  # type: ignore[arg-type]
                yield bytes((RAW,)) + out.getvalue()

    def values(self) -> Iterator[tuple[str, bytes]]:
        """Yield DER to begin with, by what it is."""
        responder = self.world.responder()
        yield "seal", self.value
        yield "token", self.token
        yield "ocsp", responder.ask(self.link)
        yield "certificate", self.world.maker("hengyuan").certificate.der
        yield "certificate", self.world.maker("rsa").certificate.der
        yield "certificate", self.world.made.tsa.der


def make(folder: Path) -> Ground:
    """Make the PKI in a folder, and what else is needed when it is asked for."""
    return Ground(pki.make_world(folder, at=pki.AT))
