"""What ends a confirmation or holds it: withdrawals on two people's word, suspensions at once on one's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response
from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.domain.values import beijing_day
from signer.errors import NotFound
from signer.services.confirming import parse
from signer.web import bodies
from signer.web.machines import gate, matching, paging
from signer.web.machines.confirmation_shapes import (
    SuspensionAnswer,
    WithdrawalDecision,
    WithdrawalEntry,
    WithdrawalList,
    WithdrawalRow,
)
from signer.web.machines.confirmations import PLACE, TAG, answer
from signer.web.machines.describing import PAGED, Doc, Query
from signer.web.machines.issuing import chosen

if TYPE_CHECKING:
    from signer.domain.machines import Caller
    from signer.register.second_words import Outcome, Wish
    from signer.services.confirming import Confirming
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

_TAG = Tag(name="withdrawals", description="What ends vehicles of a confirmation for ever, on two people's word.")
_PLACE: Final = "/api/v1/withdrawals/{}"
_STATES: Final[dict[str, Outcome | None]] = {"waiting": None, "done": "done", "dropped": "dropped"}
_STATE = Query("state", "Only those in this state.", values=tuple(_STATES))


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _asking(gate_, house)
    _reading(gate_, house)
    _deciding(gate_, house)
    _holding(gate_, house)


def _asking(gate_: Gate, house: House) -> None:
    confirming = house.services.confirming

    def asked(caller: Caller, ref: str) -> Response:
        told = {"Location": _PLACE.format(ref)}
        return matching.told(_row(_withdrawal(confirming, caller, ref)), status=201, headers=told)

    @gate_.create(
        "/confirmations/<number>/withdrawals",
        Right.CONFIRMATIONS_END,
        telling=asked,
        doc=Doc(
            summary="Ask for the withdrawal of vehicles",
            text=(
                "Nothing ends before a second person, an approver, agrees to it. Until then the vehicles stay in "
                "force; where that must not be, suspend the confirmation too."
            ),
            tag=_TAG,
            takes=WithdrawalEntry,
            gives=WithdrawalRow,
            status=201,
            problems=("not-permitted", "conflict"),
        ),
    )
    def ask_withdrawal(caller: Caller, doing: Doing, number: str) -> str:
        entry = bodies.parse(WithdrawalEntry, gate.body())
        vins = chosen(confirming.whole(caller.uscc, number), entry.vins)
        wish = confirming.ask_withdrawal(
            caller.uscc, number, vins=vins, reason=entry.reason, by=caller.by, also=doing.note
        )
        return wish.ref


def _reading(gate_: Gate, house: House) -> None:
    confirming = house.services.confirming

    @gate_.get(
        "/withdrawals",
        Right.CONFIRMATIONS_READ,
        doc=Doc(summary="List withdrawals", tag=_TAG, gives=WithdrawalList, query=(_STATE, *PAGED)),
    )
    def list_withdrawals(caller: Caller) -> Response:
        wanted, states = paging.part(), paging.chosen("state", tuple(_STATES))
        outcomes = tuple(_STATES[state] for state in states)
        found = confirming.withdrawals(caller.uscc, outcomes, before=wanted.before, limit=wanted.limit)
        items, cursor = paging.cut(found, wanted, lambda one: str(one[0]))
        body = WithdrawalList(items=tuple(_row(wish) for _, wish in items), next=cursor)
        return matching.told(body, headers=paging.link(cursor))

    @gate_.get(
        "/withdrawals/<ref>",
        Right.CONFIRMATIONS_READ,
        doc=Doc(summary="Read a withdrawal", tag=_TAG, gives=WithdrawalRow),
    )
    def get_withdrawal(caller: Caller, ref: str) -> Response:
        return matching.told(_row(_withdrawal(confirming, caller, ref)))


def _deciding(gate_: Gate, house: House) -> None:
    confirming = house.services.confirming

    def decided(caller: Caller, ref: str) -> Response:
        wish = _withdrawal(confirming, caller, ref)
        return matching.told(_row(wish), headers={"Location": PLACE.format(wish.number)})

    @gate_.create(
        "/withdrawals/<ref>/decisions",
        Right.APPROVALS_DECIDE,
        Right.CONFIRMATIONS_END,
        telling=decided,
        doc=Doc(
            summary="Agree to a withdrawal, or drop it",
            text=(
                "`agree` withdraws at once and for ever. It takes the right `approvals:decide` of another person than "
                "who asked for it; `drop` takes either right, and lets nothing come of it."
            ),
            tag=_TAG,
            takes=WithdrawalDecision,
            gives=WithdrawalRow,
            problems=("not-permitted", "conflict"),
        ),
    )
    def decide_withdrawal(caller: Caller, doing: Doing, ref: str) -> str:
        decision = bodies.parse(WithdrawalDecision, gate.body())
        _withdrawal(confirming, caller, ref)
        elsewhere = decision.external_ref
        if decision.decision == "drop":
            confirming.drop(caller.uscc, ref, by=caller.by, external_ref=elsewhere, also=doing.note)
        else:
            caller.refuse_without(Right.APPROVALS_DECIDE)
            confirming.agree(caller.uscc, ref, by=caller.by, factor="token", external_ref=elsewhere, also=doing.note)
        return ref


def _holding(gate_: Gate, house: House) -> None:
    confirming, ending = house.services.confirming, house.services.ending

    def held(caller: Caller, number: str) -> Response:
        found = answer(confirming.held(caller.uscc, number), beijing_day(house.clock()))
        body = SuspensionAnswer(number=found.number, standing=found.standing, until=found.suspended_until)
        return matching.told(body, status=201, headers={"Location": PLACE.format(found.number)})

    @gate_.create(
        "/confirmations/<number>/suspensions",
        Right.CONFIRMATIONS_END,
        telling=held,
        is_own=True,
        doc=Doc(
            summary="Suspend a confirmation at once",
            text=(
                "On one person's word for 72 hours, after which it is in force again by itself; asked for by a second "
                "person too, until an approver lifts it. The key counts for this token alone."
            ),
            tag=TAG,
            gives=SuspensionAnswer,
            status=201,
            problems=("not-permitted", "conflict"),
        ),
    )
    def suspend_confirmation(caller: Caller, doing: Doing, number: str) -> str:
        parsed = parse(number)
        told = {"manufacturer": caller.uscc, "by": caller.by}
        ending.suspend(parsed, also=lambda tx: doing.note(tx, parsed), **told)
        return parsed

    @gate_.change(
        "DELETE",
        "/confirmations/<number>/suspensions",
        Right.CONFIRMATIONS_END,
        doc=Doc(
            summary="Lift a suspension",
            text="Only an approver may; what was held is in force again.",
            tag=TAG,
            status=204,
            problems=("not-permitted", "conflict"),
        ),
    )
    def lift_suspension(caller: Caller, number: str) -> Response:
        ending.lift(parse(number), manufacturer=caller.uscc, by=caller.by)
        return Response(status=204)


def _withdrawal(confirming: Confirming, caller: Caller, ref: str) -> Wish:
    """Return a withdrawal that was asked for. NotFound, also for what was asked of a copy."""
    wish = confirming.wish(caller.uscc, ref)
    if wish.kind != "withdraw":
        raise NotFound("no such withdrawal")
    return wish


def _row(wish: Wish) -> WithdrawalRow:
    told = {
        "ref": wish.ref,
        "number": wish.number,
        "state": wish.outcome or "waiting",
        "vins": wish.vins,
        "reason": wish.reason,
        "asked_at": wish.asked_at,
        "decided_at": wish.decided_at,
        "external_ref": wish.external_ref,
    }
    return WithdrawalRow.model_validate(told)
