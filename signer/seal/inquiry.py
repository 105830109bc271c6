"""
Ask for revocation data before a seal is made, and keep good answers for an hour.

Who is asked stands in a listed certificate, and only where the trust list names the host: nobody else steers a
request of ours. Source: docs/adr/0013-revocation.md; RFC 6960; RFC 5280, 4.2.1.13 and 4.2.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from signer.domain.trust import Purpose
from signer.domain.values import format_instant
from signer.errors import KeyUnavailable, RevocationUnavailable, TimestampUnavailable
from signer.seal import revocation
from signer.seal.fetch import Fetcher, FetchFailed
from signer.seal.revocation import Answer, Evidence, Kind, Link

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal.certificates import Certificate

KEPT_FOR: Final = timedelta(hours=1)
_SCHEMES: Final = ("http", "https")


class Source(Protocol):
    """Somebody who can be asked about a certificate."""

    @property
    def name(self) -> str:
        """What an error calls it."""

    @property
    def kind(self) -> Kind:
        """What it answers with."""

    def ask(self, link: Link) -> bytes:
        """Return an answer, unverified (DER). Raises RevocationUnavailable."""


class HttpOcsp:
    """The responder that a certificate names, if the trust list names its host."""

    name: Final = "OCSP"
    kind: Final[Kind] = "ocsp"

    def __init__(self, hosts: tuple[str, ...], *, fetcher: Fetcher | None = None) -> None:
        self._hosts = hosts
        self._fetcher = fetcher or Fetcher()

    def ask(self, link: Link) -> bytes:
        """Post an OCSP request without a nonce: answers may be made in advance. Source: RFC 5019, 2.1."""
        url = _allowed(_ocsp_addresses(link.certificate), self._hosts)
        try:
            return self._fetcher.post(
                url,
                revocation.request(link),
                sent="application/ocsp-request",
                wanted="application/ocsp-response",
                most=revocation.MOST_BYTES,
            )
        except FetchFailed as error:
            raise RevocationUnavailable(str(error)) from error


class HttpCrl:
    """The CRL that a certificate names, if the trust list names its host; too large a one is nothing for a file."""

    name: Final = "CRL"
    kind: Final[Kind] = "crl"

    def __init__(self, hosts: tuple[str, ...], *, fetcher: Fetcher | None = None) -> None:
        self._hosts = hosts
        self._fetcher = fetcher or Fetcher()

    def ask(self, link: Link) -> bytes:
        """Get the CRL."""
        url = _allowed(_crl_addresses(link.certificate), self._hosts)
        try:
            return self._fetcher.get(url, most=revocation.MOST_BYTES)
        except FetchFailed as error:
            raise RevocationUnavailable(str(error)) from error


def _ocsp_addresses(certificate: Certificate) -> tuple[str, ...]:
    try:
        access = certificate.parsed.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ()
    named = (one.access_location for one in access if one.access_method == AuthorityInformationAccessOID.OCSP)
    return tuple(name.value for name in named if isinstance(name, x509.UniformResourceIdentifier))


def _crl_addresses(certificate: Certificate) -> tuple[str, ...]:
    try:
        points = certificate.parsed.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ()
    whole = (point for point in points if point.reasons is None and point.crl_issuer is None)
    names = (name for point in whole for name in point.full_name or ())
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _allowed(addresses: tuple[str, ...], hosts: tuple[str, ...]) -> str:
    """Return the first address whose host the trust list names (`host`, or `host:port`)."""
    for address in addresses:
        parts = urlsplit(address)
        if parts.scheme in _SCHEMES and parts.netloc in hosts:
            return address
    raise RevocationUnavailable("the certificate names no address whose host is on the trust list")


class Prefetched:
    """
    Evidence about listed certificates, every answer verified before it is used, and kept for an hour at most.

    The state of a seal in the trust list and in the register is asked live elsewhere; this only makes files
    that others can check. Only good answers are kept.
    """

    def __init__(self, sources: tuple[Source, ...], *, trust: TrustList, clock: Callable[[], datetime]) -> None:
        self._sources = sources
        self._trust = trust
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def evidence(self, *entries: TrustEntry, embedded: tuple[Certificate, ...] = ()) -> Evidence:
        """
        Return what proves that no link of these entries' chains is revoked.

        `embedded` are the certificates that travel in the seal's value anyway: they are not said twice.

        Raises:
            RevocationUnavailable: a link has no credible answer now.
            KeyUnavailable: a seal, or an authority above it, is revoked.
            TimestampUnavailable: the same of a timestamping authority.

        """
        answers: dict[str, Answer] = {}
        members: dict[str, Certificate] = {}
        for entry in entries:
            for link in revocation.links_of(entry, self._trust):
                answers[link.certificate.digest] = self._good(link, entry)
                members[link.issuer.digest] = link.issuer
        carried = {certificate.digest for certificate in embedded}
        return Evidence(
            certificates=tuple(member.der for digest, member in members.items() if digest not in carried),
            ocsps=tuple(dict.fromkeys(answer.data for answer in answers.values() if answer.kind == "ocsp")),
            crls=tuple(dict.fromkeys(answer.data for answer in answers.values() if answer.kind == "crl")),
        )

    def spoken(self, entry: TrustEntry, *, since: datetime) -> dict[str, Answer]:
        """
        Return what is said now of every link of an entry, good or not, by the digests of the certificates.

        Every answer speaks of a time after `since`. Raises RevocationUnavailable.
        """
        found = {}
        for link in revocation.links_of(entry, self._trust):
            kept = self._kept.get(link.certificate.digest)
            at = self._clock()
            is_known = kept is not None and kept.is_fresh(at) and kept.answer.this_update > since
            answer = kept.answer if kept is not None and is_known else self._ask(link, at)
            if answer.this_update <= since:
                raise RevocationUnavailable(
                    f"{link.certificate.subject}: the answer is as of {format_instant(answer.this_update)}, before"
                )
            if answer.revoked_at is None:
                self._kept[link.certificate.digest] = _Kept(answer, at)
            found[link.certificate.digest] = answer
        return found

    def _good(self, link: Link, entry: TrustEntry) -> Answer:
        at = self._clock()
        kept = self._kept.get(link.certificate.digest)
        if kept is not None and kept.is_fresh(at):
            return kept.answer
        answer = self._ask(link, at)
        if answer.revoked_at is not None:
            told = f"{link.certificate.subject} was revoked at {format_instant(answer.revoked_at)}"
            raise (TimestampUnavailable if entry.purpose is Purpose.TSA else KeyUnavailable)(told)
        self._kept[link.certificate.digest] = _Kept(answer, at)
        return answer

    def _ask(self, link: Link, at: datetime) -> Answer:
        faults = []
        for source in self._sources:
            try:
                answer = revocation.read(source.ask(link), link, kind=source.kind)
            except (RevocationUnavailable, revocation.AnswerRefused) as error:
                faults.append(f"{source.name}: {error}")
                continue
            if revocation.is_current(answer, at):
                return answer
            faults.append(f"{source.name}: out of date, as of {format_instant(answer.this_update)}")
        told = "; ".join(faults) or "nobody can be asked"
        raise RevocationUnavailable(f"{link.certificate.subject}: {told}")


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    asked_at: datetime

    def is_fresh(self, at: datetime) -> bool:
        return self.asked_at <= at < self.asked_at + KEPT_FOR and revocation.is_current(self.answer, at)
