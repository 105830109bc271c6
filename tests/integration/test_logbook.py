"""The log as it is read, and a log whose register was restored, or whose key changed."""

from __future__ import annotations

import base64
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import world as worlds
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from logged import issue_beside, leaves, naive_root, published, queue
from world import EMIRATES, KAZAKHSTAN, MEXICO, World, sample

from signer.domain.log_leaf import Leaf, LeafType, encode_proof, parse_proof
from signer.domain.trust import Purpose, SealState
from signer.errors import Conflict, InvalidInput, KeyUnavailable, LogHeld, Misconfigured, NotFound
from signer.register import endings
from signer.register.heads import HEAD
from signer.register.scope import Scope
from signer.seal import log_key, pki
from signer.services import backfilling, log_gathering
from signer.services.resuming import leaves_of
from signer.services.trust import make_test_pki
from signer.transparency import checkpoints, merkle, proofs, tiles
from signer.transparency.merkle import leaf_hash, verify_consistency
from signer.transparency.tiles import Tile
from signer.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signer.domain.number import Number
    from signer.transparency.notes import NoteKey

ORIGIN = "127.0.0.1:8000/log"


@pytest.fixture(scope="module")
def issued_folder(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("logged") / "data"))
    issue_beside(made, sample(KAZAKHSTAN))
    made.services.sequencing.drain()
    made.services.database.close()
    return made.folder


@pytest.fixture
def database() -> str:
    """SQLite: what is asked here is the same on both."""
    return "sqlite"


@pytest.fixture
def logged(issued_folder: Path, tmp_path: Path) -> Iterator[World]:
    """A deployment whose two leaves are in the log."""
    made = World(worlds.copy(issued_folder, tmp_path / "logged"))
    yield made
    made.services.database.close()


def the_number(world: World) -> Number:
    ((number,),) = world.rows("SELECT number FROM confirmations ORDER BY id LIMIT 1")
    return number  # type: ignore[no-any-return]


def keys(world: World) -> list[NoteKey]:
    entries = world.services.trust.current(world.at).of(Purpose.LOG)
    return [log_key.note_key(entry, origin=ORIGIN) for entry in entries]


def head(world: World) -> str:
    """Return the published head as an operator types it."""
    checkpoint = published(world).checkpoint
    return f"{checkpoint.size} {base64.b64encode(checkpoint.root).decode()}"


def test_a_proof_holds_by_the_trust_list_alone_and_survives_its_encoding(logged: World) -> None:
    queue(logged, count=700)
    logged.services.sequencing.drain()
    for kind in (LeafType.INTENT, LeafType.ISSUED, LeafType.WITHDRAW):
        proof = logged.services.logbook.proof(the_number(logged), kind)
        assert proof is not None
        proven = proofs.verify(parse_proof(encode_proof(proof)), keys(logged))
        assert (proven.leaf.type, proven.signed.checkpoint.size) == (kind, 702)
    assert logged.services.logbook.proof(the_number(logged), LeafType.ABANDON) is None


def test_every_size_is_consistent_with_every_later_one(logged: World) -> None:
    sizes = {}
    for count in (0, 1, 253, 1, 300):
        queue(logged, count=count)
        logged.services.sequencing.run()
        checkpoint = published(logged).checkpoint
        sizes[checkpoint.size] = checkpoint.root
    last = max(sizes)
    for size, root in sizes.items():
        path = logged.services.logbook.consistency(size)
        verify_consistency(size, last, path, old_root=root, new_root=sizes[last])


def test_waiting_for_a_leaf_has_it_appended_now(logged: World) -> None:
    number = logged.issue(sample(EMIRATES)).number
    proof = logged.services.logbook.wait_for(number, LeafType.ISSUED)
    assert proof is not None
    assert proofs.verify(proof, keys(logged)).leaf.type is LeafType.ISSUED
    assert proof == logged.services.logbook.proof(number, LeafType.ISSUED)


