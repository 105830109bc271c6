"""Watching a log from outside: what follows is remembered, what does not is cried out, my leaves are found."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import subtrees
import world as worlds
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from world import EMIRATES, KAZAKHSTAN, YUNZHOU, World, fresh

from signer.domain import log_leaf
from signer.domain.log_leaf import LeafType, Opening
from signer.domain.number import Number
from signer.errors import InvalidInput
from signer.outbound import OPERATORS, Client
from signer.seal import log_trust
from signer.services import log_monitor
from signer.services.log_monitor import Alarm, LogAtAddress, LogInFolder, LogUnreadable, Maker, State, look
from signer.transparency import merkle, notes, tiles
from signer.transparency.checkpoints import Checkpoint
from signer.transparency.notes import NoteKey, NoteRefused, NotSigned
from signer.transparency.tiles import Tile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = NoteKey("log.example", PRIVATE.public_key().public_bytes_raw())
MINE, OTHER = bytes(32), b"\1" * 32
ME = Maker(key=MINE)
OPENING = Opening(nonce="0a" * 32, type=LeafType.ISSUED, number=Number("ESJP6-X3FE9-SJ22"), digest="0b" * 32)


class Log:
    """A log in memory, as somebody else would keep it; nothing keeps it from lying."""

    def __init__(self, entries: list[bytes], *, signs: NoteKey = KEY) -> None:
        self.entries, self._signs = entries, signs
        self.asked: list[str] = []

    @property
    def _hashes(self) -> dict[merkle.Subtree, bytes]:
        return subtrees.of(merkle.leaf_hash(entry) for entry in self.entries)

    def checkpoint(self) -> str:
        root = merkle.root(len(self.entries), self._hashes.__getitem__)
        text = Checkpoint(self._signs.name, len(self.entries), root).text
        return notes.sign_note(text, name=self._signs.name, key_id=self._signs.id, sign_raw=PRIVATE.sign)

    def tile(self, wanted: Tile) -> bytes:
        self.asked.append(wanted.address)
        if wanted.level is None:
            return tiles.pack([self.entries[subtree.place] for subtree in wanted.subtrees])
        hashes = self._hashes
        return b"".join(hashes[subtree] for subtree in wanted.subtrees)


def leaf(running: int, key: bytes = MINE) -> bytes:
    return OPENING.plain.leaf(tag=log_leaf.tag(key, running), at=worlds.AT).encode()


def seen(log: Log, state: State | None = None, maker: Maker = ME) -> log_monitor.Look:
    return look(log, (KEY,), state, maker)


def cried(found: log_monitor.Look) -> list[Alarm]:
    return [cry.alarm for cry in found.cries]


def strangers(count: int, start: int = 1) -> list[bytes]:
    return [leaf(running, OTHER) for running in range(start, start + count)]


@pytest.mark.parametrize("maker", [ME, Maker()])
def test_a_log_that_grows_is_followed_and_only_what_is_new_is_read(maker: Maker) -> None:
    log = Log([leaf(1), *strangers(300), leaf(2)])
    first = seen(log, None, maker)
    log.entries += [*strangers(300, 301), leaf(3)]
    log.asked.clear()
    second = seen(log, first.state, maker)
    assert (cried(first), cried(second)) == ([], [])
    assert second.state.size == 603
    assert [each.running for each in second.mine] == ([3] if maker.key else [])
    assert not {"tile/entries/000"} & set(log.asked)
    assert cried(seen(log, second.state, maker)) == []


@pytest.mark.parametrize("maker", [ME, Maker()])
@pytest.mark.parametrize(
    ("change", "alarm"),
    [
        (lambda entries: [*entries[:2], leaf(9), *entries[3:], *strangers(3)], Alarm.REWRITTEN),
        (lambda entries: [*entries[:2], leaf(9), *entries[3:]], Alarm.REWRITTEN),
        (lambda entries: [*entries[:2], *entries[3:], *strangers(9)], Alarm.REWRITTEN),
        (lambda entries: entries[:-1], Alarm.ROLLED_BACK),
    ],
)
def test_a_log_that_was_rewritten_is_cried_out_and_not_remembered(maker: Maker, change: Any, alarm: Alarm) -> None:
    entries = [leaf(1), *strangers(4), leaf(2)]
    state = seen(Log(entries), None, maker).state
    found = seen(Log(change(entries)), state, maker)
    assert cried(found) == [alarm]
    assert found.state == state


def test_a_log_whose_entries_are_not_its_leaves_is_cried_out() -> None:
    log = Log([leaf(1), *strangers(4)])
    honest = log.tile

    def lying(wanted: Tile) -> bytes:
        return tiles.pack([leaf(1), *strangers(3), leaf(2)]) if wanted.level is None else honest(wanted)

    log.tile = lying  # type: ignore[method-assign]
    assert cried(seen(log)) == [Alarm.REWRITTEN]


def test_a_gap_and_a_double_among_my_leaves_are_cried_out_once() -> None:
    log = Log([leaf(1), leaf(2), leaf(4), *strangers(2), leaf(4)])
    found = seen(log)
    assert cried(found) == [Alarm.RUNNING_GAP, Alarm.RUNNING_TWICE]
    assert "3 to 3" in found.cries[0].detail
    assert found.state.running == 4
    log.entries += [leaf(3), leaf(5)]
    assert cried(seen(log, found.state)) == [Alarm.RUNNING_TWICE]


def test_a_leaf_of_another_form_is_cried_out() -> None:
    assert cried(seen(Log([leaf(1), b"nothing"]))) == [Alarm.LEAF_UNREADABLE]


def test_a_strangers_checkpoint_and_another_logs_memory_are_refused() -> None:
    other = NoteKey("other.example", KEY.public)
    with pytest.raises(NotSigned):
        seen(Log([leaf(1)], signs=other))
    state = seen(Log([leaf(1)])).state
    with pytest.raises(InvalidInput, match=r"other\.example"):
        look(Log([leaf(1)], signs=other), (other,), state, ME)


def test_an_outside_witness_is_shown_with_its_time_and_one_that_lies_ends_the_look() -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    witness = NoteKey("witness.example/w1", private.public_key().public_bytes_raw(), notes.Kind.COSIGNATURE)
    log = Log([leaf(1), *strangers(3)])
    honest = log.checkpoint()
    text = notes.split(honest)[0]
    log.checkpoint = lambda: honest + cosigned  # type: ignore[method-assign]
    cosigned = notes.cosignature(text, key=witness, at=worlds.AT, sign_raw=private.sign)
    found = look(log, (KEY, witness), None, ME)
    assert [(each.key.name, each.at) for each in found.signed.witnesses] == [("witness.example/w1", worlds.AT)]
    assert cosigned in found.state.checkpoint
    assert look(log, (KEY,), None, ME).signed.witnesses == ()
    cosigned = notes.cosignature(text.replace("4", "5"), key=witness, at=worlds.AT, sign_raw=private.sign)
    with pytest.raises(NoteRefused, match="does not verify"):
        look(log, (KEY, witness), None, ME)


def test_what_is_remembered_reads_back_and_nothing_else_does() -> None:
    state = seen(Log([leaf(1)])).state
    assert log_monitor.parse_state(log_monitor.encode_state(state)) == state
    for data in (b"", b"{}", b"[]", log_monitor.encode_state(state).replace(b'"size": 1', b'"size": -1')):
        with pytest.raises(InvalidInput):
            log_monitor.parse_state(data)


@pytest.fixture(scope="module")
def world(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A deployment whose log holds the leaves of two manufacturers."""
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("watched") / "data"))
    for turn, name in enumerate((KAZAKHSTAN, EMIRATES, KAZAKHSTAN)):
        made.issue(fresh(name, turn))
    made.services.sequencing.drain()
    return made


