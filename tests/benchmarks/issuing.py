"""One confirmation from a draft to the file on record, all promises kept, beside the program of an afternoon."""

from __future__ import annotations

import random
import tempfile
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import processor
import world as worlds
from cases import BASE_URL, Case
from cases import _renderer as renderer
from peer import ELSEWHERE, Peer

from signer.domain import content
from signer.domain.batch_lane import lane_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signer.domain.confirmation import Confirmation
    from signer.services.issue import Order

MANY = 100
"""So many confirmations make the sum of which a share is one's processor time: the kernel counts in hundredths."""
LEAST_RATE = 25
SEED = 20261130
_LANES = (worlds.KAZAKHSTAN, worlds.EMIRATES, worlds.MEXICO)
_OF_EACH = 12


def all_cases() -> Iterator[Case]:
    for name, vehicles in (("issue.end_to_end", 3), ("issue.end_to_end.one", 1)):
        made = EndToEnd(vehicles)
        if ELSEWHERE.is_dir():
            yield Case(
                name=name,
                ours=made.ours,
                peer=made.peer,
                peer_name=f"Jinja2, WeasyPrint, stock pyHanko B-LT, one INSERT; {vehicles} vehicles, same authority",
                target=5,
                prepare=made.prepare,
            )
        yield Case(
            name=name.replace("end_to_end", "core"),
            ours=made.processor_ms,
            peer=lambda: 1000 / LEAST_RATE,
            peer_name=f"{LEAST_RATE} a second on one core; ours: the self-check's processes among them",
            target=1,
            unit="ms CPU",
        )
    lanes = Lanes()
    yield Case(
        name="render.lane",
        ours=partial(lanes.render, is_sorted=True),
        peer=partial(lanes.render, is_sorted=False),
        peer_name=f"the same {len(_LANES) * _OF_EACH} pages, three countries mixed (seed {SEED}); ours: by lanes",
    )


class EndToEnd:
    """A deployment on SQLite with keys, log and walls, as `make demo` has it, and the peer."""

    def __init__(self, vehicles: int) -> None:
        self._vehicles = vehicles
        self._turn = 0

    @cached_property
    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="bench-"))

    @cached_property
    def world(self) -> worlds.World:
        (self._folder / "world").mkdir()
        return worlds.World(worlds.build(self._folder / "world"), is_sandboxed=True)

    @cached_property
    def _peer(self) -> Peer:
        return Peer(self._folder / "peer")

    def prepare(self) -> None:
        """Draw the next draft for both."""
        self._turn += 1
        self._plain = worlds.fresh(worlds.KAZAKHSTAN, self._turn)
        self._plain["vehicles"] = self._plain["vehicles"][: self._vehicles]
        self._order: Order = self.world.order(self._plain)

    def ours(self) -> object:
        """Issue by everything that the order of issuing promises."""
        issued = self.world.services.issuing.issue(self._order)
        assert issued.level == "B-LT"
        return issued

    def peer(self) -> object:
        """Issue by the afternoon's program."""
        return self._peer.issue(self._plain)

    def processor_ms(self) -> float:
        """Return the milliseconds of processor time of one confirmation, over many."""
        for _ in range(3):
            self.prepare()
            self.ours()
        before = processor.used_s()
        for _ in range(MANY):
            self.prepare()
            self.ours()
        return 1000 * (processor.used_s() - before) / MANY


class Lanes:
    """Pages of several countries: one lane after another, or mixed as they may lie in a file."""

    @cached_property
    def _pages(self) -> list[tuple[tuple[Any, int], Callable[[], bytes]]]:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        world = worlds.World(worlds.build(folder))
        made, found = renderer(), []
        for turn in range(_OF_EACH):
            for name in _LANES:
                plain = worlds.fresh(name, turn)
                record = world.verify(world.issue(plain).pdf).confirmation
                assert record is not None
                found.append(((lane_key(record.terms), turn), partial(_render, made, record)))
        random.Random(SEED).shuffle(found)
        return found

    def render(self, *, is_sorted: bool) -> None:
        """Render all of them."""
        pages = self._pages
        for _, page in sorted(pages, key=lambda one: one[0]) if is_sorted else pages:
            page()


def _render(made: Any, record: Confirmation) -> bytes:
    pdf: bytes = made.render(record, encoded=content.encode(record), base_url=BASE_URL)
    return pdf
