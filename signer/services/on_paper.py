"""
Judge codes on paper: read each, find its key on the trust list and its number's record, and let `verification` decide.

A file may hold codes of several numbers: each number is an answer by itself.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from signer.domain.evidence import Form, TrustFacts
from signer.domain.number import Number
from signer.domain.paper_code import PaperCodeRefused
from signer.domain.paper_evidence import CodeFacts, PaperFacts
from signer.domain.scan import NO_SCAN, Scan
from signer.domain.trust import Purpose
from signer.domain.values import beijing_day
from signer.errors import InvalidInput
from signer.paper import cose, symbols
from signer.paper.pictures import is_picture
from signer.seal import certificates
from signer.verification.paper import decide, together

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import Asked, SealFacts
    from signer.domain.trust import TrustEntry, TrustList
    from signer.domain.verdict import Verdict
    from signer.services.sources import Source
    from signer.verification.policy import Policy

log = structlog.get_logger()

MOST_TYPED = 4_200
_UNSEALED = (Form.STRANGER, Form.UNSEALED)
_MAY_BE_SCANS = ("NOT_PDF", "MALFORMED")
"""Reasons for which the judge of seals reads no file, and a reader of pictures still may: scanners are not strict."""
_BAD_PICTURE = {"MALFORMED": "BAD_PICTURE"}


class Listed(Protocol):
    """What lists VINs: a record, or what was found of codes."""

    @property
    def vins(self) -> tuple[str, ...]:
        """The VINs, in order."""


class Found(NamedTuple):
    """A text that looks like a signed code, and the sheet on which it was found (from 1)."""

    sheet: int
    text: str


def no_scanner(data: bytes) -> Scan:
    """Look at nothing: for those who verify only files of their own making."""
    del data
    return NO_SCAN


def scanned(scanner: Callable[[bytes], Scan], data: bytes, seal: SealFacts) -> Scan:
    """
    Search a file for codes, if it may be a picture of paper: never one with a seal, good or altered.

    A code in a sealed file was not handed in on paper: what else is in an altered file makes it no better.
    """
    is_unread = seal.form is Form.UNREADABLE and seal.reason in _MAY_BE_SCANS
    return scanner(data) if is_unread or seal.form in _UNSEALED else NO_SCAN


def signed_codes(scan: Scan) -> tuple[Found, ...]:
    """Return the texts of a scan that look like signed codes, each once."""
    texts: dict[str, int] = {}
    for symbol in scan.symbols:
        if symbols.is_signed(symbol.text):
            texts.setdefault(symbol.text[symbol.text.index("#") :], symbol.page)
    return tuple(Found(sheet, text) for text, sheet in texts.items())


def without_code(data: bytes, seal: SealFacts, scan: Scan) -> SealFacts:
    """Say of a picture why nothing is known of it, and which number its short code names, for whoever looks it up."""
    number = next(filter(None, (_short_number(symbol.text) for symbol in scan.symbols)), None)
    if is_picture(data):
        reason = _BAD_PICTURE.get(scan.reason, scan.reason) if scan.reason else "NO_SIGNED_CODE"
    elif seal.form is Form.STRANGER and number is not None:
        reason = "NO_SIGNED_CODE"
    else:
        return seal
    told = {"form": Form.UNREADABLE, "reason": reason, "claimed_number": number}
    return seal.model_copy(update={**told, "detail": "no signed code was found on what was searched"})


def _short_number(text: str) -> Number | None:
    try:
        return Number.parse(text.rpartition("#")[2])
    except ValueError:
        return None


def typed_code(text: str) -> str:
    """Return the code in a typed or pasted text: an address, or its digits with or without a `#`. InvalidInput."""
    if found := _code_in(text):
        return found
    plain = "".join(text.split())
    if len(plain) > MOST_TYPED or not plain.isascii():
        raise InvalidInput("code", "is an address that ends in # and some 500 to 1200 digits")
    return plain if "#" in plain else f"#{plain}"


def _code_in(text: str) -> str:
    """Return the code that stands in a text as it was sent, or '': what a messenger put behind it is none of it."""
    if len(text) > MOST_TYPED:
        return ""
    try:
        return f"#{cose.decode(text).digits}"
    except PaperCodeRefused:
        return ""


class PaperJudging:
    """Judge codes by a trust list and what a register says: asked now, or in an offline bundle."""

    def __init__(self, *, source: Source, policy: Policy, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._policy = policy
        self._clock = clock

    def knows(self, found: Found) -> bool:
        """Tell whether the trust list names the key of a code."""
        return _read(found, self._source.trust()).entry is not None

    def verdict(
        self, found: tuple[Found, ...], ask: Callable[[Listed | None], Asked], *, is_whole: bool = True
    ) -> Verdict:
        """Return the verdict on codes that were found together: the gravest, with those of other numbers beside it."""
        verdicts = tuple(self._judged(facts, ask) for facts in self.gather(found, is_whole=is_whole))
        for one in verdicts:
            log.info("paper.verified", code=one.code, number=one.number)
        return together(verdicts)

    def gather(self, found: tuple[Found, ...], *, is_whole: bool = True) -> tuple[PaperFacts, ...]:
        """Find what can be known of codes, judging nothing: the facts of each number, and of each text that is none."""
        trust = self._source.trust()
        groups: dict[str, list[CodeFacts]] = {}
        for one in found:
            code = _read(one, trust)
            same = groups.setdefault(str(code.claims.number) if code.claims else code.digest, [])
            if code.digest not in {known.digest for known in same}:
                same.append(code)
        return tuple(self._facts(tuple(codes), trust, is_whole=is_whole) for codes in groups.values())

    def _facts(self, codes: tuple[CodeFacts, ...], trust: TrustList, *, is_whole: bool) -> PaperFacts:
        at = self._clock()
        said = self._source.code(codes[0].claims, at)
        return PaperFacts(
            at=at,
            today=beijing_day(at),
            codes=codes,
            register_=said.register,
            trust=TrustFacts(sequence=trust.sequence, issued=trust.issued, expires=trust.expires, test=trust.test),
            place=said.place,
            status=said.status,
            is_whole=is_whole,
        )

    def _judged(self, facts: PaperFacts, ask: Callable[[Listed | None], Asked]) -> Verdict:
        record = facts.register_.record
        listed: Listed = record if record is not None and record.confirmation is not None else facts
        return decide(facts, ask(listed), self._policy)


def _read(found: Found, trust: TrustList) -> CodeFacts:
    """Read one text, and find its key: what of it cannot be read is a fact."""
    try:
        code = cose.decode(found.text)
    except PaperCodeRefused as error:
        digest = hashlib.sha256(found.text.encode()).hexdigest()
        return CodeFacts(sheet=found.sheet, digest=digest, fault=error.reason, detail=error.detail[:400])
    entry = _entry(trust, code.kid, code.claims.issued_at)
    certificate = certificates.load(entry.der) if entry is not None else None
    return CodeFacts(
        sheet=found.sheet,
        digest=hashlib.sha256(code.digits.encode()).hexdigest(),
        claims=code.claims,
        kid=code.kid.hex(),
        entry=entry,
        is_signed=certificate is not None and cose.verify(code, certificate.key_info),
        test_policy=certificate is not None and certificate.is_test,
    )


def _entry(trust: TrustList, kid: bytes, at: datetime) -> TrustEntry | None:
    """Return the entry of a key: of several certificates for one, that which covers the time that a code names."""
    entries = _keys(trust).get(kid, ())
    return next((entry for entry in entries if entry.is_entitled(at)), entries[-1] if entries else None)


@lru_cache(maxsize=4)
def _keys(trust: TrustList) -> dict[bytes, tuple[TrustEntry, ...]]:
    """Return a list's keys for codes on paper by their names in a code."""
    found: dict[bytes, tuple[TrustEntry, ...]] = {}
    for entry in trust.of(Purpose.PAPER):
        kid = bytes.fromhex(certificates.load(entry.der).key_digest)[: cose.KID_BYTES]
        found[kid] = (*found.get(kid, ()), entry)
    return found
