"""The sequencer: what was queued is in the log, in order, under a signed head; what is published is held."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from logged import issue_beside, leaves, naive_root, published, queue
from world import EMIRATES, KAZAKHSTAN, World, sample

from signer.domain.log_leaf import Leaf, LeafType, maker_key, tag
from signer.errors import Conflict, RegisterUnavailable, StorageUnavailable
from signer.register import log
from signer.register.heads import HEAD
from signer.seal import log_key
from signer.transparency import checkpoints
from signer.transparency.merkle import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def issued_folder(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("issued") / "data"))
    issue_beside(made, sample(KAZAKHSTAN))
    made.services.database.close()
    return made.folder


@pytest.fixture
def database() -> str:
    """SQLite, but where a test says otherwise."""
    return "sqlite"


@pytest.fixture
def issued(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A deployment that has issued one confirmation, whose leaves wait."""
    if database == "sqlite":
        made = World(worlds.copy(request.getfixturevalue("issued_folder"), tmp_path / "issued"))
        yield made
        made.services.database.close()
        return
    world: World = request.getfixturevalue("world")
    issue_beside(world, sample(KAZAKHSTAN))
    yield world


BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def test_what_was_queued_is_in_the_log_under_a_head_that_the_trust_list_s_key_signed(issued: World) -> None:
    issued.issue(sample(EMIRATES))
    issued.services.sequencing.drain()
    signed, found = published(issued), leaves(issued)
    assert signed.checkpoint == checkpoints.Checkpoint("127.0.0.1:8000/log", 4, naive_root(found))
    assert [Leaf.parse(one).type for one in found].count(LeafType.ISSUED) == 2
    assert issued.rows("SELECT * FROM log_queue") == []


def test_each_maker_s_leaves_are_numbered_without_a_gap_and_tagged_so_that_only_it_finds_them(issued: World) -> None:
    issued.issue(sample(EMIRATES))
    queue(issued, count=3)
    issued.services.sequencing.drain()
    secret = log_key.read_secret(issued.settings.keys / log_key.SECRET_FILE)
    makers = dict(issued.rows("SELECT id, uscc FROM manufacturers"))
    numbered: dict[int, list[int]] = {}
    for leaf, maker, running in issued.rows("SELECT leaf, manufacturer_id, running FROM log_leaves ORDER BY sequence"):
        numbered.setdefault(maker, []).append(running)
        assert Leaf.parse(bytes(leaf)).tag == tag(maker_key(secret, makers[maker]), running)
    assert all(counted == list(range(1, len(counted) + 1)) for counted in numbered.values())


def test_a_leaf_names_the_one_before_it_about_the_same_number(issued: World) -> None:
    issued.services.sequencing.drain()
    queue(issued, "withdraw")
    issued.services.sequencing.drain()
    found = issued.rows("SELECT type, leaf_hash, previous FROM log_leaves ORDER BY sequence")
    assert [row[0] for row in found] == ["intent", "issued", "withdraw"]
    assert [row[2] and bytes(row[2]) for row in found] == [None, bytes(found[0][1]), bytes(found[1][1])]


@BOTH
def test_a_log_that_grows_in_any_steps_has_the_same_root_and_the_tiles_of_its_leaves(issued: World) -> None:
    for count in (1, 254, 3, 300):
        queue(issued, count=count)
        issued.services.sequencing.run()
    found = leaves(issued)
    assert published(issued).checkpoint.root == naive_root(found)
    hashes = [leaf_hash(one) for one in found]
    tiles = issued.rows("SELECT level, number, hashes, root FROM log_tiles ORDER BY level, number")
    assert [(level, number) for level, number, _, _ in tiles] == [(0, 0), (0, 1)]
    for _, number, kept, root in tiles:
        assert bytes(kept) == b"".join(hashes[256 * number : 256 * (number + 1)])
        assert bytes(root) == naive_root(found[256 * number : 256 * (number + 1)])


def test_nothing_waits_and_nothing_is_signed(issued: World) -> None:
    issued.services.sequencing.drain()
    before = (issued.folder / HEAD).stat()
    assert issued.services.sequencing.run() == 0
    assert issued.rows("SELECT count(*) FROM log_checkpoints") == [(2,)]
    assert (issued.folder / HEAD).stat().st_ino == before.st_ino


