"""What can be known about a file, before anyone judges it: facts, each gathered on its own."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from signer.domain.confirmation import Confirmation, Standing
from signer.domain.log_facts import NO_LOG, LogFacts
from signer.domain.number import Number
from signer.domain.trust import TrustEntry
from signer.domain.values import Day, Frozen, Hex256, Instant

Detail = Annotated[str, Field(max_length=400)]


class State(StrEnum):
    """The three answers of a check; `undetermined` is never `fine`."""

    PASSED = "passed"
    FAILED = "failed"
    UNDETERMINED = "undetermined"


class Part(StrEnum):
    """The three questions of the page: was it changed, who sealed it, is it in force."""

    INTEGRITY = "integrity"
    SEAL = "seal"
    STANDING = "standing"


Failure = Literal["FORMAT_FAILURE", "HASH_FAILURE", "SIG_CRYPTO_FAILURE", "REVOKED", "NOT_YET_VALID"]
"""What EN 319 102-1 calls TOTAL-FAILED, as far as our checks ever say it (docs/reference/en-319-102-1.md)."""
Doubt = Literal[
    "SIG_CONSTRAINTS_FAILURE",
    "CHAIN_CONSTRAINTS_FAILURE",
    "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    "CRYPTO_CONSTRAINTS_FAILURE",
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
    "NO_SIGNING_CERTIFICATE_FOUND",
    "NO_CERTIFICATE_CHAIN_FOUND",
    "REVOKED_NO_POE",
    "REVOKED_CA_NO_POE",
    "OUT_OF_BOUNDS_NO_POE",
    "TIMESTAMP_ORDER_FAILURE",
    "TRY_LATER",
]
"""What it calls INDETERMINATE, as far as our checks ever say it."""
SubIndication = Failure | Doubt
FAILURES: Final[frozenset[str]] = frozenset(get_args(Failure))


class SealFinding(Frozen):
    """
    One question that `seal.validate` answered inside the child.

    `id` is a check id of docs/reference/verdicts.md; `sub_indication` is EN 319 102-1's word where one fits;
    `detail` is technical English.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    part: Part
    state: State
    sub_indication: SubIndication | None = None
    detail: Detail = ""


class TimestampFacts(Frozen):
    """
    A timestamp that proves the seal, by an authority of the trust list whose token verified.

    `through` is `archive` if it stands in a later revision, or counts only because a later one vouches for it.
    """

    at: Instant
    certificate_digest: Hex256
    through: Literal["archive"] | None = None


class Form(StrEnum):
    """What was handed in."""

    UNREADABLE = "unreadable"
    STRANGER = "stranger"
    UNSEALED = "unsealed"
    SEALED = "sealed"


ProvenBy = Literal["timestamp", "archive", "log", "register"]
Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]
Indication = Literal["TOTAL-PASSED", "INDETERMINATE", "TOTAL-FAILED"]


class SealFacts(Frozen):
    """
    What the child found in a PDF; everything in it was chosen by whoever made the file, so it is bounded.

    `reason` is a stable ASCII word for an unreadable file (`EMPTY`, `NOT_PDF`, `ENCRYPTED`, `TOO_LARGE`,
    `MALFORMED`, `CHILD_DIED`, `TOO_SLOW`) or for an altered one (`ADDED_SIGNATURE`, ...). `certificate_digest`
    is that of the certificate that made the seal. `content` is confirmation.json of the sealed revision, `log_proof`
    log-proof.json beside it, if there is one; both base64. `sealed_length` is the length of S, the sealed prefix;
    `archived` are the archive timestamps after it that count,
    the oldest first. `chain_not_before` and `chain_not_after` bound the time
    in which the listed certificate and every authority above it are valid (both included).
    """

    form: Form
    reason: Annotated[str, Field(pattern=r"^[A-Z_]{2,40}$")] | None = None
    detail: Detail = ""
    claimed_number: Number | None = None
    sealed_length: Annotated[int, Field(ge=1)] | None = None
    certificate_digest: Hex256 | None = None
    certificate_subject: Detail = ""
    test_policy: bool = False
    claimed_at: Instant | None = None
    chain_not_before: Instant | None = None
    chain_not_after: Instant | None = None
    timestamp: TimestampFacts | None = None
    archived: Annotated[tuple[TimestampFacts, ...], Field(max_length=12)] = ()
    level: Level | None = None
    indication: Indication = "INDETERMINATE"
    sub_indication: SubIndication | None = None
    findings: Annotated[tuple[SealFinding, ...], Field(max_length=60)] = ()
    content: Annotated[str, Field(max_length=600_000)] | None = None
    log_proof: Annotated[str, Field(max_length=60_000)] | None = None