def test_what_was_issued_goes_into_the_log_with_the_next_intent_under_one_head(logged: World) -> None:
    ((before,),) = logged.rows("SELECT count(*) FROM log_checkpoints")
    issuing = logged.services.issuing
    numbers = [issuing.issue(logged.order(sample(name))).number for name in (EMIRATES, MEXICO)]
    assert logged.rows("SELECT count(*) FROM log_checkpoints") == [(before + 2,)]
    assert [row[0] for row in logged.rows("SELECT type FROM log_leaves ORDER BY sequence")][2:] == [
        "intent",
        "issued",
        "intent",
    ]
    for number in numbers:
        proof = logged.services.logbook.proof(number)
        assert proof is not None
        assert proofs.verify(proof, keys(logged)).leaf.type is LeafType.ISSUED


def test_a_process_that_ends_leaves_nothing_of_its_own_waiting_for_the_log(logged: World) -> None:
    logged.services.issuing.issue(logged.order(sample(EMIRATES)))
    assert len(logged.rows("SELECT * FROM log_queue")) == 1
    logged.services.database.close()
    assert logged.rows("SELECT * FROM log_queue") == []


def test_the_tiles_make_the_tree_without_us(logged: World) -> None:
    queue(logged, count=300)
    logged.services.sequencing.drain()
    book, size = logged.services.logbook, 302
    entries: list[bytes] = []
    for wanted in tiles.of_tree(size):
        data = book.tile(wanted)
        if wanted.level is None:
            entries += tiles.unpack(data, width=wanted.width)
    assert entries == leaves(logged)
    hashes = tiles.Hashes(size, book.tile)
    assert tiles.parse("tile/0/001.p/46") == Tile(level=0, number=1, width=46)
    assert book.tile(Tile(level=0, number=1, width=46)) == b"".join(map(leaf_hash, entries[256:]))
    assert hashes(tiles.Subtree(8, 0)) == book.tile(Tile(level=1, number=0, width=1))
    for beyond in (
        Tile(level=0, number=1, width=47),
        Tile(level=0, number=2, width=1),
        Tile(level=1, number=0, width=2),
    ):
        with pytest.raises(NotFound):
            book.tile(beyond)


def test_a_maker_gets_what_opens_its_own_leaves(logged: World) -> None:
    (maker,) = {row[0] for row in logged.rows("SELECT manufacturer_id FROM log_leaves")}
    queue(logged)
    logged.services.sequencing.drain()
    book = logged.services.logbook
    found = book.openings(scope=Scope.of(maker))
    assert [(running, index, opening.type) for running, index, opening in found] == [
        (1, 0, LeafType.INTENT),
        (2, 1, LeafType.ISSUED),
        (3, 2, LeafType.WITHDRAW),
    ]
    assert book.openings(scope=Scope.of(maker), after=2) == found[2:]
    assert book.openings(scope=Scope.of(maker + 1)) == ()


def put_back(world: World, copy: Path) -> None:
    """Put an older register in the place of the one in use."""
    world.services.database.close()
    for path in world.folder.glob("register.sqlite3*"):
        path.unlink()
    shutil.copy(copy, world.folder / "register.sqlite3")
    world.rewire()


@pytest.fixture
def yesterday(logged: World, tmp_path: Path) -> Path:
    """A copy of the register as it is now."""
    logged.services.database.close()
    shutil.copy(logged.folder / "register.sqlite3", tmp_path / "yesterday")
    logged.rewire()
    return tmp_path / "yesterday"


@pytest.fixture
def restored(logged: World, yesterday: Path) -> World:
    """A register of yesterday under a log of today: three leaves were published that it does not hold."""
    queue(logged, count=3)
    logged.services.sequencing.drain()
    put_back(logged, yesterday)
    return logged


