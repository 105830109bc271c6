"""What became of a confirmation after it answered a request: the register's word, for the request and for each VIN."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from signer.domain import requesting
from signer.domain.confirmation import Standing
from signer.domain.values import beijing_day
from signer.register import restores, standings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date, datetime

    from signer.domain.evidence import LineFacts, RecordFacts
    from signer.domain.requesting import Outcome
    from signer.register.database import Transaction
    from signer.register.requests import Request
    from signer.register.scope import Scope

_UNSPOKEN: Final = (Standing.PENDING, Standing.ABANDONED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """
    How a request stands by now that was issued: in one word, and the line of each VIN of its confirmation.

    `doubted` are the VINs of which the register cannot tell; `own` those of the numbers named here that the reader may
    be led to.
    """

    outcome: Outcome
    lines: Mapping[str, LineFacts] = field(default_factory=dict)
    doubted: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


UNTOLD: Final = Aftermath(outcome="unclear")
"""For who may not be told: the manufacturer deals with this exporter no more."""


def of_requests(
    tx: Transaction, found: Collection[Request], *, scope: Scope, at: datetime, exporter: str = ""
) -> dict[str, Aftermath]:
    """
    Return how requests stand that were issued, by their reference; those that were not are left out.

    `exporter`: who reads, unless it is a manufacturer: it is led only to numbers that were issued to it.
    """
    gaps, today = restores.gaps(tx), beijing_day(at)
    issued = [one for one in found if one.number is not None and one.state == "issued"]
    records = standings.of_numbers(tx, [str(one.number) for one in issued], scope=scope, at=at)
    named = {str(line.successor) for record in records.values() for line in record.lines if line.successor}
    own = standings.issued_to(tx, named, exporter, scope=scope) if exporter and named else frozenset(named)
    told = {one.ref: (one, records[str(one.number)].over(gaps)) for one in issued if one.number in records}
    return {
        ref: _of(one, record, today=today, own=own)
        for ref, (one, record) in told.items()
        if record.standing not in _UNSPOKEN
    }


def _of(one: Request, record: RecordFacts, *, today: date, own: frozenset[str]) -> Aftermath:
    lines = {line.vin: line for line in record.lines}
    asked = [lines[row.vin] for row in one.draft.vehicles if row.vin in lines] or list(lines.values())
    doubted = frozenset(line.vin for line in record.lines if record.is_doubted(line, today))
    outcome = requesting.outcome(line.standing for line in asked)
    is_doubted = any(line.vin in doubted for line in asked)
    return Aftermath(outcome="unclear" if is_doubted else outcome, lines=lines, doubted=doubted, own=own)
