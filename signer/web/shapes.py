"""The shapes of the API's answers and questions, for its OpenAPI document; a test holds them against real answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from signer.domain.confirmation import Confirmation
from signer.domain.evidence import State
from signer.domain.number import Number
from signer.domain.values import Day, Frozen, Hex256, Instant
from signer.domain.verdict import Code, Comparison, Issuer, LineState, Outcome, Parts, SealReport, VinWindow
from signer.services.licence import RowState


class CheckAnswer(Frozen):
    """One question that was asked of the subject, and its answer."""

    id: str
    state: State
    sub_indication: str | None
    text: str


class VinAnswer(Frozen):
    """What the record says of one VIN that the asker named."""

    vin: str
    state: LineState
    window: VinWindow | None


class CoverageAnswer(Frozen):
    """The asker's values against the record's; `extra` are lines of the record that were not asked for."""

    vins: tuple[VinAnswer, ...]
    extra: tuple[str, ...]
    destination: Comparison
    exporter: Comparison


class PaperAnswer(Frozen):
    """
    The signed codes that were read: SHA-256 of each one's digits, and what they say if somebody listed signed it.

    `seen` are the pages whose codes were read, of `pages`; `vins` are those of the pages seen. `others` are the answers
    about other numbers in the same file: the one that holds them is the gravest.
    """

    codes: tuple[Hex256, ...]
    seen: tuple[int, ...]
    pages: int | None
    issued_at: Instant | None
    vins: tuple[str, ...]
    destination: str | None
    exporter: str | None
    until: Day | None
    content_digest: Hex256 | None
    others: tuple[VerdictAnswer, ...]


class VerdictAnswer(Frozen):
    """
    Our whole answer about one subject. Branch on `outcome`; treat an unknown one as `fail`.

    `paper` is there if the subject is, and absent otherwise.
    """

    code: Code
    outcome: Outcome
    subject: Literal["file", "paper", "record", "digest"]
    test: bool
    would_be: Code | None
    reason: str | None
    number: Number | None
    issuer: Issuer | None
    sealed_at: Instant | None
    proven_at: Instant | None
    proven_by: Literal["timestamp", "archive", "log", "register"] | None
    checked_at: Instant
    policy: str
    parts: Parts
    coverage: CoverageAnswer
    seal_report: SealReport | None
    confirmation: Confirmation | None
    checks: tuple[CheckAnswer, ...]
    receipt: str | None
    paper: PaperAnswer | None = None


class LookupQuestion(Frozen):
    """
    One number and a VIN's last six; or numbers, every VIN in full, destination and exporter; or a file's SHA-256.

    Or the text of a signed `code` on paper: its address, or its digits, with anything to compare.
    """

    numbers: tuple[str, ...] = ()
    tail: str | None = None
    vins: tuple[str, ...] = ()
    destination: str | None = None
    exporter: str | None = None
    applied_on: str | None = None
    sha256: str | None = None
    code: str | None = None


class LicenceQuestion(Frozen):
    """What stands on a licence, and the numbers of the confirmations handed in for it."""

    numbers: tuple[str, ...]
    vins: tuple[str, ...]
    destination: str
    exporter: str
    applied_on: str | None = None


class LicenceRow(Frozen):
    """One VIN of the licence, or one (`extra`) that a confirmation lists beyond it."""

    vin: str
    state: RowState
    number: str | None
    issuer: str | None
    window: VinWindow | None


class LicenceSource(Frozen):
    """One file or number that was handed in, and the verdict on it; `sha256` is a file's."""

    name: str
    sha256: Hex256 | None
    verdict: VerdictAnswer


class LicenceAnswer(Frozen):
    """One table and one outcome for a licence; `line` is for the case file, `receipt` (compact JWS) is of the whole."""

    outcome: Outcome
    test: bool
    matched: int
    asked: int
    rows: tuple[LicenceRow, ...]
    issuers: tuple[str, ...]
    destination: str
    exporter: str
    applied_on: Day
    checked_at: Instant
    line: str
    sources: tuple[LicenceSource, ...]
    receipt: str | None


class Health(Frozen):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Version(Frozen):
    """
    Which code answers, and whether its verdicts have any effect.

    `commit` is '' where it is not known; `renderers` are what decides the bytes of a page, by template version;
    `migration` is the register's schema, null where it does not answer or there is none.
    """

    name: Literal["signer"] = "signer"
    version: str
    mode: Literal["test", "production"]
    api: Literal["v1"] = Field(default="v1")
    commit: str = ""
    renderers: dict[str, str] = Field(default_factory=dict)
    migration: str | None = None
