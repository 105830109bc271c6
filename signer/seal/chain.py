"""
The chain of a listed certificate: exactly the authorities that its entry names, judged at one instant.

No path is ever built: the trust list says which it is. Nothing is fetched. What is wrong is told of each certificate.
Source: docs/reference/acceptance-rules.md, rule 3; RFC 5280, 6.1; ETSI EN 319 102-1, 5.2.6.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor, TrustQualifiers, derive_quals_from_cert
from pyhanko_certvalidator.errors import DisallowedAlgorithmError, PathValidationError, ValidationError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import PKIXValidationParams
from pyhanko_certvalidator.validate import async_validate_path

from signer.domain.trust import Purpose
from signer.domain.values import format_instant
from signer.seal import algorithms
from signer.seal.certificates import Certificate, known, named, path_room, printable, signs_certificates
from signer.seal.kept import kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signer.domain.evidence import SubIndication
    from signer.domain.trust import TrustEntry, TrustList

_EXPIRED: Final = "OUT_OF_BOUNDS_NO_POE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """
    What was found of a chain at one instant. `not_before` and `not_after` bound the time in which all of it is valid.

    `is_good` is the answer; otherwise `sub_indication` is EN 319 102-1's word, and `is_only_time` tells that
    nothing but the instant is wrong. `detail` names each certificate at fault, and its fault.
    """

    is_good: bool
    not_before: datetime
    not_after: datetime
    sub_indication: SubIndication | None = None
    is_only_time: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with one certificate of a chain."""

    sub_indication: SubIndication
    detail: str


@kept
def resolve(entry: TrustEntry, trust: TrustList) -> tuple[Certificate, ...]:
    """Return the authorities of an entry's chain, issuer first, without those that the list does not hold."""
    listed = {authority.certificate_digest: authority for authority in trust.of(Purpose.CA)}
    return tuple(known(listed[digest].der) for digest in entry.chain if digest in listed)


def judge(entry: TrustEntry, trust: TrustList, *, at: datetime) -> Judged:
    """Judge the chain of a listed certificate at an instant; the last of the chain is its anchor."""
    span, faults = _lasting(entry, trust)
    if faults:
        return span.bad(faults)
    faults = tuple(_out_of_time(span.members, at))
    return span.bad(faults, is_only_time=True) if faults else span.good


@kept
def _lasting(entry: TrustEntry, trust: TrustList) -> tuple[_Span, tuple[_Fault, ...]]:
    """Return a chain's span, and what is wrong with the chain at any time."""
    own = known(entry.der)
    links = resolve(entry, trust)
    span = _Span((own, *links))
    if missing := _missing(entry, links, trust, own):
        return span, (_Fault("NO_CERTIFICATE_CHAIN_FOUND", missing),)
    if faults := _path_faults(own, links, at=span.common):
        return span, faults
    return span, () if span.common else (_Fault("CHAIN_CONSTRAINTS_FAILURE", span.apart),)


def _missing(entry: TrustEntry, links: tuple[Certificate, ...], trust: TrustList, own: Certificate) -> str:
    """Return what the trust list lacks of a chain, or ''. Only a pinned certificate, or an anchor, needs none."""
    if len(links) != len(entry.chain):
        listed = {authority.certificate_digest for authority in trust.of(Purpose.CA)}
        lacking = ", ".join(digest[:16] for digest in entry.chain if digest not in listed)
        return f"the trust list does not hold {lacking[:100]} of the chain of {named(own)}"
    if entry.naming_profile not in ("pinned", None) and not links:
        return f"the trust list names no chain for {named(own)}"
    return ""


class _Span:
    """The time in which all certificates of a chain are valid."""

    def __init__(self, members: tuple[Certificate, ...]) -> None:
        self.members = members
        self._last = max(members, key=lambda member: member.not_before)
        self._first = min(members, key=lambda member: member.not_after)

    @property
    def common(self) -> datetime | None:
        """An instant at which all are valid, if there is one."""
        return self._last.not_before if self._last.not_before <= self._first.not_after else None

    @property
    def apart(self) -> str:
        """Say which two are never valid together."""
        ended, begun = format_instant(self._first.not_after), format_instant(self._last.not_before)
        return f"{named(self._first)} ended {ended}, before {named(self._last)} began {begun}: never valid together"

    @cached_property
    def good(self) -> Judged:
        """What is found of the chain if nothing is wrong with it."""
        return Judged(is_good=True, not_before=self._last.not_before, not_after=self._first.not_after)

    def bad(self, faults: tuple[_Fault, ...], *, is_only_time: bool = False) -> Judged:
        return Judged(
            is_good=False,
            not_before=self._last.not_before,
            not_after=self._first.not_after,
            sub_indication=faults[0].sub_indication,
            is_only_time=is_only_time,
            detail="; ".join(fault.detail for fault in faults),
        )


