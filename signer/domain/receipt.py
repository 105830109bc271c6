"""
What a receipt says: what was asked, what was answered, and when; nothing that the answer itself did not tell the asker.

Frozen: the keys are these and no others. Words that may grow (codes, reasons, ids of checks) are held to their form
only, so that a receipt of a later release can still be read.
Source: docs/reference/formats.md, receipts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from signer.domain import json_text
from signer.domain.evidence import State
from signer.domain.log_facts import LogHead
from signer.domain.number import ALPHABET, Number
from signer.domain.values import Day, Frozen, Hex256, Instant
from signer.domain.verdict import Comparison, Issuer, Outcome, Parts, VinWindow
from signer.errors import InvalidInput, SignerError

if TYPE_CHECKING:
    from collections.abc import Callable

NOTICE: Final = "States one moment, iat; says nothing about today."
MOST_BYTES: Final = 400_000
"""The longest payload; a licence of 200 vehicles with 40 papers takes a tenth."""
_JTI_DIGITS: Final = 16
_JTI_GROUP: Final = 4

Jti = Annotated[str, Field(pattern=rf"^([{ALPHABET}]{{4}}-){{3}}[{ALPHABET}]{{4}}$")]
"""The receipt's own id, drawn at random: 80 bits in Crockford's alphabet, in four groups."""
Epoch = Annotated[int, Field(ge=0, le=253_402_300_799)]
"""Seconds since 1970 in UTC. Source: RFC 7519, NumericDate; whole seconds only."""
Word = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,40}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
Line = Annotated[str, Field(min_length=1, max_length=400)]


class FileSubject(Frozen):
    """A file that was handed in: SHA-256 of its bytes, and how many they are."""

    sha256: Hex256
    size: Annotated[int, Field(ge=0)]


class DigestSubject(Frozen):
    """A file's SHA-256 that was looked up without the file."""

    sha256: Hex256


class NumberSubject(Frozen):
    """A number that was looked up."""

    number: Number


class NumbersSubject(Frozen):
    """Several numbers that were looked up together, in the order of the question."""

    numbers: Annotated[tuple[Number, ...], Field(min_length=2, max_length=40)]


class CodeSubject(Frozen):
    """A code on paper: SHA-256 of its digits; of the whole text, where it is no code of ours."""

    code_sha256: Hex256


Subject = FileSubject | DigestSubject | NumberSubject | NumbersSubject | CodeSubject


class Question(Frozen):
    """
    What the subject was compared with, as it was compared: folded as VINs and codes are, absent if it was not asked.

    `tail` are the last six characters of a VIN, also where the whole of it was typed: no more was compared.
    """

    vins: Annotated[tuple[Line, ...], Field(max_length=2000)] = ()
    destination: Line | None = None
    exporter: Line | None = None
    applied_on: Day | None = None
    tail: Line | None = None


class CheckClaim(Frozen):
    """One check: its id and state, and the sub-indication of EN 319 102-1 where it has one."""

    id: Name
    state: State
    sub_indication: Word | None = None


class VinClaim(Frozen):
    """What the record says of one VIN that was asked for."""

    vin: Line
    state: Name
    window: VinWindow | None = None


class CoverageClaims(Frozen):
    """The question against the record. `extra`: how many more vehicles it lists; which ones is nobody's question."""

    vins: tuple[VinClaim, ...]
    extra: Annotated[int, Field(ge=0)]
    destination: Comparison
    exporter: Comparison


class _Claims(Frozen):
    iss: Line
    jti: Jti
    iat: Epoch
    aud: Line | None = None
    notice: Literal["States one moment, iat; says nothing about today."] = NOTICE
    test: bool
    outcome: Outcome
    trust_list: Annotated[int, Field(ge=1)] | None = None
    status_iat: Epoch | None = None
    log_head: LogHead | None = None
    policy: Line
    software: Line
    question: Question

    @property
    def at(self) -> datetime:
        """The one moment of which the receipt speaks."""
        return datetime.fromtimestamp(self.iat, UTC)


class VerdictClaims(_Claims):
    """The receipt of one verdict, on a file or on what was looked up."""

    kind: Literal["verdict"] = "verdict"
    subject: Subject
    code: Word
    would_be: Word | None = None
    reason: Word | None = None
    number: Number | None = None
    issuer: Issuer | None = None
    sealed_at: Instant | None = None
    proven_at: Instant | None = None
    proven_by: Name | None = None
    parts: Parts
    coverage: CoverageClaims
    checks: Annotated[tuple[CheckClaim, ...], Field(max_length=200)]


class SourceClaims(Frozen):
    """
    One file or number of a licence check, and what was answered about it; file names are not told.

    `checks` are those that did not pass.
    """

    subject: FileSubject | NumberSubject | CodeSubject
    code: Word
    outcome: Outcome
    reason: Word | None = None
    number: Number | None = None
    issuer: Issuer | None = None
    proven_at: Instant | None = None
    proven_by: Name | None = None
    parts: Parts
    checks: Annotated[tuple[CheckClaim, ...], Field(max_length=200)]


class RowClaim(Frozen):
    """One VIN of the licence; `number` is that of the confirmation which says so, its manufacturer stands there."""

    vin: Line
    state: Name
    number: Number | None = None
    window: VinWindow | None = None


class LicenceClaims(_Claims):
    """
    The one receipt of a whole licence check: what was handed in, and the table.

    Rows stand in the order of the question, sources in the order in which they were handed in. `extra`: how many
    vehicles the papers list beyond the licence.
    """

    kind: Literal["licence"] = "licence"
    matched: Annotated[int, Field(ge=0)]
    asked: Annotated[int, Field(ge=1)]
    extra: Annotated[int, Field(ge=0)]
    rows: Annotated[tuple[RowClaim, ...], Field(min_length=1, max_length=2000)]
    sources: Annotated[tuple[SourceClaims, ...], Field(min_length=1, max_length=200)]


Claims = VerdictClaims | LicenceClaims
CLAIMS: Final[TypeAdapter[Claims]] = TypeAdapter(Annotated[Claims, Field(discriminator="kind")])


def draw_jti(random_bits: Callable[[int], int]) -> str:
    """Draw a receipt's id; `random_bits(80)` must come from a cryptographic source."""
    value = random_bits(5 * _JTI_DIGITS)
    digits = "".join(ALPHABET[(value >> (5 * place)) & 31] for place in range(_JTI_DIGITS))
    return "-".join(digits[start : start + _JTI_GROUP] for start in range(0, _JTI_DIGITS, _JTI_GROUP))


def encode(claims: Claims) -> bytes:
    """Return the one encoding of claims (RFC 8785): what is absent is absent, never null."""
    return json_text.canonical(claims.model_dump(mode="json", exclude_none=True))


def parse(data: bytes) -> Claims:
    """Read the claims of a receipt in their one encoding. Raises InvalidInput, naming the place."""
    try:
        json_text.load(data, most_bytes=MOST_BYTES)
        claims = CLAIMS.validate_json(data)
    except SignerError as error:
        raise InvalidInput("receipt", str(error)) from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidInput("receipt", f"/{'/'.join(map(str, first['loc']))}: {first['msg']}"[:300]) from error
    if encode(claims) != data:
        raise InvalidInput("receipt", "the claims are not in their one encoding (RFC 8785)")
    return claims
