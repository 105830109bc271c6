"""Issuing or approving in a process of its own that is killed (-9): at a named step, or from outside at any moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
import struct
import time
import traceback
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import world as worlds
from world import World

from signer import logs
from signer.document import glyphs
from signer.domain.parties import country_code
from signer.domain.verdict import Code
from signer.register import batch_items, batches, confirmations, submissions
from signer.services import batching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from multiprocessing.connection import Connection
    from pathlib import Path

    from signer.services.approving import Word
    from signer.services.batching import Word as BatchWord

    _Made = tuple[Path, str, dict[str, str], datetime]

STEPS = (
    "before reserve",
    "in transaction 1",
    "reserved",
    "rendered",
    "sealed",
    "checked",
    "before the file is stored",
    "stored",
    "in transaction 2",
    "recorded",
)
WORD_STEPS = ("before the word", "in the word's transaction", "the word is kept")
END_STEPS = ("before the end is written", "in the last transaction")
BATCH_WORD_STEPS = ("before the batch runs", "in the transaction that lets it run", "the batch runs")
BATCH_STEPS = (
    "in the transaction that takes up",
    "taken up",
    *STEPS[:-2],
    "in transaction 2",
    "the item is noted",
    "recorded",
    "before the batch is over",
)
"""The steps of one item of a batch, and of the batch's end."""
APPROVING = (*WORD_STEPS, *STEPS, *END_STEPS)
"""The steps of approving: an approver's word, issuing, and what became of it."""
ALL_STEPS = tuple(dict.fromkeys((*APPROVING, *BATCH_WORD_STEPS, *BATCH_STEPS)))
KEY = "one-key"
_MARK = struct.Struct("=Bd")
_CONTEXT = multiprocessing.get_context("spawn")


@contextmanager
def at_step(world: World, step: str, act: Callable[..., object]) -> Iterator[None]:
    """Do something once, with what the step's function is given, when issuing reaches a step while the block runs."""
    owner, name, is_after = _place(world, step)
    action = getattr(owner, name)
    waiting = [act]

    def reach(*given: Any) -> None:
        if waiting:
            waiting.pop()(*given)

    def interrupted(*given: Any, **named: Any) -> Any:
        if not is_after:
            reach(*given)
        found = action(*given, **named)
        if is_after:
            reach(*given)
        return found

    setattr(owner, name, interrupted)
    try:
        yield
    finally:
        setattr(owner, name, action)


def _place(world: World, step: str) -> tuple[object, str, bool]:
    """Return where a step is: an object, the name of its function, and whether it is behind its call."""
    sealing, approving = world.services.issuing._sealing, world.services.approving
    places: dict[str, tuple[object, str, bool]] = {
        "before the word": (submissions, "approve", False),
        "in the word's transaction": (submissions, "approve", True),
        "the word is kept": (approving, "_seal", False),
        "before the end is written": (approving, "_finish", False),
        "in the last transaction": (submissions, "finish", True),
        "before the batch runs": (batches, "start", False),
        "in the transaction that lets it run": (batches, "start", True),
        "the batch runs": (world.services.batching, "_now", False),
        "taken up": (world.services.batch_running, "_seal_all", False),
        "in the transaction that takes up": (batch_items, "claim", True),
        "the item is noted": (batch_items, "record", True),
        "before the batch is over": (world.services.batch_running, "_end_if_over", False),
        "before reserve": (confirmations, "reserve", False),
        "in transaction 1": (confirmations, "reserve", True),
        "reserved": (sealing, "complete", False),
        "rendered": (sealing._page, "render", True),
        "sealed": (sealing._seals, "seal", True),
        "checked": (sealing, "_self_check", True),
        "before the file is stored": (sealing._blobs, "put", False),
        "stored": (sealing._blobs, "put", True),
        "in transaction 2": (confirmations, "record", True),
        "recorded": (sealing, "complete", True),
    }
    return places[step]


@dataclass(frozen=True)
class Turn:
    """
    One process to be: what it issues, and where it ends: at a step by itself, or killed some time after one.

    With a `word` it does not issue what is plain, but approves what the word is about: a submission, or a batch. With a
    `batch` it seals that batch's items; it ends at the step of the first.
    """

    plain: Any
    key: str
    step: str = ""
    after_s: float | None = None
    word: Word | BatchWord | None = None
    batch: str = ""


@dataclass(frozen=True)
class Death:
    """How a process ended: the exit code (-9 if killed), and when it reached which step (s)."""

    code: int
    reached: dict[str, float]

    @property
    def step(self) -> str:
        """The last step that it reached."""
        return max(self.reached, key=lambda step: self.reached[step], default="")


class Launcher:
    """
    A process that has imported everything, and forks the ones that are killed.

    It opens no register and no key and compiles no page: none of these survives a fork, so each child does it anew.
    """

    def __init__(self) -> None:
        self._line, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_launch, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, world: World, turns: list[Turn]) -> None:
        """Begin a few turns, one after the other."""
        self._line.send(((world.folder, world.database_url, world.overrides, world.at), turns))

    def receive(self) -> list[Death]:
        """Wait for their ends."""
        found: list[Death] = self._line.recv()
        return found

    def close(self) -> None:
        self._line.close()
        self._process.join(30)


@lru_cache(maxsize=1)
def _launcher() -> Launcher:
    return Launcher()


