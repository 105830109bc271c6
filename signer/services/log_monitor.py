"""
Watch somebody's transparency log: each checkpoint must follow from the one before; whose leaves are mine, none missing.

A log is read from its address or from a folder that has the same files. What was seen last is kept in a file: it is
what makes rewriting show, so it is written only for a tree that follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol

from pydantic import ConfigDict, Field, ValidationError

from signer.domain.log_leaf import Leaf, tag
from signer.domain.values import Frozen, Hex256
from signer.errors import InvalidInput, SignerError, Unavailable
from signer.outbound import NotReached
from signer.transparency import checkpoints, merkle, tiles
from signer.transparency.merkle import DIGEST_BYTES, EMPTY_ROOT, ProofInvalid, leaf_hash
from signer.transparency.tiles import WIDTH, Hashes, Tile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signer.domain.trust import TrustList
    from signer.outbound import Client
    from signer.transparency.checkpoints import Checkpoint, Signed
    from signer.transparency.notes import NoteKey

SCHEMA: Final = "signer.log-monitor/1"
_AHEAD: Final = 1000
"""So many of my running numbers may be missing before a leaf of mine is no longer known as mine."""
_MOST_TILE: Final = WIDTH * 200
_MOST_CHECKPOINT: Final = 32_000


class LogUnreadable(Unavailable):
    """A log's address or folder does not give what is asked for."""

    code = "log-unreadable"


class Published(Protocol):
    """A log as anybody reads it."""

    def checkpoint(self) -> str:
        """Return its newest signed checkpoint. Raises LogUnreadable."""

    def tile(self, wanted: Tile) -> bytes:
        """Return a tile. Raises LogUnreadable."""


class LogAtAddress:
    """A log that is served over HTTP, as C2SP tlog-tiles has it."""

    def __init__(self, url: str, client: Client) -> None:
        self._url = url.rstrip("/")
        self._client = client

    def checkpoint(self) -> str:
        """Ask for the checkpoint."""
        return self._get("checkpoint", _MOST_CHECKPOINT).decode("utf-8", "replace")

    def tile(self, wanted: Tile) -> bytes:
        """Ask for a tile."""
        return self._get(wanted.address, _MOST_TILE)

    def _get(self, path: str, most: int) -> bytes:
        try:
            answer = self._client.get(f"{self._url}/{path}", most=most)
        except (NotReached, InvalidInput) as error:
            raise LogUnreadable(f"{self._url}/{path}: {error}") from error
        if answer.status != 200:
            raise LogUnreadable(f"{self._url}/{path}: status {answer.status}")
        return answer.body