def test_an_older_register_appends_nothing_and_goes_on_issuing_without_a_proof(restored: World) -> None:
    queue(restored)
    with pytest.raises(LogHeld, match="2 leaves here, and 5 were published"):
        restored.services.sequencing.run()
    number = restored.issue(sample(EMIRATES)).number
    assert restored.services.logbook.wait_for(number) is None
    assert restored.rows("SELECT count(*) FROM log_leaves") == [(2,)]


def test_an_older_register_never_goes_on_by_a_lower_head_or_without_the_leaves_that_it_lost(restored: World) -> None:
    highest, resuming = head(restored), restored.services.resuming
    own = restored.rows("SELECT size, root FROM log_checkpoints ORDER BY id DESC LIMIT 1")[0]
    lower = f"{own[0]} {base64.b64encode(own[1]).decode()}"
    with pytest.raises(Conflict, match="a head of 5 leaves is remembered"):
        resuming.resume(lower, by="lin.sample")
    with pytest.raises(Conflict, match="the 3 between are needed"):
        resuming.resume(highest, by="lin.sample")
    with pytest.raises(Conflict, match="do not make that root"):
        resuming.resume(highest, by="lin.sample", leaves=leaves(restored) + leaves(restored)[:1])
    with pytest.raises(InvalidInput, match="SIZE ROOT"):
        resuming.resume("five leaves", by="lin.sample")
    with pytest.raises(LogHeld):
        restored.services.sequencing.run()


@pytest.mark.parametrize("count", [3, 600])
def test_with_the_head_typed_and_the_lost_leaves_back_it_goes_on_as_the_log_that_was_published(
    logged: World, yesterday: Path, count: int
) -> None:
    queue(logged, count=count)
    logged.services.sequencing.drain()
    before, typed, book = published(logged).checkpoint, head(logged), logged.services.logbook
    files = [book.tile(tile) for tile in tiles.of_tree(before.size) if tile.level is None]
    put_back(logged, yesterday)
    copied = [leaf for file in files for leaf in leaves_of(file)]
    assert logged.services.resuming.resume(typed, by="lin.sample", leaves=copied) == count
    queue(logged)
    assert logged.services.sequencing.run() == 1
    after = published(logged).checkpoint
    assert after.root == naive_root(leaves(logged))
    path = logged.services.logbook.consistency(before.size)
    verify_consistency(before.size, after.size, path, old_root=before.root, new_root=after.root)
    assert logged.rows("SELECT running FROM log_leaves ORDER BY sequence") == [(one + 1,) for one in range(after.size)]
    assert logged.rows("SELECT actor FROM audit WHERE event = 'log.resumed'") == [("lin.sample",)]


def test_a_register_whose_head_nobody_remembers_waits_for_an_operator(logged: World) -> None:
    typed = head(logged)
    (logged.folder / HEAD).unlink()
    queue(logged)
    with pytest.raises(LogHeld, match="nobody remembers"):
        logged.services.sequencing.run()
    assert logged.services.resuming.resume(typed, by="lin.sample") == 0
    assert logged.services.sequencing.run() == 1


def test_a_register_restored_from_before_the_log_begins_none_anew_by_itself(world: World, tmp_path: Path) -> None:
    world.services.keeping.backup(tmp_path / "backup.zip")
    (tmp_path / "new").mkdir()
    shutil.copytree(world.folder / "keys", tmp_path / "new" / "keys")
    new = World(tmp_path / "new", at=world.at)
    new.services.keeping.restore(tmp_path / "backup.zip", actor="test")
    with pytest.raises(LogHeld, match="nobody remembers"):
        new.services.sequencing.run()
    with pytest.raises(Conflict, match="has not begun here"):
        new.services.resuming.resume(f"1 {base64.b64encode(merkle.EMPTY_ROOT).decode()}", by="lin.sample")
    nothing = f"0 {base64.b64encode(merkle.EMPTY_ROOT).decode()}"
    assert new.services.resuming.resume(nothing, by="lin.sample") == 0
    assert new.services.sequencing.run() == 0
    assert published(new).checkpoint.size == 0
    new.services.database.close()


