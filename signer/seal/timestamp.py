"""
Timestamps on seals: ask listed authorities in order, and believe nothing that they answer before it is checked.

Source: RFC 3161; docs/explanation/seals.md, timestamps.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from asn1crypto import tsp

from signer import metrics
from signer.domain.trust import Purpose, SealState
from signer.errors import TimestampUnavailable
from signer.metrics.catalogue import TIMESTAMP_SECONDS
from signer.outbound import TOTAL_S
from signer.seal import algorithms, certificates, chain, der, token
from signer.seal.breaker import Breaker
from signer.seal.certificates import Certificate
from signer.seal.fetch import Fetcher, FetchFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.trust import TrustEntry, TrustList

MOST_ANSWER_BYTES = 60_000
MOST_CLOCK_DIFFERENCE = timedelta(minutes=5)
_GRANTED = ("granted", "granted_with_mods")
_TRUE = bytes.fromhex("0101ff")
_TOKEN_OVERHEAD = 1500
_TOKENS_DIFFER_BY = 64


class Authority(Protocol):
    """Something that answers an RFC 3161 query."""

    @property
    def name(self) -> str:
        """What an error calls it: its address, or words."""

    def answer(self, query: bytes) -> bytes:
        """Return the TimeStampResp (DER) to a TimeStampReq (DER). Raises TimestampUnavailable."""


class HttpAuthority:
    """An authority at one configured address; neither redirects nor the environment's proxies are followed."""

    def __init__(self, url: str, *, total_s: float = TOTAL_S) -> None:
        self.name = url
        self._fetcher = Fetcher(total_s=total_s)

    def answer(self, query: bytes) -> bytes:
        """Return the answer's body, at most 60 kB."""
        sent, wanted = "application/timestamp-query", "application/timestamp-reply"
        try:
            return self._fetcher.post(self.name, query, sent=sent, wanted=wanted, most=MOST_ANSWER_BYTES)
        except FetchFailed as error:
            raise TimestampUnavailable(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A timestamp: the token (DER), its time, the listed certificate that signed it, and who gave it."""

    token: bytes
    at: datetime
    certificate: Certificate
    authority: Authority


class Timestamper:
    """
    Timestamps by the first authority of an ordered list that answers rightly.

    `trust` says whose tokens count, `clock` gives the present (aware), `answered` is what each authority (by
    name) answered last, `breaker` knows who failed and is left alone for now.
    """

    def __init__(
        self,
        authorities: tuple[Authority, ...],
        *,
        trust: TrustList,
        clock: Callable[[], datetime],
        answered: dict[str, Stamp] | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._authorities = authorities
        self._trust = trust
        self._clock = clock
        self._listed = tuple(
            (entry, Certificate(entry.der)) for entry in trust.of(Purpose.TSA) if entry.state is SealState.ACTIVE
        )
        self._answered: dict[str, Stamp] = {} if answered is None else answered
        self._breaker = breaker or Breaker(clock)

    @property
    def expected(self) -> Certificate | None:
        """Whose token the next one will be, by all that is known: what the first authority answered with last."""
        known = self._known()
        return known.certificate if known else next((certificate for _, certificate in self._living()), None)

    def _living(self) -> list[tuple[TrustEntry, Certificate]]:
        """Return the listed authorities that can answer now: over the years many have ended."""
        now = self._clock()
        return [
            (entry, certificate)
            for entry, certificate in self._listed
            if entry.is_entitled(now) and chain.judge(entry, self._trust, at=now).is_good
        ]

    def refuse_resting(self) -> None:
        """Refuse, before anything depends on it, while every authority is left alone. Raises TimestampUnavailable."""
        if not self._asked():
            resting = self._breaker.told(authority.name for authority in self._authorities)
            raise TimestampUnavailable(resting or "no timestamping authority is configured")

    def _known(self) -> Stamp | None:
        first = next(iter(self._asked()), None)
        return self._answered.get(first.name) if first else None

    def _asked(self) -> tuple[Authority, ...]:
        """Return whom to ask now, in order."""
        named = {authority.name: authority for authority in self._authorities}
        return tuple(named[name] for name in self._breaker.order(named))

    def each(self) -> tuple[Timestamper, ...]:
        """Return one of the same for each authority, that asks it alone, whether it is left alone now or not."""
        return tuple(
            Timestamper((one,), trust=self._trust, clock=self._clock, answered=self._answered)
            for one in self._authorities
        )

    @property
    def name(self) -> str:
        """The names of its authorities."""
        return ", ".join(authority.name for authority in self._authorities)

    def preferring(self, authority: Authority) -> Timestamper:
        """Return the same, asking one of its authorities before all others."""
        others = tuple(one for one in self._authorities if one is not authority)
        return Timestamper(
            (authority, *others),
            trust=self._trust,
            clock=self._clock,
            answered=self._answered,
            breaker=self._breaker,
        )

    @property
    def most_bytes(self) -> int:
        """How long a token will be, at most, by all that is known: room is kept in the file for so many bytes."""
        if known := self._known():
            return len(known.token) + _TOKENS_DIFFER_BY
        listed = [
            len(certificate.der) + sum(len(link.der) for link in chain.resolve(entry, self._trust))
            for entry, certificate in self._living()
        ]
        return max(listed, default=6000) + _TOKEN_OVERHEAD

    def stamp(self, message: bytes, *, intended_at: datetime) -> Stamp:
        """
        Return a token over SHA-256 of `message`.

        Its time is at most five minutes from our clock, and not before `intended_at` (whole seconds, and less
        what the authority states as its accuracy). Raises TimestampUnavailable, naming every authority's fault.
        """
        resting = self._breaker.told(authority.name for authority in self._authorities)
        faults = []
        for authority in self._asked():
            try:
                with metrics.attempted(TIMESTAMP_SECONDS, _host(authority), done="answered"):
                    stamp = self._ask(authority, message, intended_at)
            except TimestampUnavailable as error:
                self._breaker.failed(authority.name, str(error)[:200])
                faults.append(str(error))
            else:
                self._breaker.answered(authority.name)
                return stamp
        raise TimestampUnavailable("; ".join(faults) or resting or "no timestamping authority is configured")

    def _ask(self, authority: Authority, message: bytes, intended_at: datetime) -> Stamp:
        nonce = secrets.randbits(63) | 1 << 62
        data = _token_of(authority.answer(query(message, nonce=nonce)), name=authority.name)
        try:
            found = token.check(
                data, imprint_of=message, authorities=[listed for _, listed in self._listed], is_fresh=True
            )
        except token.TokenRefused as error:
            raise TimestampUnavailable(f"{authority.name}: {error}") from error
        if fault := self._fault(found, nonce=nonce, intended_at=intended_at):
            raise TimestampUnavailable(f"{authority.name}: {fault}")
        stamp = Stamp(token=data, at=found.at, certificate=found.certificate, authority=authority)
        known = self._answered.get(authority.name)
        if known is None or known.certificate != stamp.certificate or len(data) > len(known.token) + _TOKENS_DIFFER_BY:
            self._answered[authority.name] = stamp
        return stamp

    def _fault(self, found: token.Token, *, nonce: int, intended_at: datetime) -> str:
        now = self._clock()
        if found.nonce != nonce:
            return "the nonce is not ours"
        if abs(found.at - now) > MOST_CLOCK_DIFFERENCE:
            return f"its time {found.at:%Y-%m-%dT%H:%M:%SZ} is more than five minutes from our clock"
        if found.at + timedelta(seconds=found.accuracy_s) < intended_at.replace(microsecond=0):
            return f"its time {found.at:%Y-%m-%dT%H:%M:%SZ} is before the seal was intended"
        listed = {entry.certificate_digest for entry in self._trust.entries}
        if any(certificates.Certificate(member).digest not in listed for member in found.embedded):
            return "the token carries a certificate that is not on the trust list"
        entry = next(entry for entry, certificate in self._listed if certificate.der == found.certificate.der)
        judged = chain.judge(entry, self._trust, at=now)
        return (
            ""
            if judged.is_good and entry.is_entitled(found.at)
            else judged.detail or "the authority is not entitled now"
        )


def _host(authority: Authority) -> str:
    """Return what a metric calls an authority: its host alone, for an address may hold a password."""
    return urlsplit(authority.name).hostname or "built-in"


def query(message: bytes, *, nonce: int) -> bytes:
    """Return a TimeStampReq (DER) for SHA-256 of a message, asking for the certificates."""
    imprint = der.encode(
        der.SEQUENCE, algorithms.SHA256, der.encode(der.OCTET_STRING, hashlib.sha256(message).digest())
    )
    return der.encode(der.SEQUENCE, der.integer(1), imprint, der.integer(nonce), _TRUE)


def _token_of(answer: bytes, *, name: str) -> bytes:
    """Return the token inside a TimeStampResp, as the bytes that came. Source: RFC 3161, 2.4.2."""
    try:
        parts = der.children(der.only(answer, der.SEQUENCE).body)
        status = tsp.PKIStatusInfo.load(parts[0].whole, strict=True)["status"].native
        if status not in _GRANTED:
            raise TimestampUnavailable(f"{name}: refused, {status}")
        return parts[1].whole
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise TimestampUnavailable(f"{name}: not a timestamp response") from error
