"""What a draft is judged against: the time, the parties on record, the seal, what is in force, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.outlet_choice import NO_RULES
from signer.domain.values import beijing_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from signer.domain.confirmation import SealClass
    from signer.domain.number import Number
    from signer.domain.outlet_choice import Choosing
    from signer.domain.parties import Exporter, Manufacturer, Outlet, Person, Uscc
    from signer.domain.trust import SealState


@dataclass(frozen=True, slots=True, kw_only=True)
class SealCircumstances:
    """
    The seal to be used, as the trust list and its certificate describe it.

    `certificate_digest` is the hex SHA-256 of the DER certificate; `not_before` and `not_after` both belong to
    its validity. `binding_fault` says why the certificate is not the manufacturer's ('' if it is: B8).
    `reached_limit` is the monthly limit, if it is used up.
    """

    certificate_digest: str
    seal_class: SealClass
    state: SealState
    not_before: datetime
    not_after: datetime
    binding_fault: str
    reached_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predecessor:
    """The confirmation that a draft supersedes: same manufacturer; `live_vins` are its lines still in force."""

    number: Number
    exporter: Uscc
    live_vins: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """
    Everything outside the draft that the rules look at; gathered by a use case, judged here.

    `at` is aware. `exporter` is the one on record under the draft's USCC, or None. `outlets` are all of the
    manufacturer's, in every country; `choosing` tells how it wants them chosen where a draft names none. `live` maps
    each VIN in force under this manufacturer to its number.
    `predecessor` is the manufacturer's confirmation that the draft's `supersedes` names, or None.
    `approver` is None while nobody has approved. `production` are the VINs of the manufacturer's own list,
    None when it keeps none. `uncovered` returns the first character of a text that no font covers, or ''.
    """

    at: datetime
    manufacturer: Manufacturer
    exporter: Exporter | None
    outlets: tuple[Outlet, ...]
    seal: SealCircumstances | None
    live: Mapping[str, Number]
    predecessor: Predecessor | None
    preparer: Person
    approver: Person | None
    approver_may_approve: bool
    preparer_may_prepare: bool
    production: frozenset[str] | None
    uncovered: Callable[[str], str]
    template_version: str
    choosing: Choosing = NO_RULES

    @property
    def today(self) -> date:
        """The day of issue: the calendar day in Beijing."""
        return beijing_day(self.at)