def test_the_copy_on_another_disk_holds_a_register_whose_whole_data_folder_was_restored(
    logged: World, tmp_path: Path
) -> None:
    logged.overrides["SIGNER_LOG_HEAD"] = str(tmp_path / "elsewhere")
    logged.rewire()
    logged.services.sequencing.publish()
    logged.services.database.close()
    shutil.copytree(logged.folder, tmp_path / "snapshot")
    logged.rewire()
    queue(logged)
    logged.services.sequencing.run()
    logged.services.database.close()
    shutil.rmtree(logged.folder)
    shutil.copytree(tmp_path / "snapshot", logged.folder)
    logged.rewire()
    with pytest.raises(LogHeld, match="2 leaves here, and 3 were published"):
        logged.services.sequencing.run()


def test_a_host_of_several_goes_on_by_the_head_that_all_of_them_see(logged: World, tmp_path: Path) -> None:
    logged.overrides["SIGNER_LOG_HEAD"] = str(tmp_path / "shared")
    logged.rewire()
    queue(logged)
    logged.services.sequencing.run()
    (logged.folder / HEAD).unlink()
    assert logged.services.logbook.checkpoint() == (tmp_path / "shared").read_text(encoding="utf-8")
    assert logged.services.sequencing.run() == 0
    assert (logged.folder / HEAD).read_bytes() == (tmp_path / "shared").read_bytes()


def test_another_log_of_the_same_size_is_never_continued(logged: World) -> None:
    queue(logged)
    logged.services.sequencing.run()
    key = log_key.load(
        logged.settings.keys / log_key.FILE, password=(logged.settings.keys / "password").read_bytes().strip()
    )
    text = published(logged).checkpoint
    forged = key.sign(f"{text.origin}\n{text.size}\n{base64.b64encode(bytes(32)).decode()}\n", origin=text.origin)
    (logged.folder / HEAD).write_text(forged, encoding="utf-8")
    queue(logged)
    with pytest.raises(LogHeld, match="is not the one that is here"):
        logged.services.sequencing.run()
    with pytest.raises(Conflict, match="had another root"):
        logged.services.resuming.resume(f"{text.size} {base64.b64encode(bytes(32)).decode()}", by="lin.sample")


def next_key(world: World) -> None:
    """Put another key of the log in the place of the one in use, listed."""
    folder = world.settings.keys
    for name in (log_key.FILE, "log.crt.pem"):
        (folder / name).unlink()
    make_test_pki(world.settings, (worlds.ROOT / "keys.example" / "pki.yaml").read_bytes(), at=world.at)


def set_state(world: World, digest: str, state: SealState) -> None:
    since = {"state": state, "state_since": world.at.replace(microsecond=0)}
    if state is SealState.REVOKED:
        since |= {"revoked_at": world.at.replace(microsecond=0), "reason": "lost"}
    world.publish(lambda entry: entry.model_copy(update=since) if entry.certificate_digest == digest else entry)


def test_the_next_key_signs_the_same_tree_and_the_former_verifies_what_it_signed(logged: World) -> None:
    ((former,),) = [(entry,) for entry in logged.services.trust.current(logged.at).of(Purpose.LOG)]
    older = (logged.folder / HEAD).read_text(encoding="utf-8")
    next_key(logged)
    logged.rewire()
    set_state(logged, former.certificate_digest, SealState.VERIFY_ONLY)
    assert logged.services.sequencing.run() == 0
    newer = published(logged)
    assert newer.by.public != log_key.public_key(log_key.Certificate(former.der))
    assert newer.checkpoint.text == older.partition("\n\n")[0] + "\n"
    assert logged.services.sequencing.run() == 0
    assert logged.rows("SELECT count(*) FROM log_checkpoints") == [(3,)]


