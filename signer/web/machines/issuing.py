"""What leads to a confirmation in one step: a draft that is kept and sent at once, or one that takes over another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.machines import Right
from signer.domain.vehicle import normalise_vin
from signer.web import bodies
from signer.web.machines import approvals, drafts, gate, matching
from signer.web.machines.confirmation_shapes import Successor
from signer.web.machines.confirmations import TAG
from signer.web.machines.describing import Doc
from signer.web.machines.shapes import ApprovalAnswer, DraftAnswer, DraftEntry
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from flask import Response

    from signer.domain.machines import Caller
    from signer.services.confirming import Whole
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _issuing(gate_, house)
    _succeeding(gate_, house)


def _issuing(gate_: Gate, house: House) -> None:
    approving = house.services.approving

    def sent(caller: Caller, ref: str) -> Response:
        told = {"Location": approvals.PLACE.format(ref)}
        return matching.told(approvals.shown(approving, caller, ref), status=201, headers=told)

    @gate_.create(
        "/confirmations",
        Right.DRAFTS_WRITE,
        telling=sent,
        doc=Doc(
            summary="Ask for a confirmation in one step",
            text=(
                "Keeps the draft and sends it for approval, both or neither: where a rule is broken, all violations "
                "are named at once and nothing is kept. Nothing is sealed yet: that follows the decision of a second "
                "person on the approval that this answers with, at its `/decisions` or at the portal. Then its `state` "
                "is `issued` and its `number` names the confirmation."
            ),
            tag=TAG,
            takes=DraftEntry,
            gives=ApprovalAnswer,
            status=201,
            problems=("rule-violation", "not-permitted", "conflict", "unavailable"),
        ),
    )
    def issue_confirmation(caller: Caller, doing: Doing) -> str:
        entry = bodies.parse(DraftEntry, gate.body(), most_bytes=gate.MOST_BODY)
        return approving.submit(entry.draft, title=entry.title, maker=caller.uscc, by=caller.by, also=doing.note).ref


def _succeeding(gate_: Gate, house: House) -> None:
    drafting, confirming = house.services.drafting, house.services.confirming

    def begun(caller: Caller, ref: str) -> Response:
        kept = drafting.find(caller.uscc, ref)
        return matching.told(drafts.answer(kept), status=201, headers=drafts.location(ref))

    @gate_.create(
        "/confirmations/<number>/successors",
        Right.DRAFTS_WRITE,
        telling=begun,
        doc=Doc(
            summary="Begin a draft that takes over a confirmation",
            text=(
                "The draft says what the confirmation says, for those of its vehicles that are named and in force. "
                "What it takes over ends only when the successor is sealed, and in the same instant."
            ),
            tag=TAG,
            takes=Successor,
            gives=DraftAnswer,
            status=201,
            problems=("conflict",),
        ),
    )
    def succeed_confirmation(caller: Caller, doing: Doing, number: str) -> str:
        vins = bodies.parse(Successor, gate.body()).vins
        among = chosen(confirming.whole(caller.uscc, number), vins) if vins else None
        return drafting.succeed(caller.uscc, number, by=caller.by, among=among, also=doing.note)


def chosen(whole: Whole, vins: tuple[str, ...]) -> frozenset[str]:
    """Return the VINs that are named, each of a line in force. Raises Refused with every one that is not."""
    held = {line.vin for line in whole.in_force}
    faults = [_not_held(place) for place, vin in enumerate(vins) if normalise_vin(vin) not in held]
    if faults:
        raise Refused("invalid-input", tuple(faults))
    return frozenset(map(normalise_vin, vins))


def _not_held(place: int) -> Fault:
    zh, en = "此车辆不在本确认书的有效车辆之中", "not among the vehicles of this confirmation that are in force"
    return Fault(pointer=f"/vins/{place}", code="vin.not-in-force", zh=zh, en=en)
