"""Receipts for what was answered, signed at once; without a key there is none, and the answer stands all the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from signer.domain import receipt as claimed
from signer.domain.evidence import State
from signer.domain.trust import Purpose
from signer.errors import SignerError
from signer.seal import receipt as signed
from signer.services.lookups import parse_number, parse_tail

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import Asked
    from signer.domain.receipt import Claims, Subject
    from signer.domain.trust import TrustList
    from signer.domain.verdict import Check, Verdict
    from signer.seal.receipt import Examined
    from signer.services.licence import Answer, Source
    from signer.services.service_keys import ServiceKeys

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt: its id, and the signed whole as a compact JWS."""

    jti: str
    token: str


class Receipts:
    """Make receipts, and judge those that somebody brings. Nothing is kept of either."""

    def __init__(
        self,
        *,
        keys: ServiceKeys,
        trust: Callable[[], TrustList],
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
        issuer: str,
        software: str,
    ) -> None:
        self._keys = keys
        self._trust = trust
        self._clock = clock
        self._bits = bits
        self._issuer = issuer
        self._software = software
        self._told: set[str] = set()

    def of_file(self, verdict: Verdict, data: bytes, asked: Asked) -> Receipt | None:
        """Return the receipt of a verdict on a file; None, with the reason in the log, if there is no key to sign."""
        return self._signed(lambda: self._verdict(verdict, file_subject(data), _question(asked)))

    def of_record(
        self,
        verdict: Verdict,
        asked: Asked,
        *,
        numbers: tuple[str, ...] = (),
        tail: str | None = None,
        sha256: str | None = None,
        code: str | None = None,
    ) -> Receipt | None:
        """Return the receipt of a look-up, as it was asked: by numbers, a tail or not, by a digest or a code."""
        return self._signed(
            lambda: self._verdict(
                verdict,
                _record_subject(verdict, numbers, sha256, code),
                _question(asked, parse_tail(tail) if tail else None),
            )
        )

    def of_licence(self, answer: Answer) -> Receipt | None:
        """Return the one receipt of a licence check: what was handed in, and the whole table."""
        return self._signed(lambda: self._licence(answer))

    def examine(self, data: bytes) -> Examined:
        """Say whether bytes are a genuine receipt, by the trust list in use. Misconfigured if there is none."""
        return signed.examine(data, self._trust(), at=self._clock())

    def trust_list(self) -> TrustList:
        """Return the trust list by which receipts are judged. Misconfigured if there is none."""
        return self._trust()

    def _signed(self, claims_of: Callable[[], Claims]) -> Receipt | None:
        """Sign claims; whatever prevents that is logged, once for each reason, and never spoils the answer."""
        try:
            key = self._keys.open(Purpose.RECEIPT)
            claims = claims_of()
            return Receipt(claims.jti, signed.sign(claims, key=key).decode("ascii"))
        except (SignerError, ValidationError) as error:
            reason = str(error)[:300] if isinstance(error, SignerError) else "the question does not fit into a receipt"
        if reason not in self._told:
            self._told.add(reason)
            log.warning("receipt.none", reason=reason)
        return None

    def _head(self, at: datetime, policy: str, trust_list: int | None) -> dict[str, object]:
        return {
            "iss": self._issuer,
            "jti": claimed.draw_jti(self._bits),
            "iat": int(at.timestamp()),
            "trust_list": trust_list,
            "policy": policy,
            "software": self._software,
        }

    def _verdict(self, verdict: Verdict, subject: Subject, question: claimed.Question) -> claimed.VerdictClaims:
        return claimed.VerdictClaims.model_validate(
            {
                **self._head(verdict.checked_at, verdict.policy, verdict.trust_list),
                **_said(verdict),
                "checks": tuple(map(_check, verdict.checks)),
                "question": question,
                "subject": subject,
                "test": verdict.test,
                "would_be": verdict.would_be,
                "sealed_at": verdict.sealed_at,
                "log_head": verdict.log_head,
                "coverage": _coverage(verdict),
            }
        )

    def _licence(self, answer: Answer) -> claimed.LicenceClaims:
        question, verdicts = answer.question, [source.verdict for source in answer.sources]
        lists = [verdict.trust_list for verdict in verdicts if verdict.trust_list is not None]
        heads = [verdict.log_head for verdict in verdicts if verdict.log_head is not None]
        asked = answer.rows[: answer.asked]
        return claimed.LicenceClaims.model_validate(
            {
                **self._head(answer.checked_at, verdicts[0].policy, min(lists, default=None)),
                "question": claimed.Question(
                    vins=question.vins,
                    destination=question.destination,
                    exporter=question.exporter,
                    applied_on=question.applied_on,
                ),
                "test": answer.test,
                "outcome": answer.outcome,
                "log_head": max(heads, key=lambda head: head.size, default=None),
                "matched": answer.matched,
                "asked": answer.asked,
                "extra": len(answer.rows) - len(asked),
                "rows": tuple(
                    claimed.RowClaim.model_validate(
                        {"vin": row.vin, "state": row.state, "number": row.number, "window": row.window}
                    )
                    for row in asked
                ),
                "sources": tuple(map(_source, answer.sources)),
            }
        )