def test_the_next_key_proves_what_the_former_s_log_held(logged: World) -> None:
    (former,) = logged.services.trust.current(logged.at).of(Purpose.LOG)
    number = the_number(logged)
    logged.at += timedelta(days=2)
    next_key(logged)
    logged.rewire()
    set_state(logged, former.certificate_digest, SealState.REVOKED)
    logged.services.sequencing.run()
    made = logged.services.logbook.proof(number)
    assert made is not None
    expected = log_gathering.Expected(number=number, digest=made.opening.digest, types=frozenset({LeafType.ISSUED}))
    judged = log_gathering.judge(encode_proof(made), logged.services.trust.current(logged.at), expected)
    assert (judged.fault, judged.at) == (None, worlds.AT + timedelta(minutes=1))


@pytest.mark.parametrize("state", [SealState.VERIFY_ONLY, SealState.SUSPENDED, SealState.REVOKED])
def test_a_key_that_the_trust_list_does_not_let_sign_signs_nothing(logged: World, state: SealState) -> None:
    (entry,) = logged.services.trust.current(logged.at).of(Purpose.LOG)
    set_state(logged, entry.certificate_digest, state)
    queue(logged)
    with pytest.raises(Misconfigured, match=f"it is {state}"):
        logged.services.sequencing.run()
    assert logged.rows("SELECT count(*) FROM log_checkpoints") == [(2,)]


def test_without_its_key_or_its_secret_nothing_is_appended(logged: World) -> None:
    queue(logged)
    folder = logged.settings.keys
    (folder / log_key.SECRET_FILE).rename(folder / "aside")
    with pytest.raises(KeyUnavailable, match=r"log\.secret"):
        logged.services.sequencing.run()
    (folder / "aside").rename(folder / log_key.SECRET_FILE)
    (folder / log_key.FILE).unlink()
    with pytest.raises(KeyUnavailable, match="nothing goes into the log"):
        logged.services.sequencing.run()
    assert logged.rows("SELECT count(*) FROM log_leaves") == [(2,)]


def test_the_secret_and_the_key_are_readable_by_their_owner_alone_and_the_key_is_encrypted(logged: World) -> None:
    for name in (log_key.FILE, log_key.SECRET_FILE):
        assert (logged.settings.keys / name).stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in (logged.settings.keys / log_key.FILE).read_bytes()


def test_a_key_on_another_curve_is_no_key_of_the_log(logged: World) -> None:
    folder = logged.settings.keys
    (folder / log_key.FILE).write_bytes((folder / "receipt.pem").read_bytes())
    with pytest.raises(Misconfigured, match="not on Ed25519"):
        logged.services.sequencing.run()
    other = Ed25519PrivateKey.generate()
    members = tuple(pki.x509.load_pem_x509_certificates((folder / "log.crt.pem").read_bytes()))
    (folder / log_key.FILE).write_bytes(pki.pem_of(other, members, password=(folder / "password").read_bytes().strip()))
    with pytest.raises(Misconfigured, match="not that of the key"):
        logged.services.sequencing.run()


