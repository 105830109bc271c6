"""Batches of given drafts, judged as a file's would be: what the tests of batches have in common."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import killing
import world as worlds
from handing_in import OWN, USCC
from outside import serving
from world import KAZAKHSTAN, PEOPLE, YUNZHOU, World

from signer.domain import rules
from signer.domain.batch import BatchReport, BatchState
from signer.domain.drafting import parse_draft
from signer.domain.parties import Uscc
from signer.errors import Unavailable
from signer.services.batch_reading import Counting, item_of
from signer.services.batching import Word
from signer.services.gathering import Asking, Gathering, usable_seal
from signer.services.importing import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from outside import Asked as Request
    from outside import Reply

    from signer.register.batch_items import NewItem
    from signer.register.batches import Head
    from signer.services.batch_reading import Source

TODAY = worlds.AT.date()
CHEN, LIN = PEOPLE[YUNZHOU]
THEIRS = Asked(person=PEOPLE[worlds.BEICHEN][0], maker=Uscc(USCC[worlds.BEICHEN]))


def drafts(count: int, *, start: int = 0, name: str = KAZAKHSTAN, today: date = TODAY) -> list[Any]:
    """Return drafts of one vehicle each, that no other turn has."""
    made = []
    for turn in range(start, start + count):
        plain = worlds.fresh(name, turn, today=today)
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


def stopping(count: int) -> Callable[[str], None]:
    """Return what hears how far a batch is, and stops it after so many items, as if its process had ended: EOFError."""
    left = [""] * count

    def tell(_: str) -> None:
        left.pop()
        if not left:
            raise EOFError

    return tell


def items(world: World, ref: str) -> dict[str, int]:
    """Return how many items stand how, by the rows themselves."""
    query = "SELECT i.state, count(*) FROM batch_items i JOIN batches b ON b.id = i.batch_id"
    return dict(world.rows(f"{query} WHERE b.ref = '{ref}' GROUP BY i.state"))


def finish(world: World, *refs: str, asked: Asked = OWN) -> None:
    """Let workers do what they do, minutes after minutes, until the batches are over and nothing is pending."""
    for _ in range(12):
        is_over = all(head(world, ref, asked=asked).state.is_over for ref in refs)
        if is_over and not world.rows("SELECT 1 FROM confirmations WHERE standing = 'pending'"):
            return
        world.at += timedelta(minutes=5)
        with suppress(Unavailable):
            world.services.working.run_due()
    raise AssertionError([head(world, ref, asked=asked) for ref in refs])


def interrupted(world: World, ref: str, step: str, act: Callable[..., object]) -> None:
    """Seal a batch's items while something happens at a step of the first; what is unavailable is so for now."""
    with killing.at_step(world, step, act), suppress(Unavailable):
        world.services.batch_running.run(ref)


@contextmanager
def stamping(world: World) -> Iterator[list[int]]:
    """Let a world's timestamps, which it needs, come from an address; a status in the list is answered instead."""
    (inner,) = world.services.issuing._seals.witnesses._authorities()
    instead: list[int] = []

    def reply(asked: Request) -> Reply:
        if instead:
            return instead[0], {}, b""
        return 200, {"Content-Type": "application/timestamp-reply"}, inner.answer(asked.body)

    with serving(reply) as port:
        world.overrides = {"SIGNER_TSA_URLS": f"http://127.0.0.1:{port}/", "SIGNER_TSA_POLICY": "require"}
        world.rewire()
        yield instead


@dataclass
class Count:
    """What batches promised and what came of it: an item each of so many vehicles, once."""

    world: World
    runs: int = 0
    expected: int = 0

    def lost(self) -> int:
        """Count vehicles that no confirmation in force names, files that are not kept, and numbers left over."""
        ((live,),) = self.world.rows("SELECT count(DISTINCT vin) FROM lines WHERE standing = 'issued'")
        ((pending,),) = self.world.rows("SELECT count(*) FROM confirmations WHERE standing = 'pending'")
        scrubbed = self.world.services.keeping.scrub()
        return max(0, self.expected - int(live)) + int(pending) + len(scrubbed.missing) + len(scrubbed.damaged)

    def doubled(self) -> int:
        """Count vehicles in force twice, items with two issued numbers, and what was issued beyond what was asked."""
        twice = "SELECT vin FROM lines WHERE standing = 'issued' GROUP BY vin HAVING count(*) > 1"
        keys = (
            "SELECT c.number FROM confirmations c JOIN idempotency k ON k.confirmation_id = c.id"
            " WHERE c.recorded_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM batch_items i WHERE i.number = c.number)"
        )
        ((issued,),) = self.world.rows("SELECT count(*) FROM confirmations WHERE standing = 'issued'")
        return len(self.world.rows(twice)) + len(self.world.rows(keys)) + max(0, int(issued) - self.expected)


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