def issue_and_die(world: World, step: str, plain: Any, *, key: str = KEY) -> Death:
    """Issue in a child that kills itself at a step."""
    _launcher().send(world, [Turn(plain, key, step=step)])
    return _launcher().receive()[0]


def approve_and_die(world: World, step: str, word: Word) -> Death:
    """Approve in a child that kills itself at a step."""
    _launcher().send(world, [Turn(None, "", step=step, word=word)])
    return _launcher().receive()[0]


def seal_and_die(world: World, step: str, batch: str) -> Death:
    """Seal a batch's items in a child that kills itself at a step of the first."""
    _launcher().send(world, [Turn(None, "", step=step, batch=batch)])
    return _launcher().receive()[0]


def say_and_die(world: World, step: str, word: BatchWord) -> Death:
    """Approve a batch in a child that kills itself at a step, as a web process may end."""
    _launcher().send(world, [Turn(None, "", step=step, word=word)])
    return _launcher().receive()[0]


def _launch(line: Connection) -> None:
    logs.configure("error")
    glyphs.uncovered("")
    country_code("KZ")
    while True:
        try:
            made, turns = line.recv()
        except EOFError:
            return
        line.send([_live_and_die(made, turn) for turn in turns])


def _live_and_die(made: _Made, turn: Turn) -> Death:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(made, turn, writing)
    os.close(writing)
    reached: dict[str, float] = {}
    while mark := os.read(reading, _MARK.size):
        place, at_s = _MARK.unpack(mark)
        reached[ALL_STEPS[place]] = at_s
        if ALL_STEPS[place] == turn.step and turn.after_s is not None:
            time.sleep(turn.after_s)
            os.kill(child, signal.SIGKILL)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return Death(os.waitstatus_to_exitcode(status), reached)


def _live(made: _Made, turn: Turn, writing: int) -> None:
    """Issue in this process, marking each step in a pipe, and end with it."""
    code = 1
    try:
        folder, url, overrides, at = made
        world = World(folder, at=at, database_url=url, overrides=overrides)
        with ExitStack() as traps:
            for place, step in enumerate(ALL_STEPS):
                act = partial(_reach, writing, place, is_last=step == turn.step and turn.after_s is None)
                traps.enter_context(at_step(world, step, act))
            _do(world, turn)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def _do(world: World, turn: Turn) -> None:
    """Do what a turn is for."""
    if turn.batch:
        world.services.batch_running.run(turn.batch)
    elif isinstance(turn.word, batching.Word):
        world.services.batching.approve(turn.word)
    elif turn.word is not None:
        world.services.approving.approve(turn.word)
    else:
        world.issue(turn.plain, key=turn.key)


def _reach(writing: int, place: int, *_given: Any, is_last: bool) -> None:
    os.write(writing, _MARK.pack(place, time.monotonic()))
    if is_last:
        os.kill(os.getpid(), signal.SIGKILL)


_HELD = "lines WHERE standing IN ('issued', 'suspended')"
_RECORDED = "confirmations c WHERE c.recorded_at IS NOT NULL"
_FILES = "SELECT count(*) FROM files f WHERE f.confirmation_id = c.id AND f.kind = 'sealed'"
_USES = "SELECT count(*) FROM seal_uses u JOIN files f ON f.sealed_digest = u.sealed_digest WHERE u.number = c.number"
_NONE = (
    "confirmations WHERE standing = 'pending'",
    "vin_claims WHERE slot = 'next'",
    f"(SELECT vin FROM {_HELD} GROUP BY vin HAVING count(*) > 1) AS twice",
    "(SELECT confirmation_id FROM idempotency GROUP BY confirmation_id HAVING count(*) > 1) AS shared",
    f"{_RECORDED} AND 1 <> ({_FILES})",
    f"{_RECORDED} AND 1 > ({_USES} AND f.confirmation_id = c.id)",
)
_LEAVES = "(SELECT type FROM log_queue UNION ALL SELECT type FROM log_leaves) AS leaves"
_AS_MANY = (
    ("files WHERE kind = 'sealed'", _RECORDED),
    (f"{_LEAVES} WHERE type = 'issued'", _RECORDED),
    (f"{_LEAVES} WHERE type = 'intent'", "confirmations"),
    ("status_entries", "confirmations"),
    ("vin_claims WHERE slot = 'live'", _HELD),
)


def accounts(world: World) -> dict[str, int]:
    """Hold every promise of the register against its tables; return how many records stand how."""
    for none in _NONE:
        assert world.rows(f"SELECT count(*) FROM {none}") == [(0,)], none
    for some, other in _AS_MANY:
        assert world.rows(f"SELECT count(*) FROM {some}") == world.rows(f"SELECT count(*) FROM {other}"), some
    scrubbed = world.services.keeping.scrub()
    assert (scrubbed.damaged, scrubbed.missing) == ((), ())
    return dict(world.rows("SELECT standing, count(*) FROM confirmations GROUP BY standing"))


def settle_and_ask_again(world: World, plain: Any, *, key: str = KEY) -> str:
    """Let maintenance and the sequencer do their work, ask with the same key, and return the one document's number."""
    world.at += worlds.timedelta(minutes=11)
    world.services.maintaining.settle()
    world.services.sequencing.run_if_awaited()
    first, second = world.issue(plain, key=key), world.issue(plain, key=key)
    assert (first.number, first.pdf, second.is_replay) == (second.number, second.pdf, True)
    assert world.verify(first.pdf).code is Code.VALID
    return str(first.number)
