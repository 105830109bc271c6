"""An exporter's side: a wish sent to each manufacturer, another destination, a change, and taking back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.confirmation import DraftVehicle
from signer.domain.machines import Right
from signer.domain.requesting import Wish, as_day
from signer.domain.vehicle import normalise_vin
from signer.register.requests import Part
from signer.web import bodies
from signer.web.machines import gate, matching, request_faults, request_telling
from signer.web.machines.describing import Doc
from signer.web.machines.request_shapes import RedirectionEntry, RequestAnswer, RequestBatch, RequestEntry
from signer.web.machines.requests import TAG, placed

if TYPE_CHECKING:
    from flask import Response

    from signer.domain.machines import Caller
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.request_shapes import WantedVehicle
    from signer.web.machines.rooms import House

_LIMIT = 200
"""More than a batch can have: a request each manufacturer, of 200 vehicles at most."""


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _sending(gate_, house)
    _redirecting(gate_, house)
    _changing(gate_, house)


def _sending(gate_: Gate, house: House) -> None:
    requesting = house.services.requesting

    def sent(caller: Caller, batch: str) -> Response:
        found = request_telling.part(house, caller, Part(batch=batch, limit=_LIMIT))
        body = RequestBatch(batch=batch, items=tuple(row for _, row in reversed(found)))
        return matching.told(body, status=201, headers={"Location": f"/api/v1/requests?batch={batch}"})

    @gate_.create(
        "/requests",
        Right.REQUESTS_WRITE,
        telling=sent,
        doc=Doc(
            summary="Ask for confirmations",
            text=(
                "The vehicles are parted by manufacturer, and each is sent a request of its own: all of them have one "
                "`batch`. Nothing is sent if anything is wrong: `errors` names every wrong field at once."
            ),
            tag=TAG,
            takes=RequestEntry,
            gives=RequestBatch,
            status=201,
            problems=("not-permitted",),
        ),
    )
    def send_requests(caller: Caller, doing: Doing) -> str:
        asker = request_telling.asker(caller)
        wish = _wish(bodies.parse(RequestEntry, gate.body(), most_bytes=gate.MOST_BODY))
        request_faults.refuse(requesting.faults(wish))
        with request_faults.sending():
            requesting.send(wish, asker, also=doing.note)
        return doing.made or ""


def _redirecting(gate_: Gate, house: House) -> None:
    def redirected(caller: Caller, ref: str) -> Response:
        return placed(house, caller, ref)

    @gate_.create(
        "/confirmations/<number>/requests",
        Right.REQUESTS_WRITE,
        telling=redirected,
        doc=Doc(
            summary="Ask that vehicles of a confirmation go to another country",
            text="Nothing changes before the manufacturer has issued the confirmation that supersedes it.",
            tag=TAG,
            takes=RedirectionEntry,
            gives=RequestAnswer,
            status=201,
            problems=("not-permitted", "conflict"),
        ),
    )
    def redirect_vehicles(caller: Caller, doing: Doing, number: str) -> str:
        asker = request_telling.asker(caller)
        entry = bodies.parse(RedirectionEntry, gate.body(), most_bytes=gate.MOST_BODY)
        vins = [normalise_vin(vin) for vin in entry.vins]
        with request_faults.sending():
            return house.services.requesting.redirect(number, vins, _wish(entry), asker, also=doing.note)


def _changing(gate_: Gate, house: House) -> None:
    changing = house.services.request_changing

    @gate_.change(
        "PUT",
        "/requests/<ref>",
        Right.REQUESTS_WRITE,
        doc=Doc(
            summary="Change a request that waits for an answer",
            text="All its vehicles are of its one manufacturer, who is told; what it said before is kept.",
            tag=TAG,
            takes=RequestEntry,
            gives=RequestAnswer,
            matches=True,
            problems=("not-permitted", "conflict"),
        ),
    )
    def change_request(caller: Caller, ref: str) -> Response:
        asker = request_telling.asker(caller)
        wish = _wish(bodies.parse(RequestEntry, gate.body(), most_bytes=gate.MOST_BODY))
        known = request_telling.answer(house, caller, ref)
        matching.refuse_stale(matching.version(known))
        request_faults.refuse(changing.faults(asker.exporter, ref, wish))
        with request_faults.sending():
            changing.change(ref, wish, asker, version=known.version)
        return matching.told(request_telling.answer(house, caller, ref))

    @gate_.change(
        "DELETE",
        "/requests/<ref>",
        Right.REQUESTS_WRITE,
        doc=Doc(
            summary="Take back a request",
            text="Until its draft is sent for approval; a draft that was made of it stays the manufacturer's.",
            tag=TAG,
            gives=RequestAnswer,
            problems=("not-permitted", "conflict"),
        ),
    )
    def take_back_request(caller: Caller, ref: str) -> Response:
        house.services.requesting.withdraw(ref, request_telling.asker(caller))
        return matching.told(request_telling.answer(house, caller, ref))


def _wish(entry: RequestEntry | RedirectionEntry) -> Wish:
    place = entry.destination
    return Wish(
        country=place.country,
        port=place.port,
        buyer=place.buyer,
        contract=entry.contract if isinstance(entry, RequestEntry) else "",
        planned_on=entry.application_planned_on,
        last_day=entry.last_useful_on,
        wanted=entry.wanted,
        message=entry.message,
        vehicles=tuple(map(_vehicle, entry.vehicles)) if isinstance(entry, RequestEntry) else (),
    )


def _vehicle(wanted: WantedVehicle) -> DraftVehicle:
    """Return a vehicle as the form of the page keeps it."""
    told = {name: text.strip() if isinstance(text, str) else text for name, text in wanted}
    day = as_day(wanted.registered_on) or told["registered_on"]
    return DraftVehicle.model_validate({**told, "vin": normalise_vin(wanted.vin), "registered_on": day})
