"""
The CMS of a seal and of a timestamp token: one form, built and read byte by byte.

`read` accepts exactly what is described here: one SignerInfo named by issuer and serial number, one value for each
attribute, no CRLs, minimal DER throughout. What it returns is either signed, or compared by the caller byte for byte,
so that no byte of a CMS can change unseen. Source: RFC 5652; ETSI EN 319 122-1; RFC 5035 (ESS).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from asn1crypto import cms as asn1_cms
from asn1crypto import core
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from signer.seal import algorithms, der

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signer.seal.certificates import Certificate
    from signer.seal.keys import SealKey


def _oid(dotted: str) -> bytes:
    dumped: bytes = core.ObjectIdentifier(dotted).dump()
    return dumped


SIGNED_DATA: Final = _oid("1.2.840.113549.1.7.2")
DATA: Final = _oid("1.2.840.113549.1.7.1")
TST_INFO: Final = _oid("1.2.840.113549.1.9.16.1.4")
CONTENT_TYPE: Final = _oid("1.2.840.113549.1.9.3")
MESSAGE_DIGEST: Final = _oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE: Final = _oid("1.2.840.113549.1.9.16.2.12")
SIGNING_CERTIFICATE_V2: Final = _oid("1.2.840.113549.1.9.16.2.47")
SIGNATURE_TIMESTAMP: Final = _oid("1.2.840.113549.1.9.16.2.14")
_VERSION_1: Final = b"\x02\x01\x01"
_VERSION_3: Final = b"\x02\x01\x03"
_NAMES = {DATA: "data", TST_INFO: "tst_info"}
_MOST_CERTIFICATES = 8


class CmsRefused(ValueError):
    """A CMS has not the form that it must have."""


@dataclass(frozen=True, slots=True)
class SignedData:
    """
    A CMS that has the form. `signed` and `unsigned` hold attribute type (OID in DER) -> its one value in DER.

    `issuer`, `serial`, the two algorithms and `certificates` are DER as found and **not** covered by the
    signature: compare them. `is_sorted` tells whether the sets are in DER order.
    """

    whole: bytes
    content_type: bytes
    content: bytes | None
    certificates: tuple[bytes, ...]
    issuer: bytes
    serial: bytes
    digest_algorithm: bytes
    signature_algorithm: bytes
    signed: Mapping[bytes, bytes]
    signature: bytes
    unsigned: Mapping[bytes, bytes]
    is_sorted: bool

    def is_signed_by(self, certificate: Certificate) -> bool:
        """Tell whether the SignerInfo names this certificate (issuer and serial number; ESS binds it for good)."""
        return self.issuer == certificate.issuer and self.serial == certificate.serial


def read(whole: bytes, *, content_type: bytes) -> SignedData:
    """
    Read a CMS of one of our two forms; raises CmsRefused.

    For `DATA` the content must be absent (detached), for `TST_INFO` it must be there.
    """
    try:
        return _read(whole, content_type)
    except der.NotDer as error:
        raise CmsRefused(str(error)) from error


def _read(whole: bytes, content_type: bytes) -> SignedData:
    kind, explicit = _fields(der.only(whole, der.SEQUENCE), der.OID, der.CONTEXT_0)
    _demand(kind.whole == SIGNED_DATA, "not SignedData")
    version, digests, encapsulated, certificates, infos = _fields(
        der.only(explicit.body, der.SEQUENCE), der.INTEGER, der.SET, der.SEQUENCE, der.CONTEXT_0, der.SET
    )
    _demand(version.whole == (_VERSION_1 if content_type == DATA else _VERSION_3), "the version of SignedData")
    content = _content(encapsulated, content_type)
    members = der.children(certificates.body)
    _demand(1 <= len(members) <= _MOST_CERTIFICATES, f"{len(members)} certificates")
    _demand(all(member.tag == der.SEQUENCE for member in members), "a certificate of another kind")
    found = tuple(member.whole for member in members)
    _demand(len(set(found)) == len(found), "a certificate stands twice")
    _demand(len(der.children(infos.body)) == 1, "not exactly one SignerInfo")
    signer = _signer(der.only(infos.body, der.SEQUENCE))
    _demand(digests.body == signer.digest_algorithm, "the digest algorithms are not the signer's one")
    return SignedData(
        whole=whole,
        content_type=content_type,
        content=content,
        certificates=found,
        issuer=signer.issuer,
        serial=signer.serial,
        digest_algorithm=signer.digest_algorithm,
        signature_algorithm=signer.signature_algorithm,
        signed=_attributes(signer.signed),
        signature=signer.signature,
        unsigned=_attributes(signer.unsigned),
        is_sorted=all(list(group) == sorted(group) for group in (found, signer.signed, signer.unsigned)),
    )


@dataclass(frozen=True, slots=True)
class _Signer:
    issuer: bytes
    serial: bytes
    digest_algorithm: bytes
    signature_algorithm: bytes
    signed: tuple[bytes, ...]
    signature: bytes
    unsigned: tuple[bytes, ...]


def _signer(info: der.Node) -> _Signer:
    fields = der.children(info.body)
    tags = [der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.CONTEXT_0, der.SEQUENCE, der.OCTET_STRING, der.CONTEXT_1]
    _demand([field.tag for field in fields] in (tags, tags[:-1]), "the fields of SignerInfo")
    _demand(fields[0].whole == _VERSION_1, "the version of SignerInfo")
    issuer, serial = _fields(fields[1], der.SEQUENCE, der.INTEGER)
    unsigned = tuple(node.whole for node in der.children(fields[6].body)) if len(fields) == len(tags) else ()
    _demand(len(fields) < len(tags) or bool(unsigned), "an empty set of unsigned attributes")
    return _Signer(
        issuer=issuer.whole,
        serial=serial.whole,
        digest_algorithm=fields[2].whole,
        signature_algorithm=fields[4].whole,
        signed=tuple(node.whole for node in der.children(fields[3].body)),
        signature=fields[5].body,
        unsigned=unsigned,
    )


def _content(encapsulated: der.Node, content_type: bytes) -> bytes | None:
    fields = der.children(encapsulated.body)
    _demand(bool(fields) and fields[0].whole == content_type, "the content's type")
    if content_type == DATA:
        _demand(len(fields) == 1, "the content is inside, where it must be detached")
        return None
    _demand(len(fields) == 2 and fields[1].tag == der.CONTEXT_0, "the content is missing")
    return der.only(fields[1].body, der.OCTET_STRING).body


def _attributes(members: tuple[bytes, ...]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for member in members:
        kind, values = _fields(der.only(member, der.SEQUENCE), der.OID, der.SET)
        _demand(kind.whole not in found, "an attribute stands twice")
        _demand(len(der.children(values.body)) == 1, "an attribute without exactly one value")
        found[kind.whole] = values.body
    return found


def _fields(node: der.Node, *tags: int) -> tuple[der.Node, ...]:
    fields = der.children(node.body)
    if tuple(field.tag for field in fields) != tags:
        raise CmsRefused(f"fields {[hex(field.tag) for field in fields]}"[:120])
    return fields


def _demand(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - a private assertion
    if not is_so:
        raise CmsRefused(otherwise)


def check_signature(signed: SignedData, certificate: Certificate, *, digest: bytes) -> tuple[bool, bool]:
    """
    Tell whether the signed digest is `digest`, and whether the signature over it is the certificate's (pyHanko).

    Also demands what RFC 5652 and ESS demand of the signed attributes; a breach counts as a bad signature there.
    """
    loaded = asn1_cms.ContentInfo.load(signed.whole, strict=True)["content"]
    key = asn1_cms.Certificate.load(certificate.der)
    return validate_sig_integrity(loaded["signer_infos"][0], key, _NAMES[signed.content_type], digest)


def check_own(signed: SignedData, certificate: Certificate, *, digest: bytes) -> tuple[bool, bool]:
    """
    Give the same two answers without pyHanko: for a token that has just been asked for, before it goes into a seal.

    What is sealed is verified again as a whole, by pyHanko too, before anybody gets it. Whether the algorithms
    count is asked before (`algorithms.fault`). Source: RFC 5652, 5.4.
    """
    attributes = b"".join(_attribute(kind, value) for kind, value in signed.signed.items())
    is_intact = signed.signed.get(CONTENT_TYPE) == signed.content_type and signed.signed.get(
        MESSAGE_DIGEST
    ) == der.encode(der.OCTET_STRING, digest)
    is_valid = algorithms.verifies(
        signed.signature,
        der.encode(der.SET, attributes),
        certificate=certificate.parsed,
        identifier=signed.signature_algorithm,
        digest=algorithms.DIGESTS[signed.digest_algorithm],
    )
    return is_intact, is_intact and is_valid


def names_certificate(signed: SignedData, certificate: Certificate) -> bool:
    """Tell whether signing-certificate-v2 names this certificate first, by SHA-256. Source: RFC 5035, 3."""
    value = signed.signed.get(SIGNING_CERTIFICATE_V2)
    if value is None:
        return False
    try:
        first = der.children(der.children(der.only(value, der.SEQUENCE).body)[0].body)[0]
        fields = der.children(first.body)
        hashes = [node for node in fields if node.tag == der.OCTET_STRING]
        named = fields[0].whole if fields[0].tag == der.SEQUENCE else algorithms.SHA256
        digest = hashlib.new(algorithms.DIGESTS[named], certificate.der).digest()
    except (der.NotDer, IndexError, KeyError):
        return False
    return [node.body for node in hashes] == [digest]


def signing_certificate(certificate: Certificate) -> bytes:
    """Return the value of signing-certificate-v2 (SHA-256, the default, so not named)."""
    name = der.encode(der.SEQUENCE, der.encode(der.CONTEXT_4, certificate.issuer))
    issuer_serial = der.encode(der.SEQUENCE, name, certificate.serial)
    digest = der.encode(der.OCTET_STRING, bytes.fromhex(certificate.digest))
    named = der.encode(der.SEQUENCE, digest, issuer_serial)
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, named))


def signed_attributes(certificate: Certificate, *, content_type: bytes, digest: bytes) -> bytes:
    """
    Return the content of the SET OF signed attributes, in DER order: type, digest, certificate.

    No signing time: PAdES forbids it. Source: ETSI EN 319 142-1, 6.3.
    """
    values = {
        CONTENT_TYPE: content_type,
        MESSAGE_DIGEST: der.encode(der.OCTET_STRING, digest),
        SIGNING_CERTIFICATE_V2: signing_certificate(certificate),
    }
    return b"".join(sorted(_attribute(kind, value) for kind, value in values.items()))


def _attribute(kind: bytes, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, kind, der.encode(der.SET, value))


def sign(key: SealKey, *, content_type: bytes, digest: bytes) -> tuple[bytes, bytes]:
    """
    Return the signed attributes (content of the SET) and the key's signature over them.

    `digest` is the content's, by the digest of the key's scheme: one digest serves both. Source: RFC 5652, 5.4.
    """
    attributes = signed_attributes(key.certificate, content_type=content_type, digest=digest)
    return attributes, key.sign_raw(der.encode(der.SET, attributes))


def assemble(
    key: SealKey, *, attributes: bytes, signature: bytes, content: bytes | None = None, timestamp: bytes | None = None
) -> bytes:
    """
    Return the whole CMS around signed attributes and their signature.

    With `content` (a TSTInfo) it is a timestamp token, without it a seal; `timestamp` is the token on the signature.
    """
    certificate, scheme = key.certificate, key.capabilities.scheme
    parts = [
        _VERSION_1,
        der.encode(der.SEQUENCE, certificate.issuer, certificate.serial),
        scheme.digest_identifier,
        der.encode(der.CONTEXT_0, attributes),
        scheme.signature_identifier,
        der.encode(der.OCTET_STRING, signature),
    ]
    if timestamp is not None:
        parts.append(der.encode(der.CONTEXT_1, _attribute(SIGNATURE_TIMESTAMP, timestamp)))
    inside = () if content is None else (der.encode(der.CONTEXT_0, der.encode(der.OCTET_STRING, content)),)
    body = der.encode(
        der.SEQUENCE,
        _VERSION_1 if content is None else _VERSION_3,
        der.encode(der.SET, scheme.digest_identifier),
        der.encode(der.SEQUENCE, DATA if content is None else TST_INFO, *inside),
        der.set_of(der.CONTEXT_0, *(member.der for member in (certificate, *key.chain))),
        der.encode(der.SET, der.encode(der.SEQUENCE, *parts)),
    )
    return der.encode(der.SEQUENCE, SIGNED_DATA, der.encode(der.CONTEXT_0, body))