@pytest.fixture(scope="module")
def copied(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a deployment, copied into a folder file by file."""
    folder, book = tmp_path_factory.mktemp("copied"), world.services.logbook
    (folder / "checkpoint").write_text(book.checkpoint(), encoding="utf-8")
    for tile in tiles.of_tree(6):
        (folder / tile.address).parent.mkdir(parents=True, exist_ok=True)
        (folder / tile.address).write_bytes(book.tile(tile))
    return folder


@pytest.fixture(scope="module")
def address(copied: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(copied)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""


def test_a_manufacturer_finds_its_leaves_in_a_folder_and_at_an_address(
    world: World, copied: Path, address: str
) -> None:
    key = world.services.logbook.key_of(YUNZHOU)
    keys = log_trust.keys(world.services.trust.current(world.at), at=world.at)
    for log in (LogInFolder(copied), LogAtAddress(address, Client(OPERATORS))):
        found = look(log, keys, None, Maker(key=key))
        assert cried(found) == []
        assert [(each.running, each.leaf.type) for each in found.mine] == [
            (1, "intent"),
            (2, "issued"),
            (3, "intent"),
            (4, "issued"),
        ]
    with pytest.raises(LogUnreadable, match="404"):
        LogAtAddress(address, Client(OPERATORS)).tile(Tile(level=0, number=7))
    with pytest.raises(LogUnreadable):
        LogInFolder(copied / "nowhere").checkpoint()


def test_a_new_entry_under_my_uscc_is_cried_out_and_an_older_list_too(world: World, copied: Path) -> None:
    trust = world.services.trust.current(world.at)
    keys = log_trust.keys(trust, at=world.at)
    own = next(entry for entry in trust.entries if entry.legal_name == YUNZHOU)
    before = trust.model_copy(update={"entries": tuple(entry for entry in trust.entries if entry is not own)})
    first = look(LogInFolder(copied), keys, None, Maker(uscc=own.uscc, trust=before))
    later = trust.model_copy(update={"sequence": trust.sequence + 1})
    second = look(LogInFolder(copied), keys, first.state, Maker(uscc=own.uscc, trust=later))
    assert (cried(first), cried(second)) == ([], [Alarm.NEW_ENTRY])
    assert own.certificate_digest[:16] in second.cries[0].detail
    assert cried(look(LogInFolder(copied), keys, second.state, Maker(uscc=own.uscc, trust=later))) == []
    third = look(LogInFolder(copied), keys, second.state, Maker(uscc=own.uscc, trust=trust))
    assert cried(third) == [Alarm.LIST_ROLLED_BACK]
