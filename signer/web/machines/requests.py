"""Requests as both sides read them: an exporter its own, a manufacturer its inbox; and words between the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.register.requests import STATES, Part
from signer.web import bodies
from signer.web.machines import gate, matching, paging, request_telling
from signer.web.machines.describing import PAGED, Doc, Query
from signer.web.machines.request_faults import in_words
from signer.web.machines.request_shapes import RequestAnswer, RequestList, WordEntry

if TYPE_CHECKING:
    from flask import Response

    from signer.domain.machines import Caller
    from signer.register.requests import Request
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

TAG = Tag(name="requests", description="What exporters ask manufacturers for, and what becomes of it.")
PLACE: Final = "/api/v1/requests/{}"
_SORTS: Final = ("newest", "last-useful-day")
_FILTERS: Final = (
    Query("state", "Only those in this state.", values=STATES),
    Query("batch", "Only those that were sent at once, under this reference.", example="5f0c6a7d9e21b384"),
    Query("sort", "The newest first unless said: or by the last day on which an answer is of use.", values=_SORTS),
)


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""

    @gate_.get(
        "/requests",
        Right.REQUESTS_READ,
        doc=Doc(
            summary="List requests",
            text="Of the exporter, whichever manufacturer they are for; or to the manufacturer.",
            tag=TAG,
            gives=RequestList,
            query=(*_FILTERS, *PAGED),
        ),
    )
    def list_requests(caller: Caller) -> Response:
        wanted, part = _part()
        found = request_telling.part(house, caller, part)
        items, cursor = paging.cut(found, wanted, lambda one: _place_of(one[0], soonest=part.soonest))
        body = RequestList(items=tuple(row for _, row in items), next=cursor)
        return matching.told(body, headers=paging.link(cursor))

    @gate_.get(
        "/requests/<ref>",
        Right.REQUESTS_READ,
        doc=Doc(
            summary="Read a request",
            text="With each vehicle's window, what both sides said, and how what came of it stands by now.",
            tag=TAG,
            gives=RequestAnswer,
        ),
    )
    def get_request(caller: Caller, ref: str) -> Response:
        return matching.told(request_telling.answer(house, caller, ref))

    _words(gate_, house)


def _words(gate_: Gate, house: House) -> None:
    def said(caller: Caller, ref: str) -> Response:
        return placed(house, caller, ref)

    @gate_.create(
        "/requests/<ref>/words",
        Right.REQUESTS_WRITE,
        telling=said,
        doc=Doc(
            summary="Ask or answer the other side",
            tag=TAG,
            takes=WordEntry,
            gives=RequestAnswer,
            status=201,
            problems=("not-permitted", "conflict"),
        ),
    )
    def say_to_request(caller: Caller, doing: Doing, ref: str) -> str:
        text = bodies.parse(WordEntry, gate.body()).text
        with in_words():
            if caller.kind == "exporter":
                house.services.requesting.say(ref, text, request_telling.asker(caller), also=doing.note)
            else:
                house.services.request_inbox.say(caller.uscc, ref, text, by=caller.by, also=doing.note)
        return ref


def placed(house: House, caller: Caller, ref: str) -> Response:
    """Tell of a request that something was added to, and where it is."""
    body = request_telling.answer(house, caller, ref)
    return matching.told(body, status=201, headers={"Location": PLACE.format(ref)})


def _part() -> tuple[paging.Part, Part]:
    wanted = paging.part()
    states, batch = paging.chosen("state", STATES), paging.word("batch")
    if paging.chosen("sort", _SORTS) == ("last-useful-day",):
        return wanted, Part(states=states, batch=batch, limit=wanted.limit, soonest=True, after=wanted.day_and_id)
    return wanted, Part(states=states, batch=batch, limit=wanted.limit, before=wanted.before)


def _place_of(found: Request, *, soonest: bool) -> str:
    """Return where a part of the list ends."""
    return f"{found.needed_by}/{found.id}" if soonest else str(found.id)
