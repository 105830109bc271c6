"""Batches: a file of vehicles is handed in and read, sent, decided on once as a whole, and sealed item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request
from flask_openapi.models.data_type import DataType
from flask_openapi.models.tag import Tag

from signer.domain.batch import MOST_GROUPED, BatchState, ItemState
from signer.domain.machines import Right
from signer.errors import NotFound
from signer.services.batching import MOST_BYTES, Word
from signer.services.importing import Asked
from signer.services.zipping import MIME as ZIP
from signer.sheets.writing import CSV, XLSX
from signer.web import bodies, intake, languages, pouring
from signer.web.machines import gate, matching, paging
from signer.web.machines.batch_shapes import (
    BatchAnswer,
    BatchDecision,
    BatchFault,
    BatchItemAnswer,
    BatchItemInFull,
    BatchItemList,
    BatchList,
    BatchProgress,
    BatchReason,
    BatchRow,
    BatchShare,
    BatchSummary,
)
from signer.web.machines.describing import PAGED, Doc, Query
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from signer.domain.batch import Failure
    from signer.domain.importing import Said
    from signer.domain.machines import Caller
    from signer.register.batch_items import Item
    from signer.register.batches import Head
    from signer.services.batching import Batching
    from signer.services.deeds import Doing
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

TAG = Tag(name="batches", description="Up to 50,000 vehicles at once: read, approved as a whole, sealed one by one.")
PLACE: Final = "/api/v1/batches/{}"
JSON_LINES: Final = "application/jsonl"
_MOST_PLACE: Final = 7
MOST_FAULTS: Final = 200
"""Remarks that an answer tells; the portal's sheet with reasons has more."""
_CSV: Final = CSV.partition(";")[0]
_SHEET: Final = "vin,brand,model,registered_on,manufacturer,country\nLTEST0000T0000017,示例牌,SL7000A,2026-01-20,…,KZ\n"
_LINE: Final = '{"vin": "LTEST0000T0000017", "brand": "示例牌", "model": "SL7000A", "registered_on": "2026-01-20"}\n'
_STATES: Final = tuple(BatchState)
_ITEM_STATES: Final = tuple(ItemState)
_STEER: Final = (Right.DRAFTS_WRITE, Right.APPROVALS_DECIDE)
_STATE = Query("state", "Only batches in this state.", values=_STATES)
_ITEM_STATE = Query("state", "Only items in this state.", values=_ITEM_STATES)
_ASKED: Final = (
    Query(
        "size",
        f"How many vehicles of one exporter, destination, contract and model may go on one confirmation: 1 to "
        f"{MOST_GROUPED}; 1 unless said.",
        kind=DataType.INTEGER,
    ),
    Query("name", "What the file is called, for people.", example="2026-12-kz.csv"),
)
_NO_REASON = Fault(pointer="/reason", code="field.missing", zh="退回须说明理由", en="say why it is returned")
_NO_SIZE = Fault(pointer="/size", code="batch.size", zh=f"须为 1 至 {MOST_GROUPED}", en=f"is 1 to {MOST_GROUPED}")
_NO_FILE = Fault(pointer="", code="batch.empty", zh="请求中没有文件内容", en="the request holds no file")


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    _handing_in(gate_, house)
    _reading(gate_, house)
    _deciding(gate_, house)
    _steering(gate_, house)


