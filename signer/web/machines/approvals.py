"""Approvals: a draft is sent, a second person decides on exactly the terms that were read, and it is sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.errors import Unavailable
from signer.services.approving import StaleTerms, Word
from signer.web import bodies
from signer.web.machines import gate, matching, paging, telling
from signer.web.machines.describing import PAGED, Doc, Query
from signer.web.machines.shapes import ApprovalAnswer, ApprovalList, ApprovalRow, Decision
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from flask import Response

    from signer.domain.machines import Caller
    from signer.register.submissions import State, Submission
    from signer.services.approving import Approving
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

_TAG = Tag(name="approvals", description="The second person's word, and the sealing that follows it.")
PLACE: Final = "/api/v1/approvals/{}"
STATES: Final[tuple[State, ...]] = ("waiting", "approved", "issued", "returned", "voided")
_STATE = Query("state", "Only those in this state.", values=STATES)


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _sending(gate_, house)
    _deciding(gate_, house)
    approving = house.services.approving

    @gate_.get(
        "/approvals",
        Right.APPROVALS_READ,
        doc=Doc(summary="List what was sent for approval", tag=_TAG, gives=ApprovalList, query=(_STATE, *PAGED)),
    )
    def list_approvals(caller: Caller) -> Response:
        wanted, states = paging.part(), paging.chosen("state", STATES)
        found = approving.part(caller.uscc, states, before=wanted.before, limit=wanted.limit)
        items, cursor = paging.cut(found, wanted, lambda one: str(one.id))
        body = ApprovalList(items=tuple(map(_row, items)), next=cursor)
        return matching.told(body, headers=paging.link(cursor))

    @gate_.get(
        "/approvals/<ref>",
        Right.APPROVALS_READ,
        doc=Doc(
            summary="Read what is to be approved",
            text="`terms` is the whole of what would be sealed; `terms_digest` is what the decision must name.",
            tag=_TAG,
            gives=ApprovalAnswer,
        ),
    )
    def get_approval(caller: Caller, ref: str) -> Response:
        return matching.told(shown(approving, caller, ref))


def _sending(gate_: Gate, house: House) -> None:
    approving, drafting = house.services.approving, house.services.drafting

    def sent(caller: Caller, ref: str) -> Response:
        return matching.told(shown(approving, caller, ref), status=201, headers={"Location": PLACE.format(ref)})

    @gate_.create(
        "/drafts/<ref>/approvals",
        Right.DRAFTS_WRITE,
        telling=sent,
        doc=Doc(
            summary="Send a draft for approval",
            text="In the version that If-Match names. Every rule is asked; all violations are named at once.",
            tag=_TAG,
            gives=ApprovalAnswer,
            status=201,
            matches=True,
            problems=("rule-violation", "conflict"),
        ),
    )
    def send_draft(caller: Caller, doing: Doing, ref: str) -> str:
        head = drafting.find(caller.uscc, ref).head
        matching.refuse_stale(f"{head.version}-{head.state}")
        found = approving.send(ref, maker=caller.uscc, by=caller.by, version=head.version, also=doing.note)
        return found.ref


def _deciding(gate_: Gate, house: House) -> None:
    approving = house.services.approving

    def decided(caller: Caller, ref: str) -> Response:
        answer = shown(approving, caller, ref)
        place = f"/api/v1/confirmations/{answer.number}" if answer.number else PLACE.format(ref)
        return matching.told(answer, headers={"Location": place})

    @gate_.create(
        "/approvals/<ref>/decisions",
        Right.APPROVALS_DECIDE,
        telling=decided,
        doc=Doc(
            summary="Approve and seal, or return",
            text=(
                "The token's person decides, and is another than who prepared or sent it. Approved, it is sealed "
                "before this answers: `state` is `issued`, and `number` names the confirmation. Where a part of the "
                "sealing does not answer, the problem is 503 and nothing is lost: ask again with the same key."
            ),
            tag=_TAG,
            takes=Decision,
            gives=ApprovalAnswer,
            problems=("not-permitted", "conflict", "terms-changed", "unavailable", "storage-low"),
        ),
    )
    def decide(caller: Caller, doing: Doing, ref: str) -> str:
        decision = bodies.parse(Decision, gate.body())
        if decision.decision == "return":
            if not decision.reason.strip():
                raise Refused("invalid-input", (_NO_REASON,))
            approving.send_back(ref, maker=caller.uscc, by=caller.by, reason=decision.reason, also=doing.note)
        else:
            _approve(approving, caller, ref, decision)
        return ref

    @gate_.change(
        "DELETE",
        "/approvals/<ref>",
        Right.DRAFTS_WRITE,
        doc=Doc(
            summary="Take back what was sent for approval",
            text="Its draft is open again.",
            tag=_TAG,
            gives=ApprovalAnswer,
            problems=("conflict",),
        ),
    )
    def take_back(caller: Caller, ref: str) -> Response:
        approving.take_back(ref, maker=caller.uscc, by=caller.by)
        return matching.told(shown(approving, caller, ref))


_NO_REASON = Fault(pointer="/reason", code="field.missing", zh="退回须说明理由", en="say why it is returned")


def _approve(approving: Approving, caller: Caller, ref: str, decision: Decision) -> None:
    """Approve and seal; twice is once, for the submission itself remembers. Raises StaleTerms, Unavailable."""
    word = Word(
        ref=ref,
        maker=caller.uscc,
        by=caller.by,
        terms_digest=decision.terms_digest,
        factor="token",
        external_ref=decision.external_ref,
    )
    answer = approving.approve(word)
    if answer.outcome == "changed":
        raise StaleTerms(answer.words)
    if answer.outcome != "issued":
        raise Unavailable(answer.words)


def shown(approving: Approving, caller: Caller, ref: str) -> ApprovalAnswer:
    """Return what was sent for approval as it is told of."""
    found = approving.show(caller.uscc, ref)
    row, findings = _row(found.submission), telling.findings(found.findings)
    return ApprovalAnswer(**dict(row), terms=found.terms, findings=findings, error=found.submission.error)


def _row(found: Submission) -> ApprovalRow:
    return ApprovalRow(
        ref=found.ref,
        draft=found.draft_ref,
        title=found.title,
        state=found.state,
        terms_digest=found.terms_digest.hex(),
        needed_by=found.needed_by,
        sent_at=found.sent_at,
        decided_at=found.decided_at,
        external_ref=found.external_ref,
        reason=found.reason,
        number=found.number,
    )