class LogInFolder:
    """A log whose files were copied into a folder, under the same names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def checkpoint(self) -> str:
        """Read the checkpoint."""
        return self._read("checkpoint", _MOST_CHECKPOINT).decode("utf-8", "replace")

    def tile(self, wanted: Tile) -> bytes:
        """Read a tile."""
        return self._read(wanted.address, _MOST_TILE)

    def _read(self, path: str, most: int) -> bytes:
        try:
            with (self._folder / path).open("rb") as file:
                return file.read(most + 1)
        except OSError as error:
            raise LogUnreadable(f"{self._folder / path}: {error.strerror}") from error


class Alarm(StrEnum):
    """What a monitor cries out."""

    ROLLED_BACK = "ROLLED_BACK"
    REWRITTEN = "REWRITTEN"
    LEAF_UNREADABLE = "LEAF_UNREADABLE"
    RUNNING_GAP = "RUNNING_GAP"
    RUNNING_TWICE = "RUNNING_TWICE"
    NEW_ENTRY = "NEW_ENTRY"
    LIST_ROLLED_BACK = "LIST_ROLLED_BACK"


@dataclass(frozen=True, slots=True)
class Cry:
    """An alarm and the case, in technical English."""

    alarm: Alarm
    detail: str


class State(Frozen):
    """
    What was seen last (`signer.log-monitor/1`), the monitor's memory.

    `running` is the number of the manufacturer's last leaf, `entries` are the digests of the certificates that a trust
    list has given to it, `trust_list` the highest sequence seen.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_: Literal["signer.log-monitor/1"] = Field(default=SCHEMA, alias="schema")
    origin: Annotated[str, Field(max_length=120)]
    size: Annotated[int, Field(ge=0)]
    root: Hex256
    checkpoint: Annotated[str, Field(max_length=_MOST_CHECKPOINT)]
    running: Annotated[int, Field(ge=0)] = 0
    entries: tuple[Hex256, ...] | None = None
    trust_list: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """A leaf of the manufacturer's: its place in the log, its running number, what it says."""

    index: int
    running: int
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a log: the checkpoint, what to remember, the new leaves of mine, and what to cry out."""

    signed: Signed
    state: State
    mine: tuple[Mine, ...] = ()
    cries: tuple[Cry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """For whom is watched: the key of its tags, and where trust lists are read for entries of its USCC."""

    key: bytes | None = None
    uscc: str | None = None
    trust: TrustList | None = None


def parse_state(data: bytes) -> State:
    """Read what a monitor remembers. Raises InvalidInput."""
    try:
        return State.model_validate_json(data)
    except ValidationError as error:
        raise InvalidInput("state", "is not what `signer log monitor` remembers") from error


def encode_state(state: State) -> bytes:
    """Return what is kept in the file."""
    return state.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode() + b"\n"


def look(log: Published, keys: tuple[NoteKey, ...], state: State | None, maker: Maker) -> Look:
    """
    Look at a log once.

    Raises LogUnreadable; NoteRefused for a checkpoint that no key of `keys` has signed; InvalidInput for a state of
    another log. A tree that does not follow is cried out, and nothing of it remembered.
    """
    note = log.checkpoint()
    signed = checkpoints.open_signed(note, keys)
    new = signed.checkpoint
    before = state or State(origin=new.origin, size=0, root=EMPTY_ROOT.hex(), checkpoint="")
    if before.origin != new.origin:
        raise InvalidInput("state", f"is of the log {before.origin}, not of {new.origin}")
    if new.size < before.size:
        return Look(signed, before, cries=(Cry(Alarm.ROLLED_BACK, f"{before.size} leaves were there, now {new.size}"),))
    try:
        entries = _entries(log, before, new) if maker.key is not None else ()
        if maker.key is None:
            _refuse_other_tree(log, before, new)
    except (ProofInvalid, _OtherTree) as error:
        return Look(signed, before, cries=(Cry(Alarm.REWRITTEN, f"{before.size} to {new.size} leaves: {error}"),))
    after = before.model_copy(update={"size": new.size, "root": new.root.hex(), "checkpoint": note})
    found = _mine(entries, maker.key, before) if maker.key is not None else _Mine(before.running)
    listed, cries = _listed(maker, before)
    after = after.model_copy(update={"running": found.last, **listed})
    return Look(signed, after, mine=tuple(found.leaves), cries=(*found.cries, *cries))


class _OtherTree(SignerError):
    """The entries that a log hands out do not make its root."""


def _refuse_other_tree(log: Published, before: State, new: Checkpoint) -> None:
    """Refuse a tree that the one before does not begin, by a consistency proof made of its tiles. ProofInvalid."""
    read = Hashes(new.size, lambda tile: _hashes(log, tile))
    proof = merkle.consistency(before.size, new.size, read)
    roots = {"old_root": bytes.fromhex(before.root), "new_root": new.root}
    merkle.verify_consistency(before.size, new.size, proof, **roots)


def _entries(log: Published, before: State, new: Checkpoint) -> tuple[tuple[int, bytes], ...]:
    """Return the new entries and their places, once they are known to lead from the old root to the new one."""
    read = Hashes(new.size, lambda tile: _hashes(log, tile))
    peaks = [read(each) for each in merkle.cover(0, before.size)]
    if merkle.fold(peaks).hex() != before.root:
        raise _OtherTree("what was there before is not there any more")
    entries = tuple(_from_tiles(log, before.size, new.size))
    grown = merkle.grow(before.size, peaks, [leaf_hash(entry) for _, entry in entries])
    if merkle.fold(grown) != new.root:
        raise _OtherTree("the leaves do not make the root")
    return entries


def _from_tiles(log: Published, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    for number in range(start // WIDTH, -(-end // WIDTH)):
        width = min(WIDTH, end - number * WIDTH)
        data, held = _tile(log, Tile(level=None, number=number, width=width))
        for place, entry in enumerate(tiles.unpack(data, width=held)[:width], start=number * WIDTH):
            if place >= start:
                yield place, entry


def _hashes(log: Published, wanted: Tile) -> bytes:
    return _tile(log, wanted)[0][: wanted.width * DIGEST_BYTES]


def _tile(log: Published, wanted: Tile) -> tuple[bytes, int]:
    """Return a tile and its width: the full one where the partial one is gone, as a log may do."""
    try:
        return log.tile(wanted), wanted.width
    except LogUnreadable:
        if wanted.width == WIDTH:
            raise
        return log.tile(Tile(level=wanted.level, number=wanted.number)), WIDTH


@dataclass(slots=True)
class _Mine:
    """The leaves of mine among new ones, up to which running number, and what is wrong with them."""

    last: int
    leaves: list[Mine] = field(default_factory=list)
    cries: list[Cry] = field(default_factory=list)


def _mine(entries: tuple[tuple[int, bytes], ...], key: bytes, before: State) -> _Mine:
    found = _Mine(before.running)
    known = {tag(key, running): running for running in range(1, before.running + _AHEAD + 1)}
    for index, entry in entries:
        try:
            leaf = Leaf.parse(entry)
        except InvalidInput:
            found.cries.append(Cry(Alarm.LEAF_UNREADABLE, f"leaf {index}"))
            continue
        running = known.get(leaf.tag)
        if running is None:
            continue
        found.leaves.append(Mine(index=index, running=running, leaf=leaf))
        found.cries += _faults(running, found.last, index)
        known |= {tag(key, each): each for each in range(found.last + _AHEAD + 1, running + _AHEAD + 1)}
        found.last = max(found.last, running)
    return found


def _faults(running: int, last: int, index: int) -> tuple[Cry, ...]:
    if running <= last:
        return (Cry(Alarm.RUNNING_TWICE, f"leaf {index} has the running number {running}, and {last} was there"),)
    if running > last + 1:
        return (Cry(Alarm.RUNNING_GAP, f"before leaf {index} the running numbers {last + 1} to {running - 1} lack"),)
    return ()


def _listed(maker: Maker, before: State) -> tuple[dict[str, object], tuple[Cry, ...]]:
    """Return what to remember of a trust list, and what it has under the manufacturer's USCC that it had not."""
    trust = maker.trust
    if trust is None:
        return {}, ()
    if before.trust_list is not None and trust.sequence < before.trust_list:
        told = f"trust list {trust.sequence}, {before.trust_list} was there before"
        return {}, (Cry(Alarm.LIST_ROLLED_BACK, told),)
    own = tuple(entry for entry in trust.entries if maker.uscc is not None and entry.uscc == maker.uscc)
    new = () if before.entries is None else tuple(each for each in own if each.certificate_digest not in before.entries)
    known = (*(before.entries or ()), *(each.certificate_digest for each in own))
    kept = {"entries": tuple(dict.fromkeys(known)), "trust_list": trust.sequence}
    return kept, tuple(
        Cry(Alarm.NEW_ENTRY, f"trust list {trust.sequence}: {each.purpose}, certificate {each.certificate_digest[:16]}")
        for each in new
    )
