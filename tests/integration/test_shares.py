"""Share links on either database: uses are counted one by one, and a revoked link is never opened again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import exporting
import pytest
from world import KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, World, sample

from signer.domain.parties import Uscc
from signer.errors import Conflict, NotFound
from signer.services.sharing import MOST_OPEN

if TYPE_CHECKING:
    from signer.domain.number import Number

EXPORTER, CHEN = Uscc(TIANSHAN), PEOPLE[YUNZHOU][0]


@pytest.fixture
def number(world: World) -> Number:
    exporting.accept(world, TIANSHAN, YUNZHOU)
    return world.issue(sample(KAZAKHSTAN)).number


def link(world: World, number: Number) -> str:
    return world.services.sharing.make(EXPORTER, number, label="", days=7, by=CHEN)


def test_links_are_listed_counted_at_once_and_revoked_for_good(world: World, number: Number) -> None:
    sharing, secret = world.services.sharing, link(world, number)
    with ThreadPoolExecutor(4) as many:
        for opened in [many.submit(sharing.open, secret, network=f"net {turn}") for turn in range(8)]:
            assert opened.result().share.number == number
    (share,) = sharing.of_maker(YUNZHOU, number)
    assert (share.uses, share.used_at) == (8, world.at)
    sharing.revoke_by_maker(YUNZHOU, number, share.ref, by=CHEN)
    with pytest.raises(NotFound):
        sharing.open(secret, network="net")
    with pytest.raises(NotFound):
        sharing.revoke_by_exporter(EXPORTER, number, share.ref, by=CHEN)
    with pytest.raises(Exception, match="stays so"):
        world.change("UPDATE shares SET revoked_at = NULL, revoked_by = NULL")


def test_a_paper_has_so_many_open_links_and_no_more(world: World, number: Number) -> None:
    for _ in range(MOST_OPEN):
        link(world, number)
    with pytest.raises(Conflict):
        link(world, number)
    sharing = world.services.sharing
    sharing.revoke_by_exporter(EXPORTER, number, sharing.of_exporter(EXPORTER, number)[0].ref, by=CHEN)
    assert link(world, number)
