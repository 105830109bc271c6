"""The transparency log as the register keeps it: what waits for it, its leaves, tiles and checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Integer, and_, bindparam, delete, exists, func, insert, select

from signer.domain.confirmation import Standing
from signer.domain.log_leaf import LeafType
from signer.domain.number import Number
from signer.domain.parties import Uscc
from signer.register.log_tables import log_checkpoints, log_leaves, log_queue, log_tiles
from signer.register.ready import Ready
from signer.register.tables import confirmations, files, manufacturers
from signer.transparency.merkle import DIGEST_BYTES, node_hash
from signer.transparency.tiles import HEIGHT, WIDTH, Tile, pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Column, Row, Select
    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

_QUEUE = Ready(insert(log_queue).inline())
_APPEND = Ready(insert(log_leaves).inline())
_WAITING = Ready(
    select(
        log_queue.c.id,
        log_queue.c.confirmation_id,
        confirmations.c.number,
        confirmations.c.manufacturer_id,
        manufacturers.c.uscc,
        log_queue.c.type,
        log_queue.c.digest,
        log_queue.c.queued_at,
    )
    .join(confirmations, confirmations.c.id == log_queue.c.confirmation_id)
    .join(manufacturers, manufacturers.c.id == confirmations.c.manufacturer_id)
    .order_by(log_queue.c.id)
    .limit(bindparam("most", type_=Integer()))
)
_TYPES = {kind.value: kind for kind in LeafType}
_MOST_AT_ONCE = 500
_FEW = 10
"""So few are asked for one by one, by statements that are ready: an issue appends two leaves at a time."""
_AWAITED = Ready(select(log_queue.c.id).limit(1))
_LAST_OF_MAKER = Ready(
    select(func.max(log_leaves.c.running).label("running")).where(log_leaves.c.manufacturer_id == bindparam("maker"))
)
_TAKEN = Ready(delete(log_queue).where(log_queue.c.id == bindparam("taken")))
_LAST_ABOUT = Ready(
    select(log_leaves.c.leaf_hash)
    .where(log_leaves.c.confirmation_id == bindparam("of"))
    .order_by(log_leaves.c.sequence.desc())
    .limit(1)
)
_SIGN = Ready(insert(log_checkpoints).inline())
_LATEST = Ready(select(log_checkpoints).order_by(log_checkpoints.c.id.desc()).limit(1))
_OF_NOTE = Ready(
    select(log_checkpoints)
    .where(log_checkpoints.c.size == bindparam("size"), log_checkpoints.c.note == bindparam("note"))
    .limit(1)
)
_TILE = Ready(
    select(log_tiles.c.hashes).where(log_tiles.c.level == bindparam("level"), log_tiles.c.number == bindparam("number"))
)
_HASHES = Ready(
    select(log_leaves.c.leaf_hash)
    .where(log_leaves.c.sequence >= bindparam("start"), log_leaves.c.sequence < bindparam("end"))
    .order_by(log_leaves.c.sequence)
)
_ENTRY = Ready(
    select(log_leaves, confirmations.c.manufacturer_id.label("owner"))
    .join(confirmations, confirmations.c.id == log_leaves.c.confirmation_id)
    .where(confirmations.c.number == bindparam("number"), log_leaves.c.type == bindparam("kind"))
    .order_by(log_leaves.c.sequence.desc())
    .limit(1)
)
"""What every issue asks (docs/adr/0015, 0054)."""


class Waiting(NamedTuple):
    """What happened and is not in the log yet."""

    id: int
    confirmation_id: int
    number: Number
    manufacturer_id: int
    uscc: Uscc
    type: LeafType
    digest: bytes
    queued_at: datetime


class Entry(NamedTuple):
    """
    A leaf in its place, `sequence`, counted from 0.

    One that came back from a copy of the log has neither confirmation, digest nor nonce; nor, perhaps, a manufacturer.
    """

    sequence: int
    leaf: bytes
    leaf_hash: bytes
    manufacturer_id: int | None = None
    running: int | None = None
    confirmation_id: int | None = None
    type: LeafType | None = None
    digest: bytes | None = None
    previous: bytes | None = None
    nonce: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A checkpoint that was signed: the size, the root, and `edge`, the hashes of the subtrees that cover the tree."""

    size: int
    root: bytes
    edge: tuple[bytes, ...]
    note: str
    signed_at: datetime


def queue(tx: Connection, kind: str, *, confirmation_id: int, digest: bytes, at: datetime) -> None:
    """Queue a leaf for the log, in the transaction that makes it true."""
    _QUEUE.execute(tx, {"confirmation_id": confirmation_id, "type": kind, "digest": digest, "queued_at": at})


