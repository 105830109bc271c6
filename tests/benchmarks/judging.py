"""What it costs to judge a batch's file: processor time an item, at a thousand vehicles and at ten thousand."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import many_vehicles
import world as worlds
from cases import Case
from handing_in import OWN

from signer import resources
from signer.domain.confirmation import DraftCommitment
from signer.services.batch_judging import BatchJudging, Judged, Wanted
from signer.services.engines import Page, SealBox

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW, MANY = 1_000, 10_000
_MORE_BY = 1.2


def all_cases() -> Iterator[Case]:
    yield Case(
        name="batch.judge",
        ours=partial(ms_an_item, MANY),
        peer=partial(ms_an_item, FEW),
        peer_name=f"processor time an item of {MANY}, the child that reads not counted; peer: of {FEW}",
        target=1 / _MORE_BY,
        unit="ms/it",
    )


@contextmanager
def _deployment() -> Iterator[tuple[worlds.World, Page, SealBox]]:
    folder = Path(tempfile.mkdtemp())
    world = worlds.World(worlds.build(folder))
    seals = SealBox(world.settings, trust=world.services.trust, clock=lambda: world.at)
    try:
        yield world, Page(world.settings, resources.templates_dir()), seals
    finally:
        world.services.database.close()
        shutil.rmtree(folder)


def ms_an_item(size: int) -> float:
    """Return what judging a file of so many vehicles takes for each, once all is loaded."""
    with _deployment() as (world, page, seals):
        planned = f"{world.at.date() + timedelta(days=3)}"
        judging = BatchJudging(database=world.services.database, page=page, seals=seals)
        promise = DraftCommitment.model_validate(many_vehicles.COMMITMENT)
        wanted = Wanted(maker=OWN.maker, preparer=OWN.person, size=1, commitment=promise)
        for count in (20, size):
            data = many_vehicles.as_lines(many_vehicles.vehicles(count, application_planned_on=planned))
            taken: list[Judged] = []
            begun = time.process_time()
            judging.judge(data, wanted, taken.append, at=world.at, elsewhere={})
            taken_s = time.process_time() - begun
            assert len(taken) == count
        return taken_s * 1000 / size