class FileFacts(Frozen):
    """What the parent computes itself, never the child: lengths and digests of the file and of S."""

    size: int
    file_digest: Hex256
    sealed_digest: Hex256 | None = None


class ContentFacts(Frozen):
    """The attachment of the sealed revision, parsed by the domain; `fault` is why it could not be."""

    confirmation: Confirmation | None = None
    content_digest: Hex256 | None = None
    fault: Literal["absent", "schema-unknown", "malformed", "not-canonical"] | None = None
    detail: Detail = ""


class LineFacts(Frozen):
    """
    The standing of one VIN line. `is_conflict`: another manufacturer has the same VIN in force.

    `vin` is empty where the content is not known, and with it whose line it is.
    """

    vin: str
    standing: Standing
    ended_at: Instant | None = None
    reason_class: str | None = None
    successor: Number | None = None
    is_conflict: bool = False


_SLACK = timedelta(minutes=15)
"""Between the time that a file names and its commit; the clocks of hosts and of authorities differ a little too."""


class Gap(Frozen):
    """A span of which a register restored from a backup knows nothing, and that nobody has declared filled."""

    since: Instant
    until: Instant

    def may_hold(self, at: datetime) -> bool:
        """Tell whether what is of that time may have been lost."""
        return self.since - _SLACK <= at <= self.until + _SLACK

    def may_have_changed(self, issued_at: datetime) -> bool:
        """Tell whether what was issued then may have been ended or held since, without the register knowing."""
        return issued_at <= self.reaches

    @property
    def reaches(self) -> datetime:
        """The last instant of issue that it may concern."""
        return self.until + _SLACK


class Told(Frozen):
    """When the register said what is known of it, and until when that may be used at all: of an offline bundle."""

    at: Instant
    expires: Instant


class ClosedOutlet(Frozen):
    """An outlet of a confirmation that its manufacturer has closed since; `since` is the first day on which it was."""

    id: str
    since: Day


class RecordFacts(Frozen):
    """
    One confirmation as the register holds it. `sealed_digests` are all the digests of S on record.

    `confirmation` is None where only its digest is known: in an offline bundle, for a file that does not carry this
    content. `gaps` are the open ones in which it may have been ended or held without this register knowing; `told` is
    set if the register was not asked now. `closed_outlets` are those of its outlets that are closed now, as far as is
    known: a bundle says nothing of outlets.
    """

    number: Number
    confirmation: Confirmation | None
    content_digest: Hex256
    issued_at: Instant
    until: Day | None = None
    sealed_digests: tuple[Hex256, ...] = ()
    recorded_at: Instant | None = None
    standing: Standing
    lines: tuple[LineFacts, ...]
    suspended_until: Instant | None = None
    gaps: tuple[Gap, ...] = ()
    told: Told | None = None
    closed_outlets: tuple[ClosedOutlet, ...] = ()

    @property
    def whole(self) -> Confirmation:
        """The confirmation of a record whose content is known: as the register itself always knows it."""
        if self.confirmation is None:
            raise ValueError(f"only the digest of {self.number}'s content is known")
        return self.confirmation

    @property
    def vins(self) -> tuple[str, ...]:
        """The VINs that it lists; none where its content is not known."""
        return self.confirmation.terms.vins if self.confirmation else ()

    def over(self, gaps: tuple[Gap, ...]) -> RecordFacts:
        """Return the record with those of a register's open gaps that concern it."""
        mine = tuple(gap for gap in gaps if gap.may_have_changed(self.issued_at))
        return self.model_copy(update={"gaps": mine}) if mine else self

    def is_doubted(self, line: LineFacts, today: date) -> bool:
        """
        Tell whether a line that is not known to have ended may not be relied on for what the register says of it.

        It may have ended in a gap; or it is in force for another manufacturer too, or its maker's last day is past.
        """
        is_past = self.until is not None and today > self.until
        if line.standing is Standing.SUSPENDED:
            return bool(self.gaps)
        return line.standing is Standing.ISSUED and (bool(self.gaps) or is_past or line.is_conflict)

    def has_doubts(self, today: date) -> bool:
        """Tell whether any of its lines is doubted, so that its standing is not told in one word."""
        return any(self.is_doubted(line, today) for line in self.lines)

    @property
    def as_of(self) -> datetime | None:
        """When the register's word on this record was last whole, if it is not whole, or not asked, now."""
        if self.gaps:
            return max(self.gaps[0].since, self.issued_at)
        return self.told.at if self.told else None

    @property
    def unknown_for(self) -> timedelta:
        """How long its standing went unheard of, over all gaps."""
        begun = ((gap, max(gap.since, min(self.issued_at, gap.until))) for gap in self.gaps)
        return sum((gap.until - since for gap, since in begun), timedelta())