def _source(source: Source) -> claimed.SourceClaims:
    """Return what is told of a paper; of its checks those that did not pass: twenty papers have six hundred."""
    open_ones = tuple(_check(check) for check in source.verdict.checks if check.state is not State.PASSED)
    told = {**_said(source.verdict), "subject": _subject_of(source), "checks": open_ones}
    return claimed.SourceClaims.model_validate(told)


def _subject_of(source: Source) -> claimed.FileSubject | claimed.NumberSubject | claimed.CodeSubject:
    if source.sha256 is not None:
        return claimed.FileSubject(sha256=source.sha256, size=source.size)
    if source.verdict.paper is not None:
        return claimed.CodeSubject(code_sha256=source.verdict.paper.codes[0])
    return claimed.NumberSubject(number=parse_number(source.name))


def file_subject(data: bytes) -> claimed.FileSubject:
    """Return a file as a receipt names it."""
    return claimed.FileSubject(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def _record_subject(verdict: Verdict, numbers: tuple[str, ...], sha256: str | None, code: str | None) -> Subject:
    if code is not None and verdict.paper is not None:
        return claimed.CodeSubject(code_sha256=verdict.paper.codes[0])
    if sha256 is not None:
        return claimed.DigestSubject(sha256=sha256.strip().lower())
    parsed = tuple(dict.fromkeys(parse_number(number) for number in numbers))
    return claimed.NumberSubject(number=parsed[0]) if len(parsed) == 1 else claimed.NumbersSubject(numbers=parsed)


def _question(asked: Asked, tail: str | None = None) -> claimed.Question:
    return claimed.Question(
        vins=asked.vins,
        destination=asked.destination,
        exporter=asked.exporter,
        applied_on=asked.applied_on,
        tail=tail,
    )


def _said(verdict: Verdict) -> dict[str, object]:
    """Return what is told of a verdict in both kinds of receipts."""
    return {
        "code": verdict.code.value,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "number": verdict.number,
        "issuer": verdict.issuer,
        "proven_at": verdict.proven_at,
        "proven_by": verdict.proven_by,
        "parts": verdict.parts,
    }


def _check(check: Check) -> claimed.CheckClaim:
    return claimed.CheckClaim.model_construct(id=check.id, state=check.state, sub_indication=check.sub_indication)


def _coverage(verdict: Verdict) -> claimed.CoverageClaims:
    coverage = verdict.coverage
    return claimed.CoverageClaims(
        vins=tuple(claimed.VinClaim(vin=line.vin, state=line.state, window=line.window) for line in coverage.vins),
        extra=len(coverage.extra),
        destination=coverage.destination,
        exporter=coverage.exporter,
    )