def _handing_in(gate_: Gate, house: House) -> None:
    batching = house.services.batching

    def told(caller: Caller, ref: str) -> Response:
        head = batching.find(caller.uscc, ref).head
        where = {"Location": PLACE.format(ref)}
        return matching.told(answer(batching, caller, ref), etag=_etag(head), status=201, headers=where)

    @gate_.create(
        "/batches",
        Right.DRAFTS_WRITE,
        telling=told,
        reads=_file,
        doc=Doc(
            summary="Hand in a file of vehicles",
            text=(
                "XLSX or CSV in the layout of the portal's template for vehicles, or JSON Lines with the same names. "
                "The service commitment is that of the manufacturer's last draft. "
                "It is read and judged as a whole by a job: ask for the batch until its state is `ready` or `faulty`. "
                "The same bytes with the same `size` are the same batch, unless that was faulty, or cancelled early."
            ),
            tag=TAG,
            sends=((XLSX, "PK…"), (_CSV, _SHEET), (JSON_LINES, _LINE)),
            gives=BatchAnswer,
            status=201,
            query=_ASKED,
            problems=("rule-violation", "queue-full", "storage-low"),
        ),
    )
    def create_batch(caller: Caller, doing: Doing) -> str:
        size, name, data = _size(), paging.word("name"), request.get_data()
        if not data.strip():
            raise Refused("invalid-input", (_NO_FILE,))
        asked = Asked(person=caller.by, maker=caller.uscc)
        return batching.hand_in(asked, file_name=name, data=data, size=size, also=doing.note)[0]


def _reading(gate_: Gate, house: House) -> None:
    batching = house.services.batching

    @gate_.get(
        "/batches",
        Right.DRAFTS_READ,
        doc=Doc(summary="List batches", tag=TAG, gives=BatchList, query=(_STATE, *PAGED)),
    )
    def list_batches(caller: Caller) -> Response:
        wanted, states = paging.part(), paging.chosen("state", _STATES)
        found = batching.part(caller.uscc, states, before=wanted.before, limit=wanted.limit)
        items, cursor = paging.cut(found, wanted, lambda head: str(head.id))
        body = BatchList(items=tuple(map(_row, items)), next=cursor)
        return matching.told(body, headers=paging.link(cursor))

    @gate_.get(
        "/batches/<ref>",
        Right.DRAFTS_READ,
        doc=Doc(
            summary="Read a batch: its report, its sum, how far it is",
            text=(
                "`root` is what the decision must name: the root of the tree over the terms digests of all items, in "
                "the order of their places. The ETag is what If-Match takes; each item sealed makes it another."
            ),
            tag=TAG,
            gives=BatchAnswer,
        ),
    )
    def get_batch(caller: Caller, ref: str) -> Response:
        body, head = answer(batching, caller, ref), batching.find(caller.uscc, ref).head
        return matching.told(body, etag=_etag(head))

    @gate_.get(
        "/batches/<ref>/items",
        Right.DRAFTS_READ,
        doc=Doc(
            summary="List the items of a batch, in the order of the file",
            tag=TAG,
            gives=BatchItemList,
            query=(_ITEM_STATE, *PAGED),
        ),
    )
    def list_batch_items(caller: Caller, ref: str) -> Response:
        wanted, states = paging.part(), paging.chosen("state", _ITEM_STATES)
        found = batching.items(caller.uscc, ref, states=states, after=wanted.before, limit=wanted.limit)
        items, cursor = paging.cut(found, wanted, lambda item: str(item.place))
        body = BatchItemList(items=tuple(map(_item, items)), next=cursor)
        return matching.told(body, headers=paging.link(cursor))

    @gate_.get(
        "/batches/<ref>/items/<place>",
        Right.DRAFTS_READ,
        doc=Doc(
            summary="Read one item in full",
            text="Its terms are worked out anew: where they would be others by now, the problem is `terms-changed`.",
            tag=TAG,
            gives=BatchItemInFull,
            problems=("terms-changed", "rule-violation"),
        ),
    )
    def get_batch_item(caller: Caller, ref: str, place: str) -> Response:
        if not (place.isascii() and place.isdecimal() and len(place) < _MOST_PLACE):
            raise NotFound("no such place")
        looking = house.services.batch_looking
        item = looking.item(caller.uscc, ref, int(place))
        terms = looking.terms(caller.uscc, ref, item.place)
        return matching.told(BatchItemInFull(**dict(_item(item)), terms=terms))

    @gate_.get(
        "/batches/<ref>/archive.zip",
        Right.CONFIRMATIONS_READ,
        doc=Doc(
            summary="Take every sealed file of a batch",
            text=(
                "A ZIP that is written while it is read, with `manifest.csv` and `manifest.json` as its last files: "
                "what became of each item, and whether the batch was finished."
            ),
            tag=TAG,
            files=(ZIP,),
            problems=("unavailable",),
        ),
    )
    def get_batch_archive(caller: Caller, ref: str) -> Response:
        parts = house.services.batch_looking.archive(caller.uscc, ref, by=caller.by, token=caller.token)
        return pouring.poured(parts, f"batch-{ref}.zip", ZIP)


