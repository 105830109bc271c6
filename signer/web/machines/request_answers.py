"""A manufacturer's answers to requests: a day promised, a refusal, a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.machines import Right
from signer.web import bodies
from signer.web.machines import drafts, gate, matching, request_telling
from signer.web.machines.describing import Doc
from signer.web.machines.request_faults import in_words
from signer.web.machines.request_shapes import PromiseEntry, RefusalEntry, RequestAnswer
from signer.web.machines.requests import TAG, placed
from signer.web.machines.shapes import DraftAnswer

if TYPE_CHECKING:
    from flask import Response

    from signer.domain.machines import Caller
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _answering(gate_, house)
    _drafting(gate_, house)


def _answering(gate_: Gate, house: House) -> None:
    inbox = house.services.request_inbox

    def answered(caller: Caller, ref: str) -> Response:
        return placed(house, caller, ref)

    @gate_.create(
        "/requests/<ref>/promises",
        Right.REQUESTS_WRITE,
        telling=answered,
        doc=Doc(
            summary="Promise an answer by a day",
            tag=TAG,
            takes=PromiseEntry,
            gives=RequestAnswer,
            status=201,
            problems=("not-permitted", "conflict"),
        ),
    )
    def promise_answer(caller: Caller, doing: Doing, ref: str) -> str:
        maker, entry = caller.uscc, bodies.parse(PromiseEntry, gate.body())
        with in_words():
            inbox.promise(maker, ref, entry.promised_on, by=caller.by, also=doing.note)
        return ref

    @gate_.create(
        "/requests/<ref>/refusals",
        Right.REQUESTS_WRITE,
        telling=answered,
        doc=Doc(
            summary="Refuse a request",
            text="In the version that If-Match names.",
            tag=TAG,
            takes=RefusalEntry,
            gives=RequestAnswer,
            status=201,
            matches=True,
            problems=("not-permitted", "conflict"),
        ),
    )
    def refuse_request(caller: Caller, doing: Doing, ref: str) -> str:
        maker, entry = caller.uscc, bodies.parse(RefusalEntry, gate.body())
        version = _read_version(house, caller, ref)
        with in_words():
            inbox.refuse(maker, ref, entry.refusal, entry.reason, by=caller.by, version=version, also=doing.note)
        return ref


def _drafting(gate_: Gate, house: House) -> None:
    def drafted(caller: Caller, ref: str) -> Response:
        kept = house.services.drafting.find(caller.uscc, ref)
        return matching.told(drafts.answer(kept), status=201, headers=drafts.location(ref))

    @gate_.create(
        "/requests/<ref>/drafts",
        Right.DRAFTS_WRITE,
        telling=drafted,
        doc=Doc(
            summary="Make a draft of a request",
            text="In the version that If-Match names, once the exporter is accepted. The request follows the draft.",
            tag=TAG,
            gives=DraftAnswer,
            status=201,
            matches=True,
            problems=("not-permitted", "conflict"),
        ),
    )
    def draft_request(caller: Caller, doing: Doing, ref: str) -> str:
        maker, version = caller.uscc, _read_version(house, caller, ref)
        return house.services.request_inbox.draft(maker, ref, by=caller.by, version=version, also=doing.note)


def _read_version(house: House, caller: Caller, ref: str) -> int:
    """Return the version of a request that the machine read. Raises Refused if it is not the present one."""
    known = request_telling.answer(house, caller, ref)
    matching.refuse_stale(matching.version(known))
    return known.version
