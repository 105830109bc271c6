"""The JSON of confirmations and of what ends them, for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from signer.domain.confirmation import MOST_VEHICLES, Confirmation
from signer.domain.number import Number
from signer.domain.parties import Uscc
from signer.domain.values import Day, Frozen, Hex256, Instant
from signer.web.machines.shapes import Cursor, Elsewhere, Ref

if TYPE_CHECKING:
    from pydantic import BaseModel

Stands = Literal["pending", "issued", "suspended", "superseded", "withdrawn", "abandoned", "unknown"]
"""`unknown`: the register cannot tell here, and only verifying does (docs/reference/verdicts.md)."""


class ConfirmationRow(Frozen):
    """
    One confirmation of a list.

    `standing` is `unknown` where the register cannot vouch for it here: it may have ended in a gap after a restored
    backup, another manufacturer has one of its VINs in force, or its last day is past. Then verify it.
    """

    number: Number
    standing: Stands
    reserved_at: Instant
    manufacturer: Uscc
    exporter: Uscc
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    vehicles: int


class ConfirmationList(Frozen):
    """A part of the confirmations, the newest first."""

    items: tuple[ConfirmationRow, ...]
    next: Cursor


class LineAnswer(Frozen):
    """How one vehicle's line stands; `reason` says why it was withdrawn, `successor` which number took it over."""

    vin: str
    standing: Stands
    ended_at: Instant | None
    reason: str | None
    successor: Number | None


class FileAnswer(Frozen):
    """One stored file: the sealed PDF as it was issued, or a later archive copy; `level` is of ETSI EN 319 142-1."""

    kind: Literal["sealed", "archive"]
    sha256: Hex256
    size: int
    level: str | None
    made_at: Instant


class ConfirmationAnswer(Frozen):
    """One confirmation as it stands now: `content` is what is sealed in the PDF, `signer.confirmation/1`."""

    number: Number
    standing: Stands
    suspended_until: Instant | None
    until: Day | None
    lines: tuple[LineAnswer, ...]
    files: tuple[FileAnswer, ...]
    content: Confirmation


class Successor(Frozen):
    """Which vehicles a successor takes over; all that are in force where none are named."""

    vins: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=MOST_VEHICLES)] = ()


Why = Literal["error", "sale-fell-through", "exporter-request", "vehicle-changed", "key-misuse", "fraud", "other"]
"""Why vehicles are withdrawn: as `signer.register.endings.REASONS`, which a test compares."""


class WithdrawalEntry(Frozen):
    """Which vehicles are to be withdrawn for ever, each by name, and why."""

    vins: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(min_length=1, max_length=MOST_VEHICLES)]
    reason: Why


class WithdrawalRow(Frozen):
    """One withdrawal that was asked for: it is `waiting` for a second person, `done`, or `dropped`."""

    ref: Ref
    number: Number
    state: Literal["waiting", "done", "dropped"]
    vins: tuple[str, ...]
    reason: Why
    asked_at: Instant
    decided_at: Instant | None
    external_ref: str | None


class WithdrawalList(Frozen):
    """A part of the withdrawals that were asked for, the newest first."""

    items: tuple[WithdrawalRow, ...]
    next: Cursor


class WithdrawalDecision(Frozen):
    """
    A second person's word on a withdrawal; `drop` lets nothing come of it.

    `external_ref` names the decision elsewhere (the ticket of an office system) that stands behind it, and is kept.
    """

    decision: Literal["agree", "drop"]
    external_ref: Elsewhere


class SuspensionAnswer(Frozen):
    """How a confirmation is held: until an instant on one person's word, until it is lifted (null) on a second's."""

    number: Number
    standing: Stands
    until: Instant | None


SHAPES: tuple[type[BaseModel], ...] = (
    ConfirmationList,
    ConfirmationAnswer,
    Successor,
    WithdrawalEntry,
    WithdrawalRow,
    WithdrawalList,
    WithdrawalDecision,
    SuspensionAnswer,
)
