"""The confirmation: draft, terms, the numbered whole, and its standing per VIN line."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from signer.domain.number import Number
from signer.domain.parties import Country, Exporter, Manufacturer, Outlet, OutletId
from signer.domain.values import Day, Frozen, Hex256, Instant, LongText, Text, Whole
from signer.domain.vehicle import Vehicle, Vin

SCHEMA: Final = "signer.confirmation/1"
DRAFT_SCHEMA: Final = "signer.draft/1"
MOST_VEHICLES = 200
USUAL_VEHICLES = 20
MOST_OUTLETS = 40
MOST_DRAFT_ROWS = 1000
"""A draft may have more rows than a confirmation, so that a rule can say so; but not without end."""

Typed = Annotated[str, Field(max_length=1000)]
"""What a person typed: any text, judged by the rules and not by its type."""


class DraftVehicle(Frozen):
    """A vehicle as typed."""

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
    outlets: Annotated[tuple[Typed, ...], Field(max_length=MOST_OUTLETS)] = ()


class DraftDestination(Frozen):
    """A destination as typed."""

    country: Typed = ""
    port: Typed = ""
    buyer: Typed = ""


class DraftCommitment(Frozen):
    """The manufacturer's commitment as typed."""

    text_zh: Typed = ""
    text_en: Typed = ""
    from_on: Typed = ""
    until_on: Typed = ""
    warranty_months: int | None = None
    warranty_km: int | None = None
    parts_years: int | None = None
    parts_lead_days: int | None = None
    localised: Typed = ""
    localised_note: Typed = ""
    battery_service: bool | None = None


class Draft(Frozen):
    """
    A confirmation without number, as typed: text, which `rules.check` judges as a whole.

    `exporter` is a USCC, `outlets` are ids of the manufacturer's outlets (empty: all live ones of the
    destination), `until` is a date, `required-through` or `none`.
    """

    schema_id: Literal["signer.draft/1"] = Field(default=DRAFT_SCHEMA, alias="schema")
    manufacturer: Typed = ""
    exporter: Typed = ""
    contract: Typed = ""
    destination: DraftDestination = DraftDestination()
    application_planned_on: Typed = ""
    vehicles: Annotated[tuple[DraftVehicle, ...], Field(max_length=MOST_DRAFT_ROWS)] = ()
    outlets: Annotated[tuple[Typed, ...], Field(max_length=MOST_DRAFT_ROWS)] = ()
    commitment: DraftCommitment = DraftCommitment()
    until: Typed = "required-through"
    supersedes: Typed = ""


class Destination(Frozen):
    """Where the vehicles go."""

    country: Country
    port: Text | None = None
    buyer: Text | None = None


Localised = Literal["yes", "no", "partly"]


class Commitment(Frozen):
    """What the manufacturer promises, in its own words, with a period of its own."""

    text_zh: LongText
    text_en: LongText
    from_on: Day | None = None
    until_on: Day | None = None
    warranty_months: Whole | None = None
    warranty_km: Whole | None = None
    parts_years: Whole | None = None
    parts_lead_days: Whole | None = None
    localised: Localised | None = None
    localised_note: Text | None = None
    battery_service: bool | None = None


class TemplateChoice(Frozen):
    """The page's source, and its languages in printed order."""

    name: Literal["confirmation"] = "confirmation"
    version: Annotated[str, Field(pattern=r"^[0-9]{1,4}$")]
    languages: tuple[Literal["zh", "en", "ru", "es", "ar", "fr"], ...]


class SealClass(StrEnum):
    """What a seal claims to be: printed on the paper and returned in every verdict."""

    TEST = "TEST"
    MAKER = "MAKER"
    OFFICIAL = "OFFICIAL"


class SealChoice(Frozen):
    """The seal to be used: its certificate by SHA-256, and its class."""

    certificate_digest: Hex256
    seal_class: SealClass


class Terms(Frozen):
    """
    Everything that the people decide; the approval binds the SHA-256 of its canonical encoding.

    `outlets` stand by id; `outlet_order` are their ids as they are printed, absent where that is by id too.
    """

    manufacturer: Manufacturer
    exporter: Exporter
    contract: Text | None = None
    destination: Destination
    application_planned_on: Day | None = None
    vehicles: Annotated[tuple[Vehicle, ...], Field(min_length=1, max_length=MOST_VEHICLES)]
    outlets: Annotated[tuple[Outlet, ...], Field(min_length=1, max_length=MOST_OUTLETS)]
    outlet_order: Annotated[tuple[OutletId, ...], Field(min_length=2, max_length=MOST_OUTLETS)] | None = None
    commitment: Commitment
    supersedes: Number | None = None
    until: Day | Literal["required-through"] | None = None
    template: TemplateChoice
    seal: SealChoice

    @property
    def printed_outlets(self) -> tuple[Outlet, ...]:
        """The outlets as they are printed: the nearest first, by id where nothing says otherwise."""
        if self.outlet_order is None:
            return self.outlets
        known = {outlet.id: outlet for outlet in self.outlets}
        return tuple(known[each] for each in self.outlet_order)

    @property
    def vins(self) -> tuple[Vin, ...]:
        """The vehicles' VINs in typed order."""
        return tuple(vehicle.vin for vehicle in self.vehicles)


class Confirmation(Frozen):
    """The numbered whole: what is attached to the PDF, printed on it, and kept in the register."""

    schema_id: Literal["signer.confirmation/1"] = Field(default=SCHEMA, alias="schema")
    number: Number
    issued_at: Instant
    until: Day | None = None
    terms: Terms
    terms_digest: Hex256


class Standing(StrEnum):
    """The register's word on a confirmation, kept per VIN line."""

    PENDING = "pending"
    ISSUED = "issued"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    ABANDONED = "abandoned"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing follows: such a line never changes again."""
        return not ALLOWED[self]

    def may_become(self, other: Standing) -> bool:
        """Tell whether the register allows this change."""
        return other in ALLOWED[self]


ALLOWED: dict[Standing, frozenset[Standing]] = {
    Standing.PENDING: frozenset({Standing.ISSUED, Standing.ABANDONED}),
    Standing.ISSUED: frozenset({Standing.SUSPENDED, Standing.SUPERSEDED, Standing.WITHDRAWN}),
    Standing.SUSPENDED: frozenset({Standing.ISSUED, Standing.SUPERSEDED, Standing.WITHDRAWN}),
    Standing.SUPERSEDED: frozenset(),
    Standing.WITHDRAWN: frozenset(),
    Standing.ABANDONED: frozenset(),
}
