"""
The chain of a listed certificate: exactly the authorities that its entry names, judged at one instant.

No path is ever built: the trust list says which it is. Nothing is fetched.
Source: docs/reference/acceptance-rules.md, rule 3; RFC 5280, 6.1.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from asn1crypto import x509 as asn1_x509
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.errors import PathValidationError, ValidationError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.validate import async_validate_path

from signer.domain.trust import Purpose
from signer.domain.values import format_instant
from signer.seal.certificates import Certificate, printable

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.trust import TrustEntry, TrustList


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """
    What was found of a chain at one instant. `not_before` and `not_after` bound the time in which all of it is valid.

    `is_good` is the answer; otherwise `sub_indication` is EN 319 102-1's word, and `is_only_time` tells that
    nothing but the instant is wrong.
    """

    is_good: bool
    not_before: datetime
    not_after: datetime
    sub_indication: str | None = None
    is_only_time: bool = False
    detail: str = ""


def resolve(entry: TrustEntry, trust: TrustList) -> tuple[Certificate, ...]:
    """Return the authorities of an entry's chain, issuer first, without those that the list does not hold."""
    listed = {authority.certificate_digest: authority for authority in trust.of(Purpose.CA)}
    return tuple(Certificate(listed[digest].der) for digest in entry.chain if digest in listed)


def judge(entry: TrustEntry, trust: TrustList, *, at: datetime) -> Judged:
    """Judge the chain of a listed certificate at an instant; the last of the chain is its anchor."""
    own = Certificate(entry.der)
    links = resolve(entry, trust)
    span = _Span(max(link.not_before for link in (own, *links)), min(link.not_after for link in (own, *links)))
    needs_chain = entry.naming_profile not in ("pinned", None)
    if len(links) != len(entry.chain) or (needs_chain and not links):
        return span.bad("NO_CERTIFICATE_CHAIN_FOUND", "the trust list does not hold the chain of this certificate")
    if span.not_before > span.not_after:
        return span.bad("CHAIN_CONSTRAINTS_FAILURE", "the certificates of the chain are never valid together")
    if fault := _path_fault(own, links, at=span.not_before):
        return span.bad("CERTIFICATE_CHAIN_GENERAL_FAILURE", fault)
    if at < span.not_before:
        return span.bad("NOT_YET_VALID", f"not valid before {format_instant(span.not_before)}", is_only_time=True)
    if at > span.not_after:
        return span.bad("OUT_OF_BOUNDS_NO_POE", f"expired {format_instant(span.not_after)}", is_only_time=True)
    return Judged(is_good=True, not_before=span.not_before, not_after=span.not_after)


@dataclass(frozen=True, slots=True)
class _Span:
    not_before: datetime
    not_after: datetime

    def bad(self, sub_indication: str, detail: str, *, is_only_time: bool = False) -> Judged:
        return Judged(
            is_good=False,
            not_before=self.not_before,
            not_after=self.not_after,
            sub_indication=sub_indication,
            is_only_time=is_only_time,
            detail=detail,
        )


@lru_cache(maxsize=512)
def _path_fault(own: Certificate, links: tuple[Certificate, ...], *, at: datetime) -> str:
    """
    Return why the signatures, names and constraints of a chain do not hold, or ''.

    `at` lies within the validity of all. The answer depends on these bytes and on nothing else, so it is kept:
    revocation is asked of nobody here, it comes as evidence of its own.
    """
    if not links:
        return ""
    members = [asn1_x509.Certificate.load(link.der) for link in (own, *links)]
    path = ValidationPath(CertTrustAnchor(members[-1]), members[1:-1][::-1], members[0])
    context = ValidationContext(
        trust_roots=[members[-1]], other_certs=[], moment=at, allow_fetching=False, revocation_mode="soft-fail"
    )
    try:
        asyncio.run(async_validate_path(context, path))
    except (PathValidationError, ValidationError, ValueError, TypeError, KeyError) as error:
        return printable(str(error), most=200)
    return ""
