"""A request told to a machine: of an exporter or of a manufacturer, each what its page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from signer.domain.confirmation import Standing
from signer.domain.requesting import need
from signer.domain.values import beijing_day, parse_day
from signer.services.request_changing import history
from signer.services.requesting import Asker
from signer.web.machines import request_shapes as shapes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from signer.domain.confirmation import DraftVehicle
    from signer.domain.machines import Caller
    from signer.register.requests import Former, Part, Request
    from signer.register.requests import Said as Word
    from signer.services.aftermath import Aftermath
    from signer.services.request_changing import Changed
    from signer.web.machines.rooms import House

Acceptance = Literal["asked", "accepted", "refused"]
_STANDINGS: Final[Mapping[Standing, shapes.LineStanding]] = {
    Standing.ISSUED: "issued",
    Standing.SUSPENDED: "suspended",
    Standing.SUPERSEDED: "superseded",
    Standing.WITHDRAWN: "withdrawn",
}
_TYPED = tuple(shapes.WantedVehicle.model_fields)


def asker(caller: Caller) -> Asker:
    """Return who asks, for which exporter. RightMissing for a token that speaks for none."""
    return Asker(exporter=caller.company, person=caller.by)


def part(house: House, caller: Caller, wanted: Part) -> tuple[tuple[Request, shapes.RequestRow], ...]:
    """Return a part of the requests that a caller may know of, each as it is told, and one more than asked for."""
    if caller.kind == "exporter":
        own = house.services.requesting.part(caller.company, wanted)
        return tuple((one.request, row(one.request, one.maker, one.after)) for one in own)
    inbox = house.services.request_inbox.part(caller.uscc, wanted)
    return tuple((one.request, row(one.request, one.exporter, one.after)) for one in inbox)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A request as either side is shown it."""

    head: shapes.RequestRow
    request: Request
    acceptance: Acceptance
    said: tuple[Word, ...]
    former: tuple[Former, ...]
    after: Aftermath | None
    draft: str | None


def answer(house: House, caller: Caller, ref: str) -> shapes.RequestAnswer:
    """Return one request as a caller may know it. NotFound."""
    if caller.kind == "exporter":
        return _whole(_of_exporter(house, caller, ref), today=beijing_day(house.clock()))
    return _whole(_of_maker(house, caller, ref), today=beijing_day(house.clock()))


def _of_exporter(house: House, caller: Caller, ref: str) -> _Found:
    found = house.services.requesting.find(caller.company, ref)
    return _Found(
        head=row(found.request, found.maker, found.after),
        request=found.request,
        acceptance=_acceptance(found.acceptance),
        said=found.said,
        former=found.former,
        after=found.after,
        draft=None,
    )


def _of_maker(house: House, caller: Caller, ref: str) -> _Found:
    found = house.services.request_inbox.find(caller.uscc, ref)
    known = found.applicant
    return _Found(
        head=row(found.request, known.recorded or known.sign_up.legal_name, found.after),
        request=found.request,
        acceptance=_acceptance(known.acceptance.state),
        said=found.said,
        former=found.former,
        after=found.after,
        draft=found.request.draft_ref,
    )


def _acceptance(state: str) -> Acceptance:
    return "accepted" if state == "accepted" else "refused" if state == "refused" else "asked"


def row(found: Request, counterpart: str, after: Aftermath | None) -> shapes.RequestRow:
    """Return a request as a list tells it."""
    body = found.draft
    return shapes.RequestRow(
        ref=found.ref,
        batch=found.batch,
        state=found.state,
        outcome=None if after is None else after.outcome,
        maker=found.maker,
        exporter=found.exporter_uscc,
        counterpart=counterpart,
        destination=body.destination,
        contract=body.contract,
        vehicle_count=found.vehicles,
        needed_by=found.needed_by,
        promised_on=found.promised_on,
        supersedes=found.supersedes,
        number=found.number,
        version=found.version,
        asked_at=found.asked_at,
        changed_at=found.changed_at,
    )


def _whole(found: _Found, *, today: date) -> shapes.RequestAnswer:
    asked = found.request
    body = asked.draft
    on = parse_day(body.application_planned_on) if body.application_planned_on else today
    return shapes.RequestAnswer(
        **dict(found.head),
        acceptance=found.acceptance,
        application_planned_on=body.application_planned_on,
        wanted=asked.wanted,
        refusal=asked.refusal,
        reason=asked.reason,
        draft=found.draft,
        vehicles=tuple(_vehicle(vehicle, found.after, on=on) for vehicle in body.vehicles),
        words=tuple(
            shapes.Said(side=one.side, name=one.name, said_at=one.said_at, text=one.text) for one in found.said
        ),
        changes=tuple(map(_changing, history(asked, found.former))),
    )


def _vehicle(vehicle: DraftVehicle, after: Aftermath | None, *, on: date) -> shapes.RequestedVehicle:
    window = need(vehicle, on=on)
    line = None if after is None else after.lines.get(vehicle.vin)
    is_told = line is not None and after is not None and vehicle.vin not in after.doubted
    successor = line.successor if is_told and line is not None and after is not None else None
    is_own = after is not None and str(successor) in after.own
    return shapes.RequestedVehicle(
        **{name: getattr(vehicle, name) for name in _TYPED},
        advice=window.advice,
        needed_through=window.through,
        free_from=window.free_from,
        standing=None if after is None else _standing(vehicle.vin, after),
        ended_at=line.ended_at if is_told and line is not None else None,
        successor=str(successor) if is_own else None,
    )


def _standing(vin: str, after: Aftermath) -> shapes.LineStanding:
    """Return how a vehicle stands by now, as the page says it."""
    line = after.lines.get(vin)
    if not after.lines or vin in after.doubted:
        return "unclear"
    return "not-named" if line is None else _STANDINGS.get(line.standing, "unclear")


def _said(one: Word) -> shapes.Said:
    return shapes.Said(side=one.side, name=one.name, said_at=one.said_at, text=one.text)


def _changing(one: Changed) -> shapes.Changing:
    differences = tuple(
        shapes.Difference(kind=each.kind, vin=each.vin, field=each.field, before=each.before, after=each.after)
        for each in one.changes
    )
    return shapes.Changing(name=one.name, changed_at=one.changed_at, differences=differences)