class RegisterFacts(Frozen):
    """
    What the register says. `is_complete` is false when absence proves nothing (no register, a gap after a restore).

    `record` is the one whose number the file or question names; `number_of_digest` is the number under
    which the digest of S is filed, whatever the file says.
    """

    source: Literal["register", "prospective", "bundle", "none"]
    as_of: Instant
    is_complete: bool = True
    record: RecordFacts | None = None
    number_of_digest: Number | None = None


class TrustFacts(Frozen):
    """
    The trust list that was used, and its entry for the seal's certificate (at the time of the answer).

    `revocation_as_of` is the time of the newest answers of the authorities that we keep about its chain, `revoked_at`
    from when on they call it revoked.
    """

    sequence: int
    issued: Instant
    expires: Instant
    test: bool
    entry: TrustEntry | None = None
    revocation_as_of: Instant | None = None
    revoked_at: Instant | None = None


class Asked(Frozen):
    """What the asker compares with. `vins` are normalised text, not proven to be VINs."""

    vins: tuple[str, ...] = ()
    destination: str | None = None
    exporter: str | None = None
    applied_on: Day | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to compare."""
        return not (self.vins or self.destination or self.exporter)


class CopyFacts(Frozen):
    """
    What is known of a file that is filed as an official copy: it is not parsed, so nothing but its bytes is known.

    `filed_at` is when the second person had compared it; `test` and `trust_list` are those of the deployment. `entry`
    is that of its manufacturer's seal, where the record's content is not known.
    """

    at: Instant
    today: date
    file: FileFacts
    filed_at: Instant
    record: RecordFacts
    test: bool
    trust_list: int
    entry: TrustEntry | None = None


class Facts(Frozen):
    """Everything that `verification.decide` may look at for a file."""

    at: Instant
    today: date
    file: FileFacts
    seal: SealFacts
    content: ContentFacts
    register_: RegisterFacts
    trust: TrustFacts
    log: LogFacts = NO_LOG

    @property
    def proofs(self) -> tuple[tuple[datetime, ProvenBy], ...]:
        """The accepted proofs that the seal existed, and when; of two of one time the first is named."""
        stamp, record = self.seal.timestamp, self.register_.record
        found: list[tuple[datetime, ProvenBy]] = [(stamp.at, stamp.through or "timestamp")] if stamp else []
        is_known = record is not None and self.file.sealed_digest in record.sealed_digests
        if is_known and record is not None and record.recorded_at is not None:
            found.append((record.recorded_at, "register"))
        at = self.log.sealed_at
        return (*found, (at, "log")) if at is not None else tuple(found)

    @property
    def proven_at(self) -> datetime | None:
        """The earliest accepted proof: a listed timestamp, the register's record of S, a leaf of S in the log."""
        return min((at for at, _ in self.proofs), default=None)

    @property
    def proven_by(self) -> ProvenBy | None:
        """What the earliest accepted proof is."""
        return min(self.proofs, key=lambda proof: proof[0])[1] if self.proofs else None