@pytest.mark.parametrize("table", ["log_leaves", "log_tiles", "log_checkpoints"])
def test_what_is_in_the_log_is_never_rewritten(issued: World, table: str) -> None:
    queue(issued, count=256)
    issued.services.sequencing.drain()
    column = {"log_leaves": "leaf", "log_tiles": "hashes", "log_checkpoints": "note"}[table]
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
        with pytest.raises(Conflict, match="append-only"), issued.services.database.write() as tx:
            tx.exec_driver_sql(statement)


@BOTH
def test_two_sequencers_at_once_append_each_leaf_once(issued: World) -> None:
    queue(issued, count=120)
    others = [issued.another() for _ in range(3)]
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda one=each: done.append(one.services.sequencing.drain())) for each in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in others:
        each.services.database.close()
    assert sum(done) == 122
    assert len(leaves(issued)) == len(set(leaves(issued))) == 122
    assert published(issued).checkpoint.root == naive_root(leaves(issued))


@BOTH
def test_a_sequencer_that_cannot_have_its_turn_in_time_gives_up(issued: World) -> None:
    other = issued.another()
    with issued.services.database.write(), pytest.raises(RegisterUnavailable):
        other.services.sequencing.run(patience_s=0.1)
    assert other.services.sequencing.run(patience_s=0.1) == 2
    other.services.database.close()


def test_what_a_transaction_took_back_is_not_waited_for(issued: World) -> None:
    def change_my_mind() -> None:
        with issued.services.database.write() as tx:
            log.queue(tx, "withdraw", confirmation_id=1, digest=bytes(32), at=issued.at)
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        change_my_mind()
    queue(issued)
    assert issued.services.sequencing.run() == 3
    assert issued.services.sequencing.run() == 0


class Killed(BaseException):
    """The process ends here."""


STEPS = (
    "before anything",
    "leaves are appended",
    "what waited is taken away",
    "the head is kept",
    "before publication",
    "the further copy is written",
    "published",
)


def killed_at(world: World, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the sequencer, and end it at a step: nothing that comes after it is done."""
    from signer.register import heads  # noqa: PLC0415

    sequencing = world.services.sequencing
    places: dict[str, tuple[object, str, bool, int]] = {
        "before anything": (log, "latest", False, 1),
        "leaves are appended": (log, "append", True, 1),
        "what waited is taken away": (log, "taken", True, 1),
        "the head is kept": (log, "sign", True, 1),
        "before publication": (sequencing, "publish", False, 1),
        "the further copy is written": (heads, "write_whole", True, 1),
        "published": (heads, "write_whole", True, 2),
    }
    owner, name, is_after, turn = places[step]
    action, count = getattr(owner, name), [0]

    def interrupted(*given: Any, **named: Any) -> Any:
        count[0] += 1
        if not is_after:
            raise Killed
        found = action(*given, **named)
        if count[0] == turn:
            raise Killed
        return found

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        with pytest.raises(Killed):
            sequencing.run()


@pytest.mark.parametrize("step", STEPS)
def test_whatever_step_it_dies_at_nothing_is_published_that_is_not_held_and_nothing_is_lost(
    issued: World, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued.overrides["SIGNER_LOG_HEAD"] = str(tmp_path / "elsewhere" / "head")
    issued.rewire()
    issued.services.sequencing.run()
    queue(issued, count=2)
    killed_at(issued, step, monkeypatch)
    issued.rewire()
    size, root = published(issued).checkpoint.size, published(issued).checkpoint.root
    assert root == naive_root(leaves(issued)[:size])
    assert issued.services.sequencing.run() == (0 if STEPS.index(step) >= STEPS.index("before publication") else 2)
    assert published(issued).checkpoint == checkpoints.Checkpoint("127.0.0.1:8000/log", 4, naive_root(leaves(issued)))
    assert (tmp_path / "elsewhere" / "head").read_bytes() == (issued.folder / HEAD).read_bytes()
    assert len(leaves(issued)) == len(set(leaves(issued))) == 4


def test_a_disk_that_is_full_at_publication_loses_nothing_and_the_next_run_publishes(
    issued: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signer.register import heads  # noqa: PLC0415

    issued.services.sequencing.run()
    queue(issued)
    with monkeypatch.context() as patch:
        patch.setattr(heads, "write_whole", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(StorageUnavailable, match="No space left"):
            issued.services.sequencing.run()
    assert published(issued).checkpoint.size == 2
    assert issued.services.sequencing.run() == 0
    assert published(issued).checkpoint.size == 3
