"""
The offline bundle, signed and believed: a header under a detached JWS, which binds all that follows it.

Read line by line: whoever reads it needs no more memory than the trust list and one line take.
Source: docs/reference/formats.md, the offline bundle; RFC 7515, appendix F.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from signer.domain import bundle
from signer.domain.bundle import Header, ListWord, Record, Revocation, SealWord
from signer.domain.trust import Purpose
from signer.errors import BundleRefused, InvalidInput, TrustListStale
from signer.seal import jws, roots, service_key
from signer.seal import trust as signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import BinaryIO

    from signer.domain.bundle import Entry
    from signer.domain.trust import TrustList
    from signer.seal.service_key import ServiceKey

Line: TypeAlias = Revocation | SealWord | Record | ListWord
TYPE: Final = "signer-bundle+jws"
_MOST_HEADER_BYTES: Final = 200_000
_MOST_TOKEN_BYTES: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first three lines, without their ends; nothing of them is believed yet."""

    header: bytes
    token: bytes
    trust: bytes

    @property
    def root_kid(self) -> str:
        """By which root the trust list says that it is signed."""
        try:
            return signed.signer_of(self.trust)
        except InvalidInput as error:
            raise BundleRefused(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """A header whose signature is good, the list that says so, and what a verifier is to remember of the lists."""

    header: Header
    trust: TrustList
    memory: roots.Memory


def sign(header: Header, key: ServiceKey) -> bytes:
    """Return the first two lines of a bundle, with their ends."""
    encoded = bundle.encode(header)
    return encoded + b"\n" + key.sign_detached(encoded, typ=TYPE) + b"\n"


def read_head(source: BinaryIO) -> Head:
    """Read the first three lines of a bundle. Raises BundleRefused."""
    return Head(
        header=_line(source, _MOST_HEADER_BYTES, "line 1"),
        token=_line(source, _MOST_TOKEN_BYTES, "line 2"),
        trust=_line(source, signed.MOST_BYTES, "line 3"),
    )


def believe(head: Head, memory: roots.Memory, *, at: datetime) -> Believed:
    """
    Verify who signed a bundle's header: a key that the list inside, which a pinned root signed, names for bundles.

    Raises BundleRefused with the reason. Whether the bundle is too old is for the verdict to say.
    """
    try:
        trust, newer = roots.believe(head.trust, memory, at=at)
        token = jws.parse_detached(head.token, head.header, typ=TYPE, field="the signature")
    except (InvalidInput, TrustListStale) as error:
        raise BundleRefused(str(error)) from error
    entry = service_key.entry_of(trust, Purpose.BUNDLE, token.kid)
    if entry is None:
        raise BundleRefused(f"the trust list names no key {token.kid} for bundles")
    if not token.is_by(service_key.public_key(entry)):
        raise BundleRefused("the signature is not that of the header")
    header = bundle.decode(head.header, Header, place="the header")
    if (header.origin, header.test, header.trust_list) != (trust.origin, trust.test, trust.sequence):
        raise BundleRefused("the header speaks of another trust list than the one inside")
    if fault := service_key.past_fault(entry, header.complete_until):
        raise BundleRefused(f"the key that signed it {fault}")
    return Believed(header=header, trust=trust, memory=newer)


def entries(source: BinaryIO, head: Head, header: Header) -> Iterator[tuple[Line, bytes]]:
    """
    Read what follows the head, in order: answers, seals, records, status lists, each with its line.

    Only whoever reads to the end may use any of it.

    Raises BundleRefused for a line that is not of its form or out of order, and at the end if the whole is not what
    was signed.
    """
    body = _Body(source, head)
    yield from body.read(Revocation, header.counts.revocations, "answer", "certificate_digest")
    yield from body.read(SealWord, header.counts.seals, "seal", "certificate_digest")
    yield from body.read(Record, header.counts.records, "record", "number")
    yield from body.read(ListWord, header.counts.status_lists or 0, "status list", "list")
    if source.read(1) or (body.size, body.digest) != (header.size, header.sha256):
        raise BundleRefused("what follows the signature is not what was signed")


class _Body:
    """Reads lines of each kind and counts them into size and digest, from the trust list on."""

    def __init__(self, source: BinaryIO, head: Head) -> None:
        self._source = source
        self._digest = hashlib.sha256(head.trust + b"\n")
        self.size = len(head.trust) + 1

    @property
    def digest(self) -> str:
        """SHA-256 of what was read so far, in hex."""
        return self._digest.hexdigest()

    def read(self, kind: type[Entry], count: int, word: str, key: str) -> Iterator[tuple[Entry, bytes]]:
        """Read so many lines of a kind, each with a greater key than the one before."""
        before: tuple[int, str] = (0, "")
        for place in range(1, count + 1):
            line = _line(self._source, bundle.MOST_LINE_BYTES, f"{word} {place}")
            self._digest.update(line)
            self._digest.update(b"\n")
            self.size += len(line) + 1
            entry = bundle.decode(line, kind, place=f"{word} {place}")
            value = getattr(entry, key)
            if (found := (value, "") if isinstance(value, int) else (0, str(value))) <= before:
                raise BundleRefused(f"{word} {place}: stands twice, or not in its order")
            before = found
            yield entry, line


def _line(source: BinaryIO, most_bytes: int, place: str) -> bytes:
    line = source.readline(most_bytes + 1)
    if not line.endswith(b"\n"):
        raise BundleRefused(f"{place}: is longer than {most_bytes} bytes, or cut off")
    return line[:-1]
