"""Receipts of one's own checks, for those who check by office: found again by case and outcome, and handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request
from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.errors import NotFound
from signer.register.checks import Sieve
from signer.seal.receipt import REASONS
from signer.web import bodies, languages
from signer.web.machines import gate, matching, paging
from signer.web.machines.describing import JSON, PAGED, Doc, Query
from signer.web.machines.receipt_shapes import (
    ReceiptAnswer,
    ReceiptList,
    ReceiptQuestion,
    ReceiptRow,
    ReceiptTrust,
    ReceiptVerdict,
)

if TYPE_CHECKING:
    from flask import Response

    from signer.domain.machines import Caller
    from signer.register.checks import Check
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

_TAG = Tag(name="receipts", description="Signed answers to what one asked, by token or at the desk.")
_JWT: Final = "application/jwt"
_OUTCOMES: Final = ("pass", "review", "fail", "none")
_FILTERS: Final = (
    Query("outcome", "Only those with this outcome.", values=_OUTCOMES),
    Query("reference", "Only those with this in their reference.", example="EL-2026-0417"),
)


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    inspecting = house.services.inspecting

    @gate_.get(
        "/receipts",
        Right.VERIFY,
        doc=Doc(
            summary="List receipts",
            text="Of what the token's person asked for the house. Other tokens have none.",
            tag=_TAG,
            gives=ReceiptList,
            query=(*_FILTERS, *PAGED),
        ),
    )
    def list_receipts(caller: Caller) -> Response:
        wanted, person = paging.part(), caller.of_house
        outcomes = paging.chosen("outcome", _OUTCOMES)
        outcome = outcomes[0] if len(outcomes) == 1 else ""
        sieve = Sieve(outcome=outcome, reference=paging.word("reference"), with_receipt=True)
        found, has_more = inspecting.history(person, before=wanted.after, sieve=sieve, per_page=wanted.limit)
        items = tuple(map(_row, found))
        cursor = paging.after(items[-1].ref) if has_more else None
        return matching.told(ReceiptList(items=items, next=cursor), headers=paging.link(cursor))

    @gate_.get(
        "/receipts/<ref>",
        Right.VERIFY,
        doc=Doc(
            summary="Fetch a receipt",
            text="`Accept: application/jwt` gives the compact JWS alone.",
            tag=_TAG,
            gives=ReceiptAnswer,
            files=(_JWT,),
        ),
    )
    def get_receipt(caller: Caller, ref: str) -> Response:
        check = inspecting.one(ref, person=caller.of_house)
        if check.receipt is None:
            raise NotFound("this check has no receipt")
        if request.accept_mimetypes.best_match([JSON, _JWT], default=JSON) == _JWT:
            return matching.carried(check.receipt.encode("ascii"), _JWT)
        return matching.told(ReceiptAnswer(**dict(_row(check)), receipt=check.receipt))

    _judging(gate_, house)


def _judging(gate_: Gate, house: House) -> None:
    receipts = house.services.receipts

    @gate_.change(
        "POST",
        "/receipts/verify",
        Right.VERIFY,
        doc=Doc(
            summary="Tell whether a receipt that somebody brings is genuine",
            text="By the trust list in use, as `signer receipt` does; nothing of it is kept.",
            tag=_TAG,
            takes=ReceiptQuestion,
            gives=ReceiptVerdict,
        ),
    )
    def judge_receipt(caller: Caller) -> Response:
        del caller
        question = bodies.parse(ReceiptQuestion, gate.body(), most_bytes=gate.MOST_BODY)
        found, trust = receipts.examine(question.receipt.encode(errors="replace")), receipts.trust_list()
        _, zh, en = ("", "", "") if found.reason is None else REASONS[found.reason]
        body = ReceiptVerdict(
            state=found.state,
            reason=found.reason,
            message=zh if languages.answered() == "zh" else en,
            signed_by=found.entry.legal_name if found.entry else None,
            trust_list=ReceiptTrust(sequence=trust.sequence, issued=trust.issued, test=trust.test),
            claims=found.claims.model_dump(mode="json", exclude_none=True) if found.claims else None,
        )
        return matching.told(body)


def _row(check: Check) -> ReceiptRow:
    return ReceiptRow(
        ref=check.ref,
        kind=check.kind,
        subject=check.subject,
        reference=check.reference,
        answer=check.answer,
        outcome=check.outcome,
        jti=check.jti or "",
        asked_at=check.asked_at,
    )