def _deciding(gate_: Gate, house: House) -> None:
    batching = house.services.batching

    def told(caller: Caller, ref: str) -> Response:
        return matching.told(answer(batching, caller, ref), headers={"Location": PLACE.format(ref)})

    @gate_.create(
        "/batches/<ref>/submissions",
        Right.DRAFTS_WRITE,
        telling=told,
        doc=Doc(
            summary="Send a batch for approval",
            text="As it stands in the version that If-Match names: as it was read.",
            tag=TAG,
            gives=BatchAnswer,
            matches=True,
            problems=("rule-violation", "conflict"),
        ),
    )
    def send_batch(caller: Caller, doing: Doing, ref: str) -> str:
        head = batching.find(caller.uscc, ref).head
        matching.refuse_stale(_etag(head))
        batching.send(ref, maker=caller.uscc, by=caller.by, version=head.version, also=doing.note)
        return ref

    @gate_.create(
        "/batches/<ref>/decisions",
        Right.APPROVALS_DECIDE,
        telling=told,
        doc=Doc(
            summary="Approve all items of a batch, or return it",
            text=(
                "The token's person decides, and is another than who prepared or sent it. Approved, it is sealed item "
                "by item from then on: this answers at once."
            ),
            tag=TAG,
            takes=BatchDecision,
            gives=BatchAnswer,
            problems=("not-permitted", "conflict", "terms-changed", "storage-low"),
        ),
    )
    def decide_batch(caller: Caller, doing: Doing, ref: str) -> str:
        decision = bodies.parse(BatchDecision, gate.body())
        if decision.decision == "return":
            if not decision.reason.strip():
                raise Refused("invalid-input", (_NO_REASON,))
            batching.send_back(ref, maker=caller.uscc, by=caller.by, reason=decision.reason, also=doing.note)
            return ref
        word = Word(
            ref=ref,
            maker=caller.uscc,
            by=caller.by,
            root=decision.root,
            factor="token",
            external_ref=decision.external_ref,
        )
        batching.approve(word, also=doing.note)
        return ref


def _steering(gate_: Gate, house: House) -> None:
    batching = house.services.batching

    def moved(caller: Caller, ref: str, to: BatchState, act: Callable[..., Head]) -> Response:
        """Have a batch stand so, unless it does."""
        if batching.find(caller.uscc, ref).head.state is not to:
            act(ref, maker=caller.uscc, by=caller.by)
        return matching.told(answer(batching, caller, ref))

    @gate_.change(
        "DELETE",
        "/batches/<ref>/submissions",
        Right.DRAFTS_WRITE,
        doc=_doc("Take a batch back that was sent for approval", "Nothing of it is sealed until it is sent again."),
    )
    def take_batch_back(caller: Caller, ref: str) -> Response:
        return moved(caller, ref, BatchState.READY, batching.take_back)

    @gate_.change(
        "POST",
        "/batches/<ref>/pause",
        *_STEER,
        doc=_doc("Pause a batch", "The item that is being sealed is finished. A batch that is paused stays so."),
    )
    def pause_batch(caller: Caller, ref: str) -> Response:
        return moved(caller, ref, BatchState.PAUSED, batching.pause)

    @gate_.change(
        "POST",
        "/batches/<ref>/resume",
        *_STEER,
        doc=_doc("Let a batch go on", "One that was paused or is held up; one that runs goes on."),
    )
    def resume_batch(caller: Caller, ref: str) -> Response:
        return moved(caller, ref, BatchState.RUNNING, batching.go_on)

    @gate_.change(
        "POST",
        "/batches/<ref>/cancel",
        *_STEER,
        doc=_doc("Cancel a batch", "What is sealed stays sealed; nothing more of it will be. This cannot be undone."),
    )
    def cancel_batch(caller: Caller, ref: str) -> Response:
        return moved(caller, ref, BatchState.CANCELLED, batching.cancel)


