"""
The offline bundle as data: what a register says, as of one moment, for verifiers that cannot ask it.

One file: a header, its signature, the trust list, then a line for each revocation answer, each seal of which the
register says worse than the list, each record, and each status list. `seal.bundle` signs and believes it.
Source: docs/reference/formats.md, the offline bundle.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol, TypeVar

from pydantic import Field, ValidationError, model_validator

from signer.domain import status_list
from signer.domain.confirmation import MOST_VEHICLES, Standing
from signer.domain.evidence import Gap, LineFacts, RecordFacts, Told
from signer.domain.number import Number
from signer.domain.trust import SealState
from signer.domain.values import Day, Frozen, Hex256, Instant, Text
from signer.errors import BundleRefused

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.confirmation import Confirmation
    from signer.domain.evidence import ContentFacts

SCHEMA: Final = "signer.bundle/1"
WITH_LISTS: Final = "signer.bundle/2"
"""The second form is the first one with status lists after the records, if there are any."""
LASTS_DAYS: Final = 7
MOST_DAYS: Final = 30
"""A bundle expires after so many days by default, and at most."""
MOST_RECORDS: Final = 20_000_000
MOST_BYTES: Final = 20_000_000_000
MOST_ANSWERS: Final = 10_000
MOST_LISTS: Final = 200
MOST_LINE_BYTES: Final = 4_000_000
"""No line is longer but the trust list's, which has its own bound; an answer may be a revocation list."""

