"""
The seal's value and its token, read by what they have in common with one that was read before.

Values of one sealer differ in a digest, a signature, and a token or what that says; all other bytes are the same, but
for lengths. One of each form is read as a whole (`cms.read`), and what is asked of those bytes is asked of it. Another
is of that form only if it is, byte for byte, what the form makes of the other's own parts: then it says the same.
Source: docs/adr/0053-a-fast-path-for-our-own-files.md; RFC 5652, 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from signer.seal import cms, der
from signer.seal.fast.document import NotMine, demand

_VERSIONS: Final = {cms.DATA: der.integer(1), cms.TST_INFO: der.integer(3)}
_MOST_FORMS: Final = 32
_LEAST_DIGEST: Final = 32


@dataclass(frozen=True, slots=True)
class Parts:
    """What is a value's own: the digest that is signed, the signature, the token on it, the content inside."""

    digest: bytes
    signature: bytes
    token: bytes | None
    content: bytes | None


@dataclass(frozen=True, eq=False, slots=True)
class Form:
    """
    A value, and what it has in common with all of its form: the bytes before, between and behind its own parts.

    `signed` is from the first signed attribute on to the digest, `opening` what stands before that in SignerInfo.
    """

    example: cms.SignedData
    certificates: bytes
    opening: bytes
    signed: bytes
    closing: bytes

    def parts(self, whole: bytes) -> Parts | None:
        """Return a value's own parts if it is of this form, every byte of it."""
        try:
            found = self._parts(whole)
        except ValueError:  # something that it must have is not there
            return None
        return found if self.made_of(found) == whole else None

    def _parts(self, whole: bytes) -> Parts:
        """Return what stands where the parts of a value must, whatever the rest says. Raises ValueError."""
        size = len(der.only(self.example.signed[cms.MESSAGE_DIGEST], der.OCTET_STRING).body)
        before = self.opening + self.signed
        at = whole.index(before) + len(before)
        behind = at + size
        signature = der.read(whole, behind + len(self.closing)).body
        token = content = None
        if self.example.unsigned:
            token = _behind(whole, cms.SIGNATURE_TIMESTAMP, behind)
            der.only(token, der.SEQUENCE)
        if self.example.content is not None:
            content = der.read(_behind(whole, cms.TST_INFO, 0)).body
        return Parts(whole[at:behind], signature, token, content)

    def made_of(self, own: Parts) -> bytes:
        """Return the value that has these parts."""
        like = self.example
        inside = () if own.content is None else (der.encode(der.CONTEXT_0, der.encode(der.OCTET_STRING, own.content)),)
        info = [self.opening, self.signed, own.digest, self.closing, der.encode(der.OCTET_STRING, own.signature)]
        if own.token is not None:
            stamp = der.encode(der.SEQUENCE, cms.SIGNATURE_TIMESTAMP, der.encode(der.SET, own.token))
            info.append(der.encode(der.CONTEXT_1, stamp))
        body = der.encode(
            der.SEQUENCE,
            _VERSIONS[like.content_type],
            der.encode(der.SET, like.digest_algorithm),
            der.encode(der.SEQUENCE, like.content_type, *inside),
            self.certificates,
            der.encode(der.SET, der.encode(der.SEQUENCE, *info)),
        )
        return der.encode(der.SEQUENCE, cms.SIGNED_DATA, der.encode(der.CONTEXT_0, body))

    def attributes(self, digest: bytes) -> bytes:
        """Return what is signed of a value of this form with a digest. Source: RFC 5652, 5.4."""
        behind = self.closing.removesuffix(self.example.signature_algorithm)
        return der.encode(der.SET, self.signed, digest, behind)


@dataclass(frozen=True, slots=True)
class Value:
    """A value that was read, its form, and the digest that its signer signed."""

    signed: cms.SignedData
    form: Form
    digest: bytes


class Forms:
    """The forms that were met, those used last first."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Form, ...]] = {cms.DATA: (), cms.TST_INFO: ()}

    def read(self, whole: bytes, *, content_type: bytes) -> Value:
        """Read a value as `cms.read` does. Raises NotMine, or what that raises."""
        known = self._known[content_type]
        for form in known:
            if own := form.parts(whole):
                break
        else:
            form, own = _learn(cms.read(whole, content_type=content_type))
        if not known or known[0] is not form:
            self._known[content_type] = (form, *(one for one in known if one is not form))[:_MOST_FORMS]
        return Value(_like(form.example, whole, own), form, own.digest)


read: Final = Forms().read


def _learn(example: cms.SignedData) -> tuple[Form, Parts]:
    """Return the form of a value, if it is one of which we know what its own parts are."""
    digest = der.only(example.signed[cms.MESSAGE_DIGEST], der.OCTET_STRING).body
    demand(len(digest) >= _LEAST_DIGEST, "a digest of another length")
    signed, behind = b"", b""
    for kind, value in example.signed.items():
        behind += der.encode(der.SEQUENCE, kind, der.encode(der.SET, value))
        if kind == cms.MESSAGE_DIGEST:
            signed, behind = behind, b""
    length = der.encode(der.CONTEXT_0, signed, behind)[: -len(signed) - len(behind)]
    signer = der.encode(der.SEQUENCE, example.issuer, example.serial)
    form = Form(
        example=example,
        certificates=der.encode(der.CONTEXT_0, *example.certificates),
        opening=der.integer(1) + signer + example.digest_algorithm + length,
        signed=signed[: -len(digest)],
        closing=behind + example.signature_algorithm,
    )
    own = form.parts(example.whole)
    if own is None:
        raise NotMine("a value of another form")
    return form, own


def _like(example: cms.SignedData, whole: bytes, own: Parts) -> cms.SignedData:
    signed = {**example.signed, cms.MESSAGE_DIGEST: der.encode(der.OCTET_STRING, own.digest)}
    unsigned = {} if own.token is None else {cms.SIGNATURE_TIMESTAMP: own.token}
    return replace(example, whole=whole, content=own.content, signed=signed, signature=own.signature, unsigned=unsigned)


def _behind(whole: bytes, kind: bytes, since: int) -> bytes:
    """Return the content of the value that follows the first such OID."""
    return der.read(whole, whole.index(kind, since) + len(kind)).body