def _out_of_time(members: tuple[Certificate, ...], at: datetime) -> Iterator[_Fault]:
    """Name every certificate that is not valid at an instant; one that is not valid yet weighs more."""
    for member in members:
        word: SubIndication = "NOT_YET_VALID" if member is members[0] else "CERTIFICATE_CHAIN_GENERAL_FAILURE"
        if at < member.not_before:
            yield _Fault(word, f"{named(member)} is not valid before {format_instant(member.not_before)}")
    for member in members:
        if at > member.not_after:
            yield _Fault(_EXPIRED, f"{named(member)} expired {format_instant(member.not_after)}")


@lru_cache(maxsize=512)
def _path_faults(own: Certificate, links: tuple[Certificate, ...], *, at: datetime | None) -> tuple[_Fault, ...]:
    """
    Return why the signatures, names and constraints of a chain do not hold, certificate by certificate.

    `at` lies within the validity of all, or is None if there is no such time. The answer depends on these bytes and
    on nothing else, so it is kept: revocation is asked of nobody here, it comes as evidence of its own.
    """
    faults = tuple(_link_faults((own, *links)))
    if faults or at is None or not links:
        return faults
    for first in reversed(range(len(links))):
        if fault := _path_fault((own, *links)[first:], at=at):
            return (fault,)
    return ()


def _link_faults(members: tuple[Certificate, ...]) -> Iterator[_Fault]:
    """Ask of each certificate whether the next one made it, and of that whether it was allowed to."""
    below = 0
    for own, issuer in pairwise(members):
        if not _is_signed(own, issuer):
            told = f"the signature on {named(own)} does not verify under {named(issuer)}"
            yield _Fault("CERTIFICATE_CHAIN_GENERAL_FAILURE", told)
        if usage := signs_certificates(issuer):
            yield _Fault("CERTIFICATE_CHAIN_GENERAL_FAILURE", f"{named(issuer)}: {usage}")
        if weakness := algorithms.key_fault(issuer.parsed):
            yield _Fault("CRYPTO_CONSTRAINTS_FAILURE", f"{named(issuer)}: {weakness}")
        room = path_room(issuer)
        if room is not None and below > room:
            told = f"{named(issuer)} allows {room} authorities below it, and {below} are (path length)"
            yield _Fault("CERTIFICATE_CHAIN_GENERAL_FAILURE", told)
        below += not issuer.is_self_issued


def _is_signed(own: Certificate, issuer: Certificate) -> bool:
    """
    Tell whether a certificate's signature is its issuer's.

    What cannot be told here (names that are spelt otherwise, a strange algorithm) is the path's question.
    """
    if own.issuer != issuer.name:
        return True
    try:
        own.parsed.verify_directly_issued_by(issuer.parsed)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return True
    return True


def _path_fault(members: tuple[Certificate, ...], *, at: datetime) -> _Fault | None:
    """Validate a path down to its first member (RFC 5280, 6.1), by pyHanko; those above it are known to be good."""
    loaded = [asn1_x509.Certificate.load(member.der) for member in members]
    anchor = CertTrustAnchor(loaded[-1], _limits(loaded[-1]))
    context = ValidationContext(
        trust_roots=[anchor], other_certs=[], moment=at, allow_fetching=False, revocation_mode="soft-fail"
    )
    try:
        asyncio.run(async_validate_path(context, ValidationPath(anchor, loaded[1:-1][::-1], loaded[0])))
    except DisallowedAlgorithmError as error:
        return _Fault("CRYPTO_CONSTRAINTS_FAILURE", _told(members[0], error))
    except (PathValidationError, ValidationError, ValueError, TypeError, KeyError) as error:
        return _Fault("CERTIFICATE_CHAIN_GENERAL_FAILURE", _told(members[0], error))
    return None


def _told(own: Certificate, error: Exception) -> str:
    return f"{named(own)}: {printable(str(error), most=200)}"


def _limits(anchor: asn1_x509.Certificate) -> TrustQualifiers:
    """Return the names to which an anchor's certificate limits it; of policies nothing is asked. Source: RFC 5937."""
    stated = derive_quals_from_cert(anchor).standard_parameters
    if stated is None:
        return TrustQualifiers()
    return TrustQualifiers(
        standard_parameters=PKIXValidationParams(
            initial_permitted_subtrees=stated.initial_permitted_subtrees,
            initial_excluded_subtrees=stated.initial_excluded_subtrees,
        )
    )