def queue_end(tx: Connection, kind: str, *, confirmation_id: int, at: datetime) -> None:
    """Queue a leaf about the end of what was issued: its digest is that of S."""
    sealed = select(files.c.sealed_digest).where(files.c.confirmation_id == confirmation_id, files.c.kind == "sealed")
    queue(tx, kind, confirmation_id=confirmation_id, digest=bytes(tx.execute(sealed).scalar_one()), at=at)


def is_waited_for(tx: Connection) -> bool:
    """Tell whether anything waits for the log."""
    return _AWAITED.first(tx) is not None


def waiting_since(tx: Connection) -> datetime | None:
    """Return since when the oldest has been waiting, None if nothing waits."""
    found: datetime | None = tx.execute(select(func.min(log_queue.c.queued_at))).scalar()
    return found


def waiting(tx: Connection, most: int) -> tuple[Waiting, ...]:
    """Return what waits, the oldest first."""
    rows = _WAITING.rows(tx, {"most": most})
    usccs = {uscc: Uscc(uscc) for uscc in {row.uscc for row in rows}}
    return tuple(
        [
            Waiting(id_, confirmation, Number.kept(number), maker, usccs[uscc], _TYPES[kind], bytes(digest), at)
            for id_, confirmation, number, maker, uscc, kind, digest, at in rows
        ]
    )


def running(tx: Connection, manufacturer_ids: Iterable[int]) -> dict[int, int]:
    """Return the running number of each manufacturer's last leaf, 0 for one that has none."""
    return {each: _LAST_OF_MAKER.first(tx, {"maker": each}).running or 0 for each in set(manufacturer_ids)}


def makers(tx: Connection) -> tuple[tuple[int, Uscc], ...]:
    """Return every manufacturer: its id and its USCC."""
    found = tx.execute(select(manufacturers.c.id, manufacturers.c.uscc))
    return tuple((row.id, Uscc(row.uscc)) for row in found)


