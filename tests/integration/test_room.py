"""Too little room on a disk: nothing new is begun, no number is used up, verifying goes on; later all goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import batched
import pytest
from approvals import approve, maker, sent, state
from apps import create_app
from handing_in import OWN
from machine import Machines
from mishaps import small_disk
from world import EMIRATES, KAZAKHSTAN, PEOPLE, YUNZHOU, World, sample

from signer.domain.batch import BatchState
from signer.domain.verdict import Code
from signer.errors import StorageLow
from signer.services.importing import Asked
from signer.services.official import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mishaps import Disk


@pytest.fixture
def database() -> str:
    """The disk that gets full is the one on which SQLite and the sealed files are."""
    return "sqlite"


@pytest.fixture
def disk(world: World, tmp_path: Path) -> Iterator[Disk]:
    """A disk of 16 MB, of which 4 are kept free and 8 are warned at."""
    with small_disk(world, tmp_path / "disk", size="16m") as made:
        made.world.overrides = {"SIGNER_DISK_WARN_MB": "8", "SIGNER_DISK_STOP_MB": "4"}
        made.world.rewire()
        yield made


def leave(disk: Disk, megabytes: int) -> None:
    """Fill the disk up until so much is free."""
    (filler := disk.folder / "filler").unlink(missing_ok=True)
    free = min(place.free for place in disk.world.services.room.look())
    with filler.open("wb") as out:
        out.write(bytes(free - megabytes * 1_000_000))


def symptoms(world: World) -> set[str]:
    return {found.health for found in world.services.doctor.examine() if found.part == "disk"}


def test_below_the_stop_level_no_number_is_used_up_and_verifying_goes_on_until_there_is_room_again(disk: Disk) -> None:
    world = disk.world
    first = world.issue(sample(KAZAKHSTAN))
    assert symptoms(world) == {"ok"}
    leave(disk, 7)
    assert symptoms(world) == {"warning"}
    second = world.issue(sample(EMIRATES))
    leave(disk, 3)
    with pytest.raises(StorageLow, match="MB free") as refused:
        world.issue({**sample(KAZAKHSTAN), "supersedes": first.number})
    assert refused.value.retry_after_s > 0
    assert world.rows("SELECT count(*) FROM confirmations") == [(2,)]
    assert symptoms(world) == {"error"}
    assert [world.verify(one.pdf).code for one in (first, second)] == [Code.VALID] * 2
    (disk.folder / "filler").unlink()
    newer = world.issue({**sample(KAZAKHSTAN), "supersedes": first.number})
    assert world.verify(newer.pdf).code is Code.VALID


def test_below_the_stop_level_nothing_is_handed_in(disk: Disk) -> None:
    world = disk.world
    own = maker(world)
    issued = world.issue(sample(KAZAKHSTAN))
    leave(disk, 3)
    services, by = world.services, PEOPLE[YUNZHOU][0]
    with pytest.raises(StorageLow):
        services.importing.hand_in(Asked(person=by, maker=own), "vehicles", "cars.csv", b"VIN")
    with pytest.raises(StorageLow):
        services.outlet_lists.hand_in(own, "outlets.csv", b"id", is_whole=False, by=by)
    with pytest.raises(StorageLow):
        services.copying.offer(Place(number=issued.number, manufacturer=YUNZHOU, by=by), b"%PDF-1.7 sealed elsewhere")
    assert world.rows("SELECT count(*) FROM imports") == [(0,)]


def test_an_approval_is_not_taken_below_the_stop_level_and_counts_nothing(disk: Disk) -> None:
    world = disk.world
    found = sent(world)
    leave(disk, 3)
    with pytest.raises(StorageLow):
        approve(world, found)
    assert state(world, found) == ("waiting", "waiting")
    (disk.folder / "filler").unlink()
    assert approve(world, found).outcome == "issued"


def test_machines_that_watch_are_told_how_full_it_is_and_nobody_else_is(disk: Disk) -> None:
    world = disk.world
    world.overrides |= {"SIGNER_METRICS_NETWORKS": "192.0.2.0/24"}
    world.rewire()
    client = create_app(world.services, clock=lambda: world.at).test_client()
    world.services.working.run_due()
    assert client.get("/readyz").json["parts"]["disk"] == "ok"
    leave(disk, 3)
    told = client.get("/readyz")
    assert (told.status_code, told.json["status"], told.json["parts"]["disk"]) == (200, "error", "error")
    read = client.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
    assert read.content_type.startswith("text/plain; version=0.0.4")
    assert 'signer_disk_level{place="sealed files"} 2' in read.text.splitlines()
    assert client.get("/metrics").status_code == 404
    world.services.database.close()
    world.change("ALTER TABLE alembic_version RENAME TO gone")
    assert (client.get("/readyz").status_code, client.get("/readyz").json["parts"]["register"]) == (503, "error")


def test_below_the_stop_level_the_api_says_so_in_problem_json(disk: Disk) -> None:
    world = disk.world
    found = sent(world)
    oa, erp = (Machines.of(world).of_maker(person, YUNZHOU) for person in reversed(PEOPLE[YUNZHOU]))
    leave(disk, 3)
    word = {"decision": "approve", "terms_digest": found.terms_digest.hex(), "external_ref": "OA-1"}
    answers = (
        oa.post(f"/approvals/{found.ref}/decisions", word, key="one"),
        erp.post("/outlet-lists", data=b"id,hours\n", content_type="text/csv"),
    )
    for answer in answers:
        assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (507, "storage-low")
        assert int(answer.headers["Retry-After"]) > 0
    (disk.folder / "filler").unlink()
    assert oa.post(f"/approvals/{found.ref}/decisions", word, key="one").json["state"] == "issued"


def test_a_batch_halts_before_a_number_is_used_up_and_goes_on_by_itself_once_there_is_room(disk: Disk) -> None:
    world = disk.world
    ref = batched.approved(world, batched.drafts(2))
    leave(disk, 3)
    world.services.working.run_due()
    halted = batched.head(world, ref)
    assert (halted.state, halted.halted.code if halted.halted else "") == (BatchState.HALTED, "storage-low")
    assert world.rows("SELECT count(*) FROM confirmations") == [(0,)]
    with pytest.raises(StorageLow):
        world.services.batching.hand_in(OWN, file_name="more.jsonl", data=b"{}")
    (disk.folder / "filler").unlink()
    batched.finish(world, ref)
    assert batched.state(world, ref) == (BatchState.DONE, 2, 0)
