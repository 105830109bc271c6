"""The value of a seal, built part by part, so that any one part can be what no honest sealer writes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.seal import algorithms, cms, der

if TYPE_CHECKING:
    from signer.seal.keys import SealKey

COUNTER_SIGNATURE = cms._oid("1.2.840.113549.1.9.6")
SIGNING_TIME = cms._oid("1.2.840.113549.1.9.5")


def gap(pdf: bytes) -> tuple[int, int]:
    """Where the hexadecimal digits of the seal's value begin and end."""
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    return start, pdf.index(b">", start)


def in_place(pdf: bytes, whole: bytes, *, padding: bytes = b"0") -> bytes:
    """Put a value into the place that a sealed file has for it."""
    start, end = gap(pdf)
    assert 2 * len(whole) <= end - start
    return pdf[:start] + whole.hex().upper().encode().ljust(end - start, padding) + pdf[end:]


def attribute(kind: bytes, *values: bytes) -> bytes:
    return der.encode(der.SEQUENCE, kind, der.encode(der.SET, *values))


@dataclass
class Value:
    """A seal over a sealed file's bytes by a listed key; the signature is right whatever its parts say."""

    pdf: bytes
    key: SealKey
    signed: dict[bytes, tuple[bytes, ...]] | None = None
    unsigned: tuple[bytes, ...] = ()
    content: bytes | None = None
    certificates: tuple[bytes, ...] | None = None
    revocation: bytes = b""
    infos: int = 1
    version: int = 1
    digests: bytes = algorithms.SHA256
    sort: bool = True

    @property
    def digest(self) -> bytes:
        start, end = gap(self.pdf)
        return hashlib.sha256(self.pdf[: start - 1] + self.pdf[end + 1 :]).digest()

    @property
    def honest(self) -> dict[bytes, tuple[bytes, ...]]:
        """The three signed attributes as they should be."""
        return {
            cms.CONTENT_TYPE: (cms.DATA,),
            cms.MESSAGE_DIGEST: (der.encode(der.OCTET_STRING, self.digest),),
            cms.SIGNING_CERTIFICATE_V2: (cms.signing_certificate(self.key.certificate),),
        }

    def whole(self) -> bytes:
        """Return the CMS."""
        certificate = self.key.certificate
        members = [attribute(kind, *values) for kind, values in (self.signed or self.honest).items()]
        inside = b"".join(sorted(members) if self.sort else members)
        info = [
            der.integer(1),
            der.encode(der.SEQUENCE, certificate.issuer, certificate.serial),
            algorithms.SHA256,
            der.encode(der.CONTEXT_0, inside),
            algorithms.ECDSA_SHA256,
            der.encode(der.OCTET_STRING, self.key.sign_raw(der.encode(der.SET, inside))),
        ]
        if self.unsigned:
            info.append(der.encode(der.CONTEXT_1, *sorted(self.unsigned)))
        held = self.certificates
        if held is None:
            held = (certificate.der, *(member.der for member in self.key.chain))
        content = () if self.content is None else (der.encode(der.CONTEXT_0, self.content),)
        body = der.encode(
            der.SEQUENCE,
            der.integer(self.version),
            der.encode(der.SET, self.digests),
            der.encode(der.SEQUENCE, cms.DATA, *content),
            der.set_of(der.CONTEXT_0, *held),
            self.revocation,
            der.encode(der.SET, der.encode(der.SEQUENCE, *info) * self.infos),
        )
        return der.encode(der.SEQUENCE, cms.SIGNED_DATA, der.encode(der.CONTEXT_0, body))

    def file(self) -> bytes:
        """Return the file with this value in the place of its own."""
        return in_place(self.pdf, self.whole())
