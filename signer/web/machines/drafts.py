"""Drafts and what becomes of them: kept, judged, sent for approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response
from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.register.drafts import STATES
from signer.web import bodies
from signer.web.machines import gate, matching, paging, telling
from signer.web.machines.describing import PAGED, Doc, Query
from signer.web.machines.shapes import DraftAnswer, DraftEntry, DraftList, DraftRow, FindingsAnswer

if TYPE_CHECKING:
    from signer.domain.machines import Caller
    from signer.register.drafts import Head, Kept
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

_TAG = Tag(name="drafts", description="What a confirmation will say, before anybody approves it.")
_PLACE: Final = "/api/v1/drafts/{}"
_STATE = Query("state", "Only drafts in this state.", values=STATES)
_SEARCH = Query("search", "A VIN, a contract, an exporter's USCC, or part of the title.", example="A-2026-17")


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    drafting = house.services.drafting

    def told(caller: Caller, ref: str) -> Response:
        return matching.told(answer(drafting.find(caller.uscc, ref)), status=201, headers=location(ref))

    @gate_.create(
        "/drafts",
        Right.DRAFTS_WRITE,
        telling=told,
        doc=Doc(
            summary="Keep a new draft",
            text="Nothing is refused that can be typed: `findings` says what is still wrong.",
            tag=_TAG,
            takes=DraftEntry,
            gives=DraftAnswer,
            status=201,
        ),
    )
    def create_draft(caller: Caller, doing: Doing) -> str:
        entry = bodies.parse(DraftEntry, gate.body(), most_bytes=gate.MOST_BODY)
        return drafting.begin(caller.uscc, by=caller.by, body=entry.draft, title=entry.title, also=doing.note)

    @gate_.get(
        "/drafts",
        Right.DRAFTS_READ,
        doc=Doc(summary="List drafts", tag=_TAG, gives=DraftList, query=(_STATE, _SEARCH, *PAGED)),
    )
    def list_drafts(caller: Caller) -> Response:
        wanted, states = paging.part(), paging.chosen("state", STATES)
        found = drafting.part(
            caller.uscc,
            states,
            search=paging.word("search"),
            before=wanted.before,
            limit=wanted.limit,
        )
        items, cursor = paging.cut(found, wanted, lambda head: str(head.id))
        body = DraftList(items=tuple(map(_row, items)), next=cursor)
        return matching.told(body, headers=paging.link(cursor))

    @gate_.get("/drafts/<ref>", Right.DRAFTS_READ, doc=Doc(summary="Read a draft", tag=_TAG, gives=DraftAnswer))
    def get_draft(caller: Caller, ref: str) -> Response:
        kept = drafting.find(caller.uscc, ref)
        return matching.told(answer(kept), etag=_etag(kept.head))

    @gate_.change(
        "PUT",
        "/drafts/<ref>",
        Right.DRAFTS_WRITE,
        doc=Doc(
            summary="Put another draft in its place",
            text="A draft that waits for approval is open again, and the approval that was asked for counts no longer.",
            tag=_TAG,
            takes=DraftEntry,
            gives=DraftAnswer,
            matches=True,
            problems=("conflict",),
        ),
    )
    def replace_draft(caller: Caller, ref: str) -> Response:
        entry = bodies.parse(DraftEntry, gate.body(), most_bytes=gate.MOST_BODY)
        head = drafting.find(caller.uscc, ref).head
        matching.refuse_stale(_etag(head))
        kept = drafting.replace(caller.uscc, ref, entry.draft, title=entry.title, version=head.version, by=caller.by)
        return matching.told(answer(kept), etag=_etag(kept.head))

    @gate_.change(
        "DELETE",
        "/drafts/<ref>",
        Right.DRAFTS_WRITE,
        doc=Doc(
            summary="Discard a draft",
            text="It is kept among the discarded ones, and nothing becomes of it.",
            tag=_TAG,
            status=204,
            matches=True,
            problems=("conflict",),
        ),
    )
    def discard_draft(caller: Caller, ref: str) -> Response:
        head = drafting.find(caller.uscc, ref).head
        matching.refuse_stale(_etag(head))
        drafting.move(caller.uscc, ref, "discarded", by=caller.by, among=frozenset({"open"}))
        return Response(status=204)

    @gate_.get(
        "/drafts/<ref>/findings",
        Right.DRAFTS_READ,
        doc=Doc(summary="Judge a draft by every rule, now", tag=_TAG, gives=FindingsAnswer),
    )
    def judge_draft(caller: Caller, ref: str) -> Response:
        kept = drafting.find(caller.uscc, ref)
        findings = telling.findings(drafting.judge(caller.uscc, kept).findings)
        return matching.told(FindingsAnswer(version=kept.head.version, findings=findings))


def location(ref: str) -> dict[str, str]:
    """Say where a draft is."""
    return {"Location": _PLACE.format(ref)}


def _etag(head: Head) -> str:
    """Name a version; the state belongs to it, for it changes what may be done."""
    return f"{head.version}-{head.state}"


def _row(head: Head) -> DraftRow:
    return DraftRow(
        ref=head.ref,
        title=head.title,
        state=head.state,
        version=head.version,
        changed_at=head.at,
        number=head.number,
    )


def answer(kept: Kept) -> DraftAnswer:
    """Return a draft as it is told of."""
    row = _row(kept.head)
    return DraftAnswer(**dict(row), created_at=kept.head.created_at, draft=kept.body)
