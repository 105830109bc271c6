"""The JSON of batches: what was handed in, how far it is, its items, and the word on all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from signer.domain.batch import MOST_GROUPED
from signer.domain.confirmation import Terms
from signer.domain.values import Frozen, Hex256, Instant
from signer.web.machines.confirmation_examples import EXAMPLES as CONFIRMATIONS
from signer.web.machines.confirmation_shapes import ConfirmationAnswer
from signer.web.machines.shapes import Cursor, Elsewhere, Ref, printable

if TYPE_CHECKING:
    from pydantic import BaseModel

State = Literal["reading", "faulty", "ready", "waiting", "running", "paused", "halted", "done", "cancelled"]
ItemStateName = Literal["waiting", "done", "failed", "cancelled"]


class BatchFault(Frozen):
    """One remark on the file: the cell (`C5`), a column (`C`) or '' for the whole file, its heading, what was typed."""

    cell: str
    row: int
    heading: str
    typed: str
    rule: str
    severity: Literal["violation", "warning", "notice"]
    message: str


class BatchReason(Frozen):
    """Why an item was not sealed, or why a batch stands still: a stable code, and words for people."""

    code: str
    message: str


class BatchShare(Frozen):
    """How many vehicles are for one destination (alpha-2), of one model, or for one exporter (its name)."""

    key: str
    vehicles: int


class BatchSummary(Frozen):
    """What a batch amounts to, the most frequent first."""

    destinations: tuple[BatchShare, ...]
    models: tuple[BatchShare, ...]
    exporters: tuple[BatchShare, ...]


class BatchProgress(Frozen):
    """How far a batch is: items done, failed, left; a rate (items a minute) and seconds to go while they are known."""

    done: int
    failed: int
    left: int
    per_minute: float | None
    seconds_left: int | None


class BatchRow(Frozen):
    """One batch of a list; `size` vehicles at most go on one confirmation, `items` are the confirmations to be."""

    ref: Ref
    title: str
    file_name: str
    size: Annotated[int, Field(ge=1, le=MOST_GROUPED)]
    state: State
    items: int
    vehicles: int
    root: Hex256 | None
    progress: BatchProgress
    created_at: Instant
    sent_at: Instant | None
    decided_at: Instant | None
    external_ref: str | None
    reason: str | None
    halted: BatchReason | None


class BatchAnswer(BatchRow):
    """One batch. `faults` are the first remarks on its file, `fault_count` how many there are."""

    faults: tuple[BatchFault, ...]
    fault_count: int
    summary: BatchSummary


class BatchList(Frozen):
    """A part of the batches, the newest first."""

    items: tuple[BatchRow, ...]
    next: Cursor


class BatchItemAnswer(Frozen):
    """One item: `place` from 1, `source` the rows of the file that it came of; `number` once it is sealed."""

    place: int
    source: str
    vins: tuple[str, ...]
    terms_digest: Hex256
    state: ItemStateName
    number: str | None
    error: BatchReason | None


class BatchItemInFull(BatchItemAnswer):
    """One item with exactly the terms that the batch root binds."""

    terms: Terms


class BatchItemList(Frozen):
    """A part of a batch's items, in the order of the file."""

    items: tuple[BatchItemAnswer, ...]
    next: Cursor


class BatchDecision(Frozen):
    """
    An approver's word on all items of a batch.

    `root` names the batch root that the approver read (SHA-256 over the tree of all terms digests), `external_ref` the
    decision elsewhere that stands behind it; both are kept. `reason` is for what is returned.
    """

    decision: Literal["approve", "return"]
    root: Hex256
    external_ref: Elsewhere
    reason: Annotated[str, Field(max_length=400), AfterValidator(printable)] = ""


SHAPES: tuple[type[BaseModel], ...] = (BatchAnswer, BatchList, BatchItemInFull, BatchItemList, BatchDecision)

_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_ROW: Final[dict[str, Any]] = {
    "ref": "7b1e4c0d95a2f386",
    "title": "2026-12, KZ",
    "file_name": "2026-12-kz.csv",
    "size": 1,
    "state": "running",
    "items": 10_000,
    "vehicles": 10_000,
    "root": _DIGEST,
    "progress": {"done": 4_180, "failed": 2, "left": 5_818, "per_minute": 1_540.0, "seconds_left": 227},
    "created_at": "2026-12-01T00:40:00Z",
    "sent_at": "2026-12-01T00:52:00Z",
    "decided_at": "2026-12-01T01:05:00Z",
    "external_ref": "OA-2026-12-0017",
    "reason": None,
    "halted": None,
}
_ITEM: Final = {
    "place": 17,
    "source": "18",
    "vins": ["LTEST0000T0000017"],
    "terms_digest": _DIGEST,
    "state": "failed",
    "number": None,
    "error": {"code": "vin.live", "message": "this VIN is in force in K7Q2M-9XH4T-3PAA already"},
}
EXAMPLES: Final[dict[type[BaseModel], dict[str, Any]]] = {
    BatchAnswer: {
        **_ROW,
        "faults": [
            {
                "cell": "D12",
                "row": 12,
                "heading": "registered_on",
                "typed": "46266",
                "rule": "cell.serial-day",
                "severity": "warning",
                "message": "Excel's day 46266 was read as 2026-09-01",
            }
        ],
        "fault_count": 1,
        "summary": {
            "destinations": [{"key": "KZ", "vehicles": 10_000}],
            "models": [{"key": "SL7000A", "vehicles": 6_400}, {"key": "SL7000B", "vehicles": 3_600}],
            "exporters": [{"key": "天山样例进出口有限公司", "vehicles": 10_000}],
        },
    },
    BatchList: {"items": [_ROW], "next": None},
    BatchItemInFull: {**_ITEM, "terms": CONFIRMATIONS[ConfirmationAnswer]["content"]["terms"]},
    BatchItemList: {"items": [_ITEM], "next": "MTo1MA"},
    BatchDecision: {"decision": "approve", "root": _DIGEST, "external_ref": "OA-2026-12-0017"},
}