def last_hashes(tx: Connection, confirmation_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the hash of the last leaf about each confirmation that has one."""
    if len(confirmation_ids) <= _FEW:
        rows = {each: _LAST_ABOUT.first(tx, {"of": each}) for each in set(confirmation_ids)}
        return {each: bytes(row.leaf_hash) for each, row in rows.items() if row is not None}
    found: dict[int, bytes] = {}
    for start in range(0, len(confirmation_ids), _MOST_AT_ONCE):
        some = confirmation_ids[start : start + _MOST_AT_ONCE]
        last = select(func.max(log_leaves.c.sequence)).where(log_leaves.c.confirmation_id.in_(some))
        wanted = select(log_leaves.c.confirmation_id, log_leaves.c.leaf_hash)
        wanted = wanted.where(log_leaves.c.sequence.in_(last.group_by(log_leaves.c.confirmation_id)))
        found |= {row[0]: bytes(row[1]) for row in tx.execute(wanted)}
    return found


def append(tx: Connection, entries: Sequence[Entry]) -> None:
    """Add leaves behind those that there are, and keep every tile that they fill."""
    _APPEND.execute_rows(tx, Entry._fields, entries)
    before, after, level = entries[0].sequence, entries[-1].sequence + 1, 0
    while full := after >> HEIGHT * (level + 1):
        for number in range(before >> HEIGHT * (level + 1), full):
            hashes = _composed(tx, Tile(level=level, number=number))
            values = {"level": level, "number": number, "hashes": hashes, "root": _root_over(hashes)}
            tx.execute(insert(log_tiles).values(**values))
        level += 1


def _root_over(hashes: bytes) -> bytes:
    found = [hashes[place : place + DIGEST_BYTES] for place in range(0, len(hashes), DIGEST_BYTES)]
    while len(found) > 1:
        found = [node_hash(*found[place : place + 2]) for place in range(0, len(found), 2)]
    return found[0]


def tile(tx: Connection, wanted: Tile) -> bytes:
    """
    Return the bytes of a tile: of a full one as they are kept, of another as its leaves or the tiles below make them.

    They are fewer than the tile's width where the log does not reach so far.
    """
    if wanted.level is None:
        return pack([bytes(leaf) for leaf in tx.execute(_spanned(log_leaves.c.leaf, wanted)).scalars()])
    if wanted.width == WIDTH:
        kept = _TILE.first(tx, {"level": wanted.level, "number": wanted.number})
        if kept is not None:
            return bytes(kept.hashes)
    return _composed(tx, wanted)


def _composed(tx: Connection, wanted: Tile) -> bytes:
    if not wanted.level:
        start = wanted.number * WIDTH
        rows = _HASHES.rows(tx, {"start": start, "end": start + wanted.width})
        return b"".join([bytes(row.leaf_hash) for row in rows])
    start = wanted.number * WIDTH
    below = select(log_tiles.c.root).where(log_tiles.c.level == wanted.level - 1)
    below = below.where(log_tiles.c.number >= start, log_tiles.c.number < start + wanted.width)
    return b"".join(map(bytes, tx.execute(below.order_by(log_tiles.c.number)).scalars()))


def _spanned(column: Column[bytes], wanted: Tile) -> Select[bytes]:
    start, place = wanted.number * WIDTH, log_leaves.c.sequence
    return select(column).where(place >= start, place < start + wanted.width).order_by(place)


def taken(tx: Connection, ids: Sequence[int]) -> None:
    """Take away what is in the log now, by the ids that were read: never what came meanwhile."""
    if len(ids) <= _FEW:
        _TAKEN.execute_many(tx, [{"taken": each} for each in ids])
        return
    for start in range(0, len(ids), _MOST_AT_ONCE):
        tx.execute(delete(log_queue).where(log_queue.c.id.in_(ids[start : start + _MOST_AT_ONCE])))


def sign(tx: Connection, made: Signed) -> None:
    """Keep a checkpoint."""
    values = {name: getattr(made, name) for name in made.__dataclass_fields__}
    _SIGN.execute(tx, values | {"edge": b"".join(made.edge)})


def latest(tx: Connection) -> Signed | None:
    """Return the checkpoint that was signed last, None of a log that has not begun."""
    return _signed(_LATEST.first(tx))


def of_size(tx: Connection, size: int) -> Signed | None:
    """Return the checkpoint that was signed last for a size, None if none was."""
    sized = select(log_checkpoints).where(log_checkpoints.c.size == size)
    return _signed(tx.execute(sized.order_by(log_checkpoints.c.id.desc()).limit(1)).first())


def of_note(tx: Connection, note: str, *, size: int) -> Signed | None:
    """Return the checkpoint of exactly this note, None if none was signed here."""
    return _signed(_OF_NOTE.first(tx, {"size": size, "note": note}))


def _signed(row: Row[Any] | None) -> Signed | None:
    if row is None:
        return None
    edge = bytes(row.edge)
    hashes = tuple(edge[place : place + DIGEST_BYTES] for place in range(0, len(edge), DIGEST_BYTES))
    return Signed(size=row.size, root=bytes(row.root), edge=hashes, note=row.note, signed_at=row.signed_at)


def entry_of(tx: Connection, number: Number, kind: LeafType, *, scope: Scope) -> Entry | None:
    """Return the last leaf of a kind about a number; None if the log has none, or the number is not of the scope."""
    row = _ENTRY.first(tx, {"number": number, "kind": kind})
    return None if row is None or not scope.admits(row.owner) else _entry(row._asdict())


def entries_of(tx: Connection, *, scope: Scope, after: int, most: int) -> tuple[tuple[Entry, Number], ...]:
    """Return a manufacturer's leaves that can be opened, from behind a running number on, each with its number."""
    wanted = select(log_leaves, confirmations.c.number).join(
        confirmations, confirmations.c.id == log_leaves.c.confirmation_id
    )
    wanted = scope.only(wanted, log_leaves).where(log_leaves.c.running > after)
    rows = tx.execute(wanted.order_by(log_leaves.c.running).limit(most)).mappings()
    return tuple((_entry(dict(row)), Number(row["number"])) for row in rows)


def _entry(row: dict[str, Any]) -> Entry:
    values = {name: row[name] for name in Entry._fields}
    octets = {name: bytes(value) for name, value in values.items() if isinstance(value, bytes | memoryview)}
    kind = None if values["type"] is None else LeafType(values["type"])
    return Entry(**{**values, **octets, "type": kind})


def unlogged(tx: Connection, *, after: int, most: int) -> tuple[tuple[int, bytes, tuple[LeafType, ...]], ...]:
    """
    Return confirmations behind an id of which neither the log nor what waits for it says that they were issued.

    Each is its id, the digest of S, and what ended it since.
    """
    said = [LeafType.ISSUED, LeafType.BACKFILL]
    known = [
        exists().where(table.c.confirmation_id == confirmations.c.id, table.c.type.in_(said))
        for table in (log_leaves, log_queue)
    ]
    wanted = (
        select(confirmations.c.id, confirmations.c.standing, files.c.sealed_digest)
        .join(files, and_(files.c.confirmation_id == confirmations.c.id, files.c.kind == "sealed"))
        .where(confirmations.c.id > after, confirmations.c.recorded_at.is_not(None), ~known[0], ~known[1])
        .order_by(confirmations.c.id)
        .limit(most)
    )
    return tuple((row.id, bytes(row.sealed_digest), _ENDED.get(row.standing, ())) for row in tx.execute(wanted))


_ENDED = {
    Standing.WITHDRAWN: (LeafType.WITHDRAW,),
    Standing.SUPERSEDED: (LeafType.SUPERSEDE,),
}
