"""Two machines laid down from one archive share a register and an HSM: one dies in a batch, a third has the dump."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import urllib.request
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import batched
import enrolling
import killing
import pytest
import roots
import world as worlds
from machine import Machines
from served import answers, until
from world import EMIRATES, KAZAKHSTAN, PEOPLE, World, sample

from signer.domain.batch import BatchState
from signer.domain.machines import Right
from signer.domain.number import Number
from signer.domain.values import beijing_day
from signer.domain.verdict import Code

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import hsm as hsms
    import postgres

MANY = 8
LONG_AGO = "lease_until = '2020-01-01T00:00:00.000000Z'"
"""What stands for waiting: the lease of what a dead machine had taken up is two minutes."""


@pytest.fixture
def shared(server: postgres.Server, hsm: hsms.Hsm, tmp_path: Path) -> Iterator[World]:
    """What two machines share: a register on PostgreSQL, and a maker whose key was made in a token."""
    (tmp_path / "first").mkdir()
    at, url = datetime.now(UTC) - timedelta(minutes=10), server.create()
    world = World(worlds.build(tmp_path / "first", at=at, database_url=url), at=at, database_url=url)
    hsm.make_token("machines")
    hsm.seal_in(world, "machines")
    world.at = datetime.now(UTC)
    world.issue(sample(KAZAKHSTAN, today=beijing_day(world.at)))  # so that the log has begun, with its secret and head
    world.services.sequencing.run()
    yield world
    world.services.database.close()
    server.drop(url)


def free_port() -> str:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def served(root: roots.Root) -> str:
    """Start the pages of a machine; return where they are."""
    port = free_port()
    root.start("signer-web.service", "--workers", "1", "--port", port)
    assert until(lambda: answers(int(port)))
    return f"http://127.0.0.1:{port}"


def fetched(place: str, secret: str, numbers: list[str]) -> list[bytes]:
    found = []
    for number in numbers:
        asked = urllib.request.Request(
            f"{place}/api/v1/confirmations/{number}/file", headers={"Authorization": f"Bearer {secret}"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            found.append(answer.read())
    return found


def issued(world: World) -> list[str]:
    """Return the numbers of a batch that were issued so far."""
    return [number for (number,) in world.rows("SELECT number FROM batch_items WHERE state = 'done'")]


def told(shared: World) -> dict[str, str]:
    """Return the settings that its machines share."""
    return {
        "SIGNER_MODE": "test",
        "SIGNER_DATABASE_URL": shared.database_url,
        "SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"],
    }


def codes(root: roots.Root, url: str, papers: list[bytes]) -> set[Code]:
    """
    Return what the register of a machine says of files.

    They are judged in this process: a child has five seconds by the clock for each, and this machine may be busy.
    """
    world = World(root.data, at=datetime.now(UTC), database_url=url)
    found = {world.verify(pdf).code for pdf in papers}
    world.services.database.close()
    return found


def live_through_a_death(shared: World, server: postgres.Server, place: Path, folder: Path) -> None:
    """Seal a batch on two machines of which one dies; compare what they serve; restore a dump on a third."""
    ours, keys, empty = told(shared), shared.folder / "keys", server.create()
    with ExitStack() as stack:
        first, second, third = (
            stack.enter_context(roots.laid_down(place, folder / name, settings=settings, keys=keys))
            for name, settings in (("one", ours), ("two", ours), ("three", ours | {"SIGNER_DATABASE_URL": empty}))
        )
        for root in (first, second):
            shutil.copy(shared.folder / "log-head", root.data)
        plains = batched.drafts(MANY, name=EMIRATES, today=beijing_day(shared.at))
        ref = batched.approved(shared, plains, asked=batched.THEIRS)
        dying = first.start("signer-worker.service")
        assert until(lambda: len(issued(shared)) >= 2)
        second.start("signer-worker.service")
        os.killpg(dying.pid, signal.SIGKILL)
        dying.wait(30)
        assert batched.state(shared, ref, asked=batched.THEIRS)[0] is BatchState.RUNNING
        held = shared.rows("SELECT count(*) FROM batch_items WHERE lease_until IS NOT NULL AND state = 'waiting'")
        assert held > [(0,)]
        shared.change(f"UPDATE batch_items SET {LONG_AGO} WHERE lease_until IS NOT NULL")
        assert until(lambda: batched.state(shared, ref, asked=batched.THEIRS) == (BatchState.DONE, MANY, 0))
        assert killing.accounts(shared)["issued"] == MANY + 1
        assert until(lambda: shared.rows("SELECT count(*) FROM log_queue") == [(0,)])
        batched.accounts(shared)
        token = Machines.of(shared).of_maker(PEOPLE[enrolling.MAKER][0], enrolling.MAKER, Right.CONFIRMATIONS_READ)
        numbers = issued(shared)
        papers, others = (fetched(served(root), token.secret, numbers) for root in (first, second))
        assert papers == others
        assert all(pdf.startswith(b"%PDF-") for pdf in papers)
        second.signer("db", "backup", second.data / "dump.zip")
        third.signer("db", "upgrade")
        third.signer("db", "restore", second.data / "dump.zip")
        assert codes(third, empty, papers) == {Code.VALID_WITH_NOTICE}  # nobody has said yet that nothing is missing
        third.signer("db", "release", "--by", "chen.sample")
        people = ("--by", "chen.sample", "--second", "lin.sample")
        third.signer("db", "close-gap", *people, "--reason", "nothing was issued in between")
        assert codes(third, empty, papers) == {Code.VALID}
    server.drop(empty)


@pytest.mark.soak
def test_one_of_two_machines_dies_in_a_batch_the_other_ends_it_and_a_third_has_all_of_it(
    shared: World, server: postgres.Server, tmp_path: Path
) -> None:
    """A minute of processor time: four services, three machines."""
    place = roots.unpacked(roots.archive(tmp_path), tmp_path)
    live_through_a_death(shared, server, place, tmp_path)


def test_what_a_machines_unit_starts_seals_by_the_hsm_into_the_shared_register(shared: World, tmp_path: Path) -> None:
    place = roots.unpacked(roots.archive(tmp_path), tmp_path)
    ref = batched.approved(shared, batched.drafts(2, name=EMIRATES, today=beijing_day(shared.at)), asked=batched.THEIRS)
    with roots.laid_down(place, tmp_path / "one", settings=told(shared), keys=shared.folder / "keys") as root:
        shutil.copy(shared.folder / "log-head", root.data)
        assert root.start("signer-worker.service", "--once").wait() == 0
        assert batched.state(shared, ref, asked=batched.THEIRS) == (BatchState.DONE, 2, 0)
        for number in issued(shared):
            assert shared.verify(shared.services.issuing.fetch(Number.parse(number))).code is Code.VALID
