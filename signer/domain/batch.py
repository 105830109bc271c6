"""
Batches: many confirmations that are read from one file, approved by one word, and sealed one after the other.

Pure. The one word binds every item: it is on the root of the tree whose leaves are the items' terms digests, in the
order of the file (`transparency.merkle.root_of`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from signer.domain.confirmation import DraftCommitment
from signer.domain.importing import Said
from signer.domain.values import Frozen
from signer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from signer.errors import Finding, SignerError

MOST_VEHICLES: Final = 50_000
"""Vehicles of one batch."""
MOST_GROUPED: Final = 20
"""Vehicles of one item."""
_MOST_WORDS: Final = 600


class BatchState(StrEnum):
    """
    How a batch stands.

    `faulty`: something in the file is wrong, and nothing else happens. `waiting`: for an approver. `halted`: for
    something that every item needs, from which it goes on by itself or by somebody's word.
    """

    READING = "reading"
    FAULTY = "faulty"
    READY = "ready"
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"
    DONE = "done"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Tell whether nothing follows."""
        return not FOLLOWS[self]


FOLLOWS: Final[Mapping[BatchState, frozenset[BatchState]]] = {
    BatchState.READING: frozenset({BatchState.FAULTY, BatchState.READY, BatchState.CANCELLED}),
    BatchState.FAULTY: frozenset(),
    BatchState.READY: frozenset({BatchState.WAITING, BatchState.CANCELLED}),
    BatchState.WAITING: frozenset({BatchState.READY, BatchState.RUNNING, BatchState.CANCELLED}),
    BatchState.RUNNING: frozenset({BatchState.PAUSED, BatchState.HALTED, BatchState.DONE, BatchState.CANCELLED}),
    BatchState.PAUSED: frozenset({BatchState.RUNNING, BatchState.CANCELLED}),
    BatchState.HALTED: frozenset({BatchState.RUNNING, BatchState.PAUSED, BatchState.CANCELLED}),
    BatchState.DONE: frozenset(),
    BatchState.CANCELLED: frozenset(),
}
"""Which state may follow which."""
APPROVED: Final = frozenset(
    {BatchState.RUNNING, BatchState.PAUSED, BatchState.HALTED, BatchState.DONE, BatchState.CANCELLED}
)


class ItemState(StrEnum):
    """How one item stands: one confirmation to be."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Failure(Frozen):
    """Why an item was not sealed, or a batch stands still: the error's code, and words for people."""

    code: str
    zh: str
    en: str


class Sample(Frozen):
    """A few items for an approver to look at: which ones, with their first vehicle."""

    place: int
    vin: str
    model: str
    country: str
    exporter: str
    vehicles: int


class Summary(Frozen):
    """What a batch amounts to: vehicles by destination, model and exporter, the most frequent first, and samples."""

    countries: tuple[tuple[str, int], ...] = ()
    models: tuple[tuple[str, int], ...] = ()
    exporters: tuple[tuple[str, int], ...] = ()
    samples: tuple[Sample, ...] = ()


class BatchReport(Frozen):
    """
    What is told of a batch's file: the remarks that are kept, how many there are, and what the batch amounts to.

    `failure` says why the file could not be read at all. `commitment` is what was handed in with it, None for that of
    the manufacturer's last draft.
    """

    said: tuple[Said, ...] = ()
    count: int = 0
    rows: int = 0
    summary: Summary = Summary()
    failure: Failure | None = None
    commitment: DraftCommitment | None = None

    @property
    def is_good(self) -> bool:
        """Tell whether nothing in the file forbids to go on."""
        return self.failure is None and not any(one.severity == "violation" for one in self.said)


Grouping = Annotated[int, Field(ge=1, le=MOST_GROUPED)]
"""How many vehicles of one destination and model go on one confirmation; 1: each has its own."""


def refuse_grouping(size: int) -> None:
    """Refuse more vehicles on one confirmation than a batch may put there. InvalidInput."""
    if not 1 <= size <= MOST_GROUPED:
        raise InvalidInput("grouping", f"is a whole number from 1 to {MOST_GROUPED}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """
    How far a batch is: items done and failed of all; `rate` are items a minute of late, None while that is not known.

    `remaining` is how long the rest takes at that rate.
    """

    items: int
    vehicles: int
    done: int
    failed: int
    rate: float | None = None

    @property
    def left(self) -> int:
        """How many items are neither done nor failed."""
        return self.items - self.done - self.failed

    @property
    def share(self) -> float:
        """How much of the batch is over, from 0 to 1."""
        return (self.done + self.failed) / self.items if self.items else 0.0

    @property
    def remaining(self) -> timedelta | None:
        """How long the rest takes at the rate of late; None while that is not known."""
        return timedelta(minutes=self.left / self.rate) if self.rate else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How many items were over at an instant: two of them make a rate."""

    at: datetime
    count: int


def rate(mark: Mark | None, *, at: datetime, count: int) -> float | None:
    """Return items a minute since a mark; None without one, or where too little time went by to say."""
    if mark is None or count <= mark.count or at - mark.at < timedelta(seconds=1):
        return None
    return (count - mark.count) / ((at - mark.at) / timedelta(minutes=1))


_OF_THE_SEAL: Final = "seal."
_ZH: Final[Mapping[str, str]] = {
    "terms-changed": "批准之后资料已有变化，现在用印的内容会与批准的不一致",
    "conflict": "与登记系统中的现有记录冲突",
    "self-check-failed": "用印后的文件未通过自检，该编号已放弃",
    "key-unavailable": "印章密钥当前不可用",
    "timestamp-unavailable": "时间戳服务当前不可用",
    "revocation-unavailable": "无法取得证书的吊销信息",
    "storage-unavailable": "文件存储当前不可写入",
    "register-unavailable": "登记系统当前不可用",
    "log-unavailable": "透明日志当前不可用",
    "log-held": "透明日志等待系统运营人员处理",
    "trust-list-stale": "信任名单已过期",
    "manufacturer-suspended": "该生产企业已被暂停",
    "not-permitted": "相关人员已不具备所需的权限",
    "misconfigured": "系统设置有误，请联系系统运营人员",
    "root": "批次项与批准时的批次根不一致，已停止用印",
    "restored": "登记系统由备份恢复，恢复前的批次不会自动继续",
    "not-found": "所需的记录不存在",
}


def failure_of(error: SignerError) -> Failure:
    """Return what people are told of an error: the rules' own words where rules were broken."""
    violations: tuple[Finding, ...] = getattr(error, "violations", ())
    if violations:
        zh, en = "；".join(found.zh for found in violations), "; ".join(found.en for found in violations)
        return failure(violations[0].rule, zh=zh, en=en)
    return failure(error.code, en=str(error))


def failure(code: str, *, en: str, zh: str = "") -> Failure:
    """Return words for people; where none are given in Chinese, those for the code."""
    return Failure(code=code, zh=(zh or _ZH.get(code, "未能用印"))[:_MOST_WORDS], en=en[:_MOST_WORDS])


def is_of_every_item(error: SignerError) -> bool:
    """Tell whether the rules that were broken are about the seal alone, so that no item could be sealed now."""
    violations: tuple[Finding, ...] = getattr(error, "violations", ())
    return bool(violations) and all(found.rule.startswith(_OF_THE_SEAL) for found in violations)
