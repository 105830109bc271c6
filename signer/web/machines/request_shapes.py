"""The JSON of requests: what an exporter asks for, how it stands, and what both sides say and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from signer.domain.confirmation import DraftDestination, Typed
from signer.domain.requesting import MOST_ROWS, Advice, Outcome, Refusal
from signer.domain.values import Day, Frozen, Instant
from signer.register.requests import State
from signer.web.machines.shapes import Cursor, Ref

if TYPE_CHECKING:
    from pydantic import BaseModel

Written = Annotated[str, Field(max_length=2000)]


class WantedVehicle(Frozen):
    """A vehicle as its exporter knows it; the manufacturer is known by the name on its certificate, else by the VIN."""

    vin: Typed = ""
    brand: Typed = ""
    model: Typed = ""
    registered_on: Typed = ""
    transfer_pending_on: Typed = ""
    certificate_manufacturer: Typed = ""
    certificate_no: Typed = ""
    engine_no: Typed = ""
    colour: Typed = ""
    energy: Typed = ""
    battery_code: Typed = ""
    modified: bool = False


class _Asked(Frozen):
    destination: DraftDestination
    application_planned_on: Typed = ""
    last_useful_on: Typed = ""
    wanted: Typed = ""
    message: Written = ""


class RequestEntry(_Asked):
    """
    What an exporter asks for, of all manufacturers at once.

    `application_planned_on` is the day of the licence application, `last_useful_on` the last day on which an answer is
    of use (left out: the first end of a window), `wanted` the places where outlets are wanted, `message` a first word.
    """

    contract: Typed = ""
    vehicles: Annotated[tuple[WantedVehicle, ...], Field(max_length=MOST_ROWS)]


class RedirectionEntry(_Asked):
    """Chosen vehicles of a confirmation in force, and the country to which they go now."""

    vins: Annotated[tuple[Typed, ...], Field(max_length=MOST_ROWS)]


class RequestRow(Frozen):
    """
    One request of a list: `batch` names what was sent at once, `counterpart` is the other side's legal name.

    `needed_by` is the last day on which an answer is of use. `number` is the confirmation that was issued, `outcome`
    how it stands by now: `unclear` where that cannot be told here, but by verifying.
    """

    ref: Ref
    batch: Ref
    state: State
    outcome: Outcome | None
    maker: str
    exporter: str
    counterpart: str
    destination: DraftDestination
    contract: str
    vehicle_count: int
    needed_by: Day
    promised_on: Day | None
    supersedes: str | None
    number: str | None
    version: int
    asked_at: Instant
    changed_at: Instant


class RequestList(Frozen):
    """A part of the requests."""

    items: tuple[RequestRow, ...]
    next: Cursor


class RequestBatch(Frozen):
    """What was sent at once: one request to each manufacturer whose vehicles were named."""

    batch: Ref
    items: tuple[RequestRow, ...]


LineStanding = Literal["issued", "suspended", "superseded", "withdrawn", "unclear", "not-named"]


class RequestedVehicle(WantedVehicle):
    """
    A vehicle with its window, for an application on the planned day, else today.

    `advice`: `needed` through `needed_through`; `wait`: needed, but not from `free_from` on, within 30 days; `free`:
    not needed since `free_from`. `standing` is the vehicle's own once it is issued, `successor` the number after it.
    """

    advice: Advice
    needed_through: Day | None
    free_from: Day | None
    standing: LineStanding | None
    ended_at: Instant | None
    successor: str | None


class Said(Frozen):
    """One thing that one side said."""

    side: Literal["maker", "exporter"]
    name: str
    said_at: Instant
    text: str


class Difference(Frozen):
    """One difference between two versions of a request; `field` is '' for a vehicle that came or went."""

    kind: Literal["added", "removed", "retyped", "text"]
    vin: str
    field: str
    before: str
    after: str


class Changing(Frozen):
    """What one change of its exporter's made different."""

    name: str
    changed_at: Instant
    differences: tuple[Difference, ...]


class RequestAnswer(RequestRow):
    """
    A request as it stands now; `acceptance` is how the manufacturer stands to the exporter.

    `refusal` says in one word why it was refused, `reason` in words; `draft` is told to its manufacturer alone.
    """

    acceptance: Literal["asked", "accepted", "refused"]
    application_planned_on: str
    wanted: str
    refusal: Refusal | None
    reason: str | None
    draft: Ref | None
    vehicles: tuple[RequestedVehicle, ...]
    words: tuple[Said, ...]
    changes: tuple[Changing, ...]


class WordEntry(Frozen):
    """A question or an answer to the other side: 1 to 1000 characters."""

    text: Written


class PromiseEntry(Frozen):
    """The day by which the manufacturer answers, today or later."""

    promised_on: Annotated[str, Field(max_length=40)]


class RefusalEntry(Frozen):
    """Why a request is refused; `other` needs a reason in words."""

    refusal: Refusal
    reason: Written = ""


SHAPES: tuple[type[BaseModel], ...] = (
    RequestEntry,
    RedirectionEntry,
    RequestList,
    RequestBatch,
    RequestAnswer,
    WordEntry,
    PromiseEntry,
    RefusalEntry,
)
