"""Batches of given drafts, judged as a file's would be: what the tests of batches have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import world as worlds
from handing_in import OWN
from world import KAZAKHSTAN, PEOPLE, YUNZHOU, World

from signer.domain import rules
from signer.domain.batch import BatchReport, BatchState
from signer.domain.drafting import parse_draft
from signer.services.batch_reading import Counting, item_of
from signer.services.batching import Word
from signer.services.gathering import Asking, Gathering, usable_seal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from signer.register.batch_items import NewItem
    from signer.register.batches import Head
    from signer.services.batch_reading import Source
    from signer.services.importing import Asked

CHEN, LIN = PEOPLE[YUNZHOU]


def drafts(count: int, *, start: int = 0, name: str = KAZAKHSTAN) -> list[Any]:
    """Return drafts of one vehicle each, that no other turn has."""
    made = []
    for turn in range(start, start + count):
        plain = worlds.fresh(name, turn)
        plain["vehicles"] = plain["vehicles"][:1]
        made.append(plain)
    return made


class Given:
    """Reads a batch's file as these drafts, by the rules of issuing."""

    def __init__(self, world: World, plains: list[Any]) -> None:
        issuing = world.services.issuing
        self._gathering = Gathering(page=issuing._page, seals=issuing._seals)
        self._database = world.services.database
        self._plains = plains

    def read(
        self, source: Source, put: Callable[[Sequence[NewItem]], None], tell: Callable[[str], None]
    ) -> BatchReport:
        counting, made = Counting(), []
        with self._database.read() as tx:
            seal = usable_seal(tx, source.tenant, at=source.at)
            asking = Asking(tenant=source.tenant, preparer=source.person)
            for place, plain in enumerate(self._plains, start=1):
                draft = parse_draft(worlds.as_bytes(plain))
                given = self._gathering.circumstances(tx, draft, asking, seal=seal, at=source.at)
                terms = rules.to_terms(draft, given)
                counting.add(terms, place)
                made.append(item_of(draft, terms, place=place, rows=[place]))
        put(made)
        return BatchReport(rows=len(made), summary=counting.summary)


def ready(world: World, plains: list[Any], *, asked: Asked = OWN, name: str = "") -> str:
    """Hand drafts in and have them read; return the batch's reference."""
    batching = world.services.batching
    before, batching._reading = batching._reading, Given(world, plains)  # type: ignore[assignment]
    try:
        data = worlds.as_bytes(plains)
        ref, _ = batching.hand_in(asked, file_name=name or "batch.jsonl", data=data)
        batching.read(ref)
    finally:
        batching._reading = before
    return ref


def approved(world: World, plains: list[Any], *, asked: Asked = OWN) -> str:
    """Have a batch run: handed in, read, sent, approved; return its reference."""
    ref = ready(world, plains, asked=asked)
    approver = PEOPLE[YUNZHOU if asked.maker == OWN.maker else worlds.BEICHEN][1]
    world.services.batching.send(ref, maker=asked.maker, by=asked.person)
    world.services.batching.approve(word(world, ref, asked=asked, by=approver))
    return ref


def word(world: World, ref: str, *, asked: Asked = OWN, by: str = LIN, root: str = "") -> Word:
    known = head(world, ref, asked=asked).root or b""
    return Word(ref=ref, maker=asked.maker, by=by, root=root or known.hex(), factor="totp")


def head(world: World, ref: str, *, asked: Asked = OWN) -> Head:
    return world.services.batching.find(asked.maker, ref).head


def state(world: World, ref: str, *, asked: Asked = OWN) -> tuple[BatchState, int, int]:
    """Return how a batch stands, and how many of its items are done and failed."""
    found = head(world, ref, asked=asked)
    return found.state, found.done, found.failed


def items(world: World, ref: str) -> dict[str, int]:
    """Return how many items stand how, by the rows themselves."""
    query = "SELECT i.state, count(*) FROM batch_items i JOIN batches b ON b.id = i.batch_id"
    return dict(world.rows(f"{query} WHERE b.ref = '{ref}' GROUP BY i.state"))


_PROMISES = """
SELECT b.ref FROM batches b WHERE b.state <> 'reading'
 AND b.done <> (SELECT count(*) FROM batch_items i WHERE i.batch_id = b.id AND i.state = 'done');
SELECT b.ref FROM batches b WHERE b.failed <>
 (SELECT count(*) FROM batch_items i WHERE i.batch_id = b.id AND i.state = 'failed');
SELECT i.place FROM batch_items i JOIN confirmations c ON c.number = i.number WHERE c.recorded_at IS NULL;
SELECT c.number FROM confirmations c JOIN idempotency k ON k.confirmation_id = c.id
 WHERE k.key LIKE 'batch %' AND c.recorded_at IS NOT NULL
 AND NOT EXISTS (SELECT 1 FROM batch_items i WHERE i.number = c.number);
SELECT c.number FROM confirmations c JOIN batch_items i ON i.number = c.number WHERE c.terms_digest <> i.terms_digest
"""


def accounts(world: World) -> None:
    """Hold what batches promise against the tables: counters, numbers, keys; each done item has one issued number."""
    for query in _PROMISES.split(";"):
        assert world.rows(query) == [], query