def test_anybody_rebuilds_the_log_over_http_from_any_origin(logged: World) -> None:
    queue(logged, count=260)
    logged.services.sequencing.drain()
    client = create_app(logged.services, clock=lambda: logged.at).test_client()
    found = client.get("/log/checkpoint")
    assert (found.mimetype, found.headers["Cache-Control"]) == ("text/plain", "no-cache")
    assert found.headers["Access-Control-Allow-Origin"] == "*"
    signed = checkpoints.open_signed(found.text, keys(logged)).checkpoint
    again = client.get("/log/checkpoint", headers={"If-None-Match": found.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    read = {tile: client.get(f"/log/{tile.address}") for tile in tiles.of_tree(signed.size)}
    kept = {tile.width == 256: answer.headers["Cache-Control"] for tile, answer in read.items()}
    assert kept == {True: "public, max-age=31536000, immutable", False: "public, max-age=600"}
    assert {answer.mimetype for answer in read.values()} == {"application/octet-stream"}
    hashes = tiles.Hashes(signed.size, lambda tile: read[tile].data)
    assert merkle.root(signed.size, hashes) == signed.root


@pytest.mark.parametrize(
    "place",
    [
        "0/002",
        "0/000.p/257",
        "0/0",
        "0/000.p/0",
        "00/000",
        "entries/001.p/200",
        "64/000",
        "1/000.p/2",
        "0/x000/000",
        "a",
    ],
)
def test_what_is_no_tile_of_the_log_is_not_there(logged: World, place: str) -> None:
    client = create_app(logged.services, clock=lambda: logged.at).test_client()
    assert client.get("/log/tile/0/000.p/2").status_code == 200
    assert client.get(f"/log/tile/{place}").status_code == 404


def test_a_head_that_the_register_does_not_hold_is_not_handed_out(restored: World) -> None:
    client = create_app(restored.services, clock=lambda: restored.at).test_client()
    assert client.get("/log/checkpoint").status_code == 503


def test_before_its_first_leaf_there_is_no_head(world: World) -> None:
    client = create_app(world.services, clock=lambda: world.at).test_client()
    assert client.get("/log/checkpoint").status_code == 404
    assert client.get("/log/tile/0/000.p/1").status_code == 404


def forget_the_log(world: World) -> None:
    """Make a deployment as it was before there was a log."""
    world.services.database.close()
    world.services.database.downgrade("0024")
    (world.folder / HEAD).unlink(missing_ok=True)
    world.services.database.upgrade()


def test_after_the_migration_a_job_brings_in_what_was_issued_before(logged: World) -> None:
    second = logged.issue(sample(EMIRATES)).number
    with logged.services.database.write() as tx:
        endings.withdraw(tx, second, scope=Scope.everything("a test"), vins=(), reason="error", at=logged.at)
    forget_the_log(logged)
    logged.services.working.run_due()
    assert [Leaf.parse(one).type for one in leaves(logged)] == ["backfill", "backfill", "withdraw"]
    for number in (the_number(logged), second):
        proof = logged.services.logbook.proof(number, LeafType.BACKFILL)
        sealed = logged.rows(
            "SELECT sealed_digest FROM files JOIN confirmations c ON c.id = files.confirmation_id"
            f" WHERE c.number = '{number}'"
        )
        assert proof is not None
        assert bytes.fromhex(proof.opening.digest) == bytes(sealed[0][0])
    assert logged.services.backfilling.run() == 0
    assert len(leaves(logged)) == 3


def test_a_backfill_that_was_cut_off_goes_on_and_brings_each_in_once(
    logged: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged.issue(sample(EMIRATES))
    forget_the_log(logged)
    monkeypatch.setattr(backfilling, "_AT_ONCE", 1)
    with monkeypatch.context() as patch:
        patch.setattr(logged.services.sequencing, "drain", lambda: (_ for _ in ()).throw(LogHeld("not now")))
        with pytest.raises(LogHeld):
            logged.services.backfilling.run()
    assert logged.services.backfilling.run() == 1
    assert [Leaf.parse(one).type for one in leaves(logged)] == ["backfill", "backfill"]


def told_of_the_log(world: World) -> list[tuple[str, str]]:
    return [(found.health, found.detail) for found in world.services.doctor.examine() if found.part == "log"]


def test_the_doctor_tells_of_a_log_that_is_well_late_held_and_without_its_key(restored: World) -> None:
    ((health, told), *_) = [found for found in told_of_the_log(restored) if found[0] == "error"]
    assert (health, "older register" in told) == ("error", True)
    (restored.settings.keys / log_key.FILE).unlink()
    assert told_of_the_log(restored) == [
        ("warning", f"{restored.settings.keys / log_key.FILE} is not there: nothing goes into the log")
    ]


def test_the_doctor_tells_of_what_waits_too_long(logged: World) -> None:
    assert {health for health, _ in told_of_the_log(logged)} == {"ok"}
    queue(logged)
    logged.at += timedelta(minutes=11)
    assert any("has waited since" in told for health, told in told_of_the_log(logged) if health == "warning")