def _doc(summary: str, text: str) -> Doc:
    return Doc(summary=summary, text=text, tag=TAG, gives=BatchAnswer, problems=("conflict",))


def _file() -> bytes:
    """Return the body of this request, a file of vehicles. Refused, RequestEntityTooLarge."""
    intake.refuse_type(XLSX, _CSV, JSON_LINES)
    with intake.limited(MOST_BYTES):
        return request.get_data()


def _size() -> int:
    typed = request.args.get("size", "1")
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 6 and 1 <= int(typed) <= MOST_GROUPED):
        raise Refused("invalid-input", (_NO_SIZE,))
    return int(typed)


def _etag(head: Head) -> str:
    """Name a version, how it stands, and how far it is."""
    return f"{head.version}-{head.state}-{head.done + head.failed}"


def answer(batching: Batching, caller: Caller, ref: str) -> BatchAnswer:
    """Return a batch as it is told of."""
    shown = batching.find(caller.uscc, ref)
    report, summary = shown.report, shown.report.summary
    return BatchAnswer(
        **dict(_row(shown.head)),
        faults=tuple(map(_fault, report.said[:MOST_FAULTS])),
        fault_count=report.count,
        summary=BatchSummary(
            destinations=_shares(summary.countries),
            models=_shares(summary.models),
            exporters=_shares(summary.exporters),
        ),
    )


def _row(head: Head) -> BatchRow:
    progress, remaining = head.progress, head.progress.remaining
    return BatchRow(
        ref=head.ref,
        title=head.title,
        file_name=head.file_name,
        size=head.size,
        state=head.state.value,
        items=head.items,
        vehicles=head.vehicles,
        root=head.root.hex() if head.root else None,
        progress=BatchProgress(
            done=progress.done,
            failed=progress.failed,
            left=progress.left,
            per_minute=None if progress.rate is None else round(progress.rate, 1),
            seconds_left=None if remaining is None else round(remaining.total_seconds()),
        ),
        created_at=head.created_at,
        sent_at=head.sent_at,
        decided_at=head.decided_at,
        external_ref=head.external_ref,
        reason=head.reason,
        halted=_reason(head.halted) if head.state is BatchState.HALTED else None,
    )


def _item(item: Item) -> BatchItemAnswer:
    return BatchItemAnswer(
        place=item.place,
        source=item.source,
        vins=item.vins,
        terms_digest=item.terms_digest.hex(),
        state=item.state.value,
        number=item.number,
        error=_reason(item.error),
    )


def _reason(failure: Failure | None) -> BatchReason | None:
    if failure is None:
        return None
    return BatchReason(code=failure.code, message=failure.zh if languages.answered() == "zh" else failure.en)


def _fault(said: Said) -> BatchFault:
    return BatchFault(
        cell=said.place,
        row=said.row,
        heading=said.header,
        typed=said.typed,
        rule=said.rule,
        severity=said.severity,
        message=said.zh if languages.answered() == "zh" else said.en,
    )


def _shares(lines: tuple[tuple[str, int], ...]) -> tuple[BatchShare, ...]:
    return tuple(BatchShare(key=key, vehicles=count) for key, count in lines)