Reason = Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,23}$")]
Base64 = Annotated[str, Field(max_length=MOST_LINE_BYTES, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class Counts(Frozen):
    """How many lines of each kind follow the trust list, in this order; status lists in the second form only."""

    revocations: Annotated[int, Field(ge=0, le=MOST_ANSWERS)]
    seals: Annotated[int, Field(ge=0, le=MOST_ANSWERS)]
    records: Annotated[int, Field(ge=0, le=MOST_RECORDS)]
    status_lists: Annotated[int, Field(ge=1, le=MOST_LISTS)] | None = None


class Header(Frozen):
    """
    What is signed: whose bundle it is, of when, and the SHA-256 and size of all that follows the signature.

    Everything that the register committed before `complete_until` is in it; with `since` only the records that
    changed since then, to be laid over a bundle that is complete at least until then. `trust_list` is the sequence of
    the list inside; `gaps` are the register's open ones.
    """

    schema_id: Literal["signer.bundle/1", "signer.bundle/2"] = Field(default=SCHEMA, alias="schema")
    origin: Text
    test: bool
    complete_until: Instant
    since: Instant | None = None
    expires: Instant
    trust_list: Annotated[int, Field(ge=1)]
    gaps: Annotated[tuple[Gap, ...], Field(max_length=1000)] = ()
    counts: Counts
    size: Annotated[int, Field(ge=1, le=MOST_BYTES)]
    sha256: Hex256

    @model_validator(mode="after")
    def _times_follow_each_other(self) -> Header:
        days = (self.expires - self.complete_until).total_seconds() / 86_400
        if not 0 < days <= MOST_DAYS:
            raise ValueError(f"expires at most {MOST_DAYS} days after complete_until, and after it")
        if self.since is not None and self.since >= self.complete_until:
            raise ValueError("since lies before complete_until")
        if (self.schema_id == WITH_LISTS) is (self.counts.status_lists is None):
            raise ValueError(f"status lists are counted in {WITH_LISTS}, and only there")
        return self

    @property
    def told(self) -> Told:
        """Since when the word on its records is what it is, and until when it may be used at all."""
        return Told(at=self.complete_until, expires=self.expires)


class Revocation(Frozen):
    """The newest answer of an authority about a certificate: `data` is the OCSP response or the CRL, base64 of DER."""

    certificate_digest: Hex256
    kind: Literal["ocsp", "crl"]
    data: Base64
    this_update: Instant
    revoked_at: Instant | None = None


class SealWord(Frozen):
    """A seal that the register holds, or has retired, although the trust list may not say so yet."""

    certificate_digest: Hex256
    state: Literal[SealState.SUSPENDED, SealState.VERIFY_ONLY]
    state_since: Instant


class Copy(Frozen):
    """A file that was filed as an official copy."""

    file_digest: Hex256
    filed_at: Instant


class LineWord(Frozen):
    """The standing of one vehicle, by its place in the content."""

    standing: Standing
    ended_at: Instant | None = None
    reason_class: Reason | None = None
    successor: Number | None = None
    conflict: Literal[True] | None = None


class Record(LineWord):
    """
    One confirmation, without its content: `content_digest` is that of the `confirmation.json` in its file.

    Where all vehicles stand alike, the fields of one line say so for all; else `lines` has one for each, in the
    content's order, and those fields are absent but for `standing`. `file_digests` are those of whole files of ours;
    `seal_digest` is given beside official copies only.
    """

    number: Number
    content_digest: Hex256
    issued_at: Instant
    recorded_at: Instant | None = None
    until: Day | None = None
    suspended_until: Instant | None = None
    sealed_digests: Annotated[tuple[Hex256, ...], Field(max_length=100)] = ()
    file_digests: Annotated[tuple[Hex256, ...], Field(max_length=100)] = ()
    copies: Annotated[tuple[Copy, ...], Field(max_length=100)] = ()
    seal_digest: Hex256 | None = None
    lines: Annotated[tuple[LineWord, ...], Field(max_length=MOST_VEHICLES)] = ()

    @model_validator(mode="after")
    def _lines_or_one_word(self) -> Record:
        if self.lines and (self.ended_at or self.reason_class or self.successor or self.conflict):
            raise ValueError("a record has either lines or one word for all of them")
        return self

    def facts(self, content: ContentFacts, header: Header) -> RecordFacts | None:
        """
        Return the record as facts of a bundle; with its content if that is what a file carries, else without.

        None if the content has another number of vehicles than the record has lines: then it says nothing.
        """
        return self.facts_as_of(content, told=header.told, gaps=header.gaps)

    def facts_as_of(self, content: ContentFacts, *, told: Told, gaps: tuple[Gap, ...]) -> RecordFacts | None:
        """Return the record as facts that were told then, by a register with these open gaps. As `facts`."""
        is_same = content.confirmation is not None and content.content_digest == self.content_digest
        confirmation = content.confirmation if is_same else None
        if confirmation is not None and self.lines and len(self.lines) != len(confirmation.terms.vehicles):
            return None
        found = RecordFacts(
            number=self.number,
            confirmation=confirmation,
            content_digest=self.content_digest,
            issued_at=self.issued_at,
            until=self.until,
            sealed_digests=self.sealed_digests,
            recorded_at=self.recorded_at,
            standing=self.standing,
            lines=self._lines(confirmation),
            suspended_until=self.suspended_until,
            told=told,
        )
        return found.over(gaps)

    def _lines(self, confirmation: Confirmation | None) -> tuple[LineFacts, ...]:
        count = len(confirmation.terms.vins) if confirmation else 1
        words: tuple[LineWord, ...] = self.lines or (self,) * count
        vins = confirmation.terms.vins if confirmation else ("",) * len(words)
        return tuple(
            LineFacts(
                vin=vin,
                standing=word.standing,
                ended_at=word.ended_at,
                reason_class=word.reason_class,
                successor=word.successor,
                is_conflict=word.conflict is True,
            )
            for vin, word in zip(vins, words, strict=True)
        )


class ListWord(Frozen):
    """A status list: its number, and its newest token, which is signed by itself (docs/reference/status-list.md)."""

    list: Annotated[int, Field(ge=1, le=status_list.MOST_LISTS)]
    token: Annotated[str, Field(max_length=700_000, pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]


Entry = TypeVar("Entry", Header, Revocation, SealWord, Record, ListWord)


class Kept(Protocol):
    """A bundle with the deltas laid over it: what one issuer's register said, ready to be asked."""

    @property
    def header(self) -> Header:
        """Whose it is, and of when: of the newest delta."""

    def record(self, number: str) -> Record | None:
        """Return a record by its number, or None."""

    def number_of(self, kind: Literal["sealed", "file", "copy"], digest: str) -> str | None:
        """Return the number under which a digest is filed, or None."""

    def revocations(self, certificate_digests: tuple[str, ...]) -> tuple[Revocation, ...]:
        """Return the answers about certificates, of those that have any."""

    def seal(self, certificate_digest: str) -> SealWord | None:
        """Return what the register says worse of a seal than the list, or None."""


def encode(entry: Frozen) -> bytes:
    """Return one line without its end: canonical JSON (RFC 8785, which for these texts is what this writes)."""
    plain = entry.model_dump(mode="json", by_alias=True, exclude_none=True)
    bare = {key: value for key, value in plain.items() if value != []}
    return json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def decode(line: bytes, kind: type[Entry], *, place: str) -> Entry:
    """Read one line back. Raises BundleRefused, naming the place, unless it is the one encoding of what it says."""
    try:
        entry = kind.model_validate_json(line)
    except ValidationError as error:
        found = error.errors(include_input=False)[0]
        raise BundleRefused(f"{place}: /{'/'.join(map(str, found['loc']))}: {found['msg']}"[:300]) from error
    if encode(entry) != line:
        raise BundleRefused(f"{place}: is not in its one canonical form")
    return entry


def refuse_following(older: Header | None, newer: Header) -> None:
    """
    Refuse to lay a bundle over what is kept (or over nothing), unless that leaves nothing out and takes nothing back.

    Records of a delta are whole, so it fits on everything that is complete until its `since` or later. Raises
    BundleRefused.
    """
    if older is None:
        if newer.since is not None:
            raise BundleRefused(f"since: a delta since {_instant(newer.since)}, and nothing to lay it over")
        return
    for name in ("origin", "test"):
        if getattr(older, name) != getattr(newer, name):
            raise BundleRefused(f"{name}: is {getattr(newer, name)!r}, of what is kept {getattr(older, name)!r}")
    if newer.complete_until <= older.complete_until:
        raise BundleRefused(f"complete_until: is not later than what is kept, {_instant(older.complete_until)}")
    if newer.since is not None and newer.since > older.complete_until:
        told = f"begins at {_instant(newer.since)}; what is kept ends at {_instant(older.complete_until)}"
        raise BundleRefused(f"since: {told}: a delta between them is missing")


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
